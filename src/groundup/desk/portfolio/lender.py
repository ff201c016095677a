"""Whose files stand in a package beside the learner's own: groundup's, or those of the pack that is learned; and on what terms."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import groundup

from ...course import courses

LICENCES = ("LICENSE", "LICENCE", "COPYING")


@dataclass(frozen=True)
class Lender:
    """name: of the course; licence: its name; text: what it says."""

    name: str
    licence: str
    text: str


def lender() -> Lender:
    """The course that is learned here."""
    pack = courses.current()
    if pack is None:
        package = Path(groundup.__file__).resolve().parent
        here = (package.parents[1] / "LICENSE", *package.parent.glob("groundup-*.dist-info/licenses/LICENSE"))
        return Lender("groundup", "MIT", _first(here) or "MIT License: see https://opensource.org/license/mit\n")
    here = tuple(pack.folder / f"{name}{ending}" for name in LICENCES for ending in ("", ".txt", ".md"))
    said = f"{pack.title}, by {', '.join(pack.authors)}. Licence: {pack.licence}.\n"
    return Lender(pack.name, pack.licence, _first(here) or said)


def _first(paths: tuple[Path, ...]) -> str:
    """What stands in the first of the files that is there."""
    return next((path.read_text(encoding="utf-8", errors="replace") for path in paths if path.is_file()), "")
