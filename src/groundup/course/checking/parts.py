"""A verdict read as a self-assessment: how much of each part has passed, and what the page says to do about a gap.

Checkpoints of such a lesson are named `PART: demand`, and its page has a list of the parts under the heading below.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from typing import Any

from ..judging.verdicts import LessonVerdict, Verdict
from ..lessons.lesson import SECTION_ID, Lesson
from ..showing.terminal import width

HEADING = "A gap, and what to do about it"
ITEM = re.compile(r"^- \*\*(?P<part>.+?)\*\*: (?P<text>.+?)(?=^- \*\*|^\S|\Z)", flags=re.MULTILINE | re.DOTALL)
PRACTICE = "practice project"  # in the name of a part's practice checkpoints
UNTRIED = (Verdict.MISSING, Verdict.SKIPPED)


@dataclass(frozen=True)
class Gap:
    """What one does about a gap: the project to practise on, and the lessons that will lean on it."""

    project: str  # a file that the lesson builds
    lessons: tuple[str, ...]


@dataclass(frozen=True)
class Part:
    """One part of a self-assessment. failed: the checkpoints of it that did not pass; practised: its project passes; gap: what to
    do about it, None where there is nothing to do.
    """

    name: str
    passed: int
    of: int
    failed: tuple[str, ...]
    practised: bool
    gap: Gap | None


def parts_of(lesson: Lesson, verdict: LessonVerdict) -> tuple[Part, ...]:
    """The parts of a self-assessment, in the order in which their checkpoints come; none where a file kept all from running."""
    if not any(c.passed or c.cases for c in verdict.checkpoints):
        return ()
    parts: dict[str, list[Any]] = {}
    for checkpoint in verdict.checkpoints:
        name, colon, _ = checkpoint.name.partition(":")
        if colon:
            parts.setdefault(name, []).append(checkpoint)
    known = gaps(lesson)
    found = []
    for name, checkpoints in parts.items():
        items = [c for c in checkpoints if not c.stretch]
        practice = [c for c in checkpoints if c.stretch and PRACTICE in c.name]
        failed = tuple(c.name.partition(":")[2].strip() for c in items if not c.passed)
        practised = bool(practice) and all(c.passed for c in practice)
        gap = known.get(name) if failed else None
        found.append(Part(name, len(items) - len(failed), len(items), failed, practised, gap))
    return tuple(found)


def gaps(lesson: Lesson) -> dict[str, Gap]:
    """Part -> its project and its lessons, as the page's advice names them: the first file of the lesson's, and every id."""
    found = {}
    for part, text in advice(lesson).items():
        projects = (path for path in lesson.builds if path.rpartition("/")[2] in text)
        found[part] = Gap(
            next(projects, ""), tuple(dict.fromkeys(re.findall(rf"(?<![\d./]){SECTION_ID.pattern}(?![\d.]\d)", text)))
        )
    return found


def advice(lesson: Lesson) -> dict[str, str]:
    """Part -> what to do about a gap in it, as plain text; {} for a lesson whose page has no such list."""
    part = lesson.prose.partition(f"\n## {HEADING}\n")[2].partition("\n## ")[0]
    return {m["part"]: " ".join(m["text"].replace("`", "").split()) for m in ITEM.finditer(part)}


def assessment(lesson: Lesson, verdict: LessonVerdict, advise: bool = True) -> str:
    """A row for each part. Where one that was begun has a gap, the page's advice, or in short the project that answers it.

    "" where all has passed, nothing has run, or the lesson has no parts.
    """
    known = advice(lesson)
    if not known or verdict.passed:
        return ""
    begun = {c.name.partition(":")[0] for c in verdict.checkpoints if not c.stretch and c.verdict not in UNTRIED}
    parts = parts_of(lesson, verdict)
    rows = [row for part in parts for row in _rows(part, part.name in begun, known[part.name] if advise else "")]
    if not advise and any(part.gap is not None and part.name in begun for part in parts):
        rows.append(f"  what to read about a gap: groundup check {lesson.section_id} --full")
    return "\n".join(rows)


def _rows(part: Part, begun: bool, told: str) -> list[str]:
    row = f"  {part.name:16}{part.passed:2} of {part.of}"
    if not begun:
        return [row if part.gap is None else f"{row}   not begun"]
    if part.gap is None:
        return [row]
    if told:
        indent = " " * 6
        return [row, *textwrap.TextWrapper(width(), indent, indent, break_on_hyphens=False).wrap(told)]
    return [row if part.practised else f"{row}   to practise: {part.gap.project.rpartition('/')[2]}"]
