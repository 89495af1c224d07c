"""Stores of one's own for tests: begun as `relief init` and `/setup` begin them.

As a script (``python -m tests.api.beginnings FOLDER CODE``) it begins one, so that a test can kill
it on the way.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from argon2 import PasswordHasher

from api.beginning import Administrator, Beginning, Begun
from api.choosing import choice_of, city_of, county_of
from api.system import System
from cli.compose import running
from cli.settings import Settings
from domain.area import AreaLevel
from domain.commands.issuing import IssueReport, RecordSentUpward
from domain.commands.officers import AppointOfficer, RegisterOfficer
from domain.commands.reports import FileInitialReport
from domain.commands.reviews import AcceptReport
from domain.posts import Post
from domain.rules.base import china_day
from domain.situation_report import SituationReport
from domain.world import Command, Role
from eventstore.accounts import Accounts
from eventstore.outcomes import Envelope, Receipt, Refused
from intake.register import Register
from tests.id_numbers import id_number

ADMIN = Administrator("admin", "张三")
CHEAP = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
REGISTER = Register()


@dataclass
class Own:
    """A running store of one's own."""

    system: System
    serial: "count[int]" = field(default_factory=count)

    @property
    def beginning(self) -> Beginning:
        return Beginning(self.system, REGISTER)

    def begin(self, county: str, admin: Administrator = ADMIN, **more: Any) -> Begun:
        found = county_of(REGISTER, county)
        return self.beginning.run(choice_of(REGISTER, found, [found]), admin, **more)

    def begin_city(self, city: str, *counties: str) -> Begun:
        seat, below = city_of(REGISTER, city, counties)
        return self.beginning.run(choice_of(REGISTER, seat, below), ADMIN)

    def area(self, code: str) -> UUID:
        found = REGISTER.find(code)
        assert found is not None
        return self.beginning.area_id(found.key)

    def run(self, command: Command, by: UUID | None = None) -> Receipt:
        return self.system.store.run(Envelope(id=uuid4(), officer=by, command=command))

    def officer(
        self, role: Role, code: str, post: Post = Post.NONE, by: UUID | None = None
    ) -> UUID:
        """Somebody new in that post, put there by the first administrator."""
        admin = by or self.beginning.officer
        area = self.area(code)
        number = id_number(next(self.serial), "19700101", "340881")
        named = RegisterOfficer(person=uuid4(), full_name="李四", area=area, id_number=number)
        id = UUID(str(self.run(named, admin).result["officer"]))
        appointed = AppointOfficer(
            id=uuid4(),
            officer=id,
            role=role,
            area=area,
            post=post,
            starts_on=china_day(self.system.store.clock.now()),
        )
        self.run(appointed, admin)
        return id

    def accepted_death(self, village: str) -> UUID:
        """A village files a report with a death, its township accepts it."""
        reporter = self.officer(Role.VILLAGE_REPORTER, village, Post.A)
        reviewer = self.officer(Role.TOWNSHIP_REVIEWER, village[:9])
        at = self.system.store.clock.now() - timedelta(minutes=20)
        report = uuid4()
        filed = FileInitialReport(
            report=report,
            area=self.area(village),
            occurred_at=at,
            as_of=at,
            hazard="flood",
            figures={"affected": 12, "dead": 1},
        )
        self.run(filed, reporter)
        self.run(AcceptReport(report=report, version=1), reviewer)
        return report

    def issued_death(self, seat: str, *counties: str) -> SituationReport:
        """A village of each county (none: of the seat) reports a death, its township accepts it;
        then one of the seat files for the seat, a second one issues that and sends it upward."""
        for county in counties or (seat,):
            village = next(
                one.key
                for one in REGISTER.below(county)
                if one.level is AreaLevel.VILLAGE and self.system.store.load(self.area(one.key))
            )
            accepted = self.system.store.load(self.accepted_death(village))
            assert isinstance(accepted, SituationReport) and accepted.accepted is not None
        role = Role.CITY_REVIEWER if counties else Role.COUNTY_APPROVER
        filer, second = self.officer(role, seat), self.officer(role, seat)
        at = self.system.store.clock.now() - timedelta(minutes=10)
        report = uuid4()
        filed = FileInitialReport(
            report=report,
            area=self.area(seat),
            occurred_at=at,
            as_of=at,
            hazard="flood",
            figures={"affected": 24, "dead": len(counties) or 1},
        )
        self.run(filed, filer)
        with pytest.raises(Refused):
            self.run(IssueReport(report=report, version=1), filer)
        self.run(IssueReport(report=report, version=1), second)
        now = self.system.store.clock.now()
        sent = RecordSentUpward(report=report, version=1, sent_at=now, receipt_no="〔2026〕1号")
        self.run(sent, second)
        found = self.system.store.load(report)
        assert isinstance(found, SituationReport)
        assert found.accepted is not None and found.current.figures["dead"] == filed.figures["dead"]
        return found


@contextmanager
def own_store(folder: Path, **set_: Any) -> Iterator[Own]:
    """An empty store on the machine's clock, or the one that is there."""
    with running(Settings(**{"data": folder, **set_})) as system:
        system.accounts = Accounts(system.store.vault, CHEAP)
        yield Own(system)


if __name__ == "__main__":
    with own_store(Path(sys.argv[1])) as own:
        own.begin(sys.argv[2])
