"""What a learner does beside checking, each step recorded: opening a lesson, a hint, a reset, a look at the reference, the map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..lessons.lesson import Lesson, find_all
from ..lessons.page import hints
from ..showing.verdict_parts import first_failure
from ..workspace import status_table
from ..workspace.workspace import Opened, Workspace, WorkspaceError, write_atomically
from . import last_verdict
from .session import next_lesson


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
    """The next hint of a lesson: of those that have not been given, one on the file that its last verdict is about comes first."""
    ladder = hints(lesson)
    kept = last_verdict.last(workspace, lesson)
    failed = first_failure(kept.reply["verdict"]) if kept is not None else None
    file = str(failed["file"] or "").rpartition("/")[2] if failed is not None else ""
    with workspace.store() as store:
        given = {event.payload.get("hint") for event in store.events(lesson=lesson.section_id, kind="hinted")}
        left = [rung for rung in range(1, len(ladder) + 1) if rung not in given]
        rung = min(left, key=lambda rung: file not in ladder[rung - 1], default=len(ladder) + 1)  # the first of equals
        store.append("hinted", lesson.section_id, hint=rung)
    return Hint(len(ladder) - len(left) + 1, len(ladder), ladder[rung - 1] if left else "")


def open_lesson(workspace: Workspace, lesson: Lesson) -> list[Opened]:
    """Writes the lesson's files, or brings them up to the contract. One that does not parse is left as it is."""
    try:
        opened = workspace.open_lesson(lesson)
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # not text, or nothing that Python can parse
        opened = []
    with workspace.store() as store:
        store.append("opened", lesson.section_id)
    status_table.update(workspace)
    return opened


def open_next(workspace: Workspace) -> Lesson | None:
    """Opens the lesson that comes next; None where all are built."""
    with workspace.store(readonly=True) as store:
        lesson = next_lesson(store.standings(), workspace.track)
    if lesson is not None:
        open_lesson(workspace, lesson)
    return lesson


def reset(workspace: Workspace, lesson: Lesson) -> tuple[int, list[str]]:
    """Starts the lesson's files again; the event that keeps the old ones, and the files (library paths), none if there were none."""
    from ..holes.library import module_name, reference_text
    from ..holes.stub import derive

    files = workspace.files_of(lesson)
    if not files:
        return 0, []
    with workspace.store() as store:
        event = store.append("reset", lesson.section_id, files)
    for path in files:
        write_atomically(workspace.path_of(path), derive(reference_text(module_name(path)) or "").encode())
    return event, list(files)


def undo_reset(workspace: Workspace, lesson: Lesson) -> list[str]:
    """Puts back the files of the latest reset, and says which; what stands there now is kept in its turn."""
    with workspace.store() as store:
        resets = [e for e in store.events(lesson=lesson.section_id, kind="reset") if e.payload["files"]]
        if not resets:
            raise WorkspaceError(f"{lesson.section_id} has not been reset: there is nothing to put back")
        old = {path: store.blob(sha) for path, sha in resets[-1].payload["files"].items()}
        store.append("reset", lesson.section_id, workspace.files_of(lesson), undo=True)
    for path, data in old.items():
        write_atomically(workspace.path_of(path), data)
    return list(old)


def look(workspace: Workspace, lesson: Lesson) -> dict[str, str]:
    """The reference's source of each of the lesson's files; that it was shown is recorded."""
    from ..holes.library import module_name, reference_text

    with workspace.store() as store:
        store.append("looked", lesson.section_id)
    return {path: reference_text(module_name(path)) or "" for path in lesson.builds}


def map_text(workspace: Workspace) -> str:
    """The map as it stands, with the gates of the track below it."""
    from ..showing.wall import gates_text, wall
    from ..workspace.kept_runs import kept_recipes

    track = workspace.track
    with workspace.store(readonly=True) as store:
        standings = store.standings()
    lines = [wall(find_all(), standings, next_lesson(standings, track), track)]
    if track.gates:
        lines.append(gates_text(track, standings, kept_recipes(workspace)))
    return "\n".join(lines)


def map_object(workspace: Workspace) -> dict[str, Any]:
    """The map as it stands, for `--json`."""
    from ..showing.wall import state
    from ..tracks import lessons_of, level_on, problems, still_open
    from ..workspace.kept_runs import kept_recipes

    track = workspace.track
    with workspace.store(readonly=True) as store:
        standings = store.standings()
    following, kept = next_lesson(standings, track), kept_recipes(workspace)
    on_track = {lesson.section_id for lesson in lessons_of(track)}
    gates = [(gate, still_open(gate, standings, kept)) for gate in track.gates]
    return {
        "schema": 1,
        "track": {"name": track.name, "title": track.title, "problems": problems(track)},
        "next": following.section_id if following is not None else None,
        "lessons": [
            {
                "lesson": lesson.section_id,
                "title": lesson.title,
                "phase": lesson.phase,
                "minutes": lesson.minutes,
                "level": level_on(track, lesson),
                "on_track": lesson.section_id in on_track,
                "state": state(lesson, standings, following, track),
            }
            for lesson in find_all()
        ],
        "gates": [
            {"name": gate.name, "says": gate.says, "source": gate.source, "met": not asks, "asks": asks}
            for gate, asks in gates
        ],
    }
