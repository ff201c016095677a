"""A claim is kept only by a number that keeps its bar."""

import math

import pytest

from groundup.lab.claims import ClaimError, hold, hold_over, parse_claim, parse_claims, seeds_asked


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


@pytest.mark.parametrize(
    "bar",
    [
        *(
            "0.98",
            "== 1",
            "> high",
            "",
            0.98,
            "> 1.2.3",
            "mean < 1.6",
            "< 1.6 over 5 seeds",
            "mean + sd < 1 over 5 seeds",
        ),
        *("mean < 1.6 over 1 seeds", "mean + 2 sd over 5 seeds", "mean * 2 sd < 1 over 5 seeds"),
    ],
)
def test_what_is_no_bar_is_refused(bar):
    with pytest.raises(ClaimError, match="the claim on m"):
        parse_claim("m", bar)


@pytest.mark.parametrize(
    ("bar", "value"),
    [
        ("mean < 1.6 over 3 seeds", 1.5),
        ("mean + 2 sd < 1.6 over 2 seeds", 1.5 + 2 * 0.1),
        ("mean - 0.5 sd > 1.4 over 3 seeds", 1.5 - 0.5 * 0.1),
        ("mean+2sd<1.8 over 3 seeds", 1.7),
    ],
)
def test_a_bar_over_seeds_is_held_against_all_runs_together(bar, value):
    claim = parse_claim("m", bar)
    results = [{"m": 1.4}, {"m": 1.5}, {"m": 1.6}]
    [kept] = hold_over([claim], results)
    assert kept.value == pytest.approx(value) and kept.bar == bar
    assert kept.kept == ((value < claim.bound) if "<" in bar else (value > claim.bound))
    assert hold([claim], results[0]) == [], "one run does not judge it"


def test_a_bar_over_seeds_needs_as_many_and_each_of_them_measured():
    claims = parse_claims("m", ["< 2", "mean < 2 over 3 seeds"])
    assert seeds_asked(claims) == 3 and seeds_asked(claims[:1]) == 1
    assert hold_over(claims, [{"m": 1.0}] * 2) == []
    [kept] = hold_over(claims, [{"m": 1.0}, {"m": 1.0}, {}])
    assert kept.value is None and not kept.kept
    [kept] = hold_over(claims, [{"m": 1.0}, {"m": 1.0}, {"m": math.nan}])
    assert not kept.kept
