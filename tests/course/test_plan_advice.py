"""Each rule of thumb, when it speaks and when it does not."""

import pytest

from groundup.course.plan.advice import advice, on_one_checkpoint, sitting
from groundup.course.plan.shares import shares_of
from groundup.course.plan.text import advice_line
from groundup.course.progress.store import Event, passes
from groundup.course.progress.time_spent import PAUSE, minutes_spent, spans

from .learner import lesson

START = 1_700_000_000.0
COURSE = [lesson("1.1", 60), lesson("1.2", 60), lesson("5.1", 60), lesson("5.2", 60)]
FAILING = {"values": {"verdict": "passed"}, "gradients": {"verdict": "wrong-value"}}


def log(*rows):
    """Events from (minutes since the last, kind, lesson, payload)."""
    at, events = START, []
    for number, (minutes, kind, name, payload) in enumerate(rows, 1):
        at += minutes * 60
        events.append(Event(number, at, kind, name, payload))
    return events


def check(minutes, name="1.1", checkpoints=None, passed=False):
    return (minutes, "checked", name, {"passed": passed, "checkpoints": checkpoints or FAILING})


def passing(minutes, name="1.1"):
    return (minutes, "passed", name, {})


def opened(minutes, name="1.1"):
    return (minutes, "opened", name, {})


def heard(events, after=0.0, lessons=COURSE):
    return advice(events, {event.lesson for event in events if passes(event)}, lessons, events[-1].at + after * 60)


def kinds(events, after=0.0, lessons=COURSE):
    return [each.kind for each in heard(events, after, lessons)]


def test_with_nothing_done_there_is_nothing_to_say():
    assert advice([], (), COURSE, START) == [] and advice_line([]) == ""


@pytest.mark.parametrize(("minutes", "said"), [(170, []), (185, ["pause"])])
def test_after_three_hours_a_pause(minutes, said):
    events = log(opened(0), *[(10, "noted", None, {})] * (minutes // 10), (minutes % 10, "noted", None, {}))
    assert kinds(events) == said
    assert kinds(events, after=PAUSE / 60 + 1) == []  # in the middle of one
    with_pause = log(
        opened(0), *[(10, "noted", None, {})] * 9, *[(25, "noted", None, {})], *[(10, "noted", None, {})] * 9
    )
    assert kinds(with_pause) == [] and sitting(with_pause, with_pause[-1].at) == 90


@pytest.mark.parametrize(("checks", "said"), [(11, []), (13, ["stuck"])])
def test_two_hours_on_one_checkpoint(checks, said):
    events = log(opened(0), check(5), *[check(10)] * checks)
    assert kinds(events) == said
    assert on_one_checkpoint(events, "1.1") == ("gradients", checks * 10)


def test_who_is_stuck_steps_away_and_who_comes_back_tries_another_way():
    rows = [opened(0), check(5), *[check(10)] * 13]
    [stuck] = heard(log(*rows))
    assert stuck.says.startswith("Step away for a while") and "“gradients” in 1.1 for 2 h 10" in stuck.says
    assert stuck.then[-1].endswith("groundup solution 1.1") and "groundup hint 1.1" in stuck.then
    [back] = heard(log(*rows, check(600)))
    wrote = (2, "noted", "1.2", {})  # writing about another lesson is no going there
    assert heard(log(*rows, check(600), wrote)) == [back]
    assert back.says.startswith("You were at") and back.says.endswith("Try another way in.")


def test_another_checkpoint_another_lesson_or_a_pass_is_not_stuck():
    other = {"values": {"verdict": "raised"}, "gradients": {"verdict": "skipped"}}
    half = [opened(0), check(5), *[check(10)] * 7]
    assert kinds(log(*half, *[check(10, checkpoints=other)] * 7)) == []
    assert kinds(log(*half, *[check(10, "1.2")] * 7)) == []
    assert "stuck" not in kinds(log(*half, *[check(10)] * 6, check(5, passed=True), passing(0)))
    idle = [opened(0), check(5), *[check(30)] * 20]  # half an hour between: away most of the time
    assert kinds(log(*idle)) == []


@pytest.mark.parametrize(("minutes", "said"), [(80, []), (100, ["move-on"])])
def test_past_one_and_a_half_times_with_everything_met_move_on(minutes, said):
    rows = [opened(0), *[check(10)] * ((minutes - 10) // 10), check(5, passed=True), passing(0)]
    assert kinds(log(*rows)) == said
    assert kinds(log(*rows, opened(1, "1.2"))) == []  # has moved on
    assert "move-on" not in kinds(log(*rows[:-2]))  # not everything is met


@pytest.mark.parametrize(("minutes", "said"), [(20, ["slow-down"]), (40, [])])
def test_under_half_the_time_slow_down(minutes, said):
    rows = [opened(0), *[check(5)] * (minutes // 5 - 1), check(0, passed=True), passing(0)]
    assert kinds(log(*rows)) == said
    assert kinds(log(*rows), after=3 * 24 * 60) == []  # long ago
    assert kinds(log((0, "placed", "1.1", {}), *rows)) == []  # it was known


def test_after_phase_5_phase_1_is_read_again():
    hour = [check(10, "5.2")] * 6
    built = [passing(0, "1.1"), passing(0, "5.1"), opened(30, "5.2"), *hour, passing(0, "5.2")]
    assert kinds(log(*built)) == ["reread"]
    assert "reread" not in kinds(log(*built[:-1]))
    assert kinds(log(*built, opened(5, "1.1"))) == []
    assert kinds(log(*built), lessons=COURSE[:2]) == []  # phase 5 is not here yet


def test_the_most_urgent_is_one_line():
    rows = [opened(0), check(5), *[check(10)] * 19]
    events = log(*rows)
    found = heard(events)
    assert [each.kind for each in found] == ["pause", "stuck"]
    assert advice_line(found).replace("\n", " ") == found[0].says


def test_building_and_reading_are_told_apart():
    events = log(
        opened(0),  # five minutes before it: reading
        check(10),  # from opening to the first check: reading
        check(10),
        (10, "saved", "1.1", {}),  # building
        (2, "hinted", "1.1", {}),
        check(3),  # a hint, and what came of it: reading
        check(10, passed=True),
        passing(0),
        (15, "noted", "1.1", {}),  # neither
        (5, "read", None, {}),
        (60, "bug", "1.1", {}),  # after a pause, and no page was turned to
    )
    shares = shares_of(spans(events))
    assert (shares.reading, shares.building) == (5 + 10 + 2 + 3 + 5, 10 + 10 + 10 + 5)
    assert shares.share == pytest.approx(35 / 60)
    assert shares_of([]).share is None


def test_time_is_measured_as_it_was():
    """A gap is worked up to a pause; beyond it five minutes count, and a clock set back counts nothing."""
    events = log(opened(0), check(20), check(21), check(-50), check(5, "1.2"))
    assert [span.minutes for span in spans(events)] == [5, 20, 5, 0, 5]
    assert minutes_spent(events) == {"1.1": 30, "1.2": 5}
