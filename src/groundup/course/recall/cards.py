"""What there is to recall: of each lesson passed its questions, and two cards of code, one to rebuild and one with a fault in it.

A card of code stands for the lesson's code as a whole; which part of it is asked changes from one time to the next, so that there
are as many cards as can be kept up in a quarter of an hour a day.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..lessons.lesson import Lesson
from ..lessons.listed import items
from ..progress.store import Standing

QUESTION, REBUILD, BUG = "question", "rebuild", "bug"
CODE = (REBUILD, BUG)
MINUTES = {QUESTION: 2, BUG: 5, REBUILD: 8}  # that one is expected to take
SELF = {QUESTION: "explain", REBUILD: "rebuild", BUG: "why"}  # what the learner's own rating in the log says of it


@dataclass(frozen=True)
class Card:
    """One thing to recall. name: stable, whatever is added to the course; text: the question, as Markdown."""

    name: str
    lesson: Lesson
    kind: str
    text: str = ""

    @property
    def minutes(self) -> int:
        return MINUTES[self.kind]


def cards_of(lesson: Lesson) -> list[Card]:
    """The cards of a lesson. A question is known by its words: reworded, it is another one."""
    questions = [
        Card(f"{lesson.section_id}/{_key(text)}", lesson, QUESTION, text) for text in items(lesson, "Look back")
    ]
    return [*questions, *(Card(f"{lesson.section_id}/{kind}", lesson, kind) for kind in CODE)]


def deck(lessons: Iterable[Lesson], standings: Mapping[str, Standing]) -> list[Card]:
    """The cards of every lesson that was passed."""
    return [
        card for lesson in lessons if standings.get(lesson.section_id, Standing("")).passed for card in cards_of(lesson)
    ]


def _key(text: str) -> str:
    """Six letters from the words of a question; marks and spaces count for nothing."""
    words = " ".join(re.findall(r"\w+", text.lower()))
    return hashlib.sha256(words.encode()).hexdigest()[:6]
