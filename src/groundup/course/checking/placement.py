"""Placement: a lesson counts as known once its checkpoints have passed, on files that are there already, and by nothing else.

The self-assessment is lesson 1.0: its checkpoints are named by their part ("Calculus: ..."), and each part has a practice project
of its own, a stretch, for whoever has a gap there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..holes.library import module_name, reference_text
from ..holes.stub import derive
from ..judging.judge import Judge
from ..judging.verdicts import Verdict
from ..lessons.lesson import Lesson, NoSuchLesson, find, find_all
from ..progress.store import Standing
from ..tracks import lessons_of
from ..workspace import status_table
from ..workspace.workspace import Workspace, WorkspaceError, commit, write_atomically
from .parts import Part, parts_of
from .scratch import own_scratch

ASSESSMENT = "1.0"
FIRST_PHASES = (1, 2, 3)


@dataclass(frozen=True)
class Tried:
    """What became of one lesson. how: before (passed earlier), placed, missed (judged, not passed) or absent (nothing to judge)."""

    lesson: Lesson
    how: str
    passed: int = 0  # checkpoints that are needed, and passed
    of: int = 0
    says: str = ""  # the first that is wrong, else the first that is not written
    seed: int | None = None
    parts: tuple[Part, ...] = field(default=())

    @property
    def known(self) -> bool:
        return self.how in ("before", "placed")


def chosen(names: Sequence[str], workspace: Workspace) -> list[Lesson]:
    """The lessons meant by phases ("2") and ids ("1.3"); without any, those of the first phases on the track. NoSuchLesson."""
    if not names:
        return [lesson for lesson in lessons_of(workspace.track) if lesson.phase in FIRST_PHASES]
    found: dict[str, Lesson] = {}
    for name in names:
        phase = [lesson for lesson in find_all() if name == str(lesson.phase)]
        if name.isdecimal() and not phase:
            raise NoSuchLesson(f"there is no phase {name}: `groundup map` shows those that are here")
        found.update({lesson.section_id: lesson for lesson in phase or [find(name)]})
    return list(found.values())


def given_files(lesson: Lesson, paths: Iterable[Path]) -> dict[str, bytes]:
    """Files by the library path that each stands for, told by its name. WorkspaceError for one that stands for none."""
    files = {}
    for path in paths:
        fitting = [built for built in lesson.builds if Path(built).name == path.name]
        if not fitting and len(lesson.builds) > 1:
            names = ", ".join(Path(built).name for built in lesson.builds)
            raise WorkspaceError(f"{path}: {lesson.section_id} is made of several files: name yours as one of {names}")
        try:
            files[(fitting or lesson.builds)[0]] = path.read_bytes()
        except OSError as problem:
            raise WorkspaceError(f"{path} cannot be read: {problem.strerror}") from None
    return files


def place(
    workspace: Workspace,
    lessons: Sequence[Lesson],
    given: Mapping[str, bytes] | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> list[Tried]:
    """Judges what is there of each lesson, and records as placed what passes; `given` files go before those in `mine`.

    A file that was given and passed is kept in `mine`, where there is none of its name, or only what `groundup open` wrote.
    """
    with workspace.store(readonly=True) as store:
        standings = store.standings()
    tried = []
    with own_scratch(), Judge() as judge:
        for lesson in lessons:
            say(f"{lesson.section_id} {lesson.title}")
            tried.append(_try(workspace, lesson, dict(given or {}), standings, judge))
    if placed := [each.lesson.section_id for each in tried if each.how == "placed"]:
        status_table.update(workspace)
        commit(workspace, f"Placed by their checkpoints: {', '.join(placed)}")
    return tried


def _try(
    workspace: Workspace, lesson: Lesson, given: dict[str, bytes], standings: dict[str, Standing], judge: Judge
) -> Tried:
    """One lesson; standings get what it adds."""
    if standings.get(lesson.section_id, Standing("")).passed and not given:
        return Tried(lesson, "before")
    found = workspace.submission(lesson, standings)
    files = {**found.files, **given}
    stubs = {path: derive(reference_text(module_name(path)) or "").encode() for path in lesson.builds}
    if all(data == stubs[path] for path, data in files.items()):  # none, or as `groundup open` wrote them
        return Tried(lesson, "absent")
    whole = replace(found, files={**stubs, **files})  # a file that is absent is one with every hole in it
    verdict = judge.check(lesson, whole, search=False, hurried=False)
    needed = [c for c in verdict.checkpoints if not c.stretch]
    failed = sorted((c for c in needed if not c.passed), key=lambda c: c.verdict is Verdict.MISSING)  # wrong ones first
    missed = failed[0] if failed else None
    if verdict.passed:
        with workspace.store() as store:
            store.append("placed", lesson.section_id, files, stretch=verdict.stretched, seed=verdict.seed)
            standings[lesson.section_id] = store.standing(lesson.section_id)
        here = workspace.files_of(lesson)
        for path, data in given.items():
            if here.get(path, stubs[path]) == stubs[path]:
                write_atomically(workspace.path_of(path), data)
    return Tried(
        lesson,
        "placed" if verdict.passed else "missed",
        sum(c.passed for c in needed),
        len(needed),
        f"{missed.name}. {missed.says}".strip() if missed is not None else "",
        verdict.seed,
        parts_of(lesson, verdict) if lesson.section_id == ASSESSMENT else (),
    )
