"""`groundup start`: asks what was not said, where there is somebody to ask, and makes the workspace."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from ..course import courses, tracks
from ..course.checking.client import workspace_root
from ..course.plan.days import here
from ..course.plan.making import plan_of
from ..course.plan.settings import check_hours
from ..course.showing.terminal import BOLD, SOFT, paint, width
from ..course.workspace.starting import Choices, add_container, check_begin, check_track, weeks
from ..course.workspace.starting import start as make
from ..course.workspace.workspace import BEGINNING, NAME, PLACEMENT, Workspace, WorkspaceError, read_config
from ..errors import NotUsable
from .learn import near

T = TypeVar("T")
PACES = "4 to 6 is a slow pace, 8 to 12 a steady one, 20 to 30 a full one"
DEFAULTS = Choices()


def start(
    folder: Path,
    yes: bool,
    track: str | None,
    hours: float | None,
    begin: str | None,
    devcontainer: bool,
    as_json: bool,
    course: Path | None = None,
    trust: str | None = None,
) -> int:
    chosen = (track, hours, begin)
    if devcontainer and chosen == (None, None, None) and (folder / NAME).is_file():
        return _into_existing(folder, as_json)
    ask = not yes and not as_json and sys.stdin.isatty()
    courses.use(_pack(course, trust, ask))
    if (there := _has_it_already(folder)) is not None:
        return _trusted(there, as_json)
    if ask and track is None:
        for name in tracks.names():
            each = tracks.load(name)
            print(f"  {name.ljust(12)}{each.title}\n{'':14}{paint(f'for {each.who}', SOFT)}")
    track = _choice(track, ask, "Track, or the path of a track's file", DEFAULTS.track, lambda text: text, check_track)
    hours = _choice(hours, ask, f"Hours a week ({PACES})", DEFAULTS.hours, _number, check_hours)
    route = check_track(track)
    question = f"Where do you begin ({BEGINNING}, {PLACEMENT}, or a lesson's id)"
    begin = _choice(begin, ask, question, DEFAULTS.begin, lambda text: text, lambda text: check_begin(text, route))
    workspace = make(folder, Choices(track, hours, begin, devcontainer, courses.current()))
    _tell(workspace, as_json)
    return 0


def _pack(given: Path | None, trust: str | None, ask: bool) -> courses.Course | None:
    """The pack that was named, trusted; None for groundup's own course. CourseError, Untrusted."""
    from ..course.packs.opening import look
    from .trusting import described, settle

    if given is None:
        if trust is not None:
            raise WorkspaceError("--trust goes with --course: groundup start --course PATH --trust HASH")
        return None
    course = look(given)
    settle(course, trust, ask)
    if ask:
        print(described(course))
    return course


def _has_it_already(folder: Path) -> Path | None:
    """The workspace that is meant, where there is one and it learns this pack already."""
    course = courses.current()
    inside = workspace_root(Path.cwd()) if folder == Path("workspace") else None
    root = folder if (folder / NAME).is_file() else inside
    if course is None or root is None:
        return None
    named = read_config(root / NAME).course
    return root if named and (root / Path(named).expanduser()).resolve() == course.given else None


def _trusted(root: Path, as_json: bool) -> int:
    course = courses.current()
    assert course is not None
    if as_json:
        print(json.dumps({"schema": 1, "workspace": str(root.resolve()), "course": about(course)}))
    else:
        print(f"{course.name} is trusted as it now is; your workspace {near(root.resolve())} goes on with it.")
    return 0


def about(course: courses.Course) -> dict[str, object]:
    """A pack as JSON."""
    return {
        "name": course.name,
        "title": course.title,
        "authors": course.authors,
        "licence": course.licence,
        "path": str(course.given),
        "hash": course.digest,
    }


def _choice(
    given: T | None, ask: bool, question: str, default: T, read: Callable[[str], T], check: Callable[[T], object]
) -> T:
    """What was given, or answered, or the default; a wrong answer is asked again, a wrong flag is an error."""
    if given is not None or not ask:
        value = default if given is None else given
        check(value)
        return value
    while True:
        try:
            answer = input(f"{question} [{default if isinstance(default, str) else f'{default:g}'}]: ").strip()
            value = read(answer) if answer else default
            check(value)
            return value
        except NotUsable as problem:
            print(problem)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise WorkspaceError(f"hours a week is a number, not {text!r}") from None


def _then(workspace: Workspace) -> str:
    return "groundup placement" if workspace.config.begin == PLACEMENT else "groundup next"


def _tell(workspace: Workspace, as_json: bool) -> None:
    config, track = workspace.config, workspace.track
    total, long = weeks(track, config.hours_per_week, config.begin)
    ends = plan_of(workspace, here()).ends
    with_git = (workspace.root / ".git").exists()
    problems = tracks.problems(track)
    if as_json:
        found = {
            "schema": 1,
            "workspace": str(workspace.root),
            "git": with_git,
            "track": track.name,
            "title": track.title,
            "lessons": [lesson.section_id for lesson in tracks.lessons_of(track)],
            "problems": problems,
            "hours_per_week": config.hours_per_week,
            "begin": config.begin,
            "hours": total,
            "weeks": long,
            "end": ends.planned.isoformat() if ends.planned is not None else None,
            "devcontainer": (workspace.root / ".devcontainer/devcontainer.json").exists(),
            "next": _then(workspace),
            "course": about(course) if (course := courses.current()) is not None else None,
        }
        print(json.dumps(found))
        return
    git = "with a git history" if with_git else "without a git history, because git is not installed"
    print(f"{workspace.root} is your workspace, {git}.")
    print(f"{track.title}: about {total} h of lessons are here.")
    print("\n".join(textwrap.wrap(ends.says, width())))
    for problem in problems:
        print(f"  {problem}")
    print("check  groundup doctor   " + paint("what works on this machine", SOFT))
    print("plan   groundup plan   " + paint("which day is for what", SOFT))
    there = "" if Path.cwd() == workspace.root else f"   (in {near(workspace.root)})"
    print(f"next   {paint(_then(workspace), BOLD)}{there}")


def _into_existing(folder: Path, as_json: bool) -> int:
    written = add_container(folder)
    if as_json:
        print(json.dumps({"schema": 1, "workspace": str(folder.resolve()), "written": written}))
    else:
        print("\n".join(f"{near(folder.resolve())}/{name}" for name in written) or "All of it is there already.")
    return 0
