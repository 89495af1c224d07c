"""Public notices 公示: what hangs on the board, masked; nothing of it once it has run out.

Shown: masked name, village and group, programme, persons, and in the second notice the amounts
(domain.md §6). Never a number, an account, a phone, an address, a reason of need. What a posted
line says is the ledger's as it is now: a change that matters makes the notice void.
"""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Index,
    Integer,
    Select,
    String,
    Table,
    not_,
    select,
)

from domain.lateness import NEVER_HELD, HeldTime
from domain.village_list import VillageList
from projections.areas import AREAS
from projections.asking.counted import over
from projections.asking.paging import Page, page
from projections.asking.scope import Scope
from projections.folding.base import LOGICAL, Rows, View, text_of, when
from projections.households import GROUP_NAME, HOUSEHOLDS, TOWNSHIPS, named_group
from projections.ledger import LEDGER
from projections.lists import LISTS
from projections.seasons import SEASONS

NOTICES = Table(
    "notices",
    LOGICAL,
    Column("village_list", String(36), primary_key=True),
    Column("notice_kind", String, primary_key=True),
    Column("season", String(36), nullable=False),
    Column("area", String(36), nullable=False),
    Column("exercise", Boolean, nullable=False),
    Column("households", Integer, nullable=False),
    Column("posted_at", String),
    Column("ends_at", String),
    Column("withdraw_at", String),
    Column("withdrawn_at", String),
    Column("withdrawn_reason", String),
    Column("void", Boolean, nullable=False),
    Column("photo_sha256", String),
    Column("postings", Integer, nullable=False),
    Index("notices_by_area", "area"),
    Index("notices_by_withdrawal", "withdraw_at"),
)

KINDS = ("first", "second")


def opened(rows: Rows, at: int, e: VillageList.Opened) -> None:
    """Both notices of a list, not posted yet: their village and season are known only here."""
    for kind in KINDS:
        rows.put(
            NOTICES,
            {
                "village_list": text_of(e.originator_id),
                "notice_kind": kind,
                "season": text_of(e.season),
                "area": text_of(e.village),
                "exercise": e.exercise,
                "households": 0,
                "void": False,
                "postings": 0,
            },
        )


def posted(rows: Rows, at: int, e: VillageList.Posted) -> None:
    id, kind = text_of(e.originator_id), str(e.notice)
    rows.change(
        NOTICES,
        id,
        kind,
        households=e.households,
        posted_at=when(e.posted_at),
        ends_at=when(e.ends_at),
        withdraw_at=when(e.withdraw_at),
        withdrawn_at=None,
        withdrawn_reason=None,
        void=False,
        photo_sha256=e.photo_sha256,
        postings=rows.need(NOTICES, id, kind)["postings"] + 1,
    )


def withdrawn(rows: Rows, at: int, e: VillageList.Withdrawn) -> None:
    rows.change(
        NOTICES,
        text_of(e.originator_id),
        str(e.notice),
        withdrawn_at=when(e.meta.recorded_at),
        withdrawn_reason=e.reason,
        void=e.early,
    )


def _void(rows: Rows, e: Any, *kinds: str) -> None:
    """The list has changed under a posted notice: the notice comes down and does not count."""
    id = text_of(e.originator_id)
    for kind in kinds:
        row = rows.need(NOTICES, id, kind)
        if row["posted_at"] is not None and not row["void"]:
            gone = row["withdrawn_at"] or when(e.meta.recorded_at)
            rows.change(NOTICES, id, kind, void=True, withdrawn_at=gone)


def cases_listed(rows: Rows, at: int, e: VillageList.CasesListed) -> None:
    _void(rows, e, *KINDS)


def objection_settled(rows: Rows, at: int, e: VillageList.ObjectionSettled) -> None:
    if e.added is not None:
        _void(rows, e, *KINDS)


def returned(rows: Rows, at: int, e: VillageList.Returned) -> None:
    _void(rows, e, *KINDS)


def allocated(rows: Rows, at: int, e: VillageList.Allocated) -> None:
    _void(rows, e, "second")


def notice_voided(rows: Rows, at: int, e: VillageList.NoticeVoided) -> None:
    _void(rows, e, str(e.notice))


def village_changed(rows: Rows, at: int, e: VillageList.VillageChanged) -> None:
    for kind in KINDS:
        rows.change(NOTICES, text_of(e.originator_id), kind, area=text_of(e.village))


def closed(rows: Rows, at: int, e: VillageList.Closed) -> None:
    """The list is done: what still hangs comes down, and has counted."""
    id, moment = text_of(e.originator_id), when(e.meta.recorded_at)
    for kind in KINDS:
        row = rows.need(NOTICES, id, kind)
        if row["posted_at"] is not None and row["withdrawn_at"] is None:
            rows.change(NOTICES, id, kind, withdrawn_at=moment)


# Queries


def _hanging(scope: Scope, at: datetime, held: HeldTime) -> Select[Any]:
    """Notices that hang at that moment."""
    n, now = NOTICES.c, when(at)
    return (
        select(
            NOTICES,
            AREAS.c.name.label("village_name"),
            TOWNSHIPS.c.name.label("township_name"),
            SEASONS.c.programme,
            SEASONS.c.name_zh,
            SEASONS.c.name_en,
            SEASONS.c.year,
        )
        .join(SEASONS, SEASONS.c.id == n.season)
        .outerjoin(AREAS, AREAS.c.id == n.area)
        .outerjoin(TOWNSHIPS, TOWNSHIPS.c.id == AREAS.c.parent)
        .where(scope.covers(n.area), n.posted_at <= now, n.void.is_(False))
        .where(not_(over(n.ends_at, held, at)))
        .where(n.withdrawn_at.is_(None) | (n.withdrawn_at > now))
    )


def notices(
    db: Connection,
    scope: Scope,
    *,
    season: UUID | None = None,
    exercise: bool = False,
    at: datetime,
    held: HeldTime = NEVER_HELD,
    cursor: str | None = None,
    limit: int = 100,
) -> Page:
    """Notices that hang now (or at ``at``), the last posted first."""
    query = _hanging(scope, at, held)
    if season is None:
        query = query.where(NOTICES.c.exercise.is_(exercise))
    else:  # it is an exercise or in earnest by itself
        query = query.where(NOTICES.c.season == str(season))
    order: list[Any] = [NOTICES.c.posted_at, NOTICES.c.village_list, NOTICES.c.notice_kind]
    return page(db, query, order, cursor=cursor, limit=limit, descending=True)


def notice(
    db: Connection,
    scope: Scope,
    *,
    village_list: UUID,
    notice: str = "first",
    at: datetime,
    held: HeldTime = NEVER_HELD,
) -> dict[str, Any] | None:
    """What one notice says, line by line, masked. Nothing of it when it does not hang (any more).

    ``notice``: first (who) or second (how much).
    """
    n, le, h = NOTICES.c, LEDGER.c, HOUSEHOLDS.c
    id = str(village_list)
    theirs = select(n.village_list, n.season, n.area).where(n.village_list == id)
    known = db.execute(theirs.where(scope.covers(n.area))).mappings().first()
    if known is None:
        return None
    query = _hanging(scope, at, held).where(n.village_list == id, n.notice_kind == notice)
    found = db.execute(query).mappings().first()
    if found is None:
        return {**known, "notice_kind": notice, "hanging": False, "lines": []}
    columns: list[Any] = [h.head_masked, GROUP_NAME.label("village_group"), le.persons]
    if notice == "second":
        columns += [le.cash_granted_fen.label("cash_fen"), le.goods_granted.label("goods")]
    lines = (
        named_group(select(*columns).join(HOUSEHOLDS, h.id == le.household))
        .where(le.village_list == id, scope.covers(le.area))
        .order_by(h.group_code, GROUP_NAME, le.id)
    )
    said = [dict(row) for row in db.execute(lines).mappings()]
    for line in said:
        if "goods" in line:
            line["goods"] = json.loads(line["goods"])
    return {**found, "hanging": True, "lines": said}


def withdrawals_due(
    db: Connection,
    scope: Scope,
    *,
    at: datetime,
    held: HeldTime = NEVER_HELD,
    cursor: str | None = None,
    limit: int = 100,
) -> Page:
    """Notices that ought to have left the web by themselves at that time, the longest due first.

    The first notice of a list gives way when the second is posted: only what shows comes down.
    """
    n = NOTICES.c
    query = (
        select(n.village_list, n.notice_kind, n.withdraw_at)
        .join(LISTS, (LISTS.c.id == n.village_list) & (LISTS.c.showing == n.notice_kind))
        .where(scope.covers(n.area), over(n.withdraw_at, held, at))
        .where(n.withdrawn_at.is_(None), n.void.is_(False))
    )
    order: list[Any] = [n.withdraw_at, n.village_list, n.notice_kind]
    return page(db, query, order, cursor=cursor, limit=limit)


VIEW = View(
    name="notices",
    version=3,
    tables=(NOTICES,),
    routes={
        VillageList.Opened: opened,
        VillageList.Posted: posted,
        VillageList.Withdrawn: withdrawn,
        VillageList.CasesListed: cases_listed,
        VillageList.ObjectionSettled: objection_settled,
        VillageList.Returned: returned,
        VillageList.Allocated: allocated,
        VillageList.NoticeVoided: notice_voided,
        VillageList.Closed: closed,
        VillageList.VillageChanged: village_changed,
    },
)
