"""The pages as a server gives them, each below its budget of markup, and what they say about what cannot be."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re

import httpx
import pytest

from groundup.course.checking.steps import open_lesson
from groundup.course.lessons.lesson import find, find_all
from groundup.course.progress.store import Event
from groundup.course.progress.time_spent import PAUSE, READING, minutes_spent
from groundup.course.workspace.workspace import Config, make_workspace
from groundup.desk.app import make_app
from groundup.desk.place import Place


@pytest.fixture
def root(tmp_path):
    return make_workspace(tmp_path / "ws").root


def asked(root, *requests: tuple[str, str, dict | None]) -> list[httpx.Response]:
    """The answers of an application over a workspace, without a guard: (method, path, body)."""

    async def talk() -> list[httpx.Response]:
        place = Place(root)
        with contextlib.closing(place):
            app = httpx.ASGITransport(app=make_app(place), raise_app_exceptions=False)
            async with httpx.AsyncClient(
                transport=app, base_url="http://desk", headers={"X-Groundup-Token": "x"}
            ) as client:
                return [
                    await client.request(method, path, content=None if body is None else json.dumps(body), timeout=60)
                    for method, path, body in requests
                ]

    return asyncio.run(talk())


def test_the_map_has_every_lesson_once_and_says_what_is_next(root):
    [page] = asked(root, ("GET", "/", None))
    assert page.status_code == 200
    for lesson in find_all():
        assert page.text.count(f'data-lesson="{lesson.section_id}"') == 1
    assert f"<h1>{find_all()[0].section_id} {find_all()[0].title}</h1>" in page.text
    assert page.text.count("brick now") == 2  # the brick, and the legend


def test_a_pass_moves_the_map(root):
    with make_store(root) as store:
        for lesson in ("1.0", "1.1"):
            store.append("opened", lesson)
            store.append("passed", lesson, {}, stretch=False, seed=1)
    [wall] = asked(root, ("GET", "/map/wall", None))
    assert "brick built" in wall.text and "2 of" in wall.text
    assert "1.2" in wall.text.partition("</h1>")[0]


def test_the_map_dims_what_is_not_on_the_track_and_shows_its_gates(tmp_path):
    root = make_workspace(tmp_path / "lm", Config("lm")).root
    with make_store(root) as store:
        store.append("placed", "7.1", {}, stretch=False, seed=1)
        store.append("placed", "3.8", {}, stretch=False, seed=1)
    [wall] = asked(root, ("GET", "/map/wall", None))
    bricks = {
        name: classes for classes, name in re.findall(r'class="(brick [^"]*)"[^>]* data-lesson="([^"]+)"', wall.text)
    }
    assert len(bricks) == len(find_all())
    assert "aside" in bricks["3.1"] and "aside" not in bricks["7.2"] and bricks["3.8"].startswith("brick built")
    assert "aside" not in bricks["3.8"]
    assert wall.text.count(", not on your track</span>") == sum("aside" in classes for classes in bricks.values())
    assert "LM: language-model engineering: 0 of 6 met" in wall.text and "groundup run vocabularies --mine" in wall.text


def make_store(root):
    from groundup.course.workspace.workspace import find_workspace

    return find_workspace(root).store()


def test_a_lesson_that_is_not_open_shows_the_button_and_writes_nothing(root):
    [page] = asked(root, ("GET", "/lesson/1.3", None))
    assert page.status_code == 200 and "Open the lesson" in page.text
    assert not (root / "mine" / "grad").exists()


def test_opening_writes_the_stub_once(root):
    _, page = asked(root, ("POST", "/lesson/1.3/open", {}), ("GET", "/lesson/1.3", None))
    assert "data-files" in page.text and "class Value" in page.text
    assert (root / "mine" / "grad" / "value.py").is_file()


@pytest.mark.parametrize(
    "path",
    [
        "/lesson/9.99",
        "/lesson/..%2f..%2fetc%2fpasswd",
        "/lesson/1.3/file/7",
        "/lesson/1.3/figure/..%2fx.svg",
        "/nowhere",
    ],
)
def test_what_is_not_there_is_said_in_one_sentence(root, path):
    [answer] = asked(root, ("GET", path, None))
    assert answer.status_code == 404
    assert "\n" not in answer.json()["error"] and "Traceback" not in answer.text


@pytest.mark.parametrize(
    "body", [{"text": 1, "base": ""}, {"text": "x"}, {"text": "\ud800", "base": ""}, {}, {"text": None, "base": None}]
)
def test_a_save_of_the_wrong_form_changes_nothing(root, body):
    open_lesson_here(root)
    before = (root / "mine" / "grad" / "value.py").read_bytes()
    [answer] = asked(root, ("PUT", "/lesson/1.3/file/0", body))
    assert 400 <= answer.status_code < 500
    assert (root / "mine" / "grad" / "value.py").read_bytes() == before


def open_lesson_here(root):
    from groundup.course.workspace.workspace import find_workspace

    open_lesson(find_workspace(root), find("1.3"))


def test_hints_are_given_by_degrees_and_recorded(root):
    first, second = asked(root, ("POST", "/lesson/1.3/hint", {}), ("POST", "/lesson/1.3/hint", {}))
    assert (first.json()["number"], second.json()["number"]) == (1, 2)
    with make_store(root) as store:
        assert store.standing("1.3").hints == 2


def test_a_bug_is_handed_out_and_is_not_found_before_it_is_mended(root):
    out, again = asked(root, ("POST", "/lesson/1.3/bug", {}), ("POST", "/lesson/1.3/bug", {}))
    assert not out.json()["found"] and (root / "bugs" / "1.3" / "value.py").is_file()
    assert not again.json()["found"] and "verdict" in again.json()["points"]


def test_a_page_never_shows_what_a_name_would_do(root):
    [page] = asked(root, ("GET", "/lesson/<script>alert(1)</script>", None))
    assert "<script>alert" not in page.text


def test_search_finds_a_lesson_by_id_title_and_what_stands_in_it(root):
    answers = asked(
        root, *(("GET", f"/search?q={q}", None) for q in ("2.5", "ridge", "backpropagation", "zzzz", "%00%ff"))
    )
    found = [[lesson["id"] for lesson in answer.json()["lessons"]] for answer in answers]
    assert found[0][0] == "2.5" and found[1][0] == "2.1" and found[2] and not found[3]


def events(*at: tuple[float, str | None]) -> list[Event]:
    return [Event(i, when, "checked", lesson, {}) for i, (when, lesson) in enumerate(at, 1)]


def test_time_is_what_lies_between_events_and_idle_time_is_left_out():
    spent = minutes_spent(events((0, "1.1"), (600, "1.1"), (600 + PAUSE + 1, "1.1"), (600 + PAUSE + 61, "1.2")))
    assert spent == {"1.1": pytest.approx((READING + 600 + READING) / 60), "1.2": pytest.approx(1.0)}


def test_a_clock_that_goes_back_takes_nothing_away():
    assert minutes_spent(events((1000, "1.1"), (400, "1.1"), (460, "1.1"))) == {"1.1": pytest.approx(READING / 60 + 1)}
