"""Holders, programmes and funds to choose from at the money desk."""

from typing import Any
from uuid import UUID

from sqlalchemy import select
from starlette.concurrency import run_in_threadpool

from api.auth import Caller
from domain.area import AreaLevel
from domain.rules.standards import PROGRAMMES
from projections.areas import AREAS, children
from projections.asking.fund_books import fund_flows, funds
from web.forms.form import Matter, Option

MOST = 1000


async def holders(matter: Matter) -> list[Option]:
    """The areas of the officer's posts that hold money, then those right below them."""
    own = matter.desk.caller.areas(matter.known["roles"])
    return await run_in_threadpool(_with_below, matter.desk.caller, own)


async def own_holder(matter: Matter) -> dict[str, Any]:
    return {"holder": next(iter(matter.desk.caller.areas(matter.known["roles"])))}


async def programmes(matter: Matter) -> list[Option]:
    return [Option(one, matter.t("household.programme_" + one)) for one in PROGRAMMES]


async def earmark_here(matter: Matter) -> list[Option]:
    """What the fund is for: money that is passed down may be for less, never for more."""
    return [
        Option(one, matter.t("household.programme_" + one))
        for one in matter.known["one"]["earmark"]
    ]


async def same_earmark(matter: Matter) -> dict[str, Any]:
    return {"earmark": tuple(matter.known["one"]["earmark"])}


async def below(matter: Matter) -> list[Option]:
    """The areas right below the holder."""
    holder = UUID(matter.known["one"]["area"])
    return await run_in_threadpool(_right_below, matter.desk.caller, holder)


async def parents(matter: Matter) -> list[Option]:
    """The funds this one's money came from, with what came and has not gone back."""
    desk, one = matter.desk, matter.known["one"]
    net: dict[str, int] = {}
    for kind, sign in (("received", 1), ("returned", -1)):
        rows, _ = await desk.ask_all(fund_flows, most=MOST, fund=UUID(one["id"]), kind=kind)
        for row in rows:
            net[row["counterpart"]] = net.get(row["counterpart"], 0) + sign * row["amount_fen"]
    known, _ = await desk.ask_all(funds, most=MOST, exercise=one["exercise"])
    names = {row["id"]: f"{row['document_no']} · {row['holder_name'] or ''}" for row in known}
    return [
        Option(
            id,
            names.get(id, matter.t("funds.from_above")),
            matter.t("funds.not_back", amount=matter.known["fen"](fen)),
        )
        for id, fen in net.items()
        if fen > 0
    ]


def _with_below(caller: Caller, own: tuple[UUID, ...]) -> list[Option]:
    query = select(AREAS.c.id, AREAS.c.name).where(AREAS.c.id.in_([str(area) for area in own]))
    with caller.system.reader() as db:
        found = [Option(row.id, row.name) for row in db.execute(query)]
    return found + [one for area in own for one in _right_below(caller, area)]


def _right_below(caller: Caller, area: UUID) -> list[Option]:
    """Villages hold no money."""
    with caller.system.reader() as db:
        rows = children(db, area)
    return [
        Option(one["id"], one["name"])
        for one in rows
        if not one["abolished_on"] and one["level"] != AreaLevel.VILLAGE
    ]
