"""When each card is due: FSRS, replayed from the log of events.

The events are the truth: the same events give the same schedule, on whatever machine and day they are replayed. A card's first
review is what the learner said of themselves in the log (yes: good, partly: hard, no: again); without that it is due the day
after the lesson was passed. Steps of minutes are left out: a sitting is a day.

The model is that of J. Ye, J. Su and Y. Cao, "A Stochastic Shortest Path Algorithm for Optimizing Spaced Repetition Scheduling"
(KDD 2022), as the library `fsrs` has it, with its weights and a retention of 0.9.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache
from typing import TYPE_CHECKING

from ..progress.store import Event, passes
from .cards import SELF, Card

if TYPE_CHECKING:
    import fsrs

RATINGS = ("again", "hard", "good", "easy")  # as the library numbers them, from 1
OF_SELF = {"yes": "good", "partly": "hard", "no": "again"}
FIRST = timedelta(days=1)  # after which a card is due that nothing is known of


@lru_cache(maxsize=1)
def scheduler() -> fsrs.Scheduler:
    """The scheduler: whole days, nothing drawn at random."""
    import fsrs

    return fsrs.Scheduler(learning_steps=(), relearning_steps=(), enable_fuzzing=False)


class Schedule:
    """Where every card stands after the events given."""

    def __init__(self, events: Iterable[Event]) -> None:
        self._reviewed: dict[str, fsrs.Card] = {}
        self._times: dict[str, int] = {}
        self._rated: dict[str, tuple[datetime, Mapping[str, str]]] = {}
        self._passed: dict[str, datetime] = {}
        for event in events:
            self._take(event)

    def _take(self, event: Event) -> None:
        payload = event.payload
        if event.lesson is not None and passes(event):
            self._passed.setdefault(event.lesson, _moment(event.at))
        elif event.kind == "noted" and event.lesson is not None and isinstance(payload.get("rating"), dict):
            self._rated[event.lesson] = (_moment(event.at), payload["rating"])
        elif event.kind == "recalled" and payload.get("rating") in RATINGS and isinstance(payload.get("card"), str):
            name = payload["card"]
            before = self._reviewed.get(name) or self._first(name, str(payload.get("form")))
            self._reviewed[name] = _review(before, payload["rating"], _moment(event.at))
            self._times[name] = self._times.get(name, 0) + 1

    def _first(self, name: str, kind: str) -> fsrs.Card:
        """The card before it was ever recalled."""
        import fsrs

        lesson = name.partition("/")[0]
        card = fsrs.Card(card_id=0, due=self._passed.get(lesson, _moment(0)) + FIRST)
        at, said = self._rated.get(lesson, (card.due, {}))
        rating = OF_SELF.get(str(said.get(SELF.get(kind, ""))))
        return _review(card, rating, at) if rating else card

    def state(self, card: Card) -> fsrs.Card:
        """What the library knows of a card."""
        return self._reviewed.get(card.name) or self._first(card.name, card.kind)

    def times(self, card: Card) -> int:
        """How often it has been recalled."""
        return self._times.get(card.name, 0)

    def due(self, card: Card, now: datetime) -> date:
        """The day on which it is due, in the zone of now."""
        return self.state(card).due.astimezone(now.tzinfo).date()

    def is_due(self, card: Card, now: datetime) -> bool:
        """Whether its day has come: at any hour of it, since nobody sits down at the same one."""
        return self.due(card, now) <= now.date()

    def retained(self, card: Card, now: datetime) -> float:
        """The chance that it is still known; of a card never recalled nor rated, as if it had been known when it was passed."""
        state = self.state(card)
        if state.last_review is None:
            state = _review(state, "good", state.due - FIRST)
        return float(scheduler().get_card_retrievability(state, now.astimezone(timezone.utc)))


def next_due(state: fsrs.Card, now: datetime) -> dict[str, date]:
    """The day on which a card would be due after each rating."""
    return {
        rating: _review(state, rating, now.astimezone(timezone.utc)).due.astimezone(now.tzinfo).date()
        for rating in RATINGS
    }


def _review(card: fsrs.Card, rating: str, at: datetime) -> fsrs.Card:
    """A card after a review. One by a clock that was set back counts as made at the time of the last."""
    import fsrs

    at = max(at, card.last_review) if card.last_review is not None else at
    return scheduler().review_card(card, fsrs.Rating(RATINGS.index(rating) + 1), at)[0]


def _moment(at: float) -> datetime:
    """A moment of the store, on Greenwich's clock; one that no calendar has is the beginning."""
    try:
        return datetime.fromtimestamp(at, timezone.utc)
    except (OverflowError, OSError, ValueError):
        return datetime.fromtimestamp(0, timezone.utc)
