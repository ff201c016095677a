"""Tracks: paths through the lessons, each with its gates, read from `tracks/NAME.toml`.

A route is steps of lessons and whole phases, in order. What has not been written yet is passed over: the route grows with the course.
One's own track is a file of the same form, `tracks/NAME.toml` in the workspace or anywhere else.
"""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import NotUsable
from . import courses
from .lessons.lesson import LEVELS, SECTION_ID, Lesson, find_all
from .progress.store import Standing

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

EVERYTHING = "everything"
FINAL = "recall --final"  # among a gate's runs: the last test of a track, kept as its own event
EITHER = " or "  # between lessons, or runs, of which one is enough: "12.2 or 12.4"
STEP = re.compile(r"\d+|\d+\.\d+")


class TrackError(NotUsable):
    """What is wrong with a track, in which file, and what was expected."""


@dataclass(frozen=True)
class Gate:
    """A named milestone: what must have been passed, and what run, for it to be met.

    An entry of needs or runs may leave a choice: "12.2 or 12.4".
    """

    name: str
    says: str
    needs: tuple[str, ...] = ()  # lessons that must be passed
    runs: tuple[str, ...] = ()  # recipes whose claims must be kept by one's own library; or FINAL
    source: str = ""  # the primary source that goes with it

    @property
    def lessons(self) -> tuple[str, ...]:
        """Every lesson that it names, choices laid open."""
        return tuple(lesson for entry in self.needs for lesson in entry.split(EITHER))


@dataclass(frozen=True)
class Track:
    """A path through the lessons."""

    name: str
    title: str
    who: str
    route: tuple[tuple[str, ...], ...]  # steps of lesson ids ("6.5") and phases ("6"), in order
    gates: tuple[Gate, ...] = ()
    optional: tuple[str, ...] = ()  # lessons of the route that may be left out on this track
    stands_in: tuple[str, ...] = ()  # lessons outside it, or later in it, for which the reference stands in
    begin: str = ""  # the lesson that the learner has chosen to begin at; "" for the first


def tracks_root() -> Path:
    """Where the tracks lie: inside the wheel, or beside `src` in a checkout."""
    package = Path(__file__).parents[1]
    inside, beside = package / "_tracks", package.parents[1] / "tracks"
    return inside if inside.is_dir() else beside


def names(workspace: Path | None = None) -> list[str]:
    """The tracks there are, with those in the folder of a workspace: `everything` first, then by name."""
    folders = [tracks_root()] if courses.current() is None else []
    folders += [workspace / "tracks"] if workspace is not None else []
    found = {path.stem for folder in folders for path in folder.glob("*.toml")}
    found |= {EVERYTHING}
    return sorted(found, key=lambda name: (name != EVERYTHING, name))


def exists(name: str, workspace: Path | None = None) -> bool:
    """Whether there is a track of this name, or at this path."""
    return _path(name, workspace) is not None


def load(name: str, workspace: Path | None = None) -> Track:
    """A track by name, or by the path of its file. TrackError if there is none, or for what is wrong in it.

    workspace: the folder of a workspace, whose own tracks come before those of the course and from which paths are taken.
    """
    course = courses.current()
    if name == EVERYTHING and course is not None:
        return Track(name, course.title, "", tuple((str(phase),) for phase in sorted({x.phase for x in find_all()})))
    path = _path(name, workspace)
    if path is None:
        raise TrackError(f"there is no track {name!r}: {_nearest(name, names(workspace))}")
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as problem:
        raise TrackError(f"{path}: this is not TOML ({problem}): write as in the tracks of the course") from None
    except (OSError, UnicodeDecodeError) as problem:
        raise TrackError(f"{path} cannot be read: {problem}") from None
    return _track(path, table)


def _path(name: str, workspace: Path | None) -> Path | None:
    if name.endswith(".toml"):
        path = Path(workspace or "").joinpath(Path(name).expanduser())
        return path if path.is_file() else None
    if not name or Path(name).name != name:
        return None
    own = [workspace / "tracks" / f"{name}.toml"] if workspace is not None else []
    if courses.current() is None or name == EVERYTHING:  # the others are of groundup's own lessons
        own.append(tracks_root() / f"{name}.toml")
    return next((path for path in own if path.is_file()), None)


def _track(path: Path, table: Mapping[str, Any]) -> Track:
    reader = _Reader(str(path), table)
    route = reader.take("route", list)
    steps = tuple(reader.entries(step, "a step of route", STEP) for step in route)
    if not any(steps):
        raise TrackError(f'{path}: route is steps of lessons and phases, such as [["1.0", "1.5"], ["2"]]')
    gates = reader.take("gate", list, [])
    track = Track(
        name=path.stem,
        title=reader.take("title", str),
        who=reader.take("who", str, ""),
        route=steps,
        gates=tuple(_gate(_Reader(f"{path}: gate {i}", gate)) for i, gate in enumerate(gates, 1)),
        optional=(*reader.entries(reader.take("optional", list, []), "optional", SECTION_ID), *_choices(steps)),
        stands_in=reader.entries(reader.take("stands_in", list, []), "stands_in", SECTION_ID),
    )
    reader.done()
    twice = [gate.name for gate in track.gates]
    if len(set(twice)) < len(twice):
        raise TrackError(f"{path}: two gates have one name: {max(twice, key=twice.count)}")
    return track


def _choices(steps: Sequence[tuple[str, ...]]) -> list[str]:
    """Of each choice that a route leaves, all but the first: the first is what one takes who does not choose."""
    return [other for step in steps for entry in step for other in entry.split(EITHER)[1:]]


def _gate(reader: _Reader) -> Gate:
    gate = Gate(
        name=reader.take("name", str),
        says=reader.take("says", str),
        needs=reader.entries(reader.take("needs", list, []), "needs", SECTION_ID),
        runs=reader.entries(reader.take("runs", list, []), "runs", re.compile(r"[\w -]+")),
        source=reader.take("source", str, ""),
    )
    reader.done()
    if not gate.needs and not gate.runs:
        raise TrackError(f"{reader.where}: a gate needs lessons, or runs")
    return gate


class _Reader:
    """Takes values of the right type out of a table."""

    def __init__(self, where: str, table: Any) -> None:
        if not isinstance(table, Mapping):
            raise TrackError(f"{where}: expected a table of names and values")
        self.where, self._table = where, dict(table)

    def take(self, name: str, kind: type, default: Any = None) -> Any:
        value = self._table.pop(name, default)
        if value is None:
            raise TrackError(f"{self.where}: {name} is missing")
        if default is None and value in ("", []):
            raise TrackError(f"{self.where}: {name} is empty")
        if not isinstance(value, kind):
            raise TrackError(f"{self.where}: {name} is {'a list' if kind is list else 'a text'}, not {value!r}")
        return value

    def entries(self, value: Any, what: str, form: re.Pattern[str]) -> tuple[str, ...]:
        """A list of texts of one form, choices among them."""
        if not isinstance(value, list):
            raise TrackError(f"{self.where}: {what} is a list, not {value!r}")
        for entry in value:
            if not isinstance(entry, str) or not all(form.fullmatch(choice) for choice in entry.split(EITHER)):
                raise TrackError(f'{self.where}: {what} has {entry!r}: write texts such as "6.5" or "12.2 or 12.4"')
        return tuple(value)

    def done(self) -> None:
        for name in self._table:
            raise TrackError(f"{self.where}: {name} is not a name that a track knows")


def lessons_of(track: Track, levels: Collection[str] = LEVELS, lessons: Sequence[Lesson] | None = None) -> list[Lesson]:
    """The lessons of a track that are here, in the order of its route, what they lean on before them.

    levels: only those; a lesson that the track leaves to choice counts as optional at least. lessons: instead of the course's.
    """
    found = _named(track, find_all() if lessons is None else lessons)
    ordered: dict[str, Lesson] = {}

    def add(lesson: Lesson) -> None:
        if lesson.section_id in ordered or lesson.section_id in waiting:
            return
        waiting.add(lesson.section_id)  # two lessons that lean on each other end here
        for other in leans_on(track, lesson):
            if other in found:
                add(found[other])
        ordered[lesson.section_id] = lesson

    waiting: set[str] = set()
    for lesson in found.values():
        add(lesson)
    return [lesson for lesson in ordered.values() if level_on(track, lesson) in levels]


def level_on(track: Track, lesson: Lesson) -> str:
    """A lesson's level on a track."""
    return "optional" if lesson.level == "core" and lesson.section_id in track.optional else lesson.level


def leans_on(track: Track, lesson: Lesson) -> tuple[str, ...]:
    """What has to come before a lesson on this track: what it leans on, but for what the reference stands in for."""
    return tuple(other for other in lesson.after if other not in track.stands_in)


def before_begin(track: Track) -> frozenset[str]:
    """The lessons that a learner who begins further on has left behind: the reference stands in, and they come last."""
    if not track.begin:
        return frozenset()
    ids = [lesson.section_id for lesson in lessons_of(track)]
    return frozenset(ids[: ids.index(track.begin)]) if track.begin in ids else frozenset()


def problems(track: Track, lessons: Sequence[Lesson] | None = None) -> list[str]:
    """What does not fit in a track, a sentence each: a lesson that leans on one outside it, a gate that needs one outside it."""
    found = _named(track, find_all() if lessons is None else lessons)
    entries = set(_entries(track))
    outside = [
        f"the gate {gate.name} needs {lesson}, which is not on the track {track.name}: add it to route"
        for gate in track.gates
        for lesson in gate.lessons
        if entries.isdisjoint((lesson, lesson.partition(".")[0]))
    ]
    return outside + [
        f"{lesson.section_id} {lesson.title} leans on {other}, which is not on the track {track.name}: "
        "add it to route, or to stands_in, if the reference may stand in"
        for lesson in found.values()
        for other in leans_on(track, lesson)
        if other not in found
    ]


def _named(track: Track, lessons: Sequence[Lesson]) -> dict[str, Lesson]:
    """The lessons of the route that are here, as they come in it."""
    found: dict[str, Lesson] = {}
    for entry in _entries(track):
        for lesson in lessons:
            if entry in (lesson.section_id, str(lesson.phase)):
                found.setdefault(lesson.section_id, lesson)
    return found


def _entries(track: Track) -> Iterator[str]:
    """The lessons and phases of a route, choices laid open."""
    return (choice for step in track.route for entry in step for choice in entry.split(EITHER))


def gates_met(
    track: Track, standings: Mapping[str, Standing], kept_recipes: Collection[str]
) -> list[tuple[Gate, bool]]:
    """Each gate of a track, and whether it is met."""
    return [(gate, not still_open(gate, standings, kept_recipes)) for gate in track.gates]


def still_open(gate: Gate, standings: Mapping[str, Standing], kept_recipes: Collection[str]) -> list[str]:
    """What a gate still asks for, as one would say it: lessons that are here, runs, and what is not here yet."""
    passed = {name for name, standing in standings.items() if standing.passed}
    here = {lesson.section_id for lesson in find_all()}
    lessons = [entry for entry in gate.needs if passed.isdisjoint(entry.split(EITHER))]
    runs = [entry for entry in gate.runs if not any(name in kept_recipes for name in entry.split(EITHER))]
    return [
        *(entry for entry in lessons if not here.isdisjoint(entry.split(EITHER))),
        *_runs_said(runs),
        *(f"{entry} (not here yet)" for entry in lessons if here.isdisjoint(entry.split(EITHER))),
    ]


def _runs_said(runs: Iterable[str]) -> Iterator[str]:
    from ..lab.recipe import names as recipes

    for entry in runs:
        if entry == FINAL:
            yield f"groundup {FINAL}"
        elif any(name in recipes() for name in entry.split(EITHER)):
            yield f"groundup run {entry} --mine"
        else:
            yield f"run {entry} (not here yet)"


def _nearest(name: str, options: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, options, n=2, cutoff=0.5)
    return f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(options)}"
