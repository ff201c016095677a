"""`groundup desk` as a process: how it opens, who may ask for a window, how it ends, and that nothing of the application is open."""

import contextlib
import datetime
import ipaddress
import json
import os
import re
import signal
import socket
import ssl
import stat
import subprocess
import sys
import threading
import time
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from groundup.desk.app import all_routes
from groundup.desk.running import Running, announce, find_running, new_window, withdraw
from groundup.desk.server import PORT, CannotServe, _address

from .running_desk import ADDRESS, Desk


def addresses(route, prefix=""):
    """Paths of a route, with something in place of each of its parameters; the routes below it too."""
    for inner in getattr(route, "routes", None) or []:
        yield from addresses(inner, prefix + getattr(route, "path", ""))
    if hasattr(route, "methods"):
        path = prefix + route.path
        for filled in ({"int": "0", "": "1.3"}, {"int": "7", "": "x"}):
            yield route, re.sub(r"\{\w+:?(\w*)\}", lambda m: filled.get(m[1], filled[""]), path)  # noqa: B023


def test_no_route_at_all_answers_who_was_not_let_in(shared_desk):
    """Found by walking the application's own table, so that a route of tomorrow is tested too."""
    walked = [(route, path) for each in all_routes() for route, path in addresses(each)]
    assert len(walked) > 10
    with shared_desk.client() as known, httpx.Client(base_url=shared_desk.url, timeout=60) as stranger:
        for route, path in walked:
            for method in ("GET", "HEAD", "POST", "PUT", "DELETE"):
                answer = stranger.request(method, path, headers={"X-Groundup-Token": known.headers["X-Groundup-Token"]})
                assert answer.status_code in (401, 403), (method, path)
                assert "default-src 'none'" in answer.headers["content-security-policy"]
            for method in route.methods - {"GET", "HEAD"}:  # with the cookie, but sent by another page
                for headers in (
                    {"Sec-Fetch-Site": "cross-site"},
                    {"Sec-Fetch-Site": "same-site"},
                    {"X-Groundup-Token": ""},
                ):
                    assert known.request(method, path, headers=headers).status_code == 403, (method, path)


def test_what_lies_on_the_disk_is_reached_by_no_path(shared_desk):
    address = shared_desk.url.rstrip("/")
    with shared_desk.client() as known:
        page = known.get("/").text
        some = re.search(r'"(/static/[^"]+/)desk\.js"', page)[1]
        assert known.get(f"{some}desk.js").status_code == 200
        for path in (
            "..", "../app.py", "..%2fapp.py", "%2e%2e/app.py", "..%5capp.py", "....//app.py", "%2fetc%2fpasswd", "/etc/passwd",
            "..%252fapp.py", "desk.js%00.css", "vendor/../../app.py", "../templates/page.html", "../__init__.py",
        ):  # fmt: skip
            request = (
                f"GET {some}{path} HTTP/1.1\r\nHost: {httpx.URL(address).netloc.decode()}\r\nConnection: close\r\n"
            )
            request += f"Cookie: {'; '.join(f'{k}={v}' for k, v in known.cookies.items())}\r\n\r\n"
            with socket.create_connection(("127.0.0.1", shared_desk.port)) as channel:
                channel.sendall(request.encode())
                answer = b"".join(iter(lambda: channel.recv(1 << 16), b""))
            assert answer.startswith(b"HTTP/1.1 404"), path


WORDS = st.one_of(
    st.text(max_size=20),
    st.integers().map(str),
    st.sampled_from(
        ["1.3", "ravine", "two-moons", "..", "../..", "/etc/passwd", "nan", "1e999", "-1", "\0", "%", "a" * 3000]
    ),
)
BODIES = st.one_of(
    st.sampled_from(
        [b"", b"null", b"[]", b"\xff\xfe", b"{", b"[" * 100_000, b'{"a":' * 50_000, b'{"seed": 1e400}', b'{"seed": -1}']
    ),
    st.dictionaries(
        st.sampled_from(["text", "base", "seed", "keep", "judge", "undo", "values", "code", "rating", "line", "card"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
            lambda some: st.lists(some, max_size=3),
        ),
        max_size=4,
    ).map(lambda body: json.dumps(body).encode()),
)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_nothing_that_is_asked_makes_the_desk_fail(fuzzed, data):
    known = fuzzed
    route = data.draw(st.sampled_from([route for each in all_routes() for route, _ in addresses(each)]))
    if route.path == "/events":
        return  # has no end where it succeeds; tests/desk/test_hub.py has its own
    path = re.sub(
        r"\{(\w+):?(\w*)\}",
        lambda m: quote(data.draw(st.integers(0, 99).map(str) if m[2] == "int" else WORDS), safe=""),
        route.path,
    )
    method = data.draw(st.sampled_from(sorted(route.methods - {"HEAD"})))
    query = data.draw(
        st.lists(
            st.tuples(st.sampled_from(["q", "run", "rate", "step", "of", "on", "metric", "since"]), WORDS), max_size=3
        )
    )
    body = data.draw(BODIES) if method != "GET" else b""
    answer = known.request(method, path, params=query, content=body)
    assert answer.status_code < 500, (method, path, query, body[:80], answer.text[:200])
    assert "Traceback" not in answer.text


def test_a_body_of_brackets_without_an_end_is_no_defect(fuzzed):
    """json gives up on it with a RecursionError, which is no ValueError."""
    for route, path in (found for each in all_routes() for found in addresses(each)):
        if "x" in path.split("/"):
            continue  # refused for its name
        for method in sorted(route.methods - {"GET", "HEAD"}):
            assert fuzzed.request(method, path, content=b"[" * 100_000).status_code < 500, (method, path)


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory):
    made = Desk(tmp_path_factory.mktemp("fuzzed"))
    made.run("open", "1.3")
    made.start()
    with made.client() as known:
        yield known
    made.close()


# The file.


def test_the_file_is_its_owners_alone_and_goes_with_the_server(desk):
    path = desk.root / ".groundup" / "desk.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    found = json.loads(path.read_text())
    assert found["pid"] == desk.process.pid and found["port"] == desk.port and found["url"] == desk.url
    assert desk.token not in path.read_text(), "what lets a browser in is asked for, not written down"
    assert desk.stop() == 0
    assert not path.exists() and not list(path.parent.glob("*desk.json*"))


def test_the_command_asks_a_desk_that_is_open_for_another_window(desk):
    first, second = (ADDRESS.search(desk.run("desk", "--no-browser").stdout) for _ in range(2))
    assert first[1] == second[1] == desk.url and len({desk.token, first[2], second[2]}) == 3
    for token in (desk.token, first[2], second[2]):
        with httpx.Client(timeout=60) as browser:
            assert browser.get(desk.url, params={"token": token}, follow_redirects=True).status_code == 200


def test_an_open_desk_is_not_taken_for_one_that_was_asked_for_elsewhere(desk):
    for words in (
        ["--port", "1"],
        ["--host", "localhost"],
        ["--tls-cert", "x", "--tls-key", "y"],
        ["--beyond-loopback"],
    ):
        done = desk.run("desk", "--no-browser", *words)
        assert done.returncode == 2 and done.stdout == "" and f"already, at {desk.url}" in done.stderr


def test_a_desk_that_was_killed_leaves_a_file_that_the_next_one_replaces(desk):
    with desk.client() as known:
        assert known.get("/").status_code == 200
        desk.stop(kill=True)
        left = find_running(desk.root)
        assert left is not None and new_window(left) is None
        desk.start()
        assert find_running(desk.root).pid == desk.process.pid
        assert known.get("/").status_code == 401, "the secrets of a launch end with it"


def test_a_file_that_is_no_desks_is_as_good_as_none(tmp_path):
    path = tmp_path / ".groundup" / "desk.json"
    assert find_running(tmp_path) is None
    good = Running("http://127.0.0.1:9/", os.getpid(), "127.0.0.1", 9, "x")
    announce(tmp_path, good)
    assert find_running(tmp_path) == good and new_window(good) is None, "nobody listens there"
    for text in (
        "",
        "[]",
        "{}",
        "null",
        '{"url": 1}',
        "\x00",
        json.dumps({**json.loads(path.read_text()), "pid": "1"}),
    ):
        path.write_text(text)
        assert find_running(tmp_path) is None
    announce(tmp_path, good)
    withdraw(tmp_path, Running("http://127.0.0.1:9/", 1, "127.0.0.1", 9, "y"))
    assert path.exists(), "another desk's file stays"
    withdraw(tmp_path, good)
    assert not path.exists()


def test_whoever_listens_there_now_without_the_secret_is_not_believed(tmp_path):
    for reply in (
        b"HTTP/1.1 200 OK\r\n\r\n<html>",
        b"HTTP/1.1 200 OK\r\n\r\n[1]",
        b"HTTP/1.1 401 No\r\n\r\n{}",
        b"SSH-2.0",
        b"",
    ):
        with socket.create_server(("127.0.0.1", 0)) as other:

            def answer(other=other, reply=reply):
                channel, _ = other.accept()
                with channel:
                    channel.recv(4096)
                    channel.sendall(reply)

            thread = threading.Thread(target=answer)
            thread.start()
            port = other.getsockname()[1]
            assert new_window(Running(f"http://127.0.0.1:{port}/", os.getpid(), "127.0.0.1", port, "x")) is None
            thread.join()


# How it ends.


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_ends_well_with_streams_open(desk, ending):
    with desk.client() as known, contextlib.ExitStack() as streams:
        for _ in range(3):
            stream = streams.enter_context(known.stream("GET", "/events", params={"topic": "map"}, timeout=60))
            assert stream.status_code == 200 and next(stream.iter_bytes())
        desk.process.send_signal(ending)
        assert desk.process.wait(30) == 0
        assert not (desk.root / ".groundup" / "desk.json").exists()
    assert desk.stop() == 0


def test_in_the_background_it_ends_when_it_is_told_to_and_under_nohup_it_stays(tmp_path):
    """A shell starts what runs in the background with Ctrl-C ignored; nohup has the hanging up of a terminal ignored."""
    made = Desk(tmp_path)
    made.command = ["sh", "-c", 'trap \'\' INT HUP; exec "$0" "$@"', *made.command]
    made.start()
    try:
        made.process.send_signal(signal.SIGHUP)
        with made.client() as known:
            assert known.get("/").status_code == 200
        assert made.stop() == 0
    finally:
        made.close()


def test_it_says_nothing_about_requests(desk):
    with desk.client() as known:
        for path in ("/", "/no/such/page", "/static/x"):
            known.get(path)
        with socket.create_connection(("127.0.0.1", desk.port)) as channel:
            channel.sendall(b"no request at all\r\n\r\n")
            assert b" 400 " in channel.recv(4096)
            channel.sendall(b"")
    desk.process.send_signal(signal.SIGINT)
    assert desk.process.stdout.read().count("\n") == 1, "the second line of its greeting"
    assert desk.stop() == 0 and not desk.said


# Where it listens.


def test_a_port_that_is_taken_gives_way_to_a_free_one_unless_it_was_named(tmp_path):
    made = Desk(tmp_path)
    with socket.socket() as taking:
        with contextlib.suppress(OSError):  # if somebody has it already, that serves as well
            taking.bind(("127.0.0.1", PORT))
            taking.listen()
        try:
            made.start(usual_port=True)
            assert made.port != PORT
            made.stop()
            done = made.run("desk", "--no-browser", "--port", str(PORT))
            assert done.returncode == 2 and done.stderr.count("\n") == 1
            assert f"127.0.0.1:{PORT} cannot be listened on" in done.stderr
        finally:
            made.close()


@pytest.mark.parametrize(
    "options, said",
    [
        (["--host", "192.0.2.1"], "192.0.2.1 can be reached from other machines"),
        (["--host", "192.0.2.1", "--beyond-loopback"], "192.0.2.1 can be reached from other machines"),
        (["--host", "192.0.2.1", "--tls"], "192.0.2.1 can be reached from other machines"),
        (["--host", "192.0.2.1", "--tls", "--beyond-loopback"], "192.0.2.1:0 cannot be listened on"),
        (["--host", "2001:db8::1"], "2001:db8::1 can be reached from other machines"),
        (["--host", "0.0.0.0", "--tls", "--beyond-loopback"], "not all of them at once"),
        (["--host", "::", "--tls", "--beyond-loopback"], "not all of them at once"),
        (["--host", "no such host"], "there is no address 'no such host'"),
        (["--port", "70000"], "--port is a number from 1 to 65535"),
        (["--port", "-1"], "--port is a number from 1 to 65535"),
        (["--tls-cert", "x"], "--tls-cert and --tls-key go together"),
        (["--tls-cert", "no", "--tls-key", "no"], "no usable certificate"),
    ],
)
def test_where_it_may_not_listen_it_says_so_in_a_line(tmp_path, certificate, options, said):
    made = Desk(tmp_path)
    at = options.index("--tls") if "--tls" in options else None
    if at is not None:
        options = [
            *options[:at],
            "--tls-cert",
            str(certificate[0]),
            "--tls-key",
            str(certificate[1]),
            *options[at + 1 :],
        ]
    done = made.run("desk", "--no-browser", *options)
    assert done.returncode == 2 and said in done.stderr and done.stderr.count("\n") == 1, done.stderr
    assert find_running(made.root) is None


def test_no_answer_waits_for_an_acknowledgement():
    address = _address("127.0.0.1", 0, None, None, False)
    with address.listening as listening:
        assert listening.proto == socket.IPPROTO_TCP, "asyncio turns Nagle's algorithm off for these alone"
    with pytest.raises(CannotServe):
        _address("192.0.2.1", 0, None, None, True)


def test_on_ipv6_it_is_known_by_all_its_names(tmp_path):
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            pytest.skip("this machine has no IPv6")
    made = Desk(tmp_path)
    made.start("--host", "::1")
    try:
        assert made.url == f"http://[::1]:{made.port}/"
        with made.client() as known:
            assert known.get("/", headers={"Host": f"localhost:{made.port}"}).status_code == 200
    finally:
        made.close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate of 127.0.0.1 and its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "desk")])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (
        x509.CertificateBuilder(
            name, name, key.public_key(), x509.random_serial_number(), now, now + datetime.timedelta(2)
        )
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    pem = serialization.Encoding.PEM
    (folder / "cert.pem").write_bytes(made.public_bytes(pem))
    (folder / "key.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder / "cert.pem", folder / "key.pem"


def test_with_a_certificate_it_speaks_tls_and_nothing_else(tmp_path, certificate):
    cert, key = certificate
    made = Desk(tmp_path)
    made.start("--tls-cert", str(cert), "--tls-key", str(key))
    try:
        assert made.url == f"https://127.0.0.1:{made.port}/"
        with httpx.Client(verify=ssl.create_default_context(cafile=cert), timeout=60) as browser:
            answer = browser.get(made.window())
            assert answer.status_code == 303 and "; secure" in answer.headers["set-cookie"].lower()
            assert browser.get(made.url).status_code == 200
            mine = {"Origin": made.url.rstrip("/"), "X-Groundup-Token": "wrong"}
            assert "load it again" in browser.post(made.url, headers=mine).json()["error"]
            assert (
                "Another page"
                in browser.post(made.url, headers={**mine, "Origin": mine["Origin"].replace("s:", ":")}).json()["error"]
            )
        with pytest.raises(httpx.HTTPError):
            httpx.get(made.url.replace("https", "http"))
    finally:
        made.close()


# The command.


def test_it_opens_the_browser_with_a_token_that_is_not_the_one_shown(tmp_path):
    script, note = tmp_path / "browser", tmp_path / "note"
    script.write_text(f'#!/bin/sh\necho "$1" >> {note}\n')
    script.chmod(0o755)
    made = Desk(tmp_path)
    made.environment["BROWSER"] = f"{script} %s"
    command = [sys.executable, "-m", "groundup", "desk", "--port", "0"]
    going = subprocess.Popen(command, cwd=made.root, env=made.environment, stdout=subprocess.PIPE, text=True)
    try:
        shown = ADDRESS.search(going.stdout.readline())
        until = time.monotonic() + 60
        while not (note.exists() and note.read_text().endswith("\n")) and time.monotonic() < until:
            time.sleep(0.02)
        opened = ADDRESS.search(note.read_text())
        assert opened[1] == shown[1] and opened[2] != shown[2]
        with httpx.Client(timeout=60) as browser:
            assert browser.get(opened[0]).status_code == 303
        assert made.run("desk").returncode == 0
        assert len(set(note.read_text().split())) == 2, "another window is opened too"
    finally:
        going.terminate()
        going.communicate(timeout=30)
        made.close()
    assert going.returncode == 0


def test_without_a_workspace_it_says_how_to_make_one(groundup):
    done = groundup("desk", "--no-browser")
    assert done.returncode == 2 and "`groundup start` makes one" in done.stderr and done.stderr.count("\n") == 1


def test_threads_may_parse_at_the_same_time():
    """Python 3.11 fails in one of eight of these without parse_in_turn."""
    code = """
import ast, gc, inspect, sys, threading
from groundup.desk.server import parse_in_turn
parse_in_turn()
source = inspect.getsource(sys.modules["groundup.desk.server"])
class Late:  # when it goes, in the middle of a parse, another thread gets its turn
    def __init__(self): self.itself = self
    def __del__(self): sum(range(200))
def work():
    for _ in range(80):
        for _ in range(20): Late()
        ast.parse(source)
failed = []
threading.excepthook = failed.append
gc.set_threshold(50)
sys.setswitchinterval(1e-6)
threads = [threading.Thread(target=work) for _ in range(3)]
[each.start() for each in threads]
[each.join() for each in threads]
sys.exit(len(failed))
"""
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_other_commands_load_nothing_of_it():
    code = """
import sys
from groundup.cli import run
run(["--version"]); run(["desk", "--help"])
import groundup.cli.app, groundup.cli.desking, groundup.desk.running
sys.exit(bool({"starlette", "uvicorn", "jinja2", "asyncio"} & set(sys.modules)))
"""
    assert subprocess.run([sys.executable, "-c", code], stdout=subprocess.DEVNULL).returncode == 0
