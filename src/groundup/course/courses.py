"""Which course is being learned: groundup's own, or a pack by others.

A process learns one course at a time. Whoever opens a workspace says which (`use`); lessons and reference are then those of it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Course:
    """A pack: where its lessons and its reference lie, who made it, and the hash of all of its files."""

    folder: Path
    name: str
    title: str
    authors: tuple[str, ...]
    licence: str
    lessons: Path
    package: Path  # the reference: mine/x.py falls back to x.py in it
    digest: str
    given: Path  # what was named: the folder itself, or the wheel that it was unpacked from


_current: Course | None = None


def current() -> Course | None:
    """The pack that is being learned, or None for groundup's own course."""
    return _current


def use(course: Course | None) -> None:
    """From here on lessons and reference are those of this pack, or of groundup."""
    global _current
    _current = course


@contextlib.contextmanager
def learning(course: Course | None) -> Iterator[None]:
    """That course, for as long as the context lasts."""
    before = current()
    use(course)
    try:
        yield
    finally:
        use(before)
