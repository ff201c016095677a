"""Values of a verdict as markup: numbers, arrays, texts, lists, dicts; what differs between the right one and yours.

Values are in the JSON form of a verdict (docs/json.md). However large they are, each becomes some kilobytes at most.
"""

from __future__ import annotations

import math
import unicodedata
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from markupsafe import Markup

from ..course.verdict_parts import entry_at, is_array, is_whole, kind_text, number_text, shape_text
from .drawing.heat import heat, is_small, scale_of
from .drawing.svg import element

NOT_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
ITEMS, CHIPS, LETTERS, DEPTH = 8, 24, 300, 3  # shown of a dict, of a row of chips, of a text; and how deep
SHORT = 20  # letters of a text that is compared as a whole
UNSEEN = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))  # kinds of characters that are written out
BEFORE = 10  # chips or, times four, letters before the first difference

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
    if not (is_array(expected) and is_array(got)) or expected["shape"] != got["shape"] or not index:
        return None
    right, wrong = as_array(expected), as_array(got)
    mask = np.zeros(wrong.shape, bool)
    if right.dtype != object and wrong.dtype != object and tolerance is not None and right.shape == wrong.shape:
        absolute, relative = tolerance
        with np.errstate(all="ignore"):
            e, g = right.astype(float), wrong.astype(float)
            near = np.abs(g - e) <= absolute + relative * np.abs(e)
            mask = ~((g == e) | (np.isnan(g) & np.isnan(e)) | (near & np.isfinite(e) & np.isfinite(g)))
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
    if _is_row(expected) and _is_row(got):
        return rows(expected, got)
    if is_array(expected) and is_array(got):
        return _arrays(c, how)
    if isinstance(expected, dict) and isinstance(got, dict) and not is_array(expected) and not is_array(got):
        return _dict(expected, how, 0, set()), _dict(got, how, 0, set(expected) ^ set(got))
    wrong = c["verdict"] not in ("mutated-input", "wrong-dtype")
    right = value(expected, how) if expected is not None else None
    return right, (value(got, how, wrong=wrong) if got is not None else None)


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
        sides.append(element("div", big, array_of(array, how, marks, scale, index=c["index"] if wrong else None)))
    return sides[0], sides[1]


def _big(text: str, wrong: bool) -> Markup:
    said = element("span", "wrong: ", class_="said") if wrong else None
    return element("p", said, element("b", text), class_="big bad" if wrong else "big")


def value(found: Any, how: Showing, *, wrong: bool = False, depth: int = 0) -> Markup:
    """One value. wrong: it is marked as a whole."""
    if is_array(found):
        return array_of(found, replace(how, brief=how.brief or depth > 1), None, None)
    if isinstance(found, str):
        return element("span", f'"{clipped(found)}"', class_="text bad" if wrong else "text")
    if _is_row(found):
        return _chips([_chip(item) for item in found[:CHIPS]], more=len(found) - CHIPS)
    if depth >= DEPTH and isinstance(found, (dict, list)):
        return element("span", f"{'a dict' if isinstance(found, dict) else 'a list'} of {len(found)}", class_="dim")
    if isinstance(found, dict) and set(found) == {"type"}:
        return element("span", f"<{clipped(str(found['type']))}>", class_="text bad" if wrong else "text")
    if isinstance(found, (dict, list)) and not found:
        return element("span", "{}" if isinstance(found, dict) else "[]", class_="number")
    if isinstance(found, dict):
        return _dict(found, how, depth, set())
    if isinstance(found, list):
        return _dict({f"[{i}]": item for i, item in enumerate(found[: ITEMS + 1])}, how, depth, set(), len(found))
    text = scalar(found, how.digits)
    if not wrong:
        return element("span", text, class_="number")
    return element("span", element("span", "wrong: ", class_="said"), text, class_="number bad")


def scalar(found: Any, digits: int) -> str:
    """A number, a truth value or nothing, as Python writes it, with so many digits."""
    if isinstance(found, bool) or not isinstance(found, (int, float)):
        return str(found)[:LETTERS]
    text = number_text(found, digits)
    if isinstance(found, int):
        return text if len(text) <= 40 else f"{text[:20]}… ({len(text)} digits)"
    if found.is_integer() and abs(found) < 1e6:
        return f"{found:.1f}"
    return f"{text}.0" if text.lstrip("-").isdigit() else text


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
        wrong = mask is not None or index == []
        return element("div", value(_finite(entry), how, wrong=wrong), below)
    if not shown.size:
        return element("div", element("span", "empty", class_="dim"), below)
    if shown.dtype == object:
        words = ", ".join(scalar(_complex(e), how.digits) for e in shown.ravel()[:ITEMS].tolist())
        class_ = "text bad" if mask is not None and mask.any() else "text"
        return element("div", element("span", f"[{words}{', …' if shown.size > ITEMS else ''}]", class_=class_), below)
    cut = None if is_whole(array) else element("small", f"its first {len(shown)} of {shape[0]}", class_="kind")
    entry = entry_at(array, index)
    small = is_small(shown.shape) and is_whole(array) and not how.brief
    at = None
    if not small and index:
        words = scalar(_finite(entry), how.digits) if entry is not None else "…"
        at = element("p", f"at [{', '.join(map(str, index))}]: ", element("b", words, class_="bad"), class_="at")
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
    if is_array(found) and is_small(found["shape"]) and is_whole(found) and depth <= 1 and not how.brief:
        return array_of(found, how, None, None, kind=False), element("small", shape_text(found["shape"]))
    return (value(found, how, depth=depth),)


def _dict(found: dict[str, Any], how: Showing, depth: int, odd: set[str], count: int | None = None) -> Markup:
    """Names and values; `odd` are marked as names that only one of two dicts has."""
    rows_of = []
    for name, item in list(found.items())[:ITEMS]:
        word = element("span", visible(str(name)[:80]), class_="bad" if name in odd else None)
        rows_of += [element("dt", word), element("dd", *with_shape(item, how, depth + 1))]
    more = (len(found) if count is None else count) - ITEMS
    rest = element("p", f"and {more} more", class_="dim") if more > 0 else None
    return element("div", element("dl", *rows_of, class_="names"), rest)


# ------------------------------------------------------------------------------------------------ texts and rows


def texts(expected: str, got: str) -> tuple[Markup, Markup]:
    """Two texts, each from shortly before the first letter in which they differ, and that marked; short ones whole."""
    if max(len(expected), len(got)) <= SHORT:
        said = element("span", "wrong: ", class_="said")
        right = element("span", f'"{visible(expected)}"', class_="text")
        return right, element("span", said, f'"{visible(got)}"', class_="text bad")
    at = first_difference(expected, got)
    start = max(0, at - 4 * BEFORE)
    return _letters(expected, start, at, False), _letters(got, start, at, True)


def _letters(text: str, start: int, at: int, wrong: bool) -> Markup:
    before = ("…" if start else "") + visible(text[start:at])
    letter = visible(text[at : at + 1]) or "end"
    after = visible(text[at + 1 : at + LETTERS]) + ("…" if len(text) > at + LETTERS else "")
    kind = ("bad" if wrong else "good") + ("" if text[at : at + 1] else " end")
    return element("span", before, element("b", letter, class_=kind), after, class_="text")


def rows(expected: list[Any], got: list[Any]) -> tuple[Markup, Markup]:
    """Two rows of texts or numbers as chips, each from shortly before the first in which they differ."""
    at = first_difference(expected, got)
    start = max(0, at - BEFORE)
    sides = []
    for row, kind in ((expected, "good"), (got, "bad")):
        chips = [_chip(item, kind if i == at else "") for i, item in enumerate(row[start : start + CHIPS], start)]
        if at >= len(row):
            chips.append(element("b", "end", class_=f"chip {kind} end"))
        sides.append(_chips(chips, start, len(row) - start - CHIPS))
    return sides[0], sides[1]


def first_difference(a: Any, b: Any) -> int:
    """The place from which two sequences differ; floats that nearly agree do not."""
    return next((i for i, (x, y) in enumerate(zip(a, b)) if x != y and not _close(x, y)), min(len(a), len(b)))


def _close(x: Any, y: Any) -> bool:
    return type(x) is float and type(y) is float and math.isclose(x, y, rel_tol=1e-9)


def _is_row(found: Any) -> bool:
    """Whether a value is a list of texts, or of numbers."""
    return isinstance(found, list) and bool(found) and all(isinstance(item, (str, int, float)) for item in found)


def _chip(item: Any, kind: str = "") -> Markup:
    text = visible(item[:60]) if isinstance(item, str) else scalar(item, 6)
    return element("b" if kind else "span", text, class_=f"chip {kind}".strip())


def _chips(chips: list[Markup], before: int = 0, more: int = 0) -> Markup:
    first = element("span", f"{before} before", class_="dim") if before > 0 else None
    last = element("span", f"{more} more", class_="dim") if more > 0 else None
    return element("div", first, *chips, last, class_="chips")


def visible(text: str) -> str:
    """A text with what cannot be seen written as Python writes it: line ends, control and format characters."""
    return "".join(_escape(ch) if unicodedata.category(ch) in UNSEEN else ch for ch in text)


def _escape(character: str) -> str:
    return repr(character)[1:-1] if len(repr(character)) > 3 else f"\\x{ord(character):02x}"


def clipped(text: str) -> str:
    """The beginning of a text, everything in it visible."""
    return visible(text[:LETTERS]) + ("…" if len(text) > LETTERS else "")
