"""MathML, mended and written out: what latex2mathml makes, with TeX's spacing, and nothing in it that a page must not have.

Browsers implement MathML Core, which drops what the converter leans on (columnalign, most of mathvariant) and takes the
spacing of operators from a dictionary that knows nothing of functions, of signs after a relation, or of bars. TeX's rules
for the same are in The TeXbook, chapters 17 and 18. https://www.w3.org/TR/mathml-core/
"""

from __future__ import annotations

import re
import unicodedata
from xml.etree.ElementTree import Element

from markupsafe import Markup, escape

ELEMENT = re.compile(
    "math|mrow|mi|mo|mn|mtext|mspace|mfrac|msqrt|mroot|msub|msup|msubsup|munder|mover|munderover|mtable|mtr|mtd|mstyle|"
    "mpadded|mphantom"
)
ATTRIBUTE = re.compile(
    "display|displaystyle|scriptlevel|stretchy|fence|form|movablelimits|largeop|accent|accentunder|lspace|rspace|width|"
    "height|depth|voffset|minsize|maxsize|linethickness|mathvariant"
)
VALUE = re.compile(r"[\w.+%-]{1,24}")
SCRIPTS = frozenset(("msub", "msup", "msubsup", "munder", "mover", "munderover"))
LIMITS = {"msub": "munder", "msup": "mover", "msubsup": "munderover"}
LIMIT_NAMES = frozenset(("max", "min", "sup", "inf", "lim"))
ORDINARY = "…⋯⋮⊤∞∂∇"  # operators to a browser, letters to TeX
BARS, CLOSERS, PRIMES = "|‖", ")]}!⟩⌋⌉|‖′", "′″‴⁗"
TIGHT = {"lspace": "0", "rspace": "0"}


class Unfit(ValueError):
    """A tree that does not say what its TeX said."""


def written(root: Element) -> Markup:
    """The tree as text. Unfit if something in it was not understood."""
    for element in root.iter():
        element.text = re.sub(r"&#x([0-9A-Fa-f]{1,5});", lambda m: chr(int(m[1], 16)), element.text or "")
        if not ELEMENT.fullmatch(element.tag) or (element.tag != "mtext" and re.search(r"\\[A-Za-z]|&", element.text)):
            raise Unfit(element.text)
    _mend(root)
    _tighten(root, in_line=root.get("display") != "block", script=False)
    return Markup(_text(root))


def _text(element: Element) -> str:
    attributes = element.attrib
    kept = [f'{k}="{escape(v)}"' for k, v in attributes.items() if ATTRIBUTE.fullmatch(k) and VALUE.fullmatch(v)]
    if attributes.get("columnalign") in ("left", "right"):
        kept.append(f'class="{attributes["columnalign"]}"')
    elif attributes.get("columnspacing", "").startswith("0em"):
        kept.append('class="aligned"')
    inside = escape("".join(c for c in element.text or "" if unicodedata.category(c)[0] != "C"))
    return f"<{' '.join([element.tag, *kept])}>{inside}{''.join(map(_text, element))}</{element.tag}>"


def _mend(element: Element) -> None:
    """The rules below, to every element, the innermost first."""
    for child in element:
        _mend(child)
    if element.tag in ("mi", "mn"):
        _letters(element)
    elif element.tag == "mo":
        _operator(element)
    elif element.tag in SCRIPTS:
        _scripts(element)
    elif len(element) > 1:
        _space_functions(element)
        _signs(element)
        _join(element)


def _letters(element: Element) -> None:
    """Letters of another alphabet as the characters that Unicode has for them, since browsers ignore the attribute."""
    text, variant = element.text or "", element.attrib.pop("mathvariant", "")
    if text in ("±", "¬"):
        element.tag = "mo"
    elif text == "⋿":  # what the converter makes of \mathsf{E}
        element.text = "𝖤"
    elif variant not in ("", "normal"):
        element.text = "".join(_variant(c, variant) for c in text)
    elif len(text) == 1 and (variant or "Α" <= text <= "Ω"):  # Greek capitals stand upright
        element.set("mathvariant", "normal")


def _variant(letter: str, variant: str) -> str:
    name = re.sub(r"LATIN |GREEK |LETTER ", "", unicodedata.name(letter, ""))
    word = variant.upper().replace("DOUBLE-STRUCK", "DOUBLE_STRUCK").replace("SANS-SERIF", "SANS_SERIF")
    word = word.replace("-", " ").replace("_", "-")
    if name.startswith("DIGIT"):
        word = word.replace(" ITALIC", "")
    for candidate in (f"MATHEMATICAL {word} {name}", f"{word} {name}"):
        try:
            return unicodedata.lookup(candidate)
        except KeyError:
            continue
    return letter


def _operator(element: Element) -> None:
    text = element.text or ""
    element.attrib.pop("mathvariant", None)
    if text and text in ORDINARY:
        element.tag, element.attrib = "mi", {} if text == "∂" else {"mathvariant": "normal"}
    elif text and text in "/.":
        element.attrib.update(TIGHT)
    elif text and all(bar in BARS for bar in text):
        element.attrib.update(TIGHT)
        element.attrib.setdefault("stretchy", "true" if element.get("minsize") else "false")
    elif _named(element):
        if len(text) == 1:
            element.tag, element.attrib = "mi", {"mathvariant": "normal"}
        else:
            element.attrib.update(TIGHT)


def _named(element: Element) -> bool:
    """Whether an operator has letters in it: arg max."""
    return any(c.isalpha() and c.isascii() for c in element.text or "")


def _scripts(element: Element) -> None:
    base, script = element[0], element[-1]
    if element.tag in LIMITS and base.tag == "mo" and (base.text in LIMIT_NAMES or base.get("movablelimits")):
        element.tag = LIMITS[element.tag]
        base.set("movablelimits", "true")
    if element.tag == "msup" and script.tag == "mi" and script.text and all(c in PRIMES for c in script.text):
        element.tag, script.tag = "mrow", "mo"  # a prime is raised by itself
        script.attrib.update(TIGHT)
    elif script.tag == "mo" and script.text == "¯":
        element.set("accent", "true")
        script.text, script.attrib = "‾", {"stretchy": "false"}


def _space_functions(row: Element) -> None:
    """A thin space between a function's name and what it is applied to, or what stands before it."""
    for i in reversed(range(len(row))):
        if not _is_function(row[i]):
            continue
        if i + 1 < len(row) and _is_argument(row[i + 1]):
            row.insert(i + 1, _thin())
        before = row[i - 1] if i else None
        if before is not None and _is_factor(before):
            row.insert(i, _thin())


def _thin() -> Element:
    return Element("mspace", width="0.167em")


def _core(element: Element) -> Element:
    """The letter or sign below its scripts."""
    while element.tag in SCRIPTS and len(element):
        element = element[0]
    return element


def _is_operator(element: Element) -> bool:
    core = _core(element)
    return core.tag == "mo" and not _named(core)


def _is_function(element: Element) -> bool:
    core = _core(element)
    return _named(core) and (core.tag == "mo" or (core.tag == "mi" and len(core.text or "") > 1))


def _is_factor(element: Element) -> bool:
    """What a function may follow without a sign between them."""
    if element.tag in ("mspace", "mtext"):
        return False
    return not _is_operator(element) or (_core(element).text or " ") in CLOSERS


def _is_argument(element: Element) -> bool:
    """What a function is applied to without brackets."""
    if _is_operator(element):
        return (_core(element).text or " ") in BARS
    while element.tag in ("mrow", *SCRIPTS) and len(element):
        element = element[0]
    return element.tag != "mspace" and element.get("form") != "prefix"  # which \left( has


def _signs(row: Element) -> None:
    """A minus after a relation, an opening bracket or a comma belongs to what follows."""
    for before, element in zip(list(row), list(row)[1:]):
        begins = before.tag == "mspace" or (_is_operator(before) and (_core(before).text or " ") not in CLOSERS)
        if begins and element.tag == "mo" and element.text in ("−", "+", "±", "∓"):
            element.attrib.update(TIGHT, form="prefix")


def _join(row: Element) -> None:
    """Upright letters in a row as one word, and 10{,}000 as one number."""
    i = 0
    while i + 1 < len(row):
        a, b = row[i], row[i + 1]
        if _upright(a) and _upright(b):
            a.text = (a.text or "") + (b.text or "")
            row.remove(b)
        elif (
            b.tag == "mrow" and len(b) == 1 and b[0].text == "," and [e.tag for e in row[i : i + 3 : 2]] == ["mn", "mn"]
        ):
            a.text = f"{a.text},{row[i + 2].text}"
            row[i + 1 : i + 3] = []
        else:
            if len(a.text or "") > 1:
                a.attrib.pop("mathvariant", None)  # a word is upright by itself
            i += 1
    if len(row[-1].text or "") > 1:
        row[-1].attrib.pop("mathvariant", None)


def _upright(element: Element) -> bool:
    return element.get("mathvariant") == "normal" and (element.text or " ").isalpha()


def _tighten(element: Element, in_line: bool, script: bool) -> None:
    """No space around operators in scripts, nor in fractions of a line of text."""
    if script and element.tag == "mo":
        element.attrib.update(TIGHT)
    if style := element.get("displaystyle"):
        in_line = style == "false"
    elif element.tag == "mtable":
        in_line = True
    for i, child in enumerate(element):
        small = script or (element.tag == "mfrac" and in_line) or (element.tag in SCRIPTS and i > 0)
        _tighten(child, in_line or element.tag == "mfrac" or small, small)
