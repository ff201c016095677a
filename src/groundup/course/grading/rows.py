"""What is said of each student's lesson: one row each, whether it was judged or not."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from ..showing.verdict_parts import mistake_name
from .gathering import Handed


class Status(str, Enum):
    """How a row ended."""

    PASSED = "passed"
    FAILED = "failed"
    UNUSABLE = "unusable"  # there was nothing to judge, and the reason says why
    ENDED = "ended"  # judging it was ended, or ended by itself, and the reason says how


@dataclass(frozen=True)
class Mark:
    """One checkpoint of a row."""

    checkpoint: str
    stretch: bool
    verdict: str  # docs/json.md
    mistake: str  # its name, or the verdict in words; "" where it has passed
    fault: str | None
    says: str
    place: str  # file and line, as far as they are known

    @property
    def passed(self) -> bool:
        return self.verdict == "passed"


@dataclass(frozen=True)
class Row:
    """One student's lesson."""

    student: str
    path: str
    lesson: str
    status: Status
    reason: str = ""
    content: str = ""  # hash of the files
    key: str = ""  # of its result
    stretched: bool = False
    marks: tuple[Mark, ...] = ()

    @property
    def needed(self) -> list[Mark]:
        """The checkpoints that a pass needs."""
        return [mark for mark in self.marks if not mark.stretch]

    @property
    def first_failure(self) -> Mark | None:
        """The first needed checkpoint that has not passed."""
        return next((mark for mark in self.needed if not mark.passed), None)

    @property
    def says(self) -> str:
        """What is wrong, in a sentence; "" where nothing is."""
        failure = self.first_failure
        return self.reason or (failure.says if failure is not None else "")


def unusable(handed: Handed) -> Row:
    """The row of what cannot be judged."""
    return Row(handed.student, handed.path, handed.lesson, Status.UNUSABLE, handed.reason)


def row_of(handed: Handed, content: str, key: str, result: dict[str, Any]) -> Row:
    """The row of a submission with a result."""
    verdict = result.get("verdict")
    if verdict is None:
        return Row(handed.student, handed.path, handed.lesson, Status.ENDED, result["ended"], content, key)
    marks = tuple(_mark(c) for c in verdict["checkpoints"])
    status = Status.PASSED if verdict["passed"] else Status.FAILED
    stretched = status is Status.PASSED and all(mark.passed for mark in marks)
    return Row(handed.student, handed.path, handed.lesson, status, "", content, key, stretched, marks)


def _mark(c: dict[str, Any]) -> Mark:
    place = f"{c['file']}:{c['line']}" if c["file"] and c["line"] else c["file"] or ""
    mistake = "" if c["passed"] else mistake_name(c)
    return Mark(c["name"], c["stretch"], c["verdict"], mistake, c["fault"], c["says"], place)
