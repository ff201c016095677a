"""A week's hours as sittings: evenings and a block at the weekend, or full days.

All of it in whole fives of minutes, and the sittings of a week make up its hours exactly. More hours never make a sitting shorter in sum.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from .days import days, later, moment
from .settings import FULL_DAYS

GRAIN = 5  # minutes
LONGEST = 180  # minutes of a sitting: after three hours, a pause
LUNCH = 60  # minutes between two sittings of a day
MOST = 56  # hours of a week that a plan gives out, whatever is asked
SHORT = 120  # minutes a week up to which there is only one sitting, at the weekend
EVENING, EVENING_MOST, BLOCK_MOST = 120, 180, 300  # minutes: usual and longest evening, longest block of a day
BLOCK_SHARE = 0.4  # of a week's time, to the weekend
DAY, DAY_MOST = 360, 480  # minutes of a full day: usual, and longest
EVENINGS_MOST = 5 * EVENING_MOST + 2 * DAY_MOST  # minutes of a week; more is full days, by whatever name
EVENING_AT, BLOCK_AT, DAY_AT = time(19), time(10), time(9)
EVENINGS_ON = ((), (2,), (1, 3), (0, 1, 3), (0, 1, 2, 3), (0, 1, 2, 3, 4))  # weekdays for so many evenings
FULL_ON = ((), (5,), (5, 6), (4, 5, 6), (0, 1, 3, 4), (0, 1, 2, 3, 4), (0, 1, 2, 3, 4, 5), tuple(range(7)))


@dataclass(frozen=True)
class Slot:
    """A time in every week that is there for sitting down. name: the same from plan to plan, such as 2026-12-01-1."""

    weekday: int  # Monday is 0
    number: int  # of those of its day, from 1
    at: time
    minutes: int


def slots(hours: float, shape: str) -> tuple[Slot, ...]:
    """The sittings of a week."""
    total = max(GRAIN * 3, whole(min(hours, MOST) * 60))
    day_of_week = _full_days(total) if shape == FULL_DAYS or total > EVENINGS_MOST else _evenings(total)
    found = []
    for weekday, (at, minutes) in sorted(day_of_week.items()):
        for number, (start, length) in enumerate(_parts(at, minutes), 1):
            found.append(Slot(weekday, number, start, length))
    return tuple(found)


def whole(minutes: float) -> int:
    """Minutes as a multiple of five."""
    return GRAIN * round(minutes / GRAIN)


def shares(total: int, count: int) -> list[int]:
    """A multiple of five as so many, as equal as can be."""
    each, more = divmod(total // GRAIN, count)
    return [GRAIN * (each + (i < more)) for i in range(count)]


def _evenings(total: int) -> dict[int, tuple[time, int]]:
    """Saturday's block and evenings of two hours; then Sunday's block, longer evenings, and whatever is left at the weekend."""
    if total <= SHORT:
        return {5: (BLOCK_AT, total)}
    saturday = min(whole(total * BLOCK_SHARE), BLOCK_MOST)
    rest = total - saturday
    count = min(5, -(-rest // EVENING))
    evenings = min(rest, EVENING * count)
    sunday = min(rest - evenings, BLOCK_MOST)
    longer = min(rest - evenings - sunday, (EVENING_MOST - EVENING) * count)
    left = shares(rest - evenings - sunday - longer, 2)
    found = {5: (BLOCK_AT, saturday + left[0])}
    if sunday + left[1]:
        found[6] = (BLOCK_AT, sunday + left[1])
    for weekday, minutes in zip(EVENINGS_ON[count], shares(evenings + longer, count)):
        found[weekday] = (EVENING_AT, minutes)
    return found


def _full_days(total: int) -> dict[int, tuple[time, int]]:
    """Days of six hours on five days of a week; then longer days, then more of them."""
    count = min(5, -(-total // DAY)) if total <= 5 * DAY_MOST else -(-total // DAY_MOST)
    return {weekday: (DAY_AT, minutes) for weekday, minutes in zip(FULL_ON[count], shares(total, count))}


def _parts(at: time, minutes: int) -> Iterator[tuple[time, int]]:
    """A day's time as sittings of at most three hours, with a pause between."""
    start = timedelta(hours=at.hour, minutes=at.minute)
    for length in shares(minutes, -(-minutes // LONGEST)):
        yield time(start.seconds // 3600, start.seconds // 60 % 60), length
        start += timedelta(minutes=length + LUNCH)


@dataclass(frozen=True)
class Room:
    """A slot on its day: from when, and how many minutes."""

    name: str
    start: datetime
    minutes: int


def rooms(week: tuple[Slot, ...], monday: date, is_off: Callable[[date], bool], now: datetime) -> list[Room]:
    """The slots of a week on days that are not off, as far as they lie after now."""
    found = []
    for day in days(monday, monday + timedelta(days=6)):
        for slot in week:
            if slot.weekday != day.weekday() or is_off(day):
                continue
            start = moment(day, slot.at, now.tzinfo)
            left = (later(start, slot.minutes).timestamp() - now.timestamp()) / 60
            minutes = min(slot.minutes, GRAIN * int(left // GRAIN))
            if minutes >= GRAIN:
                start = later(start, slot.minutes - minutes)
                found.append(Room(f"{day.isoformat()}-{slot.number}", start, minutes))
    return found


def capacity(week: tuple[Slot, ...], first: date, last: date, is_off: Callable[[date], bool]) -> int:
    """Minutes of the slots from a day to another, days off left out."""
    a_day = [sum(slot.minutes for slot in week if slot.weekday == weekday) for weekday in range(7)]
    return sum(a_day[day.weekday()] for day in days(first, last) if not is_off(day))
