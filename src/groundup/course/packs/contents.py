"""The files of a pack, and the hash of all of them. Read as data: nothing here follows a link or runs anything."""

from __future__ import annotations

import hashlib
import os
import stat
import time
from pathlib import Path

from ..lessons.lesson import LessonError

MOST_FILES, MOST_BYTES, LARGEST = 5_000, 64 << 20, 16 << 20  # of a pack; of one file in it
DEEPEST = 12  # folders within folders
LEFT_OUT = ".git"  # the one thing beside the pack that its folder may hold
SETTLED = 2.0  # seconds after which a file's times say whether it has changed

Listed = tuple[str, os.stat_result]  # a path inside the pack, with slashes


class CourseError(LessonError):
    """What is wrong with a pack, where, and what was expected."""

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.problem}" if self.path.is_file() else f"{self.path}: {self.problem}"


class _Kept:
    """The hashes that have been made, each with the times of the files that it was made from."""

    by_folder: dict[Path, tuple[str, str]] = {}


def listed(folder: Path) -> list[Listed]:
    """Every file of a pack in the order of their paths. CourseError for a link, a device, or more than a pack may hold."""
    found: list[Listed] = []
    total = 0
    waiting = [""]
    while waiting:
        inside = waiting.pop()
        if inside.count("/") > DEEPEST:
            raise CourseError(folder / inside, 1, f"lies more than {DEEPEST} folders deep: a pack is flatter")
        try:
            with os.scandir(folder / inside) as entries:
                here = list(entries)
        except OSError as problem:
            raise CourseError(folder / inside, 1, f"cannot be read ({problem.strerror})") from None
        for entry in here:
            name = f"{inside}{entry.name}"
            status = entry.stat(follow_symlinks=False)
            if stat.S_ISDIR(status.st_mode):
                if name != LEFT_OUT:
                    waiting.append(f"{name}/")
                continue
            if not stat.S_ISREG(status.st_mode):
                raise CourseError(folder / name, 1, "is a link or a device: a pack holds files and folders")
            if status.st_size > LARGEST:
                raise CourseError(folder / name, 1, f"is larger than {LARGEST >> 20} MB")
            total += status.st_size
            found.append((name, status))
            if len(found) > MOST_FILES or total > MOST_BYTES:
                raise CourseError(
                    folder, 1, f"holds more than {MOST_FILES} files or {MOST_BYTES >> 20} MB: a pack is smaller"
                )
    for name, _ in found:
        if not _is_text(name):
            raise CourseError(folder, 1, f"has a file whose name cannot be printed: {name!r}")
    return sorted(found, key=lambda item: item[0])


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return name.isprintable()


def times_of(files: list[Listed]) -> str:
    """Changes whenever a file is written, moved, added or taken away."""
    said = "\n".join(f"{name} {s.st_ino} {s.st_size} {s.st_mtime_ns} {s.st_ctime_ns}" for name, s in files)
    return hashlib.sha256(said.encode()).hexdigest()


def digest(folder: Path) -> str:
    """The hash of a pack: of every path in it and what stands there. Read again only where the files' times have changed."""
    files = listed(folder)
    times = times_of(files)
    kept = _Kept.by_folder.get(folder)
    if kept is not None and kept[0] == times:
        return kept[1]
    whole = hashlib.sha256(b"groundup pack 1\n")
    for name, _ in files:
        whole.update(f"{len(name.encode())} {name} ".encode() + hashlib.sha256(read(folder / name)).digest())
    found = whole.hexdigest()
    newest = max((s.st_ctime for _, s in files), default=0.0)
    if time.time() - newest > SETTLED and times_of(listed(folder)) == times:
        _Kept.by_folder[folder] = (times, found)
    return found


def read(path: Path) -> bytes:
    """A file of a pack, no link followed. CourseError if it cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with open(descriptor, "rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as problem:
        raise CourseError(path, 1, f"cannot be read ({problem.strerror})") from None
    if len(data) > LARGEST:
        raise CourseError(path, 1, f"is larger than {LARGEST >> 20} MB")
    return data


def read_text(path: Path) -> str:
    """A file of a pack as text. CourseError if it is none."""
    try:
        return read(path).decode("utf-8")
    except UnicodeDecodeError as problem:
        raise CourseError(path, 1, f"is not text in UTF-8 ({problem.reason})") from None
