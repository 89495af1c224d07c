"""The work list of an officer: what waits for whom, which command does it, and where.

Whose a step is follows from the roles of its command and from where the thing lies. ``mine`` is
what this post is there for; ``area`` is all that the post may do in its area and below, also what
is first of all for somebody else: a superior settles what a township leaves lying.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CTE,
    ColumnElement,
    Connection,
    Select,
    Subquery,
    and_,
    case,
    false,
    func,
    or_,
    select,
    true,
    union_all,
)

from domain.area import AreaLevel
from domain.commands.consignments import (
    ArriveConsignment,
    CloseConsignment,
    OrderConsignment,
    ShipConsignment,
    WriteOffDamaged,
)
from domain.commands.contests import ResolveContest
from domain.commands.disasters import (
    DECIDERS,
    ChangeResponse,
    CloseDisaster,
    EndResponse,
    StartResponse,
)
from domain.commands.grant_corrections import RetryPayment
from domain.commands.handing_out import SignGoods
from domain.commands.held_grants import DecideHeldGrants
from domain.commands.household_moves import AcceptHouseholdMove
from domain.commands.households import RecordCard
from domain.commands.incidents import (
    AcknowledgeAssignment,
    AssignUnit,
    CloseIncident,
    TriageIncident,
)
from domain.commands.issuing import IssueReport
from domain.commands.notices import PostNotice, PostSecondNotice
from domain.commands.payments import AllocateList, PayList
from domain.commands.proposing import TakeProposal
from domain.commands.relief_cases import ApplyForRelief, ApplyOnBehalf
from domain.commands.reports import (
    FileVerifiedOnBehalf,
    FileVerifiedReport,
    MakeUpReport,
    ResubmitReport,
)
from domain.commands.reviews import AcceptReport, StabilizeReport
from domain.commands.village_lists import (
    AppraiseList,
    AppraiseOnBehalf,
    ApproveList,
    CloseList,
    OpenVillageList,
    ReviewList,
    SettleObjection,
)
from domain.lateness import NEVER_HELD, HeldTime
from domain.person import Person
from domain.world import Command, Role
from projections.areas import AREAS
from projections.asking import work_disasters as of_disasters
from projections.asking import work_lists as lists
from projections.asking import work_sources as sources
from projections.asking.counted import day_over, over
from projections.asking.paging import MAX_LIMIT, Page, page
from projections.asking.scope import Scope
from projections.findings import CLAIMS
from projections.households import MEMBERS

DAY = 10
"""Characters of a day without a time."""
DESKS = AREAS.alias("desks")
LAST = "~"
"""Sorts behind every time: what has no due time."""


@dataclass(frozen=True, slots=True)
class Matter:
    """One kind of step. ``kind`` is that of its subject, as addresses say it; ``href`` the page
    where it is done. ``by_level``: only the role of the level in question does it."""

    kind: str
    command: type[Command]
    href: str
    by_level: bool = False


MATTERS: dict[str, Matter] = {
    "incident_triage": Matter("incidents", TriageIncident, "/dispatch/incidents/{}"),
    "incident_assign": Matter("incidents", AssignUnit, "/dispatch/incidents/{}"),
    "incident_acknowledge": Matter("incidents", AcknowledgeAssignment, "/dispatch/incidents/{}"),
    "response_start": Matter("disasters", StartResponse, "/disasters/{}"),
    "response_change": Matter("disasters", ChangeResponse, "/disasters/{}"),
    "report_review": Matter("situation-reports", AcceptReport, "/report/{}", by_level=True),
    "report_issue": Matter("situation-reports", IssueReport, "/report/{}", by_level=True),
    "report_correct": Matter("situation-reports", ResubmitReport, "/report/{}", by_level=True),
    "report_make_up": Matter(
        "situation-reports", MakeUpReport, "/report/{}/file?kind=make_up", by_level=True
    ),
    "report_stabilize": Matter("situation-reports", StabilizeReport, "/report/{}"),
    "report_verify": Matter(
        "situation-reports", FileVerifiedReport, "/report/{}/file?kind=verified", by_level=True
    ),
    "report_verify_for": Matter(
        "situation-reports", FileVerifiedOnBehalf, "/report/{}/file?kind=verified_for"
    ),
    "consignment_order": Matter("consignments", OrderConsignment, "/stock/consignments/{}"),
    "consignment_ship": Matter("consignments", ShipConsignment, "/stock/consignments/{}"),
    "consignment_receive": Matter("consignments", ArriveConsignment, "/stock/consignments/{}"),
    "consignment_write_off": Matter("consignments", WriteOffDamaged, "/stock/consignments/{}"),
    "village_list_begin": Matter("seasons", OpenVillageList, "/seasons/{}"),
    "village_list_open": Matter("seasons", OpenVillageList, "/seasons/{}"),
    "village_list_apply": Matter("village-lists", ApplyForRelief, "/lists/{}/apply"),
    "village_list_appraise": Matter("village-lists", AppraiseList, "/lists/{}"),
    "village_list_apply_for": Matter("village-lists", ApplyOnBehalf, "/lists/{}/apply"),
    "village_list_appraise_for": Matter("village-lists", AppraiseOnBehalf, "/lists/{}"),
    "village_list_post": Matter("village-lists", PostNotice, "/lists/{}"),
    "village_list_settle": Matter("village-lists", SettleObjection, "/lists/{}"),
    "village_list_review": Matter("village-lists", ReviewList, "/lists/{}"),
    "village_list_approve": Matter("village-lists", ApproveList, "/lists/{}"),
    "village_list_allocate": Matter("village-lists", AllocateList, "/lists/{}"),
    "village_list_post_second": Matter("village-lists", PostSecondNotice, "/lists/{}"),
    "village_list_pay": Matter("village-lists", PayList, "/lists/{}"),
    "village_list_sign": Matter("village-lists", SignGoods, "/lists/{}/goods"),
    "grant_retry": Matter("village-lists", RetryPayment, "/lists/{}/bounced"),
    "grant_decide": Matter("village-lists", DecideHeldGrants, "/lists/{}/held"),
    "household_bounced": Matter("households", RecordCard, "/households/{}"),
    "household_card": Matter("households", RecordCard, "/households/{}"),
    "contest_resolve": Matter("persons", ResolveContest, "/persons/{}"),
    "household_move": Matter("households", AcceptHouseholdMove, "/households/{}"),
    "proposal_decide": Matter("post-proposals", TakeProposal, "/officers/proposals?state=open"),
    "response_end": Matter("disasters", EndResponse, "/disasters/{}"),
    "disaster_close": Matter("disasters", CloseDisaster, "/disasters/{}"),
    "incident_close": Matter("incidents", CloseIncident, "/dispatch/incidents/{}"),
    "consignment_close": Matter("consignments", CloseConsignment, "/stock/consignments/{}"),
    "village_list_close": Matter("village-lists", CloseList, "/lists/{}"),
}
"""In the order of the list where nothing is late: lives, reports, goods, lists, papers."""

AT_THE_PLACE = ("consignment_receive", "consignment_close", "report_verify")
"""Goods that come to a village or a township are taken in by whoever is in post there too, and the
people of a farm of township rank report for themselves."""
GIVEN_OUT = ("village_list_sign",)
"""Goods of a list are handed out by the payer or the storekeeper, whoever is there."""
ANYWHERE = frozenset({Role.STOREKEEPER, Role.DISPATCHER, Role.ADMINISTRATOR})
"""Posts there are at several levels: each has first of all what lies right at its own desk."""
BELOW_A_DESK = {
    AreaLevel.TOWNSHIP: (AreaLevel.VILLAGE,),
    AreaLevel.COUNTY: (AreaLevel.TOWNSHIP, AreaLevel.VILLAGE),
}


@dataclass(frozen=True, slots=True)
class Post:
    """A post of the officer who asks, own or taken over from somebody absent."""

    role: Role
    area: UUID
    level: AreaLevel
    standing_for: UUID | None = None

    def near(self, area: Any, level: Any) -> ColumnElement[bool]:
        """Whether a thing lies right at this desk, and not at one below it."""
        own: ColumnElement[bool] = area == str(self.area)
        if self.role not in ANYWHERE:
            return true()
        return or_(own, level.in_([str(one) for one in BELOW_A_DESK.get(self.level, ())]))


@dataclass(frozen=True, slots=True)
class Asked:
    """One question for work. ``posts``: own ones first; ``whole``: all that they may do in their
    areas, not only what is theirs first of all; ``graver``: disasters and areas whose figures reach
    a graver level of response than runs there, by the rulebooks."""

    officer: UUID
    posts: tuple[Post, ...]
    at: datetime
    held: HeldTime = NEVER_HELD
    whole: bool = False
    exercise: bool = False
    scopes: tuple[Scope, ...] = field(default=(), repr=False)
    graver: frozenset[tuple[UUID, UUID]] = frozenset()

    @property
    def roles(self) -> frozenset[Role]:
        """The roles of the posts asked for."""
        return frozenset(post.role for post in self.posts)


def work_counts(db: Connection, scope: Scope, *, asked: Asked) -> dict[str, dict[str, Any]]:
    """By matter, in the order of `MATTERS`: ``count`` (all of them), ``overdue``, ``grave`` (dead,
    missing, lives at stake), ``since`` the longest, ``due_at`` the first."""
    found = _rows(scope, asked, scope.on(db).of_few)
    query = select(
        found.c.matter,
        func.count().label("count"),
        func.sum(found.c.overdue).label("overdue"),
        func.sum(1 - found.c.rank).label("grave"),
        func.min(found.c.since).label("since"),
        func.min(found.c.due_at).label("due_at"),
    ).group_by(found.c.matter)
    by = {one["matter"]: dict(one) for one in db.execute(query).mappings()}
    return {matter: by[matter] for matter in MATTERS if matter in by}


def work_items(
    db: Connection, scope: Scope, *, asked: Asked, each: int = 5
) -> list[dict[str, Any]]:
    """The first ``each`` of every matter: graver before others, then what is most overdue, then by
    due time, then by who has waited longest. ``post`` is the number of the officer's post by which
    it may be done."""
    found = _rows(scope, asked, scope.on(db).of_few)
    place = func.row_number().over(partition_by=found.c.matter, order_by=_order(found))
    ranked = select(found, place.label("place")).subquery("ranked")
    first = select(ranked).where(ranked.c.place <= min(each, MAX_LIMIT)).order_by(*_order(ranked))
    return _of_persons([dict(one) for one in db.execute(first).mappings()], db.execute)


def _order(rows: Subquery) -> list[ColumnElement[Any]]:
    return [rows.c.rank, rows.c.in_time, rows.c.due_or_last, rows.c.since, rows.c.subject]


def work_page(
    db: Connection, scope: Scope, *, asked: Asked, matter: str, cursor: str | None, limit: int
) -> Page:
    """What waits of one matter, in the same order, page by page."""
    found = _rows(scope, asked, scope.on(db).of_few)
    query = select(found).where(found.c.matter == matter)
    rows = page(db, query, _order(found), cursor=cursor, limit=limit)
    return rows.of(_of_persons(rows.items, db.execute))


def _of_persons(
    rows: list[dict[str, Any]], ask: Callable[[Select[Any]], Iterable[Any]]
) -> list[dict[str, Any]]:
    """The rows with contests named by the person: a drill's claims stand in a stream of its own,
    of which the person's page knows nothing (`domain.person.Person.id_of`). Most lists have none:
    nothing is asked then."""
    streams = {row["subject"] for row in rows if row["matter"] == "contest_resolve"}
    if not streams:
        return rows
    claimed = (
        select(CLAIMS.c.person.label("stream"), MEMBERS.c.person)
        .join(MEMBERS, MEMBERS.c.household == CLAIMS.c.household)
        .where(CLAIMS.c.person.in_(streams))
        .distinct()
    )
    persons = {
        one.stream: one.person
        for one in ask(claimed)
        if one.stream == str(Person.id_of(UUID(one.person), True))
    }
    return [{**row, "subject": persons.get(row["subject"], row["subject"])} for row in rows]


def _rows(scope: Scope, asked: Asked, few: Scope) -> Subquery:
    """All that waits for this officer, a row a step and subject. ``few``: the scope for what is
    rare (`Scope.of_few`)."""
    found = _sources(scope, asked, few).subquery("found")
    late = case(
        (found.c.due_at.is_(None), 0),
        (
            func.length(found.c.due_at) == DAY,
            case((day_over(found.c.due_at, asked.held, asked.at), 1), else_=0),
        ),
        (over(found.c.due_at, asked.held, asked.at), 1),
        else_=0,
    )
    by_post = [_for(post, where, found, asked) for post, where in _placed(scope, asked)]
    if not by_post:
        by_post = [false()]
    query: Select[Any] = (
        select(
            found,
            late.label("overdue"),
            (1 - late).label("in_time"),
            func.coalesce(found.c.due_at, LAST).label("due_or_last"),
            AREAS.c.name.label("area_name"),
            case(*[(told, n) for n, told in enumerate(by_post)], else_=-1).label("post"),
        )
        .join(AREAS, AREAS.c.id == found.c.area)
        .join(DESKS, DESKS.c.id == found.c.desk)
        .where(or_(*by_post))
    )
    return query.subquery("work")


def _placed(scope: Scope, asked: Asked) -> list[tuple[Post, Scope]]:
    """Each post with the part of the scope that it reaches."""
    return list(zip(asked.posts, asked.scopes, strict=True))


def _sources(scope: Scope, asked: Asked, few: Scope) -> Any:
    exercise, held, at = asked.exercise, asked.held, asked.at
    told = lists.applied(scope, exercise=exercise)
    return union_all(
        sources.steps(scope, exercise=exercise, held=held, at=at),
        *lists.deliveries(scope, exercise=exercise, held=held, at=at),
        lists.cards(scope, exercise=exercise, at=at),
        lists.bounced(scope, exercise=exercise, at=at),
        *lists.applications(scope, told, exercise=exercise, at=at),
        sources.incidents(scope, exercise=exercise),
        sources.contests(few, exercise=exercise),
        sources.moves(scope, exercise=exercise, held=held, at=at),
        sources.proposals(scope, asker=asked.officer, held=held, at=at),
        *_of_disasters(scope, asked),
        *_of_seasons(scope, asked, told),
    )


def _of_disasters(scope: Scope, asked: Asked) -> list[Select[Any]]:
    found = [of_disasters.unverified(scope, exercise=asked.exercise, at=asked.at)]
    if not asked.roles.isdisjoint(DECIDERS):
        found += of_disasters.disasters_waiting(scope, exercise=asked.exercise, graver=asked.graver)
        found.append(of_disasters.unstable(scope, exercise=asked.exercise))
    return found


def _of_seasons(scope: Scope, asked: Asked, told: CTE) -> list[Select[Any]]:
    """Only for those who may open a list: above the county there are too many villages to look
    through for nothing."""
    if asked.roles.isdisjoint(OpenVillageList.roles):
        return []
    return [lists.unlisted(scope, told, exercise=asked.exercise, at=asked.at)]


def _for(post: Post, where: Scope, found: Any, asked: Asked) -> ColumnElement[bool]:
    """Whether a row waits for this post. In their own post an officer has not done what an absent
    one did for whom they stand in elsewhere."""
    who = (asked.officer, *((post.standing_for,) if post.standing_for is not None else ()))
    may = [name for name, one in MATTERS.items() if post.role in one.command.roles]
    by_level = [name for name in may if MATTERS[name].by_level]
    mine = found.c.role == str(post.role)
    there = and_(found.c.matter.in_(AT_THE_PLACE), found.c.area == str(post.area))
    if asked.whole:
        told: ColumnElement[bool] = or_(mine, there, found.c.matter.not_in(by_level))
    else:
        told = or_(mine, there, found.c.matter.in_(GIVEN_OUT))
        told = and_(told, post.near(found.c.desk, DESKS.c.level))
    here = and_(found.c.matter.in_(may), told, where.covers(found.c.area))
    return and_(here, ~sources.did_before(found, who))
