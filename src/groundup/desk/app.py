"""The desk as an ASGI application: all routes, and what went wrong said in a sentence. guard.py stands before it."""

from __future__ import annotations

import contextlib
import importlib
import pkgutil
from collections.abc import AsyncIterator
from typing import Any

import anyio
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from ..course.packs import names_pack
from ..errors import NotUsable
from . import assets, views
from .paging import Refused, told
from .place import Place


def make_app(place: Place) -> Starlette:
    """The application over a place."""
    app = Starlette(
        routes=all_routes(),
        exception_handlers={
            Refused: _refused,
            HTTPException: _http,
            NotUsable: _not_usable,
            Exception: _unexpected,
        },
        lifespan=_lifespan,
        middleware=[Middleware(CourseAtHand, place=place)],
    )
    app.state.place = place
    for module in _modules():
        if hasattr(module, "sources"):
            module.sources(place)
    return app


class CourseAtHand:
    """Before each page of a course by others: it is the course as it now is, or, where that is not trusted, the page says so."""

    def __init__(self, app: ASGIApp, place: Place) -> None:
        self._app, self._place = app, place

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer: ASGIApp = self._app
        if scope["type"] == "http" and names_pack(self._place.root) and not scope["path"].startswith("/static/"):
            try:
                await self._place.work(lambda: self._place.workspace)
            except NotUsable as problem:
                answer = await _not_usable(Request(scope, receive), problem)
        await answer(scope, receive, send)


def all_routes() -> list[BaseRoute]:
    """The routes of every view."""
    return [*assets.routes, *(route for module in _modules() for route in getattr(module, "routes", []))]


def _modules() -> list[Any]:
    names = sorted(found.name for found in pkgutil.iter_modules(views.__path__))
    return [importlib.import_module(f"{views.__name__}.{name}") for name in names]


@contextlib.asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    from .workbench.watching import watch_files

    place = app.state.place
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(watch_files, place)
        tasks.start_soon(place.warm)
        try:
            yield
        finally:
            place.close()
            tasks.cancel_scope.cancel()


async def _refused(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, Refused)
    return told(request, problem.status, problem.says, **problem.more)


async def _http(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, HTTPException)
    says = {404: "there is no such page: the map is at /", 405: "this page cannot be asked in that way"}
    return told(request, problem.status_code, says.get(problem.status_code, str(problem.detail)))


async def _not_usable(request: Request, problem: Exception) -> Response:
    return told(request, 409, str(problem))


async def _unexpected(request: Request, problem: Exception) -> Response:
    """A defect: Starlette raises it again for the terminal, after this has been sent."""
    return told(request, 500, f"the desk made a mistake ({type(problem).__name__}); the terminal shows where")
