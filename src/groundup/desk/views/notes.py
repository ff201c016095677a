"""The log: what was written, a place for one line more, search, and a week to share. The files stay the learner's."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ...course.lessons.lesson import find_all
from ...course.log import looking, writing
from ...course.log.digest import digest
from ...course.log.entries import ANSWERS, ASKED, Entry, read_entry, read_log
from ...course.plan.days import day_of, here, monday_of, said
from ...course.progress.time_spent import minutes_spent
from ..paging import Refused, body_of, render
from ..place import Place, lesson_of
from ..reading.noted import noted
from ..reading.sentences import plain

BOX = re.compile(r"^(\s*[-*+] +)\[([ xX])\] ", re.MULTILINE)  # of a list of things to tick
FOUND_MOST = 200  # lines of a search that are shown


@dataclass(frozen=True)
class Row:
    """An entry in the list."""

    entry: Entry
    day: str
    first: str  # what was written first, in a line


async def page(request: Request) -> Response:
    """The list, the newest first; with ?q= the lines that have these words."""
    place: Place = request.app.state.place
    question = request.query_params.get("q", "").strip()[:200]
    return render(request, "notes.html", **await place.work(_list, place, question))


def _list(place: Place, question: str) -> dict[str, Any]:
    workspace, now = place.workspace, here()
    entries, lessons = read_log(workspace), find_all()
    with workspace.store(readonly=True) as store:
        events, standings = store.events(), store.standings()
    away = looking.days_away(events, now)
    found = looking.search(entries, question)
    return {
        "rows": [Row(entry, _day(entry, now.date()), _first(entry)) for entry in reversed(entries)],
        "question": question,
        "found": found[:FOUND_MOST],
        "more": max(0, len(found) - FOUND_MOST),
        "waiting": looking.waiting(entries, lessons, standings),
        "left": looking.exercises_left(entries, lessons, standings),
        "away": away if away >= looking.BREAK and entries else 0,
        "monday": monday_of(now.date()),
    }


def _day(entry: Entry, today: date) -> str:
    return said(entry.day, today) if entry.day is not None else ""


def _first(entry: Entry) -> str:
    parts = looking.written(entry)
    return plain(parts[0].first_line.lstrip("-*+ "))[:200] if parts else "nothing written yet"


async def entry_page(request: Request) -> Response:
    """One entry, typeset."""
    place: Place = request.app.state.place
    entry = await place.work(_entry, place, request.path_params["name"])
    html = await place.work(_typeset, entry)
    return render(
        request, "note.html", entry=entry, html=html, blank=not looking.written(entry),
        asked=ASKED, answers=list(dict.fromkeys(ANSWERS.values())),
    )  # fmt: skip


def _entry(place: Place, name: str) -> Entry:
    found = next((entry for entry in read_log(place.workspace) if entry.name == name), None)
    if found is None:
        raise Refused(404, f"the log has no entry {name!r}: the list is at /notes")
    return found


def _typeset(entry: Entry) -> Markup:
    """The entry without its first heading, which is the page's."""
    lines = entry.text.splitlines(keepends=True)
    if lines and lines[0].startswith("# "):
        lines = lines[1:]
    return noted(BOX.sub(lambda found: f"{found[1]}{'☐' if found[2] == ' ' else '☑'} ", "".join(lines)))


async def week_page(request: Request) -> Response:
    """A week's digest: typeset, and as text to copy."""
    place: Place = request.app.state.place
    asked = request.query_params.get("of", "")
    try:
        day = date.fromisoformat(asked) if asked else here().date()
        day - timedelta(days=14), day + timedelta(days=14)
    except (ValueError, OverflowError):
        raise Refused(400, "a week is asked for by a day in it, such as /notes/week?of=2026-11-27") from None
    text, first = await place.work(_week, place, day)
    monday = monday_of(day)
    before, after = monday - timedelta(days=7), monday + timedelta(days=7)
    values = {
        "before": before if before >= monday_of(first) else None,
        "after": after if after <= here().date() else None,
    }
    title, _, body = text.partition("\n")
    html = await place.work(noted, body)
    return render(request, "week.html", title=title.removeprefix("# "), html=html, text=text, **values)


def _week(place: Place, day: date) -> tuple[str, date]:
    """The digest of a week, and the first day that anything is known of."""
    workspace, now = place.workspace, here()
    with workspace.store(readonly=True) as store:
        events = store.events()
    entries = read_log(workspace)
    days = [entry.day for entry in entries if entry.day is not None] + [day_of(event.at, now) for event in events[:1]]
    return digest(looking.week_of(day, entries, events, find_all(), now)), min(days, default=now.date())


async def add(request: Request) -> Response:
    """Adds one line, to this day or to an entry."""
    place: Place = request.app.state.place
    body = await body_of(request)
    if not isinstance(body.get("line"), str) or not isinstance(body.get("entry", ""), str):
        raise Refused(400, "a line is sent as `line`, the entry that it belongs to as `entry`")
    return JSONResponse({"entry": await place.work(_add, place, body["line"], body.get("entry", ""))})


def _add(place: Place, line: str, name: str) -> str:
    workspace = place.workspace
    path = writing.add_line(workspace, _entry(place, name) if name else None, line, here())
    entry = read_entry(path)
    with workspace.store() as store:
        writing.record(store, workspace.root, entry, "line")
    return entry.name


async def open_it(request: Request) -> Response:
    """Makes the entry of a lesson, if it has none."""
    place: Place = request.app.state.place
    return JSONResponse({"entry": await place.work(_open, place, request.path_params["lesson"])})


def _open(place: Place, section_id: str) -> str:
    workspace, lesson = place.workspace, lesson_of(section_id)
    with workspace.store() as store:
        standing = store.standing(section_id)
        spent = minutes_spent(store.events()).get(section_id, 0.0)
        facts = writing.facts_of(standing, spent)
        entry, made = writing.open_entry(workspace, read_log(workspace), lesson, facts, here())
        if made:
            writing.record(store, workspace.root, entry, "opened")
    return entry.name


async def rate(request: Request) -> Response:
    """Adds what the learner says of themselves to an entry."""
    place: Place = request.app.state.place
    name, body = request.path_params["name"], await body_of(request)
    answers = {key: value for key, value in body.items() if key in ASKED and value in ANSWERS.values()}
    if not answers or answers != body:
        raise Refused(400, "a rating is explain, rebuild and why, each yes, partly or no")
    await place.work(_rate, place, name, answers)
    return JSONResponse({"entry": name})


def _rate(place: Place, name: str, answers: dict[str, str]) -> None:
    workspace, entry = place.workspace, _entry(place, name)
    writing.rate(entry, answers)
    with workspace.store() as store:
        writing.keep_ratings(store, workspace.root, [read_entry(entry.path)])


routes = [
    Route("/notes", page),
    Route("/notes/week", week_page),
    Route("/notes/line", add, methods=["POST"]),
    Route("/notes/of/{lesson:str}", open_it, methods=["POST"]),
    Route("/notes/entry/{name:str}", entry_page),
    Route("/notes/entry/{name:str}/rating", rate, methods=["POST"]),
]
