"""Runs that are started from the desk: recorded, known again by another desk, stopped as by Ctrl-C, resumed, refused in a sentence."""

import asyncio
import json
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from groundup.course.workspace.workspace import make_workspace
from groundup.desk.laboratory.launching import Launches
from groundup.desk.laboratory.writing import Writer
from groundup.desk.paging import Refused
from groundup.lab import recipe as recipes
from groundup.lab.record import Records

LAUNCH = Path(__file__).parents[1] / "cli" / "launch.py"
COUNTING = 'title = "Counting"\nexperiment = "counting"\n[values]\nsteps = 30\n[claims]\nval_loss = "< 1"\n'
PATIENCE = 60.0


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A workspace, and recipes of its own that its runs and this process see alike."""
    folder = tmp_path / "recipes"
    folder.mkdir()
    (folder / "counting.toml").write_text(COUNTING)
    monkeypatch.setattr(recipes, "recipes_root", lambda: folder)
    monkeypatch.setenv("HOME", str(tmp_path))
    made = Place(make_workspace(tmp_path / "ws").root, (sys.executable, str(LAUNCH), str(folder)))
    yield made
    made.end()


class Place:
    def __init__(self, root, command):
        self.root, self.command = root, command
        self.desks = []

    def desk(self):
        """Another desk over the same workspace."""
        self.desks.append(Launches(self.root, self.command))
        return self.desks[-1]

    def row(self, run):
        with Records(self.root / "runs") as kept:
            return kept.find(str(run))

    def standing(self, run):
        with Records(self.root / "runs") as kept:
            return kept.standing(kept.find(str(run)))

    def wait(self, what):
        until = time.monotonic() + PATIENCE
        while not (found := what()):
            assert time.monotonic() < until, "it took too long"
            time.sleep(0.02)
        return found

    def end(self):
        for desk in self.desks:
            for launch in desk.going():
                os.killpg(launch.process.pid, signal.SIGKILL)
                launch.process.wait()


def test_a_run_is_recorded_with_its_values_and_what_it_prints_is_kept(place):
    desk = place.desk()
    launch = desk.start("counting", {"width": "8", "optim.kind": "a b"}, seed=3)
    run = desk.recorded(launch, PATIENCE)
    place.wait(lambda: place.row(run).status == "finished")
    row = place.row(run)
    assert (row.config["width"], row.config["optim.kind"], row.seed, row.mine) == (8, "a b", 3, False)
    place.wait(lambda: "kept: val_loss < 1" in desk.tail(run))
    assert desk.printed(run) > 0 and "Counting" in desk.tail(run)
    assert "3 more" not in desk.tail(run)


def test_what_cannot_be_started_says_so_in_its_own_words(place):
    desk = place.desk()
    for values, said in [
        ({"widht": "8"}, "did you mean width?"),
        ({"width": "many"}, "width is of type int, and 'many' is not"),
    ]:
        with pytest.raises(Refused, match=said):
            desk.recorded(desk.start("counting", values), PATIENCE)
    with pytest.raises(recipes.RecipeError, match="there is no recipe 'nothing'"):
        desk.start("nothing", {})
    for name in ("--mine", "width=3 --json", "a b", "", "x\n"):
        with pytest.raises(Refused, match="is no name of a value"):
            desk.start("counting", {name: "1"})
    with pytest.raises(Refused, match="too long"):
        desk.start("counting", {"width": "1" * 5000})


def test_a_value_is_never_an_option(place):
    desk = place.desk()
    run = desk.recorded(desk.start("counting", {"optim.kind": "--mine --resume"}), PATIENCE)
    assert place.row(run).config["optim.kind"] == "--mine --resume" and not place.row(run).mine


def test_what_is_stopped_is_interrupted_and_can_go_on_under_its_name(place, monkeypatch):
    monkeypatch.setenv("PACE", "0.02")
    first = place.desk()
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as a desk has it that was put into the background
    try:
        run = first.recorded(first.start("counting", {"steps": "1000000"}), PATIENCE)
    finally:
        signal.signal(signal.SIGINT, before)
    place.wait(lambda: _logged(place, run) > 20)
    second = place.desk()
    second.stop(place.row(run))
    place.wait(lambda: place.row(run).status == "interrupted")
    with pytest.raises(Refused, match="is not running on this machine"):
        second.stop(place.row(run))
    place.wait(lambda: not first.going())
    before = second.printed(run)
    resumed = second.resume(place.row(run))
    assert second.recorded(resumed, PATIENCE) == run
    place.wait(lambda: place.standing(run) == "running" and second.printed(run) > before)
    with pytest.raises(Refused, match="is running: only a run that was cut off can go on"):
        first.resume(place.row(run))
    second.stop(place.row(run))
    place.wait(lambda: place.row(run).status == "interrupted")
    with Records(place.root / "runs") as kept:
        assert [attempt.status for attempt in kept.attempts(run)] == ["interrupted", "interrupted"]


def _logged(place, run):
    with Records(place.root / "runs") as kept:
        return len(kept.metrics(run, "loss"))


def test_more_than_two_at_a_time_are_refused_also_by_a_desk_that_was_started_anew(place, monkeypatch):
    monkeypatch.setenv("PACE", "0.02")
    first = place.desk()
    runs = [first.recorded(first.start("counting", {"steps": "1000000"}, seed=seed), PATIENCE) for seed in (1, 2)]
    for desk in (first, place.desk()):
        with pytest.raises(Refused, match=r"counting-\d and counting-\d are going on"):
            desk.start("counting", {})
    first.stop(place.row(runs[0]))
    place.wait(lambda: place.row(runs[0]).status == "interrupted" and len(first.going()) == 1)
    assert first.recorded(first.start("counting", {}), PATIENCE)


def test_what_was_printed_is_read_as_a_terminal_shows_it(place):
    desk = place.desk()
    run = desk.recorded(desk.start("counting", {}), PATIENCE)
    place.wait(lambda: not desk.going())
    path = desk.output(run)
    path.write_bytes(b"\x1b[31mred\x1b[0m\n 10 %\r 20 %\r100 %\r\nlast \xff\x07\x1b]0;title\x07!\n")
    assert desk.tail(run) == "red\n100 %\nlast \ufffd!\n"
    path.write_bytes(b"x" * 10_000_000)
    assert len(desk.tail(run)) <= 33_000


def test_a_record_cannot_make_the_desk_read_another_file(place, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    with Records(place.root / "runs") as kept:
        with kept.begin("counting", 0, {"seed": 0}, "abc"):
            pass
        with kept._writing() as db:
            db.execute("UPDATE run SET environment = ?", (json.dumps({"launch": "../../../secret"}),))
    assert place.desk().tail(1) is None


def test_a_text_is_streamed_as_it_comes_and_one_at_a_time(place):
    desk = place.desk()
    run = desk.recorded(desk.start("counting", {"width": "5"}), PATIENCE)
    place.wait(lambda: place.row(run).status == "finished")

    async def talk():
        writer = Writer(place.root, place.command)
        lines = [json.loads(line) async for line in writer.write(run, "--so", {"tokens": "4", "temperature": ""})]
        assert "".join(line.get("text", "") for line in lines) == "--so 0 5 10 15\n" and lines[-1] == {"done": True}
        lines = [json.loads(line) async for line in writer.write(run, "", {"min_p": "0.1"})]
        assert "knows no --min-p" in lines[-1]["error"]
        for prompt, options in [
            ("x\0", {}),
            ("x" * 5000, {}),
            ("x", {"tokens": "many"}),
            ("x", {"tokens": "0"}),
            ("x", {"top_p": "2"}),
        ]:
            with pytest.raises(Refused):
                writer.write(run, prompt, options)
        unread, first, late = (writer.write(run, prompt, {"tokens": "3"}) for prompt in "abc")
        assert "text" in await anext(first)
        assert "a text is being written" in json.loads(await anext(late))["error"]
        with pytest.raises(Refused, match="a text is being written"):
            writer.write(run, "d", {})
        await first.aclose()
        lines = [json.loads(line) async for line in unread]
        assert lines[-1] == {"done": True}, "what nobody reads any more makes room"

    asyncio.run(talk())
