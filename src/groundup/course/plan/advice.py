"""What the plan says unasked, by rules of thumb. Each rule is a function of the events; most of the time each is silent."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ..lessons.lesson import Lesson, find_all
from ..progress.store import Event, passes
from ..progress.time_spent import PAUSE, minutes_spent, spans
from ..showing.durations import minutes_said
from ..workspace.workspace import Workspace

OVER, UNDER = 1.5, 0.5  # of a lesson's time: past the one, move on; below the other, slow down
STUCK, SITTING = 120.0, 180.0  # minutes on one checkpoint, and without a pause
RECENT = 2 * 24 * 3600.0  # seconds for which a pass that was too quick is spoken of
TRY = (
    "read the smallest failing case aloud, and work it out by hand",
    "explain the code line by line to somebody, or to the wall",
    "groundup hint {lesson}",
    "ask: what you expect, what you get, the smallest input (groundup guide)",
    "read the reference, close it, and write your own: groundup solution {lesson}",
)


@dataclass(frozen=True)
class Advice:
    """One sentence, and what to do in order."""

    kind: str  # pause, stuck, move-on, slow-down, reread
    says: str
    lesson: str | None = None
    then: tuple[str, ...] = ()


def now(workspace: Workspace, moment: datetime) -> list[Advice]:
    """What there is to say to the learner at this moment, the most urgent first."""
    with workspace.store(readonly=True) as store:
        passed = {name for name, standing in store.standings().items() if standing.passed}
        return advice(store.events(), passed, find_all(), moment.timestamp())


def advice(events: Sequence[Event], passed: Collection[str], lessons: Sequence[Lesson], at: float) -> list[Advice]:
    """All rules over the events so far. passed: the lessons that have passed by them; at: now, in unix seconds."""
    spent = minutes_spent(events)
    known = {lesson.section_id: lesson for lesson in lessons}
    found = (
        take_a_pause(events, at),
        stuck(events, known, passed, at),
        move_on(events, known, passed, spent),
        slow_down(events, known, spent, at),
        reread(events, lessons, passed),
    )
    return [each for each in found if each is not None]


def take_a_pause(events: Sequence[Event], at: float) -> Advice | None:
    """Three hours without a pause: a pause."""
    minutes = sitting(events, at)
    if minutes < SITTING:
        return None
    return Advice(
        "pause", f"You have worked for {minutes_said(minutes)} without a pause: take one, away from the screen."
    )


def sitting(events: Sequence[Event], at: float) -> float:
    """Minutes since the last pause; 0 during one."""
    if not events or not 0 <= at - events[-1].at <= PAUSE:
        return 0.0
    began = events[-1].at
    for event in reversed(events):
        if not 0 <= began - event.at <= PAUSE:
            break
        began = event.at
    return (events[-1].at - began) / 60


def stuck(events: Sequence[Event], lessons: Mapping[str, Lesson], passed: Collection[str], at: float) -> Advice | None:
    """Two hours on one checkpoint: step away; and who comes back hears what to try."""
    lesson = _at_hand(events)
    if lesson is None or lesson not in lessons or lesson in passed:
        return None
    checkpoint, minutes = on_one_checkpoint(events, lesson)
    if minutes < STUCK:
        return None
    back = sitting(events, at) * 60 < PAUSE
    first = "You were" if back else "Step away for a while: you have been"
    says = f"{first} at “{checkpoint}” in {lesson} for {minutes_said(minutes)}.{' Try another way in.' if back else ''}"
    return Advice("stuck", says, lesson, tuple(step.format(lesson=lesson) for step in TRY))


def on_one_checkpoint(events: Sequence[Event], lesson: str) -> tuple[str, float]:
    """The first checkpoint of a lesson that does not pass, and the minutes since it became that; "" and 0 where none is."""
    name, minutes = "", 0.0
    for span in spans(events):
        if span.event.lesson != lesson:
            continue
        if name:
            minutes += span.minutes
        if span.event.kind == "checked":
            failing = _first_failing(span.event)
            if failing != name:
                name, minutes = failing, 0.0
    return name, minutes


def _first_failing(event: Event) -> str:
    checkpoints = event.payload.get("checkpoints")
    if event.payload.get("passed") or not isinstance(checkpoints, dict):
        return ""
    found = (name for name, said in checkpoints.items() if isinstance(said, dict) and said.get("verdict") != "passed")
    return next(found, "")


def move_on(
    events: Sequence[Event], lessons: Mapping[str, Lesson], passed: Collection[str], spent: Mapping[str, float]
) -> Advice | None:
    """Past one and a half times a lesson's time with everything met: move on."""
    lesson = _at_hand(events)
    if lesson is None or lesson not in lessons or lesson not in passed:
        return None
    planned, taken = lessons[lesson].minutes, spent.get(lesson, 0.0)
    if taken <= OVER * planned:
        return None
    says = f"{lesson} has passed, and has taken {minutes_said(taken)} of {minutes_said(planned)}: move on."
    return Advice("move-on", says, lesson, ("groundup next",))


def slow_down(
    events: Sequence[Event], lessons: Mapping[str, Lesson], spent: Mapping[str, float], at: float
) -> Advice | None:
    """A lesson that passed in under half its time: slow down. One that was known is not meant."""
    placed = {event.lesson for event in events if event.kind == "placed"}
    passes = [event for event in events if event.kind == "passed" and event.lesson not in placed]
    if not passes or not 0 <= at - passes[-1].at <= RECENT:
        return None
    lesson = passes[-1].lesson
    if lesson is None or lesson not in lessons:
        return None
    planned, taken = lessons[lesson].minutes, spent.get(lesson, 0.0)
    if taken >= UNDER * planned:
        return None
    says = f"{lesson} took {minutes_said(taken)} of {minutes_said(planned)}: slow down. Could you explain it without looking?"
    return Advice(
        "slow-down", says, lesson, (f"groundup bug {lesson}", "answer its questions under Look back in writing")
    )


def reread(events: Sequence[Event], lessons: Sequence[Lesson], passed: Collection[str]) -> Advice | None:
    """After phase 5, phase 1 again: until one of its lessons is opened."""
    fifth = {lesson.section_id for lesson in lessons if lesson.phase == 5}
    first = {lesson.section_id for lesson in lessons if lesson.phase == 1}
    if not fifth or not first or not fifth <= set(passed):
        return None
    last = max((event.id for event in events if event.lesson in fifth and passes(event)), default=0)
    if any(event.id > last and event.lesson in first and event.kind in ("opened", "checked") for event in events):
        return None
    return Advice("reread", "Phase 5 is built: read phase 1 again, and see how much of it you know now.")


def _at_hand(events: Sequence[Event]) -> str | None:
    """The lesson of the last event that has one; whoever writes about an earlier lesson has not gone back to it."""
    return next(
        (event.lesson for event in reversed(events) if event.lesson is not None and event.kind != "noted"), None
    )
