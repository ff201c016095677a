"""Opens the desk over a workspace: one process, one port of this machine, until Ctrl-C.

Beyond this machine it listens only when that is asked for by name, and with TLS: the desk runs code.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import functools
import gc
import ipaddress
import logging
import os
import signal
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from ..course.workspace.workspace import find_workspace
from ..errors import NotUsable
from .app import make_app
from .guard import LOOPBACK, Guard
from .place import Place
from .running import Running, announce, show, withdraw

PORT = 8321  # the same each time where it is free, so that the browser's history and its settings stay
GRACE = 1  # seconds that a request may take to come to its end
PATIENCE = 2.5  # seconds after which the process ends whatever it waits for
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class CannotServe(NotUsable):
    """Why there can be no desk there, and what to do."""


@dataclass(frozen=True)
class Address:
    """Where the desk listens, and what it is called there."""

    shown: str  # as a browser has it: IPv6 in brackets
    names: tuple[str, ...]  # all that it may be called
    listening: socket.socket
    certificate: Path | None
    key: Path | None

    @property
    def port(self) -> int:
        return int(self.listening.getsockname()[1])

    @property
    def url(self) -> str:
        return f"{'https' if self.certificate else 'http'}://{self.shown}:{self.port}/"


def serve(
    root: Path,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    open_browser: bool = True,
    tls_cert: Path | None = None,
    tls_key: Path | None = None,
    beyond_loopback: bool = False,
) -> None:
    """Runs the desk of a workspace until it is told to end. CannotServe where it cannot, WorkspaceError without a workspace.

    port: 0 takes the usual one, or a free one where that is taken.
    """
    root = find_workspace(root).root
    parse_in_turn()
    certificate, key = _tls(tls_cert, tls_key)
    address = _address(host, port, certificate, key, beyond_loopback)
    with address.listening:
        asyncio.run(_serve(root, address, open_browser))


async def _serve(root: Path, address: Address, open_browser: bool) -> None:
    place = Place(root)
    guard = Guard(
        make_app(place),
        port=address.port,
        token=place.token,
        names=address.names,
        secure=address.certificate is not None,
    )
    certificate = str(address.certificate.resolve()) if address.certificate else ""
    running = Running(
        address.url, os.getpid(), address.shown.strip("[]"), address.port, guard.secret, certificate=certificate
    )

    def opened() -> None:
        announce(root, running)
        print(f"The desk is open: {address.url}?token={guard.one_time()}")
        print("That address lets one browser in; `groundup desk` in another terminal gives the next. Ctrl-C ends it.")
        sys.stdout.flush()
        if open_browser:
            threading.Thread(target=show, args=[f"{address.url}?token={guard.one_time()}"], daemon=True).start()

    config = uvicorn.Config(
        guard,
        http="h11",
        ws="none",
        lifespan="on",
        log_config=None,
        log_level="error",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ssl_certfile=address.certificate,
        ssl_keyfile=address.key,
        timeout_graceful_shutdown=GRACE,
    )
    gc.freeze()  # what has been imported stays: a collection in the middle of a page would look at all of it
    try:
        await _Desk(config, opened, place.hub.close, lambda: withdraw(root, running)).serve([address.listening])
    finally:
        withdraw(root, running)


def parse_in_turn() -> None:
    """Lets one thread at a time into ast.parse, for the whole process; pages parse Python in several.

    Python 3.11 counts the depth of the tree once for all threads, and raises SystemError ("AST constructor recursion depth mismatch")
    when another one has parsed meanwhile: https://github.com/python/cpython/issues/106905. 3.10 counts nothing, 3.12 by thread.
    """
    if sys.version_info[:2] != (3, 11):
        return
    turn, parse = threading.RLock(), ast.parse

    @functools.wraps(parse)
    def in_turn(*arguments: Any, **options: Any) -> Any:
        with turn:
            return parse(*arguments, **options)

    ast.parse = in_turn


class _Desk(uvicorn.Server):
    """A server that says when it is open, and ends its streams when it is told to end."""

    def __init__(
        self, config: uvicorn.Config, opened: Callable[[], None], ending: Callable[[], None], ended: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._opened, self._ending, self._ended = opened, ending, ended

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._opened()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # what is cut short now is no defect
        impatience = threading.Timer(PATIENCE, self._end_now)
        impatience.daemon = True
        impatience.start()
        self._ending()
        await super().shutdown(sockets)

    def _end_now(self) -> None:
        """A thread that waits for the judge cannot be interrupted. What is to be kept of it, the judge keeps."""
        self._ended()
        os._exit(0)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """As the server's own, but a signal that has ended the desk is not raised again once it has ended well."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        under_nohup = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        heard = [each for each in ENDINGS if each is not signal.SIGHUP or not under_nohup]
        before = {each: signal.signal(each, self.handle_exit) for each in heard}
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)


def _address(host: str, port: int, certificate: Path | None, key: Path | None, beyond_loopback: bool) -> Address:
    """A socket that listens there. CannotServe if it cannot or must not be."""
    host = host.strip("[]")
    if not 0 <= port <= 65_535:
        raise CannotServe("--port is a number from 1 to 65535")
    try:
        family, _, _, _, found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError):
        raise CannotServe(f"there is no address {host!r} to listen on") from None
    where = ipaddress.ip_address(str(found[0]).partition("%")[0])
    shown = f"[{host}]" if ":" in host else host.lower()
    if where.is_unspecified:
        raise CannotServe("--host is the name or the address that is typed into the browser, not all of them at once")
    if not where.is_loopback and not (certificate and beyond_loopback):
        raise CannotServe(
            f"{host} can be reached from other machines, and the desk runs code: "
            "if that is meant, add --beyond-loopback, --tls-cert FILE and --tls-key FILE"
        )
    names = tuple(dict.fromkeys([*LOOPBACK, shown])) if where.is_loopback else (shown,)
    last: OSError | None = None
    for each in (port,) if port else (PORT, 0):
        # named as TCP, or asyncio leaves Nagle's algorithm on, and every second answer waits 40 ms for an acknowledgement
        listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((found[0], each, *found[2:]))
            listening.listen(128)
            return Address(shown, names, listening, certificate, key)
        except OSError as problem:
            listening.close()
            last = problem
    raise CannotServe(f"{shown}:{port} cannot be listened on: {(last and last.strerror) or last}. Try another --port.")


def _tls(certificate: Path | None, key: Path | None) -> tuple[Path | None, Path | None]:
    """The two files, if they are usable together."""
    if (certificate is None) != (key is None):
        raise CannotServe("--tls-cert and --tls-key go together")
    if certificate is not None:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password="")
        except (OSError, ValueError) as problem:  # an SSLError is an OSError
            raise CannotServe(f"{certificate} and {key} are no usable certificate and key: {problem}") from None
    return certificate, key
