"""Durable commands, 64 at once in one process, against one ``app.save`` each.

Both run the same lives of incidents (opened, triaged, closed), decided by the same domain code
for the same officer, and end with the same facts. Ours is the whole store: authorization,
outcomes, stamps, group commit, ``synchronous=FULL``. The library's is its default application on
SQLite with its own mapper, one save a command. To its favor, areas, officers and rulebooks are
kept in memory for it; it stores no outcomes and seals nothing.
"""

import asyncio
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import uvloop
from eventsourcing.application import AggregateNotFoundError

from bench import county, library
from bench.base import REPETITIONS, Reach, Result, machine, median, pairs, ratio
from domain.base import Meta, stamp
from domain.catalog import AGGREGATES
from domain.commands.incidents import CloseIncident, OpenIncident, TriageIncident
from domain.ids import seeded_id
from domain.incident import Incident, IncidentKind, Severity
from domain.world import Command, Role
from eventstore.deciding import DecisionWorld, Memo, decide
from eventstore.outcomes import Envelope
from eventstore.store import Store

AT_ONCE = 64
LIVES = 1500
STEPS = 3


def life(run: UUID, n: int, at: datetime, area: UUID | None = None) -> list[Command]:
    """The commands of one incident, in order."""
    incident = seeded_id(run, n)
    opened = OpenIncident(
        incident=incident,
        area=area or county.village(n),
        place=f"{n % 9 + 1}组",
        occurred_at=at,
        kind=IncidentKind.TRAPPED,
        severity=Severity.SEVERE,
        details="水进屋，老人被困",
    )
    triaged = TriageIncident(incident=incident, priority=n % 4 + 1, note="先派冲锋舟")
    return [opened, triaged, CloseIncident(incident=incident, reason="已转移")]


class Ours:
    """A store, and 64 clients of it on an event loop."""

    def __init__(self, folder: Path, lives: int) -> None:
        self.store = Store.at(folder, AGGREGATES)
        self.lives = lives
        county.build(self.store)

    def measure(self, _: int) -> float:
        """Commands a second."""
        return float(uvloop.run(self._measure()))  # the server's event loop

    async def _measure(self) -> float:
        todo = iter(range(self.lives))
        run, at, officer = uuid4(), county.an_hour_ago(), county.officer_of(Role.DISPATCHER)

        async def client() -> None:
            for n in todo:
                for command in life(run, n, at):
                    await self.store.arun(Envelope(id=uuid4(), officer=officer, command=command))

        before = self.store.head()
        began = time.perf_counter()
        await asyncio.gather(*[client() for _ in range(AT_ONCE)])
        took = time.perf_counter() - began
        assert self.store.head() - before == self.lives * STEPS
        return self.lives * STEPS / took


class Theirs:
    """The library's application deciding with our domain, one save a command."""

    def __init__(self, folder: Path, store: Store, lives: int) -> None:
        self.app = library.application(folder / "library.sqlite")
        self.store = store
        self.lives = lives
        self.memo = Memo()
        self.kept: dict[UUID, Any] = {}

    def load(self, kind: type[Any], id: UUID) -> Any:
        if kind is Incident:
            try:
                return self.app.repository.get(id)
            except AggregateNotFoundError:
                return None
        if id not in self.kept:
            self.kept[id] = self.store.load(id)
        return self.kept[id]

    def run(self, command: Command, officer: UUID) -> None:
        world = DecisionWorld(
            self.load, self.store.vault, self.store.clock.now(), uuid4(), self.memo
        )
        decide(world, command, officer)
        changed = [one for one in world.touched.values() if one.pending_events]
        actor = world.actor
        for one in changed:
            meta = Meta(
                actor=actor.officer,
                role=actor.role,
                command=world.command_id,
                correlation=world.command_id,
                division=one.division,
                recorded_at=world.now,
                area=actor.area,
                post=actor.post,
            )
            for fact in one.pending_events:
                stamp(fact, meta)  # type: ignore[arg-type]
        self.app.save(*changed)

    def measure(self, _: int) -> float:
        """Commands a second."""
        run, at, officer = uuid4(), county.an_hour_ago(), county.officer_of(Role.DISPATCHER)
        began = time.perf_counter()
        for n in range(self.lives):
            for command in life(run, n, at):
                self.run(command, officer)
        return self.lives * STEPS / (time.perf_counter() - began)


def run(*, tiny: bool = False) -> Result:
    about = machine()
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        ours = Ours(Path(scratch) / "ours", 20 if tiny else LIVES)
        theirs = Theirs(Path(scratch), ours.store, 5 if tiny else LIVES // 5)
        mine, other = pairs(ours.measure, theirs.measure, 1 if tiny else REPETITIONS)
        theirs.app.close()
        ours.store.close()
    return Result(
        "commands",
        {
            "at_once": AT_ONCE,
            "commands_a_run": ours.lives * STEPS,
            "store_commands_per_second": round(median(mine)),
            "app_save_commands_per_second": round(median(other)),
        },
        {"store_over_app_save": ratio(mine, other)},
        about,
        {"store_over_app_save": Reach(at_least=6)},
    )
