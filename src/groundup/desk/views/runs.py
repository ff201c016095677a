"""The runs there are: their curves over each other, and the table under them."""

from __future__ import annotations

from collections import Counter
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ...lab.record import Records
from ..laboratory import run_words as words
from ..laboratory.curves import logged
from ..laboratory.laboratory import laboratory, set_up
from ..laboratory.listing import Listing, listing
from ..laboratory.run_stream import attempts, mark
from ..paging import Refused, render
from ..place import Place

MOST = 12  # curves over each other
USUAL = ("loss", "train_loss", "val_loss")


def sources(place: Place) -> None:
    """Runs as topics of the event stream."""
    set_up(place)


async def page(request: Request) -> Response:
    """The curves and the table."""
    return await _listed(request, "runs.html")


async def table(request: Request) -> Response:
    """The table alone, as a fragment."""
    return await _listed(request, "_runs_table.html")


async def curves(request: Request) -> Response:
    """What some runs have logged, as JSON: of a metric; of all of them, which is asked for by `*`; of the one that comes first without."""
    place, here = request.app.state.place, laboratory(request)
    metric = request.query_params.get("metric") or None
    ids = _ids(request) or []
    if len(ids) > MOST:
        raise Refused(400, f"choose at most {MOST} runs to draw")
    return JSONResponse(await place.work(here.read, _curves, ids, metric))


async def _listed(request: Request, template: str) -> Response:
    place, here = request.app.state.place, laboratory(request)
    asked = request.query_params
    chosen = _ids(request)

    def found(kept: Records) -> tuple[Listing, str]:
        sort, whole = asked.get("sort", "-when"), "all" in asked
        return listing(kept, asked.get("recipe", ""), sort, chosen, whole), mark(kept)

    listed, changed = await place.work(here.read, found)
    early = [launch.recipe for launch in here.launches.going() if launch.run is None]
    return render(
        request, template, listing=listed, mark=changed, words=words, early=early, most=MOST, whole="all" in asked
    )


def _ids(request: Request) -> list[int] | None:
    """The runs in the address, None if it says nothing of them."""
    given = request.query_params.getlist("run")
    if not given:
        return None
    return [int(each) for each in dict.fromkeys(given) if each.isdecimal() and len(each) < 16]


def _curves(kept: Records, ids: list[int], metric: str | None) -> dict[str, Any]:
    rows = [row for row in kept.runs() if row.id in ids]
    rows.sort(key=lambda row: ids.index(row.id))
    measured = {row.id: kept.measured(row.id) for row in rows}
    names = Counter(name for each in measured.values() for name in each)
    if metric != "*" and metric not in names:
        metric = _first(names)
    found = []
    for row in rows:
        about = {"id": row.id, "name": row.name, "status": kept.standing(row), "attempts": attempts(kept, row)}
        what = logged(kept, row.id, None if metric == "*" else metric or "")
        found.append({**about, "measured": measured[row.id], **what})
    return {"metric": metric, "measured": list(names), "runs": found}


def _first(names: Counter[str]) -> str | None:
    """The metric that is drawn where none was chosen: one that most of the runs have, the loss if it is among them."""
    return max(
        names, key=lambda name: (names[name], -USUAL.index(name) if name in USUAL else -len(USUAL)), default=None
    )


routes = [
    Route("/runs", page),
    Route("/runs/table", table),
    Route("/runs/curves", curves),
]
