"""The pages of the guide: Markdown that comes with groundup."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from . import GuideError

NAMES = ("communities", "compute", "habits", "puzzles")


@dataclass(frozen=True)
class Page:
    """A page: its title, and its Markdown below that."""

    name: str
    title: str
    text: str


def page(name: str) -> Page:
    """A page by name. GuideError names those there are."""
    if name not in NAMES:
        raise GuideError(f"the guide has {', '.join(NAMES)}, not {name[:40]!r}")
    title, _, text = Path(__file__).with_name(f"{name}.md").read_text(encoding="utf-8").partition("\n")
    return Page(name, title.removeprefix("# "), text.strip() + "\n")
