"""The store of a learner's progress: one SQLite file with an append-only log of events.

An event, the snapshots of the files it speaks of and the projection (where each lesson stands) are written in one
transaction, which is on the disk when `append` returns. Snapshots are kept once for each content, under their SHA-256.
Order is the event's id: the time is kept to be shown, and a clock that goes back changes nothing.
"""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import astuple, dataclass, field
from pathlib import Path
from typing import Any

from ...lab.sqlite import BUSY_TIMEOUT, Migration, StoreError, atomic, explained, open_to_read, open_to_write

APPLICATION = 0x67726E64  # "grnd" in the file's header: other programs' databases are never touched
KIND = re.compile(r"[a-z]+(-[a-z]+)*")


@dataclass(frozen=True)
class Event:
    """One row of the log. at is in unix seconds; payload is what JSON can hold."""

    id: int
    at: float
    kind: str
    lesson: str | None
    payload: dict[str, Any]


@dataclass(frozen=True)
class Standing:
    """Where a lesson stands, from its events alone."""

    lesson: str
    opened: bool = False
    checks: int = 0
    hints: int = 0
    passed: bool = False  # ever
    stretch: bool = False  # ever passed with every stretch checkpoint too
    passed_files: dict[str, str] = field(default_factory=dict)  # path -> SHA-256, as last passed
    looked: bool = False  # the reference was shown, ever
    last_at: float = 0.0  # the time of the last event by id


def passes(event: Event) -> bool:
    """Whether with this event its lesson is passed."""
    return event.kind in ("passed", "placed") or (event.kind == "checked" and bool(event.payload.get("passed")))


def advance(standing: Standing, event: Event) -> Standing:
    """The standing after one event more; kinds unknown here only move last_at."""
    kind, payload = event.kind, event.payload
    passed = passes(event)
    files = payload.get("files")
    return Standing(
        lesson=standing.lesson,
        opened=standing.opened or kind == "opened",
        checks=standing.checks + (kind == "checked"),
        hints=standing.hints + (kind == "hinted"),
        passed=standing.passed or passed,
        stretch=standing.stretch or (passed and bool(payload.get("stretch"))),
        passed_files=files if passed and files is not None else standing.passed_files,
        looked=standing.looked or kind == "looked",
        last_at=event.at,
    )


def replay(events: Iterable[Event]) -> dict[str, Standing]:
    """Every lesson's standing from the log: the definition of the projection."""
    standings: dict[str, Standing] = {}
    for event in events:
        if event.lesson is not None:
            standings[event.lesson] = advance(standings.get(event.lesson, Standing(event.lesson)), event)
    return standings


def _create(db: sqlite3.Connection) -> None:
    """Format 1. INSERT OR REPLACE deletes without a delete trigger, hence the triggers before insert."""
    db.execute(
        "CREATE TABLE event (id INTEGER PRIMARY KEY, at REAL NOT NULL, kind TEXT NOT NULL, lesson TEXT,"
        " payload TEXT NOT NULL, CHECK (kind <> '' AND kind NOT GLOB '*[^a-z-]*'))"
    )
    db.execute("CREATE TABLE blob (sha TEXT PRIMARY KEY NOT NULL, data BLOB NOT NULL CHECK (typeof(data) = 'blob'))")
    db.execute(
        "CREATE TABLE standing (lesson TEXT PRIMARY KEY NOT NULL, opened INTEGER NOT NULL, checks INTEGER NOT NULL,"
        " hints INTEGER NOT NULL, passed INTEGER NOT NULL, stretch INTEGER NOT NULL, passed_files TEXT NOT NULL,"
        " looked INTEGER NOT NULL, last_at REAL NOT NULL)"
    )
    for table, key in (("event", "id"), ("blob", "sha")):
        refuse = f"BEGIN SELECT RAISE(ABORT, '{table} rows are never changed'); END"
        db.execute(f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} {refuse}")
        db.execute(f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} {refuse}")
        taken = f"EXISTS (SELECT 1 FROM {table} WHERE {key} = NEW.{key})"
        db.execute(f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} WHEN {taken} {refuse}")
    db.execute(f"PRAGMA application_id = {APPLICATION}")


MIGRATIONS: tuple[Migration, ...] = (_create,)  # MIGRATIONS[n] leads from format n to n + 1, inside a transaction


class Store:
    """A learner's progress in the file at path, made if it is absent (its folder is not).

    Threads may share a Store; processes open their own. Every failure of the file is a StoreError, and a file that is
    damaged, newer, or another program's is left as it is. busy_timeout is in seconds; clock gives unix seconds.
    """

    def __init__(
        self,
        path: Path,
        *,
        readonly: bool = False,
        busy_timeout: float = BUSY_TIMEOUT,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.path, self.readonly = Path(path), readonly
        self._clock, self._lock = clock, threading.RLock()
        with explained(self.path):
            opening = open_to_read if readonly else open_to_write
            self._db = opening(self.path, APPLICATION, MIGRATIONS, busy_timeout)

    def append(
        self, kind: str, lesson: str | None = None, files: Mapping[str, bytes] | None = None, **payload: Any
    ) -> int:
        """Record one event and return its id; files (path -> content) become snapshots, named in payload["files"].

        On the disk when it returns; nothing of it is there when it raises. Raises StoreError, ValueError for a kind
        that is not a-z and dashes, and TypeError for a payload JSON cannot hold (a tuple comes back as a list).
        """
        if not KIND.fullmatch(kind):
            raise ValueError(f"{kind!r} is not a kind of event: use a-z and dashes")
        if self.readonly:
            raise StoreError(f"{self.path} was opened for reading only: open it without readonly to record")
        snapshots = {name: (hashlib.sha256(content).hexdigest(), content) for name, content in (files or {}).items()}
        if files is not None:
            payload["files"] = {name: sha for name, (sha, _) in snapshots.items()}
        text = json.dumps(payload)  # ASCII, so that lone surrogates survive
        with self._transaction("IMMEDIATE") as db:
            for sha, content in snapshots.values():
                if db.execute("SELECT 1 FROM blob WHERE sha = ?", (sha,)).fetchone() is None:
                    db.execute("INSERT INTO blob VALUES (?, ?)", (sha, zlib.compress(content)))
            at = float(self._clock())
            row = db.execute("INSERT INTO event VALUES (NULL, ?, ?, ?, ?)", (at, kind, lesson, text)).lastrowid
            assert row is not None
            if lesson is not None:
                now = _standings(db, lesson).get(lesson, Standing(lesson))
                _keep(db, advance(now, Event(row, at, kind, lesson, json.loads(text))))
        return row

    def events(
        self, after: int = 0, *, lesson: str | None = None, kind: str | None = None, limit: int | None = None
    ) -> list[Event]:
        """The events with an id above after, in order, of one lesson and one kind if given, the first limit of them."""
        with self._transaction() as db:
            return list(_events(db, after, lesson, kind, limit))

    def newest(self) -> int:
        """The id of the last event, 0 before the first."""
        with self._transaction() as db:
            [found] = db.execute("SELECT coalesce(max(id), 0) FROM event").fetchone()
        return int(found)

    def blob(self, sha: str) -> bytes:
        """The content with this SHA-256 (64 hex digits), checked. StoreError when it is absent or damaged."""
        with self._transaction() as db:
            row = db.execute("SELECT data FROM blob WHERE sha = ?", (sha,)).fetchone()
        if row is None:
            raise StoreError(f"{self.path} holds no file with hash {sha}: choose one that an event names")
        content = _unpacked(sha, row[0])
        if content is None:
            raise StoreError(f"{self.path} holds file {sha} damaged: take it from a backup of {self.path.name}")
        return content

    def standing(self, lesson: str) -> Standing:
        """Where one lesson stands; a lesson without events stands at the beginning."""
        with self._transaction() as db:
            return _standings(db, lesson).get(lesson, Standing(lesson))

    def standings(self) -> dict[str, Standing]:
        """Where every lesson with an event stands."""
        with self._transaction() as db:
            return _standings(db)

    def rebuild(self) -> None:
        """Make the projection again from the events."""
        with self._transaction("IMMEDIATE") as db:
            db.execute("DELETE FROM standing")
            for standing in replay(_events(db)).values():
                _keep(db, standing)

    def verify(self) -> list[str]:
        """What is wrong with the file, a sentence each; [] if it is sound. Reads everything, changes nothing."""
        wrong: list[str] = []
        with self._transaction() as db:
            try:
                wrong += [f"SQLite: {line}" for (line,) in db.execute("PRAGMA integrity_check") if line != "ok"]
                held = set()
                for sha, data in db.execute("SELECT sha, data FROM blob"):
                    held.add(sha)
                    if _unpacked(sha, data) is None:
                        wrong.append(f"file {sha} is damaged")
                events = list(_events(db))
                for event in events:
                    missing = set((event.payload.get("files") or {}).values()) - held
                    wrong += [f"event {event.id} names file {sha}, which is absent" for sha in sorted(missing)]
                if replay(events) != _standings(db):
                    wrong.append("the projection differs from the events: rebuild it")
            except (sqlite3.Error, UnicodeDecodeError) as error:
                if "locked" in str(error):
                    raise
                wrong.append(f"reading stopped: {error}")
        return wrong

    def close(self) -> None:
        """Let go of the file; harmless when repeated."""
        with self._lock:
            self._db.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @contextmanager
    def _transaction(self, mode: str = "DEFERRED") -> Iterator[sqlite3.Connection]:
        with self._lock, explained(self.path), atomic(self._db, mode):
            yield self._db


def _events(
    db: sqlite3.Connection, after: int = 0, lesson: str | None = None, kind: str | None = None, limit: int | None = None
) -> Iterator[Event]:
    rows = db.execute(
        "SELECT id, at, kind, lesson, payload FROM event"
        " WHERE id > ? AND (? IS NULL OR lesson = ?) AND (? IS NULL OR kind = ?) ORDER BY id LIMIT ?",
        (after, lesson, lesson, kind, kind, -1 if limit is None else max(limit, 0)),
    )
    with _undamaged():
        for row, at, said, about, payload in rows:
            yield Event(row, float(at), str(said), about, dict(json.loads(payload)))


def _standings(db: sqlite3.Connection, lesson: str | None = None) -> dict[str, Standing]:
    rows = db.execute("SELECT * FROM standing WHERE ? IS NULL OR lesson = ? ORDER BY lesson", (lesson, lesson))
    standings = {}
    for name, opened, checks, hints, passed, stretch, files, looked, at in rows:
        with _undamaged():
            standings[name] = Standing(
                lesson=str(name),
                opened=bool(opened),
                checks=int(checks),
                hints=int(hints),
                passed=bool(passed),
                stretch=bool(stretch),
                passed_files=dict(json.loads(files)),
                looked=bool(looked),
                last_at=float(at),
            )
    return standings


@contextmanager
def _undamaged() -> Iterator[None]:
    """A value of the wrong type in a row is damage that SQLite does not see."""
    try:
        yield
    except (TypeError, ValueError) as error:
        raise sqlite3.DatabaseError("malformed row") from error


def _keep(db: sqlite3.Connection, standing: Standing) -> None:
    row = [json.dumps(value) if isinstance(value, dict) else value for value in astuple(standing)]
    db.execute("INSERT OR REPLACE INTO standing VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)


def _unpacked(sha: str, data: bytes) -> bytes | None:
    """The content, or None when it is not what its name says."""
    try:
        content = zlib.decompress(data)
    except (zlib.error, TypeError):
        return None
    return content if hashlib.sha256(content).hexdigest() == sha else None
