"""Looking into the log: what was written last, what is still to be written, where a word stands, and what a week was."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from ..lessons.lesson import Lesson
from ..lessons.listed import items
from ..plan.days import day_of, monday_of
from ..progress.store import Event, Standing
from .entries import ANSWERS, ASKED, EXERCISES, Entry, Section, entry_of
from .writing import RATING

# the line below the title of an entry, which the course has written
FACTS = re.compile(r"\A\d+ [A-Z][a-z]{2} \d{4}\.(?: (?:Built|Known|Not passed)[^\n]*)?(?=\n|\Z)")
BREAK = 7  # days without anything after which one is taken to come back
SHOWN = 3  # entries that are shown then


@dataclass(frozen=True)
class Found:
    """A line with the words that were searched for. line: its number, from 1."""

    entry: Entry
    line: int
    text: str


def search(entries: Iterable[Entry], question: str) -> list[Found]:
    """The lines that have every word of a question, whatever its case; the newest entry first."""
    words = question.casefold().split()
    if not words:
        return []
    return [
        Found(entry, number, " ".join(line.split()))
        for entry in reversed(list(entries))
        for number, line in enumerate(entry.text.splitlines(), 1)
        if all(word in line.casefold() for word in words)
    ]


def waiting(entries: Sequence[Entry], lessons: Iterable[Lesson], standings: Mapping[str, Standing]) -> list[Lesson]:
    """The lessons that were passed and have no entry, the one passed last first."""
    missing = [
        (standings[lesson.section_id].last_at, lesson)
        for lesson in lessons
        if standings.get(lesson.section_id, Standing("")).passed and entry_of(entries, lesson.section_id) is None
    ]
    return [lesson for _, lesson in sorted(missing, key=lambda pair: -pair[0])]


def exercises_left(
    entries: Sequence[Entry], lessons: Iterable[Lesson], standings: Mapping[str, Standing]
) -> list[tuple[Lesson, list[int]]]:
    """Of each lesson that was passed, the exercises that no entry of it has ticked off, by their numbers."""
    left = []
    for lesson in lessons:
        if standings.get(lesson.section_id, Standing("")).passed:
            ticked = {n for entry in entries if entry.lesson == lesson.section_id for n in entry.ticked}
            numbers = [n for n in range(1, len(items(lesson, "Exercises")) + 1) if n not in ticked]
            if numbers:
                left.append((lesson, numbers))
    return left


def days_away(events: Sequence[Event], now: datetime) -> int:
    """Days from the last day before today on which anything happened: who comes back has been away for all of today."""
    today = now.date()
    before = (day for event in reversed(events) if (day := day_of(event.at, now)) < today)
    return (today - next(before, today)).days


def written(entry: Entry) -> list[Section]:
    """The parts of an entry in which something has been written: not the questions about oneself, nor the exercises, nor what the course says."""
    skipped = (EXERCISES, RATING.lower())
    parts = [replace(section, text=_own_words(section.text)) for section in entry.sections]
    return [part for part in parts if part.text.strip("-* ") and part.title.strip(" ?").lower() not in skipped]


def _own_words(text: str) -> str:
    """A part of an entry without what the course has written in it, and without ratings of oneself."""
    lines = FACTS.sub("", text).splitlines()
    return "\n".join(line for line in lines if not _is_rating(line)).strip()


def _is_rating(line: str) -> bool:
    """A line as `groundup log 1.3 --explain yes` adds it; what the learner says in words of their own is none."""
    question, _, answer = line.removeprefix("- ").partition(": ")
    return question in ASKED.values() and answer in ANSWERS


@dataclass(frozen=True)
class Week:
    """What a week was, from Monday on: what was built, what was written, what is still open."""

    monday: date
    built: list[Lesson]
    minutes: float
    recalled: int  # cards
    entries: list[Entry]  # of the week
    lines: list[tuple[date, Entry, str]]  # added in the week to entries of other weeks

    @property
    def sunday(self) -> date:
        return self.monday + timedelta(days=6)


def week_of(
    day: date, entries: Sequence[Entry], events: Sequence[Event], lessons: Iterable[Lesson], now: datetime
) -> Week:
    """The week that a day lies in."""
    from ..progress.time_spent import spans

    monday = monday_of(day)
    until = monday + timedelta(days=7)

    def inside(day: date | None) -> bool:
        return day is not None and monday <= day < until

    built: dict[str, None] = {}
    before: set[str | None] = set()
    recalled, minutes = 0, 0.0
    for span in spans(events):
        event, here = span.event, inside(day_of(span.event.at, now))
        minutes += span.minutes if here and span.is_work else 0.0
        recalled += here and event.kind == "recalled" and "rating" in event.payload
        if event.kind in ("passed", "placed") and event.lesson is not None:
            if here and event.lesson not in before:
                built[event.lesson] = None
            before.add(event.lesson)
    known = {lesson.section_id: lesson for lesson in lessons}
    return Week(
        monday,
        [known[name] for name in built if name in known],
        minutes,
        recalled,
        [entry for entry in entries if inside(entry.day)],
        [(on, e, text) for e in entries if not inside(e.day) for on, text in e.dated_lines if inside(on)],
    )
