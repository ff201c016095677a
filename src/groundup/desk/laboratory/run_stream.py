"""Runs as topics of the event stream: `run:12` is what one of them logs, row by row; `runs` is that something has changed.

A stream has a connection of its own to runs.db, and asks it ten times a second whether anybody has written, which costs some
microseconds. What a run logs is sent by the ids of its rows, so a browser that comes back goes on with the very next one.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import Any

from ...lab.formats import Row
from ...lab.plain import plain
from ...lab.record import Records
from ...lab.sqlite import StoreError
from ..hub import FROM_NOW, Message
from ..place import Place
from .curves import numbers
from .launching import Launches

LOOK = 0.1  # seconds between two looks
ROWS = 2_000  # of metrics in a message
CALM = 10  # looks between two at what costs more: whether the process lives, what it has printed


def mark(kept: Records) -> str:
    """Changes when a run begins, ends, goes on, or is found dead."""
    return _look(kept)[0]


def _look(kept: Records) -> tuple[str, bool]:
    """The mark, and whether a run is going on."""
    told = [(row.id, kept.standing(row), row.seconds, row.result) for row in kept.runs()]
    going = any(standing == "running" for _, standing, _, _ in told)
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16], going


def state(kept: Records, run: int) -> dict[str, Any]:
    """How it is with a run: its status, its attempts and from where each went on, its result."""
    try:
        row = kept.find(str(run))
    except StoreError:
        return {"status": "gone", "attempts": "", "result": {}}
    return plain({"status": kept.standing(row), "attempts": attempts(kept, row), "result": row.result})  # type: ignore[no-any-return]


def attempts(kept: Records, row: Row) -> str:
    """Another one as soon as what was logged before may have been superseded."""
    return ",".join(f"{each.number}:{each.resumed_at}" for each in kept.attempts(row.id))


async def follow_run(place: Place, launches: Launches, argument: str, after: int) -> AsyncIterator[Message]:
    """What a run logs after a row, how it is with it, and how much it has printed."""
    run = int(argument) if argument.isdecimal() else 0
    kept = await place.work(Records, launches.folder)
    try:
        cursor = await place.work(kept.last, run) if after == FROM_NOW else after
        seen, printed, looks = -1, -1, 0
        told: dict[str, Any] = {}
        while True:
            version = await place.work(kept.version)
            if version != seen or looks % CALM == 0:
                now = await place.work(state, kept, run)
                if now != told:
                    told = now
                    yield Message(cursor, "state", now)
            if looks % CALM == 0:
                size = await place.work(launches.printed, run)
                if size != printed:
                    printed = size
                    yield Message(cursor, "output", size)
            while version != seen:
                points = await place.work(kept.points, run, cursor, ROWS)
                if points:
                    before, cursor = cursor, points[-1].id
                    logged = _by_name([(p.name, p.step, p.value) for p in points])
                    data = {"after": before, "last": cursor, "points": logged}
                    yield Message(cursor, "points", data)
                if len(points) < ROWS:
                    seen = version
            looks += 1
            await asyncio.sleep(LOOK)
    finally:
        kept.close()


async def follow_runs(place: Place, launches: Launches, argument: str, after: int) -> AsyncIterator[Message]:
    """That a run has begun, ended, gone on or died: the mark of all of them, at first and whenever it changes."""
    kept = await place.work(Records, launches.folder)
    try:
        told, seen, going = "", -1, True
        while True:
            version = await place.work(kept.version)
            if version != seen or going:  # one that is going on may die without a word
                seen, (now, going) = version, await place.work(_look, kept)
                if now != told:
                    told = now
                    yield Message(0, "runs", {"mark": now})
            await asyncio.sleep(LOOK * CALM)
    finally:
        kept.close()


def _by_name(points: list[tuple[str, int, float]]) -> dict[str, list[list[Any]]]:
    """name -> [steps, values]."""
    found: dict[str, tuple[list[int], list[float]]] = {}
    for name, step, value in points:
        steps, values = found.setdefault(name, ([], []))
        steps.append(step)
        values.append(value)
    return {name: [steps, numbers(values)] for name, (steps, values) in found.items()}
