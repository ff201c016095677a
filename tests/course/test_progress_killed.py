"""Killed at any instant, the store opens again and holds everything it acknowledged."""

import random
import select
import subprocess
import sys
from pathlib import Path

import pytest

from groundup.course.progress.store import Store
from groundup.lab import sqlite

# Without site, and from the source: a start costs a few tens of milliseconds.
WRITER = """
import hashlib, os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from groundup.course.progress import store as progress
from groundup.lab import sqlite
if sys.argv[4] == "delete":
    sqlite.on_network = lambda path: True
os.write(1, b"ready\\n")
store = progress.Store(Path(sys.argv[2]))
for number in range(100_000):
    content = os.urandom(number * 37 % 3000)
    files = {"a.py": content, "b.py": b"same"}
    row = store.append("checked", sys.argv[3], files, passed=number % 3 == 0, number=number)
    os.write(1, b"%d %d %s\\n" % (row, number, hashlib.sha256(content).hexdigest().encode()))
"""


SOURCE = str(Path(sqlite.__file__).parents[2])


def start(path, name, journal="wal"):
    command = [sys.executable, "-S", "-c", WRITER, SOURCE, str(path), name, journal]
    writer = subprocess.Popen(command, stdout=subprocess.PIPE, bufsize=0)
    assert writer.stdout.readline() == b"ready\n"
    return writer


def kill(writer, rng):
    """Kill after a random number of acknowledgements and a random part of the next; the lines it had written."""
    lines = [writer.stdout.readline() for _ in range(rng.choice([0, 0, 1, 2, 3, 6]))]
    if lines == []:
        select.select([writer.stdout], [], [], rng.uniform(0, 0.01))  # somewhere in the opening
    else:
        select.select([], [], [], rng.uniform(0, 0.004))  # somewhere in the next events
    writer.kill()
    lines += writer.stdout.readlines()
    writer.stdout.close()
    assert writer.wait() == -9
    return lines


def acknowledged_by(name, lines):
    """id -> (lesson, number, SHA-256 of a.py), for whole lines: one cut by the kill was not read by anybody."""
    whole = [line.split() for line in lines if line.endswith(b"\n")]
    return {int(row): (name, int(number), sha.decode()) for row, number, sha in whole}


def assert_sound(path, acknowledged):
    with Store(path) as store:
        assert store.verify() == []  # among others: every file an event names is there and has its hash
        events = {event.id: event for event in store.events()}
        assert set(acknowledged) <= set(events)
        for row, told in acknowledged.items():
            event = events[row]
            assert (event.lesson, event.payload["number"], event.payload["files"]["a.py"]) == told


@pytest.mark.parametrize("seed, journal", [(0, "wal"), (1, "wal"), (2, "delete")])
def test_a_killed_writer_loses_nothing_it_acknowledged(tmp_path, monkeypatch, seed, journal):
    """36 kills: each seed makes a new file, so that some fall into the making of it."""
    if journal == "delete":
        monkeypatch.setattr(sqlite, "on_network", lambda path: True)
    rng = random.Random(seed)
    path, acknowledged = tmp_path / "progress.db", {}
    for round_ in range(12):
        name = f"{seed}.{round_}"
        acknowledged |= acknowledged_by(name, kill(start(path, name, journal), rng))
        assert_sound(path, acknowledged)
    assert acknowledged


@pytest.mark.parametrize("seed", [3, 4])
def test_writers_killed_while_another_writes_lose_nothing(tmp_path, seed):
    """24 kills: two at a time on one file, judged while the one not yet killed goes on writing."""
    rng = random.Random(seed)
    path, acknowledged = tmp_path / "progress.db", {}
    for round_ in range(6):
        writers = [(f"{round_}.{n}", start(path, f"{round_}.{n}")) for n in range(2)]
        rng.shuffle(writers)
        for name, writer in writers:
            acknowledged |= acknowledged_by(name, kill(writer, rng))
            assert_sound(path, acknowledged)
    assert acknowledged
