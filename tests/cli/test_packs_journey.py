"""A course by others as one types it: asked once, built, asked again when a file changes; and nothing of it runs before."""

import contextlib
import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "tiny-pack"
LESSON = "lessons/01-series/01-moving-averages"
PATIENCE = 60  # seconds that an answer may take on a machine where others are at work


@pytest.fixture
def pack(groundup):
    """A copy of the example where the command runs, whose configuration is there too."""
    for name in ("CONFIG", "DATA", "CACHE"):
        groundup.environment[f"XDG_{name}_HOME"] = str(groundup.here.parent / name.lower())
    return Path(shutil.copytree(EXAMPLE, groundup.here / "pack"))


def refused(done, *said):
    assert (done.returncode, done.stdout) == (2, "") and done.stderr.count("\n") == 1, done
    assert all(word in done.stderr for word in said), done.stderr
    return re.search(r"--trust ([0-9a-f]{64})", done.stderr)


def test_a_pack_from_its_first_question_to_its_last_lesson_and_asked_again(groundup, pack):
    done = groundup("start", "--course", "pack", "--yes", stdin=subprocess.DEVNULL)
    digest = refused(done, "tiny-pack", "not been trusted yet")[1]
    assert not (groundup.here / "workspace").exists()
    refused(groundup("start", "--course", "pack", "--trust", "0" * 64), digest)
    refused(groundup("start", "--course", "pack", "--trust", ""), digest)
    refused(groundup("start", "--trust", digest), "--course")

    done = groundup("start", "--course", "pack", "--trust", digest, "--json")
    found = json.loads(done.stdout)
    assert found["course"]["hash"] == digest and found["lessons"] == ["1.1"] and found["title"].startswith("Moving")
    root = groundup.here / "workspace"
    assert "1.1 Moving averages" in groundup("next", cwd=root).stdout
    page = (root / "README.md").read_text()
    assert page.startswith(f"# {found['title']}\n") and "from the course `tiny-pack`" in page
    done = groundup("check", cwd=root)
    assert done.returncode == 1 and "not written yet" in done.stdout

    written = (pack / "series" / "averages.py").read_text()
    mine = root / "mine" / "averages.py"
    mine.write_text(written.replace("1 - decay**t)", "1 - decay ** (t + 1))"))
    done = groundup("check", cwd=root)
    assert done.returncode == 1 and "one too large throughout" in done.stdout
    mine.write_text(written)
    assert groundup("check", cwd=root).returncode == 0
    assert "Everything that is here is built" in groundup(cwd=root).stdout
    assert "A shop sells 12 loaves" in groundup("show", "1.1", cwd=root).stdout
    assert groundup("check", "1.1", "--file", mine, cwd=root).returncode == 0

    with open(pack / LESSON / "checks.py", "a") as file:
        file.write("\n# harmless\n")
    for arguments in (
        (),
        ("check",),
        ("check", "1.1"),
        ("show", "1.1"),
        ("next",),
        ("bug", "1.1"),
        ("desk", "--no-browser"),
    ):
        changed = refused(groundup(*arguments, cwd=root, stdin=subprocess.DEVNULL), "has changed since")[1]
    assert changed != digest
    done = groundup("start", "--course", pack, "--trust", changed, cwd=root)
    assert done.returncode == 0 and "trusted as it now is" in done.stdout and not (root / "workspace").exists()
    assert groundup("check", cwd=root).returncode == 0


def test_a_pack_in_a_wheel_is_learned_from_where_it_was_unpacked(groundup, pack):
    shutil.make_archive(str(groundup.here / "tiny"), "zip", groundup.here, "pack")
    shutil.rmtree(pack)
    digest = refused(groundup("start", "--course", "tiny.zip"))[1]
    assert groundup("start", "--course", "tiny.zip", "--trust", digest[:16]).returncode == 0
    root = groundup.here / "workspace"
    assert "averages.py" in groundup("next", cwd=root).stdout
    assert groundup("check", cwd=root).returncode == 1
    (groundup.here / "tiny.zip").unlink()
    refused(groundup("check", cwd=root), "tiny.zip", "no course here")


def test_nothing_of_a_pack_runs_before_it_is_trusted(groundup, pack):
    """Every Python file of the pack leaves a mark when it is run, and each command is given its chance to run one."""
    marks = groundup.here / "marks"
    marks.mkdir()
    (pack / LESSON / "conftest.py").touch()
    (pack / "setup.py").touch()
    for path in pack.rglob("*.py"):
        text = path.read_text().replace("from __future__ import annotations\n", "")
        path.write_text(f"import pathlib as _p\n_p.Path({str(marks / path.name)!r}).touch()\n{text}")
    root = groundup.here / "workspace"
    digest = refused(groundup("start", "--course", "pack"))[1]
    (root / "mine").mkdir(parents=True)
    (root / "groundup.toml").write_text('format = 1\ncourse = "../pack"\n')
    shutil.copy(pack / LESSON / "lesson.md", root)
    (root / "mine" / "__init__.py").write_text(
        "from pathlib import Path\nfrom groundup.course.overlay import over_reference\n"
        "over_reference(Path(__file__).resolve().parent.parent).join()\n"
    )
    for arguments in (
        (), ("check", "1.1"), ("check", "1.1", "--file", "mine/__init__.py"), ("check", "--debug"), ("open", "1.1"),
        ("next",), ("show", "1.1"), ("show", "1.1", "--figures"), ("bug", "1.1"), ("solution", "1.1", "--yes"),
        ("placement", "1.1"), ("recall",), ("grade", "mine"), ("watch",),
        ("desk", "--no-browser"), ("portfolio",), ("start", "other", "--course", pack, "--yes"),
        ("author", "preview", pack, "--text"), ("author", "preview", pack, "--no-browser"), ("map", "--json"),
    ):  # fmt: skip
        done = groundup(*arguments, cwd=root, stdin=subprocess.DEVNULL)
        assert done.returncode == 2 and "not been trusted yet" in done.stderr, (arguments, done)
    done = subprocess.run(
        [sys.executable, "-c", "import mine.averages"],
        cwd=root,
        capture_output=True,
        text=True,
        env=groundup.environment,
    )
    assert "not been trusted yet" in done.stderr
    reply = subprocess.run(
        [sys.executable, "-c", "from groundup.course.checking.client import judge; import pathlib; "
         "print(judge(pathlib.Path.cwd(), {'do': 'check', 'lesson': '1.1'}))"],
        cwd=root, capture_output=True, text=True, env=groundup.environment,
    )  # fmt: skip
    assert "not been trusted yet" in reply.stdout
    assert os.listdir(marks) == []

    assert groundup("start", "--course", pack, "--trust", digest, cwd=root).returncode == 0
    groundup("check", "1.1", cwd=root)
    groundup("show", "1.1", "--figures", cwd=root)
    assert {"checks.py", "figures.py"} <= set(os.listdir(marks))  # and after it they do


def test_in_a_terminal_it_shows_what_it_is_and_asks_once(groundup, pack):
    assert answered(groundup, ["start", "--course", "pack"], [r"hash +[0-9a-f]{64}[\s\S]*\[y/N\]: $"], ["n"])[0] == 2
    assert not (groundup.here / "workspace").exists()
    status, said = answered(
        groundup,
        ["start", "--course", "pack", "--track", "everything", "--hours", "5", "--from", "beginning"],
        [r"\[y/N\]: $"],
        ["y"],
    )
    assert status == 0 and "1 lesson" in said and "The authors of groundup" in said
    root = groundup.here / "workspace"
    assert groundup(cwd=root).returncode == 0
    with open(pack / "course.toml", "a") as file:
        file.write("# again\n")
    status, said = answered(groundup, ["map"], [r"not as it was[\s\S]*\[y/N\]: $"], ["yes"], cwd=root)
    assert status == 0 and "Series 0 of 1" in said
    assert groundup(cwd=root).returncode == 0


def answered(groundup, arguments, questions, answers, cwd=None):
    """Exit status and output of a command in a terminal, each question waited for and answered."""
    here, there = pty.openpty()
    going = subprocess.Popen(
        [sys.executable, "-m", "groundup", *arguments],
        cwd=cwd or groundup.here,
        env={**groundup.environment, "TERM": "dumb"},
        stdin=there,
        stdout=there,
        stderr=there,
        start_new_session=True,
    )
    os.close(there)
    said, since, waiting = "", 0, list(zip(questions, answers))
    deadline = time.monotonic() + PATIENCE
    while going.poll() is None or select.select([here], [], [], 0)[0]:
        assert time.monotonic() < deadline, said
        if select.select([here], [], [], 0.1)[0]:
            try:
                said += os.read(here, 1 << 14).decode().replace("\r\n", "\n")
            except OSError:
                break
        if waiting and re.search(waiting[0][0], said[since:]):
            since = len(said)
            os.write(here, f"{waiting.pop(0)[1]}\n".encode())
    os.close(here)
    assert not waiting, said
    return going.wait(PATIENCE), said


def test_author_new_check_and_preview(groundup, pack):
    done = groundup("author", "new", "course", "--json")
    assert len(json.loads(done.stdout)["written"]) == 7
    done = groundup("author", "check", "course", "--json")
    [lesson] = json.loads(done.stdout)["lessons"]
    assert done.returncode == 0 and lesson["problems"] == [] and lesson["named"] == lesson["faults"]
    refused(groundup("author", "new", "course"), "not empty")
    refused(groundup("author", "new", ".", "--lesson"), "no pack")
    digest = refused(groundup("author", "preview", "course", "--text"), "groundup author preview")[1]
    done = groundup("author", "preview", "course", "--text", "--trust", digest)
    assert done.returncode == 0 and "## Checkpoints" in done.stdout

    going = subprocess.Popen(
        [sys.executable, "-m", "groundup", "author", "preview", "course", "--no-browser"],
        cwd=groundup.here, env=groundup.environment, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        address = re.search(r"http\S+", going.stdout.readline())[0]
        with httpx.Client(follow_redirects=True, timeout=PATIENCE) as client:
            client.get(address, headers={"Sec-Fetch-Site": "none"})
            page = address.split("?")[0] + "lesson/1.1"
            assert "Moving averages" in client.get(page).text
            path = groundup.here / "course" / LESSON / "lesson.md"
            path.write_text(path.read_text().replace("title: Moving averages", "title: <b>Means</b> that move"))
            shown = client.get(page).text
            assert "&lt;b&gt;Means&lt;/b&gt; that move" in shown and "<b>Means" not in shown
    finally:
        going.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            going.wait(PATIENCE)
        going.stdout.close()
    assert going.returncode == 0
