"""Officers: who holds which post where, who stands in, who is suspended. Names are masked."""

from typing import Any
from uuid import UUID

from sqlalchemy import (
    Column,
    Index,
    Integer,
    String,
    Table,
)

from domain.login_name import LoginName
from domain.officer import Officer
from domain.posts import Appointment
from projections.folding.base import LOGICAL, Rows, View, as_json, text_of, when

OFFICERS = Table(
    "officers",
    LOGICAL,
    Column("id", String(36), primary_key=True),
    Column("area", String(36), nullable=False),
    Column("masked_name", String, nullable=False),
    Column("login", String),
    Column("suspended", String),  # the reason
    Column("suspended_at", String),
    Column("registered_at", String, nullable=False),
    Column("number_excused", String),  # why the ID number cannot be had, as a superior said
    Column("number_excused_at", String),
    Column("number_given_at", String),  # when the ID number came that was missing
    Column("certificate", String),
    Column("certified_on", String),
    Column("certified_until", String),
    Index("officers_by_area", "area"),
    Index("officers_excused", "number_excused_at"),
)

LOGINS = Table(
    "officer_logins",
    LOGICAL,
    Column("login", String, primary_key=True),
    Column("officer", String(36), nullable=False),
    Column("invited_at", String),
    Column("invited_until", String),
    Column("invited_areas", String),  # where the code opens posts, and below; null: everywhere
    Column("password_at", String),
    Column("password_way", String),
    Column("provider_at", String),  # since when an account at a provider opens it; null: none
    Index("officer_logins_by_officer", "officer"),
)
"""An officer's log-in names: invited until when, and how and when they came to their password."""

RECOVERIES = Table(
    "officer_recoveries",
    LOGICAL,
    Column("login", String, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("recovered", String, nullable=False),  # by whom on the machine, and why
    Column("recovered_at", String, nullable=False),
)
"""Each time whoever keeps the machine made somebody administrator by it."""

APPOINTMENTS = Table(
    "officer_appointments",
    LOGICAL,
    Column("officer", String(36), primary_key=True),
    Column("appointment", String(36), primary_key=True),
    Column("area", String(36), nullable=False),
    Column("role", String, nullable=False),
    Column("post", String, nullable=False),
    Column("certificate", String, nullable=False),
    Column("starts_on", String, nullable=False),
    Column("ends_on", String),
    Column("end_reason", String),
    Column("handed_to", String(36)),
    Column("taken_from", String(36)),
    Column("appointed_by", String(36), nullable=False),
    Column("appointed_at", String, nullable=False),
    Index("officer_appointments_by_area", "area", "role"),
)

SUBSTITUTIONS = Table(
    "officer_substitutions",
    LOGICAL,
    Column("officer", String(36), primary_key=True),
    Column("substitution", String(36), primary_key=True),
    Column("substitute", String(36), nullable=False),
    Column("appointment", String(36), nullable=False),
    Column("starts_on", String, nullable=False),
    Column("ends_on", String, nullable=False),
    Column("ended_on", String),
    Index("officer_substitutions_by_substitute", "substitute"),
)


def registered(rows: Rows, at: int, e: Officer.Registered) -> None:
    row = {
        "id": text_of(e.originator_id),
        "area": text_of(e.area),
        "masked_name": e.masked_name,
        "registered_at": when(e.meta.recorded_at),
    }
    rows.put(OFFICERS, row)


def number_excused(rows: Rows, at: int, e: Officer.NumberExcused) -> None:
    moment = when(e.meta.recorded_at)
    row = {"number_excused": e.reason, "number_excused_at": moment}
    rows.change(OFFICERS, text_of(e.originator_id), **row)


def number_given(rows: Rows, at: int, e: Officer.NumberGiven) -> None:
    rows.change(OFFICERS, text_of(e.originator_id), number_given_at=when(e.meta.recorded_at))


def account_opened(rows: Rows, at: int, e: Officer.AccountOpened) -> None:
    rows.change(OFFICERS, text_of(e.originator_id), login=e.login)


def login_taken(rows: Rows, at: int, e: LoginName.Taken) -> None:
    """By the name's own stream alone: a row that two streams touch could not be parked by one."""
    rows.put(LOGINS, {"login": e.login, "officer": text_of(e.officer)})


def invited(rows: Rows, at: int, e: LoginName.Invited) -> None:
    areas = None if e.areas is None else as_json([text_of(area) for area in e.areas])
    moment, until = when(e.meta.recorded_at), when(e.expires_at)
    rows.change(LOGINS, e.login, invited_at=moment, invited_until=until, invited_areas=areas)


def recovered(rows: Rows, at: int, e: LoginName.Recovered) -> None:
    told = f"{e.operator}：{e.reason}"
    moment = when(e.meta.recorded_at)
    row = {"login": e.login, "position": at, "recovered": told, "recovered_at": moment}
    rows.put(RECOVERIES, row)


def password_set(rows: Rows, at: int, e: LoginName.PasswordSet) -> None:
    """An invitation that was used is over, and so is one that another way made needless."""
    rows.change(
        LOGINS,
        e.login,
        invited_until=None,
        password_at=when(e.meta.recorded_at),
        password_way=str(e.way),
    )


def provider_bound(rows: Rows, at: int, e: LoginName.ProviderBound) -> None:
    rows.change(LOGINS, e.login, provider_at=when(e.meta.recorded_at))


def provider_unbound(rows: Rows, at: int, e: LoginName.ProviderUnbound) -> None:
    rows.change(LOGINS, e.login, provider_at=None)


def appointed(rows: Rows, at: int, e: Officer.Appointed) -> None:
    post = Appointment(e.appointment, e.role, e.area, e.post, e.certificate, e.starts_on, e.ends_on)
    _hold(rows, e, post)


def _hold(rows: Rows, e: Any, post: Appointment, taken_from: UUID | None = None) -> None:
    rows.put(
        APPOINTMENTS,
        {
            "officer": text_of(e.originator_id),
            "appointment": text_of(post.id),
            "area": text_of(post.area),
            "role": str(post.role),
            "post": str(post.post),
            "certificate": post.certificate,
            "starts_on": post.starts_on.isoformat(),
            "ends_on": post.ends_on.isoformat() if post.ends_on else None,
            "taken_from": text_of(taken_from) if taken_from else None,
            "appointed_by": text_of(e.meta.actor),
            "appointed_at": when(e.meta.recorded_at),
        },
    )


def appointment_ended(rows: Rows, at: int, e: Officer.AppointmentEnded) -> None:
    key = (text_of(e.originator_id), text_of(e.appointment))
    rows.change(APPOINTMENTS, *key, ends_on=e.ends_on.isoformat(), end_reason=e.reason)


def certificate_recorded(rows: Rows, at: int, e: Officer.CertificateRecorded) -> None:
    until = e.certificate.valid_until
    rows.change(
        OFFICERS,
        text_of(e.originator_id),
        certificate=e.certificate.certificate,
        certified_on=e.certificate.issued_on.isoformat(),
        certified_until=until.isoformat() if until else None,
    )


def substitute_named(rows: Rows, at: int, e: Officer.SubstituteNamed) -> None:
    rows.put(
        SUBSTITUTIONS,
        {
            "officer": text_of(e.originator_id),
            "substitution": text_of(e.substitution),
            "substitute": text_of(e.substitute),
            "appointment": text_of(e.appointment),
            "starts_on": e.starts_on.isoformat(),
            "ends_on": e.ends_on.isoformat(),
        },
    )


def substitution_ended(rows: Rows, at: int, e: Officer.SubstitutionEnded) -> None:
    key = (text_of(e.originator_id), text_of(e.substitution))
    rows.change(SUBSTITUTIONS, *key, ended_on=e.ended_on.isoformat())


def handed_over(rows: Rows, at: int, e: Officer.HandedOver) -> None:
    officer, successor = text_of(e.originator_id), text_of(e.successor)
    for appointment in e.appointments:
        rows.change(
            APPOINTMENTS,
            officer,
            text_of(appointment),
            handed_to=successor,
            ends_on=e.on.isoformat(),
            end_reason=e.reason,
        )


def took_over(rows: Rows, at: int, e: Officer.TookOver) -> None:
    for post in e.appointments:
        _hold(rows, e, post, taken_from=e.predecessor)


def suspended(rows: Rows, at: int, e: Officer.Suspended) -> None:
    moment = when(e.meta.recorded_at)
    rows.change(OFFICERS, text_of(e.originator_id), suspended=e.reason, suspended_at=moment)


def reinstated(rows: Rows, at: int, e: Officer.Reinstated) -> None:
    rows.change(OFFICERS, text_of(e.originator_id), suspended=None, suspended_at=None)


VIEW = View(
    name="officers",
    version=9,
    tables=(OFFICERS, LOGINS, RECOVERIES, APPOINTMENTS, SUBSTITUTIONS),
    routes={
        Officer.Registered: registered,
        Officer.NumberExcused: number_excused,
        Officer.NumberGiven: number_given,
        Officer.AccountOpened: account_opened,
        LoginName.Taken: login_taken,
        LoginName.Invited: invited,
        LoginName.Recovered: recovered,
        LoginName.PasswordSet: password_set,
        LoginName.ProviderBound: provider_bound,
        LoginName.ProviderUnbound: provider_unbound,
        Officer.Appointed: appointed,
        Officer.AppointmentEnded: appointment_ended,
        Officer.CertificateRecorded: certificate_recorded,
        Officer.SubstituteNamed: substitute_named,
        Officer.SubstitutionEnded: substitution_ended,
        Officer.HandedOver: handed_over,
        Officer.TookOver: took_over,
        Officer.Suspended: suspended,
        Officer.Reinstated: reinstated,
    },
    ignored={
        LoginName.SessionsEnded: "it is on the auditor's list, which is the timeline",
        LoginName.LoggedOut: "it is on the auditor's list, which is the timeline",
        LoginName.SecondFactorSet: "the vault is asked, which knows the log-ins of now",
        LoginName.SecondFactorRemoved: "the vault is asked, which knows the log-ins of now",
        Officer.BecameSubstitute: "the absent officer's SubstituteNamed tells it",
        Officer.StoppedSubstituting: "the absent officer's SubstitutionEnded tells it",
    },
)
