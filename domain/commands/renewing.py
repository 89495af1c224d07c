"""The year-end desk: posts that end are renewed, certificates are written down."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import ClassVar
from uuid import UUID

import msgspec

from domain.area import check_text, common
from domain.commands.appointing import OnOfficer, not_oneself, put_in_post
from domain.commands.officers import KEEPERS
from domain.ids import NewId
from domain.officer import Officer
from domain.posts import Certificate, check_period
from domain.refusal import Malformed, Refusal, refusal_of
from domain.rules.base import china_day
from domain.world import Result, Role, World

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


@dataclass(eq=False)
class NothingToRenew(Refusal):
    """None of an officer's posts has a last day that is still to come."""

    zh: ClassVar[str] = "该人员没有可续任的岗位：没有设定最后一天的岗位无需续任，已结束的请重新任命"
    en: ClassVar[str] = (
        "This officer has no post to renew: one without a last day goes on, and for one that is "
        "over they are appointed anew."
    )
    officer: UUID


def _goes_on(officer: Officer, appointment: UUID, today: date) -> date:
    """The first day of a post after its last day. `GoesOnAnyway` and `LongOver`: there is none."""
    ends_on = officer.appointment(appointment).ends_on
    if ends_on is None:
        raise GoesOnAnyway(officer=officer.id, appointment=appointment)
    if ends_on < today:
        raise LongOver(officer=officer.id, appointment=appointment, ends_on=ends_on)
    return ends_on + timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewPost(OnOfficer):
    """Appoint an officer to the same post again, from the day after its last day.

    A new appointment (``id``) beside the one that ends, so that last days stay true. The post must
    not be over yet.
    """

    roles: ClassVar[frozenset[Role]] = KEEPERS
    id: NewId
    officer: UUID
    appointment: UUID
    ends_on: date

    @classmethod
    def check(cls, world: World, officer: Officer) -> None:
        not_oneself(world, officer)
        officer.require_available()
        today = china_day(world.now)
        if all(refusal_of(_goes_on, officer, post, today) for post in officer.appointments):
            raise NothingToRenew(officer=officer.id)

    def scope(self, world: World) -> UUID:
        officer = world.get(Officer, self.officer)
        return common(world, (officer.appointment(self.appointment).area, officer.home))

    def decide(self, world: World) -> Result | None:
        officer = world.get(Officer, self.officer)
        not_oneself(world, officer)
        today = china_day(world.now)
        held = officer.appointment(self.appointment)
        starts_on = _goes_on(officer, self.appointment, today)
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
class RecordCertificate(OnOfficer):
    """Write down the certificate that an officer holds now, and its last day if it has one."""

    roles: ClassVar[frozenset[Role]] = KEEPERS
    officer: UUID
    certificate: str
    issued_on: date
    valid_until: date | None = None

    def decide(self, world: World) -> Result | None:
        check_text("certificate", self.certificate)
        check_period(self.issued_on, self.valid_until, "valid_until")
        officer = world.get(Officer, self.officer)
        self.check(world, officer)
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
