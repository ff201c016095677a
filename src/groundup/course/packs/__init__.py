"""Packs: courses by others. A pack is a folder, or a wheel of one, with `course.toml`, lessons and its own reference.

Nothing of a pack runs, and no lesson of it is read, before its reader has trusted the hash of all its files.
"""

from __future__ import annotations

from pathlib import Path


def names_pack(root: Path) -> bool:
    """Whether a workspace may name a pack: a word looked for, before anything is imported to read its groundup.toml."""
    try:
        return b"course" in (root / "groundup.toml").read_bytes()
    except OSError:
        return False
