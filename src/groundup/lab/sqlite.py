"""How a SQLite file of groundup's is opened: its formats and the way from one to the next, a journal that survives kills.

A file carries the number of the application that made it and of its format. Each step to a newer format is a transaction,
with a backup beside the file before it. https://sqlite.org/wal.html, https://sqlite.org/pragma.html#pragma_synchronous
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from ..errors import NotUsable

BUSY_TIMEOUT = 5.0  # seconds to wait for another process
DAMAGE = ("malformed", "not a database", "Could not decode", "can't decode", "unsupported file format")
# WAL needs shared memory, which does not cross machines; what lies behind FUSE cannot be told, so it counts as network.
NETWORK = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "lustre", "9p", "afs", "beegfs", "ceph", "gpfs", "virtiofs"}

Migration = Callable[[sqlite3.Connection], None]  # from format n to n + 1, inside a transaction


class StoreError(NotUsable):
    """One sentence that says what happened and what to do."""


@contextmanager
def atomic(db: sqlite3.Connection, mode: str) -> Iterator[None]:
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
def explained(path: Path) -> Iterator[None]:
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
            reason = f"is damaged or not a file of groundup's ({said}): move it aside and put a backup in its place"
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


def _format(path: Path, db: sqlite3.Connection, application: int, known: int) -> int:
    """The file's format, 0 for an empty file; inside a transaction. StoreError for a newer one or a stranger's."""
    found, version, tables = (
        int(db.execute(question).fetchone()[0])
        for question in ("PRAGMA application_id", "PRAGMA user_version", "SELECT count(*) FROM sqlite_master")
    )
    if found != application and (found, version, tables) != (0, 0, 0):
        raise StoreError(f"{path} is the database of another program: move it aside or choose another folder")
    if version > known:
        raise StoreError(
            f"{path} was made by a newer groundup (format {version}, this one knows {known}):"
            " upgrade with `pip install -U groundup`"
        )
    return version


def open_to_write(path: Path, application: int, steps: Sequence[Migration], timeout: float) -> sqlite3.Connection:
    """The file at path in format len(steps), made if it is absent. Only a file that has to be changed is locked here."""
    if not path.parent.is_dir():
        raise StoreError(f"{path} has no folder to be in: create {path.parent} first")
    for place in (path, path.parent):
        if place.exists() and not os.access(place, os.W_OK):
            raise StoreError(f"{place} is read-only: make it writable, or work in another folder")
    db = _connect(path, "mode=rwc", timeout)
    try:
        with atomic(db, "DEFERRED"):
            version = _format(path, db, application, len(steps))
        _set_journal(path, db)
        if version < len(steps):
            _migrate(path, db, application, steps)
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


def _migrate(path: Path, db: sqlite3.Connection, application: int, steps: Sequence[Migration]) -> None:
    """Bring the file to format len(steps), each step in a transaction, a backup of what was before beside it. A new file has
    nothing before.
    """
    version, new = -1, False
    while version < len(steps):
        with atomic(db, "IMMEDIATE"):
            version = _format(path, db, application, len(steps))
            new = new or version == 0
            if version < len(steps):
                if not new:
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


def open_to_read(path: Path, application: int, steps: Sequence[Migration], timeout: float) -> sqlite3.Connection:
    """Reading a WAL file makes files beside it; where that cannot be, the file is taken as one that nobody changes."""
    if not path.exists():
        raise StoreError(f"{path} does not exist: `groundup start` makes one")
    db = _connect(path, "mode=ro", timeout)
    try:
        try:
            version = _read_format(path, db, application, len(steps))
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
            version = _read_format(path, db, application, len(steps))
        if version < len(steps):
            raise StoreError(f"{path} has an older format ({version}): open it once for writing to bring it up to date")
    except BaseException:
        db.close()
        raise
    return db


def _read_format(path: Path, db: sqlite3.Connection, application: int, known: int) -> int:
    with atomic(db, "DEFERRED"):
        return _format(path, db, application, known)
