"""The states that a lesson's file has been in: every check, reset and put-back took a snapshot, and none is ever lost."""

from __future__ import annotations

from dataclasses import dataclass

from ...course.lessons.lesson import Lesson
from ...course.workspace.workspace import Workspace
from ..paging import Refused

KINDS = {"checked": "checked", "passed": "passed", "reset": "before a reset", "saved": "before a change here"}


@dataclass(frozen=True)
class Version:
    """A state of one file. event: the first event that has it; passed: whether a check of it passed."""

    event: int
    at: float  # unix seconds
    what: str
    sha: str
    passed: bool


def versions(workspace: Workspace, lesson: Lesson, number: int) -> list[Version]:
    """The states of a file, the oldest first; the same state twice in a row is one."""
    path = lesson.builds[number]
    found: list[Version] = []
    with workspace.store(readonly=True) as store:
        events = store.events(lesson=lesson.section_id)
    for event in events:
        files = event.payload.get("files")
        sha = files.get(path) if isinstance(files, dict) else None
        if sha is None or event.kind not in KINDS:
            continue
        passed = event.kind == "passed" or bool(event.payload.get("passed"))
        if found and found[-1].sha == sha:
            before = found[-1]
            found[-1] = Version(before.event, before.at, before.what, sha, before.passed or passed)
        else:
            found.append(Version(event.id, event.at, KINDS[event.kind], sha, passed))
    return found


def text_of(workspace: Workspace, lesson: Lesson, number: int, event: int) -> str:
    """The text of a version. Refused where an event has none of this file."""
    for version in versions(workspace, lesson, number):
        if version.event == event:
            with workspace.store(readonly=True) as store:
                return store.blob(version.sha).decode("utf-8", "replace")
    raise Refused(404, f"event {event} keeps no state of mine/{lesson.builds[number]}")


def keep(workspace: Workspace, lesson: Lesson) -> None:
    """Takes a snapshot of a lesson's files as they stand, before something else is put in their place."""
    with workspace.store() as store:
        store.append("saved", lesson.section_id, workspace.files_of(lesson))
