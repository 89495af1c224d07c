"""Frames that wait to be applied: a partition is one thread's at a time."""

import asyncio
from types import SimpleNamespace
from typing import Any

from streams.worker import Waiting


def frame(partition: int, offset: int) -> Any:
    return SimpleNamespace(message=SimpleNamespace(partition=partition, offset=offset))


def offsets(taken: tuple[int, list[Any]]) -> tuple[int, list[int]]:
    return taken[0], [event.message.offset for event in taken[1]]


def test_a_partition_that_was_taken_waits_until_it_is_done() -> None:
    async def run() -> None:
        waiting = Waiting(most=10)
        for offset in range(3):
            await waiting.put(frame(0, offset))
        assert offsets(await waiting.take(2)) == (0, [0, 1])
        await waiting.put(frame(7, 0))
        assert waiting.busy() == {0, 7}
        assert offsets(await waiting.take(2)) == (7, [0])
        third = asyncio.create_task(waiting.take(2))
        await waiting.done(7)
        await asyncio.sleep(0)
        assert not third.done()
        await waiting.done(0)
        assert offsets(await asyncio.wait_for(third, 5)) == (0, [2])
        assert waiting.count == 0 and waiting.busy() == {0}

    asyncio.run(run())


def test_partitions_have_their_turns() -> None:
    async def run() -> None:
        waiting = Waiting(most=10)
        for offset in range(2):
            for partition in (3, 0):
                await waiting.put(frame(partition, offset))
        seen = []
        for _ in range(4):
            partition, _events = await waiting.take(1)
            seen.append(partition)
            await waiting.done(partition)
        assert seen == [3, 0, 3, 0]

    asyncio.run(run())
