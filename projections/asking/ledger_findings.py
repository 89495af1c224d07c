"""Findings of the ledger: forgotten, odd, unequal and undelivered grants."""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    and_,
    case,
    cast,
    func,
    literal,
    or_,
    select,
    true,
)
from sqlalchemy.sql.selectable import FromClause

from domain.rules.standards import TEN_DAYS
from projections.asking.case_states import HELD, OF_RATE, OPEN
from projections.asking.finding_rows import finding
from projections.asking.scope import Scope
from projections.households import HOUSEHOLDS, MEMBERS
from projections.ledger import LEDGER
from projections.lists import LISTS
from projections.seasons import SEASON_RATES, SEASONS
from projections.sections.grants import GRANTS

FEWEST_EQUAL = 3
"""From how many households on equal amounts are worth a question (平均分配)."""

L, G, H, S, R = LEDGER.c, GRANTS.c, HOUSEHOLDS.c, SEASONS.c, SEASON_RATES.c


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


def need_without_grant(
    scope: Scope, ended: ColumnElement[bool], *, few: bool = False
) -> Select[Any]:
    """遗漏: nothing granted or refused, though the list was allocated or the day is past. ``few``:
    see `_of_each`."""
    source = LEDGER.join(SEASONS, S.id == L.season).outerjoin(LISTS, LISTS.c.id == L.village_list)
    past = or_(
        LISTS.c.status.in_(("allocated", "closed")),
        S.closed_at.is_not(None),
        ended,
    )
    return _of_case("need_without_grant", source, since=L.applied_at).where(
        scope.covers(L.area), L.status != "refused", _of_each(L.grants == 0, few=few), past
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


def held_after_loss(scope: Scope, *, few: bool = False) -> Select[Any]:
    """Open grants of a household that has lost somebody since: the county decides.

    The rule is `ReliefCase.lost_since`; ``number`` is how many have died since. ``few``: see
    `_of_each`; else the open grants are looked for first, of all that were ever made the least.
    """
    opened = select(G.relief_case).where(G.status.in_(OPEN), scope.covers(G.area))
    source = LEDGER.join(HOUSEHOLDS, H.id == L.household)
    return _of_case(
        "held_after_loss",
        source,
        amount_fen=L.cash_granted_fen + L.goods_granted_fen,
        number=H.died - func.coalesce(L.known_died, 0),
        since=L.granted_at,
    ).where(scope.covers(L.area), HELD, true() if few else L.id.in_(opened))


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
    in_force = and_(OF_RATE, R.since <= L.granted_at)
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


_NOT_DELIVERED = GRANTS.join(LEDGER, L.id == G.relief_case).join(SEASONS, S.id == L.season)
_OF_GRANT: dict[str, Any] = {
    "id": L.id + ":" + cast(G.number, String),
    "amount_fen": G.value_fen,
    "number": G.number,
}


def payment_failed(scope: Scope, *, few: bool = False) -> Select[Any]:
    """Payments that bounced and wait. ``few``: see `_of_each`."""
    known = {**_OF_GRANT, "reason": G.failed_reason, "since": G.failed_at}
    bounced = _of_case("payment_failed", _NOT_DELIVERED, **known)
    return bounced.where(scope.covers(G.area), _of_each(G.status == "failed", few=few))


def delivery_overdue(scope: Scope, ended: ColumnElement[bool], *, few: bool = False) -> Select[Any]:
    """What is not there by the season's last day. ``few``: see `_of_each`."""
    late = _of_case("delivery_overdue", _NOT_DELIVERED, **_OF_GRANT, since=S.deliver_by)
    waits = _of_each(G.status.in_(OPEN), few=few)
    return late.where(scope.covers(G.area), waits, ended)


def _of_each(condition: ColumnElement[bool], *, few: bool) -> ColumnElement[bool]:
    """``few``: the question is about a few cases, found by their ids, and each of them is asked
    this. SQLite takes every value of an index for a rare one, and would read all rows of it."""
    return condition.is_(True) if few else condition
