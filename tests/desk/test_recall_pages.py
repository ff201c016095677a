"""The log and recall in a real browser: a line is noted, an entry opened and rated; a card turned, rated, its code judged."""

import re
import time
from datetime import date, timedelta

import pytest
from playwright.sync_api import expect

from groundup.course.holes.library import module_name, reference_text
from groundup.course.lessons.lesson import find
from groundup.course.progress.store import Store

from .browser import accessible, fits

pytestmark = pytest.mark.thorough  # a browser takes its time: `make peers` runs these

DAY = 86400
LONG = 120_000  # milliseconds that a judge may take on a machine where others are at work
HOSTILE = (
    "# </h1><b id=hit>hit</b>\n\n## a <script>document.title=1</script>\n\n<img src=x onerror=document.title=1>\n"
    "[x](javascript:document.title=1) ![y](figures.py#graph) ```\n\0\n## What is still unclear\n\n"
    + "> " * 50
    + "deep\n- 2026-11-27 10:00 </pre><b id=hit>\n"
)


@pytest.fixture
def built(desk):
    """A desk over a workspace where two lessons were passed three days ago."""
    with Store(desk.workspace.database, clock=lambda: time.time() - 3 * DAY) as store:
        for name in ("1.2", "1.3"):
            lesson = find(name)
            files = {path: reference_text(module_name(path)).encode() for path in lesson.builds}
            store.append("passed", name, files, stretch=False)
            for path, data in files.items():
                desk.write(path, data.decode())
    return desk


def events(desk, kind):
    with desk.workspace.store(readonly=True) as store:
        return [event.payload for event in store.events(kind=kind)]


def test_a_log_is_written_searched_rated_and_shared(built, page):
    built.enter(page, "/notes")
    page.keyboard.press("n")
    page.keyboard.type("slopes are known <b id=hit> early")
    page.keyboard.press("Enter")
    expect(page.locator(".entries li")).to_have_count(1)
    page.locator("[data-open='1.3']").click()
    expect(page).to_have_url(re.compile("/notes/entry/.*-1.3$"))
    expect(page.locator(".read h2").first).to_have_text("The core idea")
    page.get_by_role("group", name="rebuild it from a blank file").get_by_label("partly").check()
    page.get_by_role("button", name="Write it down").click()
    expect(page.locator(".read")).to_contain_text("rebuild it from a blank file: partly")
    expect(page.locator("input[name=rebuild][value=partly]")).to_be_checked()
    assert events(built, "noted")[-1]["rating"] == {"rebuild": "partly"}
    accessible(page)
    fits(page)
    [path] = (built.root / "notes/log").glob("*-1.3.md")
    assert path.read_text().count("## ") == 8
    hostile = path.with_name(f"{date.today() - timedelta(days=15)}-1.2.md")
    hostile.write_text(HOSTILE)
    page.goto(built.url.rstrip("/") + f"/notes/entry/{hostile.stem}")
    assert page.title() != "1" and not page.locator("#hit").count() and page.locator("h1").count() == 1
    fits(page)
    page.goto(built.url.rstrip("/") + "/notes?q=KNOWN+slopes")
    expect(page.locator(".entries li")).to_have_count(1)
    expect(page.locator(".entries")).to_contain_text("slopes are known <b id=hit> early")
    accessible(page)
    fits(page)
    page.get_by_role("link", name="the whole log").click()
    expect(page.locator(".entries li")).to_have_count(3)
    accessible(page)
    fits(page)
    page.get_by_role("link", name="This week, to share").click()
    expect(page.locator("h1")).to_contain_text("Week of")
    expect(page.locator(".read")).to_contain_text("slopes are known")
    weeks = 0
    while page.get_by_role("link", name="The week before").count() and weeks < 60:
        page.get_by_role("link", name="The week before").click()
        weeks += 1
    first = min(path.name[:10] for path in (built.root / "notes/log").glob("*.md"))
    assert weeks <= 1 + (date.today() - date.fromisoformat(first)).days // 7  # back to the first word, and no further
    page.goto(built.url.rstrip("/") + "/notes/week")
    page.get_by_text("As text, for your study group").click()
    expect(page.locator("#digest")).to_contain_text("# Week of")
    assert hostile.read_text() == HOSTILE
    accessible(page)
    fits(page)


def test_a_card_is_turned_and_rated_by_keys(built, page):
    built.enter(page, "/recall")
    card = page.locator("#card")
    if card.get_attribute("data-kind") != "question":
        page.get_by_text("All of today").click()
        page.locator(".left li", has_text="a question").first.locator("a").click()
    expect(page.locator("#back")).to_be_hidden()
    page.keyboard.press("Space")
    expect(page.locator("#back")).to_be_visible()
    expect(page.locator("#back")).to_be_focused()
    accessible(page)
    fits(page)
    page.keyboard.press("Space")
    expect(page.locator("#back")).to_be_hidden()
    name = card.get_attribute("data-card")
    page.keyboard.press("3")
    expect(card).not_to_have_attribute("data-card", name)
    [rated] = events(built, "recalled")
    assert (rated["card"], rated["rating"], rated["form"]) == (name, "good", "question")


def test_code_is_begun_judged_and_passed(built, page):
    built.enter(page, "/recall?card=1.3/rebuild")
    page.keyboard.press("b")
    expect(page.get_by_text("Write it again there.")).to_be_visible(timeout=LONG)
    expect(page.get_by_role("link", name="Open it in VS Code")).to_have_attribute("href", re.compile("^vscode://file/"))
    accessible(page)
    fits(page)
    page.keyboard.press("r")
    expect(page.locator("#verdict")).to_contain_text("Not written yet", timeout=LONG)
    expect(page.locator("#verdict [data-line]")).to_have_text(re.compile("recall/1.3/rebuild/value.py"))
    expect(page.locator("#verdict [data-do]")).to_have_count(0)
    accessible(page)
    fits(page)
    [begun] = events(built, "recall-begun")
    (built.root / begun["path"]).write_text(reference_text("grad.value"))
    page.keyboard.press("r")
    expect(page.get_by_role("link", name="The next card")).to_be_focused(timeout=LONG)
    [recalled] = events(built, "recalled")
    assert recalled["card"] == "1.3/rebuild" and recalled["how"] == "judge" and recalled["checks"] == 1


def test_the_arena_keeps_a_time(built, page):
    built.enter(page, "/recall")
    page.get_by_role("button", name="begin 1.2").click()
    expect(page.get_by_text("0 min so far")).to_be_visible()
    for path in (built.root / "arena").rglob("*.py"):
        library_path = path.relative_to(built.root / "arena" / "1.2").as_posix()
        path.write_text(reference_text(module_name(library_path)))
    page.get_by_role("button", name="Judge", exact=True).click()
    expect(page.locator(".notice")).to_contain_text("1.2 in ", timeout=LONG)
    page.goto(built.url.rstrip("/") + "/recall")
    expect(page.locator(".arena tr", has_text="1.2").locator("td").first).to_have_text(re.compile(r"\d+:\d\d"))
    [kept] = events(built, "arena")
    assert kept["passed"] and kept["seconds"] >= 0


def test_requests_that_make_no_sense_are_refused(built):
    with built.client() as known:
        for path, body in (
            ("/recall/rate", {"card": "9.9/bug", "rating": "again"}),
            ("/recall/rate", {"card": "1.3/bug", "rating": "splendid"}),
            ("/recall/rate", {"card": "1.3/bug", "rating": "good"}),
            ("/recall/judge", {"card": "1.3/bug"}),
            ("/recall/give", {}),
            ("/recall/arena/1.4", {}),
            ("/recall/arena/1.3/judge", {}),
            ("/notes/line", {"line": " "}),
            ("/notes/line", {"line": "x", "entry": "../../README"}),
            ("/notes/of/9.9", {}),
            ("/notes/entry/none/rating", {"explain": "yes"}),
            ("/notes/entry/none/rating", {"explain": "well"}),
        ):
            answer = known.post(path, json=body)
            assert answer.status_code in (400, 404, 409), (path, answer.text)
            assert answer.json()["error"]
        assert known.get("/notes/entry/none").status_code == 404
        assert known.get("/notes/week?of=soon").status_code == 400
        assert known.get("/notes/week?of=0001-01-02").status_code == 400
        assert known.get("/recall?card=nothing").status_code == 404
    assert not (built.root / "notes/log").exists() and events(built, "recalled") == []
