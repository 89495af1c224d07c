"""Seasons 救助年度: the list, one with how far its villages have come, and opening one.

Whose turn it is follows from where a village's list stands; the buttons come from the commands.
"""

from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.routes import read_of
from domain.commands.seasons import CloseSeason, OpenSeason
from domain.commands.village_lists import OpenVillageList
from domain.lateness import IN_TIME
from domain.roster import ListStage
from domain.season import VILLAGES_SAID
from projections.asking.cases import unlisted_in
from projections.asking.names import names
from projections.asking.season_progress import season_townships, season_villages
from projections.asking.season_turns import Standing, season_standing
from projections.seasons import season, seasons
from web.acting import Act, acts_of, begin_of
from web.i18n import catalog
from web.pages.rulebooks import unsure_here
from web.paging import ROWS, Turned, book_of
from web.parts import AtDesk, Desk, moment_of
from web.picking.cases import more_said, terms_of
from web.render import language_of

router = APIRouter(include_in_schema=False)
MOST_VILLAGES: Final = 5000
"""Of a season that are looked through for applications on no list."""


@router.get("/seasons")
async def all_seasons(request: Request, desk: AtDesk, turn: Turned) -> Response:
    found = await desk.ask(seasons, cursor=turn.cursor, limit=ROWS)
    return await desk.show(
        request,
        "seasons.html",
        rows=found.items,
        leaf=turn.leaf(found, "/seasons", book=book_of("seasons")),
        opens=bool(desk.caller.areas(OpenSeason.roles)),
    )


@router.get("/seasons/new")
async def new(request: Request, desk: AtDesk) -> Response:
    return await desk.show(
        request,
        "season_new.html",
        made=await begin_of(request, desk, OpenSeason),
        unsure=await unsure_here(request, desk, None, "standards"),
    )


@router.get("/seasons/{id}")
async def one_season(
    request: Request, desk: AtDesk, id: UUID, turn: Turned, parent: UUID | None = None
) -> Response:
    """``parent``: the villages of one township; else its townships, if there are several."""
    one = await desk.ask(season, season=id)
    townships = None
    if parent is None:
        townships = await desk.ask(season_townships, season=id, cursor=turn.cursor, limit=ROWS)
        if len(townships.items) == 1 and not turn.cursor:
            parent, townships = UUID(townships.items[0]["township"]), None
    if townships is not None:
        leaf = turn.leaf(townships, f"/seasons/{id}", book=book_of("season-townships", season=id))
        rows = townships.items
    else:
        found = await desk.ask(
            season_villages, season=id, parent=parent, cursor=turn.cursor, limit=ROWS
        )
        book = book_of("season-villages", season=id, parent=parent)
        leaf = turn.leaf(found, f"/seasons/{id}", book=book, parent=parent)
        standing = await run_in_threadpool(_standing, desk, one, found.items)
        rows = [await _of_village(request, desk, one, row, standing) for row in found.items]
    return await desk.show(
        request,
        "season.html",
        one=one,
        made=await acts_of(
            request,
            desk,
            "seasons",
            id,
            one=one,
            applied=await _applied(desk, one),
            unlisted=await run_in_threadpool(_unlisted, desk, one),
        ),
        rates=_in_force(one["rates"]),
        said=await _rates_said(request, desk, one["id"]),
        stages=list(ListStage),
        by_township=townships is not None,
        parent=parent,
        rows=rows,
        leaf=leaf,
        here=_is_here(desk, one),
    )


async def _applied(desk: Desk, one: dict[str, Any]) -> int:
    """Households that applied and stand on no list, for who may close the season over them."""
    if one["closed_at"] or not desk.caller.areas(CloseSeason.roles):
        return 0
    rows, _ = await desk.ask_all(season_villages, season=UUID(one["id"]), most=MOST_VILLAGES)
    return sum({row["village"]: row["applied"] for row in rows}.values())


def _unlisted(desk: Desk, one: dict[str, Any]) -> tuple[int, list[str]] | None:
    """How many villages have no list and the names of the first, for who may close the season over
    them; None if all have one."""
    if one["closed_at"] or not desk.caller.areas(CloseSeason.roles):
        return None
    with desk.caller.system.reader() as db:
        there = unlisted_in(db, UUID(one["id"]))
        first, scope = (
            there[:VILLAGES_SAID],
            desk.caller.scope(read_of(season_villages).roles, None),
        )
        said = names(db, scope.on(db), ids=first)
    return (len(there), [said[one][0] for one in first if one in said]) if there else None


async def _rates_said(request: Request, desk: Desk, id: str) -> dict[str, Any]:
    """Of each rate its name and how it is paid; what else the programme asks for."""
    language = language_of(request)
    t, terms = catalog(language).t, await terms_of(desk, id)
    rates = {
        rate.key: (rate.zh if language == "zh" else rate.en, more_said(rate, t, language))
        for rate in terms.rates
    }
    asks = [t("season.names_" + terms.names)] if terms.names else []
    return {"rates": rates, "asks": asks + ([t("season.exact")] if terms.exact else [])}


def _is_here(desk: Desk, one: dict[str, Any]) -> bool:
    """Whether the reader is at the season's desk or above: its history is told there only."""
    above = desk.caller.system.tree.lineage(UUID(one["area"]))
    return not set(desk.caller.areas()).isdisjoint(above)


def _in_force(rates: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of each rate the latest: they come in the order of time."""
    return list({row["rate"]: row for row in rates}.values())


def _standing(desk: Desk, one: dict[str, Any], rows: list[dict[str, Any]]) -> Standing:
    scope = desk.caller.scope(read_of(season_villages).roles, None)
    with desk.caller.system.reader() as db:
        return season_standing(
            db,
            scope.on(db),
            season=UUID(one["id"]),
            villages=sorted({UUID(row["village"]) for row in rows}),
            exercise=one["exercise"],
            held=desk.caller.system.store.clock.held_time,
            at=desk.now,
        )


async def _of_village(
    request: Request, desk: Desk, one: dict[str, Any], row: dict[str, Any], standing: Standing
) -> dict[str, Any]:
    """A list's row with whose turn it is. What comes next in its village, and the form that opens
    its first or next list, stand with its latest round."""
    ended = row["id"] and row["round"] < standing.last[row["village"]]
    if ended and row["status"] == ListStage.CLOSED:
        return {**row, "applied": 0, "turn": "nobody", "until": None, "begin": None}
    who, until = turn_of(desk, one, row, standing.left.get(row["id"]))
    if who == "village" and row["village"] in standing.vacant:
        who = "township_for"
    begin = None if ended else await _begin(request, desk, one, row)
    return {**row, "turn": who, "until": until, "begin": begin}


async def _begin(
    request: Request, desk: Desk, one: dict[str, Any], row: dict[str, Any]
) -> Act | None:
    waits = row["id"] is None or (row["status"] == ListStage.CLOSED and row["applied"])
    if one["closed_at"] or not waits or not desk.may(OpenVillageList, row["village"]):
        return None
    return await begin_of(
        request,
        desk,
        OpenVillageList,
        part=row["village"],
        season=one["id"],
        village=row["village"],
        round=(row["round"] or 0) + 1,
    )


def turn_of(
    desk: Desk, one: dict[str, Any], row: dict[str, Any], left: dict[str, Any] | None
) -> tuple[str, str | None]:
    """Who has the next step of a village, as a key of ``season.turn_…``; and until when a notice
    hangs that everybody waits for. ``left``: what of its list has not gone out."""
    steps, status = one["steps"], row["status"]
    if one["closed_at"] or status == ListStage.CLOSED:
        return ("village" if row["applied"] and not one["closed_at"] else "nobody"), None
    if row["id"] is None:
        return "village", None
    if row["open_objections"]:
        return "township", None
    if status == ListStage.DRAFT:
        after = "township" if "township_review" in steps else "county"
        if not row["households"]:
            return "village", None
        return (
            _after_notice(desk, row, "first", after) if "first_notice" in steps else (after, None)
        )
    if status in (ListStage.REVIEWED, ListStage.APPROVED):
        return "county", None
    after = _delivers(left)
    if "second_notice" in steps:
        return _after_notice(desk, row, "second", after)
    return after, None


def _delivers(left: dict[str, Any] | None) -> str:
    """Who delivers what is left of a list with amounts. The county closes it when nothing is."""
    if left is None:
        return "county"
    if left["cash"] or left["failed"]:
        return "payer"
    if left["goods"]:
        return "storekeeper"
    return "county" if left["held"] else "household"


def _after_notice(
    desk: Desk, row: dict[str, Any], notice: str, after: str
) -> tuple[str, str | None]:
    """The village posts it; while it hangs nobody can go on; then ``after`` does."""
    ends_at = row[f"{notice}_ends_at"]
    end = moment_of(ends_at)
    if end is None:
        return "village", None
    held = desk.caller.system.store.clock.held_time
    return ("nobody", ends_at) if held.left(end, desk.now) > IN_TIME else (after, None)
