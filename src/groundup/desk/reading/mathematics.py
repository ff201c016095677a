"""Mathematics on a page: TeX as MathML, which reads without a script, in print, and aloud.

What cannot be converted stands in plain signs. Each formula keeps its TeX in `data-tex`, so that KaTeX may set it better.
"""

from __future__ import annotations

import re
from functools import lru_cache

from latex2mathml.converter import Converter
from markupsafe import Markup, escape

from ...course.lessons.page import plain_mathematics
from .mathml import Unfit, written

LONGEST = 2000  # characters of a formula that are converted; a longer one is no formula
NARROW = 20  # characters of TeX that fit into the narrowest page; more may have to scroll, for which the keyboard must reach it
# Commands that define others, which can grow without end, or that carry links, styles and names into the page.
REFUSED = re.compile(
    r"\\(?:\w*newcommand|\w*newenvironment|providecommand|[egx]?def|let|futurelet|DeclareMathOperator|href|url|html\w*|"
    r"includegraphics|style|class|cssId|unicode|rule)(?![A-Za-z])"
)
ENVIRONMENTS = {"aligned": "split", "alignedat": "split", "gathered": "matrix", "gather": "matrix", "gather*": "matrix"}


def mathematics(tex: str, display: bool = False) -> Markup:
    """A formula, in its line or on one of its own: <span class="math">, <div class="math display">."""
    inside = mathml(tex, display) or Markup(f"<code>{escape(in_plain_signs(tex))}</code>")
    if display:
        scrolls = ' tabindex="0"' if len(tex) > NARROW else ""
        return Markup(f'<div class="math display" data-tex="{escape(tex)}"{scrolls}>{inside}</div>')
    return Markup(f'<span class="math" data-tex="{escape(tex)}">{inside}</span>')


@lru_cache(maxsize=8192)
def mathml(tex: str, display: bool = False) -> Markup | None:
    """A formula as <math>; None where it cannot be converted."""
    if len(tex) > LONGEST or REFUSED.search(tex) or not _is_balanced(tex):
        return None
    try:
        root = Converter(display="block" if display else "inline").convert_to_element(_prepared(tex))
        return written(root)
    except Unfit:
        return None
    except Exception:  # the converter promises nothing about what it raises for TeX that is not
        return None


def in_plain_signs(tex: str) -> str:
    """A formula in the signs that one would type."""
    return plain_mathematics(tex) if len(tex) <= LONGEST else tex


def _is_balanced(tex: str) -> bool:
    """Whether each brace has its other half."""
    depth = 0
    for brace in re.findall(r"\\.|[{}]", tex, re.DOTALL):
        depth += (brace == "{") - (brace == "}")
        if depth < 0:
            return False
    return depth == 0


def _prepared(tex: str) -> str:
    """TeX in the words that the converter knows."""
    tex = re.sub(r"(\\operatorname\*?)\s*\{(\w+)(?:\\[,; ])(\w+)\}", "\\1{\\2\u2009\\3}", tex)  # arg min
    tex = re.sub(r"\\(begin|end)\{([a-z]+\*?)\}", lambda m: f"\\{m[1]}{{{ENVIRONMENTS.get(m[2], m[2])}}}", tex.strip())
    return re.sub(r"\\mathrm\s*(?:\{([A-Za-z])\}|([A-Za-z])(?![A-Za-z]))", r"\\mathrm{{\1\2}}", tex)  # else it slants
