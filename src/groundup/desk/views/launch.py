"""Recipes, and starting one: its values as a form, refused or begun just as `groundup run` does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ...lab import recipe as recipes
from ...lab.formats import Row
from ...lab.record import Records
from ...lab.sqlite import StoreError
from ..laboratory import run_words as words
from ..laboratory.described import Value
from ..laboratory.laboratory import Laboratory, laboratory
from ..paging import Refused, body_of, render
from ..place import Place

PATIENCE = 25.0  # seconds to wait until a run is recorded: one that imports torch takes a few
SWITCHES = ("seed", "dry")  # values that the form has a place of its own for


@dataclass(frozen=True)
class Field:
    """A value in the form: own: as the recipe has it; given: as it is filled in."""

    value: Value
    own: str
    given: str


async def index(request: Request) -> Response:
    """Every recipe."""
    place, here = request.app.state.place, laboratory(request)
    counts: dict[str, int] = {}
    for row in await place.work(here.read, Records.runs):
        counts[row.recipe] = counts.get(row.recipe, 0) + 1
    if not here.recipes.now():  # one of them is going to be looked at
        place.later(_read(place, here))
    every = [recipes.load(name) for name in recipes.names()]
    return render(request, "recipes.html", recipes=every, counts=counts)


async def _read(place: Place, here: Laboratory) -> None:
    await place.work(here.recipes.all)


async def page(request: Request) -> Response:
    """One recipe, and the form to start it; filled in as an earlier run was, with ?from=12."""
    recipe, earlier, described = await _asked(request, wait=False)
    return render(request, "recipe.html", recipe=recipe, earlier=earlier, described=described, words=words,
                  **_fields(recipe, described, earlier))  # fmt: skip


async def form(request: Request) -> Response:
    """The values of a recipe as a fragment, as soon as its experiment has been read."""
    recipe, earlier, described = await _asked(request, wait=True)
    return render(request, "_recipe_form.html", recipe=recipe, earlier=earlier, described=described, words=words,
                  **_fields(recipe, described, earlier))  # fmt: skip


async def start(request: Request) -> Response:
    """Starts a recipe with the values in the body, {"values": {name: text}, "seed": text, "mine": bool, "dry": bool}."""
    place, here = request.app.state.place, laboratory(request)
    body = await body_of(request)
    values, seed = body.get("values", {}), str(body.get("seed", "")).strip()
    if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
        raise Refused(400, "values are texts by their names")
    if seed and not (seed.isdecimal() and len(seed) < 10):
        raise Refused(400, f"a seed is a whole number from 0, and {seed[:20]!r} is none")
    given = (
        request.path_params["name"],
        values,
        int(seed) if seed else None,
        bool(body.get("mine")),
        bool(body.get("dry")),
    )
    launch = await place.work(here.launches.start, *given)
    run = await place.work(here.launches.recorded, launch, PATIENCE)
    return JSONResponse({"run": run, "url": f"/runs/{run}" if run else "/runs"}, 201 if run else 202)


async def _asked(request: Request, wait: bool) -> tuple[recipes.Recipe, Row | None, Any]:
    place, here = request.app.state.place, laboratory(request)
    name = request.path_params["name"]
    if name not in recipes.names():
        raise Refused(404, f"there is no recipe {name[:80]!r}: /recipes has all of them")
    earlier = None
    if request.query_params.get("from"):
        try:
            earlier = await place.work(here.read, lambda kept: kept.find(request.query_params["from"]))
        except StoreError:
            earlier = None
    if earlier is not None and earlier.recipe != name:
        earlier = None
    known = await place.work(here.recipes.all) if wait else here.recipes.now()
    return recipes.load(name), earlier, known.get(name)


def _fields(recipe: recipes.Recipe, described: Any, earlier: Row | None) -> dict[str, Any]:
    """The form's fields: first what the recipe sets itself or the earlier run had otherwise, then the rest."""
    if described is None:
        return {"first": [], "rest": [], "seed": "", "dry": False}
    # data: the text of one's own that some recipes take
    chosen = {"data", *(name for name, _ in recipes.flat(recipe.values))}
    first: list[Field] = []
    rest: list[Field] = []
    for value in described.values:
        if value.name in SWITCHES:
            continue
        own = words.setting(value.value)
        had = earlier is not None and value.name in earlier.config
        given = words.setting(earlier.config[value.name]) if earlier is not None and had else own
        (first if value.name in chosen or given != own else rest).append(Field(value, own, given))
    if not first:
        first, rest = rest, []
    seed = str(earlier.seed) if earlier is not None else str((described.config or {}).get("seed", ""))
    return {"first": first, "rest": rest, "seed": seed, "dry": any(value.name == "dry" for value in described.values)}


routes = [
    Route("/recipes", index),
    Route("/recipes/{name}", page),
    Route("/recipes/{name}/form", form),
    Route("/recipes/{name}", start, methods=["POST"]),
]
