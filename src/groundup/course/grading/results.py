"""The output folder: one file a result, written beside and renamed, so that it is there as a whole or not at all.

Several runs may share the folder, on several machines. What cannot be read counts as not there.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from pathlib import Path
from typing import Any

from ..workspace.workspace import WorkspaceError
from .grading import SCHEMA, Terms

TERMS = "grading.json"


class Results:
    """Results by their keys, in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._below = folder / "results"
        self._made: set[str] = set()

    def terms(self, seed: int, times: int, chosen: bool) -> Terms:
        """The terms that this folder was begun with, or these if it is new or they were `chosen`. WorkspaceError if it
        cannot be used. Of two that begin it together one wins, and both grade by its seed.
        """
        path = self.folder / TERMS
        try:
            self._below.mkdir(parents=True, exist_ok=True)
            if chosen:
                write(path, _terms(seed))
                return Terms(seed, times)
            beside = _beside(path, _terms(seed))
            with contextlib.suppress(FileExistsError):
                os.link(beside, path)
            os.unlink(beside)
            kept = json.loads(path.read_bytes())["seed"]
        except OSError as problem:
            raise WorkspaceError(f"{self.folder} cannot hold the grades: {problem.strerror}") from None
        except (ValueError, KeyError, TypeError):
            kept = None
        if type(kept) is not int or kept < 0:
            raise WorkspaceError(f"{path} is not what a grading writes: name another folder with --out")
        return Terms(kept, times)

    def path(self, key: str) -> Path:
        """Where a result is kept."""
        return self._below / key[:2] / f"{key}.json"

    def has(self, key: str) -> bool:
        """Whether there is a whole result."""
        return self.get(key) is not None

    def get(self, key: str) -> dict[str, Any] | None:
        """A result; None if there is none that can be read."""
        try:
            found = json.loads(self.path(key).read_bytes())
        except (OSError, ValueError):
            return None
        whole = isinstance(found, dict) and found.get("schema") == SCHEMA and found.get("key") == key
        return found if whole and ("verdict" in found) != ("ended" in found) else None

    def put(self, key: str, result: bytes) -> None:
        """Keeps a result. WorkspaceError if it cannot be kept."""
        path = self.path(key)
        try:
            if key[:2] not in self._made:
                path.parent.mkdir(parents=True, exist_ok=True)
                self._made.add(key[:2])
            write(path, result)
        except OSError as problem:
            raise WorkspaceError(f"{path} cannot be written: {problem.strerror}") from None


def write(path: Path, data: bytes) -> None:
    """Beside, then renamed: whoever looks finds the old file or the new one."""
    os.replace(_beside(path, data), path)


def _beside(path: Path, data: bytes) -> Path:
    beside = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    beside.write_bytes(data)
    return beside


def _terms(seed: int) -> bytes:
    return json.dumps({"schema": SCHEMA, "seed": seed}).encode() + b"\n"
