"""What happens on the disk, told to the pages that show it; a file that is saved outside is judged while its lesson is open here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import watchfiles

from ...course.lessons.lesson import Lesson, find, find_all
from ...course.progress.store import Event
from ..hub import FROM_NOW, Message
from ..place import Place
from ..verdicts.points import points_html
from .lesson_files import is_judged, shas

DEBOUNCE_MS, STEP_MS = 30, 10
LOOK = 1.0  # seconds between two looks at what other processes have written


async def watch_files(place: Place) -> None:
    """Follows `mine` for as long as the desk is open."""
    folder = place.root / "mine"
    lessons = {str(folder / path): lesson for lesson in find_all() for path in lesson.builds}
    ended = asyncio.Event()
    place.closers.append(ended.set)
    changes = watchfiles.awatch(folder, debounce=DEBOUNCE_MS, step=STEP_MS, stop_event=ended, rust_timeout=500)
    async for changed in changes:
        found = {lessons[path].section_id: lessons[path] for _, path in changed if path in lessons}
        for lesson in found.values():
            await _saved(place, lesson)


async def _saved(place: Place, lesson: Lesson) -> None:
    topic = f"lesson:{lesson.section_id}"
    place.hub.ring(topic)
    if place.hub.followed(topic) and not await place.work(is_judged, place.workspace, lesson):
        await place.check_once(lesson)


async def follow_lesson(place: Place, section_id: str, after: int) -> AsyncIterator[Message]:
    """News of a lesson: the hashes of its files at first and when they change, a verdict when there is one, other events."""
    lesson, told = find(section_id), None
    cursor = await place.work(newest, place) if after == FROM_NOW else after
    while True:
        files = await place.work(shas, place.workspace, lesson)
        if files != told:
            told = files
            yield Message(cursor, "files", [files.get(path, "") for path in lesson.builds])
        events = await place.work(since, place, cursor, section_id)
        if events:
            cursor = events[-1].id
            yield Message(cursor, "news", await place.work(_news, place, lesson, events))
        await place.hub.news(f"lesson:{section_id}", LOOK)


def newest(place: Place) -> int:
    """The id of the last event in the store."""
    with place.workspace.store(readonly=True) as store:
        return store.newest()


def since(place: Place, after: int, section_id: str | None = None) -> list[Event]:
    """What has been recorded after an event."""
    with place.workspace.store(readonly=True) as store:
        return store.events(after, lesson=section_id)


def _news(place: Place, lesson: Lesson, events: list[Event]) -> dict[str, Any]:
    checked = [event for event in events if event.kind == "checked"]
    told: dict[str, Any] = {"kinds": [event.kind for event in events]}
    if checked:
        told |= {"points": points_html(place.workspace, lesson), "passed": bool(checked[-1].payload.get("passed"))}
    return told


async def follow_map(place: Place, _: str, after: int) -> AsyncIterator[Message]:
    """News of any lesson, for the map."""
    cursor = await place.work(newest, place) if after == FROM_NOW else after
    while True:
        events = await place.work(since, place, cursor)
        if events:
            cursor = events[-1].id
            yield Message(cursor, "news", sorted({event.lesson for event in events if event.lesson}))
        await place.hub.news("map", LOOK)
