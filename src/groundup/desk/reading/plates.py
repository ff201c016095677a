"""A matplotlib SVG made fit to stand in a page: no styles, no scripts, no name that another figure on the page could have.

Only elements and attributes of the lists below come through, whatever drew the picture. Styles become presentation
attributes, since the page's policy blocks them; the font is left to the page; numbers keep two decimals.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from markupsafe import Markup, escape

from ...lab.plot import INK, PAPER

ELEMENT = re.compile(
    "svg|g|defs|path|use|text|tspan|image|clipPath|rect|circle|ellipse|line|polyline|polygon|pattern|linearGradient|"
    "radialGradient|stop"
)
LENGTH = re.compile("d|x|y|x1|y1|x2|y2|cx|cy|r|rx|ry|points|width|height|stroke-width|font-size")
ATTRIBUTE = re.compile(
    LENGTH.pattern
    + "|fx|fy|dx|dy|transform|preserveAspectRatio|offset|fill|fill-opacity|fill-rule|stroke|stroke-opacity|"
    "stroke-dasharray|stroke-dashoffset|stroke-linecap|stroke-linejoin|stroke-miterlimit|opacity|color|clip-path|clip-rule|"
    "stop-color|stop-opacity|font-weight|font-style|text-anchor|dominant-baseline|patternUnits|patternTransform|"
    "gradientUnits|gradientTransform"
)
VALUE = re.compile(r"[\w\s.,%()+-]{0,1000000}|url\(#[\w.-]+\)")
PAINT = re.compile(r"none|#[0-9a-fA-F]{3,8}|[a-zA-Z]+|rgb\([\d.,%\s]+\)|url\(#[\w.-]+\)")
PAINTED = ("fill", "stroke", "color", "stop-color")
NAME = re.compile(r"[\w.-]+")
TONE = re.compile(r"#(?!f{6})[0-9a-f]{6}")  # white stands on a colour, not on the paper
FONT_SIZE = re.compile(r"font-size: (\d{1,4}(?:\.\d{1,4})?)px")
REFERENCE = re.compile(r"url\(#([\w.-]+)\)")
PICTURE = re.compile(r"data:image/png;base64,[A-Za-z0-9+/=\s]*")
HREFS = ("href", "{http://www.w3.org/1999/xlink}href")
NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")
MIDDLE = "#767b83"  # the ink where no page gives one: legible on light and on dark
PIXELS = 4 / 3  # to a point


def plate(svg: str, prefix: str) -> str:
    """The picture as inline SVG in the page's ink, its ids after a prefix. ValueError if it is not SVG."""
    return _written(_parsed(svg), prefix, "", f'color="{MIDDLE}" font-family="sans-serif"')


def print_of(svg: str) -> str:
    """The picture on paper of its own, to be shown as an image, where it sees nothing of the page."""
    paper = f'<rect width="100%" height="100%" fill="{PAPER}"></rect>'
    return _written(_parsed(svg), "", paper, f'color="{INK}" font-family="sans-serif"')


def words(said: str) -> str:
    """A sentence where there is no picture."""
    return plate(f'<svg viewBox="0 0 300 30"><text y="20" fill="currentColor">{escape(said)}</text></svg>', "")


def labelled(svg: str, label: str) -> Markup:
    """A plate with the words that stand for it."""
    return Markup(svg.replace("<svg ", f'<svg role="img" aria-label="{escape(label)}" ', 1))


def _parsed(svg: str) -> Element:
    if "<!DOCTYPE" in svg or "<!ENTITY" in svg:
        raise ValueError("a picture declares no entities")
    try:
        root = ElementTree.fromstring(svg)
    except ElementTree.ParseError as problem:
        raise ValueError(f"the picture is not SVG: {problem}") from None
    if _name(root) != "svg":
        raise ValueError("the picture is not SVG")
    return root


def _written(root: Element, prefix: str, paper: str, attributes: str) -> str:
    used = {name for element in root.iter() for name in _references(element)}
    box = root.get("viewBox", "0 0 100 100")
    if not re.fullmatch(r"[-\d.e]+( [-\d.e]+){3}", box):
        raise ValueError("the picture has no box")
    width, height = (round(float(side) * PIXELS) for side in box.split()[2:])
    inside = "".join(_text(child, used, prefix) for child in root)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="plate" viewBox="{_short(box)}" width="{width}" height="{height}" '
        f'stroke-linejoin="round" stroke-linecap="butt" {attributes}>{paper}{inside}</svg>'
    )


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _references(element: Element) -> Iterator[str]:
    """Ids that an element names."""
    for key, value in element.attrib.items():
        if key in HREFS and value.startswith("#"):
            yield value[1:]
        yield from REFERENCE.findall(value)


def _text(element: Element, used: set[str], prefix: str) -> str:
    name = _name(element)
    if not ELEMENT.fullmatch(name) or name == "svg":
        return ""
    if name == "text":
        _join_digits(element)
    kept = list(_attributes(element, used, prefix))
    words = str(escape(element.text or "")) if name in ("text", "tspan") else ""
    inside = "".join(
        _text(child, used, prefix) + (str(escape(child.tail or "")) if name == "text" else "") for child in element
    )
    if name in ("g", "defs") and not kept and (name == "g" or not inside):
        return inside
    return f"<{' '.join([name, *kept])}>{words}{inside}</{name}>"


def _join_digits(text: Element) -> None:
    """Digits that matplotlib has placed one by one, in its own font's widths, as numbers in the page's font."""
    number, end = None, 0.0
    for span in list(text):
        size = FONT_SIZE.search(span.get("style", ""))
        if (
            size is None
            or not re.fullmatch(r"\d", span.text or "")
            or not re.fullmatch(r"-?[\d.]{1,12}", span.get("x", ""))
        ):
            number = None
            continue
        x = float(span.get("x", ""))
        if number is not None and abs(x - end) < 0.1 * float(size[1]) and number.get("style") == span.get("style"):
            number.text = (number.text or "") + (span.text or "")
            text.remove(span)
        else:
            number = span
        end = x + 0.636 * float(size[1])  # a digit of DejaVu Sans


def _attributes(element: Element, used: set[str], prefix: str) -> Iterator[str]:
    given = {key: value for key, value in element.attrib.items() if key != "style"}
    for declaration in element.get("style", "").split(";"):
        key, _, value = declaration.partition(":")
        given[key.strip()] = value.strip()
    if classes := " ".join(_classes(_name(element), given)):
        yield f'class="{classes}"'
    for key, value in given.items():
        if key == "id" and value in used and NAME.fullmatch(value):
            yield f'id="{prefix}{value}"'
        elif key in HREFS:
            if value.startswith("#") and NAME.fullmatch(value[1:]):
                yield f'href="#{prefix}{value[1:]}"'
            elif _name(element) == "image" and PICTURE.fullmatch(value):
                yield f'href="{"".join(value.split())}"'
        elif ATTRIBUTE.fullmatch(key) and (text := _value(key, value, prefix)):
            yield f'{key}="{text}"'


def _classes(name: str, given: dict[str, str]) -> Iterator[str]:
    """Classes by which the page sets the font, and brings a tone as near to its ink as words and lines need."""
    if "monospace" in given.get("font-family", ""):
        yield "mono"
    for key, kind in (("fill", "word"), ("stroke", "stroke")):
        if (kind == "stroke" or name in ("text", "tspan")) and TONE.fullmatch(given.get(key, "")):
            given["color"], given[key] = given[key], "currentColor"
            yield kind
            return


def _value(key: str, value: str, prefix: str) -> str:
    """A value as it is to stand; nothing where it would change nothing, or is none."""
    if not (PAINT if key in PAINTED else VALUE).fullmatch(value):
        return ""
    if key == "transform" and re.match(r"rotate\(-?0(\.0*)? ", value):
        return ""
    if "url(" in value:
        found = REFERENCE.fullmatch(value)
        return f"url(#{prefix}{found[1]})" if found else ""
    if LENGTH.fullmatch(key):
        value = _short(value).replace("px", "") if key in ("font-size", "stroke-width") else _short(value)
    return str(escape(" ".join(value.split())))


def _short(text: str) -> str:
    """The numbers in it to two decimals."""
    return NUMBER.sub(lambda m: f"{float(m[0]):.2f}".rstrip("0").rstrip(".") or "0", text)
