"""Lessons that a learner has built: the code as it passed, and the evidence for it, from the log of events alone."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from functools import lru_cache

from ...course.holes.library import module_name
from ...course.lessons.lesson import Lesson, LessonError
from ...course.progress.store import Event, Store
from ...course.progress.time_spent import minutes_spent
from ...lab.sqlite import StoreError

ORACLES = {"torch": "PyTorch", "sklearn": "scikit-learn", "scipy": "SciPy", "tiktoken": "tiktoken", "tokenizers": "tokenizers",
           "transformers": "Transformers"}  # fmt: skip

IMPORT = re.compile(r"^\s*(?:import|from)\s+(\w+)", re.MULTILINE)


@dataclass(frozen=True)
class CodeFile:
    """A file of the learner's library as it passed. names: what it offers to whoever imports it."""

    path: str  # grad/value.py
    text: str
    names: tuple[str, ...]

    @property
    def import_line(self) -> str:
        """How to have what it offers."""
        module = f"mine.{module_name(self.path)}"
        return f"from {module} import {', '.join(self.names[:4])}" if self.names else f"import {module}"

    @property
    def lines(self) -> int:
        """Lines with something on them."""
        return sum(bool(line.strip()) for line in self.text.splitlines())


@dataclass(frozen=True)
class Built:
    """A lesson that has been passed.

    how: "passed", or "placed" where its checkpoints passed on files that were there already. seed: of the cases of the last pass.
    tries: checks up to the first pass. looked: the reference was shown before the first pass. against: what the truth came from.
    """

    lesson: Lesson
    first: date
    last: date
    how: str
    seed: int | None
    stretch: bool
    checkpoints: tuple[tuple[str, bool], ...]  # name, and whether it passed
    files: tuple[CodeFile, ...]
    lost: tuple[str, ...]  # files whose snapshot cannot be read
    tries: int
    looked: bool
    minutes: float
    against: tuple[str, ...]

    @property
    def id(self) -> str:
        return self.lesson.section_id

    @property
    def passed(self) -> int:
        """How many of its checkpoints passed."""
        return sum(good for _, good in self.checkpoints)


def built_lessons(store: Store, lessons: Iterable[Lesson], zone: tzinfo) -> list[Built]:
    """Every lesson that has been passed, in the order of the course."""
    events = store.events()
    spent = minutes_spent(events)
    by_lesson: dict[str, list[Event]] = {}
    for event in events:
        if event.lesson is not None:
            by_lesson.setdefault(event.lesson, []).append(event)
    found = (_built(store, lesson, by_lesson.get(lesson.section_id, []), spent, zone) for lesson in lessons)
    return [each for each in found if each is not None]


def _built(
    store: Store, lesson: Lesson, events: Sequence[Event], spent: Mapping[str, float], zone: tzinfo
) -> Built | None:
    passes = [event for event in events if _is_pass(event)]
    if not passes:
        return None
    first, last = passes[0], passes[-1]
    with_files = next((event for event in reversed(passes) if event.payload.get("files")), last)
    files, lost = _files(store, with_files.payload.get("files") or {})
    judged = next((event for event in reversed(passes) if event.kind == "checked"), None)
    seed = last.payload.get("seed")
    return Built(
        lesson=lesson,
        first=_day(first, zone),
        last=_day(last, zone),
        how="placed" if first.kind == "placed" else "passed",
        seed=seed if isinstance(seed, int) else None,
        stretch=any(bool(event.payload.get("stretch")) for event in passes),
        checkpoints=_checkpoints(judged),
        files=files,
        lost=lost,
        tries=sum(event.kind == "checked" for event in events if event.id <= first.id),
        looked=any(event.kind == "looked" for event in events if event.id < first.id),
        minutes=spent.get(lesson.section_id, 0.0),
        against=oracles_of(lesson),
    )


def _is_pass(event: Event) -> bool:
    return event.kind in ("passed", "placed") or (event.kind == "checked" and bool(event.payload.get("passed")))


def _day(event: Event, zone: tzinfo) -> date:
    return datetime.fromtimestamp(event.at, zone).date()


def _checkpoints(judged: Event | None) -> tuple[tuple[str, bool], ...]:
    """What a check says of each checkpoint; what is malformed is left out."""
    said = judged.payload.get("checkpoints") if judged is not None else None
    if not isinstance(said, dict):
        return ()
    return tuple(
        (str(name), isinstance(about, dict) and about.get("verdict") == "passed") for name, about in said.items()
    )


def _files(store: Store, hashes: Mapping[str, str]) -> tuple[tuple[CodeFile, ...], tuple[str, ...]]:
    files, lost = [], []
    for path, sha in sorted(hashes.items()):
        try:
            text = store.blob(sha).decode("utf-8", "replace")
        except StoreError:
            lost.append(path)
            continue
        files.append(CodeFile(path, text.replace("\r\n", "\n"), public_names(text)))
    return tuple(files), tuple(lost)


@lru_cache(maxsize=256)
def public_names(text: str) -> tuple[str, ...]:
    """The classes and functions at the top of a text, in its order; none where it does not parse."""
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return tuple(dict.fromkeys(node.name for node in body if isinstance(node, kinds) and not node.name.startswith("_")))


@lru_cache(maxsize=256)
def oracles_of(lesson: Lesson) -> tuple[str, ...]:
    """The libraries that a lesson's checks take the truth from, by the names that people know."""
    try:
        text = "\n".join(path.read_text(encoding="utf-8") for path in lesson.checks)
    except (LessonError, OSError, UnicodeDecodeError):
        return ()
    imported = {match[1] for match in IMPORT.finditer(text)}
    return tuple(said for name, said in ORACLES.items() if name in imported)
