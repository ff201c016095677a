"""The last test of a track: pieces of code from all over it, one after the other, each judged, within a week.

It asks the lessons that were hardest, phase by phase, to be rebuilt or mended by turns. When the last piece passes, the event that
the track's last gate waits for is recorded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..checking.scratch import own_scratch
from ..lessons.lesson import Lesson, find_all
from ..progress.store import Event, Standing
from ..tracks import Track, lessons_of, level_on
from ..workspace.workspace import Workspace, WorkspaceError
from .arena import bouts
from .cards import BUG, REBUILD, Card
from .code import Task, hand_out, judge_task, open_task

BEGUN = "final-begun"
PIECES = 10
DAYS, DAY = 7, 24 * 3600


@dataclass(frozen=True)
class Final:
    """A last test that has been begun. pieces: its cards, in order; passed: the names of those behind."""

    track: str
    begun: float
    pieces: tuple[Card, ...]
    passed: frozenset[str]

    def until(self, now: datetime) -> datetime:
        """When its week is over, in the zone of now."""
        return datetime.fromtimestamp(self.begun + DAYS * DAY, now.tzinfo)

    @property
    def at_hand(self) -> Card | None:
        """The first piece that has not passed."""
        return next((card for card in self.pieces if card.name not in self.passed), None)


def open_final(track: str, events: Iterable[Event], now: datetime) -> Final | None:
    """The test that is going on; None where there is none, or its week is over."""
    known = {lesson.section_id: lesson for lesson in find_all()}
    found: Final | None = None
    for event in events:
        payload = event.payload
        if event.kind == BEGUN and payload.get("track") == track:
            cards = [_card(name, known) for name in payload["cards"]]
            found = Final(track, event.at, tuple(card for card in cards if card), frozenset())
        elif event.kind == "recalled" and found is not None:
            if payload.get("final") == track:
                found = None
            elif payload.get("piece") and payload.get("passed"):
                found = Final(track, found.begun, found.pieces, found.passed | {payload["card"]})
    return found if found is not None and now.timestamp() - found.begun <= DAYS * DAY else None


def has_lapsed(track: str, events: Sequence[Event], now: datetime) -> bool:
    """Whether a test of a track was begun, and its week went by."""
    begun = any(event.kind == BEGUN and event.payload.get("track") == track for event in events)
    return begun and met_at(track, events) is None and open_final(track, events, now) is None


def met_at(track: str, events: Iterable[Event]) -> float | None:
    """When the test of a track was passed first."""
    met = (e.at for e in events if e.kind == "recalled" and e.payload.get("final") == track and e.payload.get("passed"))
    return next(met, None)


def missing(track: Track, standings: Mapping[str, Standing]) -> list[Lesson]:
    """The lessons of a track that have to be passed before."""
    return [
        lesson
        for lesson in lessons_of(track)
        if level_on(track, lesson) == "core" and not standings.get(lesson.section_id, Standing("")).passed
    ]


def begin(workspace: Workspace, track: Track, number: int) -> list[str]:
    """Draws the pieces, and records them. number: how many tests of this track there have been."""
    with workspace.store() as store:
        standings, events = store.standings(), store.events()
        if left := missing(track, standings):
            names = ", ".join(lesson.section_id for lesson in left[:6]) + (" ..." if len(left) > 6 else "")
            raise WorkspaceError(f"the last test of {track.name} comes when it is built: {names} to go")
        pieces = draw([bout.lesson for bout in bouts(lessons_of(track), standings, events)])
        if not pieces:
            raise WorkspaceError(f"nothing of {track.name} has been passed yet: there is nothing to ask for")
        cards = [f"final-{number + 1}/{lesson.section_id}/{kind}" for lesson, kind in pieces]
        store.append(BEGUN, track=track.name, cards=cards)
    return cards


def draw(hardest: Sequence[Lesson]) -> list[tuple[Lesson, str]]:
    """The hardest lesson of each phase, then the next hardest of each, until there are enough; in the order of the course."""
    phases: dict[int, list[Lesson]] = {}
    for lesson in hardest:
        phases.setdefault(lesson.phase, []).append(lesson)
    rounds = [
        lessons[turn] for turn in range(len(hardest)) for _, lessons in sorted(phases.items()) if turn < len(lessons)
    ]
    chosen = sorted(rounds[:PIECES], key=lambda lesson: (lesson.phase, lesson.order))
    return [(lesson, (REBUILD, BUG)[place % 2]) for place, lesson in enumerate(chosen)]


def go_on(workspace: Workspace, track: Track, now: datetime) -> tuple[dict[str, Any] | None, Task | None, Final]:
    """Judges the piece at hand and hands out the next: the reply about the one, the task of the other, and where the test stands.

    The reply is None where nothing was out; the task is None where the test is passed.
    """
    from ..judging.judge import Judge  # NumPy with it

    with workspace.store(readonly=True) as store:
        events = store.events()
    if open_final(track.name, events, now) is None:
        begin(workspace, track, sum(event.kind == BEGUN for event in events))
    reply: dict[str, Any] | None = None
    with own_scratch(), Judge() as judge, workspace.store() as store:
        final = open_final(track.name, store.events(), now)
        if final is None or final.at_hand is None:
            raise WorkspaceError("the clock of this machine has changed: try again")
        task = open_task(store.events(), final.at_hand.name)
        if task is not None:
            reply = judge_task(workspace, store, judge, task)
            if not reply["verdict"]["passed"]:
                return reply, task, final
            store.append("recalled", card=task.card, form=task.kind, piece=True, passed=True, part=task.part)
            final = Final(final.track, final.begun, final.pieces, final.passed | {task.card})
        if final.at_hand is None:
            store.append("recalled", final=track.name, passed=True, pieces=len(final.pieces))
            return reply, None, final
        return reply, hand_out(workspace, store, judge, final.at_hand), final


def _card(name: str, known: Mapping[str, Lesson]) -> Card | None:
    _, section_id, kind = name.split("/")
    return Card(name, known[section_id], kind) if section_id in known else None
