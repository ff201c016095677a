"""A job is answered, or it is said how it ended; what one does to its process touches no other; nothing is left running."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from groundup.course.grading.executors import Ended, Local


def work(job):
    """Does to its process what the job says, or gives it back in capitals."""
    if job == "hang":
        time.sleep(3600)
    if job == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if job == "exit":
        os._exit(0)
    if job == "raise":
        raise ValueError("not \udc80 this one")
    return f"{job.upper()} {os.getpid()}".encode()


def done(jobs, workers=2, seconds=60.0):
    executor = Local(work, workers, seconds)
    for job in jobs:
        executor.submit(job)
    return list(executor.as_completed())


def test_every_job_is_answered_once():
    jobs = [f"job {i}" for i in range(50)]
    found = done(jobs)
    assert sorted(job for job, _ in found) == sorted(jobs)
    assert all(answer.decode().startswith(job.upper()) for job, answer in found)
    assert len({answer.split()[-1] for _, answer in found}) == 2  # processes, which stay warm


def test_no_jobs_are_no_trouble():
    assert done([]) == []


@pytest.mark.parametrize(("what", "says"), [("kill", "signal 9"), ("exit", "exit status 0"), ("raise", "ValueError")])
def test_the_end_of_a_process_is_said_and_touches_no_other_job(what, says):
    jobs = [f"job {i}" for i in range(20)]
    bad = [what] * 3
    mixed = [*jobs, *bad]
    random.Random(1).shuffle(mixed)
    found = done(mixed)
    assert len(found) == 23
    for job, answer in found:
        if job == what:
            assert isinstance(answer, Ended) and says in answer.says and "twice" in answer.says
        else:
            assert answer.decode().startswith(job.upper())


def test_a_job_that_takes_too_long_is_ended_and_the_rest_is_answered():
    found = dict(done(["hang", *(f"job {i}" for i in range(10))], seconds=2.0))
    ended = found.pop("hang")
    assert isinstance(ended, Ended) and "more than 2 s" in ended.says
    assert all(isinstance(answer, bytes) for answer in found.values()) and len(found) == 10


def test_a_process_that_died_of_something_else_is_forgiven(tmp_path):
    flag = tmp_path / "once"

    def once(job):
        if not flag.exists():
            flag.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return job.encode()

    executor = Local(once, 1, 60.0)
    executor.submit("a")
    assert list(executor.as_completed()) == [("a", b"a")]


def alive(pid):
    """Whether a process is there and not a zombie."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def until_gone(pids, seconds=30.0):
    limit = time.monotonic() + seconds
    while any(map(alive, pids)) and time.monotonic() < limit:
        time.sleep(0.05)
    assert not any(map(alive, pids))


def test_stopping_half_way_leaves_nothing_running():
    executor = Local(work, 2, 60.0)
    for job in ("a", "hang", "b", "hang", "c"):
        executor.submit(job)
    completed = executor.as_completed()
    _, answer = next(completed)
    completed.close()
    until_gone([int(answer.split()[-1])])
    assert list(executor.as_completed()) == []  # and nothing is waiting


DYING = r"""
import os, signal, sys, time
from groundup.course.grading.executors import Local

def work(job):
    os.write(1, f"{os.getpid()}\n".encode())
    time.sleep(3600)

executor = Local(work, 2, 3600.0)
executor.submit("a")
executor.submit("b")
list(executor.as_completed())
"""


def test_workers_die_with_whoever_started_them():
    parent = subprocess.Popen([sys.executable, "-c", DYING], stdout=subprocess.PIPE, text=True)
    workers = [int(parent.stdout.readline()) for _ in range(2)]
    parent.kill()
    parent.wait()
    parent.stdout.close()
    until_gone(workers)
