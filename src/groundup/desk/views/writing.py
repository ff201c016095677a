"""Files that are written in the page beside a lesson's own: an entry of the log, what recall has handed out, what stands in the arena.

A file is named by what it belongs to, never by a path: ?entry=2026-11-27-1.3, ?card=1.3/rebuild, ?bout=1.3&number=0.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ...course.log.entries import read_entry, read_log
from ...course.log.writing import keep_ratings
from ...course.recall import arena
from ...course.recall.code import open_task
from ...course.workspace.workspace import Workspace
from ..paging import Refused, body_of
from ..place import Place, lesson_of
from ..workbench.text_files import State, state_of, write_over


@dataclass(frozen=True)
class Named:
    """Which file is meant."""

    entry: str
    card: str
    bout: str
    number: str


def file_of(workspace: Workspace, named: Named) -> Path:
    """Where it is. Refused where nothing of that name is open."""
    if named.entry:
        found = next((entry.path for entry in read_log(workspace) if entry.name == named.entry), None)
        if found is None:
            raise Refused(404, f"the log has no entry {named.entry!r}: the list is at /notes")
        return found
    with workspace.store(readonly=True) as store:
        events = store.events()
    if named.card:
        task = open_task(events, named.card)
        if task is None:
            raise Refused(404, f"nothing of {named.card!r} is handed out: the cards are at /recall")
        return workspace.root / task.path
    lesson = lesson_of(named.bout)
    with workspace.store(readonly=True) as store:
        bout = arena.bout_of(lesson, store.standing(lesson.section_id), events, 0.0)
    paths = list(arena.paths_of(lesson).values())
    if not bout.begun or not named.number.isdecimal() or int(named.number) >= len(paths):
        raise Refused(404, f"no clock runs on {named.bout} in the arena: the lessons are at /recall")
    return workspace.root / paths[int(named.number)]


def read(workspace: Workspace, path: Path) -> State:
    """It as it stands on the disk."""
    said = path.relative_to(workspace.root).as_posix()
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        data = None
    except OSError as problem:
        raise Refused(409, f"{said} cannot be read ({problem.strerror}): put it right in your own editor") from None
    return state_of(said, data, said)


def save(workspace: Workspace, path: Path, text: str, base: str) -> State:
    """Writes it; what an entry says of its writer is recorded, as when it was written in another editor."""
    here = read(workspace, path)
    saved = write_over(path, here, here.path, text, base)
    if path.suffix == ".md":
        with workspace.store() as store:
            keep_ratings(store, workspace.root, [read_entry(path)])
    return saved


async def show(request: Request) -> Response:
    """The text, and the hash that a save is made from."""
    place: Place = request.app.state.place
    named = _named(request)

    def found() -> State:
        workspace = place.workspace
        return read(workspace, file_of(workspace, named))

    return JSONResponse(vars(await place.work(found)))


async def write(request: Request) -> Response:
    """Saves what was written in the page."""
    place: Place = request.app.state.place
    named, body = _named(request), await body_of(request)
    text, base = body.get("text"), body.get("base")
    if not isinstance(text, str) or not isinstance(base, str):
        raise Refused(400, "a save has `text`, and `base`: the hash of what it was made from")

    def saved() -> State:
        workspace = place.workspace
        return save(workspace, file_of(workspace, named), text, base)

    made = await place.work(saved)
    return JSONResponse({"path": made.path, "sha": made.sha})


def _named(request: Request) -> Named:
    entry, card, bout, number = (request.query_params.get(name, "") for name in ("entry", "card", "bout", "number"))
    if not (entry or card or bout):
        raise Refused(400, "a file is asked for by entry, card, or bout and number")
    return Named(entry, card, bout, number)


routes = [
    Route("/writing", show),
    Route("/writing", write, methods=["PUT"]),
]
