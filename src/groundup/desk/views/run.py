"""One run: its curves as they come, what it was set to, what it ran on, what it gave, and what can be done with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from ...lab.formats import Attempt, Row
from ...lab.recipe import Recipe, RecipeError, flat, held_by, load
from ...lab.record import UNFINISHED, Records
from ..laboratory import artifacts
from ..laboratory import run_words as words
from ..laboratory.artifacts import Artifact
from ..laboratory.described import Described
from ..laboratory.laboratory import laboratory, run_of
from ..paging import Refused, body_of, render

PATIENCE = 20.0  # seconds to wait until a run goes on


@dataclass(frozen=True)
class Told:
    """All that the page tells of a run."""

    row: Row
    standing: str
    recipe: Recipe | None
    attempts: list[Attempt]
    measured: list[str]
    files: list[Artifact]
    texts: dict[str, str]  # by the hash of a file
    here: bool  # its process is on this machine

    @property
    def can_go_on(self) -> bool:
        return self.standing in UNFINISHED


async def page(request: Request) -> Response:
    """The page of a run."""
    place, here = request.app.state.place, laboratory(request)
    told = await place.work(here.read, lambda kept: _told(kept, run_of(request, kept)))
    tail = await place.work(here.launches.tail, told.row.id)
    described = here.recipes.now().get(told.row.recipe)
    return render(request, "run.html", told=told, row=told.row, claims=held_by(told.row), tail=tail, words=words,
                  described=described, settings=_settings(told.row, told.recipe, described), command=_command(told.row, described))  # fmt: skip


async def configuration(request: Request) -> Response:
    """What the run was set to, as a fragment: what is not the recipe's own is marked. It may wait for the recipes to be read."""
    place, here = request.app.state.place, laboratory(request)
    row = await place.work(here.read, lambda kept: run_of(request, kept))
    described = (await place.work(here.recipes.all)).get(row.recipe)
    settings, command = _settings(row, _recipe(row), described), _command(row, described)
    return render(request, "_run_config.html", row=row, described=described, settings=settings, command=command)


async def output(request: Request) -> Response:
    """The end of what the run has printed, as a fragment."""
    place, here = request.app.state.place, laboratory(request)
    row = await place.work(here.read, lambda kept: run_of(request, kept))
    return render(request, "_run_output.html", tail=await place.work(here.launches.tail, row.id))


async def summary(request: Request) -> Response:
    """How the run stands, what it gave and what can be done with it, as a fragment."""
    place, here = request.app.state.place, laboratory(request)
    told = await place.work(here.read, lambda kept: _told(kept, run_of(request, kept)))
    described = here.recipes.now().get(told.row.recipe)
    claims = held_by(told.row)
    return render(
        request, "_run_summary.html", told=told, row=told.row, claims=claims, words=words, described=described
    )


async def files(request: Request) -> Response:
    """The files that the run has kept, as a fragment."""
    place, here = request.app.state.place, laboratory(request)
    told = await place.work(here.read, lambda kept: _told(kept, run_of(request, kept)))
    return render(request, "_run_files.html", told=told, row=told.row, words=words)


async def artifact(request: Request) -> Response:
    """A file that the run has kept, by its hash."""
    place, here = request.app.state.place, laboratory(request)
    sha = request.path_params["sha"]
    found: Response = await place.work(here.read, lambda kept: artifacts.response(kept, run_of(request, kept), sha))
    return found


async def stop(request: Request) -> Response:
    """Interrupts the run."""
    place, here = request.app.state.place, laboratory(request)
    row = await place.work(here.read, lambda kept: run_of(request, kept))
    await place.work(here.launches.stop, row)
    return JSONResponse({"says": f"{row.name} is asked to stop: what it has saved is looked at, then it ends"}, 202)


async def resume(request: Request) -> Response:
    """Makes the run go on."""
    place, here = request.app.state.place, laboratory(request)
    row = await place.work(here.read, lambda kept: run_of(request, kept))
    launch = await place.work(here.launches.resume, row)
    started = await place.work(here.launches.recorded, launch, PATIENCE)
    return JSONResponse({"run": row.id, "going": started is not None}, 202)


async def sample(request: Request) -> Response:
    """Text from the run's model, streamed as lines of JSON."""
    place, here = request.app.state.place, laboratory(request)
    row = await place.work(here.read, lambda kept: run_of(request, kept))
    body = await body_of(request)
    prompt, options = body.get("prompt", ""), body.get("options", {})
    if not isinstance(prompt, str) or not isinstance(options, dict):
        raise Refused(400, "a text needs a prompt, and options by their names")
    lines = here.writer.write(row.id, prompt, {str(name): str(value) for name, value in options.items()})
    return StreamingResponse(lines, media_type="application/x-ndjson")


def _recipe(row: Row) -> Recipe | None:
    """The run's recipe, if it is still there."""
    try:
        return load(row.recipe)
    except RecipeError:
        return None


def _told(kept: Records, row: Row) -> Told:
    files = artifacts.artifacts_of(kept, row)
    texts = {each.sha: artifacts.text_of(kept, row, each) for each in files if each.is_text}
    return Told(
        row, kept.standing(row), _recipe(row), kept.attempts(row.id), kept.measured(row.id),
        files, {sha: text for sha, text in texts.items() if text is not None}, kept.process(row) is not None,
    )  # fmt: skip


@dataclass(frozen=True)
class Setting:
    """A value that a run was set to; own: what the recipe has, where that is another."""

    name: str
    value: str
    own: str | None


@dataclass(frozen=True)
class Settings:
    """All that a run was set to: what is not as in the recipe, then what the recipe says, then what the experiment has by itself."""

    chosen: list[Setting]
    rest: list[Setting]


def _settings(row: Row, recipe: Recipe | None, described: Described | None) -> Settings:
    own: Mapping[str, Any] = (described.config if described else None) or {}
    found = [
        Setting(name, words.number(value), words.number(own[name]) if name in own and own[name] != value else None)
        for name, value in row.config.items()
    ]
    said = {"seed", *(name for name, _ in flat(recipe.values))} if recipe and own else set(row.config)
    other = [each for each in found if each.own is not None]
    chosen = [each for each in found if each.own is None and each.name in said]
    return Settings(other + chosen, [each for each in found if each.own is None and each.name not in said])


def _command(row: Row, described: Described | None) -> str:
    """What to type to have the same run again; "" as long as the recipe's own values are not known."""
    if described is None or described.config is None:
        return ""
    parts = ["groundup", "run", row.recipe]
    for value in described.values:
        if value.name in row.config and row.config[value.name] != described.config[value.name]:
            given = words.setting(row.config[value.name])
            parts += ["--seed", given] if value.name == "seed" else ["--set", words.quoted(f"{value.name}={given}")]
    return " ".join([*parts, *["--mine"] * row.mine])


routes = [
    Route("/runs/{id:int}", page),
    Route("/runs/{id:int}/config", configuration),
    Route("/runs/{id:int}/summary", summary),
    Route("/runs/{id:int}/output", output),
    Route("/runs/{id:int}/files", files),
    Route("/runs/{id:int}/artifact/{sha}", artifact),
    Route("/runs/{id:int}/stop", stop, methods=["POST"]),
    Route("/runs/{id:int}/resume", resume, methods=["POST"]),
    Route("/runs/{id:int}/sample", sample, methods=["POST"]),
]
