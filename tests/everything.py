"""A store in which everything happens: every event type occurs, every table of every view has rows.

The small demo, then what it leaves out (`tests.afterwards`), all by real commands on a real store
with a real follower. Built once a test run; a test that changes something takes a copy::

    folder = everything()                  # log.sqlite, vault.sqlite, views.sqlite: read only
    folder = copy_of_everything(tmp_path)  # to write in
    sent(folder)                           # the commands it was made by, in order

The store's clock is simulated, so the same things happen on the same days in every run.
"""

import atexit
import pickle
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import UUID

from demo import driver
from demo.naming import Names
from demo.plan import DemoPlan, build_plan
from domain.catalog import AGGREGATES
from domain.ids import seeded_id
from domain.world import Command, Result
from eventstore.outcomes import Envelope, Receipt
from eventstore.store import Store
from projections.catalog import VIEWS
from projections.folding.engine import ViewsDatabase
from streams.embedded import Follower

ODD_BATCH = 7


class Desk:
    """Gives commands to a store, one after the other, at given times; a refusal is an error."""

    def __init__(self, store: Store, plan: DemoPlan, follower: Follower) -> None:
        self.store = store
        self._follower = follower
        self.names = Names(plan, store.vault.person_for)
        self.now = plan.steps[-1].at
        self._count = 0

    def at(self, now: datetime) -> None:
        assert now > self.now, "time only goes on"
        self.now = now

    def do(self, command: Command, by: str | None) -> Result:
        """Run one command by an officer of the plan (None: the system)."""
        self._count += 1
        envelope = Envelope(
            id=seeded_id("everything", self._count),
            officer=self.names.officer(by) if by is not None else None,
            command=command,
            at=self.now,
        )
        result = self.store.run(envelope).result
        self._follower.step()
        return result

    def load(self, id: UUID) -> Any:
        return self.store.load(id)


def run_demo(store: Store, follower: Follower | None = None) -> DemoPlan:
    """The whole small demo, in odd batches, each folded at once if there is a follower."""
    plan = build_plan(small=True)
    store.begin_simulated(plan.steps[0].at)
    waiting: list[Envelope] = []
    for deed in driver.deeds(plan, Names(plan, store.vault.person_for)):
        waiting.append(
            Envelope(id=deed.command_id, officer=deed.officer, command=deed.command, at=deed.at)
        )
        if len(waiting) == ODD_BATCH:
            _send(store, waiting, follower)
    _send(store, waiting, follower)
    return plan


def _send(store: Store, waiting: list[Envelope], follower: Follower | None) -> None:
    for answer in store.run_many(waiting):
        if not isinstance(answer, Receipt):
            raise AssertionError(answer) from answer
    waiting.clear()
    if follower is not None:
        follower.step()


SENT = "sent.pickle"


def sent(folder: Path) -> list[Envelope]:
    """The commands that a store of everything was made by, in order."""
    found: list[Envelope] = pickle.loads((folder / SENT).read_bytes())
    return found


@contextmanager
def _keeping(folder: Path) -> Iterator[None]:
    kept: list[Envelope] = []
    run, run_many = Store.run, Store.run_many

    def one(self: Store, envelope: Envelope) -> Any:
        kept.append(envelope)
        return run(self, envelope)

    def many(self: Store, envelopes: Any) -> Any:
        kept.extend(envelopes)
        return run_many(self, envelopes)

    with patch.object(Store, "run", one), patch.object(Store, "run_many", many):
        yield
    (folder / SENT).write_bytes(pickle.dumps(kept))


def build(folder: Path) -> None:
    """Fill an empty folder: log and vault by commands, views by a follower in odd batches."""
    from tests.afterwards import go_on

    with _keeping(folder), opened(folder) as (store, views):
        follower = Follower(store, views)
        plan = run_demo(store, follower)
        go_on(Desk(store, plan, follower))
        while follower.step():
            pass
        assert views.position() == store.head()
        assert views.parked() == [], "every view can fold every fact"


@contextmanager
def opened(folder: Path) -> Iterator[tuple[Store, ViewsDatabase]]:
    """Store and views of a folder, closed at the end."""
    store = Store.at(folder, AGGREGATES)
    try:
        views = ViewsDatabase(folder / "views.sqlite", VIEWS)
        try:
            yield store, views
        finally:
            views.close()
    finally:
        store.close()


@lru_cache(maxsize=1)
def everything() -> Path:
    """The folder of the store, built once. For reading only."""
    folder = Path(tempfile.mkdtemp(prefix="everything-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    build(folder)
    return folder


def copy_of_everything(target: Path) -> Path:
    """A copy of one's own, in a new folder below ``target``."""
    return Path(shutil.copytree(everything(), target / "everything"))
