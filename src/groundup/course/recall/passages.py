"""Where a lesson speaks of a question: the paragraph that shares most of its rarer words. There is no answer to read off."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass

from ..lessons.lesson import PARTS, Lesson
from ..lessons.listed import ITEM

WORD = re.compile(r"[a-z]{3,}")
SHORT = 80  # characters below which a paragraph says too little


@dataclass(frozen=True)
class Passage:
    """A paragraph of a lesson, as Markdown, and the heading that it stands under."""

    title: str
    text: str


def passage(lesson: Lesson, question: str) -> Passage | None:
    """The paragraph to compare an answer with; None where no paragraph shares a word with the question."""
    paragraphs = _paragraphs(lesson)
    having = [set(_words(p.text)) for p in paragraphs]
    known = Counter(word for words in having for word in words)
    asked = set(_words(question))

    def score(words: set[str]) -> float:
        return sum(math.log(1 + len(paragraphs) / known[word]) for word in asked & words) / math.log(10 + len(words))

    best = max(range(len(paragraphs)), key=lambda i: score(having[i]), default=None)
    return paragraphs[best] if best is not None and score(having[best]) > 0 else None


def _words(text: str) -> list[str]:
    return [word.removesuffix("s") for word in WORD.findall(text.lower())]


def _paragraphs(lesson: Lesson) -> list[Passage]:
    """Those of the lesson's idea, without code, figures, tables and formulas that stand alone."""
    found, title, fenced, lines = list[Passage](), lesson.title, False, list[str]()

    def end() -> None:
        text = "\n".join(lines).strip()
        if len(text) >= SHORT and not text.startswith(("|", "!", "$$", ":::", "#")):
            found.append(Passage(title, text))
        lines.clear()

    for line in lesson.prose.splitlines():
        if line.startswith("```"):
            fenced = not fenced
            end()
        elif not fenced and line.startswith("## "):
            end()
            title = line[3:].strip()
            if title in PARTS:
                break
        elif not fenced and line.strip():
            if ITEM.match(line):
                end()
            lines.append(line)
        elif not fenced:
            end()
    end()
    return found
