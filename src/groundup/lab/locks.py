"""Locks that say whether a process lives: taken by flock on a file, and gone with the process however it ends.

The file says who has taken it: the process's number and its machine.
"""

from __future__ import annotations

import fcntl
import os
import platform
import time
from pathlib import Path

PATIENCE = 0.5  # seconds: whoever only looks has let go by then


def take(path: Path) -> int:
    """The lock's descriptor, to be closed. OSError if another process has it."""
    until = time.monotonic() + PATIENCE
    while True:
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            on_path = os.path.samestat(os.fstat(descriptor), os.stat(path))
        except FileNotFoundError:  # whoever had it before has just removed the file: a lock on nothing
            on_path = False
        except OSError:
            os.close(descriptor)
            if time.monotonic() > until:
                raise
            time.sleep(0.01)
            continue
        if on_path:
            os.ftruncate(descriptor, 0)
            os.write(descriptor, f"{os.getpid()} {platform.node()}\n".encode())
            return descriptor
        os.close(descriptor)


def held(path: Path) -> bool:
    """Whether a process that lives has the lock; those that look do not see each other."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def holder(path: Path) -> int | None:
    """The process on this machine that has the lock; None where nobody has it, or somebody elsewhere."""
    if not held(path):
        return None
    try:
        number, _, machine = path.read_text(encoding="utf-8", errors="replace").strip().partition(" ")
    except OSError:
        return None
    return int(number) if number.isdecimal() and machine == platform.node() else None
