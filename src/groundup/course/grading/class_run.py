"""A class from the folders to the report: gather, judge what has no result yet, write what came of it all."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ..judging.batches import Absent
from ..judging.judge import Judge
from ..lessons.extras import how_to_get, missing
from ..lessons.lesson import Lesson
from ..workspace.workspace import WorkspaceError
from . import statistics, tables
from .duplicates import Own, Pair, near_duplicates
from .executors import Ended, Executor
from .gathering import Handed
from .grading import SCHEMA, Terms, Unit, content_hash, ended, unit_of
from .report import report
from .results import Results, write
from .rows import Row, Status, row_of, unusable

Progress = Callable[[int, int], None]  # so many of so many are judged


@dataclass(frozen=True)
class Work:
    """What was handed in, and the units to be judged: as many as there are different contents."""

    handed: Sequence[Handed]
    keys: Sequence[str]  # of the unit of each; "" where there is nothing to judge
    units: Mapping[str, Unit]

    def left(self, results: Results, shard: tuple[int, int] | None, retry: bool) -> list[Unit]:
        """The units without a result: those of a shard (i of n) if one is given, with `retry` also those that were ended."""
        found = []
        for key, unit in self.units.items():
            if shard is not None and int(key[:8], 16) % shard[1] != shard[0] - 1:
                continue
            result = results.get(key)
            if result is None or (retry and "ended" in result):
                found.append(unit)
        return found


def plan(handed: Sequence[Handed], lessons: Sequence[Lesson], terms: Terms) -> Work:
    """What there is to do."""
    by_id = {lesson.section_id: lesson for lesson in lessons}
    keys, units = [], {}
    for one in handed:
        unit = None if one.reason or not one.lesson else unit_of(one, by_id[one.lesson], terms)
        keys.append(unit.key if unit is not None else "")
        if unit is not None:
            units[unit.key] = unit
    return Work(handed, keys, units)


def make_ready(judge: Judge, lessons: Iterable[Lesson], terms: Terms) -> None:
    """Draws every case and its truth. WorkspaceError if a lesson cannot be judged on this machine: no student is to fail by that."""
    for lesson in lessons:
        for package in missing(lesson.allows):
            raise WorkspaceError(
                f"{lesson.section_id} is built on {package}, which is not installed: {how_to_get(package)}"
            )
        prepared = judge.ready(lesson, terms.seed, terms.times)
        for probe in prepared.probes:
            batch = prepared.batch(probe)
            if isinstance(batch, Absent) and not probe.checkpoint.stretch:
                raise WorkspaceError(f"{lesson.section_id} cannot be graded here, {probe.checkpoint.name!r}: {batch}")


def judge_units(units: Sequence[Unit], results: Results, executor: Executor[Unit], progress: Progress) -> int:
    """Judges the units and keeps each result as it comes; how many were ended without a verdict."""
    without = 0
    try:
        for unit in units:
            executor.submit(unit)
        for done, (unit, answer) in enumerate(executor.as_completed(), 1):
            if isinstance(answer, Ended):
                without += 1
                answer = ended(unit, answer)
            results.put(unit.key, answer)
            progress(done, len(units))
    finally:
        executor.cancel()
    return without


def write_all(work: Work, lessons: Sequence[Lesson], terms: Terms, results: Results) -> dict[str, Any]:
    """Writes the tables and the report; what they come to, as the object of `--json` has it."""
    rows, lines = _rows(work, results)
    write(results.folder / "results.jsonl", lines)
    pairs = _pairs(work, lessons)
    counts = statistics.checkpoints(rows), statistics.faults(rows)
    for name, data in (
        ("results.csv", tables.results_csv(rows)),
        ("checkpoints.csv", tables.checkpoints_csv(counts[0])),
        ("faults.csv", tables.faults_csv(counts[1])),
        ("pairs.csv", tables.pairs_csv(pairs)),
        ("report.html", report(lessons, terms.seed, rows, pairs)),
    ):
        write(results.folder / name, data)
    status = {each.value: sum(row.status is each for row in rows) for each in Status}
    return {
        **status,
        "lessons": [asdict(each) for each in statistics.lessons(rows)],
        "checkpoints": [
            {**asdict(each), "failing": round(each.failing, 4), "verdicts": dict(each.verdicts)} for each in counts[0]
        ],
        "faults": [asdict(each) for each in counts[1]],
        "pairs": len(pairs),
        "families": len({(pair.lesson, pair.family) for pair in pairs}),
    }


def _rows(work: Work, results: Results) -> tuple[list[Row], bytes]:
    """Every row, and results.jsonl."""
    rows, lines = [], io.BytesIO()
    for one, key in zip(work.handed, work.keys):
        result = results.get(key) if key else None
        if result is None and key:
            raise WorkspaceError(f"{results.path(key)} has gone while the report was written: grade again")
        row = unusable(one) if result is None else row_of(one, content_hash(one.files), key, result)
        rows.append(row)
        lines.write(tables.json_line(row, result))
    return rows, lines.getvalue()


def _pairs(work: Work, lessons: Sequence[Lesson]) -> list[Pair]:
    found: list[Pair] = []
    for lesson in lessons:
        own = [
            Own(one.student, content_hash(one.files), _text(one.files))
            for one, key in zip(work.handed, work.keys)
            if key and one.lesson == lesson.section_id
        ]
        found += near_duplicates(lesson, own) if own else []
    return found


def _text(files: Mapping[str, bytes]) -> str:
    return "\n".join(data.decode("utf-8", "replace") for _, data in sorted(files.items()))


def summary(
    asked: Mapping[str, Any], work: Work, judged: int, begun: float, found: Mapping[str, Any]
) -> dict[str, Any]:
    """The object of `groundup grade --json`."""
    return {
        "schema": SCHEMA,
        **asked,
        "handed": len(work.handed),
        "distinct": len(work.units),
        "judged": judged,
        "seconds": round(time.monotonic() - begun, 1),
        **found,
    }
