"""A verdict read as a self-assessment: how much of each part has passed, and what the page says to do about a gap.

Checkpoints of such a lesson are named `PART: demand`, and its page has a list of the parts under the heading below.
"""

from __future__ import annotations

import re
import textwrap

from .lesson import Lesson
from .placement import Part, parts_of
from .terminal import width
from .verdicts import LessonVerdict, Verdict

HEADING = "A gap, and what to do about it"
ITEM = re.compile(r"^- \*\*(?P<part>.+?)\*\*: (?P<text>.+?)(?=^- \*\*|^\S|\Z)", flags=re.MULTILINE | re.DOTALL)
UNTRIED = (Verdict.MISSING, Verdict.SKIPPED)


def advice(lesson: Lesson) -> dict[str, str]:
    """Part -> what to do about a gap in it, as plain text; {} for a lesson whose page has no such list."""
    part = lesson.prose.partition(f"\n## {HEADING}\n")[2].partition("\n## ")[0]
    return {m["part"]: " ".join(m["text"].replace("`", "").split()) for m in ITEM.finditer(part)}


def assessment(lesson: Lesson, verdict: LessonVerdict) -> str:
    """A row for each part, with the advice for one that was begun and has a gap; "" where all has passed, or without parts."""
    known = advice(lesson)
    if not known or verdict.passed:
        return ""
    begun = {c.name.partition(":")[0] for c in verdict.checkpoints if not c.stretch and c.verdict not in UNTRIED}
    return "\n".join(line for part in parts_of(verdict) if part.name in known for line in _rows(part, begun, known))


def _rows(part: Part, begun: set[str], known: dict[str, str]) -> list[str]:
    count = f"{part.passed:2} of {part.of}" + ("" if part.name in begun else "   not begun")
    rows = [f"  {part.name:16}{count}"]
    if part.failed and part.name in begun:
        indent = " " * 6
        wrapped = textwrap.TextWrapper(width(), indent, indent, break_on_hyphens=False)
        rows += wrapped.wrap(known[part.name])
    return rows
