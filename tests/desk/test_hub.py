"""The event stream: nothing missed, nothing told twice, whatever breaks."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator

import pytest

from groundup.desk.hub import FROM_NOW, REST, TABS, Hub, Message


def numbers(hub: Hub, upto: dict[str, int]):
    """A source that counts: its row n is the number n, and there are as many as `upto` says by now."""

    async def follow(argument: str, after: int) -> AsyncIterator[Message]:
        at = upto[argument] if after == FROM_NOW else after
        while True:
            while at < upto[argument]:
                at += 1
                yield Message(at, "number", at)
            await hub.news(f"count:{argument}", 0.01)

    return follow


async def read(stream: AsyncIterator[bytes], count: int) -> list[tuple[str, dict]]:
    """The next messages of a stream: their ids and data."""
    found: list[tuple[str, dict]] = []
    async for frame in stream:
        lines = dict(line.split(": ", 1) for line in frame.decode().strip().splitlines() if ": " in line)
        if "data" in lines:
            found.append((lines["id"], json.loads(lines["data"])))
        if len(found) == count:
            break
    await stream.aclose()
    return found


@pytest.mark.parametrize("seed", range(20))
def test_a_stream_that_breaks_at_any_moment_goes_on_where_it_stopped(seed):
    draw = random.Random(seed)
    upto = {"a": draw.randint(1, 30), "b": draw.randint(1, 30)}

    async def follow_all() -> list[tuple[str, int]]:
        hub, got, mark = Hub(), [], "count:a=0,count:b=0"
        hub.source("count", numbers(hub, upto))
        while len(got) < sum(upto.values()):
            count = min(draw.randint(1, 7), sum(upto.values()) - len(got))
            frames = await read(hub.stream(["count:a", "count:b"], mark), count)
            got += [(told["topic"], told["data"]) for _, told in frames]
            mark = frames[-1][0]
        return got

    got = asyncio.run(asyncio.wait_for(follow_all(), 20))
    for name, last in upto.items():
        assert [n for topic, n in got if topic == f"count:{name}"] == list(range(1, last + 1))


def test_a_stream_without_a_mark_tells_what_comes_from_now_on():
    async def follow() -> list[tuple[str, dict]]:
        hub, upto = Hub(), {"a": 5}
        hub.source("count", numbers(hub, upto))
        reading = asyncio.create_task(read(hub.stream(["count:a"]), 1))
        await asyncio.sleep(0.05)
        upto["a"] = 6
        hub.ring("count:a")
        return await reading

    assert [told["data"] for _, told in asyncio.run(asyncio.wait_for(follow(), 10))] == [6]


@pytest.mark.parametrize(
    "mark", ["nonsense", "count:a=-3", "count:a=1e9", "other=7", "count:a=" + "9" * 40, "=,=,=", "\0"]
)
def test_a_mark_that_cannot_be_read_counts_as_none(mark):
    async def follow() -> int:
        hub, upto = Hub(), {"a": 3}
        hub.source("count", numbers(hub, upto))
        reading = asyncio.create_task(read(hub.stream(["count:a"], mark), 1))
        await asyncio.sleep(0.05)
        upto["a"] = 4
        [(_, told)] = await reading
        return told["data"]

    assert asyncio.run(asyncio.wait_for(follow(), 10)) == 4


def test_closing_the_hub_ends_its_streams_and_nobody_follows_any_more():
    async def follow() -> bool:
        hub = Hub()
        hub.source("count", numbers(hub, {"a": 0}))
        stream = hub.stream(["count:a"])
        reading = asyncio.create_task(read(stream, 1))
        await asyncio.sleep(0.05)
        assert hub.followed("count:a")
        hub.close()
        assert await reading == []
        return hub.followed("count:a")

    assert asyncio.run(asyncio.wait_for(follow(), 10)) is False


def test_a_source_that_fails_ends_the_stream_so_that_the_tab_comes_back():
    async def fails(argument: str, after: int) -> AsyncIterator[Message]:
        yield Message(1, "number", 1)
        raise RuntimeError("no more numbers")

    async def follow() -> list[bytes]:
        hub, frames = Hub(), []
        hub.source("count", numbers(hub, {"a": 0}))
        hub.source("fails", fails)
        with pytest.raises(RuntimeError, match="no more numbers"):
            async for frame in hub.stream(["count:a", "fails"]):
                frames.append(frame)
        assert not hub.followed("fails")
        return frames

    asyncio.run(asyncio.wait_for(follow(), 10))


def test_of_many_streams_the_oldest_rests():
    async def follow() -> list[bool]:
        hub = Hub()
        hub.source("count", numbers(hub, {"a": 0}))

        async def drain() -> bool:
            return [frame async for frame in hub.stream(["count:a"])][-1] == REST

        tasks = []
        for _ in range(TABS + 3):
            tasks.append(asyncio.create_task(drain()))
            await asyncio.sleep(0)
        done, going_on = await asyncio.wait(tasks, timeout=0.3)
        assert done == set(tasks[:3]) and going_on == set(tasks[3:])
        hub.close()
        return [await task for task in tasks]

    assert asyncio.run(asyncio.wait_for(follow(), 10)) == [True] * 3 + [False] * TABS


@pytest.mark.parametrize(
    "topic", ["", "count", "count:a", "count:1.3", "other:a", "count:a b", "count:../x", "Count:a", "count:a\n"]
)
def test_only_topics_with_a_source_are_known(topic):
    hub = Hub()
    hub.source("count", numbers(hub, {}))
    assert hub.knows(topic) == (topic in ("count", "count:a", "count:1.3"))
