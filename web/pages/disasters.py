"""Disasters 灾害过程: the list, one with all that is known of it, declared, merged and split back.

Figures of separate disasters are never one sum: the list has none.
"""

from contextlib import suppress
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.duties import REPORT_KINDS, grouped_dues, owed_by, told_where_zero_misleads
from api.thresholds import reached_in
from api.words import words_of
from domain.commands.disasters import (
    DECLARERS,
    MOST_REPORTS,
    AttachReport,
    DeclareDisaster,
    DetachReport,
    MergeDisaster,
    SplitDisaster,
)
from domain.disaster import GOES_ON, DisasterStage
from domain.refusal import NotFound
from projections.asking.deadlines_at import deadlines
from projections.asking.loose_reports import loose_reports
from projections.asking.mergers import merger_preview, split_preview
from projections.asking.report_queries import situation_reports
from projections.asking.situation_board import situation_board
from projections.disasters import disaster, disasters
from projections.sections.consignments import consignments
from web.acting import Acts, acts_of, begin_of, matter_of
from web.figures import Names, names_for
from web.pages.situation import indented
from web.paging import ROWS, Turned, book_of
from web.parts import AtDesk, Desk, MaybeId, moment_of, parsed
from web.picking.disasters import others
from web.render import language_of
from web.reporting import parts_of, place_of, show

router = APIRouter(include_in_schema=False)

MOST: Final = 10_000
"""Areas, and rows of what is due, that one page looks at."""
MOST_LOADS: Final = 500
"""Consignments that are looked through for those that came since the disaster began."""


@router.get("/disasters")
async def all_disasters(
    request: Request, desk: AtDesk, turn: Turned, stage: DisasterStage | None = None
) -> Response:
    found = await desk.ask(
        disasters, stage=str(stage) if stage else None, cursor=turn.cursor, limit=ROWS
    )
    book = book_of("disasters", stage=stage)
    return await show(
        request,
        desk,
        "disasters.html",
        rows=found.items,
        chosen=stage or "",
        stages=list(DisasterStage),
        leaf=turn.leaf(found, "/disasters", book=book, stage=stage),
        declares=bool(desk.caller.areas(DECLARERS)),
    )


@router.get("/disasters/new")
async def new(request: Request, desk: AtDesk, report: UUID | None = None) -> Response:
    """The form, begun with what reports on no disaster say; ``report``: those with this one."""
    found = (await desk.ask(loose_reports))["occurrences"] if desk.caller.areas(DECLARERS) else []
    names = await run_in_threadpool(_named, request, desk, found)
    chosen = next(
        (one for one in found if str(report) in {row["report"] for row in one["reports"]}), None
    )
    made = await begin_of(
        request, desk, DeclareDisaster, of=report if chosen else "", proposal=chosen
    )
    return await show(
        request,
        desk,
        "disaster_new.html",
        names=names,
        made=made,
        found=found,
        chosen=chosen,
        most_reports=MOST_REPORTS,
    )


def _named(request: Request, desk: Desk, found: list[dict[str, Any]]) -> Names:
    """Say of each occurrence where it was and what it was; the names that this took."""
    names = names_for(desk.caller, None, desk.now, language_of(request))
    for one in found:
        area = _lowest(desk, [UUID(row["area"]) for row in one["reports"]])
        place = place_of(desk.caller, area)
        one["area"], one["area_name"] = str(_own_over(desk, area)), place.name
        one["hazard_name"] = names.hazard(one["hazard"])
    return names


def _lowest(desk: Desk, areas: list[UUID]) -> UUID:
    """The lowest area of the one tree over all of these."""
    first, *rest = (desk.caller.system.tree.lineage(area) for area in areas)
    return next(step for step in first if all(step in lineage for lineage in rest))


def _own_over(desk: Desk, area: UUID) -> UUID:
    """The area of the officer's post over it: more reports may come from elsewhere there."""
    lineage = desk.caller.system.tree.lineage(area)
    return next((own for own in desk.caller.areas(DECLARERS) if own in lineage), area)


@router.get("/disasters/{id}")
async def one_disaster(request: Request, desk: AtDesk, turn: Turned, id: UUID) -> Response:
    one = await desk.ask(disaster, disaster=id)
    part = _part(desk, one)
    reached = await run_in_threadpool(reached_in, desk.caller, id, part)
    made = await acts_of(request, desk, "disasters", id, one=one, reached=reached)
    hosts = await _hosts(desk, one)
    reports = await desk.ask(
        situation_reports, disaster=id, exercise=one["exercise"], cursor=turn.cursor, limit=ROWS
    )
    rows = await _figures(desk, one)
    due = await _due(desk, one)
    language = language_of(request)
    words = await run_in_threadpool(words_of, desk.caller, desk.now, language)
    place = await run_in_threadpool(place_of, desk.caller, part)
    return await show(
        request,
        desk,
        "disaster.html",
        area=UUID(one["area"]),
        at=moment_of(one["occurred_at"]),
        words=words,
        one=one,
        made=made,
        hosts=hosts,
        reached=reached,
        place=place,
        rows=rows,
        silent=await run_in_threadpool(_silent, desk, part, rows),
        reports=reports.items,
        detaching=await _detaching(request, desk, reports.items),
        leaf=turn.leaf(
            reports,
            f"/disasters/{id}",
            book=book_of("disaster-reports", disaster=id),
            anchor="reports",
        ),
        fitting=await _fitting(request, desk, one),
        due=due,
        owed_by=lambda line: owed_by(desk.caller, line),
        loads=await _loads(desk, one, part),
    )


def _part(desk: Desk, one: dict[str, Any]) -> UUID:
    """The disaster's area, or the part of it that is the reader's: whose figures they see."""
    whole = UUID(one["area"])
    lineage = desk.caller.system.tree.lineage
    mine = desk.caller.areas()
    if any(area in lineage(whole) for area in mine):
        return whole
    return next((area for area in mine if whole in lineage(area)), whole)


async def _hosts(desk: Desk, one: dict[str, Any]) -> dict[str, str]:
    """Names of the disasters it was merged into or has absorbed, those that the reader sees."""
    found = {}
    for id in (*one["absorbed"], *filter(None, (one["merged_into"],))):
        with suppress(NotFound):
            found[id] = (await desk.ask(disaster, disaster=UUID(id)))["name"]
    return found


async def _figures(desk: Desk, one: dict[str, Any]) -> list[dict[str, Any]]:
    """The areas at the top of what the reader sees of it, and those right below them."""
    rows, _ = await desk.ask_all(
        situation_board, most=MOST, disaster=UUID(one["id"]), exercise=one["exercise"]
    )
    found = [row for row in indented(rows) if row["depth"] < 2]
    reports, _ = await desk.ask_all(
        situation_reports, most=MOST, disaster=UUID(one["id"]), exercise=one["exercise"]
    )
    own = {report["area"]: report for report in reports}
    return [row | {"own": own.get(row["area"])} for row in found]


def _silent(desk: Desk, part: UUID, rows: list[dict[str, Any]]) -> list[str]:
    """Names of the living areas right below from which nothing was told."""
    told = {row["area"] for row in rows}
    return [row["name"] for row in parts_of(desk.caller, part) if row["id"] not in told]


async def _due(desk: Desk, one: dict[str, Any]) -> list[dict[str, Any]]:
    """What its reports owe now, a line a report: what is late first."""
    found: list[dict[str, Any]] = []
    for kind in sorted(REPORT_KINDS):
        rows, _ = await desk.ask_all(
            deadlines,
            most=MOST,
            at=desk.now,
            kind=kind,
            disaster=UUID(one["id"]),
            exercise=one["exercise"],
        )
        found += rows
    late = grouped_dues(row for row in found if row["state"] == "overdue")
    lines = late + grouped_dues(row for row in found if row["state"] == "open")
    mine = [line for line in lines if owed_by(desk.caller, line)]
    await run_in_threadpool(told_where_zero_misleads, desk.caller, mine)
    return lines


async def _detaching(
    request: Request, desk: Desk, reports: list[dict[str, Any]]
) -> dict[str, Acts]:
    return {
        row["report"]: await acts_of(
            request, desk, "situation-reports", row["report"], only=(DetachReport,), each=True
        )
        for row in reports
    }


async def _fitting(
    request: Request, desk: Desk, one: dict[str, Any]
) -> list[tuple[dict[str, Any], Acts]]:
    """Reports on no disaster that may be about this one, each with what attaches it."""
    if one["stage"] not in GOES_ON:
        return []
    found = (await desk.ask(loose_reports, disaster=UUID(one["id"])))["occurrences"]
    rows = [row for occurrence in found for row in occurrence["reports"]][:ROWS]
    return [
        (
            row,
            await acts_of(
                request,
                desk,
                "situation-reports",
                row["report"],
                only=(AttachReport,),
                each=True,
                disaster=one["id"],
                report=row,
            ),
        )
        for row in rows
    ]


async def _loads(desk: Desk, one: dict[str, Any], part: UUID) -> list[dict[str, Any]]:
    """Consignments for places within it that were asked for since it began, the last first."""
    if not desk.may_ask(consignments):
        return []
    rows, _ = await desk.ask_all(
        consignments, part, most=MOST_LOADS, at=desk.now, exercise=one["exercise"]
    )
    lineage = desk.caller.system.tree.lineage
    return [
        {**row, "lines": parsed(row["lines"])}
        for row in rows
        if row["requested_at"] >= one["occurred_at"] and part in lineage(UUID(row["area"]))
    ]


@router.get("/disasters/{id}/merger")
async def merger(request: Request, desk: AtDesk, id: UUID, into: MaybeId = None) -> Response:
    """What merging it into another would do, beside the button that does it."""
    one = await desk.ask(disaster, disaster=id)
    preview = await desk.ask(merger_preview, disaster=id, into=into, at=desk.now)
    made = None
    if into is not None and not preview["against"]:
        made = await acts_of(
            request,
            desk,
            "disasters",
            id,
            only=(MergeDisaster,),
            first=MergeDisaster,
            one=one,
            into=into,
        )
    return await show(
        request,
        desk,
        "disaster_merger.html",
        area=UUID(one["area"]),
        at=moment_of(one["occurred_at"]),
        one=one,
        preview=preview,
        others=await others(matter_of(request, desk, "disasters", id, one["stage"], {"one": one})),
        chosen=str(into or ""),
        made=made,
    )


@router.get("/disasters/{id}/split")
async def split(request: Request, desk: AtDesk, id: UUID) -> Response:
    """What splitting it back out would do, beside the button that does it."""
    one = await desk.ask(disaster, disaster=id)
    preview = await desk.ask(split_preview, disaster=id, at=desk.now)
    made = None
    if not preview["against"]:
        made = await acts_of(
            request, desk, "disasters", id, only=(SplitDisaster,), first=SplitDisaster, one=one
        )
    return await show(
        request,
        desk,
        "disaster_split.html",
        area=UUID(one["area"]),
        at=moment_of(one["occurred_at"]),
        one=one,
        preview=preview,
        made=made,
    )
