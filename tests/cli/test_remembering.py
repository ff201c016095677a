"""log, recall and arena as commands: what they say, what they keep, and their one JSON object."""

import json
import os
import pty
import re
import select
import subprocess
import sys
import time

import pytest

from groundup import cli
from groundup.course.holes.library import module_name, reference_text
from groundup.course.lessons.lesson import find
from groundup.course.progress.store import Store
from groundup.course.tracks import FINAL
from groundup.course.workspace.kept_runs import kept_recipes
from groundup.course.workspace.workspace import Config, find_workspace, make_workspace

DAY = 86400
TRACK = 'title = "Two lessons"\nwho = "me"\nroute = [["1.2", "1.3"]]\n[[gate]]\nname = "the end"\nsays = "all of it"\nruns = ["recall --final"]\n'


class Commands:
    """status, out, err = commands("log", "one line"); object("recall") with --json."""

    def __init__(self, root, capsys):
        self.root, self.capsys = root, capsys

    def __call__(self, *arguments):
        self.capsys.readouterr()
        status = cli.run([str(argument) for argument in arguments])
        said = self.capsys.readouterr()
        return status, said.out, said.err

    def object(self, *arguments, status=0):
        ended, out, err = self(*arguments, "--json")
        assert ended == status and not err, out + err
        found = json.loads(out, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
        assert found["schema"] == 1
        return found

    def events(self, kind):
        with find_workspace(self.root).store(readonly=True) as store:
            return [event.payload for event in store.events(kind=kind)]


@pytest.fixture
def commands(tmp_path, monkeypatch, capsys):
    """A workspace on a track of two lessons, both passed three days ago."""
    root = tmp_path / "ws"
    (root / "tracks").mkdir(parents=True)
    (root / "tracks" / "two.toml").write_text(TRACK)
    workspace = make_workspace(root, Config(track="two"))
    with Store(workspace.database, clock=lambda: time.time() - 3 * DAY) as store:
        for name in ("1.2", "1.3"):
            store.append("passed", name, reference(name), stretch=False)
    monkeypatch.chdir(root)
    monkeypatch.setenv("EDITOR", "false")
    return Commands(root, capsys)


def reference(name):
    return {path: reference_text(module_name(path)).encode() for path in find(name).builds}


def test_a_log_by_the_command_line(commands):
    status, out, _ = commands("log")
    assert status == 0 and "1.3 A scalar autograd engine has no entry" in out and "exercises not ticked off" in out
    status, out, _ = commands("log", "1.3")
    [path] = (commands.root / "notes/log").glob("*.md")
    assert status == 0 and out.strip() == f"notes/log/{path.name}" and path.name.endswith("-1.3.md")
    before = path.read_bytes()
    assert commands("log", "1.3", "slopes", "are known early")[0] == 0
    assert path.read_bytes().startswith(before) and path.read_text().endswith(" slopes are known early\n")
    made = commands.object("log", "1.3", "--explain", "YES", "--why", "n")
    assert made["rating"] == {"explain": "yes", "why": "no"} and made["made"] is False and made["lesson"] == "1.3"
    assert [event["how"] for event in commands.events("noted")] == ["opened", "line", "read"]
    assert commands.object("log", "a whole", "line")["lesson"] is None
    found = commands.object("log", "--search", "WHOLE")["found"]
    assert len(found) == 1 and found[0]["text"].endswith("a whole line")
    assert commands.object("log", "--search", "nowhere", status=1)["found"] == []
    week = commands.object("log", "--week")
    assert "a whole line" in week["text"] and len(week["entries"]) == 2
    assert commands("log", "--of", "2026-01-05")[1].startswith("# Week of 5 Jan 2026 to 11 Jan 2026")
    overview = commands.object("log")
    assert overview["waiting"] == ["1.2"] and overview["exercises_left"]["1.3"] == [1, 2, 3, 4]
    path.write_text(path.read_text().replace("looking: yes", "looking: no") + "\nrebuild: partly\n")
    commands("log")
    assert commands.events("noted")[-1]["rating"]["rebuild"] == "partly"  # read from the file's own lines
    for wrong in (
        ("log", "--of", "soon"),
        ("log", "9.9"),
        ("log", "1.3", "--why", "maybe"),
        ("log", "--why", "yes"),
        ("log", " "),
    ):
        status, out, err = commands(*wrong)
        assert status == 2 and not out and len(err.splitlines()) == 1


def test_after_a_break_the_last_entries_are_shown(tmp_path, monkeypatch, capsys):
    workspace = make_workspace(tmp_path / "ws")
    (workspace.root / ".groundup" / "progress.db").unlink()
    with Store(workspace.database, clock=lambda: time.time() - 20 * DAY) as store:
        store.append("opened", "1.1")
    folder = workspace.root / "notes/log"
    folder.mkdir()
    for day in range(1, 6):
        (folder / f"2026-01-0{day}.md").write_text(f"# Day {day}\n\n- 10:00 thought {day}\n")
    monkeypatch.chdir(workspace.root)
    status, out, _ = Commands(workspace.root, capsys)("log")
    assert status == 0 and out.startswith("20 days since the last time.")
    assert out.count("thought 5") == out.count("thought 3") == 1 and "thought 2" not in out
    assert (cli.run(["hint", "1.1"]), capsys.readouterr())[0] == 0  # something is done first on coming back
    (folder / "2026-01-06.md").symlink_to("nowhere")
    out = Commands(workspace.root, capsys)("log")[1]
    assert out.startswith("20 days since the last time.") and "it cannot be read: No such file" in out


def test_questions_are_listed_and_rated(commands):
    found = commands.object("recall")
    assert {card["kind"] for card in found["today"]} > {"question"} and found["due"] > len(found["today"])
    question = next(card for card in found["today"] if card["kind"] == "question")
    status, out, _ = commands("recall", question["card"])
    assert status == 0 and "--rate again, hard, good or easy" in out
    rated = commands.object("recall", question["card"], "--rate", "good")
    assert rated["rating"] == "good" and re.fullmatch(r"\d{4}-\d\d-\d\d", rated["due"])
    after = commands.object("recall", "--all")
    assert after["minutes_done"] == 2 and after["due"] == found["due"] - 1
    card = next(card for card in after["cards"] if card["card"] == question["card"])
    assert card["times"] == 1 and card["due"] == rated["due"]
    status, out, _ = commands("recall")
    assert status == 0 and "can wait until tomorrow" in out
    for wrong in (("recall", "9.9"), ("recall", "--rate", "good"), ("recall", question["card"], "--rate", "meh")):
        status, out, err = commands(*wrong)
        assert status == 2 and not out and len(err.splitlines()) == 1


def test_code_is_handed_out_judged_and_given_up(commands):
    given = commands.object("recall", "1.3/bug")
    assert given["passed"] is None and given["own"] is False and given["part"] is None
    path = commands.root / given["path"]
    assert path.read_text() != reference_text("grad.value")
    failed = commands.object("recall", "1.3/bug", status=1)
    assert failed["passed"] is False and all(c["fault"] is None for c in failed["verdict"]["checkpoints"])
    status, _, err = commands("recall", "1.2/bug", "--rate", "good")
    assert status == 0 and not err  # it is handed out first: nothing is rated on one's word
    assert commands.events("recalled") == []
    path.write_bytes(reference("1.3")["grad/value.py"])
    passed = commands.object("recall", "1.3/bug", "--rate", "hard")
    assert passed["passed"] and passed["rating"] == "hard"
    assert commands.object("recall", "1.2/bug", "--rate", "again")["rating"] == "again"
    kept = commands.events("recalled")
    assert [(event["card"], event["rating"]) for event in kept] == [("1.3/bug", "hard"), ("1.2/bug", "again")]
    assert kept[0]["checks"] == 1 and kept[0]["part"]


def test_the_arena_keeps_ones_own_times(commands):
    hardest = commands.object("arena")["lessons"]
    assert {bout["lesson"] for bout in hardest} == {"1.2", "1.3"} and all(bout["best"] is None for bout in hardest)
    begun = commands.object("arena", "1.3")
    [path] = [commands.root / name for name in begun["paths"]]
    assert all(line.startswith("#") or not line for line in path.read_text().splitlines())
    assert "def backward(self)" in path.read_text()
    assert commands.object("arena", "1.3", status=1)["passed"] is False
    path.write_bytes(reference("1.3")["grad/value.py"])
    done = commands.object("arena", "1.3")
    assert done["passed"] and done["seconds"] == done["best"] > 0
    commands.object("arena", "1.3")
    assert path.read_bytes() != reference("1.3")["grad/value.py"]  # blank again; what stood there is kept
    assert commands.object("arena", "1.3", "--stop")["stopped"]
    [bout] = [bout for bout in commands.object("arena")["lessons"] if bout["lesson"] == "1.3"]
    assert bout["times"] == [done["seconds"]] and bout["begun"] is None
    with find_workspace(commands.root).store(readonly=True) as store:
        kept = store.events(kind="arena-begun")[-1].payload["files"]
        assert store.blob(kept["arena/1.3/grad/value.py"]) == reference("1.3")["grad/value.py"]
    for wrong in (("arena", "1.3", "--stop"), ("arena", "1.4"), ("arena", "9.9")):
        status, out, err = commands(*wrong)
        assert status == 2 and not out and len(err.splitlines()) == 1


def test_the_last_test_of_a_track(commands):
    workspace = find_workspace(commands.root)
    assert FINAL not in kept_recipes(workspace)
    first = commands.object("recall", "--final")
    assert (first["met"], first["passed"], first["of"]) == (False, 0, 2)
    assert commands.object("recall", "--final", status=1)["verdict"]["passed"] is False
    for behind in (1, 2):
        task = commands.object("recall", "--final", status=1)["task"]
        path = commands.root / task["path"]
        source = next(
            data for name in ("1.2", "1.3") for file, data in reference(name).items() if file.endswith("/" + path.name)
        )
        path.write_bytes(source)
        said = commands.object("recall", "--final")
        assert said["passed"] == behind and said["met"] == (behind == 2)
    assert FINAL in kept_recipes(workspace)
    assert commands.object("recall", "--final")["met"] is True
    assert commands("recall", "--final")[1] == "The last test of Two lessons is passed.\n"


def test_the_last_test_waits_until_the_track_is_built(commands):
    with find_workspace(commands.root).store() as store:
        store.append("opened", "1.1")
    text = (commands.root / "tracks/two.toml").read_text()
    (commands.root / "tracks/two.toml").write_text(text.replace('"1.3"', '"1.3", "1.4"'))
    status, out, err = commands("recall", "--final")
    assert status == 2 and not out and "1.4 to go" in err
    assert commands.events("final-begun") == []


def test_a_pass_says_once_that_the_log_waits(groundup, value_source):
    assert groundup("start", "--yes").returncode == 0
    path = groundup.here / "workspace/mine/grad/value.py"
    path.parent.mkdir(parents=True)
    path.write_text(value_source)
    assert "your log waits: groundup log 1.3" in groundup("check", "1.3").stdout
    assert "log" not in groundup("check", "1.3").stdout


class Terminal:
    """A command at a terminal of its own: type keys, read what has come."""

    def __init__(self, root, environment, *arguments):
        self.master, slave = pty.openpty()
        command = [sys.executable, "-m", "groundup", *arguments]
        self.process = subprocess.Popen(command, cwd=root, stdin=slave, stdout=slave, stderr=slave, env=environment)
        os.close(slave)
        self.seen = ""

    def wait_for(self, text, seconds=60):
        """Reads until a text comes that has not come before."""
        until = time.monotonic() + seconds
        while text not in self.seen:
            assert time.monotonic() < until, self.seen
            if select.select([self.master], [], [], 0.2)[0]:
                try:
                    self.seen += os.read(self.master, 65536).decode(errors="replace")
                except OSError:  # the other side has closed it
                    break
        assert text in self.seen, self.seen
        self.seen = self.seen.partition(text)[2]

    def type(self, keys):
        os.write(self.master, keys.encode())

    def end(self):
        status = self.process.wait(60)
        os.close(self.master)
        return status


def test_one_card_one_key_at_a_terminal(commands):
    terminal = Terminal(commands.root, {**os.environ, "NO_COLOR": "1"}, "recall")
    terminal.wait_for("1 of ")
    terminal.wait_for("q enough")
    terminal.type(" ")
    terminal.wait_for("\n")
    terminal.type("x3")
    terminal.wait_for("good: due on")
    terminal.wait_for("2 of ")
    terminal.wait_for("q enough")
    terminal.type("q")
    assert terminal.end() == 0
    [rated] = commands.events("recalled")
    assert rated["rating"] == "good" and rated["form"] == "question"


def test_an_entry_is_opened_in_the_learners_editor(commands):
    editor = commands.root / "editor.sh"
    editor.write_text('#!/bin/sh\nsed -i "s/without looking:/& yes/" "$2"\n')
    editor.chmod(0o755)
    environment = {**os.environ, "NO_COLOR": "1", "VISUAL": f"'{editor}' --wait"}
    terminal = Terminal(commands.root, environment, "log", "1.3")
    terminal.wait_for("explain it without looking: yes")
    assert terminal.end() == 0
    assert commands.events("noted")[-1]["rating"] == {"explain": "yes"}
