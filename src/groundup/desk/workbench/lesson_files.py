"""A lesson's files as the page sees them: by number, with the hash that says which state one has in hand."""

from __future__ import annotations

from ...course.checking.last_verdict import hashes, last
from ...course.lessons.lesson import Lesson
from ...course.workspace.workspace import Workspace
from ..paging import Refused
from .text_files import State, state_of, write_over


def states(workspace: Workspace, lesson: Lesson) -> list[State]:
    """All files of a lesson, those that are not there as empty ones. Refused for what is not text."""
    files = workspace.files_of(lesson)
    return [state_of(path, files.get(path), f"mine/{path}") for path in lesson.builds]


def state(workspace: Workspace, lesson: Lesson, number: int) -> State:
    """One of them by its number in `builds`."""
    if not 0 <= number < len(lesson.builds):
        raise Refused(404, f"{lesson.section_id} has files 0 to {len(lesson.builds) - 1}")
    return states(workspace, lesson)[number]


def shas(workspace: Workspace, lesson: Lesson) -> dict[str, str]:
    """The hashes of those that are there, by library path."""
    return hashes(workspace.files_of(lesson))


def is_judged(workspace: Workspace, lesson: Lesson) -> bool:
    """Whether the last verdict is about the files as they stand, or there is nothing in them yet to judge."""
    files = workspace.files_of(lesson)
    if not files or not all(files.values()):  # an editor that writes in place empties the file first
        return True
    before = last(workspace, lesson)
    return before is not None and before.files == shas(workspace, lesson)


def save(workspace: Workspace, lesson: Lesson, number: int, text: str, base: str) -> State:
    """Writes a file if it is still the one that was edited. Refused, with what is on the disk, if it has changed meanwhile."""
    here = state(workspace, lesson, number)
    return write_over(workspace.path_of(here.path), here, f"mine/{here.path}", text, base)
