"""An entry of the log as others read it: what was answered, without the form that asked."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ...course.log.entries import ASKED, HEADING, lines_of
from ...course.log.writing import HOW_TO_RATE

BOX = re.compile(r"^\s*[-*+]\s*\[\s*\]")
TICKED = re.compile(r"^(\s*[-*+]\s*)\[\s*[^\]\s]\s*\]\s*")
RATING = re.compile(rf"^\s*[-*+]\s+({'|'.join(map(re.escape, ASKED.values()))})\s*:", re.IGNORECASE)


@dataclass
class _Part:
    """A heading, and the lines below it."""

    level: int
    heading: str
    lines: list[str] = field(default_factory=list)


def answered(text: str) -> str:
    """The text without questions that have no answer, exercises that are not ticked off, and the writer's ratings of themselves."""
    kept: list[_Part] = []
    for part in reversed(_parts(text)):
        said = any(line.strip() for line in part.lines)
        holds = bool(kept) and kept[-1].level > part.level
        if said or holds or not part.heading:
            kept.append(part)
    lines = [line for part in reversed(kept) for line in ([part.heading] if part.heading else []) + part.lines]
    return "\n".join(lines)


def _parts(text: str) -> list[_Part]:
    parts = [_Part(0, "")]
    for line, fenced in lines_of(text):
        if not fenced and (heading := HEADING.match(line)):
            parts.append(_Part(len(heading[1]), line))
        elif fenced or not (BOX.match(line) or RATING.match(line) or line.strip() == HOW_TO_RATE):
            parts[-1].lines.append(line if fenced else TICKED.sub(r"\1", line))
    return parts
