"""Cells on a lesson's page: through the desk's own server, and in a browser."""

import contextlib
import json
import re
import sys
import time
from pathlib import Path

import pytest
from playwright.sync_api import expect

from groundup.course.lessons.lesson import find

from .browser import accessible, fits

LOOP = "import os\nprint(os.getpid(), flush=True)\nwhile True: pass"
SOON = 20.0  # seconds to wait for what should come at once


def outputs(client, code, lesson="1.1", cell=0):
    answer = client.post(f"/lesson/{lesson}/cell/{cell}", json={"code": code})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    return [json.loads(line) for line in answer.text.splitlines() if line]


@contextlib.contextmanager
def running(client, lesson="1.1"):
    """A cell that runs for ever, and the id of its process."""
    with client.stream("POST", f"/lesson/{lesson}/cell/0", json={"code": LOOP}) as answer:
        lines = (json.loads(line) for line in answer.iter_lines() if line)
        yield int(next(lines)["text"]), lines


def until(condition, what):
    deadline = time.monotonic() + SOON
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


# The server.


def test_outputs_come_line_by_line_and_names_stay(shared_desk):
    with shared_desk.client() as client:
        *shown, done = outputs(client, "x = 6\nprint('<b>')\nx * 7")
        assert shown == [
            {"kind": "text", "source": "out", "text": "<b>\n"},
            {"kind": "text", "source": "value", "text": "42"},
        ]
        assert (done["kind"], done["how"]) == ("done", "ran")
        assert outputs(client, "x")[0]["text"] == "6"
        assert "NameError" in outputs(client, "x", lesson="1.2")[0]["text"]
        assert client.post("/lesson/1.1/kernel/restart").status_code == 200
        assert "NameError" in outputs(client, "x")[0]["text"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/lesson/9.9/cell/0", {"code": "1"}, 404),
        ("/lesson/1.1/cell/99", {"code": "1"}, 404),
        ("/lesson/1.1/cell/x", {"code": "1"}, 404),
        ("/lesson/1.1/cell/0", {}, 400),
        ("/lesson/1.1/cell/0", {"code": 1}, 400),
        ("/lesson/1.1/cell/0", ["1"], 400),
        ("/lesson/1.1/cell/0", {"code": "x" * 70_000}, 413),
        ("/lesson/1.1/cell/0", {"code": "\0"}, 413),
    ],
)
def test_what_is_no_cell_is_refused_in_a_sentence(shared_desk, path, body, status):
    with shared_desk.client() as client:
        answer = client.post(path, json=body)
        assert answer.status_code == status
        assert len(answer.json()["error"]) > 10


def test_nothing_runs_by_a_get_or_without_the_token(shared_desk):
    with shared_desk.client() as client:
        assert client.get("/lesson/1.1/cell/0").status_code in (404, 405)
        assert client.get("/lesson/1.1/kernel/restart").status_code in (404, 405)
        del client.headers["X-Groundup-Token"]
        assert client.post("/lesson/1.1/cell/0", json={"code": "1"}).status_code == 403
        assert client.delete("/lesson/1.1/kernel").status_code == 403


def test_one_cell_of_a_lesson_runs_at_a_time_until_it_is_stopped(shared_desk):
    with shared_desk.client() as client:
        with running(client) as (_, lines):
            answer = client.post("/lesson/1.1/cell/1", json={"code": "1"})
            assert answer.status_code == 409 and "still running" in answer.json()["error"]
            assert outputs(client, "6 * 7", lesson="1.2")[0]["text"] == "42"
            assert client.delete("/lesson/1.1/kernel").json() == {"stopped": True}
            assert list(lines)[-1]["how"] == "stopped"
        assert client.delete("/lesson/1.1/kernel").json() == {"stopped": False}
        assert outputs(client, "6 * 7")[0]["text"] == "42"


def test_a_cell_that_nobody_listens_to_is_stopped(shared_desk):
    with shared_desk.client() as client:
        with running(client):
            pass  # the page has gone
        until(lambda: client.post("/lesson/1.1/cell/0", json={"code": "1"}).status_code == 200, "it runs on")


def test_cells_see_a_file_that_was_saved(shared_desk):
    path = shared_desk.write("grad/value.py", "class Value:\n    whose = 'mine'\n")
    try:
        with shared_desk.client() as client:
            *_, value, done = outputs(client, "from mine.grad.value import Value\nValue.whose", lesson="1.3")
            assert value["text"] == "'mine'" and done["how"] == "ran"
    finally:
        path.unlink()


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_desk_that_ends_takes_its_kernels_along(desk):
    with desk.client() as client, running(client) as (pid, _):
        assert Path(f"/proc/{pid}").exists()
        assert desk.stop() == 0
        until(lambda: not Path(f"/proc/{pid}").exists(), "the kernel lives on")


# The page.


@pytest.fixture
def lesson(shared_desk, page):
    """The page of lesson 1.1, whose names are forgotten."""
    with shared_desk.client() as client:
        client.post("/lesson/1.1/kernel/restart")
    return shared_desk.enter(page, "/lesson/1.1")


def cell(page, number):
    return page.locator(f'.cell[data-cell="{number}"]')


def yours(page, number):
    return page.get_by_role("log", name=f"output of cell {number + 1}")


def type_in(page, number, code):
    cell(page, number).hover()
    cell(page, number).get_by_role("button", name="edit").click()
    field = cell(page, number).get_by_role("textbox")
    field.fill(code)
    return field


def test_a_cell_runs_when_asked_and_says_whose_output_it_is(lesson):
    blocks = find("1.1").blocks
    number = next(i for i, block in enumerate(blocks) if block.output)
    printed = lesson.locator(f'[data-out="{number}"]')
    expect(printed).to_be_visible()
    expect(yours(lesson, number)).to_be_hidden()
    for i in range(number + 1):
        cell(lesson, i).get_by_role("button", name="run", exact=True).click()
    expect(yours(lesson, number)).to_contain_text("yours, as in the lesson", timeout=SOON * 1000)
    expect(yours(lesson, number)).to_contain_text(re.compile(r"\d+ m?s"))
    expect(yours(lesson, number)).to_contain_text(blocks[number].output.splitlines()[0])
    expect(printed).to_be_hidden()


def test_a_changed_cell_shows_both_outputs(lesson):
    number = next(i for i, block in enumerate(find("1.1").blocks) if block.output)
    field = type_in(lesson, number, "print('other')")
    field.press("Shift+Enter")
    expect(yours(lesson, number).locator("pre.out").first).to_have_text("other")
    expect(yours(lesson, number)).not_to_contain_text("yours, as in the lesson")
    yours(lesson, number).get_by_text("as printed in the lesson").click()
    expect(yours(lesson, number).locator("details pre")).to_be_visible()
    field.press("Escape")
    expect(cell(lesson, number).locator("code")).to_have_text("print('other')")
    expect(cell(lesson, number).get_by_role("button", name="done")).to_have_count(0)
    cell(lesson, number).get_by_role("button", name="as in the lesson").click()
    expect(cell(lesson, number).locator("code")).to_contain_text(find("1.1").blocks[number].code.splitlines()[0])


RICH = """
import matplotlib.pyplot as plt
print("<script>document.title = 'taken'</script><img src=x onerror=alert(1)>")
plt.figure(figsize=(3, 2)); plt.plot([1, 2]); plt.title("<b>a line</b>"); plt.show()
for part in range(3): print("\\rpart", part, end="")
print()
{table}
for i in range(3000): print("line", i)
1 / 0
"""


def test_outputs_are_text_pictures_and_tables_and_nothing_else(lesson):
    try:
        import pandas  # noqa: F401

        table = "import pandas as pd\ndisplay(pd.DataFrame({'<i>a</i>': range(50)}))"
    except ImportError:
        table = ""
    type_in(lesson, 0, RICH.format(table=table)).press("Shift+Enter")
    mine = yours(lesson, 0)
    expect(mine.locator(".error")).to_contain_text("ZeroDivisionError", timeout=SOON * 1000)
    expect(mine.locator("pre").first).to_contain_text("<script>document.title = 'taken'</script><img")
    expect(mine.locator("img")).to_have_count(1)
    expect(mine.get_by_role("img", name="figure: <b>a line</b>")).to_be_visible()
    assert mine.locator("img").evaluate("e => e.naturalWidth") > 200
    expect(mine.get_by_text("part 2")).to_be_visible()
    expect(mine.get_by_text("part 0")).to_have_count(0)
    expect(mine.locator(".note")).to_contain_text("more lines")
    if table:
        expect(mine.get_by_role("columnheader", name="<i>a</i>")).to_be_visible()
        expect(mine.locator("caption")).to_have_text("12 of 50 rows")
    assert lesson.title() != "taken"
    accessible(lesson)
    fits(lesson)


def test_a_running_cell_is_stopped_by_its_own_button_and_those_after_it_rest(lesson):
    type_in(lesson, 0, "print('on', flush=True)\nwhile True: pass").press("Escape")
    cell(lesson, 1).hover()
    cell(lesson, 1).get_by_role("button", name="run to here").click()
    expect(yours(lesson, 0)).to_contain_text("on", timeout=SOON * 1000)
    expect(yours(lesson, 0)).to_have_attribute("aria-busy", "true")
    expect(cell(lesson, 1).get_by_role("button", name="stop")).to_be_visible()
    cell(lesson, 0).get_by_role("button", name="stop").click()
    expect(yours(lesson, 0)).to_contain_text("Stopped.")
    expect(yours(lesson, 0)).to_have_attribute("aria-busy", "false")
    for number in (0, 1):
        expect(cell(lesson, number).get_by_role("button", name="run", exact=True)).to_be_visible()
    expect(yours(lesson, 1)).to_be_hidden()


def test_a_cell_that_ends_its_process_says_so_and_the_palette_runs_all(lesson):
    type_in(lesson, 0, "import os\nos._exit(1)").press("Control+Enter")
    expect(yours(lesson, 0)).to_contain_text("All names are gone", timeout=SOON * 1000)
    cell(lesson, 0).get_by_role("textbox").press("Escape")
    cell(lesson, 0).get_by_role("button", name="as in the lesson").click()
    lesson.keyboard.press("Control+k")
    lesson.keyboard.type("run all cells")
    lesson.get_by_role("option", name="run all cells", exact=True).click()
    for number, block in enumerate(find("1.1").blocks):
        says = "yours, as in the lesson" if block.output else "yours"
        expect(yours(lesson, number)).to_contain_text(says, timeout=SOON * 1000)


def test_a_refusal_is_a_notice(lesson, shared_desk, complaints):
    complaints.allow("409")
    with shared_desk.client() as client, running(client):
        cell(lesson, 0).get_by_role("button", name="run", exact=True).click()
        expect(lesson.get_by_role("alert")).to_contain_text("still running")
        expect(cell(lesson, 0).get_by_role("button", name="run", exact=True)).to_be_visible()
        client.delete("/lesson/1.1/kernel")
