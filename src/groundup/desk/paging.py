"""How a page is made: a template, the values of every page, and what went wrong said in one sentence."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from ..course.showing.durations import minutes_said
from .assets import asset


class Refused(Exception):
    """A request that cannot be met: the status, and one sentence that says what to do."""

    def __init__(self, status: int, says: str, **more: Any) -> None:
        super().__init__(says)
        self.status, self.says, self.more = status, says, more


@lru_cache(maxsize=1)
def environment() -> jinja2.Environment:
    """The templates, everything in them escaped."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("groundup.desk", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["asset"] = asset
    made.filters["duration"] = minutes_said
    return made


def render(request: Request, template: str, status: int = 200, /, **values: Any) -> HTMLResponse:
    """A template as a response. Beside `values` it knows place, token, nonce, path and asset."""
    return HTMLResponse(fragment(request, template, **values), status)


def fragment(request: Request, template: str, /, **values: Any) -> str:
    """A template as text."""
    place = request.app.state.place
    known = {
        "place": place,
        "token": place.token,
        "nonce": request.scope.get("state", {}).get("nonce", ""),
        "path": request.scope["path"],
    }
    return environment().get_template(template).render({**known, **values})


def wants_json(request: Request) -> bool:
    """Whether a script asked, which reads JSON, and not a person."""
    return "x-groundup-token" in request.headers or "application/json" in request.headers.get("accept", "")


def told(request: Request, status: int, says: str, **more: Any) -> Response:
    """What went wrong, to whoever asked."""
    if wants_json(request):
        return JSONResponse({"error": says, **more}, status)
    return render(request, "error.html", status, says=says, number=status)


async def body_of(request: Request) -> dict[str, Any]:
    """The JSON object in a request's body, {} where there is none. Refused if it is something else."""
    raw = await request.body()
    try:
        found = json.loads(raw) if raw else {}
    except (ValueError, RecursionError):  # the second: brackets within brackets, without an end
        found = None
    if not isinstance(found, dict):
        raise Refused(400, "the body of a request is one JSON object")
    return found
