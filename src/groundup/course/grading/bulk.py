"""Several submissions of one lesson: the same cases for all, spread over the processors, answered in order."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from ..holes.library import Submission
from ..judging.judge import Judge
from ..lessons.lesson import Lesson
from .executors import Ended, Local, processors

FEW = 3  # up to so many are judged in one process, each failure shrunk
SECONDS = 3600.0  # for one of them: a lesson may train for long


def judge_all(lesson: Lesson, submissions: Sequence[Submission], seed: int, times: int = 1) -> Iterator[dict[str, Any]]:
    """The verdict of each submission in order, in its JSON form. RuntimeError if the judge cannot give one.

    Cases and truths are drawn once, before the work is shared out. With more than a few submissions a failure shows its
    smallest case of those drawn, and is not searched further.
    """
    with Judge() as judge:
        if len(submissions) <= FEW:
            for submission in submissions:
                yield judge.check(lesson, submission, seed, times).as_json()
            return
        judge.ready(lesson, seed, times)

        def work(place: int) -> bytes:
            verdict = judge.check(lesson, submissions[place], seed, times, search=False)
            return json.dumps(verdict.as_json(), allow_nan=False).encode()

        executor: Local[int] = Local(work, processors(), SECONDS)
        for place in range(len(submissions)):
            executor.submit(place)
        early: dict[int, dict[str, Any]] = {}  # those that came before their turn
        following = 0
        for place, answer in executor.as_completed():
            if isinstance(answer, Ended):
                raise RuntimeError(answer.says)
            early[place] = json.loads(answer)
            while following in early:
                yield early.pop(following)
                following += 1
