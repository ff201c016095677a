"""Placement: what one knows already, said by the judge alone, on files that are there."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ...course.checking.placement import ASSESSMENT, Tried, chosen, place
from ...course.lessons.lesson import Lesson
from ...course.progress.store import Standing
from ..paging import Refused, render
from ..place import Place, lesson_of


async def page(request: Request) -> Response:
    """The lessons of the first phases on the track, and which of them have a file of one's own. Looking judges nothing."""
    here: Place = request.app.state.place
    return render(request, "placement.html", **await here.work(_rows, here))


def _rows(here: Place) -> dict[str, Any]:
    workspace = here.workspace
    with workspace.store(readonly=True) as store:
        standings = store.standings()
    rows: list[tuple[Lesson, str]] = []
    for lesson in chosen((), workspace):
        standing = standings.get(lesson.section_id, Standing(""))
        there = "to judge" if workspace.files_of(lesson) else "nothing of yours"
        rows.append((lesson, "known" if standing.passed else there))
    assessment = next((lesson for lesson, _ in rows if lesson.section_id == ASSESSMENT), None)  # a pack may have none
    return {"rows": rows, "assessment": assessment}


async def judge(request: Request) -> Response:
    """Judges one lesson, and records it as placed if it passes; what became of it, as a fragment."""
    here: Place = request.app.state.place
    lesson = lesson_of(request.path_params["lesson"])
    [tried] = await here.work(_judge, here, lesson)
    here.hub.ring("map")
    return render(request, "_placed.html", tried=tried)


def _judge(here: Place, lesson: Lesson) -> list[Tried]:
    workspace = here.workspace
    if lesson.section_id not in {each.section_id for each in chosen((), workspace)}:
        raise Refused(
            409, f"{lesson.section_id} is not among the first lessons of your track: check it on its own page"
        )
    return place(workspace, [lesson])


routes = [Route("/placement", page), Route("/placement/{lesson:str}", judge, methods=["POST"])]
