"""Recalling a card, from the store and back into it: what the commands and the desk share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from ..checking.scratch import own_scratch
from ..lessons.lesson import find_all
from ..log.entries import read_log
from ..log.writing import keep_ratings
from ..progress.store import Event
from ..workspace.workspace import Workspace, WorkspaceError
from .cards import QUESTION, Card, deck
from .code import Task, hand_out, judge_task, open_task
from .schedule import RATINGS, Schedule
from .session import DAILY, done_today, todays


@dataclass(frozen=True)
class Desk:
    """What there is to recall at a moment. today: the cards that are left of this day's share, in order."""

    events: list[Event]
    cards: list[Card]
    schedule: Schedule
    today: list[Card]
    due: int  # cards whose day has come
    done: int  # minutes of today's share that are behind
    now: datetime

    def card(self, name: str) -> Card:
        """The card of this name, or the only one whose name begins so. WorkspaceError if there is none."""
        found = [card for card in self.cards if card.name == name] or [c for c in self.cards if c.name.startswith(name)]
        if len(found) != 1:
            several = ", ".join(card.name for card in found[:8])
            says = f"{name!r} is the beginning of several: {several}" if found else f"there is no card {name!r} yet"
            raise WorkspaceError(f"{says}; `groundup recall --all` shows those there are")
        return found[0]

    def task(self, card: Card) -> Task | None:
        """What has been handed out for a card of code."""
        return open_task(self.events, card.name)

    @property
    def next_day(self) -> date | None:
        """The day on which the next card is due that is not due yet."""
        days = [self.schedule.due(card, self.now) for card in self.cards]
        return min((day for day in days if day > self.now.date()), default=None)


def desk_of(workspace: Workspace, now: datetime, minutes: int = DAILY) -> Desk:
    """What there is to recall now; what the learner has said of themselves in the log is taken in first."""
    with workspace.store() as store:
        keep_ratings(store, workspace.root, read_log(workspace))
        events, standings = store.events(), store.standings()
    cards, schedule, done = deck(find_all(), standings), Schedule(events), done_today(events, now)
    today = todays(cards, schedule, now, minutes, done)
    due = sum(schedule.is_due(card, now) for card in cards)
    return Desk(events, cards, schedule, today, due, done.minutes, now)


def give(workspace: Workspace, card: Card) -> Task:
    """Hands out a card of code."""
    from ..judging.judge import Judge  # NumPy with it

    with own_scratch(), Judge() as judge, workspace.store() as store:
        return hand_out(workspace, store, judge, card)


def look_at(workspace: Workspace, task: Task, now: datetime, rating: str | None = None) -> tuple[dict[str, Any], str]:
    """The judge's reply about a task, and the rating that was recorded; "" where it does not pass.

    rating: what the learner makes of it, once it passes.
    """
    from ..judging.judge import Judge  # NumPy with it

    with own_scratch(), Judge() as judge, workspace.store() as store:
        reply = judge_task(workspace, store, judge, task)
        if not reply["verdict"]["passed"]:
            return reply, ""
        seconds = max(0.0, now.timestamp() - task.begun)
        worth = rating or task.rating(seconds)
        store.append(
            "recalled", card=task.card, form=task.kind, lesson_id=task.lesson, rating=worth,
            how="self" if rating else "judge", part=task.part, own=task.own, seconds=round(seconds), checks=task.checks,
        )  # fmt: skip
    return reply, worth


def rate(workspace: Workspace, card: Card, rating: str, task: Task | None = None) -> None:
    """Records what the learner makes of a card. Of code only `again` is taken on their word: the rest is the judge's."""
    if rating not in RATINGS:
        raise WorkspaceError(f"a card is rated {', '.join(RATINGS[:-1])} or {RATINGS[-1]}, not {rating!r}")
    if card.kind != QUESTION and rating != RATINGS[0]:
        raise WorkspaceError(f"{card.name} is code: the judge says whether it is known; `--rate again` gives it up")
    with workspace.store() as store:
        store.append(
            "recalled", card=card.name, form=card.kind, lesson_id=card.lesson.section_id, rating=rating, how="self",
            part=task.part if task is not None else "",
        )  # fmt: skip
