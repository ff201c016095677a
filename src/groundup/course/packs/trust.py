"""Which packs the reader trusts, by hash, in the reader's own configuration: a pack cannot vouch for itself."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shlex
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import platformdirs

from ..courses import Course
from .contents import CourseError

FORMAT = 1
WRITING = (
    "GROUNDUP_WRITING"  # the folder of the pack that is being written: `author preview` sets it for what it starts
)


class Untrusted(CourseError):
    """A pack that has not been trusted as it now is. Nothing of it has been run."""

    def __init__(self, course: Course, changed: bool, command: str = "groundup start --course") -> None:
        self.course, self.changed = course, changed
        how = "has changed since you trusted it" if changed else "has not been trusted yet"
        super().__init__(
            course.given,
            1,
            f"the course {course.name} {how}: look at it, then "
            f"`{command} {shlex.quote(str(course.given))} --trust {course.digest}`",
        )

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}"


def store() -> Path:
    """The file that says what is trusted."""
    return Path(platformdirs.user_config_dir("groundup", appauthor=False)) / "trusted.json"


def demand(course: Course) -> None:
    """Untrusted unless the reader has trusted the pack as it now is, or is the one who is writing it."""
    known = _read()
    if course.digest in known or os.environ.get(WRITING) == str(course.folder):
        return
    raise Untrusted(course, any(entry.get("path") == str(course.given) for entry in known.values()))


def trust(course: Course) -> None:
    """Remembers that this pack, as it now is, may be run."""
    with _alone() as path:
        known = _read()
        known[course.digest] = {"name": course.name, "path": str(course.given), "since": round(time.time())}
        descriptor, name = tempfile.mkstemp(prefix=".trusted-", dir=path.parent)  # mode 0600
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump({"format": FORMAT, "courses": known}, file, indent=1)
            os.replace(name, path)
        except BaseException:
            os.unlink(name)
            raise


@contextlib.contextmanager
def _alone() -> Iterator[Path]:
    """The store's path, with nobody else writing to it."""
    path = store()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(path.with_suffix(".lock"), "a", opener=lambda p, flags: os.open(p, flags, 0o600)) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield path
    except OSError as problem:
        raise CourseError(path, 1, f"cannot be written ({problem.strerror})") from None


def _read() -> dict[str, dict[str, Any]]:
    """Hash -> what was trusted. CourseError for a file that is not as we write it, or that others may write to."""
    path = store()
    try:
        with open(path, encoding="utf-8") as file:
            status = os.fstat(file.fileno())
            if status.st_uid != os.getuid() or status.st_mode & 0o022:
                raise CourseError(path, 1, "others may write to it: chmod 600, or delete it and trust your packs again")
            found = json.load(file)["courses"]
            if not all(isinstance(entry, dict) for entry in found.values()):
                raise ValueError("an entry is not an object")
            return dict(found)
    except FileNotFoundError:
        return {}
    except OSError as problem:
        raise CourseError(path, 1, f"cannot be read ({problem.strerror})") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as problem:
        raise CourseError(path, 1, f"cannot be read ({problem}): delete it, and trust your packs again") from None
