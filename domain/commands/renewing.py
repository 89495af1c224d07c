"""The year-end desk: posts that end are renewed, certificates are written down."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import ClassVar
from uuid import UUID

import msgspec

from domain.area import check_text, common
from domain.commands.appointing import not_oneself, put_in_post
from domain.commands.officers import KEEPERS
from domain.ids import NewId
from domain.officer import Officer
from domain.posts import Certificate, check_period
from domain.refusal import Malformed, Refusal
from domain.rules.base import china_day
from domain.world import Command, Result, Role, World

MOST_YEARS = 5
"""A post is renewed for so many years from today at most, however often: nobody is in office
unasked for longer."""


@dataclass(eq=False)
class GoesOnAnyway(Refusal):
    """A post without a last day needs no renewal."""

    zh: ClassVar[str] = "该岗位没有设定最后一天，无需续任"
    en: ClassVar[str] = "This post has no last day and goes on without a renewal."
    officer: UUID
    appointment: UUID


@dataclass(eq=False)
class LongOver(Refusal):
    """A post that is over is not renewed: the days since would look as if it had been held."""

    zh: ClassVar[str] = "该岗位已于 {ends_on} 结束，不能续任；请重新任命"
    en: ClassVar[str] = "This post ended on {ends_on}: it is not renewed. Appoint the officer anew."
    officer: UUID
    appointment: UUID
    ends_on: date


@dataclass(eq=False)
class CertificateKnown(Refusal):
    zh: ClassVar[str] = "已登记的就是这本证书"
    en: ClassVar[str] = "That certificate is on record already."
    officer: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewPost(Command):
    """Appoint an officer to the same post again, from the day after its last day.

    A new appointment (``id``) beside the one that ends, so that last days stay true. The post must
    not be over yet.
    """

    roles: ClassVar[frozenset[Role]] = KEEPERS
    id: NewId
    officer: UUID
    appointment: UUID
    ends_on: date

    def scope(self, world: World) -> UUID:
        officer = world.get(Officer, self.officer)
        return common(world, (officer.appointment(self.appointment).area, officer.home))

    def decide(self, world: World) -> Result | None:
        officer = world.get(Officer, self.officer)
        not_oneself(world, officer)
        held = officer.appointment(self.appointment)
        if held.ends_on is None:
            raise GoesOnAnyway(officer=self.officer, appointment=self.appointment)
        today = china_day(world.now)
        if held.ends_on < today:
            raise LongOver(officer=self.officer, appointment=self.appointment, ends_on=held.ends_on)
        starts_on = held.ends_on + timedelta(days=1)
        if self.ends_on.year > today.year + MOST_YEARS:
            raise Malformed(
                field="ends_on",
                value=str(self.ends_on),
                rule_zh=f"最多续任到 {today.year + MOST_YEARS} 年",
                rule_en=f"a post is renewed to {today.year + MOST_YEARS} at most",
            )
        renewed = msgspec.structs.replace(
            held, id=self.id, starts_on=starts_on, ends_on=self.ends_on
        )
        put_in_post(world, officer, renewed)
        return {"starts_on": starts_on}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordCertificate(Command):
    """Write down the certificate that an officer holds now, and its last day if it has one."""

    roles: ClassVar[frozenset[Role]] = KEEPERS
    officer: UUID
    certificate: str
    issued_on: date
    valid_until: date | None = None

    def scope(self, world: World) -> UUID:
        return world.get(Officer, self.officer).home

    def decide(self, world: World) -> Result | None:
        check_text("certificate", self.certificate)
        check_period(self.issued_on, self.valid_until, "valid_until")
        officer = world.get(Officer, self.officer)
        not_oneself(world, officer)
        if self.issued_on > china_day(world.now):
            raise Malformed(
                field="issued_on",
                value=str(self.issued_on),
                rule_zh="发证日期不能在今天之后",
                rule_en="a certificate is not issued in the future",
            )
        new = Certificate(self.certificate.strip(), self.issued_on, self.valid_until)
        if new == officer.certificate:
            raise CertificateKnown(officer=officer.id)
        officer.record_certificate(new)
        return None
