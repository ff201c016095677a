"""`groundup author check`: every rule on every lesson, and a table with the kill scores."""

from __future__ import annotations

import sys
from pathlib import Path

from ..course.author import Report, check_lesson
from ..course.judge import Judge
from ..course.lesson import LessonError, check_together
from ..course.scratch import own_scratch
from ..course.terminal import MISS, PASS, paint


def check(folder: Path) -> int:
    """0 if every rule holds in every lesson, 1 if not, 2 if there is no lesson."""
    folders = (
        [folder] if (folder / "lesson.md").is_file() else sorted(page.parent for page in folder.rglob("lesson.md"))
    )
    if not folders:
        print(f"{folder} holds no lesson: name a lesson's folder, or one above it", file=sys.stderr)
        return 2
    reports: list[Report] = []
    broken = 0
    with own_scratch(), Judge() as judge:
        for place, path in enumerate(folders, 1):
            try:
                reports.append(check_lesson(path.resolve(), judge, _progress(f"{place}/{len(folders)} {path.name}")))
            except LessonError as problem:
                broken += 1
                print(problem, file=sys.stderr)
    if len(folders) > 1:  # one lesson alone cannot be held against the others
        try:
            check_together([report.lesson for report in reports])
        except LessonError as clash:
            broken += 1
            print(clash, file=sys.stderr)
    _progress("")("")
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
    print(f"{len(reports)} lessons, {faults} faults: {_share(killed, faults)} rejected, {_share(named, faults)} named")
    return 1 if broken or any(r.problems for r in reports) else 0


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.0%}" if whole else "none"


def _progress(what: str):  # type: ignore[no-untyped-def]
    """A line that is written over, where somebody is looking."""

    def say(step: str) -> None:
        if sys.stderr.isatty():
            print(f"\r\033[K{what} {step}"[:120], end="", file=sys.stderr, flush=True)

    return say
