"""Officers as they are asked for: who is in office where, and how far their log-ins are."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, or_, select

from domain.lateness import NEVER_HELD
from domain.rules.base import china_day
from projections.areas import AREAS
from projections.asking.counted import over
from projections.asking.looked_for import Source, looked_for, names_in, numbers_in
from projections.asking.paging import Page, page
from projections.asking.scope import Scope
from projections.asking.void_codes import mark_void
from projections.folding.base import Row
from projections.officers import APPOINTMENTS, LOGINS, OFFICERS, SUBSTITUTIONS

STATES = ("never", "invited", "expired", "void", "no_code", "entered", "no_login", "suspended")
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


def _in_state(db: Connection, scope: Scope, state: str, at: datetime) -> ColumnElement[bool]:
    """Officers with a log-in name in a state of `_login_state` (``never``: invited, void or
    expired; ``no_code``: of those, who has no code that opens), with none; suspended.

    ``no_code`` leaves out who is suspended: nobody invites them.
    """
    if state in ("invited", "void", "no_code"):
        void = OFFICERS.c.id.in_(_void(db, scope, at))
        invited = OFFICERS.c.id.in_(select(LOGINS.c.officer).where(_login_state(at) == "invited"))
        if state == "void":
            return void
        if state == "invited":
            return and_(invited, void.is_(False))
        expired = _in_state(db, scope, "expired", at)
        return and_(or_(expired, void), OFFICERS.c.suspended.is_(None))
    if state == "suspended":
        return OFFICERS.c.suspended.is_not(None)
    if state == "no_login":
        return OFFICERS.c.login.is_(None)
    wanted = ("invited", "expired") if state == "never" else (state,)
    fits = _login_state(at).in_(wanted)
    return OFFICERS.c.id.in_(select(LOGINS.c.officer).where(fits))


def _void(db: Connection, scope: Scope, at: datetime) -> list[str]:
    """Officers of these areas with a code that is void since they came to a post elsewhere."""
    waiting = (
        select(LOGINS, _login_state(at).label("state"))
        .join(OFFICERS, OFFICERS.c.id == LOGINS.c.officer)
        .where(scope.covers(OFFICERS.c.area), _login_state(at) == "invited")
    )
    found: dict[str, list[Row]] = {}
    for row in db.execute(waiting).mappings():
        found.setdefault(row["officer"], []).append(dict(row))
    mark_void(db, found, _areas_opened(db, list(found), at))
    return [id for id, rows in found.items() if any(one["state"] == "void" for one in rows)]


def officers(
    db: Connection,
    scope: Scope,
    *,
    role: str | None = None,
    suspended: bool | None = None,
    state: str | None = None,
    search: str | None = None,
    certified_until: date | None = None,
    at: datetime,
    cursor: str | None = None,
    limit: int = 100,
) -> Page:
    """Officers employed in an area and below, with the posts held by them now or later and the
    state of their log-in names. ``search``: a part of a log-in name, what the mask shows of a name,
    where they are employed (also in pinyin or initials), or the number of a certificate, theirs
    or that of one of their posts. ``certified_until``: whose certificate is good until that day
    or an earlier one."""
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
        query = query.where(_in_state(db, scope, state, at))
    if certified_until is not None:
        query = query.where(OFFICERS.c.certified_until <= certified_until.isoformat())
    if search:
        named = func.lower(LOGINS.c.login).contains(search.strip().lower(), autoescape=True)
        by_login = OFFICERS.c.id.in_(select(LOGINS.c.officer).where(named))
        names, codes = names_in(query, OFFICERS.c.masked_name, AREAS.c.name), [AREAS.c.code]
        every = [*names, *_certificates(query, search)]
        query = query.where(by_login | looked_for(db, search, every, codes=codes))
    order = [AREAS.c.code.label("area_code"), OFFICERS.c.id]
    found = page(db, query, order, cursor=cursor, limit=limit)
    ids = [row["id"] for row in found.items]
    posts, logins = _posts(db, ids), _logins(db, ids, at)
    for row in found.items:
        row["appointments"] = posts.get(row["id"], [])
        row["logins"] = logins.get(row["id"]) or _older_login(row)
    return found


def _certificates(query: Select[Any], search: str) -> tuple[Source, ...]:
    """The numbers that certificates 上岗证 of these officers and of their posts bear."""
    seen = query.with_only_columns(OFFICERS.c.id, maintain_column_froms=True)
    own = query.with_only_columns(OFFICERS.c.id, OFFICERS.c.certificate, maintain_column_froms=True)
    of_posts = select(APPOINTMENTS.c.officer, APPOINTMENTS.c.certificate)
    of_posts = of_posts.where(APPOINTMENTS.c.officer.in_(seen)).distinct()
    return numbers_in(search, Source(OFFICERS.c.id, own), Source(OFFICERS.c.id, of_posts))


def officer_counts(db: Connection, scope: Scope, *, at: datetime) -> Row:
    """How many officers are employed in an area and below, are suspended, were invited and never
    logged in; of those, whose invitation is over (``expired``) or void, and who has no code that
    opens (``no_code``)."""
    here = select(func.count()).select_from(OFFICERS).where(scope.covers(OFFICERS.c.area))
    told = {"officers": db.execute(here).scalar_one()}
    for state in ("suspended", "never", "expired", "void", "no_code"):
        told[state] = db.execute(here.where(_in_state(db, scope, state, at))).scalar_one()
    return told


def officer(
    db: Connection,
    scope: Scope,
    *,
    officer: UUID,
    at: datetime,
) -> Row | None:
    """One officer: posts, log-in names, substitutes named, and whom the officer stands in for."""
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
