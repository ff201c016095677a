"""The end of the plan, said honestly: what was promised, what it is now, and why it has moved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from .days import days, monday_of, said
from .pace import WEEKS_LEAST, Measured
from .settings import Settings
from .slots import MOST

MOVED = 7  # days from which an end has moved


@dataclass(frozen=True)
class Ends:
    """promised: when hours were last decided; planned: by the plan as it is; likely: at the pace that was measured."""

    promised: date | None
    planned: date | None
    likely: date | None
    reasons: tuple[str, ...]
    says: str


@dataclass(frozen=True)
class Promise:
    """What the end was said to be, on which day, and with which settings."""

    end: date | None
    day: date
    settings: Settings


def ends_of(
    promise: Promise, planned: date | None, likely: date | None, measured: Measured, settings: Settings, today: date
) -> Ends:
    """The three ends and the sentence about them. planned and likely are None where they are out of sight."""
    if planned is None or likely is None:
        hours = settings.hours if planned is None else measured.hours or 0
        says = f"At {number(hours)} h a week the end is more than ten years away: more hours, or a shorter track, bring it nearer."
        return Ends(promise.end, planned, likely, (), says)
    from_day = promise.end or planned
    moved = (likely - from_day).days
    if abs(moved) < MOVED:
        return Ends(promise.end, planned, likely, (), _kept(from_day, measured, settings, today))
    later = moved > 0
    reasons = tuple(_reasons(promise, likely, measured, settings, later)) or (
        f"so far {'less' if later else 'more'} was done than planned",
    )
    verb = "has moved" if later else "has come nearer,"
    was = said(from_day, today if from_day.year == likely.year else likely)  # with its year where the other has one
    says = f"The end {verb} from {was} to {said(likely, today)}: {joined(reasons)}."
    return Ends(promise.end, planned, likely, reasons, says)


def _kept(day: date, measured: Measured, settings: Settings, today: date) -> str:
    if measured.hours is None:
        needed = f"after {WEEKS_LEAST} whole weeks it is measured"
        return f"The end is {said(day, today)}, if you work {number(min(settings.hours, MOST))} h a week; {needed}."
    return f"The end stands at {said(day, today)}: you work {number(measured.hours)} h a week."


def _reasons(promise: Promise, likely: date, measured: Measured, settings: Settings, later: bool) -> Iterator[str]:
    """What has moved the end in this direction."""
    was = promise.settings.hours
    if settings.hours != was and (settings.hours < was) == later:
        yield f"the plan is for {number(settings.hours)} h a week now, not {number(was)}"
    if _differs(measured.hours, settings.hours, later):
        yield f"you work {number(measured.hours or 0)} h a week, not {number(settings.hours)}"
    if measured.pace is not None and abs(measured.pace - 1) >= 0.1 and (measured.pace > 1) == later:
        yield f"a lesson takes you {number(measured.pace)} times its time"
    if not later:
        return
    idle = [monday for monday in measured.breaks if monday >= monday_of(promise.day) and not settings.is_off(monday)]
    if idle:
        yield f"{len(idle)} weeks went by without work"
    first = max(promise.day, min((first for first, _ in settings.off), default=likely))
    off = sum(settings.is_off(day) and not promise.settings.is_off(day) for day in days(first, likely))
    if off:
        yield f"{off} {'day has' if off == 1 else 'days have'} been taken off"


def _differs(hours: float | None, wanted: float, less: bool) -> bool:
    """Whether the hours worked are others than those wanted by enough to speak of, in this direction."""
    return hours is not None and abs(hours - wanted) >= max(0.5, 0.1 * wanted) and (hours < wanted) == less


def number(value: float) -> str:
    """0.25, 6.5, 10."""
    return f"{round(value, 1 if value >= 1 else 2):g}"


def joined(parts: Sequence[str]) -> str:
    """a, b and c."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
