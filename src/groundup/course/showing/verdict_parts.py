"""What every way of showing a verdict asks of its JSON form: the first failure, its name, entries of arrays, digits."""

from __future__ import annotations

import math
from typing import Any, TypeGuard

UNPARSED = ("SyntaxError", "IndentationError", "TabError")
DIMENSIONS = 32  # of an array at most, as in the oldest NumPy that we run on
PLAIN_NAMES = {"missing": "not written yet", "wrong-value": "wrong value"}


def first_failure(verdict: dict[str, Any]) -> dict[str, Any] | None:
    """The checkpoint that a verdict is about, None if all that are needed have passed: the first that is wrong; without one,
    the first that is not written yet.
    """
    failed = [c for c in verdict["checkpoints"] if not c["stretch"] and not c["passed"]]
    return min(failed, key=lambda c: c["verdict"] in ("missing", "skipped"), default=None)  # the first of equals


def mistake_name(c: dict[str, Any]) -> str:
    """The name of what went wrong at a checkpoint: a known mistake's, or the verdict in words."""
    if c["verdict"] == "import-error":
        return "does not parse" if str(c["says"]).startswith(UNPARSED) else "import error"
    return str(c["fault"] or PLAIN_NAMES.get(c["verdict"], c["verdict"].replace("-", " ")))


def place_of(c: dict[str, Any]) -> str:
    """File and line of a failure as far as they are known: `mine/grad/value.py:31`."""
    return f"{c['file']}:{c['line']}" if c.get("file") and c.get("line") else (c.get("file") or "")


def is_array(value: Any) -> TypeGuard[dict[str, Any]]:
    """Whether a value of the JSON stands for an array. A learner's dict with the same keys and other contents does not."""
    if not isinstance(value, dict) or set(value) != {"shape", "dtype", "values"}:
        return False
    shape, values = value["shape"], value["values"]
    if not isinstance(shape, list) or not isinstance(values, list) or not isinstance(value["dtype"], str):
        return False
    if len(shape) > DIMENSIONS or not all(type(side) is int and side >= 0 for side in shape):
        return False
    return len(values) <= int(math.prod(shape)) and math.prod(side for side in shape if side) < 2**62


def is_whole(array: dict[str, Any]) -> bool:
    """Whether all entries of an array are there."""
    return len(array["values"]) == int(math.prod(array["shape"]))


def kind_text(array: dict[str, Any]) -> str:
    """Shape and kind of an array: `(3,) float64`."""
    return f"{shape_text(array['shape'])} {array['dtype']}"


def shape_text(shape: list[int]) -> str:
    """A shape as Python writes it."""
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"


def flat_index(shape: list[int], index: list[int] | None) -> int | None:
    """The place of an entry in C order; None where the index is not one of this array's."""
    if not index or len(index) != len(shape) or not all(0 <= i < side for i, side in zip(index, shape)):
        return None
    return sum(i * math.prod(shape[axis + 1 :]) for axis, i in enumerate(index))


def entry_at(value: Any, index: list[int] | None) -> Any:
    """The entry that an index means: of an array, or a number itself; None where it is not among those shown."""
    if not is_array(value):
        return value if index == [] else None
    at = flat_index(value["shape"], index)
    return value["values"][at] if at is not None and at < len(value["values"]) else None


def number_text(value: Any, digits: int) -> str:
    """An entry with so many digits."""
    return f"{value:.{digits}g}" if isinstance(value, float) else str(value)


def digits_to_tell(c: dict[str, Any], choices: tuple[int, ...] = (6, 10)) -> int:
    """Of these and 17, the fewest digits with which the wrong entry and the right one look different."""
    right, wrong = entry_at(c["expected"], c["index"]), entry_at(c["got"], c["index"])
    if not isinstance(right, float) or not isinstance(wrong, float):
        return choices[0]
    return next((digits for digits in choices if number_text(right, digits) != number_text(wrong, digits)), 17)


def beginning(text: str, most: int) -> str:
    """The first lines of a text, and how many more there are."""
    lines = text.rstrip("\n").splitlines()
    more = len(lines) - most
    return "\n".join(lines[:most] + ([f"... {more} lines more"] if more > 0 else []))
