"""Search: lessons by title, id and what stands in them; the commands are the page's own."""

from __future__ import annotations

import re
from functools import lru_cache

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ...course.lessons.lesson import Lesson, find_all
from ..place import Place
from ..reading.sentences import plain

MOST = 12
AROUND = 60  # characters on either side of what was found


def found(question: str) -> list[dict[str, str]]:
    """The lessons that answer a question, the best first: id, then title, then prose."""
    words = question.lower().split()
    if not words:
        return [_entry(lesson, "") for lesson in find_all()]
    scored = [(score, lesson) for lesson in find_all() if (score := _score(lesson, words))]
    scored.sort(key=lambda pair: -pair[0])
    return [_entry(lesson, _passage(lesson, words[0])) for _, lesson in scored[:MOST]]


def _score(lesson: Lesson, words: list[str]) -> int:
    """0 where a word is nowhere."""
    title, prose = lesson.title.lower(), plain_prose(lesson).lower()
    total = 0
    for word in words:
        if lesson.section_id == word:
            total += 1000
        elif lesson.section_id.startswith(word):
            total += 300
        elif re.search(rf"\b{re.escape(word)}", title):
            total += 100
        elif any(word in path for path in lesson.builds):
            total += 50
        elif word in prose:
            total += min(20, prose.count(word))
        else:
            return 0
    return total


def _entry(lesson: Lesson, passage: str) -> dict[str, str]:
    return {
        "href": f"/lesson/{lesson.section_id}",
        "id": lesson.section_id,
        "title": lesson.title,
        "phase": lesson.phase_title,
        "passage": passage,
    }


def _passage(lesson: Lesson, word: str) -> str:
    text = plain_prose(lesson)
    at = text.lower().find(word)
    if at < 0:
        return ""
    begin = text.rfind(". ", 0, at) + 2 if at > AROUND else 0
    return text[max(begin, at - AROUND) : at + len(word) + AROUND]


@lru_cache(maxsize=256)
def plain_prose(lesson: Lesson) -> str:
    """A lesson's sentences in one line: no code, no figures, mathematics in plain signs."""
    text = re.sub(r"^```.*?^```[^\n]*$", "", lesson.prose, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"!\[[^\]]*\]\([^)]*\)|^#+ .*$|^\|.*$", "", text, flags=re.MULTILINE)
    return plain(text)


async def search(request: Request) -> Response:
    """The answers as JSON, for the palette."""
    place: Place = request.app.state.place
    question = request.query_params.get("q", "")[:100]
    return JSONResponse({"lessons": await place.work(found, question)})


routes = [Route("/search", search)]
