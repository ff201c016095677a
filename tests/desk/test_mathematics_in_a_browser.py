"""KaTeX sets every formula of every lesson under the desk's policy, and is not fetched where there is none."""

from html import escape
from pathlib import Path

import pytest
from latex2mathml.converter import convert
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin

from groundup.course.lessons.lesson import lessons_root
from groundup.desk.assets import asset

from .browser import accessible, fits
from .static_site import StaticSite

pytestmark = pytest.mark.thorough  # a browser takes its time: `make peers` runs these

SCRIPT = f'import {{ setMathematics }} from "{asset("mathematics.js")}"; window.setMathematics = setMathematics;'


def formulas():
    """(whether displayed, TeX) of every formula in every lesson, each once."""
    markdown = MarkdownIt().use(dollarmath_plugin, double_inline=True)
    found = {}
    for path in sorted(Path(lessons_root()).rglob("lesson.md")):
        for token in markdown.parse(path.read_text(encoding="utf-8").split("---\n", 2)[-1]):
            for each in [token, *(token.children or [])]:
                if each.type.startswith("math_"):
                    found[each.type != "math_inline", each.content] = None
    return list(found)


def marked_up(display, tex, mathml=None):
    tag, kind = ("div", "math display") if display else ("span", "math")
    shown = convert(tex, display="block" if display else "inline") if mathml is None else mathml
    return f'<{tag} class="{kind}" data-tex="{escape(tex)}">{shown}</{tag}>'


@pytest.fixture(scope="module")
def site():
    made = StaticSite()
    yield made
    made.close()


@pytest.fixture
def asked(context):
    """The addresses that the browser has asked for."""
    addresses = []
    context.on("request", lambda request: addresses.append(request.url))
    return addresses


def settled(page):
    page.wait_for_function("() => window.setMathematics && !document.querySelector('.math:not([data-set])')")


def test_every_formula_of_every_lesson_is_set(site, page):
    found = formulas()
    assert len(found) > 500
    site.show(page, "<br>".join(marked_up(*each, mathml="") for each in found), SCRIPT)
    settled(page)
    unset = page.evaluate(
        "[...document.querySelectorAll('.math')].filter(e => !e.querySelector('.katex-html')).map(e => e.dataset.tex)"
    )
    assert unset == []
    assert page.evaluate("document.querySelectorAll('.math .katex-mathml math').length") == len(found)


def test_the_arrow_of_a_vector_is_as_wide_as_katex_asks(site, page):
    """KaTeX gives its width in a style attribute, which the policy would refuse."""
    site.show(page, marked_up(False, r"\vec{x}"), SCRIPT)
    settled(page)
    assert page.evaluate("document.querySelector('.math svg').style.width").endswith("em")


def test_katex_is_not_fetched_without_mathematics(site, page, asked):
    site.show(page, "<p>none</p>", SCRIPT)
    page.wait_for_function("() => !!window.setMathematics")
    page.evaluate("setMathematics()")
    assert not [address for address in asked if "katex" in address]


def test_its_letters_are_its_own_fonts(site, page, asked):
    site.show(page, marked_up(True, r"\sum_i \mathcal{L}(x_i)"), SCRIPT)
    settled(page)
    page.evaluate("document.fonts.ready")
    assert page.evaluate("getComputedStyle(document.querySelector('.mathnormal')).fontFamily") == "KaTeX_Math"
    assert any("KaTeX_Math-Italic" in address for address in asked)


def test_what_katex_cannot_read_stays_as_mathml(site, page):
    site.show(page, marked_up(False, r"\notacommand{x}", "<math><mi>x</mi></math>") + marked_up(False, "y"), SCRIPT)
    settled(page)
    assert page.locator(".math").nth(0).inner_html() == "<math><mi>x</mi></math>"
    assert page.locator(".math").nth(1).locator(".katex").count() == 1


def test_tex_is_text_and_never_markup(site, page):
    hostile = [
        r"\text{<img src=x onerror=alert(1)>}",
        r"\href{javascript:alert(1)}{x}",
        r"\htmlStyle{color:red}{x}",
        r"\includegraphics{http://example.org/x.png}",
    ]
    site.show(page, "".join(marked_up(False, tex, "<math><mi>x</mi></math>") for tex in hostile), SCRIPT)
    settled(page)
    assert page.locator("main img, main a, main [style*=red]").count() == 0


def test_a_fragment_that_htmx_brings_is_set_too(site, page):
    site.fragment = marked_up(False, "x^2")
    script = f'<script src="{asset("vendor/htmx.js")}" defer></script>'
    site.show(
        page, '<button hx-get="/fragment" hx-target="#place">fetch</button><div id="place"></div>', SCRIPT, script
    )
    page.wait_for_function("() => !!window.setMathematics && !!window.htmx")
    page.click("button")
    page.wait_for_selector("#place .katex")


def test_a_wide_formula_scrolls_by_itself_and_by_keyboard(site, page):
    site.show(page, marked_up(True, " + ".join(f"x_{{{n}}}" for n in range(60))), SCRIPT)
    page.set_viewport_size({"width": 320, "height": 640})
    page.reload()
    settled(page)
    fits(page)
    assert page.evaluate("document.querySelector('.math').tabIndex") == 0
    accessible(page)
