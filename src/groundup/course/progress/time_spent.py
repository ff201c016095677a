"""How long a learner has worked, measured from the log of events: a gap longer than a pause is idle, and is left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from .store import Event

PAUSE = 20 * 60.0  # seconds without an event after which one is taken to be away
READING = 5 * 60.0  # seconds before an event that follows a pause: something was read before it
STUDY = frozenset(  # kinds that are work, though they may belong to no lesson
    {"noted", "recalled", "recall-begun", "recall-checked", "arena", "arena-begun", "final-begun", "read"}
)


class Span(NamedTuple):
    """The time worked before an event."""

    event: Event
    minutes: float
    fresh: bool  # it follows a pause, or nothing

    @property
    def is_work(self) -> bool:
        """Whether the event that ends it is of a lesson, or of study beside the lessons."""
        return self.event.lesson is not None or self.event.kind in STUDY


def spans(events: Iterable[Event]) -> Iterator[Span]:
    """The time before each of the events, in order. A clock set back adds nothing."""
    before: float | None = None
    for event in events:
        gap = READING if before is None else event.at - before
        fresh = before is None or not 0 <= gap <= PAUSE
        yield Span(event, (READING * (gap > 0) if fresh else gap) / 60, fresh)
        before = event.at


def minutes_spent(events: Iterable[Event]) -> dict[str, float]:
    """Minutes by lesson, from events in order."""
    return by_lesson(spans(events))


def by_lesson(found: Iterable[Span]) -> dict[str, float]:
    """Minutes by lesson. A gap goes to the lesson of the event that ends it."""
    spent: dict[str, float] = {}
    for span in found:
        if span.event.lesson is not None:
            spent[span.event.lesson] = spent.get(span.event.lesson, 0.0) + span.minutes
    return spent
