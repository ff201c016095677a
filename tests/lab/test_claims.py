"""A claim is kept only by a number that keeps its bar."""

import math

import pytest

from groundup.lab.claims import ClaimError, hold, parse_claim


@pytest.mark.parametrize(
    ("bar", "kept", "broken"),
    [("> 0.98", 0.9801, 0.98), (">= 1", 1.0, 0.99), ("< 1e-3", 9e-4, 1e-3), ("<=-2", -2.0, -1.9)],
)
def test_bars_are_what_they_say(bar, kept, broken):
    claim = parse_claim("m", bar)
    assert hold([claim], {"m": kept})[0].kept and not hold([claim], {"m": broken})[0].kept


@pytest.mark.parametrize("metrics", [{}, {"m": math.nan}, {"other": 1.0}])
def test_a_metric_that_is_not_there_or_not_a_number_keeps_nothing(metrics):
    for bar in ("> 0", "< 0"):
        assert not hold([parse_claim("m", bar)], metrics)[0].kept


@pytest.mark.parametrize("bar", ["0.98", "== 1", "> high", "", 0.98, "> 1.2.3"])
def test_what_is_no_bar_is_refused(bar):
    with pytest.raises(ClaimError, match="the claim on m"):
        parse_claim("m", bar)
