"""A quarter of an hour a day: which of the cards that are due, and in which order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from ..plan.days import day_of
from ..progress.store import Event
from .cards import CODE, MINUTES, QUESTION, Card
from .schedule import Schedule

DAILY = 15  # minutes


@dataclass(frozen=True)
class Done:
    """What has been recalled today. minutes: that the cards were expected to take; nobody is held to a stopwatch."""

    minutes: int = 0
    code: bool = False


def done_today(events: Iterable[Event], now: datetime) -> Done:
    """What has been recalled on the local day of now."""
    kinds = [
        str(event.payload.get("form"))
        for event in events
        if event.kind == "recalled" and day_of(event.at, now) == now.date()
    ]
    return Done(sum(MINUTES.get(kind, 0) for kind in kinds), any(kind in CODE for kind in kinds))


def todays(cards: Sequence[Card], schedule: Schedule, now: datetime, minutes: int, done: Done) -> list[Card]:
    """Cards that are due, for what is left of so many minutes, questions and code by turns.

    One card of code a day goes before all questions: code is recalled by writing it. Among those due, what is most likely still
    known comes first, so that after a break what can be saved is saved.
    """
    due = [card for card in cards if schedule.is_due(card, now)]
    due.sort(key=lambda card: (-round(schedule.retained(card, now), 6), card.name))
    first = [] if done.code else [card for card in due if card.kind in CODE][:1]
    questions = [card for card in due if card.kind == QUESTION]
    chosen, left = list[Card](), minutes - done.minutes
    for card in [*first, *questions, *(card for card in due if card.kind in CODE and card not in first)]:
        if card.minutes <= left:
            chosen.append(card)
            left -= card.minutes
    return interleaved(chosen)


def interleaved(cards: Sequence[Card]) -> list[Card]:
    """The same cards, such that as few as can be stand beside one of their own lesson or kind."""
    waiting, order = list(cards), list[Card]()
    while waiting:
        last = order[-1] if order else None

        def like_the_last(card: Card, last: Card | None = last) -> int:
            return 0 if last is None else (card.lesson == last.lesson) + (card.kind == last.kind)

        best = min(waiting, key=like_the_last)
        waiting.remove(best)
        order.append(best)
    return order
