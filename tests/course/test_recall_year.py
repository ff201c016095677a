"""A learner over forty weeks: breaks, bursts, another zone, both changes of the clock, a clock set back. Recall and log stay sound."""

from datetime import timedelta

import pytest

from groundup.course.lessons.lesson import find_all
from groundup.course.log import looking, writing
from groundup.course.log.digest import digest
from groundup.course.log.entries import read_log
from groundup.course.progress.store import Store, replay
from groundup.course.recall.cards import QUESTION, cards_of, deck
from groundup.course.recall.schedule import RATINGS, Schedule
from groundup.course.recall.session import DAILY, done_today, todays
from groundup.course.workspace.workspace import Config, Workspace

from .learner import NEW_YORK, Clock, Learner

pytestmark = pytest.mark.thorough  # a year of evenings takes a minute: `make peers` lives it

WEEKS = 40
BREAKS = {(10, 12), (26, 30)}  # weeks without anything
BURST = range(33, 36)  # every day, twice as long
AWAY = range(18, 22)  # in another zone


class Year:
    """The learner, the log in a folder, and what is checked each day."""

    def __init__(self, folder):
        self.clock = Clock(2026, 2, 2, 19)
        (folder / "ws" / "notes").mkdir(parents=True)
        (folder / "ws" / ".groundup").mkdir()
        self.workspace = Workspace(folder / "ws", Config())
        self.learner = Learner(self.workspace.database, self.clock, pace=0.5)
        self.store = self.learner.store
        self.backlog: list[int] = []
        self.bytes: dict[str, bytes] = {}

    def recall(self):
        """One day's share; asserts what holds of every day."""
        now, events = self.clock.now, self.store.events()
        schedule, done = Schedule(events), done_today(events, now)
        cards = deck(find_all(), self.store.standings())
        due = [card for card in cards if schedule.is_due(card, now)]
        chosen = todays(cards, schedule, now, DAILY, done)
        assert set(chosen) <= set(due) and len(set(chosen)) == len(chosen)
        assert sum(card.minutes for card in chosen) + done.minutes <= DAILY or not chosen
        assert not due or chosen or done.minutes >= DAILY - max(card.minutes for card in due) + 1
        if len({card.kind for card in due}) > 1 and not done.minutes:
            assert {card.kind == QUESTION for card in chosen} == {True, False} or len(due) < 3
        for card in chosen:
            self.clock.go(minutes=card.minutes)
            known = schedule.retained(card, now) > self.learner.draw.uniform(0, 1)
            rating = self.learner.draw.choice(RATINGS[1:], p=(0.15, 0.7, 0.15)) if known else RATINGS[0]
            self.learner.event("recalled", card=card.name, form=card.kind, rating=str(rating), how="self")
        after = Schedule(self.store.events()) if chosen else schedule
        assert all(
            not after.is_due(card, self.clock.now) and 0 < after.retained(card, self.clock.now) <= 1 for card in chosen
        )
        self.backlog.append(len(due) - len(chosen))

    def note(self):
        """Writes about what waits, rates it; whatever stood in the log before stands there still."""
        now, entries = self.clock.now, read_log(self.workspace)
        for lesson in looking.waiting(entries, find_all(), self.store.standings()):
            entry, made = writing.open_entry(self.workspace, entries, lesson, "Built: 2 checks.", now)
            assert made
            writing.record(self.store, self.workspace.root, entry, "opened")
            answers = {name: str(self.learner.draw.choice(("yes", "partly", "no"))) for name in ("explain", "rebuild")}
            writing.rate(entry, answers)
            assert [
                e.name for e in writing.keep_ratings(self.store, self.workspace.root, read_log(self.workspace))
            ] == [entry.name]
        writing.add_line(self.workspace, None, f"a line of {now:%A}", now)
        for path in sorted((self.workspace.root / "notes/log").glob("*.md")):
            data = path.read_bytes()
            assert data.startswith(self.bytes.get(path.name, b""))
            self.bytes[path.name] = data


@pytest.fixture(scope="module")
def year(tmp_path_factory):
    made = Year(tmp_path_factory.mktemp("year"))
    clock = made.clock
    for week in range(WEEKS):
        clock.zone = NEW_YORK if week in AWAY else Clock(2026, 1, 1).zone
        for day in range(7):
            busy = week in BURST or day in (0, 2, 5)
            if busy and not any(first <= week < last for first, last in BREAKS):
                made.learner.sit(150 if week in BURST else 75)
                if day == 5:
                    made.note()
            if not any(first <= week < last for first, last in BREAKS):
                made.recall()
            if week == 15 and day == 3:
                clock.go(hours=-30)  # set back, and put right
                made.recall()
                clock.go(hours=30)
            clock.next_day(19)
    return made


def test_the_log_of_events_replays_to_the_same_state(year, tmp_path):
    events, store = year.store.events(), year.store
    assert replay(events) == store.standings() and store.verify() == []
    with Store(tmp_path / "again.db") as again:
        clock = iter([event.at for event in events])
        again._clock = lambda: next(clock)
        for event in events:
            again.append(event.kind, event.lesson, **event.payload)
        copied = again.events()
    cards = [card for lesson in find_all() for card in cards_of(lesson)]
    first, second = Schedule(events), Schedule(copied)
    for card in cards:
        one, two = first.state(card), second.state(card)
        assert (one.due, one.stability, one.difficulty, one.last_review) == (
            two.due,
            two.stability,
            two.difficulty,
            two.last_review,
        )
    half = Schedule(events[: len(events) // 2])
    assert any(half.state(card).due != first.state(card).due for card in cards)  # it does hang on the events


def test_the_schedule_is_the_same_in_every_zone(year):
    events = year.store.events()
    at = year.clock.now
    cards = deck(find_all(), year.store.standings())
    here, there = Schedule(events), Schedule(events)
    for card in cards:
        assert here.state(card).due == there.state(card).due
        days = here.due(card, at) - here.due(card, at.astimezone(NEW_YORK))
        assert days in (timedelta(0), timedelta(days=1))


def test_a_quarter_of_an_hour_is_enough_and_a_break_is_worked_off(year):
    """At twice the pace of the course, with two breaks: what is left over grows, and goes again; no card is forgotten about."""
    assert max(year.backlog) < 150 and year.backlog[-1] < max(year.backlog) / 2
    events, now = year.store.events(), year.clock.now
    schedule = Schedule(events)
    standings = year.store.standings()
    old = [
        card
        for card in deck(find_all(), standings)
        if now.timestamp() - min(e.at for e in events if e.lesson == card.lesson.section_id and e.kind == "passed")
        > 60 * 86400
    ]
    assert len(old) > 60
    never = [card.name for card in old if not schedule.times(card)]
    assert len(never) <= len(old) // 10, never


def test_the_log_stayed_whole(year):
    entries = read_log(year.workspace)
    standings = year.store.standings()
    last = year.clock.now
    assert looking.waiting(entries, find_all(), standings) == [] or looking.days_away(year.store.events(), last) <= 7
    lessons = [entry.lesson for entry in entries if entry.lesson]
    assert len(lessons) == len(set(lessons)) > 15
    assert all(not entry.problem and entry.day is not None for entry in entries)
    assert all(set(entry.rating) >= {"explain", "rebuild"} for entry in entries if entry.lesson)
    built, minutes, day = [], 0.0, Clock(2026, 2, 2).now.date()
    for _ in range(WEEKS + 2):
        week = looking.week_of(day, entries, year.store.events(), find_all(), last)
        built += [lesson.section_id for lesson in week.built]
        minutes += week.minutes
        assert digest(week).startswith("# Week of")
        day += timedelta(days=7)
    assert sorted(built) == sorted(name for name, standing in standings.items() if standing.passed)
    assert minutes >= year.learner.worked * 0.95
