"""A learner over forty weeks: breaks, bursts, another zone, both changes of the clock, a clock set back. The plan stays sound."""

import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest

from groundup.course.lessons.lesson import find_all
from groundup.course.plan.days import SystemZone, day_of, days_of, monday_of
from groundup.course.plan.making import make_plan
from groundup.course.plan.schema import as_object
from groundup.course.plan.slots import MOST, slots
from groundup.course.plan.text import plan_text
from groundup.course.progress.store import Store, replay
from groundup.course.tracks import load

from .learner import NEW_YORK, READING, Clock, Learner, lesson, utc

WEEKS = 40
TRACK = load("everything")
HOLIDAY = (date(2026, 7, 20), date(2026, 8, 2))


def sound(plan, route=None):
    """Asserts whatever holds of every plan."""
    weeks = plan.weeks
    assert weeks[0].monday == monday_of(plan.first_day) and [week.number for week in weeks] == [
        *range(1, len(weeks) + 1)
    ]
    assert all(after.monday - before.monday == timedelta(days=7) for before, after in pairwise(weeks))
    [this] = [week for week in weeks if week.state == "now"]
    assert this.monday <= plan.today <= this.sunday
    order = {"done": 0, "now": 1, "ahead": 2, "beyond": 3}
    assert [week.state for week in weeks] == sorted((week.state for week in weeks), key=order.get)

    sittings = plan.sittings
    for week in weeks:
        assert all(week.monday <= sitting.day <= week.sunday for sitting in week.sittings)
        assert not week.sittings or week.state in ("now", "ahead")
    for sitting in sittings:
        assert not plan.settings.is_off(sitting.day)
        assert utc(sitting.start) >= utc(plan.now)
        assert sum(segment.minutes for segment in sitting.segments) == sitting.minutes > 0
        assert utc(sitting.end) - utc(sitting.start) == timedelta(minutes=sitting.minutes)
        assert sitting.minutes <= 180
    assert all(utc(before.end) <= utc(after.start) for before, after in pairwise(sittings))
    assert len({sitting.name for sitting in sittings}) == len(sittings)

    full = sum(slot.minutes for slot in slots(plan.settings.hours, plan.settings.shape))
    last = max((week.number for week in weeks if week.sittings), default=0)
    for week in weeks:
        minutes = sum(sitting.minutes for sitting in week.sittings)
        if week.state == "ahead" and week.number < last and not week.off:
            assert minutes == full == round(min(plan.settings.hours, MOST) * 12) * 5
        assert minutes <= full and (week.state != "now" or minutes <= max(0, week.planned - week.worked))

    tasks = {}
    for sitting in sittings:
        for segment in sitting.segments:
            tasks.setdefault(segment.task.name, []).append(segment)
    assert sum(segment.minutes for each in tasks.values() for segment in each) == plan.left + 360 * sum(
        name.startswith("paper-") for name in tasks
    )
    for name, segments in tasks.items():
        assert [(part.what, part.minutes) for part in segments[0].task.parts] == list(merged(segments)), name
    if route is not None:
        assert [name for name in tasks if "-" not in name] == route
    if plan.ends.planned is not None:
        assert plan.ends.planned == sittings[-1].day
    return plan


def merged(segments):
    """What a task's segments make up: its parts."""
    parts = []
    for segment in segments:
        if parts and parts[-1][0] == segment.what:
            parts[-1] = (segment.what, parts[-1][1] + segment.minutes)
        else:
            parts.append((segment.what, segment.minutes))
    return parts


def a_year(folder):
    """Forty weeks at five hours a week or so, and after each the plan as it is then."""
    clock = Clock(2026, 3, 2, 18)
    learner = Learner(folder / "progress.db", clock, hours=5, pace=1.2, seed=3)
    learner.event("planned", off=[[day.isoformat() for day in HOLIDAY]])
    for week in range(1, WEEKS + 1):
        if week == 16:
            clock.zone = NEW_YORK
        if week in (10, 11, 21, 22):  # a break, and days off
            clock.go(days=7)
        else:
            for day in range(7):
                hours = (0, 19, 0, 19, 0, 10, 0)[day]
                if hours:
                    clock.next_day(hours)
                    learner.sit(240 if week in (13, 14) else 80 if hours == 19 else 130)  # bursts in 13 and 14
                    if week == 18 and day == 3:
                        clock.go(hours=-26)  # the clock of the machine was wrong
                        learner.sit(40)
                        learner.worked -= READING  # going back takes no time
                        clock.go(hours=26)
                else:
                    clock.next_day(8)
        yield week, learner


@dataclass
class Then:
    """What a week of that year left: the log, the moment, and what one who watched would say."""

    events: list
    now: datetime
    worked: float
    ahead: list

    def plan(self):
        return make_plan(self.events, TRACK, self.now, hours=5)


@pytest.fixture(scope="module")
def year(tmp_path_factory):
    """The forty weeks, by number."""
    return {
        week: Then(learner.events(), learner.clock.now, learner.worked, [each.section_id for each in learner.lessons])
        for week, learner in a_year(tmp_path_factory.mktemp("year"))
    }


def test_forty_weeks_leave_the_plan_sound(year):
    plans = {}
    for week, then in year.items():
        plan = plans[week] = sound(then.plan(), then.ahead)
        assert sum(each.worked for each in plan.weeks) == pytest.approx(then.worked, abs=1)
        passed = [name for each in plan.weeks for name in each.passed]
        assert passed + then.ahead == [each.section_id for each in find_all()]
        assert plan.ends.promised is not None and plan.ends.says
        assert len(plan_text(plan).splitlines()) <= 24
    assert plans[1].measured.hours is None and plans[40].measured.hours is not None
    assert 4 < plans[9].measured.hours < 6 and 1.1 < plans[40].measured.pace < 1.3
    assert plans[12].measured.hours == pytest.approx(plans[9].measured.hours, rel=0.2)  # a break is no slow week
    assert plans[14].measured.hours > plans[9].measured.hours  # a burst is a burst
    assert len(plans[40].measured.breaks) == 4
    resting = [week.number for week in plans[40].weeks if week.resting]
    assert resting == [10, 11, 21, 22]


def test_the_log_replays_to_the_same_plan(year, tmp_path):
    then = year[WEEKS]
    at = iter([event.at for event in then.events])
    with Store(tmp_path / "again.db", clock=lambda: next(at)) as again:
        for event in then.events:
            again.append(event.kind, event.lesson, **event.payload)
        assert replay(again.events()) == again.standings()
        made = make_plan(again.events(), TRACK, then.now, hours=5)
    assert as_object(made) == as_object(then.plan())
    assert json.loads(json.dumps(as_object(made), allow_nan=False)) == as_object(made)


def test_a_clock_that_was_years_ahead_ends_no_week(tmp_path):
    clock = Clock(2026, 3, 2, 18)
    learner = Learner(tmp_path / "progress.db", clock)
    learner.sit(100)
    clock.go(days=3000)
    learner.sit(60)
    clock.until(2026, 3, 12, 12)
    plan = sound(make_plan(learner.events(), TRACK, clock.now, hours=5))
    assert [week.number for week in plan.weeks if week.worked] == [1, 2]


@pytest.mark.parametrize("at", [0.0, 1e10])
def test_a_start_at_an_impossible_time_is_within_the_calendar(tmp_path, at):
    clock = Clock(2026, 3, 2, 18)
    right, clock.at = clock.at, at
    learner = Learner(tmp_path / "progress.db", clock)
    clock.at = right
    plan = sound(make_plan(learner.events(), TRACK, clock.now, hours=5))
    assert len(plan.weeks) < 600 and plan.first_day <= plan.today


def test_a_day_is_the_learners_own_day(tmp_path):
    """Half past eleven on a Sunday night is this week, and half past midnight the next, in summer and in winter, seen from either."""
    clock = Clock(2026, 3, 2, 9)
    learner = Learner(tmp_path / "progress.db", clock)
    for evening in ((2026, 3, 22, 23, 30), (2026, 7, 5, 23, 30)):
        clock.until(*evening)
        learner.event("opened", "1.1")
    clock.until(2026, 11, 30, 12)
    worked = [week for week in make_plan(learner.events(), TRACK, clock.now, hours=5).weeks if week.worked]
    assert [week.sunday for week in worked] == [date(2026, 3, 22), date(2026, 7, 5)]


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Beirut", "America/Havana", "Australia/Lord_Howe"])
def test_days_in_turn_are_the_days_one_by_one(zone):
    """Also where the clock is put back over midnight, and for a clock that goes back, or was ahead of now."""
    from zoneinfo import ZoneInfo

    now = datetime(2026, 12, 1, tzinfo=ZoneInfo(zone))
    draw = np.random.default_rng(5)
    moments = np.cumsum(draw.exponential(3000, 12_000)) + now.timestamp() - 390 * 86400
    moments[::97] -= draw.uniform(0, 2 * 86400, len(moments[::97]))
    assert moments.max() > now.timestamp()
    assert list(days_of(moments, now)) == [day_of(at, now) for at in moments]


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"])
def test_the_zone_of_the_machine_is_the_same_as_the_one_it_is_set_to(zone, monkeypatch):
    import time
    from zoneinfo import ZoneInfo

    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        moment = datetime(2026, 1, 1, tzinfo=ZoneInfo("UTC")).timestamp()
        for step in range(0, 366 * 24):
            at = moment + step * 3600
            ours, theirs = datetime.fromtimestamp(at, SystemZone()), datetime.fromtimestamp(at, ZoneInfo(zone))
            assert ours.replace(tzinfo=None) == theirs.replace(tzinfo=None)
            assert ours.utcoffset() == theirs.utcoffset() and ours.timestamp() == at
    finally:
        monkeypatch.undo()
        time.tzset()


def test_what_is_worked_early_in_a_week_is_off_the_rest_of_it(tmp_path):
    clock = Clock(2026, 3, 2, 9)
    learner = Learner(tmp_path / "progress.db", clock, hours=5)
    learner.sit(180)  # three hours of five
    clock.until(2026, 3, 4, 12)
    week = sound(make_plan(learner.events(), TRACK, clock.now, hours=5)).week
    assert week.worked == pytest.approx(180) and [sitting.minutes for sitting in week.sittings] == [90, 30]
    clock.until(2026, 3, 5, 20)  # in the middle of Thursday evening
    week = sound(make_plan(learner.events(), TRACK, clock.now, hours=5)).week
    assert [(sitting.start.hour, sitting.minutes) for sitting in week.sittings] == [(20, 30), (10, 90)]


def test_the_end_that_has_moved_is_said_with_its_reason(tmp_path):
    clock = Clock(2026, 3, 2, 9)
    learner = Learner(tmp_path / "progress.db", clock, hours=10)
    first = make_plan(learner.events(), TRACK, clock.now, hours=10)
    assert first.ends.planned == first.ends.likely == first.ends.promised
    for _ in range(5):  # two evenings of an hour and a half a week, where ten hours were planned
        for _ in range(2):
            clock.next_day(19)
            learner.sit(85)
        clock.go(days=5)
    plan = sound(make_plan(learner.events(), TRACK, clock.now, hours=10))
    assert plan.ends.promised == first.ends.promised < plan.ends.planned < plan.ends.likely
    assert plan.ends.says == "The end has moved from 18 Jul 2026 to 21 Jul 2027: you work 3 h a week, not 10."
    assert any(week.state == "beyond" for week in plan.weeks)

    learner.event("planned", hours=3)  # who plans with what there is has a new promise, and keeps it
    again = make_plan(learner.events(), TRACK, clock.now, hours=3)
    assert again.ends.promised == again.ends.planned == again.ends.likely
    assert again.ends.says.startswith("The end stands at")


def test_what_is_passed_quickly_brings_the_end_nearer(tmp_path):
    clock = Clock(2026, 3, 2, 9)
    learner = Learner(tmp_path / "progress.db", clock, hours=10, pace=0.6)
    for _ in range(6):
        for _ in range(4):
            clock.next_day(19)
            learner.sit(145)
        clock.go(days=3)
    plan = make_plan(learner.events(), TRACK, clock.now, hours=10)
    assert plan.ends.likely < plan.ends.promised and "has come nearer, from" in plan.ends.says
    assert plan.measured.pace == pytest.approx(0.6, abs=0.05)
    assert plan.ends.reasons == (f"a lesson takes you {plan.measured.pace:.2g} times its time",)


def test_a_track_that_is_built_has_no_end_ahead(tmp_path):
    clock = Clock(2026, 3, 2, 9)
    course = [lesson("1.1", 60), lesson("1.2", 60)]
    learner = Learner(tmp_path / "progress.db", clock, lessons=course)
    for each in course:
        learner.pass_it(each)
    plan = sound(make_plan(learner.events(), TRACK, clock.now, hours=5, lessons=course), [])
    assert plan.ends.says == "Everything on the track that is here is built." and not plan.sittings
    nothing = make_plan([], TRACK, clock.now, hours=5, lessons=[])
    assert nothing.ends.says == "No lesson of the track is here yet."
