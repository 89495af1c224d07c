"""Engaging officers by a list: the template, a preview that does nothing, then slips to print.

The file stays in the browser between the two steps: it is sent again with what the preview said, so
that nobody's ID number waits on the server.
"""

import hashlib
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.responses import Response

from api.auth import Caller
from api.bodies import too_large
from api.observing import correlation_of
from api.officer_files import engage_lines, kept_for_reading, previewed
from api.problems import ApiProblem
from domain.ids import client_made
from intake.officers import Divisions, OfficerLine, template
from intake.refused import FileRefused
from web.pages.officers import ADMINISTRATORS
from web.parts import AtDesk, Desk, moment_of
from web.session import same
from web.slips import show_slips

router = APIRouter(include_in_schema=False)

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@router.get("/officers/list")
async def choose_file(request: Request, desk: AtDesk) -> Response:
    desk.caller.scope(ADMINISTRATORS, None)
    return await desk.show(request, "officer_list.html", lines=None, refusal=None)


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
    form = await _form(request, desk)
    name, content = await _file(form)
    return await _preview(request, desk, name, content)


@router.post("/officers/list/slips")
async def engage_all(request: Request, desk: AtDesk) -> Response:
    """Engage the rows as they were previewed; the answer is the page of their slips."""
    form = await _form(request, desk)
    name, content = await _file(form)
    key = _key(str(form.get("key", "")))
    logins = str(form.get("logins", "")).split(",")
    if str(form.get("digest")) != _digest(content):
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
        lines=lines,
        good=good,
        wrong=[line for line in lines or [] if line.problems],
        refusal=refusal,
        changed=changed,
        key=uuid4(),
        digest=_digest(content),
        logins=",".join("" if line.problems else line.login for line in lines or []),
    )


async def _read(
    desk: Desk, name: str, content: bytes, logins: list[str] | None = None
) -> tuple[list[OfficerLine] | None, FileRefused | None]:
    caller = desk.caller
    scope = caller.scope(ADMINISTRATORS, None)

    def read() -> list[OfficerLine]:
        with kept_for_reading(name, content) as folder:
            file = next(Path(folder).iterdir())
            rows = caller.system.limits.rows
            return previewed(caller.system, caller.id, scope, file, rows, logins)

    try:
        return await run_in_threadpool(read), None
    except FileRefused as refused:
        return None, refused


async def _form(request: Request, desk: Desk) -> Any:
    """The form with its file. 403 for who may not, or of another site; 413 beyond the limit."""
    desk.caller.scope(ADMINISTRATORS, None)
    most = desk.caller.system.limits.bulk_body_bytes
    announced = request.headers.get("content-length", "")
    if not announced.isdigit() or int(announced) > most:
        raise too_large(most, "bulk_body_bytes")
    form = await request.form(max_files=1, max_fields=6, max_part_size=most)
    if not same(desk.caller.session.csrf, str(form.get("csrf_token", ""))):
        raise ApiProblem(
            403, "csrf-token-missing", "页面已过期，请刷新后重试", "Reload the page and try again."
        )
    return form


async def _file(form: Any) -> tuple[str, bytes]:
    file = form.get("file")
    if not isinstance(file, UploadFile):
        return "", b""
    return file.filename or "", await file.read()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _key(text: str) -> UUID:
    """The key of the preview, under which a list is engaged once."""
    try:
        key = UUID(text)
    except ValueError:
        key = None
    if key is None or not client_made(key):
        raise ApiProblem(400, "idempotency-key-malformed", "请重新预览", "Preview the list again.")
    return key
