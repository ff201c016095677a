"""The command plan: decisions written down, then the plan shown, or taken to a calendar."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..course.plan.days import here
from ..course.plan.ical import exported, ical
from ..course.plan.making import Plan, plan_of
from ..course.plan.schema import as_object
from ..course.plan.settings import EVENINGS, FULL_DAYS, decide, tick
from ..course.plan.text import plan_text
from ..course.workspace.workspace import Workspace, WorkspaceError, find_workspace, write_atomically

BEGINS = b"BEGIN:VCALENDAR"


@dataclass(frozen=True)
class Asked:
    """What the command line says. off, on: days taken off and taken back; done: names of marks; weeks: so many in full."""

    hours: float | None = None
    full_days: bool = False
    evenings: bool = False
    off: Sequence[str] = ()
    on: Sequence[str] = ()
    level: str | None = None
    done: Sequence[str] = ()
    undo: Sequence[str] = ()
    weeks: int = 0
    ical: str | None = None
    json: bool = False


def plan(asked: Asked) -> int:
    """Decides what is asked, then shows the plan."""
    if asked.full_days and asked.evenings:
        raise WorkspaceError("a week is of --full-days or of --evenings: say one of them")
    if asked.weeks < 0:
        raise WorkspaceError("--weeks is how many weeks you want to see")
    if asked.ical is not None and asked.ical != "-":
        _check_file(asked.ical)
    workspace, now = find_workspace(), here()
    shape = FULL_DAYS if asked.full_days else EVENINGS if asked.evenings else None
    marks = [(name, False) for name in asked.done] + [(name, True) for name in asked.undo]
    if marks:
        _check_marks(plan_of(workspace, now), [name for name, _ in marks])
    workspace = decide(workspace, now, hours=asked.hours, shape=shape, off=asked.off, on=asked.on, level=asked.level)
    for name, undo in marks:
        tick(workspace, name, undo)
    made = plan_of(workspace, now)
    if asked.ical is not None:
        said = _export(workspace, made, asked.ical)
        if asked.ical == "-":
            return 0
        if not asked.json:
            print(said)
            return 0
    print(json.dumps(as_object(made), allow_nan=False) if asked.json else plan_text(made, asked.weeks))
    return 0


def _check_marks(made: Plan, names: Sequence[str]) -> None:
    known = [mark.name for mark in made.marks if mark.tickable]
    for name in names:
        if name not in known:
            raise WorkspaceError(f"there is nothing called {name!r} to tick off: {', '.join(known)}")


def _export(workspace: Workspace, made: Plan, where: str) -> str:
    """Writes the calendar, and keeps which sittings it had."""
    content = ical(made)
    if where == "-":
        sys.stdout.write(content.decode())
    else:
        write_atomically(Path(where).expanduser(), content)
    with workspace.store() as store:
        store.append("planned", exported=exported(made))
    sittings = len(made.sittings)
    return f"{sittings} sittings are in {where}; import it again after a change, and your calendar follows"


def _check_file(where: str) -> None:
    """Another file than a calendar is never written over."""
    path = Path(where).expanduser()
    try:
        with path.open("rb") as file:
            if file.read(len(BEGINS)) == BEGINS:
                return
    except FileNotFoundError:
        return
    except OSError as problem:
        raise WorkspaceError(f"{path} cannot be read: {problem.strerror}") from None
    raise WorkspaceError(f"{path} is there and is no calendar: name another file, such as plan.ics")
