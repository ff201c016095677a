"""Tasks laid into the sittings of the weeks ahead, in order, until none is left."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from .days import WEEK, later, monday_of
from .settings import Settings
from .slots import GRAIN, Room, Slot, capacity, rooms
from .work import PAPERS_FROM, Part, Task, paper

QUARTER = 13  # weeks
PAPER_WEEK, PAPER_LATE, PAPER_AT_END = (
    10,
    12,
    4,
)  # of a quarter: the paper may come, has to come, comes where the plan ends
HORIZON = 520  # weeks, after which the end is out of sight


@dataclass(frozen=True)
class Segment:
    """A stretch of a sitting given to one part of one task."""

    task: Task
    what: str
    minutes: int


@dataclass(frozen=True)
class Sitting:
    """A time to sit down, and what for. name: of its slot, such as 2026-12-01-1, the same from plan to plan."""

    name: str
    start: datetime
    minutes: int
    segments: tuple[Segment, ...]

    @property
    def end(self) -> datetime:
        return later(self.start, self.minutes)

    @property
    def day(self) -> date:
        return self.start.date()


@dataclass(frozen=True)
class Laid:
    """A calendar. finished: the day on which each task is done, by its name. complete: whether the end is in sight."""

    sittings: tuple[Sitting, ...]
    finished: dict[str, date]
    complete: bool

    @property
    def end(self) -> date | None:
        """The day of the last sitting; None where it is out of sight, or nothing is ahead."""
        return self.sittings[-1].day if self.complete and self.sittings else None


@dataclass(frozen=True)
class Start:
    """Where a calendar begins. reached: the highest phase of the lessons behind; papers: the quarters whose paper is done."""

    now: datetime
    first_day: date
    worked: float = 0.0  # minutes in this week so far, taken off what the week has
    reached: int = 0
    papers: frozenset[int] = frozenset()

    def week_of(self, day: date) -> int:
        """The number of a day's week, from 1."""
        return (monday_of(day) - monday_of(self.first_day)).days // 7 + 1


def lay(tasks: Iterable[Task], week: tuple[Slot, ...], settings: Settings, start: Start) -> Laid:
    """The calendar of tasks from now on. No sitting is on a day off, none before now."""
    stream = _Stream(deque(tasks), start.reached, set(start.papers))
    sittings: list[Sitting] = []
    monday = monday_of(start.now.date())
    for number in range(start.week_of(monday), start.week_of(monday) + HORIZON):
        stream.week = number
        if stream.is_dry:
            break
        found = rooms(week, monday, settings.is_off, start.now)
        if monday <= start.now.date():
            sunday, first = monday + timedelta(days=6), max(monday, start.first_day)
            found = _within(found, capacity(week, first, sunday, settings.is_off) - start.worked)
        for room in found:
            if segments := stream.fill(room):
                length = sum(segment.minutes for segment in segments)
                sittings.append(Sitting(room.name, room.start, length, segments))
        monday += WEEK
    return Laid(tuple(sittings), stream.finished, stream.is_dry)


def _within(found: Iterable[Room], budget: float) -> list[Room]:
    """The first of the rooms, as long as the minutes last."""
    kept: list[Room] = []
    for room in found:
        minutes = min(room.minutes, GRAIN * int(budget // GRAIN))
        if minutes >= GRAIN:
            kept.append(Room(room.name, room.start, minutes))
        budget -= room.minutes
    return kept


class _Stream:
    """Tasks as they flow into sittings."""

    def __init__(self, waiting: deque[Task], reached: int, papers: set[int]) -> None:
        self.finished: dict[str, date] = {}
        self.week = 1
        self._over = False
        self._waiting, self._reached, self._papers = waiting, reached, papers
        self._task: Task | None = None
        self._parts: deque[Part] = deque()  # of the task at hand, what is left

    @property
    def is_dry(self) -> bool:
        return self._over or (not self._parts and not self._waiting and not self._paper_comes())

    def fill(self, room: Room) -> tuple[Segment, ...]:
        """What comes into a room: less than it holds where nothing is left."""
        segments: list[Segment] = []
        left = room.minutes
        while left and not self._over and (self._parts or self._draw()):
            assert self._task is not None
            part = self._parts.popleft()
            taken = min(left, part.minutes)
            left -= taken
            segments.append(Segment(self._task, part.what, taken))
            if taken < part.minutes:
                self._parts.appendleft(Part(part.what, part.minutes - taken))
            elif not self._parts:
                self._finish(self._task, room.start.date())
        return tuple(segments)

    def _finish(self, task: Task, day: date) -> None:
        self.finished[task.name] = day
        if task.lesson is not None:
            self._reached = max(self._reached, task.lesson.phase)

    def _draw(self) -> bool:
        """Takes up the next task; False if there is none."""
        if self._paper_comes():
            quarter = quarter_of(self.week)
            self._papers.add(quarter)
            self._task = paper(quarter)
        elif self._waiting:
            self._task = self._waiting.popleft()
        else:
            self._over = True
            return False
        self._parts.extend(self._task.parts)
        return True

    def _paper_comes(self) -> bool:
        """Towards the end of each quarter, between two lessons; where the plan ends, if it went on for long enough."""
        if quarter_of(self.week) in self._papers or self._reached < PAPERS_FROM:
            return False
        week = (self.week - 1) % QUARTER + 1
        if not self._waiting:
            is_paper = self._task is None or self._task.name.startswith("paper-")
            return not is_paper and (week >= PAPER_AT_END or not self._papers)
        return week >= PAPER_LATE or (week >= PAPER_WEEK and self._task is not None)


def quarter_of(week: int) -> int:
    """The number of a week's quarter, from 1."""
    return (week - 1) // QUARTER + 1


def review_weeks(sittings: Iterable[Sitting]) -> dict[int, date]:
    """The Monday of each phase's review week: the one that has most of its review."""
    minutes: dict[int, dict[date, int]] = {}
    for sitting in sittings:
        for segment in sitting.segments:
            kind, _, phase = segment.task.name.partition("-")
            if kind == "review":
                by_week = minutes.setdefault(int(phase), {})
                monday = monday_of(sitting.day)
                by_week[monday] = by_week.get(monday, 0) + segment.minutes
    return {phase: max(by_week, key=lambda monday: by_week[monday]) for phase, by_week in minutes.items()}


def papers_of(done: Collection[str]) -> frozenset[int]:
    """The quarters of papers that were ticked off."""
    numbers = (name.partition("-")[2] for name in done if name.startswith("paper-"))
    return frozenset(int(number) for number in numbers if number.isdecimal())
