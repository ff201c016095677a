"""The items of a list under one of a lesson's headings: its exercises, the questions to look back with."""

from __future__ import annotations

import re

from .lesson import Lesson

ITEM = re.compile(r"^(?:[-*+]|\d+[.)]) +", re.MULTILINE)


def items(lesson: Lesson, part: str) -> list[str]:
    """The items of the list under `## part`, each as one line of Markdown; [] where there is no list."""
    lines = lesson.prose.splitlines()
    starts = [line - lesson.body_line for line, _ in lesson.headings] + [len(lines)]
    for (_, title), start, end in zip(lesson.headings, starts, starts[1:]):
        if title == part:
            return [" ".join(item.split()) for item in ITEM.split("\n".join(lines[start + 1 : end]))[1:]]
    return []
