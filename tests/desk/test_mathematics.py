"""TeX becomes MathML that says the same, whatever the TeX is, and nothing else."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin

from groundup.course.lessons.lesson import find_all
from groundup.desk.reading.mathematics import LONGEST, mathematics, mathml

from .inert import MATHML, read


def formulas():
    """Every formula of every lesson, once, with whether it is displayed."""
    markdown = MarkdownIt("commonmark").enable("table").use(dollarmath_plugin)
    found = {}
    for lesson in find_all():
        for token in markdown.parse(lesson.prose):
            for each in [token, *(token.children or [])]:
                if each.type.startswith("math_"):
                    found[each.content.strip(), each.type == "math_block"] = lesson.section_id
    return found


def words(html):
    return re.sub(r"<[^>]*>", "", str(html)).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def test_every_formula_of_the_lessons_converts():
    found = formulas()
    failed = [(section, tex) for (tex, display), section in found.items() if mathml(tex, display) is None]
    assert len(found) > 1000 and not failed


def test_no_command_is_left_in_what_the_lessons_show():
    for tex, display in formulas():
        shown = mathml(tex, display)
        assert "\\" not in words(shown), tex
        assert {tag for tag, _ in read(shown).elements} <= set(MATHML.split(" ")), tex


def test_a_formula_keeps_its_tex():
    inline, display = mathematics("a < b"), mathematics('x "y"', display=True)
    assert inline.startswith('<span class="math" data-tex="a &lt; b"><math')
    assert (
        display.startswith('<div class="math display" data-tex="x &#34;y&#34;"><math') and 'display="block"' in display
    )


@pytest.mark.parametrize(
    ("tex", "shown"),
    [
        (r"\log a", '<mi>log</mi><mspace width="0.167em"></mspace><mi>a</mi>'),
        (r"\log(a)", '<mi>log</mi><mo stretchy="false">(</mo>'),
        (r"n \log n", '<mi>n</mi><mspace width="0.167em"></mspace><mi>log</mi>'),
        (r"10{,}000", "<mn>10,000</mn>"),
        (r"\mathrm{relu}(x)", "<mi>relu</mi>"),
        (r"\mathrm{E} x", '<mi mathvariant="normal">E</mi>'),
        (r"\mathrm{E} x \mathrm{Var}", "<mi>Var</mi>"),
        (r"\Sigma", '<mi mathvariant="normal">Σ</mi>'),
        (r"\mathsf{E}", "<mi>𝖤</mi>"),
        (r"\boldsymbol{\beta}", "<mi>𝜷</mi>"),
        (r"\bm{x}", "<mi>𝒙</mi>"),
        (r"f'", "<mi>f</mi><mo"),
        (r"a = -1", '<mo form="prefix" lspace="0" rspace="0">−</mo>'),
        (r"a - 1", "<mi>a</mi><mo>−</mo>"),
        (r"(-1)", '<mo form="prefix"'),
        (r"x \pm y", "<mo>±</mo>"),
        (r"\partial y", "<mi>∂</mi>"),
        (r"A^\top", '<mi mathvariant="normal">⊤</mi>'),
    ],
)
def test_spacing_and_letters_are_those_of_tex(tex, shown):
    normal = re.sub(r'lspace="0" rspace="0" form="prefix"', 'form="prefix" lspace="0" rspace="0"', mathml(tex))
    assert shown in normal


def test_what_may_have_to_scroll_is_reached_by_the_keyboard():
    assert "tabindex" not in mathematics("a = b", True) and 'tabindex="0"' in mathematics(
        "a + b + c + d + e + f = g + h", True
    )


def test_limits_stand_below_in_a_display():
    assert re.search(r'<munder><mo [^>]*movablelimits="true"[^>]*>max</mo>', mathml(r"\max_i x_i", True))
    assert "<munder>" in mathml(r"\operatorname*{arg\,min}_w L", True)


def test_operators_are_tight_in_scripts_and_in_fractions_of_a_line():
    assert '<mo lspace="0" rspace="0">−</mo>' in mathml("x_{t-1}")
    assert '<mo lspace="0" rspace="0">+</mo>' in mathml(r"\frac{a+b}{2}")
    assert "<mo>+</mo>" in mathml(r"\frac{a+b}{2}", True)


def test_aligned_equations_are_a_table_with_sides():
    shown = mathml(r"\begin{aligned} a &= b \\ c + d &= e \end{aligned}", True)
    assert shown.count("<mtr>") == 2 and '<mtd class="right">' in shown and '<mtd class="left">' in shown


@pytest.mark.parametrize(
    "tex",
    [
        r"\frac{1",
        r"}",
        r"\begin{aligned}",
        r"\notacommand{x}",
        r"a & b",
        r"\begin{foo}1&2\end{foo}",
        r"\href{javascript:alert(1)}{x}",
        r"\class{kw}{x}",
        r"\cssId{token}{x}",
        r"\style{position:fixed}{x}",
        r"\htmlData{hx-get=/}{x}",
        r"\unicode{3c}script\unicode{3e}",
        r"\rule{100em}{100em}",
        r"\def\a{\b\b}\def\b{\c\c}\a",
        r"\newcommand{\a}{\a\a}\a",
        r"\let\x\y",
        "{" * 5000,
        r"\sqrt" * 3000 + "x",
        "x" * (LONGEST + 1),
    ],
    ids=lambda tex: tex[:30],
)
def test_what_cannot_be_converted_stands_in_plain_signs(tex):
    shown = mathematics(tex)
    found = read(shown)
    assert [tag for tag, _ in found.elements] == ["span", "code"] and found.elements[0][1]["data-tex"] == tex


@pytest.mark.parametrize(
    "tex",
    [
        r"\text{<script>alert(1)</script>}",
        r"\text{&lt;img src=x onerror=alert(1)&gt;}",
        r"\text{&#x3c;script&#x3e;}",
        r"\mathrm{</math><script>}",
        r"\operatorname{<svg/onload=alert(1)>}",
        r"<script>x</script>",
        r"\color{red}{x}\colorbox{url(http://evil)}{y}",
        r'\text{" onmouseover="alert(1)}',
        r"\hspace{1em}\kern100000em\mspace{-999em} x",
        r"\begin{matrix}</mtd><img src=x>&2\end{matrix}",
    ],
)
def test_hostile_tex_is_inert(tex):
    found = read(mathematics(tex, True))
    assert {tag for tag, _ in found.elements} <= {"div", "code", *MATHML.split(" ")}


COMMANDS = r"""
\frac \sqrt \text \mathrm \left \right \begin{matrix} \end{matrix} \sum \hat \bar \underbrace \operatorname \big \limits \mathbf \color
\href \not \substack \overset \binom \middle \hline \displaystyle &#x3c; <b> onload="""
PIECES = st.sampled_from([*r"{}^_&$#~'<>\"", *"abx12+-=()[]|,./ ", "\\\\", *COMMANDS.split()])


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=30).map("".join), st.booleans())
def test_any_tex_is_inert(tex, display):
    found = read(mathematics(tex, display))
    assert {tag for tag, _ in found.elements} <= {"div", "span", "code", *MATHML.split(" ")}
    assert found.elements[0][1]["data-tex"] == tex
