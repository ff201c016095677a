"""The outbox: replays the record of runs into a sink, from where the sink has it.

`runs.db` holds for each sink and run a cursor, the last row that the sink has, and a few notes of the sink's own. What is sent is
what the record holds, so a sink may be down, slow, or come a year later: it gets everything, once it is there. The cursor moves
when the sink says that what it was given is safe with it; if we are killed before, that is sent again, and each sink says what
sending twice does. A row that a later attempt of its run has done again is not sent; one that was sent already is taken back where
the sink can do that, and else stays, and the row that supersedes it is not sent: no step is there twice.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from .. import locks
from ..formats import Point, Row
from ..record import Records
from ..sqlite import StoreError

BATCH = 1000  # metrics at a time


class SinkError(StoreError):
    """A sink that cannot be reached or used: which, and what to do. Nothing is lost."""


class Sink(Protocol):
    """What a sink is asked to do, in this order, whenever there is something to send of a run.

    `state` is the sink's own, kept beside the cursor; each may note in it what it needs the next time.
    """

    key: str  # names the sink in the outbox: what it is, and where
    rewinds: bool  # whether it can take back what was sent

    def start(self, row: Row, state: dict[str, Any]) -> bool:
        """Makes the run there, or finds it again. False if what `state` tells of is gone: then all is sent anew."""

    def params(self, row: Row, values: Mapping[str, Any], state: dict[str, Any]) -> None:
        """The configuration, and where the numbers come from; once."""

    def rewind(self, row: Row, step: int, state: dict[str, Any]) -> None:
        """What was sent of steps beyond this one does not count any more; only where `rewinds`."""

    def metrics(self, row: Row, points: Sequence[Point], state: dict[str, Any]) -> None:
        """Metrics by step, in order, at most BATCH of them."""

    def artifact(self, row: Row, name: str, path: Path, state: dict[str, Any]) -> None:
        """A file of the run, again if it has changed."""

    def status(self, row: Row, attempt: int, state: dict[str, Any]) -> None:
        """How the run is, when that has changed, with its final metrics when it has ended."""

    def safe(self, state: dict[str, Any]) -> bool:
        """Whether all that was given so far is safe there; False if only `finish` can tell."""

    def finish(self, row: Row, state: dict[str, Any]) -> None:
        """All that was given is safe there when this returns."""


@contextmanager
def alone(sink: Sink, records: Records) -> Iterator[None]:
    """One process at a time sends to a sink. SinkError if another does."""
    name = hashlib.sha256(sink.key.encode()).hexdigest()[:12]
    try:
        lock = locks.take(records.folder / f".sync-{name}")
    except OSError:
        raise SinkError(f"another process is sending to {sink.key}: wait for it or end it") from None
    try:
        yield
    finally:
        os.close(lock)


def send(records: Records, sink: Sink, row: Row) -> int:
    """Brings a sink up to date with a run; how many metrics that were. SinkError if it cannot be reached."""
    cursor, state = records.cursor(sink.key, row.id)
    if state and not _pending(records, row, cursor, state):
        return 0
    if state and not sink.start(row, state):
        cursor, state = 0, {}
    if not state:
        state = {"sent": {}, "attempt": 1, "artifacts": {}}
        sink.start(row, state)
        sink.params(row, {**row.config, "source": row.source, "mine": row.mine, **row.hardware}, state)
        if sink.safe(state):
            records.advance(sink.key, row.id, cursor, state)
    count = 0
    while points := records.points(row.id, cursor, BATCH):
        count += _metrics(records, sink, row, points, state)
        cursor = points[-1].id
        if sink.safe(state):
            records.advance(sink.key, row.id, cursor, state)
    for name, (sha, _) in records.artifacts(row.id).items():
        path = records.folder / row.name / name
        if state["artifacts"].get(name) != sha and path.exists():
            sink.artifact(row, name, path, state)
            state["artifacts"][name] = sha
            if sink.safe(state):
                records.advance(sink.key, row.id, cursor, state)
    if state.get("status") != _status(records, row):
        sink.status(row, len(records.attempts(row.id)), state)
        state["status"] = _status(records, row)
    sink.finish(row, state)
    records.advance(sink.key, row.id, cursor, state)
    return count


def _metrics(records: Records, sink: Sink, row: Row, points: Sequence[Point], state: dict[str, Any]) -> int:
    """Some rows, with what a later attempt has done again taken back, or passed over where it cannot be."""
    attempts = {attempt.number: attempt for attempt in records.attempts(row.id)}
    ready: list[Point] = []
    count = 0
    for point in points:
        if point.attempt > state["attempt"] and sink.rewinds:
            sink.metrics(row, ready, state)
            count, ready = count + len(ready), []
            back = [a.resumed_at for n, a in attempts.items() if state["attempt"] < n <= point.attempt]
            to = min(step for step in back if step is not None)
            sink.rewind(row, to, state)
            state["sent"] = {name: [attempt, min(step, to)] for name, (attempt, step) in state["sent"].items()}
        state["attempt"] = max(state["attempt"], point.attempt)
        attempt, step = state["sent"].get(point.name, (0, 0))
        if attempt in (0, point.attempt) or point.step > step:
            ready.append(point)
            state["sent"][point.name] = [point.attempt, point.step]
    if ready:
        sink.metrics(row, ready, state)
    return count + len(ready)


def _pending(records: Records, row: Row, cursor: int, state: Mapping[str, Any]) -> bool:
    """Whether there is anything that the sink does not have."""
    if state.get("status") != _status(records, row) or records.points(row.id, cursor, 1):
        return True
    kept = records.artifacts(row.id).items()
    return any(
        state["artifacts"].get(name) != sha and (records.folder / row.name / name).exists() for name, (sha, _) in kept
    )


def _status(records: Records, row: Row) -> list[Any]:
    return [row.status, len(records.attempts(row.id)), json.dumps(row.result)]
