"""Many submissions of one lesson: the same cases for all, spread over the processors."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from .judge import Judge
from .lesson import Lesson
from .library import Submission

FEW = 3  # up to so many are judged in one process, each failure shrunk


def judge_all(lesson: Lesson, submissions: Sequence[Submission], seed: int, times: int = 1) -> Iterator[dict[str, Any]]:
    """The verdict of each submission in order, in its JSON form.

    Cases and truths are drawn once, before the work is shared out. With more than a few submissions a failure shows its
    smallest case of those drawn, and is not searched further.
    """
    with Judge() as judge:
        if len(submissions) <= FEW:
            for submission in submissions:
                yield judge.check(lesson, submission, seed, times).as_json()
            return
        judge.ready(lesson, seed, times)
        workers = [_fork(judge, lesson, submissions, seed, times, place) for place in range(_processors())]
        try:
            for i in range(len(submissions)):
                line = workers[i % len(workers)][1].readline()
                if not line:
                    raise RuntimeError("a judge ended before it had judged its share")
                yield json.loads(line)
        finally:
            for pid, pipe in workers:
                pipe.close()
                os.waitpid(pid, 0)


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _fork(
    judge: Judge, lesson: Lesson, submissions: Sequence[Submission], seed: int, times: int, place: int
) -> tuple[int, BinaryIO]:
    """A process that judges every n-th submission and writes a line of JSON for each. It holds the cases already."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writing)
        return pid, os.fdopen(reading, "rb")
    status = 1
    try:
        os.close(reading)
        with os.fdopen(writing, "wb", buffering=0) as pipe, judge:
            for submission in submissions[place :: _processors()]:
                verdict = judge.check(lesson, submission, seed, times, search=False)
                pipe.write(json.dumps(verdict.as_json(), allow_nan=False).encode() + b"\n")
        status = 0
    except BrokenPipeError:
        status = 0  # whoever asked has gone
    finally:
        os._exit(status)
