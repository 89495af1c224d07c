"""The small demo and what it leaves out (`tests.everything`), running, with log-ins, for its pages.

``with running_demo(folder) as demo:`` answers a `RunningDemo`: ``demo.app()`` with API and pages,
``demo.run(command, by="dispatcher")``. Log-in names are the demo's; everybody's password is
`PASSWORD`. The store's clock goes on from its last fact.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID, uuid4

from argon2 import PasswordHasher
from fastapi import FastAPI

from api.app import create_app
from api.system import System
from cli.compose import running
from cli.settings import Settings
from demo.driver import logins
from demo.naming import Names
from demo.plan import build_plan
from domain.world import Command
from eventstore.accounts import Accounts
from eventstore.clock import SimulatedClock
from eventstore.outcomes import Envelope, Receipt
from eventstore.spelling import terms
from eventstore.store import Store
from tests.everything import copy_of_everything
from web.app import mount_pages

PASSWORD = "correct-horse"
CHEAP = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)


@dataclass
class RunningDemo:
    """A running system over the small demo, and its officers by log-in name."""

    system: System
    officers: dict[str, UUID]

    @property
    def now(self) -> datetime:
        return self.system.store.clock.now()

    def run(self, command: Command, by: str) -> Receipt:
        """One command, durable and seen by the views."""
        envelope = Envelope(id=uuid4(), officer=self.officers[by], command=command)
        receipt = self.system.store.run(envelope)
        assert self.system.boards.wait_for(receipt.position, 10)
        return receipt

    def app(self) -> FastAPI:
        return create_app(self.system, mount=mount_pages)


@contextmanager
def running_demo(folder: Path) -> Iterator[RunningDemo]:
    """The demo in a folder of one's own, stopped in order at the end."""
    with running(Settings(data=copy_of_everything(folder))) as system:
        store = system.store
        assert isinstance(store.clock, SimulatedClock)
        store.clock.move_to(store.read(store.head() - 1)[-1].event.meta.recorded_at)
        store.run_clock()
        store.log.set_mark("demo", "small")
        system.accounts = Accounts(store.vault, CHEAP)
        demo = RunningDemo(system, {})
        plan = build_plan(small=True)
        for one in logins(plan, Names(plan, store.vault.person_for)):
            demo.officers[one.login] = one.officer
            system.accounts.set_password(one.login, one.officer, PASSWORD)
        yield demo


def spelled(store: Store, person: UUID) -> dict[str, str]:
    """Name, pinyin and initials of somebody, as the vault's index has them."""
    name = store.vault.fetch("SELECT name FROM name_entries WHERE person = ?", (person.bytes,))
    held = sorted(terms(name[0][0]), key=len)
    first = {kind: next(term for term in reversed(held) if term[0] == kind) for kind in "pi"}
    return {"name": name[0][0], "pinyin": first["p"][1:], "initials": first["i"][1:]}
