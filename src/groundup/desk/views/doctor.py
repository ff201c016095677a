"""This machine: what works on it, and the one command that mends what does not."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ...course.workspace.doctor import findings
from ..paging import render
from ..place import Place


async def page(request: Request) -> Response:
    """The page; what was found comes a little later, for PyTorch is asked in a process of its own."""
    return render(request, "doctor.html")


async def found(request: Request) -> Response:
    """What was found, as a fragment."""
    place: Place = request.app.state.place
    return render(request, "_findings.html", findings=await place.work(findings))


routes = [Route("/doctor", page), Route("/doctor/found", found)]
