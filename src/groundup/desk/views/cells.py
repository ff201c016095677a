"""Cells of a lesson: run one, stop it, start again. What comes of a cell is streamed as lines of JSON."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import anyio
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from ..cells.kernel import Busy, Run
from ..cells.kernels import kernels_of
from ..paging import Refused, body_of
from ..place import Place, lesson_of

LESSON = "/lesson/{id:str}"
CODE = 64 << 10  # characters of a cell
BUSY = "a cell of this lesson is still running: stop it, or wait for its end"


async def run(request: Request) -> Response:
    """Runs a cell, as the lesson has it or as the learner has changed it."""
    place: Place = request.app.state.place
    lesson, cell = lesson_of(request.path_params["id"]), request.path_params["cell"]
    if cell >= len(lesson.blocks):
        raise Refused(404, f"{lesson.section_id} has no cell {cell}")
    code = (await body_of(request)).get("code")
    if not isinstance(code, str):
        raise Refused(400, "a cell is sent as its `code`, a text")
    if len(code) > CODE or "\0" in code:
        raise Refused(413, f"a cell is text of at most {CODE >> 10} KiB")
    try:
        started = await place.work(kernels_of(place).run, lesson.section_id, code, cell)
    except Busy:
        raise Refused(409, BUSY) from None
    return Outputs(place, started)


class Outputs(StreamingResponse):
    """What comes of a run, and its end when nobody listens any more."""

    def __init__(self, place: Place, started: Run) -> None:
        self._place, self._run = place, started
        super().__init__(self._lines(), media_type="application/x-ndjson")

    async def _lines(self) -> AsyncIterator[str]:
        """An output a line; an empty line where nothing comes, for only who sends finds out that nobody listens."""
        while not self._run.over:
            outputs = await self._place.work(self._run.some)
            yield "".join(json.dumps(output) + "\n" for output in outputs) or "\n"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            with anyio.CancelScope(shield=True):
                await self._place.work(self._run.close)


async def stop(request: Request) -> Response:
    """Stops the cell that runs."""
    place: Place = request.app.state.place
    lesson = lesson_of(request.path_params["id"])
    return JSONResponse({"stopped": await place.work(kernels_of(place).stop, lesson.section_id)})


async def restart(request: Request) -> Response:
    """Forgets every name that the lesson's cells have made."""
    place: Place = request.app.state.place
    lesson = lesson_of(request.path_params["id"])
    await place.work(kernels_of(place).restart, lesson.section_id)
    return JSONResponse({"restarted": lesson.section_id})


routes = [
    Route(LESSON + "/cell/{cell:int}", run, methods=["POST"]),
    Route(LESSON + "/kernel", stop, methods=["DELETE"]),
    Route(LESSON + "/kernel/restart", restart, methods=["POST"]),
]
