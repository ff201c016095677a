"""The command arena: the hardest lessons, begun, judged or given up, with one's own times."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ..course.lessons.lesson import find, find_all
from ..course.plan.days import here
from ..course.recall import arena as ring
from ..course.recall.arena import clock
from ..course.showing.terminal import MISS, PASS, SOFT, paint, verdict_text
from ..course.workspace.workspace import WorkspaceError, find_workspace


def arena(name: str | None, stop: bool, as_json: bool) -> int:
    """The hardest lessons; or one of them, begun, judged or given up. 1 where it does not pass."""
    workspace, now = find_workspace(), here()
    lessons = find_all() if name is None else (find(name),)
    with workspace.store() as store:
        found = ring.bouts(lessons, store.standings(), store.events())
        if name is None:
            return _hardest(found, as_json)
        if not found:
            raise WorkspaceError(f"{name} has not been passed yet: the arena is for what was built once")
        [bout] = found
        if stop:
            if not bout.begun:
                raise WorkspaceError(f"there is no attempt at {name} to give up")
            ring.stop(store, bout.lesson)
            return _told({"lesson": name, "stopped": True}, "Given up; it does not count.", as_json)
        if not bout.begun:
            paths = ring.begin(workspace, store, bout.lesson)
            best = f" Your best is {clock(bout.best)}." if bout.best is not None else ""
            says = f"{', '.join(paths)}: blank.{best} The clock runs; when you are done: groundup arena {name}"
            return _told({"lesson": name, "paths": paths, "best": bout.best}, says, as_json)
        reply, seconds = ring.judge_bout(workspace, store, bout, now)
    if seconds is None:
        said_so = verdict_text(
            reply["verdict"], reply["title"], source=reply.get("source", ""), again=f"groundup arena {name}"
        )
        _told({"lesson": name, "passed": False, "verdict": reply["verdict"]}, said_so, as_json)
        return 1
    before = bout.best
    fastest = seconds if before is None else min(before, seconds)
    better = f", your best so far was {clock(before)}" if before is not None else ", your first time"
    says = f"{paint('●', PASS)} {name} {bout.lesson.title} in {clock(seconds)}{better}."
    return _told(
        {"lesson": name, "passed": True, "seconds": seconds, "best": fastest, "verdict": reply["verdict"]},
        says,
        as_json,
    )


def _hardest(found: Sequence[ring.Bout], as_json: bool) -> int:
    if as_json:
        print(json.dumps({"schema": 1, "lessons": [bout_object(bout) for bout in found]}))
        return 0
    for bout in found[: ring.HARDEST]:
        times = f"best {clock(bout.best)}, {len(bout.times)} times" if bout.best is not None else "not tried yet"
        running = paint("   the clock runs", MISS) if bout.begun else ""
        print(f"{bout.lesson.section_id:<5} {bout.lesson.title:<36} {paint(times, SOFT)}{running}")
    print(
        "Hardest first: groundup arena 1.3 begins" if found else "Nothing has been passed yet: the arena is for later."
    )
    return 0


def _told(found: dict[str, Any], says: str, as_json: bool) -> int:
    print(json.dumps({"schema": 1, **found}, allow_nan=False) if as_json else says)
    return 0


def bout_object(bout: ring.Bout) -> dict[str, Any]:
    """A lesson in the arena as JSON has it (docs/journey.md)."""
    return {
        "lesson": bout.lesson.section_id,
        "title": bout.lesson.title,
        "hard": round(bout.hard, 3),
        "times": list(bout.times),
        "best": bout.best,
        "begun": bout.begun or None,
    }
