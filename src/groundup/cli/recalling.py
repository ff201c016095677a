"""The command recall: one card at a time, a question by a key, code by the judge."""

from __future__ import annotations

import json
import os
import sys
import textwrap
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..course.checking.watch import single_keys
from ..course.plan.days import here, said
from ..course.recall import final as last
from ..course.recall import reviews
from ..course.recall.cards import QUESTION, Card
from ..course.recall.code import Task
from ..course.recall.passages import passage
from ..course.recall.schedule import RATINGS, next_due
from ..course.recall.session import DAILY
from ..course.showing.terminal import BOLD, HINT, PASS, SOFT, paint, printable, verdict_text, width
from ..course.workspace.workspace import Workspace, WorkspaceError, find_workspace
from .learn import wrapped

KEYS = ("space where the lesson speaks of it", "1 again   2 hard   3 good   4 easy   q enough")


INDENT, WORDS = 34, 24  # columns before the words of a card, and at least for them


@dataclass(frozen=True)
class Asked:
    """What the command line says."""

    card: str | None = None
    rate: str | None = None
    minutes: int = DAILY
    all: bool = False
    final: bool = False
    json: bool = False


def recall(asked: Asked) -> int:
    """One card that is named, the last test, or those of today."""
    workspace, now = find_workspace(), here()
    if asked.final:
        return _final(workspace, asked, now)
    desk = reviews.desk_of(workspace, now, asked.minutes)
    if asked.card is not None:
        return _card(workspace, desk, desk.card(asked.card), asked, now)
    if asked.rate is not None:
        raise WorkspaceError("name the card that you rate: `groundup recall` shows those of today")
    if asked.json:
        print(json.dumps(_desk_object(desk, asked.all)))
        return 0
    if not asked.all and desk.today and sys.stdin.isatty() and sys.stdout.isatty():
        return _sitting(workspace, desk)
    for card in desk.cards if asked.all else desk.today:
        print(_line(card, desk))
    if not asked.all:
        print(_rest(desk))
    return 0


def _line(card: Card, desk: reviews.Desk) -> str:
    day = desk.schedule.due(card, desk.now)
    when = "due" if day <= desk.now.date() else said(day, desk.now.date())
    lines = textwrap.wrap(_words(card), max(WORDS, width() - INDENT))
    first = f"{card.name:<14} {paint(f'{when:<11} {card.minutes} min', SOFT)}  {lines[0]}"
    return "\n".join([first, *(" " * INDENT + line for line in lines[1:])])


def _words(card: Card) -> str:
    from ..course.lessons.page import plain_mathematics

    if card.kind != QUESTION:
        what = "a part of it to rebuild" if card.kind == "rebuild" else "a mistake in it to find"
        return f"{card.lesson.title}: {what}"
    parts = card.text.split("$")
    return printable("".join(plain_mathematics(part) if i % 2 else part for i, part in enumerate(parts)))


def _rest(desk: reviews.Desk) -> str:
    """What is left when these are done."""
    if not desk.cards:
        return "Nothing to recall yet: the first cards come the day after a lesson has passed."
    later = desk.due - len(desk.today)
    if desk.today:
        more = f"; {later} more can wait until tomorrow" if later else ""
        return (
            f"{sum(card.minutes for card in desk.today)} min{more}. One of them: groundup recall {desk.today[0].name}"
        )
    if later:
        return f"Enough for today, {desk.done} min. {later} more can wait until tomorrow."
    day = desk.next_day
    return "Nothing is due." + (f" The next card is due on {said(day, desk.now.date())}." if day else "")


def _card(workspace: Workspace, desk: reviews.Desk, card: Card, asked: Asked, now: datetime) -> int:
    """Rates a question, or hands out and judges code. 1 where the code does not pass."""
    if asked.rate is not None and asked.rate not in RATINGS:
        raise WorkspaceError(f"a card is rated {', '.join(RATINGS[:-1])} or {RATINGS[-1]}, not {asked.rate!r}")
    task = desk.task(card)
    if card.kind == QUESTION or asked.rate == RATINGS[0]:
        if asked.rate is None:
            return _show(card, desk, asked)
        reviews.rate(workspace, card, asked.rate, task)
        return _rated(workspace, card, asked.rate, asked, now)
    if task is None:
        task = reviews.give(workspace, card)
        return _given(task, asked)
    reply, worth = reviews.look_at(workspace, task, now, asked.rate)
    if worth:
        return _rated(workspace, card, worth, asked, now, reply)
    if asked.json:
        print(
            json.dumps({"schema": 1, "card": card.name, "passed": False, "verdict": reply["verdict"]}, allow_nan=False)
        )
    else:
        again = f"groundup recall {card.name}   to give it up: --rate again"
        print(verdict_text(reply["verdict"], reply["title"], source=reply.get("source", ""), again=again))
    return 1


def _given(task: Task, asked: Asked) -> int:
    if asked.json:
        print(json.dumps({"schema": 1, "card": task.card, "passed": None, **_task_object(task)}))
    else:
        print(f"{task.says} Then: groundup recall {task.card}")
    return 0


def _show(card: Card, desk: reviews.Desk, asked: Asked) -> int:
    if asked.json:
        print(json.dumps({"schema": 1, **card_object(card, desk)}))
        return 0
    print(f"{paint(f'{card.lesson.section_id} {card.lesson.title}', SOFT)}\n\n{wrapped(card.text)}\n")
    print(f"Say it aloud, then: groundup recall {card.name} --rate again, hard, good or easy")
    return 0


def _rated(
    workspace: Workspace, card: Card, rating: str, asked: Asked, now: datetime, reply: dict[str, Any] | None = None
) -> int:
    """Says when the card comes again."""
    desk = reviews.desk_of(workspace, now, asked.minutes)
    day = desk.schedule.due(card, now)
    if asked.json:
        found: dict[str, Any] = {"card": card.name, "rating": rating, "due": day.isoformat()}
        if reply is not None:
            found |= {"passed": True, "verdict": reply["verdict"]}
        print(json.dumps({"schema": 1, **found}, allow_nan=False))
    else:
        mark = paint("●", PASS) if reply is not None else " "
        print(f"{mark} {card.name}: {rating}; due on {said(day, now.date())}")
    return 0


def _sitting(workspace: Workspace, desk: reviews.Desk) -> int:
    """The questions of today at a terminal, a key each; the code of today is named at the end."""
    code = [card for card in desk.today if card.kind != QUESTION]
    questions = [card for card in desk.today if card.kind == QUESTION]
    with single_keys():
        for place, card in enumerate(questions, 1):
            print(f"\n{paint(f'{place} of {len(questions)}   {card.lesson.section_id} {card.lesson.title}', SOFT)}\n")
            print(paint(wrapped(card.text), BOLD) + f"\n\n{paint(_keys(), SOFT)}")
            rating = _key(card)
            if rating is None:
                return 0
            reviews.rate(workspace, card, rating)
            day = next_due(desk.schedule.state(card), here())[rating]
            print(f"{rating}: due on {said(day, desk.now.date())}")
    for card in code:
        task = desk.task(card)
        print(f"\n{paint('○', HINT)} {_words(card)}   groundup recall {card.name}")
        if task is not None:
            print(paint(f"  it is out: {task.path}", SOFT))
    return 0


def _keys() -> str:
    """What the keys do, on one line where there is room for it."""
    line = "   ".join(KEYS)
    return line if len(line) <= width() else "\n".join(KEYS)


def _key(card: Card) -> str | None:
    """The rating that is given by a key; None to stop."""
    shown = False
    while True:
        pressed = os.read(sys.stdin.fileno(), 1).decode(errors="replace")
        if pressed in ("q", "\x04", ""):
            return None
        if pressed in "1234":
            return RATINGS[int(pressed) - 1]
        if pressed == " " and not shown:
            shown = True
            found = passage(card.lesson, card.text)
            where = f"groundup show {card.lesson.section_id}"
            print(f"\n{paint(found.title, SOFT)}\n{wrapped(found.text)}\n" if found else f"\nread it again: {where}\n")


def _final(workspace: Workspace, asked: Asked, now: datetime) -> int:
    """The last test of the track, a piece at a time. 1 where the piece at hand does not pass."""
    track = workspace.track
    with workspace.store(readonly=True) as store:
        events = store.events()
    met, lapsed = last.met_at(track.name, events), last.has_lapsed(track.name, events, now)
    if met is not None:
        if asked.json:
            print(json.dumps({"schema": 1, "track": track.name, "met": True, "passed": None, "of": None, "task": None}))
        else:
            print(f"The last test of {track.title} is passed.")
        return 0
    reply, task, final = last.go_on(workspace, track, now)
    failed = reply is not None and not reply["verdict"]["passed"]
    count, of = len(final.passed), len(final.pieces)
    if asked.json:
        out = {"track": track.name, "met": task is None, "passed": count, "of": of}
        out |= {"task": _task_object(task) if task else None, "verdict": reply["verdict"] if reply else None}
        print(json.dumps({"schema": 1, **out}, allow_nan=False))
    elif failed and reply is not None:
        again = "groundup recall --final"
        print(verdict_text(reply["verdict"], reply["title"], source=reply.get("source", ""), again=again))
    elif task is None:
        print(f"{paint('●', PASS)} {of} of {of}: the last test of {track.title} is passed.")
    else:
        if lapsed:
            print(f"The {last.DAYS} days of the test before are over: this is another one.")
        until = said(final.until(now).date(), now.date())
        print(f"{count} of {of}, until {until}. {task.says} Then: groundup recall --final")
    return int(failed)


def _desk_object(desk: reviews.Desk, everything: bool) -> dict[str, Any]:
    return {
        "schema": 1,
        "today": [card_object(card, desk) for card in desk.today],
        "due": desk.due,
        "minutes_done": desk.done,
        "next_day": desk.next_day.isoformat() if desk.next_day else None,
        **({"cards": [card_object(card, desk) for card in desk.cards]} if everything else {}),
    }


def card_object(card: Card, desk: reviews.Desk) -> dict[str, Any]:
    """A card as JSON has it (docs/journey.md)."""
    task = desk.task(card)
    return {
        "card": card.name,
        "kind": card.kind,
        "lesson": card.lesson.section_id,
        "text": card.text,
        "minutes": card.minutes,
        "due": desk.schedule.due(card, desk.now).isoformat(),
        "times": desk.schedule.times(card),
        "retained": round(desk.schedule.retained(card, desk.now), 4),
        "task": _task_object(task) if task is not None else None,
    }


def _task_object(task: Task) -> dict[str, Any]:
    return {
        "path": task.path,
        "part": task.part if task.kind == "rebuild" else None,
        "own": task.own,
        "says": task.says,
    }
