"""`groundup author check` and `author new`: every rule on every lesson, and one to begin with."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

from ..course import courses
from ..course.authoring.author import Report, check_lesson
from ..course.checking.scratch import own_scratch
from ..course.judging.judge import Judge
from ..course.lessons.lesson import LessonError, check_together
from ..course.packs.contents import CourseError
from ..course.packs.opening import around
from ..course.packs.writing import new_lesson, new_pack
from ..course.showing.terminal import MISS, PASS, paint
from ..errors import NotUsable
from .learn import near


def new(folder: Path, lesson: bool, as_json: bool) -> int:
    """A pack in a folder; or, in the pack that the folder lies in, a lesson."""
    if lesson:
        course = around(folder)
        if course is None:
            raise CourseError(folder, 1, "lies in no pack: `groundup author new FOLDER` makes one")
        written = new_lesson(course)
        folder = course.folder
    else:
        written = new_pack(folder)
    if as_json:
        print(json.dumps({"schema": 1, "written": [str(path) for path in written]}))
        return 0
    print("\n".join(near(path) for path in written))
    pack = shlex.quote(near(folder.resolve()))
    print(f"It is whole, and passes. Make it yours, then: groundup author check {pack}")
    print(f"As its learners will see it: groundup author preview {pack}")
    return 0


def check(folder: Path, as_json: bool = False) -> int:
    """0 if every rule holds in every lesson, 1 if not, 2 if there is no lesson."""
    folders = (
        [folder] if (folder / "lesson.md").is_file() else sorted(page.parent for page in folder.rglob("lesson.md"))
    )
    if not folders:
        raise NotUsable(f"{folder} holds no lesson: name a lesson's folder, or one above it")
    with courses.learning(around(folders[0])):  # whoever checks a pack has written it, and is not asked
        return _check(folders, as_json)


def _check(folders: list[Path], as_json: bool) -> int:
    reports: list[Report] = []
    broken = 0
    with own_scratch(), Judge() as judge:
        for place, path in enumerate(folders, 1):
            try:
                reports.append(check_lesson(path.resolve(), judge, _progress(f"{place}/{len(folders)} {path.name}")))
            except LessonError as problem:
                broken += 1
                print(problem, file=sys.stderr)
            except SystemExit as end:
                broken += 1
                print(f"{path}: its code ends the process (SystemExit {end.code}), and is not to", file=sys.stderr)
    if len(folders) > 1:  # one lesson alone cannot be held against the others
        try:
            check_together([report.lesson for report in reports])
        except LessonError as clash:
            broken += 1
            print(clash, file=sys.stderr)
    _progress("")("")
    status = 1 if broken or any(r.problems for r in reports) else 0
    if as_json:
        print(json.dumps({"schema": 1, "lessons": [_as_object(report) for report in reports], "broken": broken}))
        return status
    if not reports:
        return status
    print("lesson  checkpoints  faults  rejected  named  words")
    for r in reports:
        mark = paint("●", PASS) if not r.problems else paint("✗", MISS)
        print(
            f"{mark} {r.lesson.section_id:<6}{r.checkpoints:>11}{r.faults:>8}{r.kill_score:>9.0%}{_share(r.named, r.faults):>8}{r.words:>7}"
        )
    for r in reports:
        for found in (*r.problems, *r.unrun):
            print(f"{r.lesson.section_id}: {found}")
    faults, killed, named = (sum(getattr(r, name) for r in reports) for name in ("faults", "killed", "named"))
    print(
        f"{len(reports)} lesson{'s' * (len(reports) != 1)}, {faults} faults: {_share(killed, faults)} rejected, {_share(named, faults)} named"
    )
    return status


def _as_object(report: Report) -> dict[str, object]:
    return {
        "lesson": report.lesson.section_id,
        "checkpoints": report.checkpoints,
        "faults": report.faults,
        "rejected": report.killed,
        "named": report.named,
        "words": report.words,
        "problems": report.problems,
        "unrun": report.unrun,
    }


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.0%}" if whole else "none"


def _progress(what: str):  # type: ignore[no-untyped-def]
    """A line that is written over, where somebody is looking."""

    def say(step: str) -> None:
        if sys.stderr.isatty():
            print(f"\r\033[K{what} {step}"[:120], end="", file=sys.stderr, flush=True)

    return say
