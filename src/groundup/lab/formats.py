"""What is in `runs.db`, and the way from one format to the next.

A run may have several attempts: it was cut off, and went on. Its metrics are never taken away: rows that a later attempt has
done again are passed over when they are read, because that attempt says from which step it went on.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

from .sqlite import Migration

APPLICATION = 0x67726E72  # "grnr" in the file's header


@dataclass(frozen=True)
class Row:
    """A run as it is recorded. status: running, finished, interrupted, failed, killed, pruned."""

    id: int
    recipe: str
    seed: int
    mine: bool
    config: dict[str, Any]
    source: str
    environment: dict[str, Any]
    hardware: dict[str, Any]
    begun: float  # unix seconds
    seconds: float | None
    status: str
    result: dict[str, float]

    @property
    def name(self) -> str:
        """How a person calls it, and its folder's name: mnist-numpy-12."""
        return f"{self.recipe}-{self.id}"


@dataclass(frozen=True)
class Attempt:
    """One stretch of a run, from its beginning or from where an earlier one was cut off, as long as its process lived."""

    number: int  # from 1
    begun: float  # unix seconds
    seconds: float | None  # until the last thing that was written, if it was killed
    status: str
    source: str
    resumed_at: (
        int | None
    )  # what earlier attempts logged beyond this step is superseded, and at it what was logged again


@dataclass(frozen=True)
class Point:
    """A metric's row, as those read it who pass it on."""

    id: int
    step: int
    name: str
    value: float
    time: float  # unix seconds
    attempt: int


# A row that a later attempt has done again: one beyond the step from which that attempt went on, or at that step and logged again.
# `metric` is the table of the question around it.
SUPERSEDED = (
    "EXISTS (SELECT 1 FROM attempt WHERE attempt.run = metric.run AND attempt.number > metric.attempt"
    " AND (attempt.resumed_at < metric.step OR attempt.resumed_at = metric.step AND EXISTS (SELECT 1 FROM metric AS again"
    " WHERE again.run = metric.run AND again.name = metric.name AND again.step = metric.step"
    " AND again.attempt = attempt.number)))"
)


def _create(db: sqlite3.Connection) -> None:
    """Format 1."""
    db.execute(
        "CREATE TABLE run (id INTEGER PRIMARY KEY, recipe TEXT NOT NULL, seed INTEGER NOT NULL, mine INTEGER NOT NULL,"
        " config TEXT NOT NULL, source TEXT NOT NULL, environment TEXT NOT NULL, hardware TEXT NOT NULL,"
        " begun REAL NOT NULL, seconds REAL, status TEXT NOT NULL, result TEXT NOT NULL DEFAULT '{}')"
    )
    db.execute(
        "CREATE TABLE metric (id INTEGER PRIMARY KEY, run INTEGER NOT NULL REFERENCES run (id), step INTEGER NOT NULL,"
        " name TEXT NOT NULL, value REAL)"
    )
    db.execute("CREATE INDEX metric_by_run ON metric (run, name, id)")
    db.execute(
        "CREATE TABLE artifact (run INTEGER NOT NULL REFERENCES run (id), name TEXT NOT NULL, sha TEXT NOT NULL,"
        " size INTEGER NOT NULL, PRIMARY KEY (run, name))"
    )
    db.execute(f"PRAGMA application_id = {APPLICATION}")


def _attempts(db: sqlite3.Connection) -> None:
    """Format 2: a run goes on under its name; a metric has its time; sinks have a cursor for each run."""
    db.execute(
        "CREATE TABLE attempt (run INTEGER NOT NULL REFERENCES run (id), number INTEGER NOT NULL, begun REAL NOT NULL,"
        " seconds REAL, status TEXT NOT NULL, source TEXT NOT NULL, resumed_at INTEGER, PRIMARY KEY (run, number))"
    )
    db.execute("INSERT INTO attempt SELECT id, 1, begun, seconds, status, source, NULL FROM run")
    db.execute("ALTER TABLE metric ADD COLUMN attempt INTEGER NOT NULL DEFAULT 1")
    db.execute("ALTER TABLE metric ADD COLUMN time REAL")  # unix seconds; of rows from format 1 it is not known
    db.execute(
        "CREATE TABLE outbox (sink TEXT NOT NULL, run INTEGER NOT NULL REFERENCES run (id), metric INTEGER NOT NULL,"
        " state TEXT NOT NULL, PRIMARY KEY (sink, run))"
    )


MIGRATIONS: tuple[Migration, ...] = (_create, _attempts)
