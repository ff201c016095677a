"""A bug to find: the reference with one known mistake in it, handed out into the workspace and judged once it is mended."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..holes.library import Submission, module_name, reference_text
from ..lessons.faults import Fault, load_faults
from ..lessons.lesson import Lesson
from ..progress.store import Event
from ..workspace.workspace import Workspace, WorkspaceError, write_atomically


@dataclass(frozen=True)
class Bug:
    """One that has been handed out and not been found. path: in the workspace; file: of the library."""

    path: Path
    fault: str
    file: str


def open_bug(workspace: Workspace, lesson: Lesson) -> Bug | None:
    """The lesson's bug that is still to be found; None where there is none."""
    events = _events(workspace, lesson)
    latest = max(events, key=lambda event: event.id, default=None)
    if latest is None or latest.kind != "bug" or not (workspace.root / latest.payload["path"]).is_file():
        return None
    return Bug(Path(latest.payload["path"]), latest.payload["fault"], latest.payload["file"])


def faults_of(lesson: Lesson) -> list[Fault]:
    """The mistakes that are known of a lesson."""
    return load_faults(lesson, {path: reference_text(module_name(path)) or "" for path in lesson.builds})


def hand_out(workspace: Workspace, lesson: Lesson) -> Bug:
    """Writes a faulty implementation, of a mistake that has not been seen while there is one. WorkspaceError if it cannot."""
    seen = {event.payload["fault"] for event in _events(workspace, lesson)}
    faults = faults_of(lesson)
    if not faults:
        raise WorkspaceError(f"{lesson.section_id} has no known mistakes yet: choose another lesson")
    fault = random.choice([fault for fault in faults if fault.name not in seen] or faults)
    path = Path("bugs") / lesson.section_id / Path(fault.file).name
    source = reference_text(module_name(fault.file)) or ""
    write_atomically(workspace.root / path, fault.apply(source).encode())
    with workspace.store() as store:
        store.append("bug", lesson.section_id, fault=fault.name, file=fault.file, path=path.as_posix())
    return Bug(path, fault.name, fault.file)


def judge_bug(workspace: Workspace, lesson: Lesson, bug: Bug) -> dict[str, Any]:
    """The judge's reply about what has become of it; a pass is recorded."""
    from ..judging.judge import Judge
    from .scratch import own_scratch
    from .session import source_line

    try:
        data = (workspace.root / bug.path).read_bytes()
    except OSError as problem:
        raise WorkspaceError(f"{bug.path} cannot be read: {problem.strerror}") from None
    others = {b: (reference_text(module_name(b)) or "").encode() for b in lesson.builds if b != bug.file}
    with own_scratch(), Judge() as court:
        submission = Submission({bug.file: data, **others}, names={bug.file: str(bug.path)}, unnamed=True)
        verdict = court.check(lesson, submission).as_json()
    if verdict["passed"]:
        with workspace.store() as store:
            store.append("found", lesson.section_id, fault=bug.fault)
    reply: dict[str, Any] = {"verdict": verdict, "title": lesson.title}
    if line := source_line(verdict, {str(bug.path): data}):
        reply["source"] = line
    return reply


def _events(workspace: Workspace, lesson: Lesson) -> list[Event]:
    with workspace.store(readonly=True) as store:
        return store.events(lesson=lesson.section_id, kind="bug") + store.events(lesson=lesson.section_id, kind="found")
