"""The warm judge of a workspace: a background process on a Unix socket that answers one check after another.

It holds what is slow to come by (oracles, sandbox, the next cases with their truths), so that a check costs what the
learner's code costs. It ends after half an hour without work, when asked, or when its workspace is gone.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")  # the oracles' work is small: threads would spin against the learner's code

from .client import NoJudge, fingerprint, socket_path  # noqa: E402  (before NumPy, for the sake of the line above)

IDLE = 30 * 60.0  # seconds
LOOK = 60.0  # seconds between two looks at whether the workspace is still there
LEAVING = 10.0  # seconds that an earlier judge may take to end
REQUEST_CAP = 1 << 20


def main(root: Path) -> int:
    """Serves until idle, asked to stop, or without a workspace; at once 0 if another judge has it, 1 if it cannot be."""
    try:
        path = socket_path(root)
    except (NoJudge, OSError) as problem:
        print(problem, file=sys.stderr)
        return 1
    if not _is_the_only_one(path):
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    listener = _listen(path)
    mark = fingerprint(root)
    from .scratch import own_scratch
    from .session import Session

    with listener, own_scratch(), Session(root) as session:
        _serve(listener, path, session, mark, root)
    return 0


def _is_the_only_one(path: Path) -> bool:
    """Takes the workspace's lock for as long as this process lives, waiting for a judge that is on its way out."""
    lock = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    until = time.monotonic() + LEAVING
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except OSError:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
                probe.setblocking(False)
                if probe.connect_ex(str(path)) in (0, errno.EAGAIN) or time.monotonic() > until:
                    return False
            time.sleep(0.01)


def _listen(path: Path) -> socket.socket:
    if path.is_dir():
        path.rmdir()
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(mask)
    listener.listen(64)
    return listener


def _serve(listener: socket.socket, path: Path, session: Any, mark: str, root: Path) -> None:
    listener.settimeout(min(LOOK, IDLE))
    session.prepare_next()
    worked = time.monotonic()
    while True:
        try:
            channel, _ = listener.accept()
        except TimeoutError:
            if root.is_dir() and time.monotonic() - worked < IDLE:
                continue
            path.unlink(missing_ok=True)
            _send_away(listener)
            return
        afterwards = None
        with channel:
            request = _read(channel)
            if request is None:
                continue
            if request.get("do") == "stop":
                path.unlink(missing_ok=True)
                _send_away(listener)
                _reply(channel, {"stopped": True})
                return
            if request.get("fingerprint") != mark or not root.is_dir():
                path.unlink(missing_ok=True)  # whoever comes now starts the next judge
                _send_away(listener)
                _reply(channel, {"stale": True})
                return
            reply, afterwards = session.answer(request)
            _reply(channel, reply)
        if afterwards is not None:
            afterwards()
        worked = time.monotonic()


def _send_away(listener: socket.socket) -> None:
    """Those who are waiting still: to the next judge."""
    listener.setblocking(False)
    while True:
        try:
            channel, _ = listener.accept()
        except OSError:
            listener.close()
            return
        with channel:
            _read(channel)
            _reply(channel, {"stale": True})


def _read(channel: socket.socket) -> dict[str, Any] | None:
    """One line of JSON; None if the client went away or sent something else."""
    channel.settimeout(5.0)
    received = bytearray()
    try:
        while not received.endswith(b"\n"):
            chunk = channel.recv(1 << 16)
            if not chunk or len(received) > REQUEST_CAP:
                return None
            received += chunk
        request = json.loads(received)
    except (OSError, ValueError):
        return None
    return request if isinstance(request, dict) else None


def _reply(channel: socket.socket, reply: dict[str, Any]) -> None:
    try:
        channel.sendall(json.dumps(reply).encode() + b"\n")
    except OSError:
        return  # the client has gone; what was to be kept is kept


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
