"""A stockpile of 20,000 facts: the first command of a process that needs it, with its snapshot and
without; a page that looks at it, likewise; a command that is refused after it had changed the
stockpile, against one that is accepted; and the copy that is made of a thing before a command
changes it.

Snapshots are made by the same step that a server runs behind its commits, before anything is timed.
"""

import tempfile
import time
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any
from uuid import uuid4

from bench import county
from bench.base import REPETITIONS, Reach, Result, machine, median, pairs, ratio
from bench.hot_stock import delivery
from bench.stock_child import STOCKPILE, one_unit
from domain.catalog import AGGREGATES
from domain.commands.stock import WriteOffGoods
from domain.fund import Fund
from domain.refusal import NotFound
from domain.stockpile import Stockpile
from domain.world import World
from eventstore.outcomes import Envelope, Receipt, Refused
from eventstore.store import Store

FACTS = 20_000
COMMANDS = 200
COPIES = 50
ENTRIES = 30_000
"""Payments of the fund that is copied: what a county pays of one fund in a bad year."""


class WrittenOffThenRefused(WriteOffGoods):
    """Changes the stockpile and then breaks a rule, as a command over two things may."""

    def decide(self, world: World) -> Any:
        WriteOffGoods.decide(self, world)
        raise NotFound(kind="Unit", id=uuid4())


def refused() -> Envelope:
    right = one_unit()
    given = {one.name: getattr(right.command, one.name) for one in fields(WriteOffGoods)}
    wrong = WrittenOffThenRefused(**given)
    return Envelope(id=uuid4(), officer=right.officer, command=wrong)


class LongStream:
    """A store with the stockpile in it."""

    def __init__(self, folder: Path, facts: int) -> None:
        self.store = Store.at(folder, AGGREGATES)
        county.build(self.store)
        self.store.run(delivery())
        county.send(self.store, [one_unit() for _ in range(facts)])
        self.program = self.store.snapshots.program

    def snapshot(self) -> None:
        while self.store.snapshots.step():
            pass

    def first_need(self, *, snapshot: bool) -> float:
        """Seconds of a command whose process has not loaded the stockpile yet."""
        self.store.snapshots.program = self.program if snapshot else b"none"
        self.store.writer.cache.kept.pop(STOCKPILE)
        took = self.command(one_unit, Receipt)
        self.store.snapshots.program = self.program
        return took

    def look(self, *, snapshot: bool) -> float:
        """Seconds until a page has the stockpile as of the position that it shows."""
        self.store.snapshots.program = self.program if snapshot else b"none"
        position = self.store.head()
        took = _timed(lambda: self.store.world(position).find(Stockpile, STOCKPILE))
        self.store.snapshots.program = self.program
        return took

    def command(self, make: Callable[[], Envelope], answered: type[Any]) -> float:
        envelope = make()
        began = time.perf_counter()
        (answer,) = self.store.run_many([envelope])
        took = time.perf_counter() - began
        if not isinstance(answer, answered):
            raise RuntimeError(repr(answer))
        return took

    def typical(self, make: Callable[[], Envelope], answered: type[Any], count: int) -> float:
        """Seconds of a command when the stockpile is at hand, the median of so many."""
        return median([self.command(make, answered) for _ in range(count)])


def copied(entries: int) -> float:
    """Seconds of one copy of a fund with so many payments, the median of some."""
    fund = Fund.__new__(Fund)
    vars(fund).update(payments={uuid4(): (uuid4(), 500_00) for _ in range(entries)})
    return median([_timed(fund.copied) for _ in range(COPIES)])


def _timed(what: Callable[[], object]) -> float:
    began = time.perf_counter()
    what()
    return time.perf_counter() - began


def run(*, tiny: bool = False) -> Result:
    about = machine()
    facts, count, repetitions = (1_500, 3, 1) if tiny else (FACTS, COMMANDS, REPETITIONS)
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        here = LongStream(Path(scratch) / "store", facts)
        began = time.perf_counter()
        here.snapshot()
        making = time.perf_counter() - began
        with_one, without = pairs(
            lambda _: here.first_need(snapshot=True),
            lambda _: here.first_need(snapshot=False),
            repetitions,
        )
        looked, replayed = pairs(
            lambda _: here.look(snapshot=True), lambda _: here.look(snapshot=False), repetitions
        )
        no, yes = pairs(
            lambda _: here.typical(refused, Refused, count),
            lambda _: here.typical(one_unit, Receipt, count),
            repetitions,
        )
        copy, accepted = pairs(
            lambda _: copied(ENTRIES if not tiny else 100),
            lambda _: here.typical(one_unit, Receipt, count),
            repetitions,
        )
        state = here.store.log.pieces([STOCKPILE.bytes], here.program)[0][3]
        assert isinstance(here.store.load(STOCKPILE), Stockpile)
        here.store.close()
    return Result(
        "snapshots",
        {
            "facts": facts,
            "first_need_with_ms": round(1000 * median(with_one), 2),
            "first_need_without_ms": round(1000 * median(without), 2),
            "look_with_ms": round(1000 * median(looked), 2),
            "look_without_ms": round(1000 * median(replayed), 2),
            "refused_after_a_change_ms": round(1000 * median(no), 3),
            "accepted_ms": round(1000 * median(yes), 3),
            "making_the_first_ms": round(1000 * making, 1),
            "snapshot_bytes": len(state),
            "copy_of_30000_entries_ms": round(1000 * median(copy), 3),
        },
        {
            "first_need_without_over_with": ratio(without, with_one),
            "look_without_over_with": ratio(replayed, looked),
            "refused_over_accepted": ratio(no, yes),
            "copy_of_30000_entries_over_command": ratio(copy, accepted),
        },
        about,
        {
            "first_need_without_over_with": Reach(at_least=10),
            "look_without_over_with": Reach(at_least=10),
            "refused_over_accepted": Reach(at_most=1.5),
            "copy_of_30000_entries_over_command": Reach(at_most=0.5),
        },
    )
