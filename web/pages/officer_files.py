"""Engaging officers by a list: the template, a preview that does nothing, then slips to print.

The file stays in the browser between the two steps: it is sent again with what the preview said, so
that nobody's ID number waits on the server.
"""

from uuid import uuid4

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.auth import Caller
from api.observing import correlation_of
from api.officer_files import engage_lines, previewed
from api.workbooks import XLSX
from intake.officers import Divisions, OfficerLine, template
from intake.refused import FileRefused
from intake.sent import sent_file
from web.pages.officers import ADMINISTRATORS
from web.parts import AtDesk, Desk, ToAct, moment_of
from web.sent_files import digest_of, file_of, form_with_file
from web.session import own_key
from web.slips import show_slips

router = APIRouter(include_in_schema=False)


@router.get("/officers/list")
async def choose_file(request: Request, desk: ToAct) -> Response:
    desk.caller.scope(ADMINISTRATORS, None)
    return await desk.show(
        request, "officer_list.html", public=_public(desk), lines=None, refusal=None
    )


def _public(desk: Desk) -> bool:
    """Whether slips will say where the pages are: who knows in time that they will not can still
    set it, but codes that were given out are shown once."""
    return bool(desk.caller.system.public_url)


@router.get("/officers/template")
async def empty_list(desk: AtDesk) -> Response:
    content = await run_in_threadpool(_template, desk.caller)
    said = {"Content-Disposition": 'attachment; filename="officers.xlsx"'}
    return Response(content, headers=said, media_type=XLSX)


def _template(caller: Caller) -> bytes:
    with caller.system.reader() as db:
        return template(Divisions(db, caller.scope(ADMINISTRATORS, None)))


@router.post("/officers/list")
async def preview(request: Request, desk: AtDesk) -> Response:
    """What every row would come to; nothing is done."""
    form = await form_with_file(request, desk, ADMINISTRATORS)
    name, content = await file_of(form)
    return await _preview(request, desk, name, content)


@router.post("/officers/list/slips")
async def engage_all(request: Request, desk: AtDesk) -> Response:
    """Engage the rows as they were previewed; the answer is the page of their slips."""
    form = await form_with_file(request, desk, ADMINISTRATORS)
    name, content = await file_of(form)
    key = own_key(str(form.get("key", "")))
    logins = str(form.get("logins", "")).split(",")
    if str(form.get("digest")) != digest_of(content):
        return await _preview(request, desk, name, content, changed=True)
    lines, refusal = await _read(desk, name, content, logins)
    if lines is None or refusal is not None or len(lines) != len(logins):
        return await _preview(request, desk, name, content, changed=True)
    caller = desk.caller
    told = await run_in_threadpool(
        engage_lines, caller.system, caller.id, key, correlation_of(request), lines
    )
    slips = [
        {**one, "posts": [one["role"]], "until": moment_of(str(one["expires_at"]))}
        for one in told["invitations"]
    ]
    return await show_slips(request, desk, slips, refused=told["refused"], known=told["known"])


async def _preview(
    request: Request, desk: Desk, name: str, content: bytes, *, changed: bool = False
) -> Response:
    lines, refusal = await _read(desk, name, content)
    good = [line for line in lines or [] if not line.problems]
    return await desk.show(
        request,
        "officer_preview.html" if "hx-request" in request.headers else "officer_list.html",
        status=200,
        public=_public(desk),
        lines=lines,
        good=good,
        wrong=[line for line in lines or [] if line.problems],
        refusal=refusal,
        changed=changed,
        key=uuid4(),
        digest=digest_of(content),
        logins=",".join("" if line.problems else line.login for line in lines or []),
    )


async def _read(
    desk: Desk, name: str, content: bytes, logins: list[str] | None = None
) -> tuple[list[OfficerLine] | None, FileRefused | None]:
    caller = desk.caller
    scope = caller.scope(ADMINISTRATORS, None)

    def read() -> list[OfficerLine]:
        with sent_file(name, content) as file:
            rows = caller.system.limits.rows
            return previewed(caller.system, caller.id, scope, file, rows, logins)

    try:
        return await run_in_threadpool(read), None
    except FileRefused as refused:
        return None, refused
