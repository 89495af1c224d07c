"""Renewing posts at a year's end, and certificates."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.commands.officers import EndAppointment
from domain.commands.renewing import (
    CertificateKnown,
    GoesOnAnyway,
    LongOver,
    NothingToRenew,
    RecordCertificate,
    RenewPost,
)
from domain.officer import Officer
from domain.posts import AlreadyAppointed, OwnPosts
from domain.refusal import Malformed, NotFound, NotYourRole
from domain.rules.base import china_day
from domain.world import Role
from tests.domain.county import appointment, make_county
from tests.domain.scenario import Scenario


@pytest.fixture
def county() -> Scenario:
    return make_county()


def ended(county: Scenario, name: str, days: int) -> tuple[RenewPost, date]:
    """The renewal of that officer's post for a year, which ends in so many days."""
    officer = county.load(Officer, county.officers[name])
    post = next(iter(officer.appointments))
    last = china_day(county.now) + timedelta(days=days)
    command = EndAppointment(officer=officer.id, appointment=post, ends_on=last, reason="任期届满")
    county.given(command, by="admin")
    until = last + timedelta(days=365)
    return RenewPost(id=uuid4(), officer=officer.id, appointment=post, ends_on=until), last


def test_a_post_is_renewed_from_the_day_after_its_last(county: Scenario) -> None:
    renewal, last = ended(county, "village", 10)
    (fact,) = county.when(renewal, by="admin").then("Officer.Appointed")
    assert fact.starts_on == last + timedelta(days=1) and fact.ends_on == renewal.ends_on
    again = replace(renewal, id=uuid4())
    county.when(again, by="admin").then(AlreadyAppointed)


def test_what_is_over_or_has_no_end_is_not_renewed(county: Scenario) -> None:
    renewal, _ = ended(county, "village", -1)
    county.when(renewal, by="admin").then(NothingToRenew)
    other = county.load(Officer, county.officers["township"])
    post = next(iter(other.appointments))
    open_end = replace(renewal, officer=other.id, appointment=post)
    county.when(open_end, by="admin").then(NothingToRenew)
    today = china_day(county.now)
    both = (("village", renewal, LongOver), ("township", open_end, GoesOnAnyway))
    for name, one, refusal in both:
        beside = appointment(county, name, Role.DISPATCHER, "yuantan", nth="+")
        beside = replace(beside, starts_on=today, ends_on=today + timedelta(days=30))
        county.given(beside, by="admin")
        county.when(one, by="admin").then(refusal)


def test_a_renewal_lasts_five_years_at_most(county: Scenario) -> None:
    renewal, last = ended(county, "village", 0)
    county.when(replace(renewal, ends_on=date(last.year + 6, 1, 1)), by="admin").then(Malformed)
    county.when(replace(renewal, ends_on=last), by="admin").then(Malformed)
    longest = replace(renewal, ends_on=date(last.year + 5, 12, 31))
    county.when(longest, by="admin").then("Officer.Appointed")
    again = replace(longest, id=uuid4(), appointment=longest.id, ends_on=date(last.year + 6, 1, 1))
    county.when(again, by="admin").then(Malformed)


def test_only_administrators_there_renew_and_never_themselves(county: Scenario) -> None:
    renewal, _ = ended(county, "village", 5)
    county.when(renewal, by="county").then(NotYourRole)
    county.when(renewal, by="foreign_admin").then(NotFound)
    own = county.load(Officer, county.officers["admin"])
    mine = replace(renewal, officer=own.id, appointment=next(iter(own.appointments)))
    county.when(mine, by="admin").then(OwnPosts)


def certificate(officer: UUID, day: date, **other: Any) -> RecordCertificate:
    given: dict[str, Any] = {
        "officer": officer,
        "certificate": " 皖灾信 0042 ",
        "issued_on": day,
        "valid_until": day.replace(year=day.year + 3),
    }
    return RecordCertificate(**{**given, **other})


def test_a_certificate_is_kept_with_its_days(county: Scenario) -> None:
    day = china_day(county.now) - timedelta(days=40)
    new = certificate(county.officers["village"], day)
    (fact,) = county.when(new, by="admin").then("Officer.CertificateRecorded")
    assert fact.certificate.certificate == "皖灾信 0042"
    county.when(new, by="admin").then(CertificateKnown)
    county.when(replace(new, certificate=" "), by="admin").then(Malformed)
    county.when(replace(new, valid_until=day - timedelta(days=1)), by="admin").then(Malformed)
    tomorrow = china_day(county.now) + timedelta(days=1)
    county.when(certificate(new.officer, tomorrow), by="admin").then(Malformed)
    county.when(certificate(county.officers["admin"], day), by="admin").then(OwnPosts)
