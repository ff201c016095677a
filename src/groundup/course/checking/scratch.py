"""The temporary folders of a process that judges: gone when it ends, and, if it was killed, when the next one begins."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .client import NoJudge, own_folder, temporary_folder


@contextlib.contextmanager
def own_scratch() -> Iterator[None]:
    """What `tempfile` makes inside the context lies in one folder, locked for as long as this process lives.

    Folders whose lock nobody holds belong to processes that were killed, and go. Where no such folder can be had, the
    system's own serves.
    """
    try:
        folder, lock = _take(own_folder(temporary_folder() / "scratch"))
    except (NoJudge, OSError):
        yield
        return
    before, tempfile.tempdir = tempfile.tempdir, str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = before
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _take(above: Path) -> tuple[Path, int]:
    """A new locked folder, and its lock; one process at a time makes, locks, and clears away."""
    door = os.open(above, os.O_RDONLY)
    try:
        fcntl.flock(door, fcntl.LOCK_EX)
        for left in above.iterdir():
            if (unheld := _lock(left)) is not None:
                shutil.rmtree(left, ignore_errors=True)
                os.close(unheld)
        mine = Path(tempfile.mkdtemp(prefix="judge-", dir=above))
        lock = _lock(mine)
        assert lock is not None
        return mine, lock
    finally:
        os.close(door)


def _lock(folder: Path) -> int | None:
    """Takes a folder's lock; None if another process has it, or the folder has gone meanwhile."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return descriptor
    except OSError:
        os.close(descriptor)
        return None
