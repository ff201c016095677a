"""The arena: a lesson once more from a blank file, against the clock and one's own best time."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from ..checking.scratch import own_scratch
from ..holes.contract import contract
from ..holes.library import module_name, reference_text
from ..lessons.lesson import Lesson
from ..progress.store import Event, Standing, Store
from ..progress.time_spent import minutes_spent
from ..workspace.workspace import Workspace, WorkspaceError, write_atomically

BEGUN, ENDED = "arena-begun", "arena"
FOLDER = "arena"
HARDEST = 10


@dataclass(frozen=True)
class Bout:
    """How a lesson stands in the arena. hard: how hard it was, 1 for as long as it is said to take; begun: 0.0 if none is open."""

    lesson: Lesson
    hard: float
    times: tuple[float, ...]  # seconds of each attempt that passed, in order
    begun: float
    checks: int  # of the open attempt, failed

    @property
    def best(self) -> float | None:
        return min(self.times, default=None)


def hardness(lesson: Lesson, standing: Standing, events: Iterable[Event], minutes: float) -> float:
    """How hard a lesson was: the time it took against the time it is said to take, checks that failed, hints, a look."""
    failed = 0
    for event in events:
        if event.lesson == lesson.section_id and event.kind in ("passed", "placed"):
            break
        failed += event.lesson == lesson.section_id and event.kind == "checked" and not event.payload.get("passed")
    return minutes / max(1, lesson.minutes) + failed / 20 + standing.hints / 4 + standing.looked


def bouts(lessons: Iterable[Lesson], standings: Mapping[str, Standing], events: Sequence[Event]) -> list[Bout]:
    """Every lesson that was passed, the hardest first."""
    minutes = minutes_spent(events)
    about: dict[str, list[Event]] = {}
    for event in events:
        about.setdefault(str(event.lesson or event.payload.get("lesson_id")), []).append(event)
    found = [
        bout_of(
            lesson, standings[lesson.section_id], about.get(lesson.section_id, ()), minutes.get(lesson.section_id, 0.0)
        )
        for lesson in lessons
        if standings.get(lesson.section_id, Standing("")).passed
    ]
    return sorted(found, key=lambda bout: (-bout.hard, bout.lesson.phase, bout.lesson.order))


def bout_of(lesson: Lesson, standing: Standing, events: Sequence[Event], minutes: float) -> Bout:
    """How one lesson stands."""
    times: list[float] = []
    begun, checks = 0.0, 0
    for event in events:
        payload = event.payload
        if event.kind == BEGUN and payload.get("lesson_id") == lesson.section_id:
            begun, checks = event.at, 0
        elif event.kind == ENDED and payload.get("lesson_id") == lesson.section_id:
            if payload.get("passed"):
                times.append(float(payload["seconds"]))
            elif not payload.get("stopped"):
                checks += 1
                continue
            begun = 0.0
    return Bout(lesson, hardness(lesson, standing, events, minutes), tuple(times), begun, checks)


def paths_of(lesson: Lesson) -> dict[str, str]:
    """Library file -> where it is written in the workspace."""
    return {path: f"{FOLDER}/{lesson.section_id}/{path}" for path in lesson.builds}


def begin(workspace: Workspace, store: Store, lesson: Lesson) -> list[str]:
    """Writes the blank files and starts the clock; what stood there is kept in the event."""
    before: dict[str, bytes] = {}
    paths = paths_of(lesson)
    for path in paths.values():
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            before[path] = (workspace.root / path).read_bytes()
    for library_path, path in paths.items():
        write_atomically(workspace.root / path, blank_file(lesson, library_path).encode())
    store.append(BEGUN, files=before, lesson_id=lesson.section_id)
    return list(paths.values())


def blank_file(lesson: Lesson, library_path: str) -> str:
    """A file with nothing in it but the names that are asked for, as comments."""
    names = contract(reference_text(module_name(library_path)) or "")
    lines = [f"# {lesson.section_id} {lesson.title}: {Path(library_path).name}, from nothing. Asked for:", "#"]
    lines += [f"#   {'    ' * name.count('.')}{signature}" for name, signature in names.items()]
    return "\n".join(lines) + "\n\n"


def judge_bout(workspace: Workspace, store: Store, bout: Bout, now: datetime) -> tuple[dict[str, Any], float | None]:
    """The judge's reply about what stands in the arena, and the seconds it took; None where it does not pass."""
    from ..checking.session import source_line
    from ..judging.judge import Judge  # NumPy with it

    lesson, paths = bout.lesson, paths_of(bout.lesson)
    files = {}
    for library_path, path in paths.items():
        try:
            files[library_path] = (workspace.root / path).read_bytes()
        except OSError as problem:
            says = f"{path} cannot be read ({problem.strerror}): groundup arena {lesson.section_id} --stop gives this attempt up"
            raise WorkspaceError(says) from None
    submission = replace(workspace.submission(lesson, store.standings()), files=files, names=paths)
    with own_scratch(), Judge() as judge:
        verdict = judge.check(lesson, submission).as_json()
    reply: dict[str, Any] = {"verdict": verdict, "title": lesson.title}
    if line := source_line(verdict, {paths[path]: data for path, data in files.items()}):
        reply["source"] = line
    seconds = max(0.0, round(now.timestamp() - bout.begun, 1)) if verdict["passed"] else None
    store.append(
        ENDED, files={paths[path]: data for path, data in files.items()}, lesson_id=lesson.section_id,
        passed=verdict["passed"], seconds=seconds, checks=bout.checks,
    )  # fmt: skip
    return reply, seconds


def stop(store: Store, lesson: Lesson) -> None:
    """Gives the open attempt up."""
    store.append(ENDED, lesson_id=lesson.section_id, passed=False, stopped=True)


def clock(seconds: float) -> str:
    """12:05, or 1:12:05."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
