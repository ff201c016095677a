"""The kind of a difference is recognised on generated arrays, and is never claimed of equal ones."""

import numpy as np
import pytest

from groundup.course.judging.kinds import kind_of_difference

KINDS = {
    "transpose": (lambda e: e.T.copy(), "transpose"),
    "sign": (lambda e: -e, "sign"),
    "zero": (lambda e: np.zeros_like(e), "zero"),
    "twice": (lambda e: 2 * e, "factor, 2"),
    "a third": (lambda e: e / 3, "factor, 1/3"),
    "reversed": (lambda e: e[::-1].copy(), "reverse order"),
    "late": (lambda e: np.concatenate([np.zeros_like(e[:1]), e[:-1]]), "too late"),
    "early": (lambda e: np.concatenate([e[1:], np.zeros_like(e[:1])]), "too early"),
    "offset": (lambda e: e + 1.5, "same amount"),
    "float32": (lambda e: e.astype(np.float32).astype(np.float64), "float32"),
    "one axis more": (lambda e: e[None], "axis of length 1"),
    "flat": (lambda e: e.ravel(), "in shape"),
    "nan": (lambda e: np.where(e > 0, np.nan, e), "NaN"),
    "not summed": (lambda e: np.stack([e / 2, e / 2]), "summed back"),
    "partly zero": (lambda e: np.where(np.arange(e.size).reshape(e.shape) < 2, 0, e), "2 of 16 entries are zero"),
    "one zero": (lambda e: np.where(np.arange(e.size).reshape(e.shape) == 1, 0, e), "1 of 16 entries is zero"),
}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", KINDS)
def test_the_kind_is_named(kind, seed):
    n = 4
    e = np.random.default_rng(seed).standard_normal((n, n)) + 0.01
    change, word = KINDS[kind]
    says = kind_of_difference(e, change(e))
    assert says is not None and word in says


def test_equal_values_have_no_kind():
    e = np.random.default_rng(0).standard_normal((3, 4))
    assert kind_of_difference(e, e.copy()) is None


def test_what_is_no_number_has_no_kind():
    assert kind_of_difference("a", "b") is None
    assert kind_of_difference([1.0, [2.0]], 3.0) is None


@pytest.mark.parametrize(
    ("expected", "got", "word"),
    [([3.0], [3.0, 0.0], None), (0.5, 0.0, None), (True, False, None), (1.0, 0.5, "It is off by a factor: 1/2.")],
)  # fmt: skip
def test_a_list_has_no_axes_and_a_number_no_entries(expected, got, word):
    says = kind_of_difference(expected, got)
    assert says is None if word is None else word in says
