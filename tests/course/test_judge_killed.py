"""`kill -9` of check, watch and judge at random moments, 200 times in all: nothing acknowledged is lost, nothing is left over.

The delays before a kill are random on purpose; everything else is awaited.
"""

import contextlib
import json
import os
import random
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from groundup.course.holes.library import reference_text
from groundup.course.lessons.faults import load_faults
from groundup.course.lessons.lesson import find
from groundup.course.progress.store import Store

LESSON, BUILT, MODULE = "1.1", "mine/drills/arrays.py", "drills.arrays"  # its oracle needs no torch
PATIENCE = 60.0  # seconds
# 50 kills; with GROUNDUP_KILLS=4, as `make peers` sets it, the 200 that were promised
KILLS = {
    what: int(os.environ.get("GROUNDUP_KILLS", "1")) * n for what, n in {"check": 36, "watch": 8, "judge": 6}.items()
}


class Place:
    """A workspace with its runtime and temporary folders, at a path short enough for a socket, and what was started."""

    def __init__(self, root):
        self.root = root
        self.begun = _ticks_now()
        for name in ("run", "tmp"):
            (root / name).mkdir(mode=0o700)
        self.workspace = root / "workspace"
        self.built = self.workspace / BUILT
        self.environment = {
            **os.environ, "XDG_RUNTIME_DIR": str(root / "run"), "TMPDIR": str(root / "tmp"), "NO_COLOR": "1",
        }  # fmt: skip
        self.marker = f"XDG_RUNTIME_DIR={root / 'run'}".encode()
        self.acknowledged = set()  # seeds
        assert self.run("start", "workspace", "--yes", cwd=root).returncode == 0
        assert self.run("open", LESSON).returncode == 0

    def start(self, *words, cwd=None, **options):
        return subprocess.Popen(
            [sys.executable, "-m", "groundup", *map(str, words)], cwd=cwd or self.workspace, env=self.environment,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, **options,
        )  # fmt: skip

    def run(self, *words, cwd=None):
        process = self.start(*words, cwd=cwd)
        out, err = process.communicate(timeout=PATIENCE)
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    def check(self, seed):
        return self.start("check", LESSON, "--json", "--seed", seed)

    def hear(self, process):
        """What a check had printed when it ended: a whole verdict is an acknowledgement."""
        out, err = process.communicate(timeout=PATIENCE)
        if out.endswith("\n"):
            self.acknowledged.add(json.loads(out)["seed"])
        return out, err

    def judges(self):
        return [pid for pid in _processes() if self.marker in _read(pid, "environ").split(b"\0") and _is_judge(pid)]

    def kill_judges(self):
        """How many there were."""
        pids = self.judges()
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return len(pids)

    def left_over(self):
        """Processes that belong to this place, or to a judge that is gone."""
        return [pid for pid in _processes() if self._is_ours(pid)]

    def _is_ours(self, pid):
        if self.marker in _read(pid, "environ").split(b"\0") or _cwd(pid).startswith(str(self.root)):
            return True
        words = _read(pid, "cmdline").split(b"\0")
        sandbox = any(b"groundup.course.sandbox" in word for word in words)
        return sandbox and _started(pid) >= self.begun and _is_orphan(pid, words)


def _processes():
    return [int(name) for name in os.listdir("/proc") if name.isdecimal() and int(name) != os.getpid()]


def _read(pid, name):
    """A file of a process; empty where it has ended or is not ours to look at."""
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""


def _cwd(pid):
    try:
        return os.readlink(f"/proc/{pid}/cwd")
    except OSError:
        return ""


def _is_judge(pid):
    return b"groundup.course.checking.service" in _read(pid, "cmdline").split(b"\0")


def _status(pid):
    """State, parent, start in clock ticks since boot: fields 3, 4 and 22 of proc(5)'s stat."""
    fields = _read(pid, "stat").rpartition(b")")[2].split()
    return (fields[0], int(fields[1]), int(fields[19])) if len(fields) > 19 else (b"X", 0, -1)


def _started(pid):
    return _status(pid)[2]


def _ticks_now():
    return int(time.clock_gettime(time.CLOCK_BOOTTIME) * os.sysconf("SC_CLK_TCK"))


def _is_orphan(pid, words):
    """A zygote, worker or child of one, whose parent is neither the judge it was told of nor a zygote of the same words."""
    state, parent, _ = _status(pid)
    told = {int(word) for word in words if word.isdigit()}
    return state not in (b"X", b"Z") and parent not in told and _read(parent, "cmdline").split(b"\0") != words


def await_none(what):
    """Waits until a list is empty: what the kernel ends takes a moment."""
    until = time.monotonic() + PATIENCE
    while (left := what()) and time.monotonic() < until:
        select.select([], [], [], 0.02)
    assert not left, [(pid, _read(pid, "cmdline")) for pid in left]


@pytest.fixture
def place():
    root = Path(tempfile.mkdtemp(prefix="gu-"))
    found = Place(root)
    yield found
    found.kill_judges()
    await_none(found.left_over)
    shutil.rmtree(root)


def faulty(number):
    """A solution that has not been judged yet: every third is right."""
    source = reference_text(MODULE)
    fault = load_faults(find(LESSON), {MODULE.replace(".", "/") + ".py": source})[number % 3]
    return f"{source if number % 3 == 0 else fault.apply(source)}\n# {number}\n"


def assert_sound(place):
    """The store is whole and holds every acknowledged check; the next judge leaves neither process nor folder."""
    assert place.run("judge", "--stop").returncode == 0
    await_none(place.left_over)
    with Store(place.workspace / ".groundup/progress.db") as store:
        assert store.verify() == []
        seeds = {event.payload["seed"] for event in store.events(kind="checked", lesson=LESSON)}
    assert place.acknowledged and place.acknowledged <= seeds
    place.built.write_text(reference_text(MODULE))
    assert place.run("check", LESSON).returncode == 0
    assert place.run("judge", "--stop").returncode == 0
    await_none(place.left_over)
    scratch = place.root / "tmp" / f"groundup-{os.getuid()}" / "scratch"
    assert os.listdir(scratch) == []
    assert [name for name in os.listdir(place.root / "tmp") if not name.startswith(f"groundup-{os.getuid()}")] == []
    assert not [name for name in os.listdir(place.built.parent) if name.startswith(".")]  # no half-written file


def test_a_killed_check_loses_nothing(place):
    rng = random.Random(0)
    place.built.write_text(faulty(1))
    begun = time.monotonic()
    for seed in range(3):
        place.hear(place.check(seed))  # the first starts the judge
        life, begun = time.monotonic() - begun, time.monotonic()
    kills, seed = 0, 100
    while kills < KILLS["check"]:
        place.built.write_text(faulty(seed))
        together = [place.check(seed + i) for i in range(3)]
        seed += 3
        for process in together:
            try:
                process.wait(rng.uniform(0, life))
            except subprocess.TimeoutExpired:
                process.kill()
            place.hear(process)
            kills += process.returncode == -signal.SIGKILL
    assert_sound(place)


def test_a_killed_watch_loses_nothing(place):
    rng = random.Random(1)
    place.run("check", LESSON)  # the judge is there
    kills, number = 0, 0
    while kills < KILLS["watch"]:
        together = [place.start("watch", LESSON) for _ in range(3)]
        for process in together:
            select.select([process.stdout], [], [], rng.uniform(0, 1.0))  # until its first verdict, or before
            number += 1
            place.built.write_text(faulty(number))
            select.select([], [], [], rng.uniform(0, 0.3))  # somewhere in the judging of the save
            process.kill()
            out, err = process.communicate(timeout=PATIENCE)
            assert process.returncode == -signal.SIGKILL and "Traceback" not in err
            place.acknowledged |= {int(seed) for seed in re.findall(r"seed (\d+)\D", out)}
            kills += 1
    assert_sound(place)


def test_a_killed_judge_loses_nothing_and_every_check_gets_its_verdict(place):
    rng = random.Random(2)
    kills, seed = 0, 0
    while kills < KILLS["judge"]:
        place.built.write_text(faulty(seed))
        moment = rng.choice(["coming up", "working", "preparing"])
        if moment != "coming up":
            place.hear(place.check(seed))
            seed += 1
        if moment == "preparing":  # the next cases, or a commit: the answer is out
            select.select([], [], [], rng.uniform(0, 0.3))
            kills += place.kill_judges()
            continue
        process = place.check(seed)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(rng.uniform(0, 1.0 if moment == "coming up" else 0.2))
        kills += place.kill_judges()
        out, err = place.hear(process)
        assert process.returncode in (0, 1) and err == "" and json.loads(out)["seed"] == seed
        seed += 1
    assert place.acknowledged == set(range(seed))
    assert_sound(place)


def test_a_check_that_is_killed_while_it_judges_by_itself_leaves_nothing(place):
    """Without a judge, as where none can be had: what it leaves goes with the next process that judges."""
    rng = random.Random(3)
    place.environment["XDG_RUNTIME_DIR"] = str(place.root / "none")
    (place.root / "none").mkdir()
    (place.root / "none" / "groundup").write_text("in the way")
    place.built.write_text(faulty(1))
    begun = time.monotonic()
    place.hear(place.check(0))
    life = time.monotonic() - begun
    for seed in range(1, 6):
        process = place.check(seed)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(rng.uniform(0.3, 1) * life)
        process.kill()
        place.hear(process)
    await_none(place.left_over)
    place.environment["XDG_RUNTIME_DIR"] = str(place.root / "run")
    assert_sound(place)
