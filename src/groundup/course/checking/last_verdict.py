"""The judge's last reply about each lesson, in `.groundup/last`, for whoever shows it later.

It is a copy: the log of events says what counts, and a file that is missing or damaged costs a check and nothing else.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..lessons.lesson import Lesson
from ..workspace.workspace import Workspace, WorkspaceError, write_atomically


@dataclass(frozen=True)
class LastVerdict:
    """A reply of the judge, and the SHA-256 of each file that it is about, by library path."""

    reply: dict[str, Any]
    files: dict[str, str]


def keep(workspace: Workspace, lesson: Lesson, reply: Mapping[str, Any], files: Mapping[str, bytes]) -> None:
    """Keeps a reply about files; where it cannot be written, nothing is said: the verdict itself has been recorded."""
    text = json.dumps({"reply": reply, "files": hashes(files)})
    with contextlib.suppress(WorkspaceError):
        write_atomically(workspace.root / ".groundup" / "last" / f"{lesson.section_id}.json", text.encode())


def last(workspace: Workspace, lesson: Lesson) -> LastVerdict | None:
    """The last reply about a lesson; None where there is none that can be read."""
    path = workspace.root / ".groundup" / "last" / f"{lesson.section_id}.json"
    try:
        found = json.loads(path.read_bytes())
        kept = LastVerdict(dict(found["reply"]), dict(found["files"]))
        return kept if kept.reply["verdict"]["lesson"] == lesson.section_id else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def hashes(files: Mapping[str, bytes]) -> dict[str, str]:
    """The SHA-256 of each."""
    return {path: hashlib.sha256(data).hexdigest() for path, data in files.items()}
