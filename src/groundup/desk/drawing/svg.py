"""Elements of SVG and HTML as escaped text."""

from __future__ import annotations

import math
from typing import Any

from markupsafe import Markup, escape

Child = str | None  # Markup stands as it is; any other text is escaped


def element(name: str, *children: Child, **attributes: Any) -> Markup:
    """An element. `class_` becomes class, `stroke_width` stroke-width; True an attribute alone, None and False none.

    Numbers are rounded to two decimals. ValueError for a style attribute, which the page's policy would ignore.
    """
    parts = [name]
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        word = key.rstrip("_").replace("_", "-")
        if word == "style":
            raise ValueError("no style attribute: the content policy blocks it; use a class")
        parts.append(word if value is True else f'{word}="{escape(number(value))}"')
    inside = "".join(escape(child) for child in children if child is not None)
    return Markup(f"<{' '.join(parts)}>{inside}" + ("" if name in VOID else f"</{name}>"))


VOID = frozenset(("img", "br", "input", "hr"))


def picture(width: float, height: float, label: str, *children: Child, class_: str = "drawing") -> Markup:
    """A whole drawing: as wide as its place, `label` for who cannot see it."""
    return element(
        "svg", *children, viewBox=f"0 0 {number(width)} {number(height)}", width=width, height=height,
        role="img", aria_label=label, class_=class_,
    )  # fmt: skip


def number(value: Any) -> str:
    """A number with at most two decimals; anything else as it is. ValueError for a coordinate that is not finite."""
    if isinstance(value, (bool, str)) or not hasattr(value, "__float__"):
        return str(value)
    if not math.isfinite(value):
        raise ValueError(f"{value} is no coordinate")
    text = f"{float(value):.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
