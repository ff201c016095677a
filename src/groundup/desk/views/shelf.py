"""The shelf: what to read and watch, one thing closely, and the log of what it said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ...course import courses
from ...course.lessons.lesson import find_all
from ...course.plan.days import here
from ...course.shelf import reading_log
from ...course.shelf.bibtex import bibtex
from ...course.shelf.shelf import (
    FIRST_PAPERS,
    IMPORTANCE,
    KINDS,
    PHASES,
    TITLES,
    Asked,
    ShelfError,
    chosen,
    find,
    held_back,
    kind_of,
    rhythm,
    three_passes,
)
from ...course.shelf.standing import phase_at, unread_before
from ...course.workspace.workspace import WorkspaceError
from ..paging import Refused, body_of, render
from ..place import Place

LONGEST = 20_000  # characters that a form may send


def asked_by(query: Mapping[str, str], phase: int | None) -> Asked:
    """What an address asks for; phase: the one at hand, for an address that asks for nothing. Refused for what cannot be."""
    kind, importance, lesson = (query.get(name, "") for name in ("kind", "importance", "lesson"))
    given = query.get("phase", "")
    if given and not (given.isascii() and given.isdecimal() and len(given) < 3):
        raise Refused(400, "a phase is a number from 1 to 14")
    if importance and importance not in IMPORTANCE:
        raise Refused(400, f"importance is one of {', '.join(IMPORTANCE)}")
    try:
        return Asked(
            (kind_of(kind),) if kind else (),
            int(given) if given else None if query else phase,
            lesson.strip(),
            (importance,) if importance else (),
            bool(query.get("all")),
        )
    except ShelfError as problem:
        raise Refused(400, str(problem)) from None


def values_of(place: Place, query: Mapping[str, str]) -> dict[str, Any]:
    """What the page shows."""
    workspace = place.workspace
    phase = phase_at(workspace)
    asked, read = asked_by(query, phase), reading_log.keys_read(workspace)
    items = chosen(asked)
    musts = [item for item in items if item.importance == "must"]
    return {
        "asked": asked,
        "groups": [(kind, [item for item in items if item.kind == kind]) for kind in KINDS],
        "count": len(items),
        "read": read,
        "musts": len(musts),
        "musts_read": sum(item.key in read for item in musts),
        "held": held_back(asked),
        "behind": unread_before(phase, read) if not query else [],
        "rhythm": rhythm(asked.phase) if asked.phase is not None else "",
        "kinds": KINDS,
        "importances": IMPORTANCE,
        "phases": PHASES,
        "titles": TITLES,
        "first_papers": FIRST_PAPERS,
        "here": lessons_here(),
    }


def lessons_here() -> frozenset[str]:
    """The lessons that the shelf may link to: its numbers are groundup's, and a pack's 1.1 is another lesson."""
    if courses.current() is not None:
        return frozenset()
    return frozenset(lesson.section_id for lesson in find_all())


async def page(request: Request) -> Response:
    """What is asked for: /shelf?phase=7&kind=papers&importance=must&lesson=7.2&all=1."""
    place = request.app.state.place
    return render(request, "shelf.html", **await place.work(values_of, place, dict(request.query_params)))


async def references(request: Request) -> Response:
    """The same as BibTeX."""
    items = chosen(asked_by(dict(request.query_params), None))
    named = {"content-disposition": 'attachment; filename="groundup.bib"'}
    return Response(bibtex(items), media_type="application/x-bibtex; charset=utf-8", headers=named)


async def one(request: Request) -> Response:
    """One thing closely, with its note."""
    place = request.app.state.place
    try:
        item = find(request.path_params["key"])
    except ShelfError as problem:
        raise Refused(404, str(problem)) from None
    note = await place.work(reading_log.note_of, place.workspace, item.key)
    read = await place.work(reading_log.keys_read, place.workspace)
    passes = list(zip(reading_log.PASSES, three_passes(item), note.passes))
    where = note.path.relative_to(place.root) if note.path.exists() else None
    return render(
        request, "shelf_item.html", item=item, note=note, where=where, passes=passes, is_read=item.key in read,
        titles=TITLES, here=lessons_here(), reference=bibtex([item]),
    )  # fmt: skip


async def said(request: Request) -> Response:
    """An entry in the log, {"says": "..."}; or the note made, to tick the passes off by hand, {"begin": true}."""
    place, body = request.app.state.place, await body_of(request)
    try:
        item = find(request.path_params["key"])
    except ShelfError as problem:
        raise Refused(404, str(problem)) from None
    says = body.get("says")
    if not body.get("begin") and not (isinstance(says, str) and len(says) <= LONGEST):
        raise Refused(400, "says is a text")
    try:
        if body.get("begin"):
            await place.work(reading_log.begin, place.workspace, item)
        else:
            await place.work(reading_log.add, place.workspace, item, says, here())
    except (ShelfError, WorkspaceError) as problem:
        raise Refused(400, str(problem)) from None
    return JSONResponse({})


routes = [
    Route("/shelf", page),
    Route("/shelf/groundup.bib", references),
    Route("/shelf/{key}", one),
    Route("/shelf/{key}", said, methods=["POST"]),
]
