"""What the recipes promise, and whether it was kept."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..laboratory import run_words as words
from ..laboratory.laboratory import laboratory
from ..laboratory.promises import promises
from ..paging import render


async def page(request: Request) -> Response:
    """Every claim; the table comes a little later where the recipes have to be read first, which takes seconds once."""
    place, here = request.app.state.place, laboratory(request)
    described = here.recipes.now()
    found = await place.work(here.read, promises, described) if described else None
    return render(request, "claims.html", promises=found, words=words)


async def table(request: Request) -> Response:
    """The table alone, as a fragment."""
    place, here = request.app.state.place, laboratory(request)
    described = await place.work(here.recipes.all)
    return render(request, "_claims_table.html", promises=await place.work(here.read, promises, described), words=words)


routes = [Route("/claims", page), Route("/claims/table", table)]
