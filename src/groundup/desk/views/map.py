"""The map: the course as a wall that grows from the ground, and what comes next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ...course import courses
from ...course.checking.session import next_lesson
from ...course.lessons.lesson import Lesson, find_all
from ...course.progress.store import Standing
from ...course.progress.time_spent import minutes_spent
from ...course.showing.wall import state
from ...course.tracks import Gate, Track, lessons_of, still_open
from ...course.workspace.kept_runs import kept_recipes
from ..paging import fragment, render
from ..place import Place
from ..reading.sentences import plain
from ..workbench.watching import follow_map, newest

SAID = {"built": "built", "stretch": "built, stretch too", "now": "next", "ready": "ready", "later": "later"}
WIDTHS = 24  # classes of width that the style sheet has


@dataclass(frozen=True)
class Brick:
    """A lesson in the wall. width: of its time, from 1 to WIDTHS; aside: it is not on the track, and not built."""

    lesson: Lesson
    state: str
    width: int
    spent: float  # minutes
    aside: bool = False

    @property
    def said(self) -> str:
        """Its state in a word or two."""
        return SAID[self.state] + (", not on your track" if self.aside else "")


@dataclass(frozen=True)
class GateShown:
    """A gate of the track, and what it still asks for: nothing, once it is met."""

    gate: Gate
    asks: list[str]


@dataclass(frozen=True)
class Course:
    """A phase: one course of the wall."""

    number: int
    title: str
    bricks: list[Brick]

    @property
    def count(self) -> str:
        """How much of it is built, in words."""
        built = sum(brick.state in ("built", "stretch") for brick in self.bricks)
        if built == len(self.bricks):
            return "built"
        return (
            f"{built} of {len(self.bricks)}" if built else f"{len(self.bricks)} lesson{'s' * (len(self.bricks) != 1)}"
        )


def wall_values(place: Place) -> dict[str, Any]:
    """The wall from the ground up, what comes next, and the time."""
    workspace, lessons = place.workspace, find_all()
    track = workspace.track
    with workspace.store(readonly=True) as store:
        standings = store.standings()
        spent = minutes_spent(store.events())
    following = next_lesson(standings, track)
    kept = kept_recipes(workspace)
    left = sum(
        max(0.0, lesson.minutes - spent.get(lesson.section_id, 0.0))
        for lesson in lessons_of(track)
        if not standings.get(lesson.section_id, Standing("")).passed
    )
    return {
        "courses": _courses(lessons, standings, following, spent, track),
        "track": track,
        "narrow": len(lessons_of(track)) < len(lessons),
        "gates": [GateShown(gate, still_open(gate, standings, kept)) for gate in track.gates],
        "following": following,
        "opened": following is not None and standings.get(following.section_id, Standing("")).opened,
        "lead": _lead(following) if following is not None else "",
        "spent_here": spent.get(following.section_id, 0.0) if following is not None else 0.0,
        "spent": sum(spent.values()),
        "left": left,
        "config": workspace.config,
        "pack": courses.current(),
    }


def _courses(
    lessons: Sequence[Lesson], standings: dict[str, Standing], now: Lesson | None, spent: dict[str, float], track: Track
) -> list[Course]:
    on_track = {lesson.section_id for lesson in lessons_of(track)}
    phases: dict[int, list[Lesson]] = {}
    for lesson in lessons:
        phases.setdefault(lesson.phase, []).append(lesson)
    return [
        Course(
            number,
            group[0].phase_title,
            [
                Brick(
                    lesson,
                    state(lesson, standings, now, track),
                    max(2, min(WIDTHS, round(lesson.minutes / 30))),
                    spent.get(lesson.section_id, 0.0),
                    lesson.section_id not in on_track and not standings.get(lesson.section_id, Standing("")).passed,
                )
                for lesson in group
            ],
        )
        for number, group in sorted(phases.items())
    ]


def _lead(lesson: Lesson) -> str:
    """The first paragraph of a lesson as plain text."""
    return plain(lesson.prose.strip().partition("\n\n")[0])


async def page(request: Request) -> Response:
    """The whole map."""
    place = request.app.state.place
    values = await place.work(wall_values, place)
    return render(request, "map.html", cursor=await place.work(newest, place), **values)


async def wall(request: Request) -> Response:
    """The part that changes when something is built."""
    place = request.app.state.place
    values = await place.work(wall_values, place)
    return Response(fragment(request, "_wall.html", **values), media_type="text/html")


def sources(place: Place) -> None:
    """What the stream tells of the map."""
    place.hub.source("map", lambda argument, after: follow_map(place, argument, after))


routes = [Route("/", page), Route("/map/wall", wall)]
