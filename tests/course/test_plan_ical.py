"""The calendar file, read back by a parser of somebody else's, is the plan."""

from datetime import date, datetime, timedelta

import icalendar
import pytest

from groundup.course.plan.ical import exported, ical
from groundup.course.plan.making import make_plan
from groundup.course.progress.store import Event
from groundup.course.tracks import Gate, Track, load

from .learner import BERLIN, NEW_YORK, lesson, utc

MONDAY = datetime(2026, 3, 2, 12, 0, tzinfo=BERLIN)
HOSTILE = 'a; b, c\\n "d"\r\nBEGIN:VEVENT\nDTSTART:1\t\x07 größer 🧱🧱🧱🧱🧱🧱🧱🧱🧱🧱🧱🧱🧱🧱🧱🧱🧱🧱🧱🧱🧱🧱🧱'


def plan(now=MONDAY, hours=10, *more, track=None, lessons=None):
    start = Event(1, MONDAY.timestamp(), "started", None, {"hours_per_week": hours})
    return make_plan([start, *more], track or load("everything"), now, hours=hours, lessons=lessons)


def read(content):
    """Its entries by UID."""
    found = icalendar.Calendar.from_ical(content)
    events = [each for each in found.walk("VEVENT")]
    assert not found.errors and not any(each.errors for each in events)
    by_uid = {str(each["UID"]): each for each in events}
    assert len(by_uid) == len(events)
    return by_uid


@pytest.mark.parametrize("zone", [BERLIN, NEW_YORK])
@pytest.mark.parametrize("hours", [5, 10, 25])
def test_what_is_read_back_is_the_plan(zone, hours):
    made = plan(MONDAY.astimezone(zone), hours)
    entries = list(read(ical(made)).values())
    sittings = {each.start: each for each in entries if each.get("CATEGORIES")}
    assert [(each["UID"].partition("@")[0], utc(start), utc(each.end)) for start, each in sorted(sittings.items())] == [
        (f"sitting-{sitting.name}", utc(sitting.start), utc(sitting.end)) for sitting in made.sittings
    ]
    for sitting in made.sittings:
        entry = sittings[utc(sitting.start)]
        for segment in sitting.segments:
            assert (
                f"{segment.task.name} {segment.task.title}: {segment.what} {segment.minutes} min"
                in entry["DESCRIPTION"]
            )
            assert segment.what in entry.categories
    whole = {(str(each["SUMMARY"]), each.start, each.end) for each in entries if not each.get("CATEGORIES")}
    one = timedelta(days=1)
    marks = {
        (f"gate: {mark.title}" if mark.kind == "gate" else mark.title, mark.day, mark.day + one)
        for mark in made.marks
        if mark.day
    }
    reviews = {
        (f"review of phase {phase}", week.monday, week.sunday + one) for week in made.weeks for phase in week.reviews
    }
    assert whole == marks | reviews and reviews and len(marks) > 5


def test_the_form_is_that_of_the_standard():
    lines = ical(plan()).split(b"\r\n")
    assert lines[-1] == b"" and all(len(line) <= 75 and b"\n" not in line for line in lines)
    assert lines[0] == b"BEGIN:VCALENDAR" and lines[-2] == b"END:VCALENDAR"
    assert all(line.decode() for line in lines[:-1])  # no character is cut in two


def test_a_name_is_text_whatever_is_in_it():
    track = Track("own", "Own", "", (("1",),), (Gate(HOSTILE, HOSTILE, ("1.1",)),))
    course = [lesson("1.1", 60)]
    content = ical(plan(track=track, lessons=course))
    assert all(len(line) <= 75 for line in content.split(b"\r\n"))
    gates = [each for each in read(content).values() if str(each["SUMMARY"]).startswith("gate: a; b, c\\n")]
    assert len(gates) == 1 and "🧱🧱" in gates[0]["SUMMARY"] and "größer" in gates[0]["DESCRIPTION"]
    assert content.count(b"\r\nBEGIN:VEVENT\r\n") == len(read(content))
    unfolded = content.replace(b"\r\n ", b"").decode()
    assert '\r\nSUMMARY:gate: a\\; b\\, c\\\\n "d"\\nBEGIN:VEVENT\\nDTSTART:1 größer' in unfolded


def test_an_import_again_changes_what_is_there():
    """The same slot and the same gate keep their names, and what comes later has a higher number."""
    first = plan()
    later = plan(MONDAY + timedelta(days=1), 10, Event(2, MONDAY.timestamp() + 60, "opened", "1.0", {}))
    before, after = read(ical(first)), read(ical(later))
    assert len(before.keys() & after.keys()) > 0.9 * len(before)
    shared = next(uid for uid in before if uid in after and uid.startswith("sitting-"))
    assert after[shared]["SEQUENCE"] > before[shared]["SEQUENCE"] and after[shared].DTSTAMP > before[shared].DTSTAMP
    slower = plan(MONDAY, 5)
    gate = next(uid for uid in before if uid.startswith("gate-phase-1@"))
    assert read(ical(slower))[gate].start > before[gate].start
    other = make_plan([Event(1, MONDAY.timestamp() + 1, "started", None, {})], load("everything"), MONDAY, hours=10)
    assert not before.keys() & read(ical(other)).keys()


def test_a_sitting_that_has_gone_is_cancelled():
    first = plan()
    day = first.sittings[5].day
    events = [
        Event(2, MONDAY.timestamp() + 1, "planned", None, {"exported": exported(first)}),
        Event(3, MONDAY.timestamp() + 2, "planned", None, {"off": [[day.isoformat(), day.isoformat()]]}),
    ]
    entries = read(ical(plan(MONDAY, 10, *events)))
    cancelled = [each for each in entries.values() if each.get("STATUS") == "CANCELLED"]
    assert [each.start for each in cancelled] == [day]
    past = plan(MONDAY + timedelta(days=40), 10, *events)
    assert not [each for each in read(ical(past)).values() if each.get("STATUS") == "CANCELLED"]


def test_the_credits_remind_by_themselves():
    [entry] = [each for uid, each in read(ical(plan())).items() if uid.startswith("credits-end@")]
    [alarm] = entry.walk("VALARM")
    assert entry.start == date(2026, 5, 31) and alarm["TRIGGER"].dt == timedelta(hours=9)
