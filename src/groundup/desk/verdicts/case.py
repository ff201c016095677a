"""The smallest failing case: given, expected, yours side by side; and all of it, for who opens it."""

from __future__ import annotations

from typing import Any

import numpy as np
from markupsafe import Markup

from ...course.lessons.lesson import Lesson
from ...course.showing.terminal import printable
from ...course.showing.verdict_parts import beginning, digits_to_tell, is_array
from ..drawing.svg import element
from ..reading.highlight import highlighted
from . import autograd
from .reproduce import snippet
from .texts import clipped, visible
from .values import Showing, as_array, side_by_side, value, with_shape, wrong_entries

LINES, WIDE_LINES, LETTERS = 14, 200, 4000  # of a case written out, in the trio and in the whole case
ARGUMENTS, ALL_ARGUMENTS = 6, 24


def trio(c: dict[str, Any], brief: bool = False) -> Markup:
    """Given, expected, yours: columns side by side, as many as there are. brief: of arrays the shape and no more."""
    how = Showing(digits_to_tell(c, (4, 6, 10)), brief=brief)
    columns = [_column("given", _given(c, how, LINES, ARGUMENTS))]
    if c["verdict"] != "mutated-input":  # there the answer may be right
        part = part_name(c)
        expected, got = side_by_side(c, how)
        pair = [_column("expected", expected, part)] if expected is not None else []
        got = _unanswered(c) if got is None and c["fault"] else got  # without a fault's name, `says` says it
        pair += [_column("yours", got, part if expected is None else "")] if got is not None else []
        columns += [element("div", *pair, class_="pair")] if pair else []  # what is to be compared stays together
    return element("div", *columns, class_="trio")


UNANSWERED = {"timeout": "no answer in time", "memory": "out of memory", "crashed": "the process ended"}


def _unanswered(c: dict[str, Any]) -> Markup | None:
    """What there is in place of an answer: the exception, or that none came."""
    said = str(c.get("raised") or UNANSWERED.get(c["verdict"], ""))
    if not said:
        return None
    return element("span", element("span", "wrong: ", class_="said"), clipped(said), class_="text bad")


def _column(title: str, shown: Markup, part: str = "") -> Markup:
    named = element("span", f" {visible(part)}", class_="part") if part else None
    return element("div", element("small", title, named, class_="heading"), shown)


def part_name(c: dict[str, Any]) -> str:
    """What of the answer differs, short: `∂y/∂a`, or `coef`, or `each[1]`; "" for the whole of it."""
    if name := autograd.part_name(c):
        return name
    path = str(c.get("path") or "")[:80]
    inside = path.replace("']['", ".").replace("['", ".").replace("']", "")
    return inside.lstrip(".")


def _given(c: dict[str, Any], how: Showing, lines: int, most: int) -> Markup:
    """The case as its author writes it, or its arguments by name."""
    if c["shown"]:
        text = "\n".join(line[:400] for line in beginning(str(c["shown"])[:LETTERS], lines).splitlines())
        return element("pre", printable(text), class_="shown")
    if not isinstance(c["case"], dict):
        return value(c["case"], how)
    rows = [_argument(name, argument, how) for name, argument in list(c["case"].items())[:most]]
    more = len(c["case"]) - most
    return element("div", *rows, element("p", f"and {more} more", class_="dim") if more > 0 else None)


def _argument(name: str, argument: Any, how: Showing) -> Markup:
    """A name and its value."""
    named = element("code", f"{visible(name[:80])} =")
    return element("div", named, *with_shape(argument, how, 0 if is_array(argument) else 1), class_="argument")


# --------------------------------------------------------------------------------------------------- all of it


def whole_case(lesson: Lesson, c: dict[str, Any]) -> Markup | None:
    """The traceback, every array as large as it came, the difference in numbers, and lines that do it again."""
    parts = [_trace(c), _arrays(c), _difference(c), _lines(lesson, c)]
    shown = [part for part in parts if part is not None]
    return element("div", *shown, class_="opened") if shown else None


def _trace(c: dict[str, Any]) -> Markup | None:
    """The learner's lines that an exception came through, innermost last."""
    rows = []
    for frame in c.get("trace") or []:
        file, line, function = str(frame[0]), int(frame[1]), str(frame[2])
        text = f"{visible(file)}, line {line}"
        button = element("button", text, type="button", class_="where", data_line=line, data_file=file)
        rows.append(element("li", button, f" in {visible(function)}"))
    if len(rows) < 2:  # one line has been said already
        return None
    return _section("The way to the exception, innermost last", element("ol", *rows, class_="trace"))


def _arrays(c: dict[str, Any]) -> Markup | None:
    """The arguments in full, then what was expected and what came."""
    if c["case"] is None:
        return None
    how = Showing(digits_to_tell(c), wide=True)
    arguments = dict(c, shown=None) if isinstance(c["case"], dict) and c["case"] else c
    parts = [_section("Given", _given(arguments, how, WIDE_LINES, ALL_ARGUMENTS))]
    expected, got = side_by_side(c, how)
    more = [v for v in (c["expected"], c["got"]) if isinstance(v, (dict, list))]  # a number has been shown in full
    if more and c["verdict"] != "mutated-input":
        parts += [_section("Expected", expected)] if expected is not None else []
        parts += [_section("Yours", got)] if got is not None else []
    return element("div", *parts)


def _difference(c: dict[str, Any]) -> Markup | None:
    """How many entries are wrong, by how much at most, and how much would count."""
    mask = wrong_entries(c["expected"], c["got"], c["index"], c.get("tolerance"))
    if mask is None or mask.size < 2 or c.get("tolerance") is None:
        return _tolerance(c)
    right, wrong = as_array(c["expected"]), as_array(c["got"])
    if right.dtype == object or wrong.dtype == object:
        return None
    with np.errstate(all="ignore"):
        gap = np.abs(wrong.astype(float) - right.astype(float))
    words = f"{int(mask.sum())} of {mask.size} entries are wrong"
    finite = mask & np.isfinite(gap)
    if finite.any():
        at = np.unravel_index(int(np.argmax(np.where(finite, gap, -1))), gap.shape)
        words += f", by {gap[at]:.3g} at most, at [{', '.join(str(int(i)) for i in at)}]"
    return element("p", f"{words}. {_allowed(c['tolerance'])}", class_="dim")


def _tolerance(c: dict[str, Any]) -> Markup | None:
    if c.get("tolerance") is None or not isinstance(c["expected"], float):
        return None
    return element("p", _allowed(c["tolerance"]), class_="dim")


def _allowed(tolerance: list[float]) -> str:
    absolute, relative = tolerance
    return f"What counts as right: within {absolute:g} + {relative:g} · |expected|."


def _lines(lesson: Lesson, c: dict[str, Any]) -> Markup | None:
    """The case as Python, to be run beside `mine`."""
    text = snippet(lesson, c)
    if text is None:
        return None
    code = element("pre", element("code", highlighted(text)), tabindex="0")
    button = element("button", "Copy", type="button", class_="button quiet", data_copy=True)
    return _section("To run in the folder of your workspace", element("div", code, button, class_="snippet"))


def _section(title: str, *children: Markup) -> Markup:
    return element("section", element("h4", title), *children)
