"""A lesson's files as the page sees them: by number, with the hash that says which state one has in hand."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from ...course.last_verdict import hashes, last
from ...course.lesson import Lesson
from ...course.workspace import Workspace, write_atomically
from ..paging import Refused

LARGEST = 1 << 20  # bytes of a file that the editor opens


@dataclass(frozen=True)
class State:
    """A file as it is on the disk. sha: "" where there is none."""

    path: str  # grad/value.py
    text: str
    sha: str


def states(workspace: Workspace, lesson: Lesson) -> list[State]:
    """All files of a lesson, those that are not there as empty ones. Refused for what is not text."""
    files = workspace.files_of(lesson)
    return [_state(path, files.get(path)) for path in lesson.builds]


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
    data = text.encode("utf-8", "strict")
    if len(data) > LARGEST:
        raise Refused(413, "a file of a lesson has at most a million bytes: this one is longer")
    sha = hashlib.sha256(data).hexdigest()
    if here.sha not in (base, sha):
        raise Refused(
            409, f"mine/{here.path} has changed on the disk since you opened it", text=here.text, sha=here.sha
        )
    if here.sha != sha:
        write_atomically(workspace.path_of(here.path), data)
    return State(here.path, text, sha)


def _state(path: str, data: bytes | None) -> State:
    if data is None:
        return State(path, "", "")
    if len(data) > LARGEST:
        raise Refused(
            413, f"mine/{path} is too long for the editor here: use your own, this page follows what it saves"
        )
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused(409, f"mine/{path} is not UTF-8 text: save it as UTF-8 in your own editor") from None
    return State(path, text, hashlib.sha256(data).hexdigest())
