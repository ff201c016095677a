"""What kind of difference is this? For the mistakes that no fault of the lesson explains.

Each test below looks at an expected and a received array and answers with a sentence, or not at all. The first that
answers is what the learner is told.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
CLOSE = 1e-6


def kind_of_difference(expected: Any, got: Any) -> str | None:
    """One sentence about how two numeric values differ, or None if nothing simple explains it."""
    try:
        e, g = np.asarray(expected), np.asarray(got)
    except ValueError:
        return None
    if e.dtype.kind not in "biuf" or g.dtype.kind not in "biuf" or e.size == 0:
        return None
    e64, g64 = e.astype(np.float64), g.astype(np.float64)
    if e.shape != g.shape:
        if isinstance(expected, (list, tuple)) or isinstance(got, (list, tuple)):  # these have a length, and no axes
            return None
        return next((says for test in _SHAPES if (says := test(e64, g64)) is not None), None)
    if not np.isfinite(e64).all() or not np.isfinite(g64).all():
        return _not_finite(e64, g64)
    if np.array_equal(e64, g64):
        return None
    return next((says for test in _VALUES if (says := test(e64, g64)) is not None), None)


def _equal(a: Array, b: Array) -> bool:
    return a.shape == b.shape and bool(
        np.allclose(a, b, rtol=CLOSE, atol=CLOSE * max(1.0, float(np.abs(b).max(initial=0))))
    )


def _transposed(e: Array, g: Array) -> str | None:
    if e.ndim >= 2 and g.ndim >= 2 and not _equal(np.swapaxes(e, -1, -2), e) and _equal(np.swapaxes(g, -1, -2), e):
        return "This is the transpose of what was expected."
    return None


def _kept_axis(e: Array, g: Array) -> str | None:
    if e.size == g.size and tuple(s for s in e.shape if s != 1) == tuple(s for s in g.shape if s != 1):
        return f"The entries are as many, in shape {g.shape} instead of {e.shape}: an axis of length 1 was kept or dropped."
    return None


def _not_summed(e: Array, g: Array) -> str | None:
    if g.ndim > e.ndim or (g.ndim == e.ndim and g.size > e.size):
        extra = g.ndim - e.ndim
        axes = (*range(extra), *(i + extra for i, side in enumerate(e.shape) if side == 1))
        if axes and _equal(g.sum(axis=axes).reshape(-1), e.reshape(-1)):
            return f"An axis that was broadcast has not been summed back: shape {g.shape} instead of {e.shape}."
    return None


def _broadcast(e: Array, g: Array) -> str | None:
    try:
        if g.size > e.size and _equal(np.broadcast_to(e, g.shape), g):
            return f"The values are right but repeated by broadcasting: shape {g.shape} instead of {e.shape}."
        if g.size < e.size and _equal(np.broadcast_to(g, e.shape), e):
            return f"The values are right but not broadcast: shape {g.shape} instead of {e.shape}."
    except ValueError:
        return None
    return None


def _flat(e: Array, g: Array) -> str | None:
    if e.size == g.size and _equal(g.reshape(-1), e.reshape(-1)):
        return f"The entries are right, in shape {g.shape} instead of {e.shape}."
    return None


def _sign(e: Array, g: Array) -> str | None:
    return "The sign is reversed." if _equal(-g, e) and np.abs(e).max() > CLOSE else None


def _zero(e: Array, g: Array) -> str | None:
    if e.size > 1 and not g.any():
        return "Everything is zero: nothing has been written here, or nothing arrived."
    return None


def _factor(e: Array, g: Array) -> str | None:
    """A common factor that a person would recognise: 2, 1/2, n, 1/n, pi, e, log 2 ..."""
    large = np.abs(e) > CLOSE * max(1.0, float(np.abs(e).max()))
    if not large.any() or not np.allclose(g[~large], 0, atol=CLOSE):
        return None
    ratios = g[large] / e[large]
    if not np.allclose(ratios, ratios[0], rtol=1e-5):
        return None
    ratio = float(ratios[0])
    if abs(ratio - 1) < 1e-4:
        return None
    names = {f"{n}": float(n) for n in range(2, 65)} | {f"1/{n}": 1.0 / n for n in range(2, 65)}
    names |= {"log 2": np.log(2), "1/log 2": 1 / np.log(2), "the root of 2": 2**0.5, "the root of 1/2": 0.5**0.5}
    name = next((name for name, value in names.items() if abs(abs(ratio) - value) < 1e-5 * value), None)
    if name is None and large.sum() < 3:
        return None
    sign = "minus " if ratio < 0 else ""
    lengths = [n for n in e.shape if name in (str(n), f"1/{n}")]
    hint = (
        f" ({lengths[0]} is the length of an axis here: a sum where a mean was meant, or the reverse?)"
        if lengths
        else ""
    )
    factor = f"{sign}{name or f'{ratio:.6g}'}"
    return (
        f"Every entry is off by the same factor, {factor}{hint}." if e.size > 1 else f"It is off by a factor: {factor}."
    )


def _shifted(e: Array, g: Array) -> str | None:
    if e.ndim >= 1 and e.shape[0] > 2 and not _equal(e[1:], e[:-1]):
        if _equal(g[1:], e[:-1]):
            return "The entries are right but one place too late along the first axis: off by one."
        if _equal(g[:-1], e[1:]):
            return "The entries are right but one place too early along the first axis: off by one."
    return None


def _offset(e: Array, g: Array) -> str | None:
    gap = g - e
    if e.size > 1 and _equal(gap, np.full_like(gap, gap.flat[0])):
        return f"Every entry is off by the same amount, {gap.flat[0]:+.6g}."
    return None


def _reversed(e: Array, g: Array) -> str | None:
    if e.ndim >= 1 and e.size > 2 and not _equal(e[::-1], e) and _equal(g[::-1], e):
        return "The entries are right but in reverse order along the first axis."
    return None


def _reordered(e: Array, g: Array) -> str | None:
    if e.size > 2 and _equal(np.sort(g, axis=None), np.sort(e, axis=None)):
        return "The entries are right but in another order."
    return None


def _precision(e: Array, g: Array) -> str | None:
    largest = float(np.abs(e).max())
    gap = float(np.abs(g - e).max()) / largest if largest > 1e-300 else 0.0
    if 1e-9 < gap < 1e-5:
        return f"The values agree to {gap:.0e} only: float32 where float64 was meant, or an approximation?"
    return None


def _some_missing(e: Array, g: Array) -> str | None:
    wrong = np.abs(g - e) > CLOSE * max(1.0, float(np.abs(e).max()))
    if e.size > 2 and wrong.any() and not wrong.all():
        zero = not g[wrong].any()
        count = int(wrong.sum())
        where = f"{'is' if count == 1 else 'are'} {'zero' if zero else 'wrong'}"
        return f"{count} of {e.size} entries {where}, the others are right."
    return None


def _not_finite(e: Array, g: Array) -> str | None:
    bad = ~np.isfinite(g)
    if not bad.any():
        return None
    what = "NaN" if np.isnan(g).any() else "infinity"
    return f"{what} in {int(bad.sum())} of {g.size} entries: an exp that overflowed, a log of 0, or 0/0 on the way."


_SHAPES: list[Callable[[Array, Array], str | None]] = [_transposed, _kept_axis, _not_summed, _broadcast, _flat]
_VALUES: list[Callable[[Array, Array], str | None]] = [
    _zero, _sign, _transposed, _factor, _reversed, _shifted, _precision, _offset, _reordered, _some_missing
]  # fmt: skip
