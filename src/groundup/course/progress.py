"""The store of a learner's progress: one SQLite file with an append-only log of events.

An event, the snapshots of the files it speaks of and the projection (where each lesson stands) are written in one
transaction, which is on the disk when `append` returns. Snapshots are kept once for each content, under their SHA-256.
Order is the event's id: the time is kept to be shown, and a clock that goes back changes nothing.
https://sqlite.org/wal.html, https://sqlite.org/pragma.html#pragma_synchronous
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sqlite3
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import astuple, dataclass, field
from pathlib import Path
from typing import Any

APPLICATION = 0x67726E64  # "grnd" in the file's header: other programs' databases are never touched
BUSY_TIMEOUT = 5.0  # seconds to wait for another process
KIND = re.compile(r"[a-z]+(-[a-z]+)*")
DAMAGE = ("malformed", "not a database", "Could not decode", "can't decode", "unsupported file format")
# WAL needs shared memory, which does not cross machines; what lies behind FUSE cannot be told, so it counts as network.
NETWORK = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "lustre", "9p", "afs", "beegfs", "ceph", "gpfs", "virtiofs"}


class StoreError(Exception):
    """One sentence that says what happened and what to do."""


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


def advance(standing: Standing, event: Event) -> Standing:
    """The standing after one event more; kinds unknown here only move last_at."""
    kind, payload = event.kind, event.payload
    passed = kind == "passed" or (kind == "checked" and bool(payload.get("passed")))
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


Migration = Callable[[sqlite3.Connection], None]
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
        with _explained(self.path):
            self._db = (_open_to_read if readonly else _open_to_write)(self.path, busy_timeout)

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
        with self._lock, _explained(self.path), _atomic(self._db, mode):
            yield self._db


def _events(
    db: sqlite3.Connection, after: int = 0, lesson: str | None = None, kind: str | None = None, limit: int | None = None
) -> Iterator[Event]:
    rows = db.execute(
        "SELECT id, at, kind, lesson, payload FROM event"
        " WHERE id > ? AND (? IS NULL OR lesson = ?) AND (? IS NULL OR kind = ?) ORDER BY id LIMIT ?",
        (after, lesson, lesson, kind, kind, -1 if limit is None else max(limit, 0)),
    )
    for row, at, said, about, payload in rows:
        with _undamaged():
            event = Event(row, float(at), str(said), about, dict(json.loads(payload)))
        yield event


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


@contextmanager
def _atomic(db: sqlite3.Connection, mode: str) -> Iterator[None]:
    """All or nothing. SQLite ends a transaction itself after some errors, a full disk among them."""
    db.execute(f"BEGIN {mode}")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn what SQLite and the system say into StoreError. By message: Python 3.10 does not give the code."""
    try:
        yield
    except (sqlite3.Error, UnicodeDecodeError, OSError) as error:  # a damaged name in a message: UnicodeDecodeError
        said = str(error.strerror if isinstance(error, OSError) else error)
        if "locked" in said:
            reason = "is held by another process: wait for it or close it, then try again"
        elif "disk is full" in said or "No space left" in said:
            reason = "could not be written because the disk is full: free some space, then try again"
        elif "readonly" in said:
            reason = "is read-only: make the file and its folder writable, or work in another folder"
        elif any(sign in said for sign in DAMAGE):
            reason = f"is damaged or not a progress file ({said}): move it aside and put a backup in its place"
        elif "unable to open" in said or "I/O" in said or isinstance(error, OSError):
            reason = f"could not be read or written ({said}): check its permissions, the disk and the space left on it"
        else:
            reason = f"could not be used ({said}): look at it with `groundup doctor`"
        raise StoreError(f"{path} {reason}") from error


def _connect(path: Path, query: str, timeout: float) -> sqlite3.Connection:
    """Autocommit, so that every transaction is one that is written out here."""
    uri = f"{path.absolute().as_uri()}?{query}"
    db = sqlite3.connect(uri, uri=True, timeout=timeout, isolation_level=None, check_same_thread=False)
    db.execute("PRAGMA foreign_keys = ON")
    return db


def _format(path: Path, db: sqlite3.Connection, known: int) -> int:
    """The file's format, 0 for an empty file; inside a transaction. StoreError for a newer one or a stranger's."""
    application, version, tables = (
        int(db.execute(question).fetchone()[0])
        for question in ("PRAGMA application_id", "PRAGMA user_version", "SELECT count(*) FROM sqlite_master")
    )
    if application != APPLICATION and (application, version, tables) != (0, 0, 0):
        raise StoreError(f"{path} is the database of another program: move it aside or choose another folder")
    if version > known:
        raise StoreError(
            f"{path} was made by a newer groundup (format {version}, this one knows {known}):"
            " upgrade with `pip install -U groundup`"
        )
    return version


def _open_to_write(path: Path, timeout: float) -> sqlite3.Connection:
    """Only a file that has to be changed is locked here."""
    if not path.parent.is_dir():
        raise StoreError(f"{path} has no folder to be in: create {path.parent} first")
    for place in (path, path.parent):
        if place.exists() and not os.access(place, os.W_OK):
            raise StoreError(f"{place} is read-only: make it writable, or work in another folder")
    db = _connect(path, "mode=rwc", timeout)
    try:
        with _atomic(db, "DEFERRED"):
            version = _format(path, db, len(MIGRATIONS))
        _set_journal(path, db)
        if version < len(MIGRATIONS):
            migrate(path, db, MIGRATIONS)
    except BaseException:
        db.close()
        raise
    return db


def _set_journal(path: Path, db: sqlite3.Connection) -> None:
    """WAL, or a rollback journal on a network file system; EXTRA also syncs the folder the journal goes from."""
    wanted = "delete" if on_network(os.path.realpath(path)) else "wal"
    (mode,) = db.execute("PRAGMA journal_mode").fetchone()
    if mode != wanted:
        try:
            (mode,) = db.execute(f"PRAGMA journal_mode = {wanted}").fetchone()
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):  # while others use the file, either mode is safe
                raise
    db.execute(f"PRAGMA synchronous = {'FULL' if mode == 'wal' else 'EXTRA'}")
    db.execute("PRAGMA fullfsync = ON")  # macOS: fsync alone stops at the drive's cache
    db.execute("PRAGMA checkpoint_fullfsync = ON")


def on_network(path: str, mounts: str | None = None) -> bool:
    """Whether path (absolute, resolved) is on a network file system; mounts: the text of /proc/mounts, see proc(5)."""
    if mounts is None:
        try:
            mounts = Path("/proc/mounts").read_text(encoding="utf-8", errors="surrogateescape")
        except OSError:  # not Linux: the local case
            return False
    longest, found = 0, ""
    for line in mounts.splitlines():
        _, point, kind, *_ = line.split(" ")
        point = re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), point).rstrip("/")
        if (path == point or path.startswith(point + "/")) and len(point) >= longest:  # of equals the last is on top
            longest, found = len(point), kind
    return found in NETWORK or found.startswith("fuse.")


def migrate(path: Path, db: sqlite3.Connection, steps: Sequence[Migration]) -> None:
    """Bring the file to format len(steps), each step in a transaction, a backup of what was before beside it."""
    version = -1
    while version < len(steps):
        with _atomic(db, "IMMEDIATE"):
            version = _format(path, db, len(steps))
            if version < len(steps):
                if version > 0:
                    _back_up(path, version + 1)
                steps[version](db)
                version += 1
                db.execute(f"PRAGMA user_version = {version}")


def _back_up(path: Path, version: int) -> None:
    """Copy path to path.before-vN, on the disk when it returns; an earlier backup stays, this one gets a number.

    The caller holds the write lock, so the copy is exactly what the migration starts from.
    """
    target = path.with_name(f"{path.name}.before-v{version}")
    part = path.with_name(f"{target.name}.part")
    part.unlink(missing_ok=True)  # of an attempt that was killed
    try:
        with closing(_connect(path, "mode=ro", BUSY_TIMEOUT)) as reader:
            reader.execute("VACUUM INTO ?", (str(part.absolute()),))
        _sync(part, os.O_RDWR)
        number = 1
        while target.exists():
            number += 1
            target = path.with_name(f"{path.name}.before-v{version}-{number}")
        part.rename(target)
    finally:
        part.unlink(missing_ok=True)
    if os.name == "posix":
        _sync(path.parent, os.O_RDONLY)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _open_to_read(path: Path, timeout: float) -> sqlite3.Connection:
    """Reading a WAL file makes files beside it; where that cannot be, the file is taken as one that nobody changes."""
    if not path.exists():
        raise StoreError(f"{path} does not exist: `groundup start` makes one")
    db = _connect(path, "mode=ro", timeout)
    try:
        try:
            version = _read_format(path, db)
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise
            db.close()
            for rest in (path.with_name(path.name + suffix) for suffix in ("-wal", "-journal")):
                if rest.exists() and rest.stat().st_size:
                    raise StoreError(
                        f"{path} needs {rest.name} merged into it: open both in a writable folder"
                    ) from error
            db = _connect(path, "mode=ro&immutable=1", timeout)
            version = _read_format(path, db)
        if version < len(MIGRATIONS):
            raise StoreError(f"{path} has an older format ({version}): open it once for writing to bring it up to date")
    except BaseException:
        db.close()
        raise
    return db


def _read_format(path: Path, db: sqlite3.Connection) -> int:
    with _atomic(db, "DEFERRED"):
        return _format(path, db, len(MIGRATIONS))
