"""Values of a verdict as markup: numbers, arrays, texts, lists, dicts; what differs between the right one and yours.

Values are in the JSON form of a verdict (docs/json.md). However large they are, each becomes some kilobytes at most.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from markupsafe import Markup

from ...course.showing.verdict_parts import entry_at, is_array, is_whole, kind_text, shape_text
from ..drawing.heat import LONGEST, heat, is_small, scale_of
from ..drawing.svg import element
from .texts import CHIPS, chip, chips, clipped, is_row, rows, scalar, texts, visible

NOT_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
ITEMS, FEW, DEPTH = 8, 4, 3  # shown of a dict or list, of one inside another; and how deep
READ = 16  # entries of an array inside a dict or list that are shown where not all is asked for

Array = Any


@dataclass(frozen=True)
class Showing:
    """How values are shown: digits of a number; `wide` also the arrays that are too large to be read, `brief` none."""

    digits: int = 4
    wide: bool = False
    brief: bool = False


def as_array(value: Any) -> Array:
    """The array that a JSON value stands for; of one that was cut its first whole rows. Objects where it is not numbers."""
    entries = [_finite(e) for e in value["values"]]
    shape = list(value["shape"])
    if not is_whole(value):
        row = math.prod(shape[1:])
        shape = [len(entries) // row, *shape[1:]] if 0 < row <= len(entries) else [len(entries)]
        entries = entries[: math.prod(shape)]
    numbers = all(type(e) in (bool, int, float) for e in entries)
    small = numbers and all(abs(e) < 2**63 for e in entries if type(e) is int)
    made = np.empty(len(entries), object)
    made[:] = entries
    return made.astype(_kind(entries, value["dtype"]) if small else object).reshape(shape)


def _finite(entry: Any) -> Any:
    """An entry of the JSON, in which NaN and the infinities are texts."""
    return NOT_FINITE.get(entry, entry) if isinstance(entry, str) else entry


def _kind(entries: list[Any], dtype: str) -> type:
    """The type that holds the entries, which a learner's dict may have given another name."""
    if all(type(e) is bool for e in entries) and dtype == "bool":
        return bool
    return np.int64 if all(type(e) is int for e in entries) and dtype[:1] in "iu" else np.float64


def wrong_entries(expected: Any, got: Any, index: list[int] | None, tolerance: list[float] | None) -> Array | None:
    """Where an array lies beyond the tolerance, as a mask over the entries shown; None where shapes or kinds differ."""
    if not (is_array(expected) and is_array(got)) or expected["shape"] != got["shape"] or index is None:
        return None
    right, wrong = as_array(expected), as_array(got)
    mask = np.zeros(wrong.shape, bool)
    if right.dtype != object and wrong.dtype != object and tolerance is not None and right.shape == wrong.shape:
        absolute, relative = tolerance
        with np.errstate(all="ignore"):
            e, g = right.astype(float), wrong.astype(float)
            near = np.abs(g - e) <= absolute + relative * np.abs(e)
            mask = np.asarray(~((g == e) | (np.isnan(g) & np.isnan(e)) | (near & np.isfinite(e) & np.isfinite(g))))
    if len(index) == mask.ndim and all(0 <= i < side for i, side in zip(index, mask.shape)):
        mask[tuple(index)] = True
    return mask


def side_by_side(c: dict[str, Any], how: Showing) -> tuple[Markup | None, Markup | None]:
    """What was expected and what came, the difference marked in what came; None for what is not there."""
    expected, got = c["expected"], c["got"]
    if isinstance(expected, (int, float)):
        got = _finite(got)
    if isinstance(expected, str) and isinstance(got, str) and got not in NOT_FINITE:
        return texts(expected, got)
    if is_row(expected) and is_row(got):
        return rows(expected, got)
    if is_array(expected) and is_array(got):
        return _ids(c) or _arrays(c, how)
    if isinstance(expected, dict) and isinstance(got, dict) and not is_array(expected) and not is_array(got):
        return _dict(expected, how, 0, set()), _dict(got, how, 0, set(expected) ^ set(got))
    wrong = c["verdict"] not in ("mutated-input", "wrong-dtype")
    right = value(expected, how) if expected is not None else None
    return right, (value(got, how, wrong=wrong) if got is not None else None)


def _ids(c: dict[str, Any]) -> tuple[Markup, Markup] | None:
    """Long rows of whole numbers, such as the ids of tokens: as chips, for a colour says little of an id."""
    both = [as_array(c[name]) for name in ("expected", "got")]
    if any(a.ndim != 1 or a.dtype.kind != "i" for a in both) or max(map(len, both)) <= LONGEST:
        return None
    sides = rows(both[0].tolist(), both[1].tolist())
    kinds = (element("small", kind_text(c[name]), class_="kind") for name in ("expected", "got"))
    right, wrong = (element("div", side, kind) for side, kind in zip(sides, kinds))
    return right, wrong


def _arrays(c: dict[str, Any], how: Showing) -> tuple[Markup, Markup]:
    expected, got = c["expected"], c["got"]
    mask = wrong_entries(expected, got, c["index"], c.get("tolerance"))
    both = [a for a in (as_array(expected), as_array(got)) if a.dtype != object and a.size]
    scale = scale_of(*both) if both else None
    shapes, kinds = c["verdict"] == "wrong-shape", c["verdict"] == "wrong-dtype"
    sides = []
    for array, marks in ((expected, None), (got, mask)):
        wrong = array is got
        big = _big(shape_text(array["shape"]), wrong) if shapes else (_big(array["dtype"], wrong) if kinds else None)
        sides.append(element("div", big, array_of(array, how, marks, scale, index=c["index"])))
    return sides[0], sides[1]


def _big(text: str, wrong: bool) -> Markup:
    said = element("span", "wrong: ", class_="said") if wrong else None
    return element("p", said, element("b", text), class_="big bad" if wrong else "big")


def value(found: Any, how: Showing, *, wrong: bool = False, depth: int = 0) -> Markup:
    """One value. wrong: it is marked as a whole."""
    if is_array(found):
        return array_of(found, replace(how, brief=how.brief or depth > 2), None, None)
    if isinstance(found, str):
        return element("span", f'"{clipped(found)}"', class_="text bad" if wrong else "text")
    if is_row(found):
        return chips([chip(item) for item in found[:CHIPS]], more=len(found) - CHIPS)
    if depth >= DEPTH and isinstance(found, (dict, list)):
        return element("span", f"{'a dict' if isinstance(found, dict) else 'a list'} of {len(found)}", class_="dim")
    if isinstance(found, dict) and set(found) == {"type"}:
        return element("span", f"<{clipped(str(found['type']))}>", class_="text bad" if wrong else "text")
    if isinstance(found, (dict, list)) and not found:
        return element("span", "{}" if isinstance(found, dict) else "[]", class_="number")
    if isinstance(found, dict):
        return _dict(found, how, depth, set())
    if isinstance(found, list):
        return _dict({f"[{i}]": item for i, item in enumerate(found[:ITEMS])}, how, depth, set(), len(found))
    text = scalar(found, how.digits)
    if not wrong:
        return element("span", text, class_="number")
    return element("span", element("span", "wrong: ", class_="said"), text, class_="number bad")


def array_of(
    array: dict[str, Any], how: Showing, mask: Array | None, scale: tuple[float, float] | None,
    index: list[int] | None = None, kind: bool = True,
) -> Markup:  # fmt: skip
    """An array with its shape and kind; where it is too large to be read, the wrong entry is written below it."""
    shape = array["shape"]
    below = element("small", kind_text(array), class_="kind") if kind else None
    shown = as_array(array)
    if not shape:
        entry = array["values"][0] if array["values"] else None
        wrong = mask is not None
        return element("div", value(_finite(entry), how, wrong=wrong), below)
    if not shown.size:
        return element("div", element("span", "empty", class_="dim"), below)
    if shown.dtype == object:
        words = ", ".join(scalar(_complex(e), how.digits) for e in shown.ravel()[:ITEMS].tolist())
        class_ = "text bad" if mask is not None and mask.any() else "text"
        return element("div", element("span", f"[{words}{', …' if shown.size > ITEMS else ''}]", class_=class_), below)
    cut = None if is_whole(array) else element("small", f"its first {len(shown)} of {shape[0]}", class_="kind")
    entry = entry_at(array, index)
    small = is_small(shown.shape, shown.dtype.kind in "bi") and is_whole(array) and not how.brief
    at = None
    if not small and index:
        words = scalar(_finite(entry), how.digits) if entry is not None else "…"
        at = element(
            "p",
            f"at [{', '.join(map(str, index))}]: ",
            element("b", words, class_="bad" if mask is not None else None),
            class_="at",
        )
    if how.brief or (not small and not how.wide and mask is None and scale is None):
        return element("div", at, below)  # given, and too large to be read: the whole case shows it
    drawn = heat(shown, mask, scale=scale, form=lambda entry: scalar(_plain(entry), how.digits))
    return element("div", drawn, at, below, cut)


def _plain(entry: Any) -> Any:
    return entry.item() if isinstance(entry, np.generic) else entry


def _complex(entry: Any) -> Any:
    return f"{entry['real']}+{entry['imag']}j" if isinstance(entry, dict) and set(entry) == {"real", "imag"} else entry


def with_shape(found: Any, how: Showing, depth: int = 0) -> tuple[Markup, ...]:
    """A value of several; of an array that can be read the shape alone, for (2, 1) and (2,) can look alike."""
    fits = (
        is_array(found)
        and is_small(found["shape"], found["dtype"][:1] in "biu")
        and (how.wide or not depth or len(found["values"]) <= READ)
    )
    if fits and is_whole(found) and depth <= 2 and not how.brief:
        return array_of(found, how, None, None, kind=False), element("small", shape_text(found["shape"]))
    if is_array(found) and depth and not fits:
        how = replace(how, brief=not how.wide)
    return (value(found, how, depth=depth),)


def _dict(found: dict[str, Any], how: Showing, depth: int, odd: set[str], count: int | None = None) -> Markup:
    """Names and values; `odd` are marked as names that only one of two dicts has."""
    shown = list(found.items())[: ITEMS if how.wide or not depth else FEW]
    rows_of = []
    for name, item in shown:
        word = element("span", visible(str(name)[:80]), class_="bad" if name in odd else None)
        rows_of += [element("dt", word), element("dd", *with_shape(item, how, depth + 1))]
    more = (len(found) if count is None else count) - len(shown)
    rest = element("p", f"and {more} more", class_="dim") if more > 0 else None
    return element("div", element("dl", *rows_of, class_="names"), rest)
