"""The calendar as a pure function: whatever hours, shape, days off and lessons, nothing is lost and nothing is early."""

from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundup.course.lessons.lesson import LEVELS
from groundup.course.plan.making import make_plan
from groundup.course.plan.pace import breaks, measure
from groundup.course.plan.settings import (
    EVENINGS,
    FULL_DAYS,
    Settings,
    days_said,
    joined,
    settings_of,
    usual_shape,
    without,
)
from groundup.course.plan.slots import MOST, slots
from groundup.course.plan.work import BUILD, CHECK, EXERCISE, READ, SHARES, split
from groundup.course.progress.store import Event
from groundup.course.tracks import Gate, Track, load, names
from groundup.course.workspace.workspace import WorkspaceError

from .learner import BERLIN, lesson
from .test_plan_year import merged, sound

MONDAY = datetime(2026, 3, 2, 0, 0, tzinfo=BERLIN)
HOURS = st.floats(0.5, 60).map(lambda hours: round(hours, 1))
SHAPES = st.sampled_from([EVENINGS, FULL_DAYS])
SIZES = st.lists(st.lists(st.integers(10, 600), min_size=1, max_size=5), min_size=1, max_size=4)
RANGES = st.lists(st.tuples(st.integers(0, 120), st.integers(0, 20)), max_size=4)
ALL = Track("all", "All", "", (("1", "2", "3", "4", "5", "6"),))


def course(sizes, first=1):
    """Lessons of as many phases, each leaning on the one before it."""
    made = []
    for phase, minutes in enumerate(sizes, first):
        for order, each in enumerate(minutes, 1):
            made.append(lesson(f"{phase}.{order}", each, made[-1:] and (made[-1].section_id,)))
    return made


def off_days(ranges):
    first = MONDAY.date()
    return [[(first + timedelta(a)).isoformat(), (first + timedelta(a + n)).isoformat()] for a, n in ranges]


def plan(lessons, hours, shape=EVENINGS, off=(), now=MONDAY, events=(), track=ALL, **more):
    start = [
        Event(1, MONDAY.timestamp() - 1, "started", None, {"hours_per_week": hours}),
        Event(2, MONDAY.timestamp() - 1, "planned", None, {"shape": shape, "off": off_days(off), **more}),
    ]
    return make_plan([*start, *events], track, now, hours=hours, lessons=lessons)


def passing(lessons, at):
    """Lessons that passed at one time, without work."""
    return [Event(3 + i, at, "passed", each.section_id, {}) for i, each in enumerate(lessons)]


@settings(deadline=None, max_examples=80)
@given(SIZES, HOURS, SHAPES, RANGES, st.integers(0, 60 * 24 * 30))
def test_every_calendar_is_sound(sizes, hours, shape, off, minutes):
    lessons = course(sizes)
    made = sound(
        plan(lessons, hours, shape, off, now=MONDAY + timedelta(minutes=minutes)), [each.section_id for each in lessons]
    )
    days = {sitting.day for sitting in made.sittings}
    assert not any(first <= day <= last for day in days for first, last in made.settings.off)


@settings(deadline=None, max_examples=60)
@given(SIZES, HOURS, st.floats(0, 20), SHAPES)
def test_more_hours_end_no_later(sizes, hours, more, shape):
    """By weeks: within a week a longer one may have its last sitting on a later day. No papers, which come by the quarter."""
    lessons = course([size for size in sizes[:3]])
    fewer, greater = plan(lessons, hours, shape), plan(lessons, round(hours + more, 1), shape)
    assert len(greater.weeks) <= len(fewer.weeks)


@settings(deadline=None, max_examples=60)
@given(SIZES, HOURS, SHAPES, RANGES, RANGES)
def test_more_days_off_end_no_earlier(sizes, hours, shape, off, more):
    lessons = course(sizes[:3])
    assert plan(lessons, hours, shape, off).ends.planned <= plan(lessons, hours, shape, [*off, *more]).ends.planned


@settings(deadline=None, max_examples=60)
@given(SIZES, HOURS, SHAPES, st.data())
def test_more_to_do_ends_no_earlier(sizes, hours, shape, data):
    lessons = course(sizes[:3])
    longer = data.draw(st.lists(st.integers(0, 300), min_size=len(lessons), max_size=len(lessons)))
    larger = [lesson(each.section_id, each.minutes + more, each.after) for each, more in zip(lessons, longer)]
    assert plan(lessons, hours, shape).ends.planned <= plan(larger, hours, shape).ends.planned


@settings(deadline=None, max_examples=60)
@given(SIZES, HOURS, SHAPES, st.data())
def test_more_that_is_passed_ends_no_later(sizes, hours, shape, data):
    lessons = course(sizes[:3])
    some = data.draw(st.integers(0, len(lessons) - 1))
    more = data.draw(st.integers(some, len(lessons) - 1))
    at = MONDAY.timestamp() - 1
    ends = [plan(lessons, hours, shape, events=passing(lessons[:n], at)).ends.planned for n in (some, more)]
    assert ends[1] <= ends[0]


@settings(deadline=None)
@given(HOURS, SHAPES)
def test_a_week_has_its_hours(hours, shape):
    week = slots(hours, shape)
    assert sum(slot.minutes for slot in week) == round(min(hours, MOST) * 12) * 5
    assert all(0 < slot.minutes <= 180 for slot in week)
    for before, after in pairwise(week):
        if before.weekday == after.weekday:
            assert before.at.hour * 60 + before.at.minute + before.minutes + 60 == after.at.hour * 60 + after.at.minute


def test_the_three_paces():
    """20 to 30 hours are full days; what fits into evenings has its largest block at the weekend."""
    for hours in (20, 25, 30):
        assert usual_shape(hours) == FULL_DAYS
        assert {slot.weekday for slot in slots(hours, FULL_DAYS)} <= {0, 1, 2, 3, 4}
    for hours in (4, 6, 8, 10, 12):
        assert usual_shape(hours) == EVENINGS
        a_day = {}
        for slot in slots(hours, EVENINGS):
            a_day[slot.weekday] = a_day.get(slot.weekday, 0) + slot.minutes
        assert max(a_day, key=a_day.get) == 5 and all(slot.at.hour == 19 for slot in slots(hours, EVENINGS)[:1])


@given(st.integers(1, 400).map(lambda fives: 5 * fives))
def test_the_parts_of_a_lesson_make_it_up(minutes):
    parts = split(minutes, SHARES)
    assert sum(part.minutes for part in parts) == minutes
    assert [part.what for part in parts] == [
        what for what in (READ, BUILD, CHECK, EXERCISE) if what in {part.what for part in parts}
    ]
    if minutes >= 60:
        assert sum(part.minutes for part in parts if part.what != READ) >= 0.6 * minutes


@pytest.mark.parametrize(
    ("minutes", "left"),
    [
        (0, [("read", 30), ("build", 40), ("check", 10), ("exercise", 20)]),
        (45, [("build", 25), ("check", 10), ("exercise", 20)]),
        (90, [("exercise", 15)]),
        (600, [("exercise", 15)]),  # it has not passed, so something is left
    ],
)
def test_what_is_left_of_a_lesson_is_its_end(minutes, left):
    lessons = [lesson("1.1", 100)]
    at = MONDAY.timestamp()
    worked = [Event(3 + i, at + 60 * 15 * (i + 1), "checked", "1.1", {}) for i in range(minutes // 15)]
    made = sound(plan(lessons, 20, events=worked, now=MONDAY + timedelta(hours=11)))
    assert list(merged(segment for sitting in made.sittings for segment in sitting.segments)) == left


def test_a_phase_is_followed_by_its_review_week():
    lessons = course([[300] * 4, [300] * 4, [60, 60]])
    made = sound(plan(lessons, 5))
    order = [segment.task.name for sitting in made.sittings for segment in sitting.segments]
    assert order.index("review-1") > max(i for i, name in enumerate(order) if name == "1.4")
    assert order.index("review-1") < order.index("2.1") and "review-3" not in order  # two short lessons have none
    reviewed = {phase: week for week in made.weeks for phase in week.reviews}
    assert set(reviewed) == {1, 2}
    for phase, week in reviewed.items():
        names = [segment.task.name for sitting in week.sittings for segment in sitting.segments]
        assert f"review-{phase}" in names


def test_a_review_is_over_once_something_new_is_begun():
    lessons = course([[300] * 4, [300] * 4])
    at = MONDAY.timestamp() + 3600
    passed = passing(lessons[:4], at)
    due = plan(lessons, 5, now=MONDAY + timedelta(hours=2), events=passed)
    assert due.sittings[0].segments[0].task.name == "review-1"
    begun = [*passed, Event(90, at + 60, "opened", "2.1", {})]
    assert plan(lessons, 5, now=MONDAY + timedelta(hours=2), events=begun).sittings[0].segments[0].task.name == "2.1"
    placed = [Event(3 + i, at, "placed", each.section_id, {}) for i, each in enumerate(lessons[:4])]
    known = plan(lessons, 5, now=MONDAY + timedelta(hours=2), events=placed)
    assert known.sittings[0].segments[0].task.name == "2.1" and known.measured.pace is None


def test_a_paper_is_reproduced_a_quarter_from_phase_4_on():
    lessons = course([[300] * 4, [600] * 12], first=3)
    made = sound(plan(lessons, 5))
    papers = [mark for mark in made.marks if mark.kind == "paper"]
    assert [mark.name for mark in papers] == ["paper-1", "paper-2", "paper-3"]  # 28 weeks and more
    first = MONDAY.date()
    for quarter, mark in enumerate(papers, 1):
        assert (quarter - 1) * 91 <= (mark.day - first).days < quarter * 91 + 14
    early = plan(course([[300] * 4, [300] * 12]), 5)
    assert not [mark for mark in early.marks if mark.kind == "paper"]  # none in phases 1 to 3
    done = [Event(3, MONDAY.timestamp(), "planned", None, {"done": "paper-1"})]
    ticked = sound(plan(lessons, 5, events=done))
    assert [mark.name for mark in ticked.marks if mark.kind == "paper" and mark.done] == ["paper-1"]
    assert "paper-1" not in {segment.task.name for sitting in ticked.sittings for segment in sitting.segments}


def test_credits_come_in_week_1_and_again_after_ninety_days():
    lessons = course([[600] * 12])
    made = plan(lessons, 5)
    marks = {mark.name: mark for mark in made.marks}
    assert marks["credits"].due and marks["credits"].day == made.first_day and "credits" in names_of(made.weeks[0])
    assert marks["credits-end"].day == made.first_day + timedelta(days=90) and not marks["credits-end"].due
    later = MONDAY + timedelta(days=95)
    assert {mark.name: mark for mark in plan(lessons, 5, now=later).marks}["credits-end"].due
    applied = [Event(3, MONDAY.timestamp() + 10 * 86400, "planned", None, {"done": "credits"})]
    after = {mark.name: mark for mark in plan(lessons, 5, now=later, events=applied).marks}
    assert after["credits"].done and after["credits-end"].day == made.first_day + timedelta(days=101)
    undone = [*applied, Event(4, MONDAY.timestamp() + 11 * 86400, "planned", None, {"done": "credits", "undo": True})]
    assert not {mark.name: mark for mark in plan(lessons, 5, now=later, events=undone).marks}["credits"].done


def names_of(week):
    return [mark.name for mark in week.marks]


def test_something_is_given_back_past_the_middle():
    lessons = course([[600] * 10])
    made = plan(lessons, 5)
    giving = [mark for mark in made.marks if mark.kind == "give"]
    assert [mark.name for mark in giving] == ["answer", "post", "request"]
    length = (made.ends.planned - made.first_day).days
    for mark, least, most in zip(giving, (0.4, 0.6, 0.75), (0.62, 0.8, 0.95)):
        assert least * length < (mark.day - made.first_day).days < most * length


def test_a_gate_stands_on_the_day_of_its_last_lesson():
    lessons = course([[120] * 4, [120] * 4])
    gates = (
        Gate("half", "", ("1.1", "1.4")),
        Gate("either", "", ("2.3 or 1.2", "1.1")),
        Gate("elsewhere", "", ("9.9",)),
        Gate("last", "", (), ("recall --final",)),
    )
    track = Track("own", "Own", "", (("1", "2"),), gates)
    made = sound(plan(lessons, 5, track=track))
    last = {}
    for sitting in made.sittings:
        for segment in sitting.segments:
            last[segment.task.name] = sitting.day
    day = {mark.title: mark.day for mark in made.marks if mark.kind == "gate"}
    assert day == {"half": last["1.4"], "either": last["1.2"], "elsewhere": None, "last": last["2.4"]}


def test_every_track_has_its_calendar():
    for name in names():
        track = load(name)
        made = sound(make_plan([Event(1, MONDAY.timestamp(), "started", None, {})], track, MONDAY, hours=10))
        assert made.missing and made.ends.planned is not None
        dated = {mark.title for mark in made.marks if mark.kind == "gate" and mark.day}
        assert dated <= {gate.name for gate in track.gates}


def test_a_level_and_a_beginning_leave_lessons_out():
    lessons = [*course([[60] * 4]), lesson("1.5", 60, level="optional"), lesson("1.6", 60, level="advanced")]

    def planned(made):
        return list(
            dict.fromkeys(each.task.name for s in made.sittings for each in s.segments if each.task.lesson is not None)
        )

    assert planned(plan(lessons, 5, levels=["core"])) == ["1.1", "1.2", "1.3", "1.4"]
    assert planned(plan(lessons, 5, levels=list(LEVELS[:2]))) == ["1.1", "1.2", "1.3", "1.4", "1.5"]
    last = Track("own", "Own", "", (("1",),), optional=("1.1",))
    assert planned(plan(lessons, 5, track=last))[-1] == "1.1"


def test_a_week_of_an_hour_that_has_no_end_says_so():
    made = plan(course([[60000] * 3]), 1)
    assert made.ends.planned is None and "more than ten years away" in made.ends.says


def measured(by_week, today, off=(), hours=5):
    week = slots(hours, EVENINGS)
    known = Settings(hours=hours, shape=EVENINGS, off=off)
    return measure(by_week, MONDAY.date(), today, week, known, [], {})


def test_hours_are_measured_over_weeks_of_work():
    mondays = [MONDAY.date() + timedelta(days=7 * n) for n in range(12)]
    six = {monday: 360.0 for monday in mondays}
    assert measured(six, mondays[1]).hours is None  # one week tells nothing
    assert measured(six, mondays[4]).hours == pytest.approx(6)
    gap = {monday: 360.0 for monday in mondays if monday not in mondays[4:7]}
    assert measured(gap, mondays[8]).hours == pytest.approx(6) and len(measured(gap, mondays[8]).breaks) == 3
    one = {monday: 360.0 for monday in mondays if monday != mondays[6]}
    assert measured(one, mondays[8]).hours == pytest.approx(5)  # one empty week is a slow one
    half = {**six, mondays[7]: 240.0}  # Thursday to Sunday off: what was there was used
    off = ((mondays[7] + timedelta(days=3), mondays[7] + timedelta(days=6)),)
    assert measured(half, mondays[8], off).hours > measured(half, mondays[8]).hours


def test_a_break_is_taken_off_or_longer_than_a_week():
    mondays = [MONDAY.date() + timedelta(days=7 * n) for n in range(6)]
    room = dict.fromkeys(mondays, 300)
    assert breaks(mondays, dict.fromkeys(mondays, 1.0), room) == set()
    assert breaks(mondays, {mondays[0]: 1.0, mondays[3]: 1.0, mondays[5]: 1.0}, room) == set(mondays[1:3])
    assert breaks(mondays, {mondays[i]: 1.0 for i in (0, 1, 3, 4)}, {**room, mondays[2]: 0}) == {mondays[2]}


def test_days_are_read_and_joined():
    assert days_said("2026-12-24") == (date(2026, 12, 24), date(2026, 12, 24))
    assert days_said("2026-12-24..2027-01-02") == (date(2026, 12, 24), date(2027, 1, 2))
    for wrong in ("soon", "2026-12-24..2026-12-01", "2026-13-01", "", "2026-01-01..2028-01-01"):
        with pytest.raises(WorkspaceError):
            days_said(wrong)


DAYS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 9)), max_size=6).map(
    lambda pairs: [(date(2026, 1, 1) + timedelta(a), date(2026, 1, 1) + timedelta(a + n)) for a, n in pairs]
)


@given(DAYS, DAYS)
def test_ranges_of_days_are_sets_of_days(some, others):
    def laid_open(ranges):
        return {first + timedelta(n) for first, last in ranges for n in range((last - first).days + 1)}

    assert laid_open(joined(some)) == laid_open(some)
    assert laid_open(without(some, others)) == laid_open(some) - laid_open(others)
    assert all(after[0] - before[1] > timedelta(days=1) for before, after in pairwise(joined(some)))


def test_events_of_another_version_are_passed_over():
    odd = [
        Event(1, 0.0, "planned", None, {"off": [["never", "x"], 5, ["2026-01-01", "2026-01-02"]], "hours": True}),
        Event(2, 0.0, "planned", None, {"shape": "nights", "levels": ["x"], "done": 7, "exported": "x"}),
    ]
    found = settings_of(odd, MONDAY)
    assert found.hours == 10 and found.shape == EVENINGS and found.levels == LEVELS and found.done == {}
    assert found.off == ((date(2026, 1, 1), date(2026, 1, 2)),)


def test_sittings_keep_their_hour_over_both_changes_of_the_clock():
    made = sound(plan(course([[600] * 20]), 5, now=MONDAY.replace(tzinfo=ZoneInfo("Europe/Berlin"))))
    hours = {(sitting.day.weekday(), sitting.start.hour) for sitting in made.sittings}
    assert hours == {(1, 19), (3, 19), (5, 10)}
    assert {sitting.start.utcoffset() for sitting in made.sittings} == {timedelta(hours=1), timedelta(hours=2)}
