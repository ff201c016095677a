"""The learner's file in the editor: nothing typed is lost, the keyboard gets in and out, and a verdict's line is marked."""

import json
import random

import pytest

from groundup.desk.assets import asset

from .browser import accessible, fits
from .static_site import NONCE, StaticSite

SOURCE = '''"""A doc string."""

import math


class Value:
    def __init__(self, data):
        self.data = float(data)  # a number

    def tanh(self):
        return Value(math.tanh(self.data))
'''
BODY = '<button id="before">before</button><div id="editor"></div><button id="after">after</button>'
SCRIPT = f"""
import {{ openEditor }} from "{asset("editor.js")}";
import {{ difference }} from "{asset("difference.js")}";
window.difference = difference;
window.saved = 0;
window.changes = 0;
window.open = (options) => window.editor = openEditor(document.getElementById("editor"), {{
  nonce: "{NONCE}",
  text: {json.dumps(SOURCE)},
  label: "mine/grad/value.py",
  onSave: () => window.saved++,
  onChange: () => window.changes++,
  ...options,
}});
open();
"""


@pytest.fixture(scope="module")
def site():
    made = StaticSite()
    yield made
    made.close()


@pytest.fixture
def page(site, page):
    site.show(page, BODY, SCRIPT)
    page.wait_for_function("() => !!window.editor")
    return page


def text(page):
    return page.evaluate("() => editor.text()")


def focused(page):
    return page.evaluate("() => document.activeElement.id || document.activeElement.className")


def test_it_begins_with_its_text_and_has_the_name_of_the_file(page):
    assert text(page) == SOURCE
    box = page.get_by_role("textbox", name="mine/grad/value.py")
    assert box.count() == 1
    assert "Escape, then Tab" in box.get_attribute("aria-description")


def test_its_styles_are_let_in_by_the_nonce(page):
    """Without it the editor is blank under the policy, and only there."""
    assert page.evaluate("() => getComputedStyle(document.querySelector('.cm-editor')).display") == "flex"
    assert page.evaluate("() => getComputedStyle(document.querySelector('.cm-scroller')).fontFamily").startswith(
        '"JetBrains Mono"'
    )


def test_what_is_typed_is_told_and_the_key_for_saving_too(page):
    page.evaluate("() => editor.focus()")
    page.keyboard.type("# x")
    assert text(page) == "# x" + SOURCE
    assert page.evaluate("() => changes") == 3 and page.evaluate("() => saved") == 0
    page.keyboard.press("Control+s")
    assert page.evaluate("() => saved") == 1 and text(page) == "# x" + SOURCE


def test_tab_indents_by_four_and_a_new_line_keeps_the_indent(page):
    page.evaluate("() => editor.open('def f():', 'f.py')")
    page.evaluate("() => editor.focus()")
    page.keyboard.press("End")
    page.keyboard.type("\nx = 1\n")
    assert text(page) == "def f():\n    x = 1\n    "
    page.keyboard.press("Tab")
    assert text(page).endswith("\n        ")
    page.keyboard.press("Shift+Tab")
    assert text(page).endswith("\n    ")
    assert "cm-content" in focused(page)


def test_the_keyboard_gets_out_by_escape_and_tab(page):
    page.focus("#before")
    page.keyboard.press("Tab")
    assert "cm-content" in focused(page)
    page.keyboard.press("Tab")
    assert "cm-content" in focused(page)
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    assert focused(page) == "after"
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Escape")
    page.keyboard.press("Shift+Tab")
    assert focused(page) == "before"


def test_a_key_after_escape_gives_tab_back_to_the_code(page):
    page.evaluate("() => editor.focus()")
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    assert "cm-content" in focused(page)


def test_text_from_outside_is_no_change_of_the_learners(page):
    page.evaluate("() => editor.setText('a = 1\\n')")
    assert text(page) == "a = 1\n"
    assert page.evaluate("() => changes") == 0


def test_text_from_outside_leaves_the_cursor_with_its_line_and_can_be_undone(page):
    page.evaluate("() => editor.focus(11)")
    page.evaluate("text => editor.setText(text)", "# new\n# lines\n" + SOURCE.replace("import math\n", ""))
    page.keyboard.type("# here\n")
    assert "        # here\n        return Value" in text(page)
    for _ in range(20):
        page.keyboard.press("Control+z")
    assert text(page) == SOURCE


def test_another_file_cannot_be_undone_into_the_one_before(page):
    page.evaluate("() => editor.focus()")
    page.keyboard.type("# x\n")
    page.evaluate("() => editor.open('b = 2\\n', 'mine/b.py')")
    page.evaluate("() => editor.focus()")
    page.keyboard.press("Control+z")
    assert text(page) == "b = 2\n"
    assert page.get_by_role("textbox", name="mine/b.py").count() == 1


def test_any_text_replaces_any_other_exactly(page):
    draw = random.Random(7)
    pairs = [[written(draw), written(draw)] for _ in range(300)]
    pairs += [["", ""], ["", "a"], ["a", ""], ["a", "a\n"], ["a\n", "a"], ["\n", ""], ["", "\n\n"], ["a\nb", "b\na"]]
    wrong = page.evaluate(
        """pairs => pairs.filter(([before, after]) => {
             editor.open(before, "f.py");
             const rows = editor.diff(after);
             const side = (sign) => rows.filter((row) => row.sign !== sign).map((row) => row.text).join("\\n");
             const right = side("+") === before && side("-") === after;
             editor.setText(after);
             return !right || editor.text() !== after;
           })""",
        pairs,
    )
    assert wrong == []


def written(draw):
    """Lines from few, so that many are alike."""
    return "\n".join(draw.choices(["", "a", "b", "    c", "d = 1"], k=draw.randint(0, 9)))


def test_a_difference_is_as_small_as_it_can_be(page):
    """Against the length of the longest common subsequence, found here anew."""
    draw = random.Random(11)
    pairs = [[written(draw), written(draw)] for _ in range(100)]
    kept = page.evaluate(
        "pairs => pairs.map(([a, b]) => difference(a, b).filter((row) => row.sign === ' ').length)", pairs
    )
    assert kept == [common(a.split("\n"), b.split("\n")) for a, b in pairs]


def common(a, b):
    best = {0: -1}  # how many are common -> the least index in b where that is reached
    for line in a:
        for count, end in sorted(best.items(), reverse=True):
            at = next((j for j in range(end + 1, len(b)) if b[j] == line), None)
            if at is not None and at < best.get(count + 1, len(b)):
                best[count + 1] = at
    return max(best)


def test_the_lines_of_a_difference_are_numbered_in_their_own_text(page):
    rows = page.evaluate("() => difference('a\\nb\\nc\\nd', 'a\\nx\\nc\\ny\\nd')")
    assert [(row["sign"], row["line"], row["text"]) for row in rows] == [
        (" ", 1, "a"), ("-", 2, "b"), ("+", 2, "x"), (" ", 3, "c"), ("+", 4, "y"), (" ", 4, "d"),
    ]  # fmt: skip


def test_two_long_texts_without_a_common_line_are_compared_at_once(page):
    rows = page.evaluate(
        """() => { const many = (c) => Array.from({length: 5000}, (_, i) => c + i).join("\\n"); return difference(many("a"), many("b")).length }"""
    )
    assert rows == 10_000


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_line_ends_stay_as_they_were(page, ending):
    before = ending.join(["a = 1", "b = 2", ""])
    page.evaluate("text => editor.open(text, 'f.py')", before)
    assert text(page) == before
    page.evaluate("() => editor.focus()")
    page.keyboard.press("Enter")
    assert text(page) == ending + before


def test_a_marked_line_says_its_sentence_where_the_cursor_is(page):
    page.evaluate("() => { editor.mark(8, 'Yours keeps <b>the last</b> one.'); editor.focus(7) }")
    hot = page.locator(".cm-line.hot")
    assert hot.count() == 1 and "self.data = float(data)" in hot.inner_text()
    assert page.locator(".cm-at-cursor").count() == 0
    page.keyboard.press("ArrowDown")
    page.locator(".cm-at-cursor").wait_for()
    assert page.inner_text(".cm-at-cursor") == "Yours keeps <b>the last</b> one."
    assert page.inner_text(".cm-announced") == "Yours keeps <b>the last</b> one."
    page.keyboard.press("Escape")
    page.locator(".cm-at-cursor").wait_for(state="detached")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowDown")
    page.locator(".cm-at-cursor").wait_for()
    page.evaluate("() => editor.clearMarks()")
    assert page.locator(".cm-line.hot, .cm-at-cursor").count() == 0


def test_a_marked_line_says_its_sentence_under_the_pointer(page):
    page.evaluate("() => editor.mark(8, 'A sentence.')")
    page.locator(".cm-line.hot").hover(position={"x": 80, "y": 8})
    page.locator(".cm-under-pointer").wait_for()
    assert page.inner_text(".cm-under-pointer") == "A sentence."


def test_a_mark_moves_with_its_line_and_one_beyond_the_end_is_no_error(page):
    page.evaluate(
        "text => { editor.mark(8, 'A sentence.'); editor.mark(99, 'Nowhere.'); editor.mark(0, 'Nowhere.'); editor.setText(text) }",
        "# new\n" + SOURCE,
    )
    assert page.locator(".cm-line.hot").all_inner_texts() == ["        self.data = float(data)  # a number"]


def test_a_mark_is_a_bar_and_not_only_a_colour(page):
    page.evaluate("() => editor.mark(8, 'A sentence.')")
    shadow = page.evaluate("() => getComputedStyle(document.querySelector('.hot')).boxShadow")
    assert "3px 0px" in shadow and "inset" in shadow


def test_focus_goes_to_a_line_that_is_out_of_sight(page):
    page.evaluate("() => editor.open(Array.from({length: 900}, (_, i) => `x${i} = ${i}`).join('\\n'), 'f.py')")
    page.evaluate("() => document.getElementById('editor').style.height = '300px'")
    page.evaluate("() => editor.focus(700)")
    page.wait_for_function("() => document.querySelector('.cm-activeLine')?.textContent === 'x699 = 699'")
    box = page.locator(".cm-activeLine").bounding_box()
    frame = page.locator("#editor").bounding_box()
    assert frame["y"] <= box["y"] <= frame["y"] + frame["height"]


def test_an_editor_that_is_only_read_cannot_be_changed_by_hand(page):
    page.evaluate("() => { editor.close(); open({ text: 'a = 1', readOnly: true }); editor.focus() }")
    page.keyboard.type("x")
    page.keyboard.press("Delete")
    page.keyboard.press("Control+s")
    assert text(page) == "a = 1"
    assert page.get_attribute(".cm-content", "aria-readonly") == "true"
    page.evaluate("() => editor.setText('b = 2')")
    assert text(page) == "b = 2"


def test_closing_takes_it_off_the_page(page):
    page.evaluate("() => editor.close()")
    assert page.locator(".cm-editor").count() == 0


def test_everybody_can_read_it_in_both_themes(page):
    page.evaluate("() => { editor.mark(8, 'A sentence.'); editor.focus(8) }")
    page.locator(".cm-at-cursor").wait_for()
    accessible(page)
    page.keyboard.press("Control+f")
    page.locator(".cm-search").wait_for()
    accessible(page)


def test_its_colours_follow_the_theme_as_it_is_switched(page):
    colours = """() => [".cm-editor", ".cm-gutters", ".cm-line span"].flatMap((name) => {
                   const style = getComputedStyle(document.querySelector(name)); return [style.color, style.backgroundColor] })"""
    found = {}
    for theme in ("dark", "light", "dark"):
        page.evaluate("theme => document.documentElement.dataset.theme = theme", theme)
        now = page.evaluate(colours)
        assert found.setdefault(theme, now) == now
    assert found["dark"] != found["light"]


def test_it_fits_a_narrow_page_and_scrolls_by_itself(page):
    page.evaluate(
        "() => { editor.mark(8, 'A sentence that is rather long, as the sentences of a verdict often are.'); editor.focus(8) }"
    )
    page.locator(".cm-at-cursor").wait_for()
    fits(page)
    page.keyboard.press("Control+f")
    page.locator(".cm-search").wait_for()
    fits(page)


def test_hostile_text_is_text(page):
    page.evaluate(
        "text => editor.open(text, '\"><img src=x>')",
        "<img src=x onerror=alert(1)>\n</textarea><script>alert(1)</script>",
    )
    assert page.locator("main img, main script").count() == 0
