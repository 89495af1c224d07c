"""The small county of `tests.domain.county` on a real store, for the tests of pages.

``with living_county(folder) as county:`` answers a `LivingCounty` on the machine's clock: ids by
name as there, ``county.run(command, by="village")``, and ``county.app()`` with API and pages.
Everybody's password is `PASSWORD`; the log-in name is the officer's name there.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from argon2 import PasswordHasher
from fastapi import FastAPI

from api.app import create_app
from api.system import System
from cli.compose import running
from cli.settings import Settings
from domain.commands.areas import AreaPlan, EstablishAreas
from domain.commands.officers import AppointOfficer, RegisterOfficer
from domain.commands.rulebooks import AdoptRulebook
from domain.ids import seeded_id
from domain.officer import Officer
from domain.rules.loading import NATION, parse_rulebook
from domain.world import Command
from eventstore.accounts import Accounts
from eventstore.outcomes import Envelope, Receipt
from tests.domain.county import AREAS, DOCUMENT, OFFICERS, RULES, SINCE
from web.app import mount_pages

PASSWORD = "correct-horse"
CHEAP = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)


@dataclass
class LivingCounty:
    """A running system with areas, rulebooks, officers and their log-ins."""

    system: System
    officers: dict[str, UUID] = field(default_factory=dict)

    @staticmethod
    def id(name: str) -> UUID:
        return seeded_id(name)

    @property
    def now(self) -> datetime:
        return self.system.store.clock.now()

    def run(self, command: Command, by: str | None = None) -> Receipt:
        """One command, durable and seen by the views."""
        officer = self.officers[by] if by else None
        receipt = self.system.store.run(Envelope(id=uuid4(), officer=officer, command=command))
        assert self.system.boards.wait_for(receipt.position, 10)
        return receipt

    def run_all(self, commands: list[Command]) -> None:
        """The system's own commands, in bulk."""
        envelopes = [Envelope(id=uuid4(), officer=None, command=command) for command in commands]
        for answer in self.system.store.run_many(envelopes):
            assert isinstance(answer, Receipt), answer
        assert self.system.boards.wait_for(self.system.store.head(), 30)

    def app(self) -> FastAPI:
        return create_app(self.system, mount=mount_pages)


@contextmanager
def living_county(
    folder: Path, *, simulated_from: datetime | None = None, **set_: Any
) -> Iterator[LivingCounty]:
    """The county on a fresh store in ``folder``, stopped in order at the end.

    ``set_``: other settings."""
    settings: dict[str, Any] = {"data": folder, "after_wait_seconds": 5.0, **set_}
    with running(Settings(**settings)) as system:
        if simulated_from is not None:
            system.store.begin_simulated(simulated_from)
            system.store.run_clock()
        system.accounts = Accounts(system.store.vault, CHEAP)
        county = LivingCounty(system)
        _build(county)
        yield county


def _build(county: LivingCounty) -> None:
    plans = tuple(
        AreaPlan(
            id=county.id(key),
            code=code,
            name=name,
            level=level,
            parent=county.id(parent) if parent else None,
        )
        for key, (code, name, level, parent) in AREAS.items()
    )
    commands: list[Command] = [
        EstablishAreas(areas=plans, established_on=SINCE, document_no=DOCUMENT)
    ]
    by_code = {code: key for key, (code, *_) in AREAS.items()} | {NATION: "nation"}
    for path in sorted(RULES.rglob("*.toml")):
        book = parse_rulebook(path.name, path.read_text(encoding="utf-8"))
        if book.area_code in by_code:
            commands.append(
                AdoptRulebook(
                    area=county.id(by_code[book.area_code]),
                    kind=book.kind,
                    version=book.version,
                    document_no=book.document_no,
                    valid_from=book.valid_from,
                    valid_to=book.valid_to,
                    content=book.content,
                )
            )
    for name, (role, area, post) in OFFICERS.items():
        person = county.id(f"person/{name}")
        county.officers[name] = Officer.id_of(person)
        commands += [
            RegisterOfficer(person=person, full_name=f"张{name}", area=county.id(area)),
            AppointOfficer(
                id=county.id(f"appointment/{name}"),
                officer=county.officers[name],
                role=role,
                area=county.id(area),
                post=post,
                certificate=f"证-{name}",
                starts_on=SINCE,
            ),
        ]
        county.system.accounts.set_password(name, county.officers[name], PASSWORD)
    county.run_all(commands)
