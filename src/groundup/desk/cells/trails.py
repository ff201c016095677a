"""What a cell raised, as Python tells it, cut to the lines that are the learner's; and what to do about it.

A traceback through the inside of NumPy says nothing to whoever wrote three lines above it. What stays is the cell and
the learner's own files, under the names that the lesson uses.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterator
from pathlib import Path

from ...course.lessons.extras import EXTRA_OF, how_to_get

INNERMOST = 100  # frames that are looked at: a recursion may be a million deep
SHOWN = 20_000  # characters of a traceback
SANDBOX = (
    "Cells run in a sandbox: no network, no other processes, and of files only the data and a folder of their own."
)
ADVICE: tuple[tuple[type[BaseException], str], ...] = (
    (MemoryError, "That is more memory than cells have; `restart` frees what they hold."),
    (NotImplementedError, "This part of your library is not written yet."),
    (PermissionError, SANDBOX),
    (EOFError, "A cell cannot ask for input: write the value into the code."),
    (SystemExit, "The cells go on: `restart` is what ends them."),
)


def trail_of(problem: BaseException, mine: Path) -> str:
    """The traceback as text. What led to the exception (`from`, or the one that was being handled) comes before it."""
    told = traceback.TracebackException.from_exception(problem, limit=-INNERMOST, compact=True)
    for part in _parts(told):
        for frame in part.stack:
            _ = frame.line  # read now, by the name under which it is found
        kept = [frame for frame in part.stack if _named(frame, mine)]
        part.stack = traceback.StackSummary.from_list(kept)
    text = "".join(told.format()).rstrip("\n")
    if len(text) > SHOWN:
        text = f"{text[: SHOWN // 2]}\n…\n{text[-SHOWN // 2 :]}"
    return text


def _parts(told: traceback.TracebackException | None) -> Iterator[traceback.TracebackException]:
    """It, and every exception that is told with it."""
    if told is not None:
        yield told
        yield from _parts(told.__cause__)
        yield from _parts(told.__context__)
        for inner in getattr(told, "exceptions", None) or ():  # of a group, from Python 3.11 on
            yield from _parts(inner)


def _named(frame: traceback.FrameSummary, mine: Path) -> bool:
    """Whether a frame is the learner's; a file of theirs gets the name it has in the lesson."""
    if frame.filename.startswith("<cell "):
        return True
    if not frame.filename.startswith(f"{mine}{os.sep}"):
        return False
    frame.filename = "mine/" + os.path.relpath(frame.filename, mine).replace(os.sep, "/")
    return True


def advice_on(problem: BaseException) -> str:
    """One sentence on what to do, where the exception does not say it itself; or nothing."""
    seen: set[int] = set()
    found: BaseException | None = problem
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        if isinstance(found, ModuleNotFoundError):
            package = (found.name or "").split(".")[0]
            return f"It is not installed: `{how_to_get(package)}`." if package in EXTRA_OF else ""
        for kind, advice in ADVICE:
            if isinstance(found, kind):
                return advice
        found = found.__cause__ or found.__context__
    return ""
