"""Divisions by a list: the template, the differences, then the run that brings them about.

The file stays in the browser between the two steps, as that of officers does (decision 0053): what
is brought about is compared anew.
"""

from typing import Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.auth import Caller
from api.division_lists import brought_about, differences
from api.workbooks import XLSX
from domain.rules.base import china_day
from eventstore.outcomes import Refused
from intake.division_changes import Differences, DivisionTree
from intake.divisions import DivisionLine, read_divisions, template
from intake.guard import IntakeLimits
from intake.problems import CellProblem
from intake.refused import FileRefused
from intake.sent import sent_file
from web.keeping import KEEPERS, UNNUMBERED
from web.parts import AtDesk, Desk, ToAct
from web.sent_files import digest_of, file_of, form_with_file

router = APIRouter(include_in_schema=False)

SHOWN = 50


@router.get("/divisions/list")
async def choose_file(request: Request, desk: ToAct) -> Response:
    desk.caller.scope(KEEPERS, None)
    return await desk.show(request, "division_list.html", found=None, refusal=None)


@router.get("/divisions/template")
async def divisions_as_they_are(desk: AtDesk) -> Response:
    content = await run_in_threadpool(_template, desk.caller)
    said = {"Content-Disposition": 'attachment; filename="divisions.xlsx"'}
    return Response(content, headers=said, media_type=XLSX)


def _template(caller: Caller) -> bytes:
    scope = caller.scope(KEEPERS, None)
    with caller.system.reader() as db:
        return template(DivisionTree(db, scope).as_rows())


@router.post("/divisions/list")
async def preview(request: Request, desk: AtDesk) -> Response:
    """The differences; nothing is done."""
    form = await form_with_file(request, desk, KEEPERS)
    name, content = await file_of(form)
    return await _preview(request, desk, name, content)


@router.post("/divisions/list/run")
async def bring_about(request: Request, desk: AtDesk) -> Response:
    """Bring about what was previewed: the rows without problems."""
    form = await form_with_file(request, desk, KEEPERS)
    name, content = await file_of(form)
    document = " ".join(str(form.get("document_no", "")).split())[:200]
    if str(form.get("digest")) != digest_of(content) or not document:
        return await _preview(request, desk, name, content, changed=bool(document))
    found, _ = await _compared(desk, name, content, document)
    if found is None:
        return await _preview(request, desk, name, content, changed=True)
    try:
        done = await run_in_threadpool(
            brought_about, desk.caller.system, desk.caller.id, found, document
        )
    except Refused as refused:
        return await _preview(request, desk, name, content, refused=refused)
    return await desk.show(
        request, "division_done.html", done=done, found=found, refused=problems_of(found.refused)
    )


async def _preview(
    request: Request,
    desk: Desk,
    name: str,
    content: bytes,
    *,
    changed: bool = False,
    refused: Refused | None = None,
) -> Response:
    found, refusal = await _compared(desk, name, content, UNNUMBERED)
    return await desk.show(
        request,
        "division_preview.html" if "hx-request" in request.headers else "division_list.html",
        found=found,
        kinds=kinds_of(found) if found is not None else (),
        problems=problems_of(found.refused) if found is not None else [],
        refusal=refusal,
        changed=changed,
        refused=refused.problem if refused is not None else None,
        digest=digest_of(content),
        shown=SHOWN,
    )


def kinds_of(found: Differences) -> tuple[tuple[str, list[Any]], ...]:
    """The differences by kind, those without any left out."""
    kinds = (
        ("new", found.new),
        ("renamed", found.renamed),
        ("renumbered", found.renumbered),
        ("moved", found.moved),
    )
    return tuple((name, rows) for name, rows in kinds if rows)


def problems_of(lines: list[DivisionLine]) -> list[tuple[DivisionLine, CellProblem]]:
    return [(line, one) for line in lines for one in line.problems]


async def _compared(
    desk: Desk, name: str, content: bytes, document: str
) -> tuple[Differences | None, FileRefused | None]:
    caller = desk.caller
    scope = caller.scope(KEEPERS, None)

    def read() -> Differences:
        most = caller.system.limits.rows
        with sent_file(name, content) as file:
            lines = read_divisions(file, china_day(desk.now), IntakeLimits(rows=most))
        if len(lines) > most:
            raise FileRefused("too-many-rows", sheet=lines[0].sheet, limit=most)
        return differences(caller.system, caller.id, scope, lines, document)

    try:
        return await run_in_threadpool(read), None
    except FileRefused as refused:
        return None, refused
