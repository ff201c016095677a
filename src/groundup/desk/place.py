"""What the pages ask for: the workspace, its judge, its runs, the event stream, the secrets of this launch."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import anyio.to_thread

from ..course.checking.client import judge
from ..course.lessons.lesson import Lesson, NoSuchLesson, find
from ..course.workspace.workspace import Workspace, find_workspace
from .hub import Hub
from .paging import Refused
from .workbench.lesson_files import is_judged

T = TypeVar("T")
THREADS = 8  # that work for pages at the same time


class Place:
    """One desk over one workspace. To be made inside the loop that serves it."""

    def __init__(self, root: Path) -> None:
        self.root = find_workspace(root).root
        self.token = secrets.token_urlsafe(32)  # in the header of everything that is not GET
        self.hub = Hub()
        self.closers: list[Callable[[], None]] = []  # what is to be ended with the desk
        self._threads = anyio.CapacityLimiter(THREADS)
        self._going_on: set[asyncio.Future[None]] = set()
        self._checks: dict[str, asyncio.Lock] = {}

    @property
    def workspace(self) -> Workspace:
        """The workspace as its file says now. WorkspaceError if that cannot be read."""
        return find_workspace(self.root)

    async def work(self, function: Callable[..., T], *args: Any) -> T:
        """Runs what blocks in a thread."""
        return await anyio.to_thread.run_sync(lambda: function(*args), limiter=self._threads)

    async def check(self, lesson: Lesson, seed: int | None = None, times: int = 1) -> dict[str, Any]:
        """The judge's reply about a lesson; those who follow the lesson are told by the store."""
        request = {"do": "check", "lesson": lesson.section_id, "seed": seed, "times": times}
        reply = await self.work(judge, self.root, request)
        self.hub.ring(f"lesson:{lesson.section_id}")
        return reply

    async def check_once(self, lesson: Lesson) -> None:
        """Has the files judged as they stand, unless the last verdict is about just these: two saves at once are one check."""
        async with self._checks.setdefault(lesson.section_id, asyncio.Lock()):
            if not await self.work(is_judged, self.workspace, lesson):
                await self.check(lesson)

    def later(self, work: Coroutine[Any, Any, None]) -> None:
        """Lets something go on after the answer has been sent."""
        task = asyncio.ensure_future(work)
        self._going_on.add(task)
        task.add_done_callback(self._going_on.discard)

    async def warm(self) -> None:
        """Has the judge up before the first check."""
        await self.work(judge, self.root, {"do": "ping"})

    def close(self) -> None:
        """Ends the streams and what was started here."""
        self.hub.close()
        while self.closers:
            self.closers.pop()()


def lesson_of(section_id: str) -> Lesson:
    """The lesson with this id. Refused where there is none."""
    try:
        return find(section_id)
    except NoSuchLesson as problem:
        raise Refused(404, str(problem)) from None
