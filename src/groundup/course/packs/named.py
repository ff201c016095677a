"""The pack that a workspace names, for those who have no more of the workspace than its folder."""

from __future__ import annotations

from pathlib import Path

from ..courses import Course
from . import contents, names_pack, opening


def pack_of(root: Path) -> Course | None:
    """The workspace's pack, trusted as it now is; None where its course is groundup's own. CourseError if it cannot be had."""
    named = _named(root)
    return opening.of_workspace(root, named) if named else None


def times_of_pack(root: Path) -> str:
    """Changes whenever a file of the pack does; "" where there is none, the reason where it cannot be read."""
    try:
        named = _named(root)
        return contents.times_of(contents.listed(opening.look(root / named).folder)) if named else ""
    except contents.CourseError as problem:
        return str(problem)


def _named(root: Path) -> str:
    from ..workspace.workspace import NAME, WorkspaceError, read_config

    try:
        return read_config(root / NAME).course if names_pack(root) else ""
    except WorkspaceError as problem:
        raise contents.CourseError(root / NAME, 1, str(problem)) from None
