"""What is written in the page beside a lesson: an entry of the log, code that recall hands out, files in the arena."""

import json
import re
import time
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from groundup.course.holes.library import module_name, reference_text
from groundup.course.lessons.lesson import find
from groundup.course.progress.store import Store

from .browser import accessible, fits

NEVER_OPEN = (
    "/writing?entry=none",
    "/writing?entry=../../README",
    "/writing?card=1.3/bug",
    "/writing?bout=1.2",
    "/writing?bout=1.2&number=1",
    "/writing?bout=9.9&number=0",
    "/writing?bout=1.3&number=0",
)


@pytest.fixture
def built(desk):
    """A desk over a workspace where one lesson was passed three days ago."""
    files = {path: reference_text(module_name(path)).encode() for path in find("1.2").builds}
    with Store(desk.workspace.database, clock=lambda: time.time() - 3 * 86400) as store:
        store.append("passed", "1.2", files, stretch=False)
    return desk


def put(known, url, text, base):
    return known.put(url, json={"text": text, "base": base})


def test_only_what_is_open_can_be_read_and_written(built):
    with built.client() as known:
        for url in NEVER_OPEN:
            assert known.get(url).status_code == 404, url
            assert put(known, url, "x", "").status_code == 404, url
        assert known.get("/writing").status_code == 400
        entry = known.post("/notes/of/1.2", json={}).json()["entry"]
        for body in ({"text": "x"}, {"text": 1, "base": ""}, {"text": "\ud800", "base": ""}):
            assert known.put(f"/writing?entry={entry}", content=json.dumps(body)).status_code == 400


def test_an_entry_is_written_and_what_it_says_of_its_writer_is_kept(built):
    with built.client() as known:
        url = f"/writing?entry={known.post('/notes/of/1.2', json={}).json()['entry']}"
        found = known.get(url).json()
        path = built.root / found["path"]
        text = found["text"].replace("say why it works:", "say why it works: partly")
        assert put(known, url, text, found["sha"]).status_code == 200
        assert path.read_text() == text
        with built.workspace.store(readonly=True) as store:
            assert store.events(kind="noted")[-1].payload["rating"] == {"why": "partly"}


def test_a_file_that_has_changed_on_the_disk_is_not_written_over(built):
    with built.client() as known:
        assert known.post("/recall/arena/1.2", json={}).status_code == 200
        url = "/writing?bout=1.2&number=0"
        found = known.get(url).json()
        path = built.root / found["path"]
        path.write_text("from elsewhere = 1\n")
        refused = put(known, url, "from here = 1\n", found["sha"])
        assert refused.status_code == 409 and refused.json()["text"] == path.read_text() == "from elsewhere = 1\n"
        assert put(known, url, "from here = 1\n", refused.json()["sha"]).status_code == 200
        assert path.read_text() == "from here = 1\n"


def test_a_page_with_one_of_these_is_for_everyone(built, page):
    built.enter(page, "/notes")
    page.locator("[data-open='1.2']").click()
    field = page.locator(".writing textarea")
    expect(field).to_be_focused()  # nothing is written yet, so that is what the page is for
    page.keyboard.type("Two slopes, from both sides.")
    accessible(page)
    fits(page)
    page.get_by_role("button", name="Done").click()
    expect(page.locator("article")).to_contain_text("Two slopes, from both sides.")
    [path] = (built.root / "notes/log").glob("*-1.2.md")
    assert "## The core idea\n\nTwo slopes, from both sides.\n" in path.read_text()
    page.goto(built.url + "recall")
    page.get_by_role("button", name="begin 1.2").click()
    expect(page.locator(".writing .cm-content")).to_be_visible()
    page.locator(".writing .cm-content").click()
    page.keyboard.press("ControlOrMeta+End")
    page.keyboard.type("x = 1")
    page.keyboard.press("ControlOrMeta+s")
    expect(page.locator(".sign")).to_have_text("saved")
    assert (built.root / "arena/1.2/grad/check.py").read_text().endswith("x = 1")
    accessible(page)
    fits(page)


@pytest.mark.thorough  # the judge takes its time
def test_the_last_test_is_begun_written_and_judged_here(built, page, tmp_path):
    (built.root / "tracks").mkdir()
    (built.root / "tracks" / "one.toml").write_text('title = "One lesson"\nwho = "who tests"\nroute = [["1.2"]]\n')
    settings = built.root / "groundup.toml"
    settings.write_text(re.sub(r"^track = .*$", 'track = "one"', settings.read_text(), flags=re.MULTILINE))
    built.enter(page, "/recall")
    page.get_by_role("button", name="Begin the last test").click()
    expect(page.get_by_text("Piece 1 of 1")).to_be_visible(timeout=120_000)
    page.get_by_role("button", name="Judge this piece").click()
    expect(page.locator("#final-verdict")).to_contain_text("Not written yet", timeout=120_000)
    accessible(page)
    fits(page)
    with built.workspace.store(readonly=True) as store:
        [begun] = store.events(kind="recall-begun")
    with built.client() as known:
        url = f"/writing?card={quote(begun.payload['card'])}"
        found = known.get(url).json()
        assert put(known, url, reference_text("grad.check"), found["sha"]).status_code == 200
    page.reload()
    page.get_by_role("button", name="Judge this piece").click()
    expect(page.get_by_text("You have passed the last test of the track one.")).to_be_visible(timeout=120_000)
