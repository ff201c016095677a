"""Single values, texts and rows of them as markup, and the place from which two of them differ."""

from __future__ import annotations

import math
import unicodedata
from typing import Any

from markupsafe import Markup

from ...course.showing.verdict_parts import number_text
from ..drawing.svg import element

CHIPS, LETTERS = 24, 300  # shown of a row, and of a text
SHORT = 20  # letters of a text that is compared as a whole
BEFORE = 10  # items, or times four letters, before the first difference
UNSEEN = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))  # kinds of characters that are written out


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
        shown = [chip(item, kind if i == at else "") for i, item in enumerate(row[start : start + CHIPS], start)]
        if at >= len(row):
            shown.append(element("b", "end", class_=f"chip {kind} end"))
        sides.append(chips(shown, start, len(row) - start - CHIPS))
    return sides[0], sides[1]


def first_difference(a: Any, b: Any) -> int:
    """The place from which two sequences differ; floats that nearly agree do not."""
    return next((i for i, (x, y) in enumerate(zip(a, b)) if x != y and not _close(x, y)), min(len(a), len(b)))


def _close(x: Any, y: Any) -> bool:
    return type(x) is float and type(y) is float and math.isclose(x, y, rel_tol=1e-9)


def is_row(found: Any) -> bool:
    """Whether a value is a list of texts, or of numbers."""
    return isinstance(found, list) and bool(found) and all(isinstance(item, (str, int, float)) for item in found)


def chip(item: Any, kind: str = "") -> Markup:
    """One item of a row; kind: good or bad."""
    text = visible(item[:60]) if isinstance(item, str) else scalar(item, 6)
    return element("b" if kind else "span", text, class_=f"chip {kind}".strip())


def chips(shown: list[Markup], before: int = 0, more: int = 0) -> Markup:
    """Items in a row, and how many there are before and behind."""
    first = element("span", f"{before} before", class_="dim") if before > 0 else None
    last = element("span", f"{more} more", class_="dim") if more > 0 else None
    return element("div", first, *shown, last, class_="chips")


def visible(text: str) -> str:
    """A text with what cannot be seen written as Python writes it: line ends, control and format characters."""
    return "".join(_escape(ch) if unicodedata.category(ch) in UNSEEN else ch for ch in text)


def _escape(character: str) -> str:
    return repr(character)[1:-1] if len(repr(character)) > 3 else f"\\x{ord(character):02x}"


def clipped(text: str) -> str:
    """The beginning of a text, everything in it visible."""
    return visible(text[:LETTERS]) + ("…" if len(text) > LETTERS else "")
