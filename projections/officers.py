"""Officers: who holds which post where, who stands in, who is suspended. Names are masked."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Index,
    String,
    Table,
    and_,
    case,
    func,
    or_,
    select,
)

from domain.lateness import NEVER_HELD
from domain.login_name import LoginName
from domain.officer import Officer
from domain.posts import Appointment
from domain.rules.base import china_day
from projections.areas import AREAS
from projections.asking.counted import over
from projections.asking.paging import Page, page
from projections.asking.scope import Scope
from projections.asking.void_codes import mark_void
from projections.folding.base import LOGICAL, Row, Rows, View, as_json, text_of, when

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
    Column("recovered", String),  # by whom on the machine, and why
    Column("recovered_at", String),
    Index("officer_logins_by_officer", "officer"),
)
"""An officer's log-in names: invited until when, and how and when they came to their password."""

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
    rows.change(LOGINS, e.login, recovered=told, recovered_at=when(e.meta.recorded_at))


def password_set(rows: Rows, at: int, e: LoginName.PasswordSet) -> None:
    """An invitation that was used is over, and so is one that another way made needless."""
    rows.change(
        LOGINS,
        e.login,
        invited_until=None,
        password_at=when(e.meta.recorded_at),
        password_way=str(e.way),
    )


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


# queries

STATES = ("never", "invited", "expired", "entered", "no_login", "suspended")
"""How far an officer's log-in is: see `_in_state`."""


def _login_state(at: datetime) -> ColumnElement[str]:
    """How far a log-in name is: its officer has ``entered`` and set a password, is ``invited`` or
    was and let it ``expire`` (or it is ``void``: `mark_void`); ``unknown``: opened without an
    invitation, by a store or a program that kept no fact of it. A code is a secret and lasts as
    long as the vault says, by the guarded clock, held or not (decision 0057)."""
    login = LOGINS.c
    return case(
        (login.password_at.is_not(None), "entered"),
        (login.invited_until.is_(None), "unknown"),
        (over(login.invited_until, NEVER_HELD, at), "expired"),
        else_="invited",
    )


def _in_state(state: str, at: datetime) -> ColumnElement[bool]:
    """Officers with a log-in name in a state of `_login_state` (``never``: invited or expired),
    with none; suspended."""
    if state == "suspended":
        return OFFICERS.c.suspended.is_not(None)
    if state == "no_login":
        return OFFICERS.c.login.is_(None)
    wanted = ("invited", "expired") if state == "never" else (state,)
    fits = _login_state(at).in_(wanted)
    return OFFICERS.c.id.in_(select(LOGINS.c.officer).where(fits))


def officers(
    db: Connection,
    scope: Scope,
    *,
    role: str | None = None,
    suspended: bool | None = None,
    state: str | None = None,
    search: str | None = None,
    certified_until: date | None = None,
    at: datetime | None = None,
    cursor: str | None = None,
    limit: int = 100,
) -> Page:
    """Officers employed in an area and below, with the posts held by them now or later and the
    state of their log-in names. ``search``: a part of a log-in name. ``certified_until``: whose
    certificate is good until that day or an earlier one."""
    assert at is not None, "the edge gives the store's clock"
    query = (
        select(OFFICERS, AREAS.c.name.label("area_name"), AREAS.c.code.label("area_code"))
        .join(AREAS, AREAS.c.id == OFFICERS.c.area)
        .where(scope.covers(OFFICERS.c.area))
    )
    if role is not None:
        holders = select(APPOINTMENTS.c.officer).where(
            APPOINTMENTS.c.role == role, APPOINTMENTS.c.handed_to.is_(None)
        )
        query = query.where(OFFICERS.c.id.in_(holders))
    if suspended is not None:
        is_on = OFFICERS.c.suspended.is_not(None) if suspended else OFFICERS.c.suspended.is_(None)
        query = query.where(is_on)
    if state is not None:
        query = query.where(_in_state(state, at))
    if certified_until is not None:
        query = query.where(OFFICERS.c.certified_until <= certified_until.isoformat())
    if search:
        named = func.lower(LOGINS.c.login).contains(search.strip().lower(), autoescape=True)
        query = query.where(OFFICERS.c.id.in_(select(LOGINS.c.officer).where(named)))
    order = [AREAS.c.code.label("area_code"), OFFICERS.c.id]
    found = page(db, query, order, cursor=cursor, limit=limit)
    ids = [row["id"] for row in found.items]
    posts, logins = _posts(db, ids), _logins(db, ids, at)
    for row in found.items:
        row["appointments"] = posts.get(row["id"], [])
        row["logins"] = logins.get(row["id"]) or _older_login(row)
    return found


def officer_counts(db: Connection, scope: Scope, *, at: datetime | None = None) -> Row:
    """How many officers are employed in an area and below, are suspended, were invited and never
    logged in, and of those how many have an invitation that is over."""
    assert at is not None, "the edge gives the store's clock"
    here = select(func.count()).select_from(OFFICERS).where(scope.covers(OFFICERS.c.area))
    told = {"officers": db.execute(here).scalar_one()}
    for state in ("suspended", "never", "expired"):
        told[state] = db.execute(here.where(_in_state(state, at))).scalar_one()
    return told


def officer(
    db: Connection,
    scope: Scope,
    *,
    officer: UUID,
    at: datetime | None = None,
) -> Row | None:
    """One officer: posts, log-in names, substitutes named, and whom the officer stands in for."""
    assert at is not None, "the edge gives the store's clock"
    query = (
        select(OFFICERS, AREAS.c.name.label("area_name"), AREAS.c.code.label("area_code"))
        .join(AREAS, AREAS.c.id == OFFICERS.c.area)
        .where(scope.covers(OFFICERS.c.area), OFFICERS.c.id == str(officer))
    )
    row = db.execute(query).mappings().first()
    if row is None:
        return None
    found = dict(row)
    found["appointments"] = _posts(db, [found["id"]], past=True).get(found["id"], [])
    found["logins"] = _logins(db, [found["id"]], at).get(found["id"]) or _older_login(found)
    found["substitutions"] = _substitutions(db, found["id"])
    return found


def _logins(db: Connection, holders: list[str], at: datetime) -> dict[str, list[Row]]:
    """Log-in names of these officers (whom a scoped query has found), each with its state."""
    query = select(LOGINS, _login_state(at).label("state"))
    query = query.where(LOGINS.c.officer.in_(holders)).order_by(LOGINS.c.login)
    found: dict[str, list[Row]] = {}
    for row in db.execute(query).mappings():
        found.setdefault(row["officer"], []).append(dict(row))
    mark_void(db, found, _areas_opened(db, list(found), at))
    return found


def _areas_opened(db: Connection, holders: list[str], at: datetime) -> list[tuple[str, str]]:
    """Officer and area of each post that they hold now or later, also in another's place."""
    today = china_day(at).isoformat()
    a, s = APPOINTMENTS.c, SUBSTITUTIONS.c
    lasts = or_(a.ends_on.is_(None), a.ends_on >= today)
    held = select(a.officer, a.area).where(a.officer.in_(holders), a.handed_to.is_(None), lasts)
    stood_in = (
        select(s.substitute, a.area)
        .join(APPOINTMENTS, and_(a.officer == s.officer, a.appointment == s.appointment))
        .where(s.substitute.in_(holders), s.ended_on.is_(None), s.ends_on >= today)
    )
    return [(row[0], row[1]) for query in (held, stood_in) for row in db.execute(query)]


def _older_login(officer: Row) -> list[Row]:
    """The log-in name of a store made before names had facts of their own, if there is one."""
    if officer["login"] is None:
        return []
    untold = dict.fromkeys(set(LOGINS.c.keys()) - {"login", "officer"})
    name = {"login": officer["login"], "officer": officer["id"]}
    return [{**name, **untold, "state": "unknown"}]


def _posts(db: Connection, holders: list[str], *, past: bool = False) -> dict[str, list[Row]]:
    """Posts of these officers (whom a scoped query has found); handed-over ones with ``past``."""
    query = (
        select(APPOINTMENTS, AREAS.c.name.label("area_name"))
        .join(AREAS, AREAS.c.id == APPOINTMENTS.c.area)
        .where(APPOINTMENTS.c.officer.in_(holders))
        .order_by(APPOINTMENTS.c.starts_on, APPOINTMENTS.c.appointment)
    )
    if not past:
        query = query.where(APPOINTMENTS.c.handed_to.is_(None))
    found: dict[str, list[Row]] = {}
    for row in db.execute(query).mappings():
        found.setdefault(row["officer"], []).append(dict(row))
    return found


def _substitutions(db: Connection, officer: str) -> list[Row]:
    absent, stand_in = OFFICERS.alias("absent"), OFFICERS.alias("stand_in")
    query = (
        select(
            SUBSTITUTIONS,
            absent.c.masked_name.label("officer_name"),
            stand_in.c.masked_name.label("substitute_name"),
        )
        .outerjoin(absent, absent.c.id == SUBSTITUTIONS.c.officer)
        .outerjoin(stand_in, stand_in.c.id == SUBSTITUTIONS.c.substitute)
        .where(or_(SUBSTITUTIONS.c.officer == officer, SUBSTITUTIONS.c.substitute == officer))
        .order_by(SUBSTITUTIONS.c.starts_on, SUBSTITUTIONS.c.substitution)
    )
    return [dict(row) for row in db.execute(query).mappings()]


VIEW = View(
    name="officers",
    version=6,
    tables=(OFFICERS, LOGINS, APPOINTMENTS, SUBSTITUTIONS),
    routes={
        Officer.Registered: registered,
        Officer.NumberExcused: number_excused,
        Officer.AccountOpened: account_opened,
        LoginName.Taken: login_taken,
        LoginName.Invited: invited,
        LoginName.Recovered: recovered,
        LoginName.PasswordSet: password_set,
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
