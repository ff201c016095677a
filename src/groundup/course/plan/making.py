"""A plan from the log of events: what is behind, what is ahead in which sitting, and where it ends."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property

from ..lessons.lesson import Lesson, find_all
from ..progress.store import Event, passes
from ..progress.time_spent import Span, by_lesson, spans
from ..tracks import EITHER, Track, before_begin, lessons_of
from ..workspace.kept_runs import kept_recipes
from ..workspace.workspace import Workspace
from .advice import Advice, advice
from .calendar import HORIZON, Laid, Sitting, Start, lay, papers_of, review_weeks
from .days import WEEK, day_of, monday_of
from .ends import Ends, Promise, ends_of
from .marks import Behind, Mark, marks_of
from .pace import Measured, measure, minutes_by_day, minutes_by_week
from .settings import Settings, settings_of
from .shares import Shares, shares_of
from .slots import Slot, capacity, slots, whole
from .work import Task, rest_of, review_minutes, tasks

BEYOND = 52  # weeks past the planned end that are shown, where the likely one is later


@dataclass(frozen=True)
class Week:
    """One week of the plan. state: done, now, ahead, or beyond: past the planned end, and before the likely one."""

    number: int
    monday: date
    state: str
    planned: int  # minutes: what its slots have; ahead, what its sittings make up
    worked: float  # minutes
    sittings: tuple[Sitting, ...] = ()
    reviews: tuple[int, ...] = ()  # the phases that are reviewed
    passed: tuple[str, ...] = ()  # lessons
    marks: tuple[Mark, ...] = ()
    off: int = 0  # days taken off
    resting: bool = False  # it was a break

    @property
    def sunday(self) -> date:
        return self.monday + timedelta(days=6)


@dataclass(frozen=True)
class Plan:
    """Everything that `groundup plan` shows."""

    track: Track
    settings: Settings
    now: datetime
    first_day: date
    slots: tuple[Slot, ...]
    weeks: tuple[Week, ...]
    marks: tuple[Mark, ...]
    ends: Ends
    measured: Measured
    shares: Shares
    advice: tuple[Advice, ...]
    own_minutes: int  # of the lessons ahead, by their own times
    left: int  # minutes at the measured pace, reviews and papers too
    missing: tuple[str, ...]  # of the route, what has not been written
    born: float  # the time of the first event, which no other plan shares

    @property
    def today(self) -> date:
        return self.now.date()

    @property
    def week(self) -> Week:
        """This week."""
        return next(week for week in self.weeks if week.state == "now")

    @property
    def sittings(self) -> list[Sitting]:
        return [sitting for week in self.weeks for sitting in week.sittings]


def plan_of(workspace: Workspace, now: datetime) -> Plan:
    """The plan of a workspace as it stands."""
    with workspace.store(readonly=True) as store:
        events = store.events()
    return make_plan(events, workspace.track, now, hours=workspace.config.hours_per_week, kept=kept_recipes(workspace))


def make_plan(
    events: Sequence[Event],
    track: Track,
    now: datetime,
    *,
    hours: float | None = None,
    kept: Collection[str] = (),
    lessons: Sequence[Lesson] | None = None,
) -> Plan:
    """The plan after these events, at this moment of the learner's zone.

    hours: a week, as groundup.toml says; else as the events do. kept: recipes; lessons: instead of the course's.
    """
    known = _Known(tuple(events), track, now, hours, find_all() if lessons is None else tuple(lessons))
    measured, settings = known.measured, known.settings
    planned = known.laid(settings.hours)
    likely = planned if measured.hours is None else known.laid(measured.hours)
    promise = known.promise()
    if promise.end is None:
        promise = replace(promise, end=planned.end)
    behind = Behind(known.route, known.passed_on, kept)
    marks = tuple(marks_of(track, behind, settings, known.start, planned, likely))
    return Plan(
        track=track,
        settings=settings,
        now=now,
        first_day=known.first_day,
        slots=known.slots,
        weeks=tuple(_weeks(known, planned, likely, marks)),
        marks=marks,
        ends=_ends(known, promise, planned, likely),
        measured=measured,
        shares=shares_of(known.spans),
        advice=tuple(advice(known.events, known.passed_by, known.lessons, now.timestamp())),
        own_minutes=sum(lesson.minutes for lesson in known.ahead),
        left=sum(task.minutes for task in known.tasks),
        missing=tuple(_missing(track, known.lessons)),
        born=next((event.at for event in events), 0.0),
    )


@dataclass(frozen=True)
class _Known:
    """What the events say at a moment."""

    events: tuple[Event, ...]
    track: Track
    now: datetime
    hours: float | None
    lessons: tuple[Lesson, ...]

    @cached_property
    def settings(self) -> Settings:
        return settings_of(self.events, self.now, self.hours)

    @cached_property
    def slots(self) -> tuple[Slot, ...]:
        return slots(self.settings.hours, self.settings.shape)

    @cached_property
    def first_day(self) -> date:
        """The day of the start; not beyond what a calendar shows, where a clock was wrong."""
        began = next((event.at for event in self.events if event.kind == "started"), None)
        if began is None:
            began = self.events[0].at if self.events else self.now.timestamp()
        return max(day_of(began, self.now), self.now.date() - HORIZON * WEEK)

    @cached_property
    def route(self) -> list[Lesson]:
        """The lessons of the plan in order; what is left to choice last, what lies before the learner's beginning not at all."""
        behind = before_begin(self.track)
        found = lessons_of(self.track, self.settings.levels, self.lessons)
        route = [lesson for lesson in found if lesson.section_id not in behind]
        return sorted(route, key=lambda lesson: lesson.section_id in self.track.optional)

    @cached_property
    def spans(self) -> tuple[Span, ...]:
        return tuple(spans(self.events))

    @cached_property
    def spent(self) -> dict[str, float]:
        return by_lesson(self.spans)

    @cached_property
    def passed_by(self) -> dict[str, Event]:
        """The event by which each lesson passed first."""
        found: dict[str, Event] = {}
        for event in self.events:
            if event.lesson is not None and passes(event):
                found.setdefault(event.lesson, event)
        return found

    @cached_property
    def passed_on(self) -> dict[str, date]:
        return {lesson: day_of(event.at, self.now) for lesson, event in self.passed_by.items()}

    @cached_property
    def ahead(self) -> list[Lesson]:
        return [lesson for lesson in self.route if lesson.section_id not in self.passed_by]

    @cached_property
    def by_week(self) -> dict[date, float]:
        return minutes_by_week(minutes_by_day(self.spans, self.now))

    @cached_property
    def measured(self) -> Measured:
        worked = [
            lesson
            for lesson in self.route
            if lesson.section_id in self.passed_by and self.passed_by[lesson.section_id].kind != "placed"
        ]
        today = self.now.date()
        return measure(self.by_week, self.first_day, today, self.slots, self.settings, worked, self.spent)

    @cached_property
    def start(self) -> Start:
        reached = max((lesson.phase for lesson in self.route if lesson.section_id in self.passed_by), default=0)
        worked = self.by_week.get(monday_of(self.now.date()), 0.0)
        return Start(self.now, self.first_day, worked, reached, papers_of(self.settings.done))

    @cached_property
    def tasks(self) -> list[Task]:
        pace = self.measured.pace or 1.0
        rest = {
            lesson.section_id: rest_of(lesson, self.spent.get(lesson.section_id, 0.0), pace) for lesson in self.ahead
        }
        return list(tasks(self.route, self.ahead, rest, self._reviews()))

    def laid(self, hours: float) -> Laid:
        """The calendar of what is ahead at so many hours a week."""
        return lay(self.tasks, slots(hours, self.settings.shape), self.settings, self.start)

    def promise(self) -> Promise:
        """The plan as it was when its hours were last decided."""
        decided = self.settings.decided
        deciding = next((event for event in self.events if event.id == decided), None)
        if deciding is None:
            return Promise(None, self.first_day, self.settings)
        at = min(deciding.at, self.now.timestamp())
        earlier = tuple(event for event in self.events if event.id <= decided)
        then = _Known(earlier, self.track, datetime.fromtimestamp(at, self.now.tzinfo), None, self.lessons)
        return Promise(then.laid(then.settings.hours).end, then.now.date(), then.settings)

    def _reviews(self) -> dict[int, int]:
        """Minutes of each phase's review that are ahead."""
        week = sum(slot.minutes for slot in self.slots)
        phases = dict.fromkeys(lesson.phase for lesson in self.route)
        full = {phase: review_minutes(self.route, phase, week) for phase in phases}
        open_phases = {lesson.phase for lesson in self.ahead}
        return {
            phase: minutes if phase in open_phases else minutes - whole(min(minutes, self._reviewed(phase)))
            for phase, minutes in full.items()
        }

    def _reviewed(self, phase: int) -> float:
        """Minutes that a phase's review has had: all of them once a new lesson of another phase is begun after its last pass."""
        passed_by = [self.passed_by[lesson.section_id] for lesson in self.route if lesson.phase == phase]
        if all(event.kind == "placed" for event in passed_by):
            return float("inf")
        last = max(event.id for event in passed_by)
        phases = {lesson.section_id: lesson.phase for lesson in self.route}
        since = next(i for i, event in enumerate(self.events, 1) if event.id == last)
        minutes = 0.0
        for span in self.spans[since:]:
            event = span.event
            minutes += span.minutes if span.is_work else 0.0
            passed = self.passed_by.get(event.lesson or "")
            new = event.lesson in phases and phases[event.lesson] != phase and (passed is None or passed.id >= event.id)
            if new and event.kind in ("opened", "checked", "passed"):
                return float("inf")
        return minutes


def _weeks(known: _Known, planned: Laid, likely: Laid, marks: Sequence[Mark]) -> Iterator[Week]:
    """From the first week to the end, without a gap."""
    settings, today = known.settings, known.now.date()
    first, this = monday_of(known.first_day), monday_of(today)
    last = monday_of(max(this, planned.sittings[-1].day if planned.sittings else this))
    end = max(last, min(monday_of(likely.sittings[-1].day), last + BEYOND * WEEK) if likely.sittings else last)
    reviewed = review_weeks(planned.sittings)
    sittings: dict[date, list[Sitting]] = {}
    for sitting in planned.sittings:
        sittings.setdefault(monday_of(sitting.day), []).append(sitting)
    for number in range((end - first).days // 7 + 1):
        monday = first + number * WEEK
        sunday = monday + timedelta(days=6)
        laid = tuple(sittings.get(monday, ()))
        room = capacity(known.slots, max(monday, known.first_day), sunday, settings.is_off)
        state = "done" if monday < this else "now" if monday == this else "ahead" if monday <= last else "beyond"
        yield Week(
            number=number + 1,
            monday=monday,
            state=state,
            planned=room if state in ("done", "now") else sum(sitting.minutes for sitting in laid),
            worked=known.by_week.get(monday, 0.0),
            sittings=laid,
            reviews=tuple(phase for phase, week in reviewed.items() if week == monday),
            passed=tuple(name for name, day in known.passed_on.items() if monday <= day <= sunday),
            marks=tuple(mark for mark in marks if mark.day is not None and monday <= mark.day <= sunday),
            off=sum(settings.is_off(monday + timedelta(days=day)) for day in range(7)),
            resting=monday in known.measured.breaks,
        )


def _ends(known: _Known, promise: Promise, planned: Laid, likely: Laid) -> Ends:
    if not known.tasks:
        says = (
            "Everything on the track that is here is built." if known.route else "No lesson of the track is here yet."
        )
        return Ends(promise.end, None, None, (), says)
    return ends_of(promise, planned.end, likely.end, known.measured, known.settings, known.now.date())


def _missing(track: Track, lessons: Sequence[Lesson]) -> Iterator[str]:
    """Entries of the route of which no lesson is there."""
    here = {lesson.section_id for lesson in lessons} | {str(lesson.phase) for lesson in lessons}
    for step in track.route:
        for entry in step:
            if here.isdisjoint(entry.split(EITHER)):
                yield entry
