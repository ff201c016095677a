"""The grades as files for other programs: results.jsonl, results.csv, checkpoints.csv, faults.csv, pairs.csv.

docs/journey.md says what each column holds. A spreadsheet takes a cell that begins with = + - @ for a formula, and a name can
begin with one: such a cell gets an apostrophe in front (OWASP, CSV injection).
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from typing import Any

from .duplicates import Pair
from .rows import Row
from .statistics import CheckpointCount, FaultCount

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def json_line(row: Row, result: dict[str, Any] | None) -> bytes:
    """A row of results.jsonl, with the whole verdict where there is one (docs/json.md)."""
    line = {
        "schema": 1,
        "student": row.student,
        "path": row.path,
        "lesson": row.lesson or None,
        "status": row.status.value,
        "reason": row.reason or None,
        "content": row.content or None,
        "verdict": result.get("verdict") if result is not None else None,
    }
    return json.dumps(line, allow_nan=False).encode() + b"\n"


def results_csv(rows: Iterable[Row]) -> bytes:
    """results.csv."""
    names = "student lesson status checkpoints passed stretch first_failure mistake says place reason path content"
    return _table(names, map(_cells, rows))


def _cells(row: Row) -> Sequence[object]:
    first = row.first_failure
    return (
        row.student,
        row.lesson,
        row.status.value,
        len(row.needed),
        sum(mark.passed for mark in row.needed),
        sum(mark.passed for mark in row.marks if mark.stretch),
        *((first.checkpoint, first.mistake, first.says, first.place) if first is not None else ("",) * 4),
        row.reason,
        row.path,
        row.content,
    )


def checkpoints_csv(counts: Iterable[CheckpointCount]) -> bytes:
    """checkpoints.csv."""
    names = "lesson checkpoint stretch passed failed skipped failing first_failure verdicts"
    cells = (
        (
            *(each.lesson, each.name, _yes(each.stretch), each.passed, each.failed, each.skipped),
            *(f"{each.failing:.4f}", each.first, " ".join(f"{verdict}:{n}" for verdict, n in each.verdicts)),
        )
        for each in counts
    )
    return _table(names, cells)


def faults_csv(counts: Iterable[FaultCount]) -> bytes:
    """faults.csv."""
    return _table("lesson fault submissions says", ((each.lesson, each.name, each.count, each.says) for each in counts))


def pairs_csv(pairs: Iterable[Pair]) -> bytes:
    """pairs.csv."""
    names = "lesson family first second likeness same_text"
    cells = (
        (each.lesson, each.family, each.first, each.second, f"{each.likeness:.3f}", _yes(each.same_text))
        for each in pairs
    )
    return _table(names, cells)


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _table(names: str, rows: Iterable[Sequence[object]]) -> bytes:
    """RFC 4180, in UTF-8 with its mark in front: without it Excel takes names for another encoding."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(names.split())
    writer.writerows([_inert(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8-sig", "replace")


def _inert(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell
