"""Which desk is open over a workspace: a file that its owner alone can read, so that another window can be asked for.

The file holds a secret of the launch, by which the server gives out one more token, and goes when the server ends. Where the server
was killed it stays behind: nobody answers with that process and that secret, and the next desk writes its own.
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

ANSWER = 5.0  # seconds that a server may take


@dataclass(frozen=True)
class Running:
    """A desk that is open: where, which process, and how to ask it for a token."""

    url: str  # without a token
    pid: int
    host: str  # the name in the url, without brackets
    port: int
    secret: str
    certificate: str = ""  # the file to know its TLS by; empty where there is none


def announce(root: Path, running: Running) -> None:
    """Writes the file of a workspace, in place of what an earlier desk may have left. OSError if it cannot be."""
    path = _path(root)
    path.parent.mkdir(exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with contextlib.suppress(FileNotFoundError):
        beside.unlink()
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(running), file)
    os.replace(beside, path)


def withdraw(root: Path, running: Running) -> None:
    """Removes the file, if it is still this desk's."""
    with contextlib.suppress(OSError):
        if find_running(root) == running:
            _path(root).unlink()


def find_running(root: Path) -> Running | None:
    """What the file says, None if there is none that can be read. Whether that desk still lives, new_window finds out."""
    try:
        found = Running(**json.loads(_path(root).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    kinds = [type(value) for value in asdict(found).values()]
    return found if kinds == [str, int, str, int, str, str] else None


def new_window(running: Running) -> str | None:
    """An address that lets one more browser in; None where that desk is open no longer."""
    import http.client
    import ssl

    if not _lives(running.pid):
        return None
    channel: http.client.HTTPConnection
    try:
        if running.certificate:
            context = ssl.create_default_context(cafile=running.certificate)
            channel = http.client.HTTPSConnection(running.host, running.port, timeout=ANSWER, context=context)
        else:
            channel = http.client.HTTPConnection(running.host, running.port, timeout=ANSWER)
        with contextlib.closing(channel):
            channel.request("POST", "/.desk/window", headers={"X-Groundup-Secret": running.secret})
            reply = channel.getresponse()
            found = json.loads(reply.read(1 << 16)) if reply.status == 200 else {}
    except (OSError, ValueError, http.client.HTTPException):
        return None
    return f"{running.url}?token={found['token']}" if "token" in found else None


def show(url: str) -> None:
    """Opens the learner's browser, where there is one that does not take the terminal for itself (as lynx does)."""
    import webbrowser

    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return
    if type(browser) is not webbrowser.GenericBrowser or "BROWSER" in os.environ:
        browser.open(url)


def _path(root: Path) -> Path:
    return root / ".groundup" / "desk.json"


def _lives(pid: int) -> bool:
    """Whether there is such a process of this user's."""
    try:
        os.kill(pid, 0)
    except (OSError, OverflowError):
        return False
    return pid > 0
