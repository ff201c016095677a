"""A lesson: read on the left, build on the right, the verdict under the code."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ...course.checking import bugs, steps
from ...course.checking.client import judge
from ...course.lessons.page import hints
from ...course.progress.time_spent import minutes_spent
from ..hub import FROM_NOW, Message
from ..paging import Refused, body_of, render
from ..place import Place, lesson_of
from ..verdicts.points import points_html
from ..workbench import history as past
from ..workbench import lesson_files
from ..workbench.text_files import State
from ..workbench.watching import follow_lesson, newest

LESSON = "/lesson/{id:str}"


async def page(request: Request) -> Response:
    """The lesson. Opening it writes nothing: a lesson without files shows the button that does."""
    from ..reading.markup import rendered

    place, lesson = _asked(request)
    values = await place.work(_page_values, place, lesson.section_id)
    prose = await place.work(rendered, lesson)
    return render(request, "lesson.html", lesson=lesson, prose=prose, **values)


def _page_values(place: Place, section_id: str) -> dict[str, Any]:
    lesson, workspace = lesson_of(section_id), place.workspace
    with workspace.store(readonly=True) as store:
        standing = store.standing(section_id)
        spent = minutes_spent(store.events())
    files: list[State] = []
    problem = ""
    try:
        files = lesson_files.states(workspace, lesson)
    except Refused as refused:
        problem = refused.says
    return {
        "standing": standing,
        "files": files,
        "files_json": json.dumps([vars(file) for file in files]),
        "problem": problem,
        "written": any(file.sha for file in files) or bool(problem),
        "spent": spent.get(section_id, 0.0),
        "hints": len(hints(lesson)),
        "bug": bugs.open_bug(workspace, lesson),
        "points": points_html(workspace, lesson),
        "stale": standing.checks > 0 and not lesson_files.is_judged(workspace, lesson),
        "cursor": newest(place),
        "explorables": _explorables(section_id),
    }


def _explorables(section_id: str) -> list[Any]:
    from ..explore import for_lesson

    return list(for_lesson(section_id))


async def open_it(request: Request) -> Response:
    """Writes the lesson's files, or brings them up to the contract."""
    place, lesson = _asked(request)
    await place.work(steps.open_lesson, place.workspace, lesson)
    place.hub.ring(f"lesson:{lesson.section_id}")
    await place.work(judge, place.root, {"do": "ping"})
    return JSONResponse({"opened": lesson.section_id})


async def read_file(request: Request) -> Response:
    """A file as it stands on the disk."""
    place, lesson = _asked(request)
    return _file(await place.work(lesson_files.state, place.workspace, lesson, request.path_params["number"]))


async def write_file(request: Request) -> Response:
    """Saves what was edited here; the verdict, where one is wanted, comes by the stream."""
    place, lesson = _asked(request)
    body, number = await body_of(request), request.path_params["number"]
    text, base = body.get("text"), body.get("base")
    if not isinstance(text, str) or not isinstance(base, str):
        raise Refused(400, "a save has `text`, and `base`: the hash of what it was made from")
    if body.get("keep"):
        await place.work(past.keep, place.workspace, lesson)
    saved = await place.work(lesson_files.save, place.workspace, lesson, number, text, base)
    place.hub.ring(f"lesson:{lesson.section_id}")
    if body.get("judge"):
        place.later(place.check_once(lesson))
    return _file(saved, with_text=False)


def _file(state: State, with_text: bool = True) -> JSONResponse:
    return JSONResponse({"path": state.path, "sha": state.sha, **({"text": state.text} if with_text else {})})


async def check(request: Request) -> Response:
    """Judges the files as they are on the disk: fresh cases, or those of a seed."""
    place, lesson = _asked(request)
    body = await body_of(request)
    seed = body.get("seed")
    if seed is not None and (not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < 1 << 63):
        raise Refused(400, "a seed is a whole number from 0 on")
    reply = await place.check(lesson, seed, 10 if body.get("full") is True else 1)
    if "error" in reply:
        raise Refused(409, str(reply["error"]))
    html = await place.work(points_html, place.workspace, lesson)
    return JSONResponse({"points": html, "passed": reply["verdict"]["passed"], "warning": reply.get("warning", "")})


async def show_points(request: Request) -> Response:
    """The checkpoints with the last verdict on them."""
    place, lesson = _asked(request)
    return JSONResponse({"points": await place.work(points_html, place.workspace, lesson)})


async def hint(request: Request) -> Response:
    """One hint more, recorded."""
    place, lesson = _asked(request)
    given = await place.work(steps.take_hint, place.workspace, lesson)
    return JSONResponse({"number": given.number, "of": given.of, "text": str(given) if not given.text else given.text})


async def solution(request: Request) -> Response:
    """The reference's own source, recorded."""
    place, lesson = _asked(request)
    shown = await place.work(steps.look, place.workspace, lesson)
    return JSONResponse({"files": [{"path": path, "text": text} for path, text in shown.items()]})


async def bug(request: Request) -> Response:
    """Hands out a bug to find, or judges what has become of the one that is out."""
    place, lesson = _asked(request)
    return JSONResponse(await place.work(_bug, place, lesson.section_id))


def _bug(place: Place, section_id: str) -> dict[str, Any]:
    from ..verdicts.verdict import points

    lesson, workspace = lesson_of(section_id), place.workspace
    out = bugs.open_bug(workspace, lesson)
    if out is None:
        path = bugs.hand_out(workspace, lesson).path
        return {
            "says": f"{path} in your workspace has one mistake in it. Find it, mend it there, then ask again.",
            "found": False,
        }
    reply = bugs.judge_bug(workspace, lesson, out)
    if reply["verdict"]["passed"]:
        return {"says": f"Found and mended. It was: {out.fault}.", "found": True}
    from ...course.lessons.probes import demands

    return {
        "says": f"{out.path} still has its mistake.",
        "found": False,
        "points": str(points(lesson, demands(lesson), reply, stale=False)),
    }


async def reset(request: Request) -> Response:
    """Starts the files again; the old ones are kept. With {"undo": true} the last reset is taken back."""
    place, lesson = _asked(request)
    undo = (await body_of(request)).get("undo") is True
    if undo:
        paths = await place.work(steps.undo_reset, place.workspace, lesson)
    else:
        _, paths = await place.work(steps.reset, place.workspace, lesson)
    place.hub.ring(f"lesson:{lesson.section_id}")
    return JSONResponse({"files": paths})


async def history(request: Request) -> Response:
    """The states that a file has been in."""
    place, lesson = _asked(request)
    number = _number(request, lesson)
    found = await place.work(past.versions, place.workspace, lesson, number)
    return JSONResponse({"versions": [vars(version) for version in found]})


async def version(request: Request) -> Response:
    """The text of one of them."""
    place, lesson = _asked(request)
    number, event = _number(request, lesson), request.path_params["event"]
    return JSONResponse({"text": await place.work(past.text_of, place.workspace, lesson, number, event)})


async def figure(request: Request) -> Response:
    """A figure, drawn now if it has not been yet."""
    from ..reading.figures import draw_figure

    place, lesson = _asked(request)
    name = request.path_params["name"]
    if name not in dict(lesson.figures):
        raise Refused(404, f"{lesson.section_id} has no figure {name}")
    svg = await place.work(draw_figure, lesson, name)
    return Response(svg, media_type="image/svg+xml")


def _number(request: Request, lesson: Any) -> int:
    number = int(request.path_params["number"])
    if number >= len(lesson.builds):
        raise Refused(404, f"{lesson.section_id} has files 0 to {len(lesson.builds) - 1}")
    return number


def _asked(request: Request) -> tuple[Place, Any]:
    return request.app.state.place, lesson_of(request.path_params["id"])


def sources(place: Place) -> None:
    """What the stream tells of a lesson."""

    async def nothing() -> Any:
        return
        yield Message(FROM_NOW, "", None)

    def follow(section_id: str, after: int) -> Any:
        try:
            lesson_of(section_id)
        except Refused:
            return nothing()
        return follow_lesson(place, section_id, after)

    place.hub.source("lesson", follow)


routes = [
    Route(LESSON, page),
    Route(LESSON + "/open", open_it, methods=["POST"]),
    Route(LESSON + "/file/{number:int}", read_file),
    Route(LESSON + "/file/{number:int}", write_file, methods=["PUT"]),
    Route(LESSON + "/file/{number:int}/history", history),
    Route(LESSON + "/file/{number:int}/history/{event:int}", version),
    Route(LESSON + "/check", check, methods=["POST"]),
    Route(LESSON + "/points", show_points),
    Route(LESSON + "/hint", hint, methods=["POST"]),
    Route(LESSON + "/solution", solution, methods=["POST"]),
    Route(LESSON + "/bug", bug, methods=["POST"]),
    Route(LESSON + "/reset", reset, methods=["POST"]),
    Route(LESSON + "/figure/{name:str}.svg", figure),
]
