"""What is vendored works in a browser under the desk's policy: fonts, htmx, uPlot. KaTeX and CodeMirror have tests of their own."""

import pytest

from groundup.desk.assets import asset

from .static_site import StaticSite

pytestmark = pytest.mark.thorough  # a browser takes its time: `make peers` runs these

SIGNS = "ABCxyz019 éöüß αβγδεθλμπσφωΔΣΩ −×·±≤≥≠≈∞∂√ ←→↑↓ “”’–—…"
FACES = [
    ("Groundup Serif", "normal", 400), ("Groundup Serif", "italic", 400), ("Groundup Serif", "normal", 600),
    ("Inter", "normal", 400), ("Inter", "normal", 500), ("Inter", "normal", 600),
    ("JetBrains Mono", "normal", 400), ("JetBrains Mono", "italic", 400), ("JetBrains Mono", "normal", 600),
]  # fmt: skip


@pytest.fixture(scope="module")
def site():
    made = StaticSite()
    yield made
    made.close()


def test_every_face_is_shown_in_our_own_font_down_to_the_last_sign(site, page):
    site.show(
        page,
        "",
        """window.write = async (text, faces) => {
             for (const [family, style, weight] of faces) {
               const p = Object.assign(document.createElement("p"), {textContent: text});
               Object.assign(p.style, {fontFamily: `"${family}"`, fontStyle: style, fontWeight: weight});
               document.querySelector("main").append(p);
               await document.fonts.load(`${style} ${weight} 16px "${family}"`, text);
             }
             await document.fonts.ready;
             return document.fonts.size;
           };""",
    )
    page.wait_for_function("() => !!window.write")
    assert page.evaluate("([text, faces]) => write(text, faces)", [SIGNS, FACES]) == len(FACES)
    devtools = page.context.new_cdp_session(page)
    devtools.send("DOM.enable")
    devtools.send("CSS.enable")
    root = devtools.send("DOM.getDocument")["root"]["nodeId"]
    nodes = devtools.send("DOM.querySelectorAll", {"nodeId": root, "selector": "p"})["nodeIds"]
    for face, node in zip(FACES, nodes, strict=True):
        fonts = devtools.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"]
        assert fonts and all(font["isCustomFont"] and font["familyName"].startswith(face[0]) for font in fonts), (
            face,
            fonts,
        )


def test_code_is_shown_as_it_is_typed(site, page):
    """No ligature draws two characters as one: together they look as they do one by one."""
    site.show(
        page,
        "<canvas width=100 height=50></canvas>",
        """const brush = document.querySelector("canvas").getContext("2d", { willReadFrequently: true });
           const drawn = (...pieces) => {
             brush.clearRect(0, 0, 100, 50);
             for (const [text, x] of pieces) brush.fillText(text, x, 40);
             return brush.getImageData(0, 0, 100, 50).data.join();
           };
           await document.fonts.load('40px "JetBrains Mono"');
           brush.font = '40px "JetBrains Mono"';
           window.step = brush.measureText("x").width;
           window.asTyped = (text) => drawn([text, 0]) === drawn([text[0], 0], [text[1], window.step]);""",
    )
    page.wait_for_function("() => !!window.asTyped")
    assert page.evaluate("step") == pytest.approx(24, abs=0.01)  # 0.6 em: no fallback has been drawn
    pairs = ["!=", "->", "=>", "<=", ">=", "==", "**", "//", ":=", "__", "||", "&&", "<<", ">>", "fi", "--", "++"]
    assert [pair for pair in pairs if not page.evaluate("pair => asTyped(pair)", pair)] == []


def test_htmx_fetches_and_swaps_and_needs_neither_eval_nor_a_style(site, page):
    site.fragment = '<output hx-get="/fragment" hx-trigger="click">it came</output>'
    script = f'<script src="{asset("vendor/htmx.js")}" defer></script>'
    site.show(page, '<button hx-get="/fragment" hx-target="#place">fetch</button><div id="place"></div>', head=script)
    page.click("button")
    page.wait_for_selector("#place output")
    assert page.inner_text("output") == "it came"
    page.click("output")
    page.wait_for_function("() => document.querySelectorAll('output').length === 2")
    assert page.evaluate("htmx.version") == "2.0.11"


def test_uplot_draws(site, page):
    site.show(
        page,
        '<div id="chart"></div>',
        f"""import uPlot from "{asset("vendor/uplot.js")}";
            const x = Array.from({{length: 100}}, (_, i) => i);
            window.chart = new uPlot({{width: 400, height: 200, scales: {{x: {{time: false}}}}, series: [{{}}, {{stroke: "#000"}}]}},
                                     [x, x.map(Math.sqrt)], document.getElementById("chart"));""",
        head=f'<link rel="stylesheet" href="{asset("vendor/uplot.css")}">',
    )
    page.wait_for_function("() => window.chart && chart.status === 1")
    dark = """() => { const c = document.querySelector("canvas"); const d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
                      let n = 0; for (let i = 3; i < d.length; i += 4) n += d[i] > 0; return n > 1000 }"""
    page.wait_for_function(dark)
    assert page.evaluate("getComputedStyle(document.querySelector('.u-wrap')).position") == "relative"
