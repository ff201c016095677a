"""The guard, from outside: a real server, raw requests, and an application that notes whatever has got through to it."""

import asyncio
import contextlib
import http.client
import json
import re
import secrets
import socket
import ssl
import threading
import time

import httpx
import pytest
import uvicorn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from groundup.desk.guard import BODY_CAP, TOKENS_CAP, Guard

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # to read the machine's certificates for each client takes long
TOKEN = secrets.token_urlsafe(32)
POLICY = re.compile(
    r"default-src 'none'; script-src 'self'; style-src 'self' 'nonce-([\w-]{22})'; img-src 'self' data:; font-src 'self'; "
    r"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
)
ALWAYS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-frame-options": "DENY",
}


class Server:
    """The guard before a small application, served in a thread."""

    def __init__(self):
        self.reached: list[tuple[str, str, int]] = []
        listening = socket.socket(proto=socket.IPPROTO_TCP)
        listening.bind(("127.0.0.1", 0))
        self.port = listening.getsockname()[1]
        self.guard = Guard(self._app(), port=self.port, token=TOKEN)
        config = uvicorn.Config(
            self.guard, http="h11", ws="none", log_config=None, log_level="critical", server_header=False
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=[[listening]])
        self._thread.start()

    def _app(self):
        async def echo(request):
            body = await request.body()
            self.reached.append((request.method, request.url.path, len(body)))
            return PlainTextResponse(request.scope["state"]["nonce"], headers={"X-Frame-Options": "ALLOWALL"})

        async def kept(request):
            return Response("x", headers={"Cache-Control": "public, immutable", "Content-Security-Policy": "sandbox"})

        async def stream(request):
            async def parts():
                for i in range(3):
                    yield f"data: {i}\n\n"

            return StreamingResponse(parts(), media_type="text/event-stream")

        async def boom(request):
            raise RuntimeError("a defect")

        every = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"]
        routes = [
            Route("/kept", kept),
            Route("/stream", stream),
            Route("/boom", boom),
            Route("/{rest:path}", echo, methods=every),
        ]
        handlers = {Exception: lambda request, problem: PlainTextResponse("a defect", 500)}
        return Starlette(routes=routes, exception_handlers=handlers)

    def raw(self, request: str, body: bytes = b"") -> tuple[int, str]:
        """The status and all of the answer to a request written out by hand."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as channel:
            channel.sendall(request.replace("\n", "\r\n").encode("latin-1") + b"\r\n" + body)
            channel.shutdown(socket.SHUT_WR)
            answer = b""
            while part := channel.recv(1 << 16):
                answer += part
        return int(answer.split(b" ", 2)[1]), answer.decode("latin-1")

    def get(self, path="/", cookie=True, host=None, more="") -> int:
        known = f"Cookie: {self.cookie}\n" if cookie else ""
        host = f"127.0.0.1:{self.port}" if host is None else host
        return self.raw(f"GET {path} HTTP/1.1\nHost: {host}\nConnection: close\n{known}{more}")[0]

    @property
    def cookie(self) -> str:
        return f"groundup-{self.port}={self.guard._cookie}"

    def client(self, **headers) -> httpx.Client:
        """A client that came in by a token of its own."""
        client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", headers=headers, verify=NO_TLS)
        assert client.get("/", params={"token": self.guard.one_time()}).status_code == 303
        return client

    def close(self):
        self._server.should_exit = True
        self._thread.join()


@pytest.fixture(scope="module")
def server():
    made = Server()
    until = time.monotonic() + 30
    while not made._server.started and time.monotonic() < until:
        time.sleep(0.01)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def nothing_reached(server):
    server.reached.clear()


@pytest.fixture
def client(server):
    with contextlib.closing(server.client()) as made:
        yield made


@pytest.fixture
def stranger(server):
    """A client without the cookie."""
    with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", verify=NO_TLS) as made:
        yield made


def ours(server, **more):
    """The headers by which a page of ours changes something."""
    return {
        "Origin": f"http://127.0.0.1:{server.port}",
        "Sec-Fetch-Site": "same-origin",
        "X-Groundup-Token": TOKEN,
        **more,
    }


# The name by which the desk is called.


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "LocalHost", "[::1]"])
def test_each_name_of_this_machine_gets_in_with_the_port(server, name):
    assert server.get(host=f"{name}:{server.port}") == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:{port}",
        "127.0.0.1",
        "localhost",
        "localhost:{other}",
        "127.0.0.1:{other}",
        "127.0.0.1:0{port}",
        "127.0.0.1.evil.example:{port}",
        "localhost.evil.example:{port}",
        "localhost.:{port}",
        "user@127.0.0.1:{port}",
        "127.0.0.1:{port}@evil.example",
        "127.0.0.1:{port}/",
        "127.0.0.1:{port},evil.example",
        "127.0.0.1:{port}#",
        "127.1:{port}",
        "2130706433:{port}",
        "0.0.0.0:{port}",
        "::1:{port}",
        "[::ffff:127.0.0.1]:{port}",
        "",
    ],
)
def test_any_other_name_is_refused_with_the_cookie_and_all(server, host):
    host = host.format(port=server.port, other=server.port + 1)
    assert server.get(host=host) == 400 and not server.reached
    assert server.get(path=f"/?token={server.guard.one_time()}", host=host, cookie=False) == 400


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(host=st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=30), port=st.booleans())
def test_no_name_but_those_gets_in(server, host, port):
    host = f"{host}:{server.port}" if port else host
    if host.lower() not in {f"{name}:{server.port}" for name in ("127.0.0.1", "localhost", "[::1]")}:
        assert server.get(host=host) == 400


def test_a_request_without_host_or_with_two_is_refused(server):
    own = f"127.0.0.1:{server.port}"
    for lines in ("", f"Host: {own}\nHost: evil.example\n", f"Host: evil.example\nHost: {own}\n"):
        for version in ("1.0", "1.1"):
            status, _ = server.raw(f"GET / HTTP/{version}\nCookie: {server.cookie}\nConnection: close\n{lines}")
            assert status == 400 and not server.reached


@pytest.mark.parametrize("target", ["http://evil.example/", "http://127.0.0.1:{port}/", "evil.example:443", "*", "x"])
def test_a_target_that_is_no_path_is_refused(server, target):
    assert server.get(target.format(port=server.port)) == 400 and not server.reached


@pytest.mark.parametrize(
    "header", ["X-Forwarded-Host", "X-Original-URL", "X-Rewrite-URL", "Forwarded", "X-Forwarded-For"]
)
def test_no_header_stands_in_for_host_or_path(server, header):
    own = f"127.0.0.1:{server.port}"
    assert server.get(host="evil.example", more=f"{header}: {own}\n") == 400
    assert server.get(cookie=False, more=f"{header}: /static/desk.js\n") == 401


# The cookie, and the token that it is had for.


@pytest.mark.parametrize(
    "path", ["/", "/static/desk.js", "/lesson/1.3", "/events?topic=map", "/no/such/page", "//", "/%2e%2e/"]
)
def test_without_the_cookie_there_is_no_page_at_all(server, path):
    for method in ("GET", "HEAD", "POST", "PUT", "DELETE"):
        request = (
            f"{method} {path} HTTP/1.1\nHost: localhost:{server.port}\nConnection: close\nX-Groundup-Token: {TOKEN}\n"
        )
        assert server.raw(request)[0] == 401
    assert not server.reached


def test_a_token_works_once_and_gives_a_cookie_that_no_script_sees(server, stranger):
    token = server.guard.one_time()
    answer = stranger.get("/", params={"token": token})
    assert answer.status_code == 303 and answer.headers["location"] == "/"
    kept = answer.headers["set-cookie"]
    assert kept.startswith(f"groundup-{server.port}=") and len(kept.split("=")[1].split(";")[0]) >= 43
    assert {part.strip().lower() for part in kept.split(";")[1:]} == {"httponly", "samesite=strict", "path=/"}
    assert stranger.get("/").status_code == 200
    with httpx.Client(verify=NO_TLS) as other:
        assert other.get(f"http://127.0.0.1:{server.port}/", params={"token": token}).status_code == 401
    again = stranger.get("/", params={"token": token})
    assert again.status_code == 303 and again.headers["location"] == "/", "whoever is in, stays in"


def test_a_token_is_for_the_first_page_and_for_reading(server, stranger):
    token = server.guard.one_time()
    assert stranger.head("/", params={"token": token}).status_code == 401, "a preview of a link uses nothing up"
    assert stranger.post("/", params={"token": token}).status_code == 401
    assert stranger.get("/lesson/1.3", params={"token": token}).status_code == 401
    assert stranger.get("/", params={"token": token}).status_code == 303


def test_tokens_that_nobody_has_used_are_forgotten_in_turn(server):
    first, *others = [server.guard.one_time() for _ in range(TOKENS_CAP + 1)]
    assert server.get(f"/?token={first}", cookie=False) == 401
    assert [server.get(f"/?token={each}", cookie=False) for each in others] == [303] * TOKENS_CAP


def test_a_guess_is_not_taken(server):
    good = server.guard.one_time()
    for wrong in (
        "",
        "x",
        good[:-1],
        good + "x",
        good.swapcase(),
        "é",
        "\udce9".encode("utf-8", "surrogateescape").decode("latin-1"),
    ):
        assert server.get(
            f"/?token={httpx.QueryParams(token=wrong)['token']}".encode().decode("latin-1"), cookie=False
        ) in (400, 401)
    name, value = server.cookie.split("=", 1)
    for wrong in (
        f"{name}=",
        f"{name}={value[:-1]}",
        f"{name}={value}x",
        f"groundup={value}",
        f"{name}1={value}",
        f"x{name}={value}",
        f"{name}={TOKEN}",
        f"{name}=é",
    ):
        assert server.get(cookie=False, more=f"Cookie: {wrong}\n") == 401, wrong
    assert not server.reached


def test_a_cookie_that_another_port_has_planted_locks_nobody_out(server):
    name = server.cookie.split("=")[0]
    assert server.get(more=f"Cookie: {name}=planted; other=1\n") == 200
    assert server.get(cookie=False, more=f"Cookie: {name}=planted; {server.cookie}\n") == 200


def test_every_launch_has_other_secrets():
    made = [Guard(None, port=1, token="") for _ in range(4)]
    drawn = {value for guard in made for value in (guard._cookie, guard.secret, guard.one_time())}
    assert len(drawn) == 12 and all(len(value) >= 43 for value in drawn), "256 bits each"


# Another page.


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_page_may_link_here_and_nothing_else(server, client, site):
    for where in ("image", "script", "style", "iframe", "frame", "object", "embed", "empty", "video", ""):
        answer = client.get(
            "/lesson/1.3", headers={"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": where}
        )
        assert answer.status_code == 403 and not server.reached
    by_link = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert client.get("/lesson/1.3", headers=by_link).status_code == 200


def test_reading_with_the_origin_of_another_is_refused(server, client):
    for origin in (
        "http://evil.example",
        "null",
        f"http://127.0.0.1:{server.port + 1}",
        f"https://127.0.0.1:{server.port}",
    ):
        assert client.get("/", headers={"Origin": origin}).status_code == 403
        assert client.get("/", headers={"Origin": origin, "Sec-Fetch-Dest": "document"}).status_code == 403
    assert not server.reached
    assert client.get("/", headers={"Origin": f"http://127.0.0.1:{server.port}"}).status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_a_page_of_ours_may_change_things(server, client, method):
    good = ours(server)
    assert client.request(method, "/x", headers=good).status_code == 200
    for without in ("Origin", "Sec-Fetch-Site"):  # either of them tells
        assert client.request(method, "/x", headers={k: v for k, v in good.items() if k != without}).status_code == 200
    assert len(server.reached) == 3


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
@pytest.mark.parametrize(
    "change",
    [
        {"X-Groundup-Token": None},
        {"X-Groundup-Token": ""},
        {"X-Groundup-Token": TOKEN[:-1]},
        {"X-Groundup-Token": "é"},
        {"Origin": None, "Sec-Fetch-Site": None},
        {"Origin": None, "Sec-Fetch-Site": None, "Sec-Fetch-Mode": "same-origin"},
        {"Origin": None, "Sec-Fetch-Site": "cross-site"},
        {"Origin": None, "Sec-Fetch-Site": "same-site"},
        {"Origin": None, "Sec-Fetch-Site": "none"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://evil.example", "Sec-Fetch-Site": None},
        {"Origin": "null", "Sec-Fetch-Site": None},
        {"Origin": "http://localhost:{port}"},
        {"Origin": "http://127.0.0.1", "Sec-Fetch-Site": None},
        {"Origin": "https://127.0.0.1:{port}", "Sec-Fetch-Site": None},
        {"Origin": "http://127.0.0.1:{port}.evil.example", "Sec-Fetch-Site": None},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_nobody_else_may_change_anything(server, client, method, change):
    headers = ours(server, **{k: v and v.format(port=server.port) for k, v in change.items()})
    sent = [(k.encode(), v.encode("latin-1")) for k, v in headers.items() if v is not None]
    assert client.request(method, "/x", headers=sent, content=b"{}").status_code == 403
    assert not server.reached


@pytest.mark.parametrize("method", ["PATCH", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get", "BREW"])
def test_other_methods_are_refused_and_no_page_is_told_it_may(server, method):
    request = f"{method} / HTTP/1.1\nHost: localhost:{server.port}\nConnection: close\nCookie: {server.cookie}\n"
    request += f"Origin: http://evil.example\nAccess-Control-Request-Method: PUT\nX-Groundup-Token: {TOKEN}\n"
    status, answer = server.raw(request)
    assert status == 405 and not server.reached
    assert "access-control-" not in answer.lower()


def test_no_socket_is_upgraded(server):
    more = "Upgrade: websocket\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\nSec-WebSocket-Version: 13\n"
    for cookie in (True, False):
        known = f"Cookie: {server.cookie}\n" if cookie else ""
        request = f"GET / HTTP/1.1\nHost: localhost:{server.port}\nConnection: Upgrade\n{known}{more}"
        assert server.raw(request)[0] == 403
    assert not server.reached


def test_scopes_other_than_http_do_not_pass():
    passed = []

    async def app(scope, receive, send):
        passed.append(scope["type"])

    async def ask(kind):
        sent = []

        async def send(message):
            sent.append(message)

        await Guard(app, port=1, token="")({"type": kind, "path": "/", "headers": []}, None, send)
        return sent

    loop = asyncio.new_event_loop()
    with contextlib.closing(loop):
        assert [each["type"] for each in loop.run_until_complete(ask("websocket"))] == ["websocket.close"]
        for kind in ("webtransport", "telnet", ""):
            with pytest.raises(ValueError, match="knows no"):
                loop.run_until_complete(ask(kind))
        loop.run_until_complete(ask("lifespan"))
    assert passed == ["lifespan"]


# How much.


def too_much(asking):
    """Whether a request was refused for its size. The server hangs up unread, which may cut its own answer short."""
    try:
        return asking().status_code == 413
    except (httpx.ReadError, httpx.WriteError):
        return True


def test_a_body_as_large_as_may_be_passes_whole(server, client):
    assert client.post("/x", headers=ours(server), content=bytes(BODY_CAP)).status_code == 200
    assert server.reached == [("POST", "/x", BODY_CAP)]


def test_a_larger_body_is_refused_before_the_application_hears_of_it(server, client):
    assert too_much(lambda: client.post("/x", headers=ours(server), content=bytes(BODY_CAP + 1)))

    def parts():  # of a length that is not told
        for _ in range(33):
            yield bytes(BODY_CAP // 32)

    assert client.post("/x", headers=ours(server), content=parts()).status_code == 413
    assert too_much(lambda: client.request("GET", "/x", content=bytes(BODY_CAP + 1)))
    assert not server.reached


def test_a_body_that_breaks_off_reaches_nobody(server, client):
    request = f"PUT /x HTTP/1.1\nHost: 127.0.0.1:{server.port}\nCookie: {server.cookie}\nContent-Length: 100\n"
    request += "".join(f"{name}: {value}\n" for name, value in ours(server).items())
    with socket.create_connection(("127.0.0.1", server.port)) as channel:
        channel.sendall(request.replace("\n", "\r\n").encode() + b"\r\nhalf")
    assert client.get("/after").status_code == 200
    assert server.reached == [("GET", "/after", 0)]


# What every answer carries.


def test_every_answer_carries_the_headers_refusals_and_defects_too(server, client, stranger):
    nonces = set()
    for answer in [
        client.get("/"),
        client.get("/kept"),
        client.get("/stream"),
        client.get("/boom"),
        client.head("/"),
        client.get("/", params={"token": server.guard.one_time()}),
        client.post("/"),
        client.options("/"),
        client.get("/", headers={"Host": "evil.example"}),
        stranger.get("/"),
        stranger.get("/", headers={"Accept": "text/html"}),
        stranger.post("/.desk/window"),
    ]:
        for name, value in ALWAYS.items():
            assert answer.headers.get_list(name) == [value], (answer.status_code, name)
        policies = answer.headers.get_list("content-security-policy")
        nonces.add(POLICY.fullmatch(policies[-1])[1])
        assert "unsafe" not in policies[-1]
        assert answer.headers["cache-control"] == ("public, immutable" if answer.url.path == "/kept" else "no-store")
        assert not [name for name in answer.headers if name.startswith("access-control") or name == "server"]
    assert len(nonces) == 12, "a nonce is used once"


def test_after_a_defect_the_connection_ends_and_the_answer_says_so(client):
    assert client.get("/boom").headers.get_list("connection") == ["close"]
    assert "connection" not in client.get("/").headers


def test_a_page_knows_its_nonce_and_keeps_a_stricter_policy_of_its_own(client):
    answer = client.get("/")
    assert POLICY.fullmatch(answer.headers["content-security-policy"])[1] == answer.text
    assert client.get("/kept").headers.get_list("content-security-policy")[0] == "sandbox"


def test_a_person_without_the_cookie_reads_one_sentence_and_a_script_gets_json(stranger):
    page = stranger.get("/", headers={"Accept": "text/html,*/*"})
    assert page.status_code == 401 and page.headers["content-type"].startswith("text/html")
    assert (
        "<p>Open the desk from the terminal: <code>groundup desk</code>.</p>" in page.text and "go on" not in page.text
    )
    assert stranger.get("/").json() == {"error": "Open the desk from the terminal: `groundup desk`."}


def test_who_follows_a_link_from_elsewhere_is_told_how_to_go_on(stranger):
    link = {"Accept": "text/html", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "document"}
    assert '<a href="">go on</a>' in stranger.get("/lesson/1.3", headers=link).text


def test_what_was_asked_for_is_not_said_again(stranger):
    script = "<script>alert(1)</script>"
    for answer in (
        stranger.get(f"/{script}", params={"token": script}, headers={"Accept": "text/html"}),
        stranger.request("BREW<b>"[:4], "/", headers={"Accept": "text/html"}),
        stranger.get("/", headers={"Host": "<script>", "Accept": "text/html"}),
    ):
        assert "<script" not in answer.text


# Another window, for who can read the file.


def test_the_secret_of_the_file_gives_another_token(server):
    def ask(secret, **more):
        channel = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        with contextlib.closing(channel):
            channel.request(more.pop("method", "POST"), "/.desk/window", headers={"X-Groundup-Secret": secret, **more})
            answer = channel.getresponse()
            return answer.status, json.loads(answer.read())

    status, found = ask(server.guard.secret)
    assert status == 200 and server.get(f"/?token={found['token']}", cookie=False) == 303
    for refused in [
        ask(""),
        ask(server.guard.secret[:-1]),
        ask(TOKEN),
        ask(server.guard.secret, method="GET"),
        ask(server.guard.secret, Host="evil.example"),
        ask(server.guard.secret, Origin=f"http://127.0.0.1:{server.port}"),
        ask(server.guard.secret, **{"Sec-Fetch-Site": "same-origin"}),
        ask(server.guard.secret, Cookie=server.cookie),
    ]:
        assert refused[0] in (400, 401) and "token" not in refused[1]
    assert not server.reached
