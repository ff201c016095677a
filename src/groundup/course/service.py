"""The warm judge of a workspace: a background process on a Unix socket that answers one check after another.

It holds what is slow to come by (oracles, sandbox, the next cases with their truths), so that a check costs what the
learner's code costs. It ends after half an hour without work, when asked, or when its workspace is gone.
"""

from __future__ import annotations

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

from .client import fingerprint, socket_path  # noqa: E402  (before NumPy, for the sake of the line above)

IDLE = 30 * 60.0  # seconds
LEAVING = 10.0  # seconds that an earlier judge may take to end
REQUEST_CAP = 1 << 20


def main(root: Path) -> int:
    """Serves until idle, asked to stop, or another judge has the workspace."""
    path = socket_path(root)
    if not _is_the_only_one(path):
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    listener = _listen(path)
    mark = fingerprint()
    from .session import Session

    try:
        with Session(root) as session:
            _serve(listener, session, mark, root)
    finally:
        listener.close()
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
                if probe.connect_ex(str(path)) == 0 or time.monotonic() > until:
                    return False
            time.sleep(0.01)


def _listen(path: Path) -> socket.socket:
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(mask)
    listener.listen(64)
    return listener


def _serve(listener: socket.socket, session: Any, mark: str, root: Path) -> None:
    listener.settimeout(IDLE)
    session.prepare_next()
    while True:
        try:
            channel, _ = listener.accept()
        except TimeoutError:
            socket_path(root).unlink(missing_ok=True)
            return
        afterwards = None
        with channel:
            request = _read(channel)
            if request is None:
                continue
            if request.get("do") == "stop":
                socket_path(root).unlink(missing_ok=True)
                _reply(channel, {"stopped": True})
                return
            if request.get("fingerprint") != mark or not root.is_dir():
                socket_path(root).unlink(missing_ok=True)  # whoever comes now starts the next judge
                listener.close()
                _reply(channel, {"stale": True})
                return
            reply, afterwards = session.answer(request)
            _reply(channel, reply)
        if afterwards is not None:
            afterwards()


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
