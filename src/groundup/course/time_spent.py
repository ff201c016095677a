"""How long a learner has worked, measured from the log of events: a gap longer than a pause is idle, and is left out."""

from __future__ import annotations

from collections.abc import Iterable

from .progress import Event

PAUSE = 20 * 60.0  # seconds without an event after which one is taken to be away
READING = 5 * 60.0  # seconds before an event that follows a pause: something was read before it


def minutes_spent(events: Iterable[Event]) -> dict[str, float]:
    """Minutes by lesson, from events in order. A gap goes to the lesson of the event that ends it; a clock set back adds nothing."""
    spent: dict[str, float] = {}
    before: float | None = None
    for event in events:
        if event.lesson is not None:
            gap = READING if before is None else event.at - before
            spent[event.lesson] = spent.get(event.lesson, 0.0) + (gap if 0 <= gap <= PAUSE else READING * (gap > 0)) / 60
        before = event.at
    return spent
