"""What a run logs is in the file: in order, after a kill, and for a reader that follows."""

import hashlib
import math
import os
import signal
import subprocess
import sys

import pytest

from groundup.lab.record import Pruned, Records
from groundup.lab.sqlite import StoreError
from groundup.lab.surroundings import source_hash


@pytest.fixture
def records(tmp_path):
    with Records(tmp_path / "runs") as kept:
        yield kept


def begin(records, **config):
    return records.begin("moons", 3, config, "abc")


def test_a_run_is_recorded_with_all_that_it_ran_on(records):
    with begin(records, width=8) as run:
        run.log(0, loss=1.0, accuracy=0.5)
        run.log(1, loss=0.5)
        run.end("finished", {"test_accuracy": 0.9})
    row = records.find("moons-1")
    assert (row.recipe, row.seed, row.mine, row.config, row.source) == ("moons", 3, False, {"width": 8}, "abc")
    assert (row.status, row.result) == ("finished", {"test_accuracy": 0.9}) and row.seconds > 0
    assert row.hardware["cores"] >= 1 and row.environment["numpy"]
    assert [m[1:] for m in records.metrics(row.id)] == [(0, "loss", 1.0), (0, "accuracy", 0.5), (1, "loss", 0.5)]
    assert [m[1:] for m in records.metrics(row.id, "loss")] == [(0, "loss", 1.0), (1, "loss", 0.5)]


def test_a_reader_follows_by_row(records):
    with begin(records) as run:
        run.log(0, loss=2.0)
        run.write()
        [(seen, *_)] = records.metrics(run.id)
        run.log(1, loss=math.nan)
        run.write()
        [(_, step, name, value)] = records.metrics(run.id, after=seen)
    assert (step, name) == (1, "loss") and math.isnan(value)


def test_files_are_kept_by_their_hash(records):
    with begin(records) as run:
        (run.folder / "model.npz").write_bytes(b"weights")
        run.keep(run.folder / "model.npz")
        (run.folder / "model.npz").write_bytes(b"better weights")
        run.keep(run.folder / "model.npz")
    assert records.artifacts(run.id) == {"model.npz": (hashlib.sha256(b"better weights").hexdigest(), 14)}


@pytest.mark.parametrize(("raised", "status"), [(ValueError, "failed"), (KeyboardInterrupt, "interrupted")])
def test_however_a_run_ends_it_is_said(records, raised, status):
    with pytest.raises(raised), begin(records) as run:
        run.log(0, loss=1.0)
        raise raised
    assert records.find(run.name).status == status and len(records.metrics(run.id)) == 1


def test_a_run_that_is_still_going_on_is_not_taken_for_killed(records):
    with begin(records), begin(records):
        assert records.mark_killed() == []
        assert [row.status for row in records.runs()] == ["running", "running"]


def test_a_missing_run_is_one_clear_error(records):
    with pytest.raises(StoreError, match="there is no run 'moons-7'"):
        records.find("moons-7")


VICTIM = """
import sys, time
from pathlib import Path
from groundup.lab.record import Pruned, Records
run = Records(Path(sys.argv[1])).begin("moons", 0, {}, "abc")
for step in range(10**6):
    run.log(step, loss=1 / (1 + step))
    if step == 1000:
        run.write()
        print("written", flush=True)
    if step > 1000:
        time.sleep(0.01)
"""


def test_a_killed_run_keeps_what_was_written_and_is_marked_when_the_next_begins(records):
    command = [sys.executable, "-c", VICTIM, str(records.folder)]
    victim = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert victim.stdout.readline() == "written\n"
    assert records.mark_killed() == []
    os.kill(victim.pid, signal.SIGKILL)
    victim.wait()
    victim.stdout.close()
    with begin(records) as run:
        assert records.find("moons-1").status == "killed"
        assert run.name == "moons-2"
    logged = records.metrics(1)
    assert len(logged) >= 1001 and [step for _, step, _, _ in logged] == list(range(len(logged)))


def cut_off(records, first=0, last=25, status="interrupted"):
    with begin(records) as run:
        for step in range(first, last):
            run.log(step, loss=float(step), attempt=1)
        run.end(status)
    return run


def test_a_run_goes_on_and_what_it_does_again_counts(records):
    name = cut_off(records).name
    with records.reopen(name, "def") as run:
        assert run.resumed and run.attempt == 2 and records.find(name).status == "running"
        run.resumed_at(19)
        for step in range(20, 30):
            run.log(step, loss=float(step), attempt=2)
        assert [step for step, _ in run.metrics("loss")] == list(range(30))
        run.end("finished", {"accuracy": 1.0})
    assert dict(run.metrics("attempt")) == {step: 1 + (step >= 20) for step in range(30)}
    first, second = records.attempts(run.id)
    assert (first.status, first.source, first.resumed_at) == ("interrupted", "abc", None)
    assert (second.status, second.source, second.resumed_at) == ("finished", "def", 19)
    row = records.find(name)
    assert row.result == {"accuracy": 1.0} and row.seconds == pytest.approx(first.seconds + second.seconds)


def test_a_run_that_does_not_say_where_it_goes_on_is_taken_at_its_first_step(records):
    name = cut_off(records).name
    with records.reopen(name, "abc") as run:
        run.log(10, loss=0.0)
    assert [step for step, _ in run.metrics("loss")] == list(range(11)) and run.metrics("loss")[-1] == (10, 0.0)
    with records.reopen(cut_off(records).name, "abc") as run:
        pass
    assert len(run.metrics("loss")) == 25, "an attempt that logged nothing does nothing again"


def test_at_the_step_from_which_a_run_goes_on_counts_what_is_logged_again_and_else_what_was(records):
    with begin(records) as run:
        for step in range(0, 31, 10):
            run.log(step, loss=1.0)
            run.log(step, val_loss=1.0)
        run.end("failed")
    with records.reopen(run.name, "abc") as run:
        run.log(20, val_loss=2.0)  # saved after the step, before its evaluation
        run.log(30, loss=2.0)
    assert run.metrics("loss") == [(0, 1.0), (10, 1.0), (20, 1.0), (30, 2.0)]
    assert run.metrics("val_loss") == [(0, 1.0), (10, 1.0), (20, 2.0)]


def test_of_three_attempts_the_last_one_counts(records):
    name = cut_off(records, 0, 30).name
    for number, (first, last) in enumerate([(20, 28), (10, 15)], 2):
        with pytest.raises(ValueError), records.reopen(name, "abc") as run:
            for step in range(first, last):
                run.log(step, attempt=number)
            raise ValueError
    assert dict(run.metrics("attempt")) == {**{step: 1 for step in range(10)}, **{step: 3 for step in range(10, 15)}}


@pytest.mark.parametrize("status", ["finished", "pruned"])
def test_a_run_that_came_to_its_end_does_not_go_on(records, status):
    with pytest.raises(StoreError, match=f"moons-1 is {status}: only a run that was cut off"):
        records.reopen(cut_off(records, status=status).name, "abc")


def test_a_run_that_goes_on_already_or_has_lost_its_folder_does_not(records):
    name = cut_off(records).name
    with records.reopen(name, "abc") as run, pytest.raises(StoreError, match="is running"):
        records.reopen(name, "abc")
    assert run.status == "finished"
    run = cut_off(records)
    run.folder.rmdir()
    with pytest.raises(StoreError, match=r"its folder .* is gone"):
        records.reopen(run.name, "abc")


def test_checkpoints_are_hashed_at_the_end_and_only_those_that_are_left(records):
    with begin(records) as run:
        (run.folder / "checkpoints").mkdir()
        for name in ("1", "2"):
            (run.folder / "checkpoints" / name).write_bytes(b"state")
            run.keep(run.folder / "checkpoints" / name)
        assert records.artifacts(run.id) == {}
        (run.folder / "checkpoints" / "1").unlink()
    assert list(records.artifacts(run.id)) == ["checkpoints/2"]


def test_whoever_watches_what_is_logged_may_end_the_run(records):
    def watch(step, values):
        if values["loss"] > 2:
            raise Pruned("too much")

    with pytest.raises(Pruned), begin(records) as run:
        run.watch = watch
        for step in range(10):
            run.log(step, loss=step)
    assert records.find(run.name).status == "pruned" and len(run.metrics("loss")) == 4


def test_the_hash_of_sources_changes_with_any_of_them(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.py").write_text("x = 1\n")
    first = source_hash([tmp_path / "a"])
    (tmp_path / "a" / "y.txt").write_text("no source")
    assert source_hash([tmp_path / "a"]) == first
    (tmp_path / "a" / "x.py").write_text("x = 2\n")
    second = source_hash([tmp_path / "a"])
    (tmp_path / "a" / "x.py").rename(tmp_path / "a" / "z.py")
    assert len({first, second, source_hash([tmp_path / "a"])}) == 3


def test_who_has_a_run_is_known_for_as_long_as_it_lives(records):
    run = begin(records)
    row = records.find(run.name)
    assert records.process(row) == os.getpid() and records.standing(row) == "running"
    run.end("finished")
    assert records.process(row) is None
    assert records.standing(row) == "finished", "the row is older than the end"


def test_a_run_whose_process_is_gone_stands_as_killed_before_anything_has_marked_it(records):
    run = begin(records)
    row = records.find(run.name)
    os.close(run._lock)
    run._lock = -1
    assert records.standing(row) == "killed" and records.find(run.name).status == "running"


def test_a_reader_sees_by_a_number_that_another_has_written(records):
    with Records(records.folder) as reader:
        before = reader.version()
        assert reader.version() == before
        with begin(records) as run:
            run.log(0, loss=1.0, zeal=2.0, accuracy=0.5)
            run.log(1, loss=0.5)
        assert reader.version() != before
        assert reader.measured(run.id) == ["loss", "zeal", "accuracy"]
        assert reader.last(run.id) == records.metrics(run.id)[-1][0] and reader.last(99) == 0


def test_whoever_starts_a_run_knows_it_again(records, monkeypatch):
    monkeypatch.setenv("GROUNDUP_LAUNCH", "3f2a")
    with begin(records) as run:
        pass
    assert records.find(run.name).environment["launch"] == "3f2a"
