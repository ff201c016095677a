"""Asks whether a pack may be run, having shown what it is. Where nobody can be asked, the answer is no."""

from __future__ import annotations

import sys

from ..course.courses import Course
from ..course.packs.opening import size
from ..course.packs.trust import Untrusted, demand, trust
from ..course.showing.terminal import BOLD, SOFT, paint, printable
from ..course.workspace.workspace import WorkspaceError

SHORTEST = 16  # characters of a hash that may stand for the whole
RUNS = "Its reference, checks and figures are Python, and run here with your rights. Look at the files first."


def settle(course: Course, given: str | None, may_ask: bool, command: str = "groundup start --course") -> None:
    """Returns once the pack is trusted: it was, `given` is its hash, or the answer is yes. Untrusted, WorkspaceError otherwise."""
    try:
        demand(course)
        return
    except Untrusted as problem:
        if given is not None:
            if len(given) < SHORTEST or not course.digest.startswith(given):
                raise WorkspaceError(
                    f"the hash of {course.given} is {course.digest}, not what --trust says: look at what has changed"
                ) from None
        elif not may_ask:
            raise Untrusted(course, problem.changed, command) from None
        elif not _said_yes(problem):
            raise WorkspaceError(f"{course.name} is not trusted, and nothing of it has been run") from None
    trust(course)


def asked(problem: Exception) -> bool:
    """Whether an error was a pack that is not trusted, somebody is there to ask, and the answer was yes."""
    if not isinstance(problem, Untrusted) or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    if not _said_yes(problem):
        return False
    trust(problem.course)
    return True


def _said_yes(problem: Untrusted) -> bool:
    print(described(problem.course))
    if problem.changed:
        print("It is not as it was when you trusted it.")
    print(paint(RUNS, SOFT))
    return input("Trust it as it now is? [y/N]: ").strip().lower() in ("y", "yes")


def described(course: Course) -> str:
    """What a pack says it is, and what it holds."""
    lessons, files, total = size(course)
    holds = f"{lessons} lesson{'s' * (lessons != 1)}, {files} files, {total / 1000:.0f} kB"
    rows = (
        ("by", ", ".join(course.authors)),
        ("licence", course.licence),
        ("from", str(course.given)),
        ("holds", holds),
        ("hash", course.digest),
    )
    head = f"{paint(course.name, BOLD)}   {course.title}"
    return "\n".join([head, *(f"  {name:9}{printable(value)}" for name, value in rows)])
