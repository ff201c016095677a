"""Talks to the warm judge of a workspace. Light: nothing is imported here that a quick command could do without."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from ..packs import names_pack

START = 30.0  # seconds that a judge may take to come up
CONNECT = 5.0  # seconds that it may take to let one in, when many are waiting
ANSWER = 120.0  # seconds that it may take to answer
PATH_CAP = 100  # bytes that every system takes as the path of a socket
REPLY_CAP = 64 << 20


class NoJudge(Exception):
    """The warm judge cannot be had: the caller judges cold, and says nothing about it."""


def socket_path(root: Path) -> Path:
    """The judge's socket of a workspace, in a folder of this user's own whose path is short enough for one."""
    name = hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:20]
    given = os.environ.get("XDG_RUNTIME_DIR", "")
    path = Path(given) / "groundup" / f"{name}.sock"
    if not os.path.isabs(given) or not os.path.isdir(given) or len(os.fsencode(path)) > PATH_CAP:
        return temporary_folder() / f"{name}.sock"
    return own_folder(path.parent) / path.name


def temporary_folder() -> Path:
    """The folder of this user's own among the temporary ones."""
    return own_folder(Path(tempfile.gettempdir()) / f"groundup-{os.getuid()}")


def own_folder(folder: Path) -> Path:
    """Made if need be. NoJudge if others may look in, OSError if it cannot be."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = folder.lstat()
    if status.st_uid != os.getuid() or status.st_mode & 0o077 or not folder.is_dir() or folder.is_symlink():
        raise NoJudge(f"{folder} is not this user's alone")
    return folder


def fingerprint(root: Path) -> str:
    """Changes whenever groundup's code, lessons or settings do, or the workspace's pack: a judge from before is replaced."""
    package = Path(__file__).parents[2]
    lessons = package / "_lessons" if (package / "_lessons").is_dir() else package.parents[1] / "lessons"
    newest, count = 0, 0
    folders = [str(package), str(lessons)]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.name.startswith((".", "__pycache__", "desk")):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                else:
                    newest, count = max(newest, entry.stat(follow_symlinks=False).st_mtime_ns), count + 1
    settings = [os.environ.get("GROUNDUP_SANDBOX", ""), sys.executable, os.environ.get("GROUNDUP_DATA", "")]
    return f"{newest}-{count}-{'-'.join(settings)}-{_pack(root)}"


def _pack(root: Path) -> str:
    """Changes whenever the pack of a workspace does; "" where the course is groundup's own."""
    if not names_pack(root):
        return ""
    from ..packs.named import times_of_pack

    return times_of_pack(root)


def workspace_root(here: Path) -> Path | None:
    """The folder of the workspace, by its groundup.toml: here, above, or in `workspace`."""
    here = here.resolve()
    return next((f for f in (here, *here.parents, here / "workspace") if (f / "groundup.toml").is_file()), None)


def judge(root: Path, request: dict[str, Any]) -> dict[str, Any]:
    """The warm judge's reply, or, where there is none to be had, a cold one's."""
    try:
        return ask(root, request)
    except NoJudge:
        from .scratch import own_scratch
        from .session import Session

        with own_scratch(), Session(root, once=True) as session:
            reply, afterwards = session.answer(request)
            if afterwards is not None:
                afterwards()
            return reply


def ask(root: Path, request: dict[str, Any], start: bool = True) -> dict[str, Any]:
    """One request to the judge of a workspace, starting one if need be. NoJudge if it cannot be had."""
    try:
        path = socket_path(root)
        message = {**request, "fingerprint": fingerprint(root)}
    except OSError as problem:  # a folder that cannot be made, or code that is being written just now
        raise NoJudge(str(problem)) from None
    for attempt in range(3):
        channel = _connect(path)
        if channel is None:
            if not start or attempt == 2:
                raise NoJudge("no judge is running")
            channel = _start(root, path)
        reply = _exchange(channel, message)
        if not reply.get("stale"):
            return reply
        start = True  # it has ended, so that one of today's may take its place
    raise NoJudge("the judge keeps being of another version")


def stop(root: Path) -> bool:
    """Asks the judge to end; False if none is running."""
    try:
        return bool(ask(root, {"do": "stop"}, start=False).get("stopped"))
    except NoJudge:
        return False


def _connect(path: Path) -> socket.socket | None:
    """A channel to whoever listens there, None if nobody does. NoJudge if the queue stays full."""
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    channel.setblocking(False)
    until = time.monotonic() + CONNECT
    while True:
        try:
            channel.connect(str(path))
            return channel
        except BlockingIOError:
            if time.monotonic() > until:
                channel.close()
                raise NoJudge("too many are waiting for the judge") from None
            time.sleep(0.01)
        except OSError:
            channel.close()
            return None


def _start(root: Path, path: Path) -> socket.socket:
    judge = _spawn(root)
    until = time.monotonic() + START
    while time.monotonic() < until:
        channel = _connect(path)
        if channel is not None:
            return channel
        ended = judge.poll()
        if ended == 0:  # another judge had the workspace, and has ended since
            judge = _spawn(root)
        elif ended is not None:
            break
        time.sleep(0.01)
    raise NoJudge("the judge did not start")


def _spawn(root: Path) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            [sys.executable, "-m", "groundup.course.checking.service", str(root)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
        )
    except OSError as problem:
        raise NoJudge(str(problem)) from None


def _exchange(channel: socket.socket, message: dict[str, Any]) -> dict[str, Any]:
    until = time.monotonic() + ANSWER
    try:
        with channel:
            channel.settimeout(ANSWER)
            channel.sendall(json.dumps(message).encode() + b"\n")
            received = bytearray()
            while not received.endswith(b"\n"):
                channel.settimeout(max(0.001, until - time.monotonic()))
                chunk = channel.recv(1 << 16)
                if not chunk or len(received) > REPLY_CAP:
                    raise NoJudge("the judge ended before it had answered")
                received += chunk
    except OSError as problem:
        raise NoJudge(str(problem)) from None
    try:
        reply = json.loads(received)
    except ValueError:
        raise NoJudge("the judge's answer cannot be read") from None
    if not isinstance(reply, dict):
        raise NoJudge("the judge's answer cannot be read")
    return reply
