"""A worker that its group does not answer says so and ends, so that it can begin anew."""

import asyncio
import socket
from collections.abc import Sequence
from itertools import count
from pathlib import Path

import pytest

from streams.applying import Message
from streams.health import Heart
from streams.kafka import BusTrouble
from streams.worker import Worker, WorkerOptions


class Nothing:
    """An applier that has nothing to do."""

    def apply(self, partition: int, messages: Sequence[Message]) -> None:
        raise AssertionError("no frame can have come")

    def catch_up(self, partitions: Sequence[int]) -> None:
        raise AssertionError("it has no partitions")

    def give_up(self) -> None:
        """Nothing is under way."""


def test_a_worker_that_nobody_answers_ends(tmp_path: Path) -> None:
    """The broker takes connections and is silent."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        heart = Heart(tmp_path / "worker.alive")
        options = WorkerOptions("worker", address, tmp_path / "faust")
        hours = count()  # a clock on which an hour passes at each look
        worker = Worker(options, Nothing(), heart, clock=lambda: 3600.0 * next(hours))
        with pytest.raises(BusTrouble, match="has not taken this worker in"):
            asyncio.run(worker.run())
        heart.stop()
