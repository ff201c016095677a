"""What a run logs is in the file: in order, after a kill, and for a reader that follows."""

import hashlib
import math
import os
import signal
import subprocess
import sys

import pytest

from groundup.lab.record import Records
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
from groundup.lab.record import Records
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
