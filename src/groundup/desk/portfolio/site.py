"""A built site on the disk: only what has changed is written, beside and renamed, and nothing that is not ours is touched.

A list of what was written lies with it. A page that is no longer made is taken away, if it is still as it was written: an entry of
the log that was shown once and is not allowed any more does not stay behind.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ...course.workspace.workspace import WorkspaceError

LISTED = "portfolio-files.json"  # in the site: name and SHA-256 of every file in it


@dataclass(frozen=True)
class Written:
    """What writing a site has done. kept_back: files of ours that were changed by another hand, and left."""

    written: int
    unchanged: int
    removed: int
    left: tuple[str, ...] = ()


def with_list(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files of a site, and the list of them."""
    names = {name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items())}
    return {**files, LISTED: (json.dumps({"schema": 1, "files": names}, indent=0) + "\n").encode()}


def listed(data: bytes) -> dict[str, str]:
    """Names and hashes from a list; empty where it cannot be read, and without a name that leads elsewhere."""
    try:
        found = json.loads(data)["files"]
        names = {str(name): str(sha) for name, sha in found.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}
    return {name: sha for name, sha in names.items() if is_inside(name)}


def is_inside(name: str) -> bool:
    """Whether a name is that of a file below the folder, whatever folder that is."""
    path = PurePosixPath(name)
    return (
        bool(path.parts) and not path.is_absolute() and ".." not in path.parts and "\\" not in name and "\0" not in name
    )


def write_site(folder: Path, files: Mapping[str, bytes]) -> Written:
    """Makes a folder hold these files. WorkspaceError if it cannot; what was there before then stays, the list too."""
    folder = folder.resolve()
    files = with_list(files)
    if folder.exists() and not folder.is_dir():
        raise WorkspaceError(f"{folder} is a file: name a folder")
    _refuse_strangers(folder, files)
    try:
        before = listed((folder / LISTED).read_bytes())
    except OSError:
        before = {}
    changed = [name for name, data in files.items() if name != LISTED and not _holds(folder / name, data)]
    try:
        for name in changed:
            _write(folder / name, files[name])
        removed, left = _remove(folder, {name: sha for name, sha in before.items() if name not in files})
        if not _holds(folder / LISTED, files[LISTED]):
            _write(folder / LISTED, files[LISTED])
    except OSError as problem:
        raise WorkspaceError(f"{folder} cannot be written: {problem.strerror}") from None
    return Written(len(changed), len(files) - 1 - len(changed), removed, tuple(left))


def _refuse_strangers(folder: Path, files: Mapping[str, bytes]) -> None:
    """A folder that holds an index of somebody else's is not written into."""
    if (folder / "index.html").exists() and not (folder / LISTED).exists():
        raise WorkspaceError(f"{folder} has an index.html that is not of a portfolio: name another folder")


def _holds(path: Path, data: bytes) -> bool:
    try:
        return not path.is_symlink() and path.stat().st_size == len(data) and path.read_bytes() == data
    except OSError:
        return False


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, beside = tempfile.mkstemp(prefix=f".{path.name[:60]}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        os.chmod(beside, 0o644)
        os.replace(beside, path)
    except BaseException:
        os.unlink(beside)
        raise


def _remove(folder: Path, names: Mapping[str, str]) -> tuple[int, list[str]]:
    """Takes away files that are as they were written, and folders that this has emptied."""
    removed, left = 0, []
    for name, sha in names.items():
        path = folder / name
        if path.is_symlink() or not path.is_file() or not path.resolve().is_relative_to(folder):
            continue
        if hashlib.sha256(path.read_bytes()).hexdigest() != sha:
            left.append(name)
            continue
        path.unlink()
        removed += 1
        with contextlib.suppress(OSError):  # not empty
            path.parent.rmdir()
    return removed, left
