"""Findings 重复、遗漏、异常: what an auditor would ask about, found as soon as it is there.

Only a contest between households is an event of its own (a person's stream alone names all who
claim them); all else is asked of the ledger at the moment of the question. A village sees its own
side of a contest, never the other's.
"""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Index,
    Select,
    String,
    Subquery,
    Table,
    and_,
    func,
    literal,
    select,
    union,
    union_all,
)

from domain.household import Household
from domain.incident import Incident
from domain.lateness import NEVER_HELD, HeldTime
from domain.person import Person
from domain.village_list import VillageList
from projections.areas import AREAS
from projections.asking.contest_findings import MAKERS, claimed_of_others, many_contests
from projections.asking.counted import day_over
from projections.asking.finding_rows import finding
from projections.asking.ledger_findings import (
    delivery_overdue,
    equal_amounts,
    grant_without_need,
    held_after_loss,
    need_without_grant,
    over_standard,
    payment_failed,
)
from projections.asking.officer_findings import maybe_one_person, registered_twice
from projections.asking.paging import Page, page_in_parts
from projections.asking.recovery_findings import administrator_recovered
from projections.asking.report_findings import REPORT_FINDINGS, never_sent_upward, tell_reports
from projections.asking.report_sums import ReportSums
from projections.asking.scope import Scope
from projections.asking.unsealing_findings import UNSEALINGS, many_unsealings, revealed
from projections.folding.base import LOGICAL, Rows, View, as_json, text_of, when
from projections.households import HOUSEHOLDS, TOWNSHIPS
from projections.ledger import LEDGER
from projections.seasons import SEASONS

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

L, H, C = LEDGER.c, HOUSEHOLDS.c, CLAIMS.c


def claims(scope: Scope, *, twice: bool) -> Select[Any]:
    """A person whom several households claim; ``twice``: and two have a case this season."""
    scope = scope.of_few
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
    return finding(
        literal("person_twice" if twice else "person_contested"),
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
    ).where(scope.covers(H.area), both.c.person.is_not(None) if twice else both.c.person.is_(None))


@dataclass(frozen=True)
class About:
    """What every kind is asked of: some areas, as of a moment. ``few``: of a few cases there."""

    scope: Scope
    at: datetime
    held: HeldTime
    few: bool = False

    @cached_property
    def delivered_by(self) -> ColumnElement[bool]:
        """Whether a season's last day is over."""
        return day_over(SEASONS.c.deliver_by, self.held, self.at)

    @cached_property
    def reports(self) -> ReportSums:
        return ReportSums(self.scope)


def _of_reports(ask: Callable[[ReportSums], Select[Any]]) -> Callable[[About], Select[Any]]:
    return lambda about: ask(about.reports)


OF_REPORTS = {kind: _of_reports(ask) for kind, ask in REPORT_FINDINGS.items()}
OF_CASES: dict[str, Callable[[About], Select[Any]]] = {
    "delivery_overdue": lambda about: delivery_overdue(
        about.scope, about.delivered_by, few=about.few
    ),
    "grant_without_need": lambda about: grant_without_need(about.scope),
    "held_after_loss": lambda about: held_after_loss(about.scope, few=about.few),
    "need_without_grant": lambda about: need_without_grant(
        about.scope, about.delivered_by, few=about.few
    ),
    "over_standard": lambda about: over_standard(about.scope),
    "payment_failed": lambda about: payment_failed(about.scope, few=about.few),
    "person_contested": lambda about: claims(about.scope, twice=False),
    "person_twice": lambda about: claims(about.scope, twice=True),
}
KINDS: dict[str, Callable[[About], Select[Any]]] = {
    **OF_REPORTS,
    **OF_CASES,
    "administrator_recovered": lambda about: administrator_recovered(about.scope),
    "equal_amounts": lambda about: equal_amounts(about.scope),
    "many_contests": lambda about: many_contests(about.scope),
    "many_unsealings": lambda about: many_unsealings(about.scope),
    "maybe_one_person": lambda about: maybe_one_person(about.scope),
    "never_sent_upward": lambda about: never_sent_upward(about.scope, about.held, about.at),
    "registered_twice": lambda about: registered_twice(about.scope),
}
"""Kind → its question. Only what is asked for is asked: most kinds look at all that a place has."""


def _all(kinds: Mapping[str, Callable[[About], Select[Any]]], about: About) -> Subquery:
    return union_all(*(ask(about) for ask in kinds.values())).subquery("found")


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
    among: Collection[str] | None = None,
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
    about = About(scope.on(db), at, held)
    of_no_household = exercise is scope.training  # those say what is usual here
    asked = H.exercise.is_not(not exercise) if of_no_household else H.exercise.is_(exercise)

    def of_kind(name: str) -> tuple[Select[Any], list[ColumnElement[Any]]]:
        found = KINDS[name](about).subquery("found")
        conditions: list[ColumnElement[bool]] = [asked]
        if season is not None:
            conditions.append(found.c.season == str(season))
        if open is not None:
            conditions.append(found.c.status == "open" if open else found.c.status != "open")
        return _named(found, conditions), [found.c.kind, found.c.id]

    names = sorted(KINDS if among is None else KINDS.keys() & among)
    if kind is not None:
        names = [name for name in names if name == kind]
    rows = page_in_parts(db, names, of_kind, cursor=cursor, limit=limit)
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
    scope = scope.on(db)
    found = _all(OF_REPORTS if figures else KINDS, About(scope, at, held))
    drill = select(H.id).where(H.exercise.is_(not scope.training), scope.covers(H.area))
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


def marks_of(
    db: Connection,
    scope: Scope,
    *,
    cases: Collection[str],
    at: datetime,
    held: HeldTime = NEVER_HELD,
) -> dict[str, list[str]]:
    """Household → kinds of the open findings of these cases."""
    about = About(scope.on(db).by_rows, at, held, few=True)

    def of_kind(found: Subquery) -> Select[Any]:
        return (
            select(found.c.household, found.c.kind)
            .join(HOUSEHOLDS, H.id == found.c.household)
            .where(
                found.c.relief_case.in_(sorted(cases)),
                found.c.status == "open",
                H.exercise.is_(scope.training),
            )
        )

    each = [of_kind(ask(about).subquery(kind)) for kind, ask in OF_CASES.items()]
    found = union(*each).subquery("found")
    query = select(found).order_by(found.c.kind)
    marks: dict[str, list[str]] = {}
    for row in db.execute(query):
        marks.setdefault(row.household, []).append(row.kind)
    return marks


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
