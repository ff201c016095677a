"""A learner in fast motion: a clock that a test moves, a store that listens to it, and sittings at which lessons are worked on."""

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import numpy as np

from groundup.course.lessons.lesson import Lesson, find_all
from groundup.course.progress.store import Store

BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
READING = 5  # minutes that count before the first event after a pause


def lesson(section_id, minutes, after=(), level="core"):
    """A lesson of a made-up course."""
    phase, order = map(int, section_id.split("."))
    return Lesson(
        None, f"lesson {section_id}", section_id, phase, f"phase {phase}", order, minutes, level, (), (), tuple(after)
    )


class Clock:
    """The time, in a zone of somewhere."""

    def __init__(self, *when, zone=BERLIN):
        self.at, self.zone = datetime(*when, tzinfo=zone).timestamp(), zone

    def __call__(self):
        return self.at

    @property
    def now(self):
        return datetime.fromtimestamp(self.at, self.zone)

    def go(self, **step):
        self.at += timedelta(**step).total_seconds()

    def until(self, *when):
        """To a time by the clock on the wall."""
        self.at = datetime(*when, tzinfo=self.zone).timestamp()

    def next_day(self, hour):
        """To an hour of the next day, however long this day is."""
        day = self.now.date() + timedelta(days=1)
        self.until(day.year, day.month, day.day, hour)


class Learner:
    """Works through the course in order, at a pace of their own."""

    def __init__(self, path, clock, hours=5, pace=1.0, seed=0, lessons=None):
        self.clock, self.pace, self.draw = clock, pace, np.random.default_rng(seed)
        self.store = Store(path, clock=clock)
        self.lessons = list(find_all() if lessons is None else lessons)
        self.done = 0.0  # minutes at the lesson at hand
        self.worked = 0.0  # minutes in all, as one who watches would count them
        self.store.append("started", track="everything", hours_per_week=hours, begin="beginning")

    def event(self, kind, lesson=None, **payload):
        return self.store.append(kind, lesson, **payload)

    def sit(self, minutes, step=(4, 18)):
        """A sitting that lasts so many minutes by the clock."""
        fresh, until = True, self.clock.at + minutes * 60
        while until - self.clock.at > 1 and self.lessons:
            at_hand = self.lessons[0]
            gap = 0.0 if fresh else min(self.draw.uniform(*step), (until - self.clock.at) / 60)
            self.clock.go(minutes=gap)
            counted = READING if fresh else gap
            fresh = False
            self.worked += counted
            if not self.done:
                self.event("opened", at_hand.section_id)
            self.done += counted
            if self.done >= at_hand.minutes * self.pace:
                self.pass_it(at_hand)
            else:
                failing = {"values": {"verdict": "passed"}, "gradients": {"verdict": "wrong-value", "fault": None}}
                self.event("checked", at_hand.section_id, passed=False, checkpoints=failing)

    def pass_it(self, at_hand):
        self.event("checked", at_hand.section_id, passed=True, checkpoints={})
        self.event("passed", at_hand.section_id, stretch=False)
        self.lessons.pop(0)
        self.done = 0.0

    def events(self):
        return self.store.events()


def utc(moment):
    return moment.astimezone(timezone.utc)
