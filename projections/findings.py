"""Findings 重复、遗漏、异常: what an auditor would ask about, found as soon as it is there.

Only a contest between households is an event of its own (a person's stream alone names all who
claim them); all else is asked of the ledger at the moment of the question. A village sees its own
side of a contest, never the other's.
"""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Index,
    Select,
    String,
    Table,
    and_,
    case,
    cast,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.sql.selectable import FromClause

from domain.household import Household
from domain.incident import Incident
from domain.lateness import NEVER_HELD, HeldTime
from domain.person import Person
from domain.rules.standards import TEN_DAYS
from domain.village_list import VillageList
from projections.areas import AREAS
from projections.asking.contest_findings import MAKERS, claimed_of_others, many_contests
from projections.asking.counted import day_over
from projections.asking.finding_rows import finding
from projections.asking.ledger_books import HELD
from projections.asking.officer_findings import maybe_one_person, registered_twice
from projections.asking.paging import Page, page
from projections.asking.recovery_findings import administrator_recovered
from projections.asking.report_findings import REPORT_FINDINGS, never_sent_upward, tell_reports
from projections.asking.scope import Scope
from projections.asking.unsealing_findings import UNSEALINGS, many_unsealings, revealed
from projections.folding.base import LOGICAL, Rows, View, as_json, text_of, when
from projections.households import HOUSEHOLDS, MEMBERS, TOWNSHIPS
from projections.ledger import GRANTS, LEDGER
from projections.lists import LISTS
from projections.seasons import SEASON_RATES, SEASONS

FEWEST_EQUAL = 3
"""From how many households on equal amounts are worth a question (平均分配)."""

CONTESTS = Table(
    "person_contests",
    LOGICAL,
    Column("person", String(36), primary_key=True),
    Column("claims", String, nullable=False),
    Column("status", String, nullable=False),
    Column("since", String, nullable=False),
    Column("settled_at", String),
    Column("reason", String),
    Column("document_no", String),
)

CLAIMS = Table(
    "person_claims",
    LOGICAL,
    Column("person", String(36), primary_key=True),
    Column("household", String(36), primary_key=True),
    Column("status", String, nullable=False),
    Column("since", String, nullable=False),
    Index("person_claims_by_household", "household"),
)
"""``status``: open, kept, lost, given_up, merged. Its place is the household's, by the query."""


def contested(rows: Rows, at: int, e: Person.Contested) -> None:
    claimed_of_others(rows, e)
    person, since = text_of(e.originator_id), when(e.meta.recorded_at)
    claims = [text_of(one) for one in (*e.holders, e.household)]
    rows.put(
        CONTESTS,
        {"person": person, "claims": as_json(claims), "status": "open", "since": since},
    )
    for household in claims:
        _claim(rows, person, household, "open", since)


def _claim(rows: Rows, person: str, household: str, status: str, since: str) -> None:
    row = {"person": person, "household": household, "status": status, "since": since}
    rows.put(CLAIMS, row)


def _settle(rows: Rows, person: str, claims: list[str], at: str, **more: Any) -> None:
    """A claim has ended. With one claim left, or none, the person is not contested any more."""
    row = rows.need(CONTESTS, person)
    changes: dict[str, Any] = {"claims": as_json(claims), **more}
    if len(claims) < 2 and row["status"] == "open":
        changes |= {"status": "settled", "settled_at": at}
        for household in claims:
            _claim(rows, person, household, "kept", at)
    rows.change(CONTESTS, person, **changes)


def released(rows: Rows, at: int, e: Person.Released) -> None:
    person, moment = text_of(e.originator_id), when(e.meta.recorded_at)
    row = rows.get(CONTESTS, person)
    if row is None or row["status"] != "open":
        return
    gone = text_of(e.household)
    _claim(rows, person, gone, "given_up", moment)
    _settle(rows, person, [one for one in json.loads(row["claims"]) if one != gone], moment)


def transferred(rows: Rows, at: int, e: Person.Transferred) -> None:
    person, moment = text_of(e.originator_id), when(e.meta.recorded_at)
    row = rows.get(CONTESTS, person)
    if row is None or row["status"] != "open":
        return
    origin, household = text_of(e.origin), text_of(e.household)
    _claim(rows, person, origin, "merged", moment)
    _claim(rows, person, household, "open", moment)
    claims = [household if one == origin else one for one in json.loads(row["claims"])]
    rows.change(CONTESTS, person, claims=as_json(claims))


def resolved(rows: Rows, at: int, e: Person.Resolved) -> None:
    person, moment = text_of(e.originator_id), when(e.meta.recorded_at)
    for household in e.dropped:
        _claim(rows, person, text_of(household), "lost", moment)
    kept = [text_of(e.keep)] if e.keep is not None else []
    _settle(rows, person, kept, moment, reason=e.reason, document_no=e.document_no)


# Queries: each kind of finding is one SELECT with the same columns

L, G, H, S, C, R = LEDGER.c, GRANTS.c, HOUSEHOLDS.c, SEASONS.c, CLAIMS.c, SEASON_RATES.c


def _of_case(kind: str, source: FromClause, **known: Any) -> Select[Any]:
    return finding(
        literal(kind),
        known.pop("id", L.id),
        source,
        season=L.season,
        area=L.area,
        household=L.household,
        relief_case=L.id,
        village_list=L.village_list,
        persons=L.persons,
        **known,
    )


def person_twice(scope: Scope) -> Select[Any]:
    """A person whom several households claim; ``person_twice`` if two have a case this season."""
    living = and_(L.household == C.household, L.status != "refused", scope.covers(L.area))
    both = (
        select(C.person, L.season)
        .select_from(CLAIMS.join(LEDGER, living))
        .where(C.status == "open")
        .group_by(C.person, L.season)
        .having(func.count() > 1)
        .subquery()
    )
    source = (
        CLAIMS.join(HOUSEHOLDS, H.id == C.household)
        .outerjoin(LEDGER, living)
        .outerjoin(both, and_(both.c.person == C.person, both.c.season == L.season))
    )
    kind = case((both.c.person.is_not(None), "person_twice"), else_="person_contested")
    return finding(
        kind,
        C.person + ":" + C.household + ":" + func.coalesce(L.season, ""),
        source,
        season=L.season,
        area=H.area,
        household=C.household,
        relief_case=L.id,
        village_list=L.village_list,
        person=C.person,
        since=C.since,
        status=C.status,
    ).where(scope.covers(H.area))


def need_without_grant(scope: Scope, ended: ColumnElement[bool]) -> Select[Any]:
    """遗漏: nothing granted or refused, though the list was allocated or the day is past."""
    source = LEDGER.join(SEASONS, S.id == L.season).outerjoin(LISTS, LISTS.c.id == L.village_list)
    past = or_(
        LISTS.c.status.in_(("allocated", "closed")),
        S.closed_at.is_not(None),
        ended,
    )
    return _of_case("need_without_grant", source, since=L.applied_at).where(
        scope.covers(L.area), L.status != "refused", L.grants == 0, past
    )


def grant_without_need(scope: Scope) -> Select[Any]:
    """Granted without a decision, or for more persons than the household had that day."""
    there = (
        select(func.count())
        .where(
            MEMBERS.c.household == L.household,
            (MEMBERS.c.status == "present") | (MEMBERS.c.until > L.granted_at),  # of a later day
        )
        .correlate(LEDGER)
        .scalar_subquery()
    )
    source = LEDGER.join(HOUSEHOLDS, H.id == L.household)
    too_many = and_(L.persons > H.size, L.persons > there + H.unnamed)
    return _of_case(
        "grant_without_need",
        source,
        amount_fen=L.cash_granted_fen + L.goods_granted_fen,
        number=there + H.unnamed,
        since=L.granted_at,
    ).where(scope.covers(L.area), L.grants > 0, or_(L.approved_at.is_(None), too_many))


def held_after_loss(scope: Scope) -> Select[Any]:
    """Open grants of a household that has lost somebody since: the county decides.

    The rule is `ReliefCase.lost_since`; ``number`` is how many have died since.
    """
    source = LEDGER.join(HOUSEHOLDS, H.id == L.household)
    return _of_case(
        "held_after_loss",
        source,
        amount_fen=L.cash_granted_fen + L.goods_granted_fen,
        number=H.died - func.coalesce(L.known_died, 0),
        since=L.granted_at,
    ).where(scope.covers(L.area), HELD)


def over_standard(scope: Scope) -> Select[Any]:
    """More than the ceiling of the day's standard; ``reason`` is what was written, if anything."""
    later = SEASON_RATES.alias("later")
    replaced = (
        select(later.c.since)
        .where(
            later.c.season == R.season,
            later.c.rate == R.rate,
            later.c.since > R.since,
            later.c.since <= L.granted_at,
        )
        .correlate(LEDGER, SEASON_RATES)
        .exists()
    )
    days = case((L.days < R.max_days, L.days), else_=R.max_days)
    units = case(
        (R.basis == "person", L.persons),
        (R.basis == "person_day", L.persons * days),
        (R.basis == "person_ten_days", L.persons * ((days + TEN_DAYS - 1) // TEN_DAYS)),
        (R.basis == "household", 1),
        else_=L.need_count,
    )
    value = L.cash_granted_fen + case((R.goods_count.is_(True), L.goods_granted_fen), else_=0)
    in_force = and_(R.season == L.season, R.rate == L.rate, R.since <= L.granted_at)
    source = LEDGER.join(SEASON_RATES, in_force)
    return _of_case(
        "over_standard",
        source,
        amount_fen=value,
        limit_fen=R.ceiling_fen * units,
        reason=L.over_standard_reason,
        since=L.granted_at,
    ).where(scope.covers(L.area), L.grants > 0, value > R.ceiling_fen * units, ~replaced)


def equal_amounts(scope: Scope) -> Select[Any]:
    """平均分配: every household of a village got the same, however many they are."""
    return (
        finding(
            literal("equal_amounts"),
            L.season + ":" + L.area,
            LEDGER,
            season=L.season,
            area=L.area,
            amount_fen=func.min(L.cash_granted_fen),
            persons=func.sum(L.persons),
            number=func.count(),
            since=func.max(L.granted_at),
        )
        .where(scope.covers(L.area), L.cash_granted_fen > 0, L.exercise.is_(scope.training))
        .group_by(L.season, L.area)
        .having(
            func.count() >= FEWEST_EQUAL,
            func.min(L.cash_granted_fen) == func.max(L.cash_granted_fen),
            func.min(L.persons) < func.max(L.persons),
        )
    )


def not_delivered(scope: Scope, ended: ColumnElement[bool]) -> tuple[Select[Any], Select[Any]]:
    """Payments that bounced and wait; what is not there by the season's last day."""
    source = GRANTS.join(LEDGER, L.id == G.relief_case).join(SEASONS, S.id == L.season)
    known: dict[str, Any] = {
        "id": L.id + ":" + cast(G.number, String),
        "amount_fen": G.value_fen,
        "number": G.number,
    }
    failed = _of_case(
        "payment_failed", source, **known, reason=G.failed_reason, since=G.failed_at
    ).where(scope.covers(G.area), G.status == "failed")
    late = _of_case("delivery_overdue", source, **known, since=S.deliver_by).where(
        scope.covers(G.area), G.status.in_(("granted", "failed")), ended
    )
    return failed, late


def _all(scope: Scope, at: datetime, held: HeldTime, figures: bool = False) -> Any:
    of_reports = [one(scope) for one in REPORT_FINDINGS]
    if figures:
        return union_all(*of_reports).subquery("found")
    delivered_by = day_over(SEASONS.c.deliver_by, held, at)
    parts = (
        person_twice(scope),
        many_contests(scope),
        need_without_grant(scope, delivered_by),
        grant_without_need(scope),
        held_after_loss(scope),
        over_standard(scope),
        equal_amounts(scope),
        *not_delivered(scope, delivered_by),
        *of_reports,
        many_unsealings(scope),
        maybe_one_person(scope),
        registered_twice(scope),
        never_sent_upward(scope, held, at),
        administrator_recovered(scope),
    )
    return union_all(*parts).subquery("found")


def _named(found: Any, conditions: list[ColumnElement[bool]]) -> Select[Any]:
    return (
        select(
            found,
            H.head_masked,
            AREAS.c.name.label("village_name"),
            TOWNSHIPS.c.name.label("township_name"),
        )
        .outerjoin(HOUSEHOLDS, H.id == found.c.household)
        .outerjoin(AREAS, AREAS.c.id == found.c.area)
        .outerjoin(TOWNSHIPS, TOWNSHIPS.c.id == AREAS.c.parent)
        .where(*conditions)
    )


def findings(
    db: Connection,
    scope: Scope,
    *,
    kind: str | None = None,
    season: UUID | None = None,
    open: bool | None = True,
    exercise: bool = False,
    at: datetime,
    held: HeldTime = NEVER_HELD,
    cursor: str | None = None,
    limit: int = 100,
) -> Page:
    """What looks doubled, forgotten or odd as of ``at``, by kind.

    Kinds: person_twice, person_contested, many_contests, need_without_grant, grant_without_need,
    held_after_loss, over_standard, equal_amounts, payment_failed, delivery_overdue, split_differs,
    split_leaves_out, casualties_hidden, parts_larger, likely_same, many_unsealings,
    maybe_one_person, registered_twice, never_sent_upward, administrator_recovered.
    ``open=false``: contests that were decided. Those about figures say which, with the ``own`` one
    and that of the ``parts``, and by which ``reports`` of the area and ``parts`` below it.
    """
    found = _all(scope.on(db), at, held)
    of_no_household = exercise is scope.training  # those say what is usual here
    asked = H.exercise.is_not(not exercise) if of_no_household else H.exercise.is_(exercise)
    conditions: list[ColumnElement[bool]] = [asked]
    if kind is not None:
        conditions.append(found.c.kind == kind)
    if season is not None:
        conditions.append(found.c.season == str(season))
    if open is not None:
        conditions.append(found.c.status == "open" if open else found.c.status != "open")
    order: list[Any] = [found.c.kind, found.c.id]
    rows = page(db, _named(found, conditions), order, cursor=cursor, limit=limit)
    tell_reports(db, scope, rows.items)
    return rows


def finding_counts(
    db: Connection,
    scope: Scope,
    *,
    season: UUID | None = None,
    figures: bool = False,
    at: datetime,
    held: HeldTime = NEVER_HELD,
) -> dict[str, Any]:
    """How many open findings there are of each kind; ``figures``: of those about reports only."""
    found = _all(scope := scope.on(db), at, held, figures)
    drill = select(H.id).where(H.exercise.is_not(scope.training), scope.covers(H.area))
    query = (
        select(found.c.kind, func.count().label("findings"))
        .where(found.c.status == "open")
        .where(func.coalesce(found.c.household, "").not_in(drill))
        .group_by(found.c.kind)
        .order_by(found.c.kind)
    )
    if season is not None:
        query = query.where(found.c.season == str(season))
    return {"counts": {row.kind: row.findings for row in db.execute(query)}}


VIEW = View(
    name="findings",
    version=4,
    tables=(CONTESTS, CLAIMS, MAKERS, UNSEALINGS),
    routes={
        Household.Revealed: revealed,
        Incident.CallerRevealed: revealed,
        VillageList.ObjectionRevealed: revealed,
        Person.Contested: contested,
        Person.Released: released,
        Person.Transferred: transferred,
        Person.Resolved: resolved,
    },
    ignored={
        Person.Claimed: "a first claim contests nothing",
        Person.ClaimedAgain: "nobody else held the person",
        Person.Erased: "who is erased counts in no household: nobody contests them",
    },
)
