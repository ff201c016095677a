"""The portfolio: what a site of this workspace would hold, a button that builds it, and where it lies."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ...course.plan.days import here, said
from ..laboratory import run_words as words
from ..paging import render
from ..place import Place
from ..portfolio import building
from ..portfolio.choices import NAME, read_choices
from ..portfolio.gathering import gather


def _held(place: Place) -> dict[str, Any]:
    """What would be in it now; nothing is written."""
    workspace, now = place.workspace, here()
    zone = now.tzinfo
    assert zone is not None
    folder = building.folder_of(workspace, None)
    index = folder / "index.html"
    return {
        "said": lambda day: said(day, now.date()),
        "it": gather(workspace, read_choices(workspace), zone),
        "index": index if index.is_file() else None,
        "choices_path": workspace.root / NAME,
        "words": words,
    }


def _build(place: Place) -> dict[str, Any]:
    """Builds it as `groundup portfolio` does."""
    workspace, zone = place.workspace, here().tzinfo
    assert zone is not None
    folder = building.folder_of(workspace, None)
    made = building.make(workspace, building.Asked(), zone)
    written = building.write(workspace, folder, made.files)
    return {"made": made, "written": written, "index": folder / "index.html"}


async def page(request: Request) -> Response:
    """What would be in it."""
    place = request.app.state.place
    return render(request, "portfolio.html", **await place.work(_held, place))


async def build(request: Request) -> Response:
    """Builds the site; what became of it, as a fragment."""
    place = request.app.state.place
    return render(request, "_portfolio_built.html", **await place.work(_build, place))


routes = [Route("/portfolio", page), Route("/portfolio/build", build, methods=["POST"])]
