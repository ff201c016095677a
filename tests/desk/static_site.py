"""A server with the desk's static files, its policy, and pages of a test's own: for scripts without the desk around them."""

import socket
import threading

import uvicorn
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from groundup.desk import assets
from groundup.desk.guard import POLICY

NONCE = "bm9uY2U"
HEAD = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>a test</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="htmx-config" content='{{"allowEval": false, "includeIndicatorStyles": false}}'>
<link rel="icon" href="data:,"><link rel="stylesheet" href="{fonts}"><link rel="stylesheet" href="{desk}">
<script type="module" src="/test.js"></script>{head}</head><body><main><h1>a test</h1>{body}</main></body></html>"""


class StaticSite:
    """`url` shows what `show(body, script, head)` was last given; `fragment` is what /fragment answers."""

    def __init__(self):
        self._page = self._script = self.fragment = ""
        routes = [
            Route(
                "/", lambda _: HTMLResponse(self._page, headers={"Content-Security-Policy": POLICY.format(nonce=NONCE)})
            ),
            Route("/test.js", lambda _: Response(self._script, media_type="text/javascript")),
            Route("/fragment", lambda _: HTMLResponse(self.fragment)),
        ]
        listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        app = Starlette(routes=[*routes, *assets.routes])
        self._server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [listening]})
        self._thread.start()

    def show(self, page, body, script="", head=""):
        """The page with this body, styled as the desk's, whose only script is this module."""
        links = {"fonts": assets.asset("vendor/fonts/fonts.css"), "desk": assets.asset("desk.css")}
        self._page, self._script = HEAD.format(head=head, body=body, **links), script
        page.goto(self.url)
        return page

    def close(self):
        self._server.should_exit = True
        self._thread.join()
