"""What the learner has decided about the plan: hours and shape of a week, days off, what has been ticked off.

Hours stand in groundup.toml; the rest, and what the hours were when, in events `planned`. An event holds what it changes, and the
last word counts.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from ..lessons.lesson import LEVELS
from ..progress.store import Event
from ..workspace.workspace import NAME, Workspace, WorkspaceError, read_config, write_atomically
from .days import day_of

EVENINGS, FULL_DAYS = "evenings", "full-days"
FULL_ABOVE = 20  # hours a week from which nobody does them in evenings
HOURS_LINE = re.compile(r"^(\s*hours_per_week\s*=\s*)[^#\n]*?(\s*(?:#.*)?)$", re.MULTILINE)
HOURS_LEAST, HOURS_MOST = 0.25, 168  # what can be decided
LONGEST_OFF = 366  # days in one go


@dataclass(frozen=True)
class Settings:
    """The decisions as they stand."""

    hours: float
    shape: str
    off: tuple[tuple[date, date], ...] = ()  # first and last day, in order, none touching another
    levels: tuple[str, ...] = LEVELS
    done: dict[str, date] = field(default_factory=dict)  # what was ticked off, and when
    exported: tuple[str, ...] = ()  # sittings that the last iCalendar file had
    decided: int = 0  # the event that last fixed hours and shape: the promise that the end is measured against

    def is_off(self, day: date) -> bool:
        """Whether a day was taken off."""
        return any(first <= day <= last for first, last in self.off)


def settings_of(events: Iterable[Event], now: datetime, hours: float | None = None) -> Settings:
    """The settings after these events. hours: what groundup.toml says now; without it, what the events say."""
    known = Settings(hours=10, shape="")
    for event in events:
        if event.kind in ("started", "planned"):
            known = _after(known, event, now)
    if hours is not None:
        known = replace(known, hours=hours)
    return known if known.shape else replace(known, shape=usual_shape(known.hours))


def usual_shape(hours: float) -> str:
    """Full days for who has them, else evenings."""
    return FULL_DAYS if hours >= FULL_ABOVE else EVENINGS


def _after(known: Settings, event: Event, now: datetime) -> Settings:
    said = event.payload
    hours = said.get("hours", said.get("hours_per_week"))
    if isinstance(hours, (int, float)) and not isinstance(hours, bool) and 0 < hours <= HOURS_MOST:
        known = replace(known, hours=float(hours), decided=event.id)
    if said.get("shape") in (EVENINGS, FULL_DAYS):
        known = replace(known, shape=said["shape"], decided=event.id)
    if isinstance(said.get("off"), list):
        known = replace(known, off=joined(_ranges(said["off"])))
    if isinstance(said.get("levels"), list):
        levels = tuple(level for level in LEVELS if level in said["levels"])
        known = replace(known, levels=levels or LEVELS, decided=event.id)
    if isinstance(said.get("done"), str):
        done = {name: day for name, day in known.done.items() if name != said["done"]}
        known = replace(known, done=done if said.get("undo") else {**done, said["done"]: day_of(event.at, now)})
    if isinstance(said.get("exported"), list):
        known = replace(known, exported=tuple(map(str, said["exported"])))
    return known


def _ranges(said: list[Any]) -> Iterator[tuple[date, date]]:
    """What can be read of them: the log may have been written by another version."""
    for each in said:
        with contextlib.suppress(TypeError, ValueError):
            first, last = each
            yield date.fromisoformat(first), date.fromisoformat(last)


def joined(ranges: Iterable[tuple[date, date]]) -> tuple[tuple[date, date], ...]:
    """Ranges of days in order, those that overlap or touch made one."""
    found: list[tuple[date, date]] = []
    for first, last in sorted(ranges):
        if found and first <= found[-1][1] + timedelta(days=1):
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return tuple(found)


def without(ranges: Iterable[tuple[date, date]], taken: Sequence[tuple[date, date]]) -> tuple[tuple[date, date], ...]:
    """The ranges less the days of others."""
    left = list(ranges)
    one = timedelta(days=1)
    for start, end in taken:
        left = [
            (a, b)
            for first, last in left
            for a, b in ((first, min(last, start - one)), (max(first, end + one), last))
            if a <= b
        ]
    return joined(left)


def days_said(text: str) -> tuple[date, date]:
    """DATE or DATE..DATE as first and last day. WorkspaceError for anything else."""
    first, _, last = text.partition("..")
    try:
        found = date.fromisoformat(first.strip()), date.fromisoformat((last or first).strip())
    except ValueError:
        raise WorkspaceError(
            f"{text!r} is no date: write 2026-12-24, or 2026-12-24..2027-01-02 for all between"
        ) from None
    if not 0 <= (found[1] - found[0]).days < LONGEST_OFF:
        raise WorkspaceError(f"{text}: the last day comes after the first, and within a year of it")
    return found


def check_hours(hours: float) -> float:
    """Hours a week that a week has, and that make a sitting. WorkspaceError for others."""
    if not HOURS_LEAST <= hours <= HOURS_MOST:
        raise WorkspaceError(f"hours a week are from {HOURS_LEAST:g} to {HOURS_MOST}, not {hours:g}")
    return hours


def decide(
    workspace: Workspace,
    now: datetime,
    *,
    hours: float | None = None,
    shape: str | None = None,
    off: Sequence[str] = (),
    on: Sequence[str] = (),
    level: str | None = None,
) -> Workspace:
    """Writes decisions down, and gives the workspace as it is then; nothing is written where one of them cannot be.

    off, on: days taken off, and taken back, as DATE or DATE..DATE. level: the highest that the plan has.
    """
    if hours is not None:
        check_hours(hours)
    if level is not None and level not in LEVELS:
        raise WorkspaceError(f"there is no level {level!r}: {', '.join(LEVELS)}")
    taken, back = [days_said(text) for text in off], [days_said(text) for text in on]
    with workspace.store(readonly=True) as store:
        known = settings_of(store.events(), now, workspace.config.hours_per_week)
    changes: dict[str, Any] = {}
    if hours is not None:
        _write_hours(workspace, hours)
        changes["hours"] = hours
    if shape is not None:
        changes["shape"] = shape
    if taken or back:
        left = without(joined([*known.off, *taken]), back)
        changes["off"] = [[first.isoformat(), last.isoformat()] for first, last in left]
    if level is not None:
        changes["levels"] = list(LEVELS[: LEVELS.index(level) + 1])
    if changes:
        with workspace.store() as store:
            store.append("planned", **changes)
    return replace(workspace, config=read_config(workspace.root / NAME))


def tick(workspace: Workspace, name: str, undo: bool = False) -> None:
    """Writes down that something is done, or is not after all. What there is to tick off is for the caller to know."""
    with workspace.store() as store:
        store.append("planned", done=name, undo=undo)


def _write_hours(workspace: Workspace, hours: float) -> None:
    """The one line of groundup.toml, the rest as it is."""
    path = workspace.root / NAME
    text = path.read_bytes().decode("utf-8")
    line = f"hours_per_week = {hours:g}"
    if HOURS_LINE.search(text):
        text = HOURS_LINE.sub(lambda found: f"{found[1]}{hours:g}{found[2]}", text, count=1)
    else:
        text = f"{text.rstrip()}\n{line}\n"
    beside = path.with_name(f".{NAME}.part")
    try:
        write_atomically(beside, text.encode())
        if read_config(beside).hours_per_week != float(f"{hours:g}"):
            raise WorkspaceError(f"{path} says hours_per_week in a way of its own: write `{line}` there yourself")
        write_atomically(path, text.encode())
    finally:
        beside.unlink(missing_ok=True)
