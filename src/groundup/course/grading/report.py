"""The grades as one page that stands alone: no script, nothing fetched, everything a student wrote escaped."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, StrictUndefined, Template

from ..lessons.lesson import Lesson
from ..showing.terminal import printable
from ..showing.verdict_parts import PLAIN_NAMES
from . import statistics
from .duplicates import Pair
from .rows import Row

PAIRS_SHOWN = 500
FEW = 20  # pairs that are laid out at once; more are folded away under their families
WORDS = {"passed": "passed", "failed": "not passed", "unusable": "unusable", "ended": "ended"}


def report(lessons: Sequence[Lesson], seed: int, rows: Sequence[Row], pairs: Sequence[Pair]) -> bytes:
    """report.html."""
    template = _template()
    titles = {lesson.section_id: f"{lesson.section_id} {lesson.title}" for lesson in lessons}
    graded = [lesson for lesson in lessons if any(row.lesson == lesson.section_id for row in rows)]
    page = template.render(
        lessons=[{"title": titles[lesson.section_id]} for lesson in graded],
        titles=titles,
        seed=seed,
        rows=rows,
        distinct=len({row.content for row in rows if row.content}),
        lesson_counts=statistics.lessons(rows),
        checkpoint_counts=statistics.checkpoints(rows),
        fault_counts=statistics.faults(rows),
        pairs=pairs[:PAIRS_SHOWN],
        pair_count=len(pairs),
        families=_families(pairs),
        words=WORDS,
        few=FEW,
    )
    return page.encode("utf-8", "replace")


def _families(pairs: Sequence[Pair]) -> dict[tuple[str, int], list[str]]:
    """Who is in each family, by lesson and number."""
    found: dict[tuple[str, int], dict[str, None]] = {}
    for pair in pairs:
        found.setdefault((pair.lesson, pair.family), {}).update({pair.first: None, pair.second: None})
    return {key: list(members) for key, members in found.items()}


def _in_words(verdict: str) -> str:
    return PLAIN_NAMES.get(verdict, verdict.replace("-", " "))


@lru_cache(maxsize=1)
def _template() -> Template:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=_legible
    )
    environment.filters["in_words"] = _in_words
    return environment.from_string(Path(__file__).with_name("report.html").read_text(encoding="utf-8"))


def _legible(value: object) -> object:
    """No control character of a student's reaches the page."""
    return printable(value) if isinstance(value, str) and not value.isprintable() else value
