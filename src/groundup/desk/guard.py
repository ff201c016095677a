"""What stands before the desk: only who was let in from the terminal gets in, and only their own page may act.

One wrapper around the whole application, so that no route can be forgotten. A request is refused unless

- its Host is a name of this machine with the port of this desk (a page elsewhere whose name has been pointed at 127.0.0.1 says its
  own name: DNS rebinding). What is asked for is read from the path alone, never from an address put together with Host;
- it carries the cookie of this launch, which is had for a token that works once and comes from the terminal;
- it was made by one of our own pages, or by hand. Browsers say so themselves in Sec-Fetch-Site and Origin. A link on another page may
  lead here (it is a GET, which has no effects, and SameSite=Strict keeps the cookie away), an image or a script of it may not. Another
  server on this machine counts as the same site, whatever its port, so that the cookie goes along: it is refused like any other page;
- where it is to change something: it also has the token that stands in our pages, in a header that no form can send.

All secrets are drawn anew at each launch and kept in memory. The answers, refusals too, carry the headers below.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Sequence
from html import escape
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
READING, CHANGING = ("GET", "HEAD"), ("POST", "PUT", "DELETE")
BODY_CAP = 2 << 20  # bytes
TOKENS_CAP = 16  # that have been given out and not been used
WINDOW = "/.desk/window"  # where `groundup desk` asks for another token; no page does
TOKEN_HEADER, SECRET_HEADER = "x-groundup-token", "x-groundup-secret"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
)
HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"x-frame-options": b"DENY",
}
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>groundup</title>
<style nonce="{nonce}">:root {{ color-scheme: light dark }} body {{ font: 1.125rem/1.6 Charter, Georgia, serif; margin: 4rem auto;
padding: 0 1.5rem; max-width: 34rem }} code {{ font-size: .875em }}</style></head><body><main>
<h1>groundup</h1>
<p>{says}</p>{more}
</main></body></html>
"""
GO_ON = '\n<p>If it is open in this browser already, <a href="">go on</a>.</p>'


class Refusal(Exception):
    """A request that does not get in: the status, and one sentence for whoever sent it."""

    def __init__(self, status: int, says: str, **headers: str) -> None:
        super().__init__(says)
        self.status, self.says, self.headers = status, says, headers


class Guard:
    """An application with the guard before it.

    names: what this machine may be called in Host; port: where it listens; secure: whether that is TLS; token: what our pages hold.
    """

    def __init__(
        self, app: ASGIApp, *, port: int, token: str, names: Sequence[str] = LOOPBACK, secure: bool = False
    ) -> None:
        self._app = app
        self._scheme = "https" if secure else "http"
        self._hosts = {f"{name}:{port}" for name in names}
        if port == (443 if secure else 80):  # which browsers leave out
            self._hosts |= set(names)
        self._cookie_name = f"groundup-{port}"  # a cookie is for all ports of a host: two desks must not share one
        self._cookie = secrets.token_urlsafe(32)
        self._token = token
        self._unused: list[str] = []
        self.secret = secrets.token_urlsafe(32)  # for the file that `groundup desk` reads

    def one_time(self) -> str:
        """A token that lets one browser in, once."""
        self._unused = [*self._unused, secrets.token_urlsafe(32)][-TOKENS_CAP:]
        return self._unused[-1]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": ""})
        else:
            raise ValueError(f"the desk knows no {scope['type']}")

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        nonce = secrets.token_urlsafe(16)
        scope = {**scope, "state": {**scope.get("state", {}), "nonce": nonce}}
        send = _with_headers(send, nonce)
        headers = Headers(scope=scope)
        try:
            answer = self._check(scope, headers)
            reading = None if answer else await _whole_body(headers, receive)
        except Refusal as refusal:
            answer = _page(refusal, headers, nonce)
        if answer is not None:
            await answer(scope, receive, send)
        elif reading is not None:
            await self._app(scope, reading, send)

    def _check(self, scope: Scope, headers: Headers) -> Response | None:
        """Refusal, or the guard's own answer, or None: it may pass."""
        path, method = scope["path"], scope["method"]
        hosts = headers.getlist("host")
        if len(hosts) != 1 or hosts[0].lower() not in self._hosts:
            raise Refusal(400, "This is not the address of the desk: take the one that the terminal shows.")
        if method not in READING + CHANGING:
            raise Refusal(405, f"The desk knows no {method[:20]}.", Allow=", ".join(READING + CHANGING))
        if not path.startswith("/"):  # as in `GET http://elsewhere/ HTTP/1.1`
            raise Refusal(400, "The desk is no proxy.")
        if headers.get("upgrade", "").lower() == "websocket":
            raise Refusal(403, "The desk speaks no WebSocket.")
        if path == WINDOW:
            return self._window(method, headers)
        known = any(_same(given, self._cookie) for given in _cookies(headers, self._cookie_name))
        token = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[-1]
        if token and path == "/" and method == "GET" and (self._redeem(token) or known):
            return self._let_in()
        if not known:
            raise Refusal(401, "Open the desk from the terminal: `groundup desk`.", **{"WWW-Authenticate": "groundup"})
        self._check_sender(method, headers, f"{self._scheme}://{hosts[0].lower()}")
        return None

    def _check_sender(self, method: str, headers: Headers, ours: str) -> None:
        """Refuses what another page has made a browser send.

        Both headers are out of a script's reach. Sec-Fetch-Mode decides nothing: it says how, not by whom. A browser from before
        Sec-Fetch-Site sends Origin with whatever changes something.
        """
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        if method in READING:
            by_link = headers.get("sec-fetch-dest") == "document" and origin is None
            if not (site in (None, "none", "same-origin") and origin in (None, ours)) and not by_link:
                raise Refusal(403, "Another page asked for this: only the desk's own pages may.")
            return
        says_ours = site == "same-origin" or (site is None and origin == ours)
        if not says_ours or origin not in (None, ours):
            raise Refusal(403, "Another page sent this: only the desk's own pages may.")
        if not _same(headers.get(TOKEN_HEADER, ""), self._token):
            raise Refusal(403, "This page is from before the desk was started: load it again.")

    def _redeem(self, given: str) -> bool:
        """Whether this is a token that has not been used; from now on it has."""
        found = [token for token in self._unused if _same(given, token)]
        self._unused = [token for token in self._unused if token not in found]
        return bool(found)

    def _let_in(self) -> Response:
        answer = RedirectResponse("/", status_code=303)
        answer.set_cookie(
            self._cookie_name, self._cookie, path="/", secure=self._scheme == "https", httponly=True, samesite="strict"
        )
        return answer

    def _window(self, method: str, headers: Headers) -> Response:
        """A new token for who can read the file that holds the secret. A browser is never such a one."""
        by_browser = any(name in headers for name in ("origin", "sec-fetch-site", "cookie"))
        if by_browser or method != "POST" or not _same(headers.get(SECRET_HEADER, ""), self.secret):
            raise Refusal(401, "Open the desk from the terminal: `groundup desk`.", **{"WWW-Authenticate": "groundup"})
        return JSONResponse({"token": self.one_time()})


def _same(given: str, secret: str) -> bool:
    return secrets.compare_digest(given.encode(), secret.encode())


def _cookies(headers: Headers, name: str) -> Iterator[str]:
    """Every value under a name: a page on another port may have set a second one."""
    for part in ";".join(headers.getlist("cookie")).split(";"):
        key, _, value = part.strip().partition("=")
        if key == name:
            yield value


async def _whole_body(headers: Headers, receive: Receive) -> Receive | None:
    """Reads the body, so that the application is never asked about one that is too large; None if the sender has gone."""
    too_large = Refusal(413, f"That is more than the desk takes: {BODY_CAP >> 20} MB.")
    declared = headers.get("content-length", "0")
    if not declared.isdigit() or int(declared) > BODY_CAP:
        raise too_large
    body, more = bytearray(), True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > BODY_CAP:
            raise too_large
    read: list[Message] = [{"type": "http.request", "body": bytes(body), "more_body": False}]

    async def again() -> Message:
        return read.pop() if read else await receive()

    return again


def _with_headers(send: Send, nonce: str) -> Send:
    """Adds the headers of every answer. A policy of the application's own stays beside ours: a browser keeps to both."""
    ours = [*HEADERS.items(), (b"content-security-policy", POLICY.format(nonce=nonce).encode())]

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            given = [(name.lower(), value) for name, value in message.get("headers", [])]
            headers = [pair for pair in given if pair[0] not in HEADERS] + ours
            if not any(name == b"cache-control" for name, _ in given):
                headers.append((b"cache-control", b"no-store"))
            if message["status"] == 500:  # after a defect the server ends the connection, and has to say so
                headers.append((b"connection", b"close"))
            message = {**message, "headers": headers}
        await send(message)

    return sending


def _page(refusal: Refusal, headers: Headers, nonce: str) -> Response:
    """A refusal as a page for people, or as JSON for scripts."""
    if "text/html" not in headers.get("accept", ""):
        return JSONResponse({"error": refusal.says}, refusal.status, refusal.headers)
    says = re.sub(r"`([^`]*)`", r"<code>\1</code>", escape(refusal.says))
    followed = headers.get("sec-fetch-site", "none") not in ("none", "same-origin")  # a link: its click has no cookie
    more = GO_ON if refusal.status == 401 and followed else ""
    return HTMLResponse(PAGE.format(nonce=nonce, says=says, more=more), refusal.status, refusal.headers)
