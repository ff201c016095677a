"""A pack in a wheel: unpacked once, under the hash of the wheel, with a zip's every trick refused. Never imported from the zip."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import stat
import tempfile
import zipfile
import zlib
from pathlib import Path

import platformdirs

from .contents import DEEPEST, LARGEST, LEFT_OUT, MOST_BYTES, MOST_FILES, CourseError
from .manifest import NAME

SUFFIXES = (".whl", ".zip")
BESIDE = (".dist-info", ".data")  # top-level folders of a wheel that are not unpacked
FOLDER = re.compile(r"[\w-][\w.-]*", re.ASCII)


def store() -> Path:
    """Where packs are unpacked, in the reader's own data folder."""
    return Path(platformdirs.user_data_dir("groundup", appauthor=False)) / "courses"


def unpacked(wheel: Path) -> Path:
    """The folder of the pack in a wheel, unpacked now if it has not been. CourseError for what no pack would hold."""
    try:
        size = wheel.stat().st_size
        data = wheel.read_bytes() if size <= MOST_BYTES else b""
    except OSError as problem:
        raise CourseError(wheel, 1, f"cannot be read ({problem.strerror})") from None
    if not data:
        raise CourseError(wheel, 1, f"is empty, or larger than {MOST_BYTES >> 20} MB")
    place = store() / hashlib.sha256(data).hexdigest()[:32]
    if not place.is_dir():
        _unpack(wheel, place)
    tops = [top for top in place.iterdir() if (top / NAME).is_file()]
    if len(tops) != 1:
        raise CourseError(wheel, 1, f"{place}, where it was unpacked, has been changed: delete that folder")
    return tops[0]


def _unpack(wheel: Path, place: Path) -> None:
    try:
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=".unpacking-", dir=place.parent))
    except OSError as problem:
        raise CourseError(wheel, 1, f"cannot be unpacked into {place.parent} ({problem.strerror})") from None
    try:
        with zipfile.ZipFile(wheel) as archive:
            _extract(wheel, archive, beside)
        with contextlib.suppress(FileExistsError, NotADirectoryError):
            try:
                beside.rename(place)
            except OSError:
                if not place.is_dir():  # another process has just unpacked the same
                    raise
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, ValueError) as problem:
        raise CourseError(wheel, 1, f"is not a zip that can be unpacked ({problem})") from None
    except OSError as problem:
        raise CourseError(wheel, 1, f"cannot be unpacked ({problem.strerror})") from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _extract(wheel: Path, archive: zipfile.ZipFile, target: Path) -> None:
    """The one folder that has course.toml, entry by entry; each is looked at before anything is written."""
    entries = archive.infolist()
    for entry in entries:
        if problem := _wrong(entry):
            raise CourseError(wheel, 1, f"holds {entry.filename[:100]!r}: {problem}")
    tops = {entry.filename.split("/")[0] for entry in entries if not entry.filename.split("/")[0].endswith(BESIDE)}
    with_course = [top for top in tops if f"{top}/{NAME}" in archive.namelist()]
    if len(with_course) != 1 or len(tops) != 1:
        raise CourseError(wheel, 1, f"has one top-level folder with {NAME} in it, and nothing beside it")
    inside = [e for e in entries if e.filename.startswith(f"{with_course[0]}/") and not e.is_dir()]
    names = [entry.filename.casefold() for entry in inside]
    folders = {"/".join(name.split("/")[:i]) for name in names for i in range(1, name.count("/") + 1)}
    if len(set(names)) < len(names) or folders & set(names):
        raise CourseError(wheel, 1, "holds two files of one name")
    if len(inside) > MOST_FILES or sum(entry.file_size for entry in inside) > MOST_BYTES:
        raise CourseError(wheel, 1, f"holds more than {MOST_FILES} files or {MOST_BYTES >> 20} MB: a pack is smaller")
    left = MOST_BYTES
    for entry in inside:
        path = target / entry.filename
        path.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(entry) as source:
            data = source.read(min(LARGEST, left) + 1)  # what an entry says of its size may be a lie
        left -= len(data)
        if len(data) > LARGEST or left < 0:
            raise CourseError(wheel, 1, f"unpacks to more than {MOST_BYTES >> 20} MB")
        path.write_bytes(data)


def _wrong(entry: zipfile.ZipInfo) -> str:
    """What is wrong with an entry of a zip; "" for nothing."""
    name = entry.filename.removesuffix("/")
    parts = name.split("/")
    mode = entry.external_attr >> 16
    if not name.isprintable() or "\\" in name or ":" in name or any(part in ("", ".", "..") for part in parts):
        return "a path of a pack lies inside it, and is written with slashes"
    if "\x00" in entry.orig_filename or os.path.isabs(name):
        return "a path of a pack lies inside it, and is written with slashes"
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "a pack holds files and folders, no links"
    if len(parts) > DEEPEST + 1 or LEFT_OUT in parts or not FOLDER.fullmatch(parts[0]):
        return "a pack is a plain folder, without a git history and not so deep"
    if entry.flag_bits & 0x1:
        return "it is encrypted"
    return f"it is larger than {LARGEST >> 20} MB" if entry.file_size > LARGEST else ""
