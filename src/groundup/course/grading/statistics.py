"""Where a class stands: how many passed, at which checkpoints they failed, and by which mistakes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from .rows import Row, Status

SKIPPED = "skipped"


@dataclass(frozen=True)
class CheckpointCount:
    """How one checkpoint went. Where it was not run, it is neither passed nor failed."""

    lesson: str
    name: str
    stretch: bool
    passed: int
    failed: int
    skipped: int
    first: int  # how often it was the first that failed
    verdicts: tuple[tuple[str, int], ...]  # other than passed and skipped, the most frequent first

    @property
    def failing(self) -> float:
        """The share of those it was run on that failed it; 0 where it was run on none."""
        return self.failed / (self.passed + self.failed) if self.passed + self.failed else 0.0


@dataclass(frozen=True)
class FaultCount:
    """How many submissions a known mistake was named in."""

    lesson: str
    name: str
    count: int
    says: str


@dataclass(frozen=True)
class LessonCount:
    """How one lesson went."""

    lesson: str
    handed: int
    passed: int
    stretched: int
    failed: int
    unusable: int
    ended: int


def lessons(rows: Sequence[Row]) -> list[LessonCount]:
    """One count a lesson, in the order of lessons; rows whose lesson is not known are the last."""
    found = []
    for lesson in sorted({row.lesson for row in rows}, key=_order):
        own = [row for row in rows if row.lesson == lesson]
        status = Counter(row.status for row in own)
        stretched = sum(row.stretched for row in own)
        found.append(
            LessonCount(
                lesson,
                len(own),
                status[Status.PASSED],
                stretched,
                status[Status.FAILED],
                status[Status.UNUSABLE],
                status[Status.ENDED],
            )
        )
    return found


def checkpoints(rows: Sequence[Row]) -> list[CheckpointCount]:
    """One count a checkpoint, in the order of lessons and of their checkpoints."""
    verdicts: dict[tuple[str, str], Counter[str]] = {}
    stretch: dict[tuple[str, str], bool] = {}
    firsts: Counter[tuple[str, str]] = Counter()
    for row in rows:
        for mark in row.marks:
            key = row.lesson, mark.checkpoint
            verdicts.setdefault(key, Counter())[mark.verdict] += 1
            stretch[key] = mark.stretch
        if (first := row.first_failure) is not None:
            firsts[row.lesson, first.checkpoint] += 1
    found = []
    for (lesson, name), counted in sorted(verdicts.items(), key=lambda item: _order(item[0][0])):
        wrong = {verdict: n for verdict, n in counted.items() if verdict not in (Status.PASSED.value, SKIPPED)}
        found.append(
            CheckpointCount(
                lesson,
                name,
                stretch[lesson, name],
                counted[Status.PASSED.value],
                sum(wrong.values()),
                counted[SKIPPED],
                firsts[lesson, name],
                tuple(sorted(wrong.items(), key=lambda item: (-item[1], item[0]))),
            )
        )
    return found


def faults(rows: Sequence[Row]) -> list[FaultCount]:
    """The known mistakes, the most common first; one that struck a submission at several checkpoints counts once."""
    counts: Counter[tuple[str, str]] = Counter()
    says: dict[tuple[str, str], str] = {}
    for row in rows:
        named = {mark.fault: mark.says for mark in row.marks if mark.fault is not None}
        counts.update((row.lesson, name) for name in named)
        says.update({(row.lesson, name): text for name, text in named.items()})
    ordered = sorted(counts.items(), key=lambda item: (-item[1], _order(item[0][0]), item[0][1]))
    return [FaultCount(lesson, name, count, says[lesson, name]) for (lesson, name), count in ordered]


def _order(lesson: str) -> tuple[int, list[int]]:
    """2.10 comes after 2.9, and what is not known last."""
    return (0, [int(part) for part in lesson.split(".")]) if lesson else (1, [])
