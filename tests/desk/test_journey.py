"""A learner's way through the desk, in a real browser over a real server: nothing here is stood in for."""

import re

import pytest
from playwright.sync_api import expect

from groundup.course.holes.library import module_name, reference_text
from groundup.course.lessons.faults import load_faults
from groundup.course.lessons.lesson import find

from .writing import PASTE, holds, mistake, passed, saved, until, write

OFFLINE = r"ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_INCOMPLETE_CHUNKED|ERR_EMPTY_RESPONSE|status of 401|status of 403|htmx:(afterRequest|sendError|responseError)"


@pytest.fixture(scope="module")
def overwritten(value_source):
    """The answer to 1.3 that keeps the last gradient and loses the others."""
    [fault] = [each for each in load_faults(find("1.3"), {"grad/value.py": value_source}) if "overwritten" in each.name]
    return fault.apply(value_source)


@pytest.fixture
def lesson(desk, page):
    """Lesson 1.3, open in the desk, with its stub."""
    desk.run("open", "1.3")
    desk.enter(page, "/lesson/1.3")
    expect(page.locator("#editor .cm-content")).to_be_visible()
    page.evaluate("window.sameDocument = true")
    return page


def test_from_an_empty_workspace_to_a_brick_in_the_wall(desk, page, value_source, overwritten):
    desk.enter(page)
    expect(page.locator("h1")).to_contain_text("1.0")
    page.locator('.brick[data-lesson="1.3"]').click()
    expect(page.locator("h1")).to_have_text("A scalar autograd engine")
    page.get_by_role("button", name="Open the lesson").click()
    holds(page, "A scalar autograd engine")
    assert "class Value" in desk.read("grad/value.py")
    page.evaluate("window.sameDocument = true")

    wall = page.context.new_page()
    wall.goto(desk.url)
    brick = wall.locator('.brick[data-lesson="1.3"]')
    expect(brick).not_to_have_class(re.compile(r"\b(built|stretch)\b"))

    write(page, overwritten)
    expect(mistake(page)).to_have_text(re.compile("gradient overwritten, not accumulated", re.I))
    expect(page.locator("#points .verdict")).to_contain_text("two gradients, and they add")
    expect(page.locator("#points .point.miss")).not_to_have_count(0)
    saved(page)
    assert desk.read("grad/value.py") == overwritten

    write(page, value_source)
    passed(page)
    expect(brick).to_have_class(re.compile(r"\b(built|stretch)\b"))
    assert page.evaluate("window.sameDocument"), "no page was loaded again on the way"
    assert desk.read("grad/value.py") == value_source


def test_a_click_before_the_pages_script_has_come_is_done_when_it_has(desk, page):
    desk.enter(page)
    held = []
    page.route("**/lesson.js", lambda route: held.append(route))
    page.goto(desk.url + "lesson/1.3", wait_until="commit")
    page.keyboard.press("?")  # the desk's own script is there when its keys are
    until(lambda: page.locator("dialog[open]").count() or page.keyboard.press("?"))
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Open the lesson").click()
    assert not (desk.root / "mine/grad/value.py").exists()
    until(lambda: held)
    page.unroute("**/lesson.js")  # and lets it come
    holds(page, "A scalar autograd engine")


def test_saves_follow_one_another_and_the_last_word_is_on_the_disk(desk, lesson):
    lesson.locator("#editor .cm-content").click()
    lesson.keyboard.press("Control+End")
    for number in range(8):
        lesson.keyboard.type(f"# {number}\n")
        lesson.keyboard.press("Control+s")
    typed = "".join(f"# {number}\n" for number in range(8))
    until(lambda: desk.read("grad/value.py").endswith(typed))
    saved(lesson)
    expect(lesson.locator("#conflict")).to_be_hidden()


def test_what_another_editor_saves_appears_and_is_judged(desk, lesson, overwritten, value_source):
    desk.write("grad/value.py", overwritten)
    expect(mistake(lesson)).to_have_text(re.compile("overwritten", re.I))
    expect(lesson.locator("#editor")).not_to_contain_text("raise NotImplementedError")
    desk.write("grad/value.py", "# from outside\n" + value_source)
    holds(lesson, "# from outside")
    passed(lesson)
    expect(lesson.locator("#conflict")).to_be_hidden()
    assert lesson.evaluate("window.sameDocument")


def test_one_mistake_is_in_sight_among_many_checkpoints_that_are_not_written(desk, page):
    lesson = find("1.0")
    desk.run("open", "1.0")
    desk.enter(page, "/lesson/1.0")
    expect(page.locator("#editor .cm-content")).to_be_visible()
    texts = {path: reference_text(module_name(path)) for path in lesson.builds}
    fault = next(fault for fault in load_faults(lesson, texts) if fault.file == "drills/calculus.py")
    desk.write(fault.file, fault.apply(texts[fault.file]))
    expect(mistake(page)).to_have_text(re.compile(fault.name, re.I), timeout=20_000)
    expect(mistake(page)).to_be_in_viewport()


def test_a_file_that_has_changed_in_two_places_is_asked_about(desk, lesson, complaints):
    complaints.allow("409")  # how the server says so, if the save comes before the news
    saved(lesson)
    for answer, outside, wins in (
        ("the one on the disk", "# outside\n", "# outside\n"),
        ("the one here", "# outside, again\n", "# here\n"),
    ):

        def late(
            route, *, outside=outside
        ):  # a save of the page's own, if there is one, comes after the other editor's
            desk.write("grad/value.py", outside)
            route.continue_()

        lesson.route("**/file/0", late)
        write(lesson, "# here\n", save=False)
        desk.write("grad/value.py", outside)
        expect(lesson.locator("#conflict")).to_be_visible()
        assert desk.read("grad/value.py") == outside, "nothing is written before the answer"
        lesson.unroute("**/file/0")
        lesson.get_by_role("button", name="show the difference").click()
        expect(lesson.locator("#difference")).to_contain_text(outside.strip())
        expect(lesson.locator("#difference")).to_contain_text("# here")
        lesson.get_by_role("button", name=answer).click()
        expect(lesson.locator("#conflict")).to_be_hidden()
        saved(lesson)
        holds(lesson, wins)
        until(lambda wins=wins: desk.read("grad/value.py") == wins)


def test_a_server_that_is_killed_loses_nothing(desk, lesson, value_source, complaints):
    complaints.allow(OFFLINE)
    lesson.on("dialog", lambda dialog: dialog.accept())  # the page asks before it is left with something unsaved
    first = value_source + "\n# saved before the end\n"
    write(lesson, first)
    saved(lesson)
    desk.stop(kill=True)  # while it is judged, and while the page listens
    assert desk.read("grad/value.py") == first

    expect(lesson.locator("#connection")).to_contain_text("groundup desk")
    second = value_source + "\n# typed while there was no server\n"
    write(lesson, second)
    desk.start()
    other = lesson.context.new_page()
    desk.enter(other)  # as the terminal does it: a window of the same browser
    expect(lesson.locator("#connection")).to_have_count(0)
    lesson.reload()  # its token was of the launch before
    holds(lesson, "typed while there was no server")
    until(lambda: desk.read("grad/value.py") == second)
    lesson.locator("body").press("r")
    passed(lesson)
    with desk.workspace.store(readonly=True) as store:
        kinds = [event.kind for event in store.events(lesson="1.3")]
    assert kinds[0] == "opened" and "passed" in kinds
    expect(other.locator('.brick[data-lesson="1.3"]')).to_have_class(re.compile(r"\b(built|stretch)\b"))


def test_two_tabs_show_the_same_file(desk, lesson, value_source, overwritten):
    other = lesson.context.new_page()
    other.goto(f"{desk.url}lesson/1.3")
    expect(other.locator("#editor .cm-content")).to_be_visible()
    write(lesson, "# first\n" + overwritten)
    holds(other, "# first")
    expect(mistake(other)).to_have_text(re.compile("overwritten", re.I))
    write(other, "# second\n" + value_source)
    holds(lesson, "# second")
    passed(lesson)
    passed(other)
    for tab in (lesson, other):
        expect(tab.locator("#conflict")).to_be_hidden()


@pytest.mark.thorough
def test_there_may_be_more_tabs_than_a_browser_has_connections(desk, lesson, value_source):
    """Six to a host: a seventh page would never load if each tab held one for its events."""
    tabs = [lesson]
    for _ in range(8):
        tabs.append(lesson.context.new_page())
        tabs[-1].goto(f"{desk.url}lesson/1.3")
        expect(tabs[-1].locator("#editor .cm-content")).to_be_visible()
    desk.write("grad/value.py", "# to all\n" + value_source)
    holds(tabs[-1], "# to all")
    passed(tabs[-1])
    for tab in tabs:
        tab.evaluate("dispatchEvent(new Event('focus'))")  # it is looked at; headless, all of them are at all times
        holds(tab, "# to all")
        passed(tab)


def test_all_of_it_can_be_done_by_keyboard(desk, page, value_source):
    desk.enter(page)
    press = page.keyboard.press
    press("/")
    expect(page.get_by_role("combobox")).to_be_focused()
    page.keyboard.type("1.3")
    expect(page.get_by_role("option", selected=True)).to_contain_text("1.3 A scalar autograd engine")
    press("Enter")
    expect(page.locator("h1")).to_have_text("A scalar autograd engine")
    tab_to(page, "document.activeElement.textContent.trim() == 'Open the lesson'")
    press("Enter")
    expect(page.locator("#editor .cm-content")).to_be_visible()
    press("e")
    expect(page.locator("#editor .cm-content")).to_be_focused()
    press("ControlOrMeta+a")
    page.evaluate(PASTE, value_source)  # what Ctrl-V does
    press("ControlOrMeta+s")
    passed(page)
    press("Escape")
    press("Tab")
    expect(page.locator("#editor .cm-content")).not_to_be_focused()
    press("h")
    expect(page.locator("#aside")).to_contain_text("hint 1 of")
    press("j")
    press("j")
    expect(page.locator("#points .point").nth(1)).to_be_focused()
    press("g")
    press("m")
    expect(page.locator('.brick[data-lesson="1.3"]')).to_have_class(re.compile(r"\b(built|stretch)\b"))
    tab_to(page, "document.activeElement.dataset.lesson == '1.3'")
    assert page.evaluate("document.activeElement.matches(':focus-visible')")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none", "where one is, is seen"
    press("Enter")
    expect(page.locator("h1")).to_have_text("A scalar autograd engine")


def tab_to(page, there, most=200):
    """Presses Tab until an expression holds."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate(there):
            return
    raise AssertionError(f"{most} times Tab, and never {there}")
