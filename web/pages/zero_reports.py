"""Zero reports 零报告 of several reports by one press: the officer's own, each by itself.

Nothing has changed, which only who answers for the area can say: nobody says it here for an area
below. A report that names dead or missing people is never among them, nor one that was sent back,
nor one below which larger figures were accepted since.
"""

from datetime import datetime
from typing import Any, Final, TypeAlias
from uuid import UUID, uuid4

from fastapi import APIRouter, Request
from sqlalchemy import select
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.auth import Caller
from api.duties import owed_by, own_duties, told_where_zero_misleads
from api.observing import correlation_of
from api.officer_lists import run_rows, why_not
from domain.commands.reports import ANY_FILER, FileZeroReport
from domain.report_filing import Review
from eventstore.outcomes import Envelope, Receipt
from projections.areas import AREAS
from projections.situation import REPORTS
from web.pages.together import BYTES, ROWS
from web.parts import AtDesk, ToAct
from web.reporting import show
from web.session import own_key, read_fields, require_token
from web.ticked import Ticked, ticked_as_of

router = APIRouter(include_in_schema=False)

ADDRESS: Final = "/zero-reports"
NOT_HERE: Final = {
    "rule": "not-yours-here",
    "zh": "这里只报本级自己的、没有死亡失踪的零报告，下级已审定更大数字的也不在内；"
    "请打开该报告，填报续报",
    "en": "Only your own areas' reports without dead or missing, and none below which larger "
    "figures were accepted: open it and file a follow-up.",
}

Row = dict[str, Any]
Stated: TypeAlias = tuple[Ticked, datetime]


def owed_zeros(lines: list[Row]) -> list[Row]:
    """Of what an officer's own areas owe (`own_duties`) the lines that a zero report can answer."""
    return [
        line
        for line in lines
        if line["kind"] == "follow_up"
        and line["state"] == "overdue"
        and line["review"] != Review.RETURNED
        and not (line["grave"] or line["behind"])
    ]


@router.get(ADDRESS)
async def zero_reports(request: Request, desk: ToAct) -> Response:
    """What the officer's own areas owe and may say nothing new of."""
    return await _page(request, desk)


@router.post(ADDRESS)
async def file_together(request: Request, desk: AtDesk) -> Response:
    """A zero report of each that is ticked; the same page tells which were filed and why others
    were not."""
    desk.caller.scope(FileZeroReport.roles, None)
    fields = await read_fields(request, BYTES, ROWS + 5)
    form = dict(fields)
    require_token(desk.caller.session, form)
    ticked = ticked_as_of(fields, "report")
    if not ticked:
        return await _page(request, desk, none_ticked=True)
    key = own_key(form.get("key", ""))
    told = await run_in_threadpool(filed, request, desk.caller, key, ticked)
    return await _page(request, desk, told=told)


def filed(request: Request, caller: Caller, key: UUID, ticked: list[Stated]) -> Row:
    """File each by itself. ``done``: which; ``refused``: why, by report. The same key again files
    nothing again."""
    own = _own_and_plain(caller, [str(one.id) for one, _ in ticked])
    store = caller.system.store
    mine = [(one, as_of) for one, as_of in ticked if str(one.id) in own]
    envelopes = [
        Envelope(
            id=store.system_command_id("zero-reports", key, one.id),
            officer=caller.id,
            command=FileZeroReport(report=one.id, as_of=as_of, expected_version=one.version),
            correlation=correlation_of(request),
        )
        for one, as_of in mine
    ]
    answers = run_rows(store, envelopes) if envelopes else []
    told = dict(zip((str(one.id) for one, _ in mine), answers, strict=True))
    refused = {str(one.id): NOT_HERE for one, _ in ticked if str(one.id) not in own}
    return {
        "done": {id for id, answer in told.items() if isinstance(answer, Receipt)},
        "refused": refused
        | {id: why_not(one) for id, one in told.items() if not isinstance(one, Receipt)},
    }


def _own_and_plain(caller: Caller, reports: list[str]) -> set[str]:
    """Those of these reports that the caller answers for and of which "nothing has changed" may be
    one press."""
    query = (
        select(REPORTS.c.report, REPORTS.c.area, AREAS.c.level)
        .join(AREAS, AREAS.c.id == REPORTS.c.area)
        .where(
            REPORTS.c.report.in_(reports),
            caller.scope(ANY_FILER, None).covers(REPORTS.c.area),
        )
    )
    with caller.system.reader() as db:
        rows = [dict(one) for one in db.execute(query).mappings()]
    lines = [{**row, "subjects": {row["report"]}} for row in rows if owed_by(caller, row)]
    told_where_zero_misleads(caller, lines)
    return {line["report"] for line in lines if not (line["grave"] or line["behind"])}


async def _page(
    request: Request, desk: AtDesk, *, told: Row | None = None, none_ticked: bool = False
) -> Response:
    lines = await run_in_threadpool(_offered, desk.caller)
    done = told["done"] if told else set()
    rows = [line for line in lines if line["subject"] not in done]
    return await show(
        request,
        desk,
        "zero_reports.html",
        rows=rows[:ROWS],
        count=len(rows),
        key=uuid4(),
        told=told,
        none_ticked=none_ticked,
    )


def _offered(caller: Caller) -> list[Row]:
    """The lines, each with its ``box``: the report, its version now, and as of when it is told."""
    overdue, _ = own_duties(caller, caller.system.store.training)
    lines = owed_zeros(overdue)
    query = select(REPORTS.c.report, REPORTS.c.number).where(
        REPORTS.c.report.in_([line["subject"] for line in lines]),
        caller.scope(ANY_FILER, None).covers(REPORTS.c.area),
    )
    with caller.system.reader() as db:
        versions = {one.report: one.number for one in db.execute(query)}
    return [
        {**line, "box": f"{line['subject']} {versions[line['subject']]} {as_of}", "as_of": as_of}
        for line in lines
        for as_of in [line["latest"]["detail"]["as_of"]]
    ]
