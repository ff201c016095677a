"""The event stream of a tab."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from ..hub import MOST
from ..paging import Refused


async def events(request: Request) -> Response:
    """Follows the topics that are asked for, from `since` or, on coming back, from where it broke off."""
    hub = request.app.state.place.hub
    topics = list(dict.fromkeys(request.query_params.getlist("topic")))
    if not topics or len(topics) > MOST or not all(map(hub.knows, topics)):
        raise Refused(400, f"name one to {MOST} topics that there are, such as topic=lesson:1.3")
    since = request.headers.get("last-event-id") or request.query_params.get("since", "")
    return StreamingResponse(
        hub.stream(topics, since), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
    )


routes = [Route("/events", events)]
