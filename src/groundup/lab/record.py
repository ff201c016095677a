"""The record of runs: what was run, on what, and what came out, in `runs.db` and a folder for each run.

A run is a row with its configuration, the hash of the sources it ran on, its environment and its hardware; its metrics are rows
(step, name, value), and its files are kept by their hash. Metrics are written in batches, a second's worth at most: a run that
is killed loses no more than that, and is marked when the next one begins. Readers follow a run by the id of the last row they saw.

A run that was cut off may go on (`Records.reopen`): under its name, in its folder, as its next attempt. Where the two overlap,
the later attempt counts: what the earlier one logged beyond the step from which the later goes on is superseded.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from . import locks
from .formats import APPLICATION, MIGRATIONS, SUPERSEDED, Attempt, Point, Row
from .sqlite import BUSY_TIMEOUT, StoreError, atomic, explained, open_to_write
from .surroundings import environment_now, hardware_here

BATCH_SECONDS = 1.0  # metrics wait so long at most before they are written
LOCK = ".running"  # in a run's folder, locked for as long as its process lives
UNFINISHED = ("interrupted", "failed", "killed")  # what may go on
CHECKPOINTS = "checkpoints"  # the folder in a run's folder from which an experiment goes on


class Pruned(Exception):
    """Raised into a run by whoever watches what it logs: it does not promise enough to be carried on."""


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
    def _writing(self) -> Iterator[Any]:
        with explained(self.folder / "runs.db"), atomic(self._db, "IMMEDIATE"):
            yield self._db

    def _ask(self, question: str, *values: Any) -> list[Any]:
        with explained(self.folder / "runs.db"):
            return self._db.execute(question, values).fetchall()

    def begin(self, recipe: str, seed: int, config: Mapping[str, Any], source: str, mine: bool = False) -> Run:
        """A new run, its folder made and locked. Runs whose process is gone are marked as killed first."""
        self.mark_killed()
        environment, hardware, now = json.dumps(environment_now()), json.dumps(hardware_here()), time.time()
        with self._writing() as db:
            row = db.execute(
                "INSERT INTO run (recipe, seed, mine, config, source, environment, hardware, begun, status)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'running')",
                (recipe, seed, mine, json.dumps(config), source, environment, hardware, now),
            ).lastrowid
            db.execute("INSERT INTO attempt VALUES (?, 1, ?, NULL, 'running', ?, NULL)", (row, now, source))
            folder = self.folder / f"{recipe}-{row}"
            folder.mkdir()
            lock = locks.take(folder / LOCK)
        return Run(self, row, folder, lock)

    def reopen(self, name: str, source: str) -> Run:
        """An unfinished run goes on: its next attempt. StoreError if it has finished, still runs, or has lost its folder."""
        self.mark_killed()
        row = self.find(name)
        folder = self.folder / row.name
        if row.status not in UNFINISHED:
            raise StoreError(f"{row.name} is {row.status}: only a run that was cut off can go on")
        if not folder.is_dir():
            raise StoreError(f"{row.name} cannot go on: its folder {folder} is gone; begin a new run")
        with self._writing() as db:
            try:
                lock = locks.take(folder / LOCK)
            except OSError:
                raise StoreError(f"{row.name} goes on in another process: wait for it") from None
            [number] = db.execute("SELECT max(number) + 1 FROM attempt WHERE run = ?", (row.id,)).fetchone()
            db.execute(
                "INSERT INTO attempt VALUES (?, ?, ?, NULL, 'running', ?, NULL)", (row.id, number, time.time(), source)
            )
            db.execute("UPDATE run SET status = 'running', seconds = NULL, result = '{}' WHERE id = ?", (row.id,))
        return Run(self, row.id, folder, lock, number)

    def mark_killed(self) -> list[str]:
        """Runs that say they are running, and whose lock nobody holds, were killed: marks them, and returns their names."""
        killed = []
        for row in self.runs():
            lock = self.folder / row.name / LOCK
            if row.status != "running" or locks.held(lock):
                continue
            with self._writing() as db:
                if not locks.held(lock):  # by one that has made it go on in the meantime
                    db.execute("UPDATE run SET status = 'killed' WHERE id = ? AND status = 'running'", (row.id,))
                    db.execute("UPDATE attempt SET status = 'killed' WHERE run = ? AND status = 'running'", (row.id,))
                    lock.unlink(missing_ok=True)
                    killed.append(row.name)
        return killed

    def runs(self, recipe: str | None = None) -> list[Row]:
        """Every run, or every one of a recipe, the newest first."""
        return self._rows("? IS NULL OR recipe = ? ORDER BY id DESC", recipe, recipe)

    def find(self, name: str) -> Row:
        """A run by its name (mnist-numpy-12) or number. StoreError if there is none."""
        number = name.rpartition("-")[2]
        for row in self._rows("id = ?", int(number)) if number.isdecimal() and len(number) < 19 else []:
            if name in (row.name, str(row.id)):
                return row
        raise StoreError(f"there is no run {name!r} in {self.folder}: `groundup runs` lists them")

    def _rows(self, condition: str, *values: Any) -> list[Row]:
        rows = self._ask(
            "SELECT id, recipe, seed, mine, config, source, environment, hardware, begun, seconds, status, result"
            f" FROM run WHERE {condition}",
            *values,
        )
        return [
            Row(i, r, s, bool(m), json.loads(c), h, json.loads(e), json.loads(w), b, t, status, json.loads(result))
            for i, r, s, m, c, h, e, w, b, t, status, result in rows
        ]

    def process(self, row: Row) -> int | None:
        """The process on this machine that is at a run; None where there is none that lives, or it is elsewhere."""
        return locks.holder(self.folder / row.name / LOCK)

    def standing(self, row: Row) -> str:
        """A run's status as it is now: one that says it is running, and whose process is gone, was killed."""
        if row.status != "running" or locks.held(self.folder / row.name / LOCK):
            return row.status
        [(now,)] = self._ask("SELECT status FROM run WHERE id = ?", row.id)  # it may just have ended
        return "killed" if now == "running" else str(now)

    def attempts(self, run: int) -> list[Attempt]:
        """The attempts of a run, the first one first."""
        question = (
            "SELECT number, begun, seconds, status, source, resumed_at FROM attempt WHERE run = ? ORDER BY number"
        )
        return [Attempt(*row) for row in self._ask(question, run)]

    def metrics(self, run: int, name: str | None = None, after: int = 0) -> list[tuple[int, int, str, float]]:
        """Rows (id, step, name, value) of a run with an id above `after`, in the order in which they were written; what a
        later attempt has done again is not among them.
        """
        rows = self._ask(
            "SELECT id, step, name, value FROM metric WHERE run = ? AND id > ? AND (? IS NULL OR name = ?)"
            f" AND NOT {SUPERSEDED} ORDER BY id",
            run,
            after,
            name,
            name,
        )
        return [(i, step, what, float("nan") if value is None else value) for i, step, what, value in rows]

    def measured(self, run: int) -> list[str]:
        """The names of the metrics that a run has logged, in the order in which they first came."""
        return [
            name for (name,) in self._ask("SELECT name FROM metric WHERE run = ? GROUP BY name ORDER BY min(id)", run)
        ]

    def last(self, run: int) -> int:
        """The id of the last row that a run has logged, 0 before the first."""
        [(found,)] = self._ask("SELECT coalesce(max(id), 0) FROM metric WHERE run = ?", run)
        return int(found)

    def version(self) -> int:
        """A number that changes when another process, or another `Records`, has written. Cheap enough to ask ten times a second."""
        [(found,)] = self._ask("PRAGMA data_version")
        return int(found)

    def points(self, run: int, after: int, count: int) -> list[Point]:
        """The next rows after an id, at most so many, whole; those superseded by now are not among them."""
        rows = self._ask(
            "SELECT id, step, name, value, coalesce(time, (SELECT begun FROM run WHERE run.id = metric.run)), attempt"
            f" FROM metric WHERE run = ? AND id > ? AND NOT {SUPERSEDED} ORDER BY id LIMIT ?",
            run,
            after,
            count,
        )
        return [Point(i, s, n, float("nan") if v is None else v, t, a) for i, s, n, v, t, a in rows]

    def artifacts(self, run: int) -> dict[str, tuple[str, int]]:
        """The files of a run: name -> (SHA-256, bytes)."""
        rows = self._ask("SELECT name, sha, size FROM artifact WHERE run = ? ORDER BY name", run)
        return {name: (sha, size) for name, sha, size in rows}

    def cursor(self, sink: str, run: int) -> tuple[int, dict[str, Any]]:
        """How far a sink is with a run: the last row that it has, and what else it noted; (0, {}) before it has begun."""
        found = self._ask("SELECT metric, state FROM outbox WHERE sink = ? AND run = ?", sink, run)
        return (found[0][0], json.loads(found[0][1])) if found else (0, {})

    def advance(self, sink: str, run: int, metric: int, state: Mapping[str, Any]) -> None:
        """Notes how far a sink is: on the disk when this returns."""
        with self._writing() as db:
            db.execute(
                "INSERT OR REPLACE INTO outbox VALUES (?, ?, ?, ?)", (sink, run, metric, json.dumps(dict(state)))
            )


def records_in(folder: Path) -> Records:
    """The records below a folder in a place that git keeps, which is not to carry them."""
    kept = Records(folder)
    ignore = kept.folder / ".gitignore"
    if not ignore.exists():
        with contextlib.suppress(OSError):
            ignore.write_text("*\n")
    return kept


class Run:
    """A run that is going on: `log` its metrics, `keep` its files. As a context it is ended whatever happens."""

    def __init__(self, records: Records, row: int, folder: Path, lock: int, attempt: int = 1) -> None:
        self.id, self.folder, self.attempt = row, folder, attempt
        self.name = folder.name
        self._records, self._lock = records, lock
        self._begun = self._written = time.perf_counter()
        self._waiting: list[tuple[int, int, str, float, int, float]] = []
        self._last: list[Path] = []  # what is hashed at the end alone
        self._placed = attempt == 1  # whether it is known where this attempt goes on
        self.say: Callable[[str], None] = print  # for what a person reads while it goes on
        self.watch: Callable[[int, Mapping[str, float]], None] | None = None  # sees what is logged; may raise Pruned
        self.status = "running"

    @property
    def resumed(self) -> bool:
        """Whether it goes on after having been cut off."""
        return self.attempt > 1

    def resumed_at(self, step: int) -> None:
        """Says from where a resumed run goes on: `step` is the last one, in the numbers of `log`, that need not be done again.

        Without it the first step that is logged is taken for it. What was logged at that very step counts unless it is logged again.
        """
        if self.resumed:
            with self._records._writing() as db:
                where = (int(step), self.id, self.attempt)
                db.execute("UPDATE attempt SET resumed_at = ? WHERE run = ? AND number = ?", where)
        self._placed = True

    def log(self, step: int, **values: float) -> None:
        """Metrics of a step, by name. They are in the file a second later at most, if anything is logged then."""
        if not self._placed:
            self.resumed_at(int(step))
        now = time.time()
        self._waiting += [(self.id, int(step), n, float(v), self.attempt, now) for n, v in values.items()]
        if time.perf_counter() - self._written >= BATCH_SECONDS:
            self.write()
        if self.watch is not None:
            self.watch(int(step), values)

    def write(self) -> None:
        """Writes what waits, in one transaction."""
        if self._waiting:
            with self._records._writing() as db:
                db.executemany(
                    "INSERT INTO metric (run, step, name, value, attempt, time) VALUES (?, ?, ?, ?, ?, ?)",
                    self._waiting,
                )
                so_far = (time.perf_counter() - self._begun, self.id, self.attempt)
                db.execute("UPDATE attempt SET seconds = ? WHERE run = ? AND number = ?", so_far)
            self._waiting = []
        self._written = time.perf_counter()

    def metrics(self, name: str) -> list[tuple[int, float]]:
        """What has been logged under a name: (step, value), in order."""
        self.write()
        return [(step, value) for _, step, _, value in self._records.metrics(self.id, name)]

    def keep(self, path: Path) -> Path:
        """Records a file of the run's folder by its hash; again, if it has changed. A checkpoint is hashed when the run ends,
        if it is still there then: while it goes on they come and go.
        """
        path = Path(path)
        if path.relative_to(self.folder).parts[0] == CHECKPOINTS and self.status == "running":
            self._last.append(path)
        else:
            self._hash(path)
        return path

    def _hash(self, path: Path) -> None:
        digest, size = hashlib.sha256(), 0
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
                size += len(block)
        row = (self.id, path.relative_to(self.folder).as_posix(), digest.hexdigest(), size)
        with self._records._writing() as db:
            db.execute("INSERT OR REPLACE INTO artifact VALUES (?, ?, ?, ?)", row)

    def end(self, status: str, result: Mapping[str, float] | None = None) -> None:
        """The last thing: how it ended, and its final metrics. Its seconds are those of all its attempts."""
        self.write()
        for path in self._last:
            if path.exists():
                self._hash(path)
        self.status = status
        with self._records._writing() as db:
            here = (status, time.perf_counter() - self._begun, self.id, self.attempt)
            db.execute("UPDATE attempt SET status = ?, seconds = ? WHERE run = ? AND number = ?", here)
            db.execute(
                "UPDATE run SET status = ?, seconds = (SELECT sum(seconds) FROM attempt WHERE run = ?), result = ?"
                " WHERE id = ?",
                (status, self.id, json.dumps(dict(result or {})), self.id),
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
            told: dict[type[BaseException], str] = {KeyboardInterrupt: "interrupted", Pruned: "pruned"}
            self.end(told.get(kind, "failed") if kind else "finished")
