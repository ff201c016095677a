"""The event stream of a tab: several topics over one connection, each resumed where it stopped.

A source answers for one kind of topic (`lesson`, `run`): it yields what is new after a cursor, a row id. The id that a browser
keeps is the cursors of all its topics, `lesson:1.3=81,run:12=40512`; when the connection breaks it comes back with that, and
nothing is missed or told twice. Server-sent events, WHATWG HTML, section 9.2.

A browser has six connections to a host over all its tabs, and a stream holds one for as long as it is open. Where there are more
than a few, the oldest is told to rest: its tab comes back when it is looked at again.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any

TOPIC = re.compile(r"[a-z]+(:[A-Za-z0-9._-]{1,80})?")
BEAT = 15.0  # seconds between two signs of life
MOST = 16  # topics of a tab
TABS = 4  # streams at the same time
REST = b"event: rest\ndata: \n\n"
FROM_NOW = -1  # a cursor: only what comes from here on


@dataclass(frozen=True)
class Message:
    """Something new. cursor: where the source goes on from, after it; data: what JSON can hold."""

    cursor: int
    kind: str
    data: Any


Factory = Callable[[str, int], AsyncIterator[Message]]


class Hub:
    """The sources by the first word of their topics, and who follows what."""

    def __init__(self) -> None:
        self._sources: dict[str, Factory] = {}
        self._bells: dict[str, asyncio.Event] = {}
        self._followed: Counter[str] = Counter()
        self._streams: list[asyncio.Event] = []  # what ends each of those that are open, the oldest first
        self._closed = False

    def source(self, prefix: str, factory: Factory) -> None:
        """Lets a source answer for the topics `prefix` and `prefix:argument`."""
        self._sources[prefix] = factory

    def knows(self, topic: str) -> bool:
        """Whether a topic is well formed and has a source."""
        return TOPIC.fullmatch(topic) is not None and topic.partition(":")[0] in self._sources

    def followed(self, topic: str) -> bool:
        """Whether a tab is listening to it."""
        return self._followed[topic] > 0

    def ring(self, topic: str) -> None:
        """Wakes the sources that wait for news of a topic. From the loop's own thread."""
        self._bells.pop(topic, asyncio.Event()).set()

    async def news(self, topic: str, at_most: float) -> None:
        """Waits until a topic is rung, or so many seconds."""
        bell = self._bells.setdefault(topic, asyncio.Event())
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(bell.wait(), at_most)

    def close(self) -> None:
        """Ends every stream."""
        self._closed = True
        for end in self._streams:
            end.set()

    async def stream(self, topics: Sequence[str], since: str = "") -> AsyncIterator[bytes]:
        """What a tab is sent, as the bytes of an event stream. since: the last id that it has seen."""
        cursors = {topic: FROM_NOW for topic in topics} | _cursors(since, topics)
        queue: asyncio.Queue[tuple[str, Message]] = asyncio.Queue(maxsize=64)
        tasks = [asyncio.create_task(self._pump(topic, cursors[topic], queue)) for topic in topics]
        end = asyncio.Event()
        ending = asyncio.create_task(end.wait())
        self._streams.append(end)
        for oldest in self._streams if self._closed else self._streams[:-TABS]:
            oldest.set()
        getting: asyncio.Task[tuple[str, Message]] | None = None
        self._followed.update(topics)
        try:
            yield b"retry: 1000\n\n"
            while not ending.done():
                getting = getting or asyncio.create_task(queue.get())
                going_on = {pump for pump in tasks if not pump.done()}
                await asyncio.wait({getting, ending, *going_on}, timeout=BEAT, return_when=asyncio.FIRST_COMPLETED)
                for pump in going_on:
                    if pump.done():
                        pump.result()  # a source that failed ends the stream: the tab comes back, and it starts where it stopped
                if not getting.done():
                    yield b": still here\n\n"
                    continue
                topic, message = getting.result()
                getting = None
                cursors[topic] = message.cursor
                yield _frame(topic, message, cursors)
            if not self._closed:
                yield REST
        finally:
            self._streams.remove(end)
            self._followed.subtract(topics)
            for task in (*tasks, ending, *([getting] if getting else [])):
                task.cancel()

    async def _pump(self, topic: str, after: int, queue: asyncio.Queue[tuple[str, Message]]) -> None:
        prefix, _, argument = topic.partition(":")
        async for message in self._sources[prefix](argument, after):
            await queue.put((topic, message))


def _frame(topic: str, message: Message, cursors: dict[str, int]) -> bytes:
    mark = ",".join(f"{name}={cursor}" for name, cursor in cursors.items() if cursor != FROM_NOW)
    data = json.dumps({"topic": topic, "kind": message.kind, "data": message.data}, allow_nan=False)
    return f"id: {mark}\ndata: {data}\n\n".encode()


def _cursors(mark: str, topics: Sequence[str]) -> dict[str, int]:
    """The cursors in an id, of these topics; what cannot be read is left out."""
    found = {}
    for part in mark.split(",")[: 2 * MOST]:
        topic, _, number = part.rpartition("=")
        if topic in topics and re.fullmatch(r"\d{1,18}", number):
            found[topic] = int(number)
    return found
