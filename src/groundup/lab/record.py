"""The record of runs: what was run, on what, and what came out, in `runs.db` and a folder for each run.

A run is a row with its configuration, the hash of the sources it ran on, its environment and its hardware; its metrics are rows
(step, name, value), and its files are kept by their hash. Metrics are written in batches, a second's worth at most: a run that
is killed loses no more than that, and is marked when the next one begins. Readers follow a run by the id of the last row they saw.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import platform
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from .sqlite import BUSY_TIMEOUT, Migration, StoreError, atomic, explained, open_to_write

APPLICATION = 0x67726E72  # "grnr" in the file's header
BATCH_SECONDS = 1.0  # metrics wait so long at most before they are written
LOCK = ".running"  # in a run's folder, locked for as long as its process lives
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


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


MIGRATIONS: tuple[Migration, ...] = (_create,)


@dataclass(frozen=True)
class Row:
    """A run as it is recorded. status: running, finished, interrupted, failed, killed."""

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


class Records:
    """All runs below a folder, which is made if it is absent: `runs.db`, and a folder for each run."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        with explained(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            self._db = open_to_write(self.folder / "runs.db", APPLICATION, MIGRATIONS, BUSY_TIMEOUT)

    def __enter__(self) -> Records:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of the file."""
        self._db.close()

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with explained(self.folder / "runs.db"), atomic(self._db, "IMMEDIATE"):
            yield self._db

    def begin(self, recipe: str, seed: int, config: Mapping[str, Any], source: str, mine: bool = False) -> Run:
        """A new run, its folder made and locked. Runs whose process is gone are marked as killed first."""
        self.mark_killed()
        environment, hardware = json.dumps(environment_now()), json.dumps(hardware_here())
        with self._writing() as db:
            row = db.execute(
                "INSERT INTO run (recipe, seed, mine, config, source, environment, hardware, begun, status)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'running')",
                (recipe, seed, mine, json.dumps(config), source, environment, hardware, time.time()),
            ).lastrowid
            assert row is not None
            folder = self.folder / f"{recipe}-{row}"
            folder.mkdir()
            lock = os.open(folder / LOCK, os.O_CREAT | os.O_RDWR, 0o600)
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return Run(self, row, folder, lock)

    def mark_killed(self) -> list[str]:
        """Runs that say they are running, and whose lock nobody holds, were killed: marks them, and returns their names."""
        killed = [row for row in self.runs() if row.status == "running" and not _locked(self.folder / row.name / LOCK)]
        for row in killed:
            with self._writing() as db:
                db.execute("UPDATE run SET status = 'killed' WHERE id = ? AND status = 'running'", (row.id,))
            (self.folder / row.name / LOCK).unlink(missing_ok=True)
        return [row.name for row in killed]

    def runs(self, recipe: str | None = None) -> list[Row]:
        """Every run, or every one of a recipe, the newest first."""
        with explained(self.folder / "runs.db"):
            rows = self._db.execute(
                "SELECT id, recipe, seed, mine, config, source, environment, hardware, begun, seconds, status, result"
                " FROM run WHERE ? IS NULL OR recipe = ? ORDER BY id DESC",
                (recipe, recipe),
            ).fetchall()
        return [
            Row(i, r, s, bool(m), json.loads(c), h, json.loads(e), json.loads(w), b, t, status, json.loads(result))
            for i, r, s, m, c, h, e, w, b, t, status, result in rows
        ]

    def find(self, name: str) -> Row:
        """A run by its name (mnist-numpy-12) or number. StoreError if there is none."""
        for row in self.runs():
            if name in (row.name, str(row.id)):
                return row
        raise StoreError(f"there is no run {name!r} in {self.folder}: `groundup runs` lists them")

    def metrics(self, run: int, name: str | None = None, after: int = 0) -> list[tuple[int, int, str, float]]:
        """Rows (id, step, name, value) of a run with an id above `after`, in the order in which they were written."""
        with explained(self.folder / "runs.db"):
            rows = self._db.execute(
                "SELECT id, step, name, value FROM metric WHERE run = ? AND id > ? AND (? IS NULL OR name = ?) ORDER BY id",
                (run, after, name, name),
            ).fetchall()
        return [(i, step, what, float("nan") if value is None else value) for i, step, what, value in rows]

    def artifacts(self, run: int) -> dict[str, tuple[str, int]]:
        """The files of a run: name -> (SHA-256, bytes)."""
        with explained(self.folder / "runs.db"):
            rows = self._db.execute(
                "SELECT name, sha, size FROM artifact WHERE run = ? ORDER BY name", (run,)
            ).fetchall()
        return {name: (sha, size) for name, sha, size in rows}


class Run:
    """A run that is going on: `log` its metrics, `keep` its files. As a context it is ended whatever happens."""

    def __init__(self, records: Records, row: int, folder: Path, lock: int) -> None:
        self.id, self.folder = row, folder
        self.name = folder.name
        self._records, self._lock = records, lock
        self._begun = self._written = time.perf_counter()
        self._waiting: list[tuple[int, int, str, float]] = []
        self.say: Callable[[str], None] = print  # for what a person reads while it goes on
        self.status = "running"

    def log(self, step: int, **values: float) -> None:
        """Metrics of a step, by name. They are in the file a second later at most, if anything is logged then."""
        self._waiting += [(self.id, int(step), name, float(value)) for name, value in values.items()]
        if time.perf_counter() - self._written >= BATCH_SECONDS:
            self.write()

    def write(self) -> None:
        """Writes what waits, in one transaction."""
        if self._waiting:
            with self._records._writing() as db:
                db.executemany("INSERT INTO metric (run, step, name, value) VALUES (?, ?, ?, ?)", self._waiting)
            self._waiting = []
        self._written = time.perf_counter()

    def metrics(self, name: str) -> list[tuple[int, float]]:
        """What has been logged under a name: (step, value), in order."""
        self.write()
        return [(step, value) for _, step, _, value in self._records.metrics(self.id, name)]

    def keep(self, path: Path) -> Path:
        """Records a file of the run's folder by its hash; again, if it has changed."""
        path = Path(path)
        content = path.read_bytes()
        row = (self.id, str(path.relative_to(self.folder)), hashlib.sha256(content).hexdigest(), len(content))
        with self._records._writing() as db:
            db.execute("INSERT OR REPLACE INTO artifact VALUES (?, ?, ?, ?)", row)
        return path

    def end(self, status: str, result: Mapping[str, float] | None = None) -> None:
        """The last thing: how it ended, and its final metrics."""
        self.write()
        self.status = status
        with self._records._writing() as db:
            db.execute(
                "UPDATE run SET status = ?, seconds = ?, result = ? WHERE id = ?",
                (status, time.perf_counter() - self._begun, json.dumps(dict(result or {})), self.id),
            )
        if self._lock >= 0:
            (self.folder / LOCK).unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = -1

    def __enter__(self) -> Run:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, at: TracebackType | None
    ) -> None:
        if self.status == "running":
            self.end("interrupted" if kind is KeyboardInterrupt else "failed" if kind else "finished")


def source_hash(roots: Sequence[Path]) -> str:
    """A SHA-256 over all Python files below some folders, by their relative paths."""
    digest = hashlib.sha256()
    for root in roots:
        for path in sorted(root.rglob("*.py")) if root.is_dir() else [root]:
            content = path.read_bytes()
            digest.update(f"{path.relative_to(root.parent)}\0{len(content)}\0".encode())
            digest.update(content)
    return digest.hexdigest()


def environment_now() -> dict[str, Any]:
    """What a run's numbers may depend on beside its sources: versions, threads, the platform."""
    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "platform": platform.platform(),
        "threads": {name: os.environ[name] for name in THREADS if name in os.environ},
        "arguments": sys.argv[1:],
    }


def hardware_here() -> dict[str, Any]:
    """The processor's name, how many of its cores there are for us, and the memory in GiB."""
    name = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                name = line.partition(":")[2].strip()
                break
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {"processor": name, "cores": cores, "memory_gib": round(memory, 1)}


def _locked(path: Path) -> bool:
    """Whether a process that lives holds the lock."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False
