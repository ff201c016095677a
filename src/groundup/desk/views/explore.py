"""Explorables: the list of them, one on a page, and its picture alone, for the values of the controls."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ...course.lessons.lesson import Lesson, find
from ..explore import find_all
from ..explore.computing import PROFILES, Computing, NotComputed, profile_for
from ..explore.explorable import Drawn, Explorable
from ..paging import Refused, render
from ..place import Place

_computings: WeakKeyDictionary[Place, dict[str, Computing]] = (
    WeakKeyDictionary()
)  # by profile: torch holds up torch alone


@dataclass(frozen=True)
class Shown:
    """What the picture's part of a page shows: a drawing, or why there is none, or neither while torch is being imported."""

    drawn: Drawn | None
    problem: str | None
    mine: bool
    milliseconds: float


def sources(place: Place) -> None:
    """Sets up what computes, to be ended with the desk."""
    _computings[place] = {profile: Computing(place.root) for profile in PROFILES}
    for computing in _computings[place].values():
        place.closers.append(computing.close)


async def index(request: Request) -> Response:
    """Every explorable, by lesson."""
    lessons: dict[str, tuple[Lesson, list[Explorable]]] = {}
    for explorable in find_all().values():
        lessons.setdefault(explorable.lesson, (find(explorable.lesson), []))[1].append(explorable)
    return render(request, "explorables.html", lessons=list(lessons.values()))


async def page(request: Request) -> Response:
    """One explorable with its controls as the query says, and the picture that belongs to them."""
    explorable = await _explorable(request)
    values, wrong = explorable.read(request.query_params)
    computing = _computings[request.app.state.place][profile_for(explorable)]
    absent = computing.built(explorable)
    mine = _mine(request) and not absent
    asked = (request, explorable, values, wrong, mine)
    later = wrong is None and computing.starting(explorable)  # the page does not wait for torch: its script asks again
    shown = Shown(None, None, mine, 0.0) if later else await _shown(*asked)
    response = render(
        request, "explore.html", 400 if wrong else 200,
        explorable=explorable, lesson=find(explorable.lesson), values={**values, **_typed(request, explorable)}, shown=shown, absent=absent,
    )  # fmt: skip
    response.background = BackgroundTask(_shown, *asked) if later else None
    return response


async def picture(request: Request) -> Response:
    """The picture alone, as a fragment."""
    explorable = await _explorable(request)
    values, wrong = explorable.read(request.query_params)
    shown = await _shown(request, explorable, values, wrong, _mine(request))
    return render(request, "_picture.html", 400 if wrong else 200, explorable=explorable, shown=shown)


async def _explorable(request: Request) -> Explorable:
    name = request.path_params["name"]
    if name not in find_all():
        raise Refused(404, "there is no such explorable: all of them are at /explore")
    place: Place = request.app.state.place
    return await place.work(find_all()[name].at, place.root)


def _typed(request: Request, explorable: Explorable) -> dict[str, str]:
    """The texts as they came, to be mended where they are wrong."""
    names = (control.name for control in explorable.controls if control.kind == "text")
    return {name: request.query_params[name] for name in names if name in request.query_params}


def _mine(request: Request) -> bool:
    return request.query_params.get("on") == "mine"


async def _shown(
    request: Request, explorable: Explorable, values: dict[str, Any], wrong: str | None, mine: bool
) -> Shown:
    place: Place = request.app.state.place
    if wrong is not None:
        return Shown(None, wrong, mine, 0.0)
    begun = time.perf_counter()
    try:
        drawn = await place.work(_computings[place][profile_for(explorable)].drawn, explorable, values, mine)
    except NotComputed as problem:
        return Shown(None, str(problem), mine, 0.0)
    return Shown(drawn, None, mine, (time.perf_counter() - begun) * 1000)


routes = [
    Route("/explore", index),
    Route("/explore/{name}", page),
    Route("/explore/{name}/picture", picture),
]
