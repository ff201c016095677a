"""Is what came what was expected? Structure, then shape, dtype, finiteness, and only then values.

Nothing is ever broadcast: a scalar where an array was expected is a wrong shape. The judge compares plain data that
crossed from the sandbox, so no object of the learner's has a say in the comparison.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

KEYS_SHOWN = 20  # of a dictionary
NUMBERS = (bool, int, float, complex, np.bool_, np.number)


@dataclass(frozen=True)
class Difference:
    """The first way in which two values differ."""

    kind: str  # wrong-shape, wrong-dtype, not-finite, wrong-value
    path: str  # where in the value: ["grads"][2]
    says: str
    expected: Any  # the part that differs
    got: Any
    index: tuple[int, ...] | None = None  # of the first wrong entry, in an array


def difference(expected: Any, got: Any, atol: float, rtol: float) -> Difference | None:
    """None where `got` equals `expected` within |got - expected| <= atol + rtol |expected|, elementwise."""
    with np.errstate(all="ignore"):  # inf - inf and the like are answered below, not warned of
        return _difference(expected, got, atol, rtol, "")


def _difference(expected: Any, got: Any, atol: float, rtol: float, path: str) -> Difference | None:
    if type(expected) is float and type(got) is float and abs(got - expected) <= atol + rtol * abs(expected) < np.inf:
        return None  # the two that are asked thousands of times a check: no more work than they need
    if type(expected) is np.ndarray and type(got) is np.ndarray and _clearly_close(expected, got, atol, rtol):
        return None
    if isinstance(expected, (np.ndarray, *NUMBERS)):
        return _numeric(expected, got, atol, rtol, path)
    if isinstance(expected, dict):
        return _mapping(expected, got, atol, rtol, path)
    if isinstance(expected, (list, tuple)):
        return _sequence(expected, got, atol, rtol, path)
    if type(expected) is not type(got) or expected != got:
        return Difference("wrong-value", path, f"expected {expected!r}, got {describe(got)}", expected, got)
    return None


def _clearly_close(e: NDArray[Any], g: NDArray[Any], atol: float, rtol: float) -> bool:
    """Finite float64 arrays of one shape that agree. What is not clear is looked at again, in full."""
    if e.dtype != np.float64 or g.dtype != np.float64 or e.shape != g.shape:
        return False
    return bool((np.abs(g - e) <= atol + rtol * np.abs(e)).all()) and bool(np.isfinite(e).all())


def _mapping(expected: dict[Any, Any], got: Any, atol: float, rtol: float, path: str) -> Difference | None:
    if not isinstance(got, dict) or set(got) != set(expected):
        if not isinstance(got, dict):
            return Difference("wrong-shape", path, f"expected {describe(expected)}, got {describe(got)}", expected, got)
        return Difference(
            "wrong-shape", path, f"expected the keys {sorted(map(str, expected))}, got {describe(got)}", expected, got
        )
    parts = (_difference(value, got[key], atol, rtol, f"{path}[{key!r}]") for key, value in expected.items())
    return next((part for part in parts if part is not None), None)


def _sequence(expected: Any, got: Any, atol: float, rtol: float, path: str) -> Difference | None:
    if not isinstance(got, (list, tuple)):
        says = f"expected a {type(expected).__name__} of {len(expected)}, got {describe(got)}"
        return Difference("wrong-shape", path, says, expected, got)
    if len(got) != len(expected):
        items = "1 item" if len(expected) == 1 else f"{len(expected)} items"
        return Difference("wrong-shape", path, f"expected {items}, got {len(got)}", expected, got)
    parts = (_difference(e, g, atol, rtol, f"{path}[{i}]") for i, (e, g) in enumerate(zip(expected, got)))
    return next((part for part in parts if part is not None), None)


def _numeric(expected: Any, got: Any, atol: float, rtol: float, path: str) -> Difference | None:
    if not isinstance(got, (np.ndarray, *NUMBERS)):
        return Difference("wrong-shape", path, f"expected {describe(expected)}, got {describe(got)}", expected, got)
    e, g = np.asarray(expected), np.asarray(got)
    if e.shape != g.shape:
        return Difference("wrong-shape", path, f"expected shape {e.shape}, got {g.shape}", expected, got)
    if "O" in (e.dtype.kind, g.dtype.kind):  # integers of more than 64 bits
        if type(expected) is type(got) and expected == got:
            return None
        return Difference("wrong-value", path, f"expected {describe(expected)}, got {describe(got)}", expected, got)
    if (says := _dtype_problem(expected, got, e, g)) is not None:
        return Difference("wrong-dtype", path, says, expected, got)
    if e.size == 0:
        return None
    unexpected = ~_finite(g) & _finite(e)
    if unexpected.any():
        index = _first(unexpected)
        return Difference(
            "not-finite", path, f"{_at(index)}{g[index]} where {e[index]:.6g} was expected", expected, got, index
        )
    wrong = _beyond(e, g, atol, rtol)
    if wrong.any():
        index = _first(wrong)
        return Difference(
            "wrong-value",
            path,
            f"{_at(index)}expected {_number(e[index])}, got {_number(g[index])}",
            expected,
            got,
            index,
        )
    return None


def _dtype_problem(expected: Any, got: Any, e: NDArray[Any], g: NDArray[Any]) -> str | None:
    """Kinds must agree, and so must the width of floats in arrays; a Python number may stand for a NumPy one."""
    plain = isinstance(got, (bool, int, float, complex)) or isinstance(expected, (bool, int, float, complex))
    kinds = {"b": "bool", "i": "int", "u": "int", "f": "float", "c": "complex"}
    want, have = kinds[e.dtype.kind], kinds[g.dtype.kind]
    if plain and want in ("int", "float") and have in ("int", "float"):
        return None
    if want != have or (want in ("float", "complex") and e.dtype != g.dtype and not plain):
        return f"expected {e.dtype}, got {g.dtype}"
    return None


def _finite(x: NDArray[Any]) -> NDArray[np.bool_]:
    return np.isfinite(x) if x.dtype.kind in "fc" else np.ones(x.shape, dtype=bool)


def _beyond(e: NDArray[Any], g: NDArray[Any], atol: float, rtol: float) -> NDArray[np.bool_]:
    """Where got lies outside the tolerance. NaN equals NaN only, an infinity itself only."""
    if e.dtype.kind not in "fc" and g.dtype.kind not in "fc":
        return np.asarray(e != g)
    near = np.abs(g - e) <= atol + rtol * np.abs(e)
    same = (g == e) | (np.isnan(g) & np.isnan(e))
    return np.asarray(~(same | (near & np.isfinite(e) & np.isfinite(g))))


def _first(mask: NDArray[np.bool_]) -> tuple[int, ...]:
    return tuple(int(i) for i in np.argwhere(mask)[0])


def _number(x: Any) -> str:
    return str(x) if isinstance(x, np.bool_) else f"{x:.10g}"


def _at(index: tuple[int, ...]) -> str:
    return f"at [{', '.join(map(str, index))}]: " if index else ""


def size(value: Any) -> int:
    """How large a case is, to find the smallest that fails: entries, and a little for each that is not round."""
    if isinstance(value, np.ndarray):
        return (
            2 + 4 * value.size + int(np.sum(value != np.round(value))) if value.dtype.kind in "biuf" else 4 * value.size
        )
    if isinstance(value, dict):
        return 1 + sum(size(item) for item in value.values())
    if isinstance(value, (list, tuple)):
        return 2 + sum(size(item) for item in value)
    if isinstance(value, float):
        return 4 + (not value.is_integer() if math.isfinite(value) else 1)
    return len(value) if isinstance(value, str) else 4


def describe(value: Any) -> str:
    """A value in a few words."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape} and dtype {value.dtype}"
    if isinstance(value, dict):
        return _clipped(f"a dict with the keys {sorted(map(str, list(value)[:KEYS_SHOWN]))}")
    if isinstance(value, (list, tuple)):
        return f"a {type(value).__name__} of {len(value)}"
    return _clipped(repr(value))


def _clipped(text: str) -> str:
    return text if len(text) <= 200 else text[:200] + " ..."
