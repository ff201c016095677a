"""One submission graded: a unit of work that gives the same result wherever and whenever it is done.

A unit is known by its key: the hash of the files, of the lesson, of groundup itself, and of how the cases are drawn. So what
has been graded is found again, the same text is graded once however many hand it in, and nothing old is taken for new.
"""

from __future__ import annotations

import ast
import hashlib
import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from ... import __version__
from .. import courses
from ..holes.library import ROOT, Submission, module_name, reference_sources, reference_text
from ..judging.judge import Judge
from ..lessons.lesson import Lesson, find
from ..lessons.probes import library_modules, trees
from .executors import Ended
from .gathering import Handed

SCHEMA = 1
LATE_SECONDS = 0.5  # for all checkpoints after one that ran out of time: an endless loop is paid for once
SPARE_SECONDS = 60.0  # what a submission may take beside its long checkpoints, before the judge is taken to hang
JUDGING = {
    "courses",
    "holes",
    "judging",
    "lessons",
    "overlay",
    "sandbox",
}  # the parts of `course` that a verdict depends on


@dataclass(frozen=True)
class Terms:
    """What all submissions of a run are judged on."""

    seed: int
    times: int = 1  # as many cases as a check has


@dataclass(frozen=True)
class Unit:
    """One content to be judged; whoever handed it in."""

    key: str
    lesson: str
    files: Mapping[str, bytes]
    alone: bool


def unit_of(handed: Handed, lesson: Lesson, terms: Terms) -> Unit:
    """The unit that a student's files are."""
    alone = handed.alone and len(lesson.builds) > 1  # where there is one file, nothing stands beside it
    parts = [f"{SCHEMA} {lesson.section_id} {terms.seed} {terms.times} {alone}".encode()]
    parts += [judge_hash().encode(), lesson_hash(lesson).encode()]
    for path, data in sorted(handed.files.items()):
        parts += [path.encode(), data]
    return Unit(_hash(parts), lesson.section_id, handed.files, alone)


def content_hash(files: Mapping[str, bytes]) -> str:
    """The same for the same files, in every run."""
    return _hash(part for path, data in sorted(files.items()) for part in (path.encode(), data))


def grade(unit: Unit, terms: Terms, judge: Judge) -> bytes:
    """The result of a unit, as JSON. Every checkpoint is judged in full, and no failing case is searched further."""
    lesson = find(unit.lesson)
    others = {path: (reference_text(module_name(path)) or "").encode() for path in lesson.builds if unit.alone}
    verdict = judge.check(
        lesson,
        Submission({**others, **unit.files}),
        terms.seed,
        terms.times,
        search=False,
        hurried=False,
        late=LATE_SECONDS,
    )
    return _result(unit, verdict=verdict.as_json())


def ended(unit: Unit, how: Ended) -> bytes:
    """The result of a unit that there is no verdict on."""
    return _result(unit, ended=how.says)


def _result(unit: Unit, **what: Any) -> bytes:
    python = ".".join(map(str, sys.version_info[:3]))
    result = {"schema": SCHEMA, "key": unit.key, "groundup": __version__, "python": python, **what}
    return json.dumps(result, allow_nan=False).encode()


def seconds_for(judge: Judge, lessons: Iterable[Lesson], terms: Terms) -> float:
    """What one submission of these lessons may take at most, by their checkpoints."""
    probes = (judge.ready(lesson, terms.seed, terms.times).probes for lesson in lessons)
    return SPARE_SECONDS + max(sum(probe.checkpoint.seconds for probe in each) for each in probes)


@lru_cache(maxsize=1)
def judge_hash() -> str:
    """The hash of the judge's own sources."""
    course = ROOT / "course"
    sources = [path for path in course.rglob("*.py") if path.relative_to(course).parts[0].split(".")[0] in JUDGING]
    return _hash_of(sources)


@lru_cache(maxsize=128)
def lesson_hash(lesson: Lesson) -> str:
    """The hash of what a lesson asks, of the mistakes it knows, and of the library that it asks it of."""
    asks = [node for _, tree in trees(lesson) for node in tree.body]
    named = [module for node in asks for module in library_modules(node)]
    used = reference_sources([*lesson.modules, *named])
    drawn = {
        name.split(".")[1]  # what draws cases or knows truths: the whole folder it is in
        for top in asks
        for node in ast.walk(top)
        if isinstance(node, ast.ImportFrom) and (name := node.module or "").startswith("groundup.")
    }
    sources = [path for name in sorted(drawn - {"course"}) for path in (ROOT / name).rglob("*.py")]
    parts = [_bytes(path) for path in (lesson.page, *lesson.checks, lesson.folder / "faults.toml")]
    parts += [text.encode() for module in sorted(used) for text in (module, used[module][1])]
    pack = courses.current()
    return _hash([*parts, _hash_of(sources).encode(), (pack.digest if pack is not None else "").encode()])


def _hash_of(sources: Iterable[Path]) -> str:
    return _hash(
        part for path in sorted(sources) for part in (path.relative_to(ROOT).as_posix().encode(), path.read_bytes())
    )


def _bytes(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


def _hash(parts: Iterable[bytes]) -> str:
    """Of the parts, each with its length, so that no two lists of parts are one text."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()
