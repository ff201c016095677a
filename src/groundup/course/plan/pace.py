"""How fast the learner really is, from the events: hours a week, and what a lesson takes beside what it was said to take.

Both are measured by the same clock, which misses whoever reads a book for an hour. That does not matter for the end: what is left is
multiplied by the one and divided by the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from ..lessons.lesson import Lesson
from ..progress.time_spent import Span
from .days import WEEK, days_of, monday_of
from .settings import Settings
from .slots import Slot, capacity

WEEKS = 6  # the last ones that count
WEEKS_LEAST = 2  # below, the plan's own hours are taken
LESSONS_LEAST = 3  # passed; below, the lessons' own times are taken
PACE_LIMITS = (0.5, 3.0)  # beyond, it is something else than a pace that was measured
BREAK = 2  # weeks in a row without work that are a break, and not slow weeks


@dataclass(frozen=True)
class Measured:
    """What was measured; None where it is too early to tell."""

    hours: float | None  # in a week without days off
    weeks: int  # that it was measured over
    breaks: tuple[date, ...]  # the Mondays of weeks that were a break, and not counted
    pace: float | None  # minutes for a minute of a lesson's own time
    lessons: int  # passed, that it was measured over


def minutes_by_day(spans: Iterable[Span], now: datetime) -> dict[date, float]:
    """Minutes of work on each local day."""
    found: dict[date, float] = {}
    work = [span for span in spans if span.is_work and span.minutes]
    for span, day in zip(work, days_of((span.event.at for span in work), now)):
        found[day] = found.get(day, 0.0) + span.minutes
    return found


def minutes_by_week(by_day: Mapping[date, float]) -> dict[date, float]:
    """Minutes of work in each week, by its Monday."""
    found: dict[date, float] = {}
    for day, minutes in by_day.items():
        found[monday_of(day)] = found.get(monday_of(day), 0.0) + minutes
    return found


def measure(
    by_week: Mapping[date, float],
    first_day: date,
    today: date,
    week: tuple[Slot, ...],
    settings: Settings,
    passed: Sequence[Lesson],
    spent: Mapping[str, float],
) -> Measured:
    """What the weeks behind and the lessons passed say. passed: by work, not by placement; spent: minutes by lesson."""
    full = sum(slot.minutes for slot in week)
    mondays = whole_weeks(first_day, today)
    room = {monday: capacity(week, monday, monday + timedelta(days=6), settings.is_off) for monday in mondays}
    resting = breaks(mondays, by_week, room)
    counted = [monday for monday in mondays if monday not in resting][-WEEKS:]
    worked = [by_week.get(monday, 0.0) for monday in counted]
    there = sum(max(room[monday], min(full, minutes)) for monday, minutes in zip(counted, worked))
    hours = sum(worked) / there * full / 60 if len(counted) >= WEEKS_LEAST and there else None
    planned = sum(lesson.minutes for lesson in passed)
    pace = None
    if len(passed) >= LESSONS_LEAST and planned:
        low, high = PACE_LIMITS
        pace = max(low, min(high, sum(spent.get(lesson.section_id, 0.0) for lesson in passed) / planned))
    return Measured(hours, len(counted), tuple(sorted(resting)), pace, len(passed))


def whole_weeks(first_day: date, today: date) -> list[date]:
    """The Mondays of the weeks that began with the plan or after it, and are over."""
    monday = monday_of(first_day)
    if monday < first_day:
        monday += WEEK
    found = []
    while monday < monday_of(today):
        found.append(monday)
        monday += WEEK
    return found


def breaks(mondays: Sequence[date], by_week: Mapping[date, float], room: Mapping[date, int]) -> set[date]:
    """The weeks that were a break: taken off as a whole, or two and more in a row without work."""
    found: set[date] = set()
    idle: list[date] = []
    for monday in [*mondays, None]:
        if monday is not None and not by_week.get(monday):
            idle.append(monday)
            continue
        found.update(idle if len(idle) >= BREAK else (each for each in idle if not room[each]))
        idle = []
    return found
