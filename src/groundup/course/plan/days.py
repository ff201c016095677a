"""Days and weeks as the learner lives them: a day is a day of the local calendar, whatever the clock does to it.

The store holds unix seconds; what day that was is asked of a zone. A zone of fixed offset would be wrong in the other half of the year.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta, timezone, tzinfo

WEEK = timedelta(days=7)
DAY_NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTH_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class SystemZone(tzinfo):
    """This machine's zone with its rules for summer time: at each moment what the C library says of it."""

    def _local(self, moment: datetime) -> datetime:
        return moment.replace(tzinfo=None).astimezone()  # a naive time is taken to be the system's

    def utcoffset(self, moment: datetime | None) -> timedelta | None:
        return None if moment is None else self._local(moment).utcoffset()

    def dst(self, moment: datetime | None) -> timedelta | None:
        return None

    def tzname(self, moment: datetime | None) -> str | None:
        return None if moment is None else self._local(moment).tzname()

    def fromutc(self, moment: datetime) -> datetime:
        seconds = moment.replace(tzinfo=timezone.utc).timestamp()
        return datetime.fromtimestamp(seconds).replace(tzinfo=self)  # naive and local, its fold set


def here() -> datetime:
    """Now, in this machine's zone."""
    return datetime.now(SystemZone())


def day_of(at: float, now: datetime) -> date:
    """The local day of a moment in unix seconds. What a clock gone wrong puts after now was today."""
    return datetime.fromtimestamp(max(0.0, min(at, now.timestamp())), now.tzinfo).date()


def days_of(moments: Iterable[float], now: datetime) -> Iterator[date]:
    """The local day of each moment in turn. The zone is asked when a day begins and ends, and not anew for every moment of it."""
    latest = now.timestamp()
    day, begins, ends = date.min, latest, latest
    for at in moments:
        at = max(0.0, min(at, latest))
        if not begins <= at < ends:
            day = day_of(at, now)
            begins, ends = (moment(each, time(), now.tzinfo).timestamp() for each in (day, day + timedelta(days=1)))
        yield day


def monday_of(day: date) -> date:
    """The Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def moment(day: date, clock: time, zone: tzinfo | None) -> datetime:
    """A time by the clock on a day."""
    return datetime.combine(day, clock, zone)


def later(start: datetime, minutes: float) -> datetime:
    """So many minutes after: real ones, also where the clock is put forward or back between."""
    return (start.astimezone(timezone.utc) + timedelta(minutes=minutes)).astimezone(start.tzinfo)


def days(first: date, last: date) -> Iterator[date]:
    """Every day from the first to the last."""
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)


def said(day: date, today: date) -> str:
    """3 May, or 3 May 2027 where the year is another."""
    text = f"{day.day} {MONTH_NAMES[day.month - 1]}"
    return text if day.year == today.year else f"{text} {day.year}"
