"""`groundup start` as one types it: what is asked, what is made, what is left alone; the README's table, and a debugger that stops."""

import contextlib
import json
import os
import pty
import re
import select
import subprocess
import sys
import time
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundup.course.holes.library import reference_text
from groundup.course.lessons.lesson import find, find_all
from groundup.course.progress.store import Store
from groundup.course.tracks import lessons_of, load
from groundup.course.workspace.starting import Choices, start, weeks
from groundup.course.workspace.status_table import BEGIN, END, replaced
from groundup.course.workspace.workspace import read_config

PATIENCE = 60  # seconds that an answer may take on a machine where others are at work


def one_line(text):
    return text.endswith("\n") and text.count("\n") == 1 and text.strip() != ""


def config(root):
    found = read_config(root / "groundup.toml")
    return found.track, found.hours_per_week, found.begin


def git(root, *arguments):
    return subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=True).stdout


# What is chosen


def test_flags_choose_and_the_rest_is_taken_as_it_comes(groundup):
    done = groundup("start", "--track", "core", "--hours", "6.5", "--from", "placement", stdin=subprocess.DEVNULL)
    root = groundup.here / "workspace"
    assert done.returncode == 0 and done.stderr == "" and "groundup placement" in done.stdout
    assert config(root) == ("core", 6.5, "placement")
    with Store(root / ".groundup/progress.db", readonly=True) as store:
        [started] = store.events(kind="started")
    assert started.payload == {"track": "core", "hours_per_week": 6.5, "begin": "placement"}
    assert git(root, "log", "--format=%s").splitlines() == ["A workspace to learn in"]
    assert git(root, "status", "--short") == ""


@pytest.mark.parametrize(
    "flags, said",
    [
        (["--track", "cores"], "core"),
        (["--hours", "200"], "168"),
        (["--from", "99.1"], "99.1"),
        (["--from", "late"], "late"),
        (["--track", "lm", "--from", "1.1"], "lm"),
        (["--track", "absent.toml"], "absent.toml"),
    ],
)
def test_a_choice_that_cannot_be_is_one_line_and_nothing_is_made(groundup, flags, said):
    done = groundup("start", *flags, stdin=subprocess.DEVNULL)
    assert (done.returncode, done.stdout) == (2, "") and one_line(done.stderr) and said in done.stderr
    assert os.listdir(groundup.here) == []


def test_as_json_it_asks_nothing_and_says_what_was_chosen(groundup):
    done = groundup("start", "elsewhere", "--track", "lm", "--json", stdin=subprocess.DEVNULL)
    found = json.loads(done.stdout)
    assert done.returncode == 0 and done.stderr == "" and found["schema"] == 1
    assert found["workspace"] == str(groundup.here / "elsewhere") and found["git"] is True
    assert (found["track"], found["hours_per_week"], found["begin"]) == ("lm", 10, "beginning")
    assert found["lessons"] == [lesson.section_id for lesson in lessons_of(load("lm"))]
    assert found["problems"] == [] and found["next"] == "groundup next" and found["devcontainer"] is False
    assert found["weeks"] == max(1, round(sum(find(name).minutes for name in found["lessons"]) / 600))
    assert date.fromisoformat(found["end"]) >= date.today() + timedelta(weeks=found["weeks"] - 1)
    done = groundup("placement", cwd=groundup.here / "elsewhere")  # a track that begins with phase 7
    assert done.returncode == 0 and "name one" in done.stdout


def test_one_begins_at_the_lesson_that_was_chosen(groundup):
    assert groundup("start", "--from", "2.4").returncode == 0
    root = groundup.here / "workspace"
    assert "2.4 Nearest neighbours" in groundup("next", cwd=root).stdout
    assert json.loads(groundup("map", "--json", cwd=root).stdout)["next"] == "2.4"
    total, _ = weeks(load("everything"), 10, "2.4")
    assert total < weeks(load("everything"), 10)[0]


def test_a_track_of_ones_own_comes_along(groundup):
    (groundup.here / "trees.toml").write_text('title = "Trees"\nroute = [["2.5", "2.6"]]\n')
    done = groundup("start", "--track", "trees.toml")
    root = groundup.here / "workspace"
    assert done.returncode == 0 and "2.5 Decision trees leans on 2.1" in done.stdout
    assert config(root)[0] == "trees" and (root / "tracks/trees.toml").read_text().startswith("title")
    (groundup.here / "trees.toml").unlink()
    assert "2.5 Decision trees" in groundup("next", cwd=root).stdout


def test_start_asks_again_until_an_answer_can_be(groundup):
    """In a terminal, as somebody answers it: a wrong track, a word for hours, a lesson off the track, then right ones."""
    here, there = pty.openpty()
    going = subprocess.Popen(
        [sys.executable, "-m", "groundup", "start"],
        cwd=groundup.here,
        env={**groundup.environment, "TERM": "dumb"},
        stdin=there,
        stdout=there,
        stderr=there,
        start_new_session=True,
    )
    os.close(there)
    said = ""

    def until(pattern):
        nonlocal said
        deadline = time.monotonic() + PATIENCE
        while not re.search(pattern, said):
            assert time.monotonic() < deadline, said
            if select.select([here], [], [], 0.2)[0]:
                with contextlib.suppress(OSError):
                    said += os.read(here, 1 << 14).decode()
        found, said = said, ""
        return found

    def answer(text):
        os.write(here, f"{text}\n".encode())

    opening = until(r"Track.*\[everything\]: $")
    assert "for whoever" in opening and all(load(name).title in opening for name in ("core", "nlp", "engineer", "lm"))
    answer("cor")
    assert "did you mean core" in until(r"(?s)did you mean.*\[everything\]: $")
    answer("lm")
    until(r"Hours.*\[10\]: $")
    answer("ten")
    assert "a number, not 'ten'" in until(r"(?s)a number.*\[10\]: $")
    answer("")
    until(r"begin.*\[beginning\]: $")
    answer("1.1")
    assert "not on the track lm" in until(r"(?s)not on the track.*\[beginning\]: $")
    answer("7.4")
    until(r"groundup next")
    assert going.wait(PATIENCE) == 0
    os.close(here)
    assert config(groundup.here / "workspace") == ("lm", 10, "7.4")


# What is made, and what is left alone


def without_comments(text):
    """What JSON with comments means, where they have lines of their own."""
    return json.loads("\n".join(line for line in text.splitlines() if not line.lstrip().startswith("//")))


def test_what_an_editor_and_a_container_need_is_there_and_well_formed(groundup):
    done = groundup("start", "--devcontainer", "--yes")
    root = groundup.here / "workspace"
    assert done.returncode == 0
    launch = without_comments((root / ".vscode/launch.json").read_text())
    assert [each["type"] for each in launch["configurations"]] == ["debugpy", "debugpy"]
    assert launch["configurations"][1]["args"] == ["check", "--debug"]
    container = json.loads((root / ".devcontainer/devcontainer.json").read_text())
    assert (root / ".devcontainer" / container["build"]["dockerfile"]).is_file()
    assert "ms-python.debugpy" in container["customizations"]["vscode"]["extensions"]
    dockerfile = (root / ".devcontainer/Dockerfile").read_text()
    assert re.search(r"^FROM python:3\.1\d-slim$", dockerfile, re.MULTILINE) and "USER learner" in dockerfile


def test_without_being_asked_there_is_no_container_and_it_can_be_had_later(groundup):
    assert groundup("start", "--yes").returncode == 0
    root = groundup.here / "workspace"
    assert not (root / ".devcontainer").exists()
    (root / ".vscode/launch.json").write_text("mine")
    done = groundup("start", "workspace", "--devcontainer", "--json")
    assert json.loads(done.stdout)["written"] == [".devcontainer/devcontainer.json", ".devcontainer/Dockerfile"]
    assert (root / ".vscode/launch.json").read_text() == "mine"
    assert "there already" in groundup("start", "workspace", "--devcontainer").stdout
    assert (
        groundup("start", "workspace", "--devcontainer", "--track", "core").returncode == 2
    )  # choices are in the file


def test_files_that_are_there_are_never_written_over(groundup):
    root = groundup.here / "workspace"
    own = ("README.md", ".gitignore", ".vscode/launch.json", ".devcontainer/Dockerfile", "notes/README.md")
    for name in own:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("mine")
    assert groundup("start", "--devcontainer", "--yes").returncode == 0
    assert groundup("open", "1.2", cwd=root).returncode == 0
    assert all((root / name).read_text() == "mine" for name in own)


# The table in the README


def test_the_readme_says_what_is_built_after_each_pass(groundup):
    assert groundup("start", "--yes", "--track", "core").returncode == 0
    root = groundup.here / "workspace"
    readme = root / "README.md"
    readme.write_text("# Mine\n\nabove\n" + readme.read_text().partition("\n")[2] + "below\n")
    groundup("open", "1.2", cwd=root)
    assert f"| Gradients | 0 of {sum(x.phase == 1 for x in find_all())} |" in readme.read_text()
    (root / "mine/grad/check.py").write_text(reference_text("grad.check"))
    assert groundup("check", "1.2", cwd=root).returncode == 0
    wanted = f"| Gradients | 1 of {sum(x.phase == 1 for x in find_all())} | 1.2 |"
    deadline = time.monotonic() + PATIENCE
    while wanted not in readme.read_text() or "1.2 passed" not in git(root, "log", "-1", "--format=%s"):
        assert time.monotonic() < deadline, readme.read_text()
        time.sleep(0.05)
    text = readme.read_text()
    assert text.startswith("# Mine\n\nabove\n") and text.endswith("below\n") and "Core: the classical" in text
    assert git(root, "status", "--short") == ""  # the table went along with the pass


@pytest.mark.parametrize(
    "text",
    [b"# Mine alone\n", b"<!-- status -->\nno end\n", b"<!-- /status --><!-- status -->", b"\xff<!-- status -->", b""],
)
def test_a_readme_whose_comments_are_gone_is_left_as_it_is(tmp_path, text):
    workspace = start(tmp_path / "ws", Choices())
    (workspace.root / "README.md").write_bytes(text)
    from groundup.course.checking.steps import open_lesson

    open_lesson(workspace, find("1.2"))
    assert (workspace.root / "README.md").read_bytes() == text


def test_a_readme_that_cannot_be_read_fails_nothing(tmp_path):
    workspace = start(tmp_path / "ws", Choices())
    (workspace.root / "README.md").unlink()
    (workspace.root / "README.md").mkdir()
    from groundup.course.checking.steps import open_lesson

    assert open_lesson(workspace, find("1.2"))


@settings(deadline=None)
@given(st.binary(max_size=40), st.binary(max_size=40), st.binary(max_size=40), st.text(max_size=40))
def test_nothing_outside_the_comments_is_ever_touched(above, between, below, text):
    readme = above + BEGIN + between + END + below
    after = replaced(readme, text)
    if readme.count(BEGIN) == readme.count(END) == 1:
        assert after.startswith(above + BEGIN) and after.endswith(END + below)
        assert "".join(text.split()) in "".join(after.decode(errors="replace").split())
    else:
        assert after == readme
    assert replaced(after, text) == after or BEGIN.decode() in text or END.decode() in text


# A debugger that stops


@pytest.mark.thorough
def test_a_breakpoint_in_ones_own_file_stops_at_the_failing_case(groundup):
    assert groundup("start", "--yes").returncode == 0
    root = groundup.here / "workspace"
    groundup("open", "1.2", cwd=root)
    path = root / "mine/grad/check.py"
    wrong = reference_text("grad.check").replace("/ (up - down)", "/ (up - down + 1)")
    assert wrong != reference_text("grad.check")
    path.write_text(wrong)
    line = next(i for i, text in enumerate(wrong.splitlines(), 1) if "/ (up - down + 1)" in text)
    script = [f"b {path}:{line}", "c", "p ('stopped', type(x).__name__, bool(up > down))", "cl 1", "c", "q"]
    words = [word for command in script for word in ("-c", command)]
    done = subprocess.run(
        [sys.executable, "-m", "pdb", *words, "-m", "groundup", "check", "1.2", "--debug"],
        cwd=root, env=groundup.environment, capture_output=True, text=True, timeout=PATIENCE, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert "('stopped', 'float', True)" in done.stdout, done.stdout + done.stderr
    assert "yours, run here" in done.stdout and "expected" in done.stdout
    path.write_text(reference_text("grad.check"))
    passing = groundup("check", "1.2", "--debug", cwd=root)
    assert passing.returncode == 0 and "no failing case" in passing.stdout


def test_a_file_of_ones_own_runs_as_the_module_it_is(groundup):
    assert groundup("start", "--yes").returncode == 0
    root = groundup.here / "workspace"
    path = root / "mine/grad/tried.py"
    path.parent.mkdir()
    path.write_text(
        "import sys\nfrom .value import Value\nif __name__ == '__main__':\n    print((Value(2) * 3).data, sys.argv[1:])\n"
    )
    command = [sys.executable, "-m", "groundup.course.debugging", str(path)]
    done = subprocess.run(command, cwd=root, env=groundup.environment, capture_output=True, text=True, timeout=PATIENCE)
    assert done.stdout.split() == ["6.0", "[]"] or done.stdout.split() == ["6", "[]"], done.stderr
    elsewhere = groundup.here / "alone.py"
    elsewhere.write_text("print(__name__)\n")
    done = subprocess.run([*command[:-1], str(elsewhere)], capture_output=True, text=True, timeout=PATIENCE)
    assert done.stdout == "__main__\n"


# Placement, as one types it


def test_placement_by_files_then_the_map_shows_it_built(groundup):
    assert groundup("start", "--yes", "--from", "placement").returncode == 0
    root = groundup.here / "workspace"
    own = groundup.here / "value.py"
    own.write_text("class Value:\n    pass\n")
    assert groundup("open", "1.3", cwd=root).returncode == 0
    done = groundup("placement", "1.3", "--file", own, cwd=root)
    assert done.returncode == 1 and f"groundup check 1.3 --file {own} --seed" in done.stdout
    own.write_text(reference_text("grad.value"))
    done = groundup("placement", "1.3", "--file", own, "--json", cwd=root)
    found = json.loads(done.stdout)
    assert done.returncode == 0 and found["schema"] == 1
    [lesson] = found["lessons"]
    assert (lesson["lesson"], lesson["known"], lesson["how"]) == ("1.3", True, "placed")
    states = {
        each["lesson"]: each["state"] for each in json.loads(groundup("map", "--json", cwd=root).stdout)["lessons"]
    }
    assert states["1.3"] in ("built", "stretch")
    assert (root / "mine/grad/value.py").read_text() == own.read_text()
    assert "Placed by their checkpoints: 1.3" in git(root, "log", "-1", "--format=%s")


def test_placement_of_nothing_says_what_to_do_and_of_what_is_wrong_is_status_1(groundup):
    assert groundup("start", "--yes").returncode == 0
    root = groundup.here / "workspace"
    done = groundup("placement", cwd=root)
    assert done.returncode == 0 and "groundup open 1.0" in done.stdout and "--file" in done.stdout
    assert groundup("placement", "1.2", cwd=root).returncode == 1
    (root / "mine/grad").mkdir()
    (root / "mine/grad/check.py").write_text("def derivative(f, x, h=None):\n    return 0.0\n")
    done = groundup("placement", "1.2", cwd=root)
    assert done.returncode == 1 and "✗ 1.2" in done.stdout and "groundup check 1.2 --seed" in done.stdout
    for words in (["1.2", "1.3", "--file", "x.py"], ["99"], ["1.2", "--file", "absent.py"]):
        done = groundup("placement", *words, cwd=root)
        assert (done.returncode, done.stdout) == (2, "") and one_line(done.stderr)
