"""Household lists over HTTP: sent as a file, checked, confirmed, then written by a job.

Nothing is written before somebody confirms what the check has found. A job is told to those who may
register households in its area, and to who sent it; nobody else learns that there is one.
"""

from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.auth import Asking, Caller, caller_of, check_parameters, system_of, writing_session
from api.importing import Importing
from api.login import checked_as
from api.permitting import not_allowed
from api.plain_json import error_of
from api.problems import malformed
from api.readings import note_refused_rows
from api.sent_forms import KIND, digest_of, file_of, sent_form
from api.workbooks import XLSX
from api.writes import PART, RESPONSES, idempotency_key
from domain.commands.households import REGISTRARS
from domain.refusal import NotFound, Refusal
from eventstore.errors import CommandIdReused
from intake.job import Job, RefusedRowsGone, RefusedRowsOfOthers, State
from intake.known_places import kinds_in_force
from intake.results import Report
from intake.rows import HiddenRows

router = APIRouter(tags=["households"])
FIELDS: Final = 6
LONGEST_NAME: Final = 100
DOUBTS: Final = "head-"
"""How the rules begin by which a head may be registered already."""


class ImportFields(BaseModel):
    """``area``: the village, township or county that the list is about. ``category``: the kind of
    the households whose row names none. ``ignore_columns``: columns that look like codes, ID
    numbers or figures of people and are not understood are not needed."""

    model_config = ConfigDict(extra="forbid")
    area: UUID
    category: Annotated[str, Field(min_length=1, max_length=50)] = "ordinary"
    ignore_columns: bool = False
    hidden_rows: HiddenRows = HiddenRows.ASK


def importing_of(request: Request) -> Importing:
    importing: Importing = request.app.state.importing
    return importing


def _form_described() -> dict[str, Any]:
    schema = ImportFields.model_json_schema(ref_template=PART)
    file = {"type": "string", "format": "binary", "description": "An .xlsx or .csv list"}
    schema["properties"] = {"file": file, **schema["properties"]}
    schema["required"] = ["file", *schema["required"]]
    return {
        "requestBody": {"required": True, "content": {KIND: {"schema": schema}}},
        "parameters": [
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": True,
                "schema": {"type": "string", "format": "uuid"},
                "description": "Made by you; the same key and list is the same import.",
            }
        ],
    }


@router.post(
    "/v1/imports",
    status_code=202,
    summary="Send a list of households: it is checked, and waits for confirmation",
    description="A form with `file` (.xlsx or .csv), `area`, and how the list is to be read. "
    "Nothing is registered before `POST /v1/imports/{id}/confirmations`. What is wrong with the "
    "file as a whole is told by the job.",
    responses=RESPONSES,
    openapi_extra=_form_described(),
)
async def send_list(request: Request, response: Response) -> dict[str, Any]:
    session = await writing_session(request)
    check_parameters(request)
    key = idempotency_key(request)
    system = system_of(request)
    refused = await not_allowed(system, session.officer, REGISTRARS, None)
    if refused is not None:
        raise refused
    with system.bodies.holding() as holding:
        most = system.limits.import_bytes
        form = await sent_form(request, most, "import_bytes", holding, fields=FIELDS)
        values: dict[str, Any] = {
            name: value for name, value in form.multi_items() if isinstance(value, str)
        }
        name, content = await file_of(form)
        caller = await run_in_threadpool(caller_of, request)
        job = await run_in_threadpool(
            offered, caller, importing_of(request), key, values, name, content
        )
        response.headers["Location"] = f"/v1/imports/{job.id}"
        return {"id": job.id, "state": job.state}


def offered(
    caller: Caller,
    importing: Importing,
    key: UUID,
    values: dict[str, Any],
    name: str,
    content: bytes,
) -> Job:
    """Take a list in as a job. Raises 422 for its fields, 403 and 404 for its area."""
    given = checked_as(ImportFields, values)
    if not name:
        raise malformed([error_of("file", "missing", "请选择名单文件", "Choose a file.")])
    caller.actor(REGISTRARS, given.area)
    kind = kinds_in_force(caller.system.store, caller.system.tree.lineage(given.area)).by_name(
        given.category
    )
    if kind is None:
        raise malformed(
            [error_of("category", "unknown", "没有这种家庭类型", "There is no such kind.")]
        )
    job = Job(
        id=caller.system.store.system_command_id("import-job", caller.id, key),
        officer=caller.id,
        area=given.area,
        file=name[-LONGEST_NAME:],
        category=kind.key,
        begun=0.0,
        digest=digest_of(content),
        ignore_columns=given.ignore_columns,
        hidden_rows=given.hidden_rows,
    )
    found = importing.jobs.offer(job, content)
    if (found.digest, found.area) != (job.digest, job.area):
        raise CommandIdReused
    importing.wake()
    return found


def job_for(caller: Caller, importing: Importing, id: UUID, *, writing: bool = False) -> Job:
    """The job, if the caller may see it; with ``writing``, if the caller may decide about it.

    404 outside the jurisdiction, 403 inside it without the role.
    """
    caller.scope(caller.roles(), None)  # who is out of office is told nothing, also of their own
    job = importing.jobs.get(id)
    if job.officer != caller.id or writing:
        _require_registrar(caller, job)
    return job


def _require_registrar(caller: Caller, job: Job) -> None:
    try:
        caller.actor(REGISTRARS, job.area)
    except NotFound:
        raise NotFound(kind="Import", id=job.id) from None


def jobs_for(caller: Caller, importing: Importing) -> list[Job]:
    """The jobs that the caller may see, the newest first. 403 for who may import nothing."""
    caller.scope(REGISTRARS, None)
    seen = []
    for job in importing.jobs.all():
        try:
            if job.officer != caller.id:
                _require_registrar(caller, job)
            seen.append(job)
        except Refusal:
            continue
    return seen


@router.get(
    "/v1/imports",
    summary="The imports that you may see: your own, and those in your area",
    responses={code: RESPONSES[code] for code in (401, 403, 422)},
)
async def some(request: Request, caller: Asking) -> dict[str, Any]:
    importing = importing_of(request)
    jobs = await run_in_threadpool(jobs_for, caller, importing)
    return {"items": [summary_of(job) for job in jobs]}


@router.get(
    "/v1/imports/{id}",
    summary="How an import stands: what was understood, what is refused, how far it has come",
    responses={code: RESPONSES[code] for code in (401, 403, 404, 422)},
)
async def one(request: Request, caller: Asking, id: UUID) -> dict[str, Any]:
    importing = importing_of(request)

    def told() -> dict[str, Any]:
        job = job_for(caller, importing, id)
        return {**summary_of(job), **faults_of(importing, job)}

    return await run_in_threadpool(told)


def summary_of(job: Job) -> dict[str, Any]:
    """A job in figures. Its times are seconds since 1970."""
    return {
        "id": job.id,
        "state": job.state,
        "area": job.area,
        "officer": job.officer,
        "confirmed_by": job.confirmed_by,
        "file": job.file,
        "category": job.category,
        "begun": job.begun,
        "changed": job.changed,
        "progress": {"rows": job.rows, "of": job.of},
        "waits_until": job.waits_until or None,
        "why": msgspec.to_builtins(job.why),
        "checked": figures_of(job.checked),
        "done": figures_of(job.ran),
        "refused_rows": job.refused_rows,
        "position": job.position or None,
    }


def figures_of(report: Report | None) -> dict[str, Any] | None:
    """What a step of an import has found. ``new`` households, ``changed`` ones (otherwise in the
    list, or completed), ``same`` ones, ``likely_same`` persons asked about."""
    if report is None:
        return None
    asked = sum(count for rule, count in report.by_rule.items() if rule.startswith(DOUBTS))
    changed = report.differing + report.completed
    return {
        "rows": report.rows,
        "new": report.valid + report.registered,
        "changed": changed,
        "same": report.known - report.differing,
        "likely_same": asked,
        "refused_rows": report.refused,
        "faults": report.fault_count,
        "members": report.members,
        "contested": report.contested,
        "skipped_rows": report.skipped,
        "columns": report.columns,
        "unused_columns": report.unused_columns,
        "skipped_sheets": report.skipped_sheets,
        "hidden_rows": report.hidden_rows,
        "sheet_villages": report.sheet_villages,
    }


def faults_of(importing: Importing, job: Job) -> dict[str, Any]:
    """The faults and differences of the step that ended last, the first thousand of each; none any
    more a day after the list came."""
    kept = importing.jobs.whole(job.id, "faults")
    if kept is None:
        return {"faults": [], "differences": []}
    report = msgspec.msgpack.decode(kept, type=Report)
    told = msgspec.to_builtins({"faults": report.faults, "differences": report.differences})
    assert isinstance(told, dict)
    return told


@router.post(
    "/v1/imports/{id}/confirmations",
    status_code=202,
    summary="Let a checked list be registered; twice is once",
    responses=RESPONSES,
)
async def confirm(request: Request, id: UUID) -> dict[str, Any]:
    return await _decided(request, id, confirmed=True)


@router.post(
    "/v1/imports/{id}/cancellations",
    status_code=202,
    summary="End an import and delete its list; what is registered stays",
    responses=RESPONSES,
)
async def cancel(request: Request, id: UUID) -> dict[str, Any]:
    return await _decided(request, id, confirmed=False)


async def _decided(request: Request, id: UUID, *, confirmed: bool) -> dict[str, Any]:
    await writing_session(request)
    check_parameters(request)
    importing = importing_of(request)
    caller = await run_in_threadpool(caller_of, request)
    job = await run_in_threadpool(decided, caller, importing, id, confirmed=confirmed)
    return {"id": job.id, "state": job.state}


def decided(caller: Caller, importing: Importing, id: UUID, *, confirmed: bool) -> Job:
    """Confirm or cancel a job. Raises what `Jobs.confirm` and `Jobs.cancel` do, 403 and 404."""
    job_for(caller, importing, id, writing=confirmed)
    if not confirmed:
        return importing.jobs.cancel(id)
    job = importing.jobs.confirm(id, caller.id)
    importing.wake()
    return job


@router.get(
    "/v1/imports/{id}/refused-rows.xlsx",
    summary="The refused rows as they came, with the reasons: to be mended and sent again",
    responses={
        200: {"content": {XLSX: {}}, "description": "A workbook"},
        **{code: RESPONSES[code] for code in (401, 403, 404, 422)},
    },
    response_class=Response,
)
async def refused_rows(request: Request, caller: Asking, id: UUID) -> Response:
    importing = importing_of(request)
    content = await run_in_threadpool(workbook_of, caller, importing, id)
    headers = {
        "Content-Disposition": 'attachment; filename="refused-rows.xlsx"',
        "Cache-Control": "no-store",
    }
    return Response(content, headers=headers, media_type=XLSX)


def workbook_of(caller: Caller, importing: Importing, id: UUID) -> bytes:
    """Raises `RefusedRowsOfOthers` to who neither sent nor confirmed the list, and
    `RefusedRowsGone` a day after it came, or when the job was ended."""
    job = job_for(caller, importing, id)
    if not job.shows_rows_to(caller.id):
        raise RefusedRowsOfOthers
    content = importing.jobs.whole(id, "refused-rows")
    if content is None and (job.refused_rows or job.state in (State.CANCELLED, State.FAILED)):
        raise RefusedRowsGone
    if content is None:
        raise NotFound(kind="Import", id=id)
    note_refused_rows(caller.system, caller.id, job.refused_rows)
    return content
