"""Proposals about posts 任免建议: what superiors propose, and what became of it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    FromClause,
    Index,
    Select,
    String,
    Table,
    and_,
    case,
    exists,
    func,
    literal,
    or_,
    select,
)

from domain.lateness import NEVER_HELD, HeldTime
from domain.post_proposal import PostProposal, ProposalKind
from projections.areas import AREAS
from projections.asking.counted import over
from projections.asking.paging import Page, page
from projections.asking.scope import Scope
from projections.folding.base import LOGICAL, Row, Rows, View, text_of, when
from projections.officers import APPOINTMENTS, OFFICERS

PROPOSALS = Table(
    "post_proposals",
    LOGICAL,
    Column("id", String(36), primary_key=True),
    Column("area", String(36), nullable=False),  # whose administrator decides
    Column("kind", String, nullable=False),
    Column("officer", String(36)),
    Column("whom", String),  # the name of somebody new: sealed, opened in answers
    Column("role", String),
    Column("post_area", String(36)),
    Column("post", String),
    Column("starts_on", String),
    Column("ends_on", String),
    Column("appointment", String(36)),
    Column("reason", String, nullable=False),
    Column("proposed_by", String(36), nullable=False),
    Column("proposed_as", String, nullable=False),
    Column("proposed_at", String, nullable=False),
    Column("lapses_at", String, nullable=False),
    Column("outcome", String),  # taken, declined
    Column("decided_by", String(36)),
    Column("decided_at", String),
    Column("decline_reason", String),
    Index("post_proposals_by_area", "area", "outcome"),
)

STATES = ("open", "outgrown", "lapsed", "taken", "declined")
HALTED = (str(ProposalKind.SUSPENSION), str(ProposalKind.APPOINTMENT))
"""What is not to be done any more once the officer is suspended."""


def proposed(rows: Rows, at: int, e: PostProposal.Proposed) -> None:
    wanted = e.wanted
    ends_on = e.ends_on if wanted is None else wanted.ends_on
    rows.put(
        PROPOSALS,
        {
            "id": text_of(e.originator_id),
            "area": text_of(e.area),
            "kind": str(e.kind),
            "officer": text_of(e.officer) if e.officer else None,
            "whom": e.whom,
            "role": str(wanted.role) if wanted else None,
            "post_area": text_of(wanted.area) if wanted else None,
            "post": str(wanted.post) if wanted else None,
            "starts_on": wanted.starts_on.isoformat() if wanted else None,
            "ends_on": ends_on.isoformat() if ends_on else None,
            "appointment": text_of(e.appointment) if e.appointment else None,
            "reason": e.reason,
            "proposed_by": text_of(e.meta.actor),
            "proposed_as": e.meta.role,
            "proposed_at": when(e.meta.recorded_at),
            "lapses_at": when(e.lapses_at),
        },
    )


def taken(rows: Rows, at: int, e: PostProposal.Taken) -> None:
    _decided(rows, e, "taken", officer=text_of(e.officer))


def declined(rows: Rows, at: int, e: PostProposal.Declined) -> None:
    _decided(rows, e, "declined", decline_reason=e.reason)


def _decided(rows: Rows, e: Any, outcome: str, **more: Any) -> None:
    moment, by = when(e.meta.recorded_at), text_of(e.meta.actor)
    id = text_of(e.originator_id)
    rows.change(PROPOSALS, id, outcome=outcome, decided_by=by, decided_at=moment, **more)


# queries


def _outgrown() -> ColumnElement[bool]:
    """What is proposed has come about otherwise, or cannot be done any more."""
    p = PROPOSALS.c
    officer, post, place = OFFICERS.alias(), APPOINTMENTS.alias(), AREAS.alias()
    a = post.c
    halted = exists().where(officer.c.id == p.officer, officer.c.suspended.is_not(None))
    mine = a.officer == p.officer
    ended = exists().where(
        mine,
        a.appointment == p.appointment,
        or_(a.handed_to.is_not(None), a.ends_on <= p.ends_on),
    )
    held = exists().where(
        mine,
        a.role == p.role,
        a.area == p.post_area,
        a.handed_to.is_(None),
        or_(a.ends_on.is_(None), a.ends_on >= p.starts_on),
        or_(p.ends_on.is_(None), a.starts_on <= p.ends_on),
    )
    gone = exists().where(place.c.id == p.post_area, place.c.abolished_on.is_not(None))
    return or_(
        and_(p.kind.in_(HALTED), halted),
        and_(p.kind == str(ProposalKind.END), ended),
        and_(p.kind == str(ProposalKind.APPOINTMENT), held),
        gone,
    )


def _state(held: HeldTime, at: datetime) -> ColumnElement[str]:
    """One of `STATES`. Lapsed or outgrown, nobody need answer."""
    return case(
        (PROPOSALS.c.outcome.is_not(None), PROPOSALS.c.outcome),
        (over(PROPOSALS.c.lapses_at, held, at), literal("lapsed")),
        (_outgrown(), literal("outgrown")),
        else_=literal("open"),
    )


def _told_to(scope: Scope, asker: UUID | None) -> ColumnElement[bool]:
    """Those of the reader's areas; about the reader only once they are decided on: whoever is to
    be suspended, and has the means of a post until then, does not read by whom and why."""
    p = PROPOSALS.c
    if asker is None:
        return scope.covers(p.area)
    told = or_(p.officer.is_(None), p.officer != str(asker), p.outcome.is_not(None))
    return and_(scope.covers(p.area), told)


def open_ones(scope: Scope, asker: UUID | None, held: HeldTime, at: datetime) -> Select[Any]:
    """Those that wait to be taken or declined, with the masked name of whom they are about."""
    p = PROPOSALS.c
    return (
        select(
            p.id,
            p.area,
            p.kind,
            p.proposed_by,
            p.proposed_at,
            p.lapses_at,
            OFFICERS.c.masked_name.label("officer_name"),
        )
        .outerjoin(OFFICERS, OFFICERS.c.id == p.officer)
        .where(_told_to(scope, asker), _state(held, at) == "open")
    )


def post_proposals(
    db: Connection,
    scope: Scope,
    *,
    state: str | None = None,
    officer: UUID | None = None,
    asker: UUID | None = None,
    at: datetime,
    held: HeldTime = NEVER_HELD,
    cursor: str | None = None,
    limit: int = 100,
) -> Page:
    """Proposals about posts in an area and below, the newest first: who proposes what, why, and
    what became of it. About the ``asker`` only what is decided. ``officer``: about whom."""
    p = PROPOSALS.c
    about, superior, decider = (OFFICERS.alias(name) for name in ("about", "superior", "decider"))
    ending, post_area = APPOINTMENTS.alias("ending"), AREAS.alias("post_area")
    standing = _state(held, at)
    source: FromClause = (
        PROPOSALS.join(AREAS, AREAS.c.id == p.area)
        .outerjoin(about, about.c.id == p.officer)
        .outerjoin(superior, superior.c.id == p.proposed_by)
        .outerjoin(decider, decider.c.id == p.decided_by)
        .outerjoin(
            ending, and_(ending.c.officer == p.officer, ending.c.appointment == p.appointment)
        )
        .outerjoin(post_area, post_area.c.id == func.coalesce(p.post_area, ending.c.area))
    )
    query = (
        select(
            *(column for column in p if column.name != "role"),
            func.coalesce(p.role, ending.c.role).label("role"),
            standing.label("state"),
            AREAS.c.name.label("area_name"),
            post_area.c.name.label("post_area_name"),
            about.c.masked_name.label("officer_name"),
            superior.c.masked_name.label("proposer_name"),
            decider.c.masked_name.label("decider_name"),
        )
        .select_from(source)
        .where(_told_to(scope, asker))
    )
    if state is not None:
        query = query.where(standing == state)
    if officer is not None:
        query = query.where(p.officer == str(officer))
    order = [p.proposed_at, p.id]
    return page(db, query, order, cursor=cursor, limit=limit, descending=True)


def proposal_counts(
    db: Connection,
    scope: Scope,
    *,
    asker: UUID | None = None,
    at: datetime,
    held: HeldTime = NEVER_HELD,
) -> Row:
    """How many proposals about posts in an area and below wait for an administrator (``open``);
    without those about the ``asker``."""
    query = select(func.count()).select_from(PROPOSALS)
    waiting = query.where(_told_to(scope, asker), _state(held, at) == "open")
    return {"open": db.execute(waiting).scalar_one()}


VIEW = View(
    name="proposals",
    version=1,
    tables=(PROPOSALS,),
    routes={
        PostProposal.Proposed: proposed,
        PostProposal.Taken: taken,
        PostProposal.Declined: declined,
    },
)
