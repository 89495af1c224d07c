"""Village lists in the review queue: which step of a list waits, and for whom.

A section of the view `projections.reviews`.
"""

from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Index,
    Integer,
    String,
    Table,
    and_,
    func,
    literal,
)

from domain.notice import Notice
from domain.roster import ListStage
from domain.season import Season
from domain.village_list import VillageList
from domain.world import Role
from projections.folding.base import LOGICAL, Row, Rows, as_json, text_of, when

WAITING = Table(
    "reviews",
    LOGICAL,
    Column("subject", String(36), primary_key=True),
    Column("step", String, primary_key=True),
    Column("kind", String, nullable=False),  # report, village_list, consignment
    Column("area", String(36), nullable=False),  # where it is to be done, or below
    Column("role", String),  # None: it follows from the level of the area
    Column("number", Integer),
    Column("since", String, nullable=False),
    Column("ready_at", String),  # not before (a notice runs)
    Column("due_at", String),
    Column("exercise", Boolean, nullable=False),
    Column("summary", String, nullable=False),
    Column("season", String(36)),  # whose programme decides, by these three, whether it waits
    Column("first_notice", Boolean),
    Column("township_review", Boolean),
    Column("second_notice", Boolean),
    Index("reviews_by_area", "area"),
)
"""A step of a list waits only if its season's programme has the three steps as they are said here.

None: either way. The season may be the city's and the list a county's, so that only the query
knows both: the handlers write every step that could wait.
"""

LISTS = Table(
    "review_lists",
    LOGICAL,
    Column("id", String(36), primary_key=True),
    Column("area", String(36), nullable=False),
    Column("season", String(36), nullable=False),
    Column("round", Integer, nullable=False),
    Column("exercise", Boolean, nullable=False),
    Column("stage", String, nullable=False),
    Column("steps", String, nullable=False),  # those that may wait, by the season's programme
    Column("first_ends_at", String),
    Column("second_ends_at", String),
    Column("deliver_by", String),
    Column("objections", Integer, nullable=False),
    Column("listed", Integer, nullable=False),
    Column("cash_fen", Integer),
    Column("paid", Boolean, nullable=False),
)

SEASONS = Table(
    "review_seasons",
    LOGICAL,
    Column("id", String(36), primary_key=True),
    Column("area", String(36), nullable=False),
    Column("programme", String, nullable=False),
    Column("year", Integer, nullable=False),
    Column("first_notice", Boolean, nullable=False),
    Column("township_review", Boolean, nullable=False),
    Column("second_notice", Boolean, nullable=False),
)

TERMS = ("first_notice", "township_review", "second_notice")
EITHER: Row = dict.fromkeys(TERMS)

LIST_ROLES = {
    "post": Role.VILLAGE_REPORTER,
    "settle": Role.TOWNSHIP_REVIEWER,
    "review": Role.TOWNSHIP_REVIEWER,
    "approve": Role.COUNTY_APPROVER,
    "allocate": Role.COUNTY_APPROVER,
    "post_second": Role.VILLAGE_REPORTER,
    "pay": Role.COUNTY_PAYER,
    "close": Role.COUNTY_APPROVER,
}


def season_opened(rows: Rows, at: int, e: Season.Opened) -> None:
    row = {
        "id": text_of(e.originator_id),
        "area": text_of(e.area),
        "programme": e.programme,
        "year": e.year,
    }
    rows.put(SEASONS, row | _terms(e.terms))


def _terms(terms: Any) -> Row:
    return {step: terms.requires(step) for step in TERMS}


def standard_changed(rows: Rows, at: int, e: Season.StandardChanged) -> None:
    rows.change(SEASONS, text_of(e.originator_id), **_terms(e.terms))


def list_opened(rows: Rows, at: int, e: VillageList.Opened) -> None:
    rows.put(
        LISTS,
        {
            "id": text_of(e.originator_id),
            "area": text_of(e.village),
            "season": text_of(e.season),
            "round": e.round,
            "exercise": e.exercise,
            "stage": str(ListStage.DRAFT),
            "steps": "",
            "objections": 0,
            "listed": 0,
            "paid": False,
        },
    )


def _moves(rows: Rows, e: Any, **values: Any) -> None:
    """The list changed: which of its steps may wait is worked out anew."""
    row = rows.change(LISTS, text_of(e.originator_id), **values)
    possible = _list_steps(row)
    for step in row["steps"].split():
        if step not in possible:
            rows.delete(WAITING, row["id"], step)
    for step, terms in possible.items():
        known = rows.get(WAITING, row["id"], step) if step in row["steps"].split() else None
        same = known is not None and all(known[name] == terms[name] for name in TERMS)
        since = known["since"] if known is not None and same else when(e.meta.recorded_at)
        rows.put(WAITING, _waiting(row, step, since) | terms)
    rows.change(LISTS, row["id"], steps=" ".join(possible))


def _list_steps(row: Row) -> dict[str, Row]:
    """The steps that may wait, each with the terms of the programme under which it does."""
    if row["stage"] == ListStage.CLOSED:
        return {}
    if row["objections"]:
        return {"settle": EITHER}
    if row["stage"] == ListStage.DRAFT:
        return _draft_steps(row)
    if row["stage"] == ListStage.REVIEWED:
        return {"approve": EITHER}
    if row["stage"] == ListStage.APPROVED:
        return {"allocate": EITHER}
    if row["paid"]:
        return {"close": EITHER}
    if row["second_ends_at"] is not None:
        return {"pay": EITHER}
    return {
        "post_second": EITHER | {"second_notice": True},
        "pay": EITHER | {"second_notice": False},
    }


def _draft_steps(row: Row) -> dict[str, Row]:
    if not row["listed"]:
        return {}
    if row["first_ends_at"] is not None:
        known = EITHER
        steps: dict[str, Row] = {}
    else:
        known = EITHER | {"first_notice": False}
        steps = {"post": EITHER | {"first_notice": True}}
    return steps | {
        "review": known | {"township_review": True},
        "approve": known | {"township_review": False},
    }


def waits() -> ColumnElement[bool]:
    """The step does wait: the programme of its season (all steps, if unknown) is as it must be."""
    wanted = [
        WAITING.c[name].is_(None)
        | (WAITING.c[name] == func.coalesce(SEASONS.c[name], literal(True)))
        for name in TERMS
    ]
    return and_(*wanted)


def _waiting(row: Row, step: str, since: str) -> Row:
    ready = {"review": "first_ends_at", "approve": "first_ends_at", "pay": "second_ends_at"}
    summary = {
        "season": row["season"],
        "round": row["round"],
        "households": row["listed"],
        "objections": row["objections"],
        "cash_fen": row["cash_fen"],
    }
    return {
        "subject": row["id"],
        "step": step,
        "kind": "village_list",
        "area": row["area"],
        "role": str(LIST_ROLES[step]),
        "number": row["round"],
        "since": since,
        "ready_at": row[ready[step]] if step in ready else None,
        "due_at": row["deliver_by"],
        "exercise": row["exercise"],
        "summary": as_json(summary),
        "season": row["season"],
    }


def cases_listed(rows: Rows, at: int, e: VillageList.CasesListed) -> None:
    row = rows.need(LISTS, text_of(e.originator_id))
    listed = max(0, row["listed"] + len(e.on) - len(e.off))
    _moves(rows, e, listed=listed, first_ends_at=None, second_ends_at=None)


def posted(rows: Rows, at: int, e: VillageList.Posted) -> None:
    name = "first_ends_at" if e.notice == Notice.FIRST else "second_ends_at"
    _moves(rows, e, listed=e.households, **{name: when(e.ends_at)})


def withdrawn(rows: Rows, at: int, e: VillageList.Withdrawn) -> None:
    if e.early:
        _moves(rows, e, **{f"{e.notice}_ends_at": None})


def notice_voided(rows: Rows, at: int, e: VillageList.NoticeVoided) -> None:
    _moves(rows, e, second_ends_at=None)


def objection_raised(rows: Rows, at: int, e: VillageList.ObjectionRaised) -> None:
    row = rows.need(LISTS, text_of(e.originator_id))
    _moves(rows, e, objections=row["objections"] + 1)


def objection_settled(rows: Rows, at: int, e: VillageList.ObjectionSettled) -> None:
    row = rows.need(LISTS, text_of(e.originator_id))
    listed = row["listed"] + (e.added is not None) - (e.struck is not None)
    voided = {"first_ends_at": None, "second_ends_at": None} if e.added is not None else {}
    _moves(rows, e, objections=row["objections"] - 1, listed=listed, **voided)


def list_reviewed(rows: Rows, at: int, e: VillageList.Reviewed | VillageList.Approved) -> None:
    row = rows.need(LISTS, text_of(e.originator_id))
    is_review = isinstance(e, VillageList.Reviewed)
    stage = ListStage.REVIEWED if is_review else ListStage.APPROVED
    _moves(rows, e, stage=str(stage), listed=row["listed"] - len(e.struck))


def list_returned(rows: Rows, at: int, e: VillageList.Returned) -> None:
    draft = str(ListStage.DRAFT)
    _moves(rows, e, stage=draft, first_ends_at=None, second_ends_at=None)


def allocated(rows: Rows, at: int, e: VillageList.Allocated) -> None:
    _moves(
        rows,
        e,
        stage=str(ListStage.ALLOCATED),
        second_ends_at=None,
        cash_fen=e.cash_fen,
        deliver_by=e.deliver_by.isoformat() if e.deliver_by else None,
        paid=False,
    )


def paid(rows: Rows, at: int, e: VillageList.PaymentMade | VillageList.GoodsHandedOut) -> None:
    """Goods alone are a hand-out; where there is cash too, its payment is still waited for."""
    row = rows.need(LISTS, text_of(e.originator_id))
    if isinstance(e, VillageList.PaymentMade) or not row["cash_fen"]:
        _moves(rows, e, paid=True)


def list_closed(rows: Rows, at: int, e: VillageList.Closed) -> None:
    _moves(rows, e, stage=str(ListStage.CLOSED))
