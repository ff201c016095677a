"""The shelf as JSON, schema 1."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from ..workspace.workspace import Workspace
from .reading_log import note_of
from .shelf import Asked, Item, held_back, rhythm, three_passes


def as_object(
    items: Sequence[Item], asked: Asked, workspace: Workspace | None, read: Collection[str]
) -> dict[str, Any]:
    """What was asked for, and each item with what the learner has done with it."""
    return {
        "schema": 1,
        "phase": asked.phase,
        "rhythm": rhythm(asked.phase) if asked.phase is not None else None,
        "held_back": held_back(asked),
        "items": [_item(item, workspace, item.key in read) for item in items],
    }


def _item(item: Item, workspace: Workspace | None, is_read: bool) -> dict[str, Any]:
    note = note_of(workspace, item.key) if workspace is not None else None
    return {
        "key": item.key,
        "kind": item.kind,
        "title": item.title,
        "by": list(item.by),
        "year": item.year,
        "importance": item.importance,
        "phase": item.phase,
        "lessons": list(item.serves),
        "chapters": [{"what": part.what, "lessons": list(part.lessons)} for part in item.chapters],
        "why": item.why,
        "passes": list(three_passes(item)),
        "arxiv": item.arxiv or None,
        "doi": item.doi or None,
        "url": item.link,
        "venue": item.venue or None,
        "free": item.free,
        "read": is_read,
        "passed": list(note.passes) if note else [False, False, False],
        "says": note.text if note else "",
        "problem": (note.problem if note else "") or None,
    }
