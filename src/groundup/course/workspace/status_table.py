"""The table in the workspace's README: what is built, which gates are met, what is next.

It stands between two comments, and nothing outside them is ever touched. A README without them, or without an end to them, is left
as it is: whoever takes the comments out wants no table.
"""

from __future__ import annotations

import contextlib
import re

from ...errors import NotUsable
from ..lessons.lesson import Lesson, find_all
from ..progress.store import Standing
from ..tracks import gates_met, lessons_of
from .kept_runs import kept_recipes
from .workspace import Workspace, write_atomically

BEGIN, END = b"<!-- status -->", b"<!-- /status -->"


def update(workspace: Workspace) -> bool:
    """Brings the table up to date; whether the README was written. It never fails: the README is the learner's."""
    with contextlib.suppress(OSError, NotUsable):
        path = workspace.root / "README.md"
        before = path.read_bytes()
        after = replaced(before, table(workspace))
        if after != before and path.read_bytes() == before:  # an editor may have saved in the meantime
            write_atomically(path, after)
            return True
    return False


def replaced(readme: bytes, text: str) -> bytes:
    """A README with a text between its comments, in the line ends that it has; as it was, if it has not one of each in order."""
    if readme.count(BEGIN) != 1 or readme.count(END) != 1 or readme.index(END) < readme.index(BEGIN):
        return readme
    newline = "\r\n" if b"\r\n" in readme else "\n"
    above, _, rest = readme.partition(BEGIN)
    _, _, below = rest.partition(END)
    middle = newline.join(["", *text.splitlines(), ""]).encode()
    return above + BEGIN + middle + END + below


def table(workspace: Workspace) -> str:
    """What stands in the README, as Markdown: the same for the same progress."""
    from ..checking.session import next_lesson

    track = workspace.track
    with workspace.store(readonly=True) as store:
        standings = store.standings()
    on_track = {lesson.section_id for lesson in lessons_of(track)}
    phases: dict[str, list[Lesson]] = {}
    for lesson in find_all():
        if lesson.section_id in on_track or _passed(lesson, standings):
            phases.setdefault(lesson.phase_title, []).append(lesson)
    lines = ["| phase | built | lessons built |", "|---|---|---|"]
    for title, lessons in phases.items():
        built = [lesson for lesson in lessons if _passed(lesson, standings)]
        names = ", ".join(lesson.section_id for lesson in built)
        lines.append(f"| {_plain(title)} | {len(built)} of {len(lessons)} | {names} |")
    following = next_lesson(standings, track)
    then = f"{following.section_id} {_plain(following.title)}" if following else "everything that is here is built"
    lines += ["", f"Track: {_plain(track.title)}. Next: {then}."]
    gates = gates_met(track, standings, kept_recipes(workspace))
    if met := [_plain(gate.name) for gate, good in gates if good]:
        lines += ["", f"Gates met, {len(met)} of {len(gates)}: {', '.join(met)}."]
    return "\n".join(lines)


def _passed(lesson: Lesson, standings: dict[str, Standing]) -> bool:
    return standings.get(lesson.section_id, Standing("")).passed


def _plain(text: str) -> str:
    """A text of somebody else's without what Markdown would make something of."""
    return re.sub(r"([\\|`*_\[\]<>#])", r"\\\1", " ".join(text.split()))
