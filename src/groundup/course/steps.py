"""What a learner does beside checking, each step recorded: opening a lesson, taking a hint, looking at the map."""

from __future__ import annotations

from dataclasses import dataclass

from .lesson import Lesson, find_all
from .page import hints
from .session import next_lesson
from .workspace import Opened, Workspace


@dataclass(frozen=True)
class Hint:
    """One hint of a ladder. Past the last rung `text` is empty, and what is left is the reference."""

    number: int  # from 1
    of: int
    text: str

    def __str__(self) -> str:
        if not self.text:
            return f"That was the last of {self.of} hints. What is left is the reference, and showing it is recorded."
        return f"hint {self.number} of {self.of}: {self.text}"


def take_hint(workspace: Workspace, lesson: Lesson) -> Hint:
    """The next hint of a lesson."""
    ladder = hints(lesson)
    with workspace.store() as store:
        given = min(store.standing(lesson.section_id).hints, len(ladder))
        store.append("hinted", lesson.section_id, hint=given + 1)
    return Hint(given + 1, len(ladder), ladder[given] if given < len(ladder) else "")


def open_lesson(workspace: Workspace, lesson: Lesson) -> list[Opened]:
    """Writes the lesson's files, or brings them up to the contract. One that does not parse is left as it is."""
    try:
        opened = workspace.open_lesson(lesson)
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # not text, or nothing that Python can parse
        opened = []
    with workspace.store() as store:
        store.append("opened", lesson.section_id)
    return opened


def open_next(workspace: Workspace) -> Lesson | None:
    """Opens the lesson that comes next; None where all are built."""
    with workspace.store(readonly=True) as store:
        lesson = next_lesson(store.standings())
    if lesson is not None:
        open_lesson(workspace, lesson)
    return lesson


def map_text(workspace: Workspace) -> str:
    """The map as it stands."""
    from .wall import wall

    with workspace.store(readonly=True) as store:
        standings = store.standings()
    return wall(find_all(), standings, next_lesson(standings))
