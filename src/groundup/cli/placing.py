"""`groundup placement`: what you know already, said by the judge, and what to do about each gap."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from ..course.checking.parts import Part
from ..course.checking.placement import ASSESSMENT, Tried, chosen, given_files, place
from ..course.checking.session import next_lesson
from ..course.lessons.lesson import Lesson
from ..course.showing.terminal import BOLD, HINT, MISS, PASS, SOFT, paint
from ..course.workspace.workspace import WorkspaceError, find_workspace

FEW = 8  # lessons that are named one by one


def placement(names: Sequence[str], files: Sequence[Path], as_json: bool) -> int:
    """0 unless a lesson that was judged, or one that was named, is not known; then 1."""
    workspace = find_workspace()
    lessons = chosen(names, workspace)
    given = {}
    if files:
        if len(lessons) != 1:
            raise WorkspaceError("--file goes with one lesson: groundup placement 1.3 --file value.py")
        given = given_files(lessons[0], files)
    tried = place(workspace, lessons, given, _progress if sys.stderr.isatty() else lambda text: None)
    with workspace.store(readonly=True) as store:
        following = next_lesson(store.standings(), workspace.track)
    if as_json:
        print(json.dumps(_as_object(tried, following)))
    else:
        _tell(tried, following, files)
    return int(any(not each.known and (each.how == "missed" or bool(names)) for each in tried))


def _progress(text: str) -> None:
    """A line that is written over."""
    print(f"\r\033[K{text}"[:120], end="", file=sys.stderr, flush=True)


def _as_object(tried: Sequence[Tried], following: Lesson | None) -> dict[str, object]:
    lessons = [
        {
            "lesson": each.lesson.section_id,
            "title": each.lesson.title,
            "known": each.known,
            "how": each.how,
            "passed": each.passed,
            "of": each.of,
            "says": each.says,
            "seed": each.seed,
        }
        for each in tried
    ]
    parts = [
        {
            "part": part.name,
            "passed": part.passed,
            "of": part.of,
            "failed": list(part.failed),
            "practised": part.practised,
            "project": part.gap.project if part.gap else None,
            "lessons": list(part.gap.lessons) if part.gap else [],
        }
        for each in tried
        for part in each.parts
    ]
    return {"schema": 1, "lessons": lessons, "parts": parts, "next": following.section_id if following else None}


def _tell(tried: Sequence[Tried], following: Lesson | None, files: Sequence[Path]) -> None:
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr, flush=True)
    for each in tried:
        for part in each.parts:
            _tell_part(part)
    for each in tried:
        name = f"{each.lesson.section_id} {each.lesson.title}"
        if each.how == "before":
            print(f"{paint('●', PASS)} {name}: built before")
        elif each.how == "placed":
            print(f"{paint('●', PASS)} {name}: known, {each.of} of {each.of} checkpoints")
        elif each.how == "missed":
            print(f"{paint('✗', MISS)} {name}: {each.passed} of {each.of} checkpoints")
            named = "".join(f" --file {shlex.quote(str(path))}" for path in files)
            again = f"groundup check {each.lesson.section_id}{named} --seed {each.seed}"
            print(paint(f"    {each.says}", SOFT) + f"\n    {again}")
    if not tried:
        print("Your track has no lesson of phases 1 to 3 that is here: name one, as in groundup placement 7.1")
    absent = [each.lesson.section_id for each in tried if each.how == "absent"]
    if absent:
        rest = f" and {len(absent) - FEW} more" if len(absent) > FEW else ""
        print(f"{paint('○', HINT)} Nothing of yours to judge for {', '.join(absent[:FEW])}{rest}.")
    if ASSESSMENT in absent:
        print(
            f"\nThe self-assessment is lesson {ASSESSMENT}: groundup open {ASSESSMENT}\n"
            f"Fill in what you can of it, part by part, then: groundup placement {ASSESSMENT}"
        )
    if len(absent) > (ASSESSMENT in absent):
        print("\nWhat you have built elsewhere counts too: groundup placement 1.3 --file value.py")
        print("or write it where the course looks for it: groundup open 1.3, then groundup placement 1.3")
    if following is not None:
        print(f"\nnext  {paint(f'{following.section_id} {following.title}', BOLD)}   groundup next")


def _tell_part(part: Part) -> None:
    mark = paint("●", PASS) if not part.failed else paint("○", HINT)
    print(f"{mark} {part.name}: {part.passed} of {part.of}")
    for name in part.failed[:3]:
        print(paint(f"    not yet: {name}", SOFT))
    if len(part.failed) > 3:
        print(paint(f"    and {len(part.failed) - 3} more", SOFT))
    if part.gap is not None:
        lessons = ", ".join(part.gap.lessons)
        if part.practised:
            print(f"    your practice project passes; go back to what is missing. Lessons that lean on it: {lessons}")
        else:
            print(f"    practise on mine/{part.gap.project}, a project of its own. Lessons that lean on it: {lessons}")
