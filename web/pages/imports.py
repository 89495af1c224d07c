"""Household lists by page: choose the file, look at what it comes to, confirm, watch, take what was
refused. The page can be left at any time and is found again in the list of imports."""

from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID, uuid4

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from api.auth import Caller
from api.imports import (
    DOUBTS,
    FIELDS,
    decided,
    faults_of,
    figures_of,
    importing_of,
    job_for,
    jobs_for,
    offered,
)
from api.problems import ApiProblem
from api.telling import told_to
from domain.commands.households import REGISTRARS
from domain.refusal import NotFound, Refusal
from domain.rules.household_kinds import HouseholdKind
from eventstore.outcomes import problem_of
from intake.job import IN_HAND, OPEN, Job, State
from intake.known_places import kinds_in_force
from web.pages.passwords import own_form
from web.parts import AtDesk, Desk, ToAct
from web.places import FoundPlace, places
from web.render import language_of
from web.sent_files import file_of, form_with_file
from web.session import own_key

router = APIRouter(include_in_schema=False)

SHOWN: Final = 50
"""Rows of a table; the file of refused rows has all."""
MOST_PLACES: Final = 2_000
ABOUT: Final = ("county", "township", "village")
TYPED: Final = ("area", "category", "ignore_columns", "hidden_rows")


def _places(caller: Caller) -> list[FoundPlace]:
    scope = caller.scope(REGISTRARS, None)
    with caller.system.reader() as db:
        found = places(db, scope, "", MOST_PLACES)
    return [one for one in found if one.level in ABOUT]


def _kinds(caller: Caller, area: UUID) -> tuple[HouseholdKind, ...]:
    """The household kinds in force there; where there are none, the check says so."""
    system = caller.system
    try:
        return tuple(kinds_in_force(system.store, system.tree.lineage(area)).kinds)
    except NotFound:
        return ()


@router.get("/households/import")
async def choose_file(request: Request, desk: ToAct) -> Response:
    return await _form(request, desk, "", {})


async def _form(request: Request, desk: Desk, refusal: str, typed: dict[str, str]) -> Response:
    caller = desk.caller
    areas = await run_in_threadpool(_places, caller)
    jobs = await run_in_threadpool(jobs_for, caller, importing_of(request))
    return await desk.show(
        request,
        "import.html",
        areas=areas,
        kinds=await run_in_threadpool(_kinds, caller, areas[0].id) if areas else (),
        jobs=[(one, _moment(one.begun)) for one in jobs[:SHOWN]],
        named={one.id: one.name for one in areas},
        limits=caller.system.limits,
        refusal=refusal,
        typed={**dict.fromkeys(TYPED, ""), **typed},
        key=uuid4(),
    )


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


@router.post("/households/import")
async def send_list(request: Request, desk: AtDesk) -> Response:
    """The list becomes a job; its page says the rest."""
    fields = FIELDS + 2
    form = await form_with_file(request, desk, REGISTRARS, fields=fields, limit="import_bytes")
    name, content = await file_of(form)
    typed = {one: str(form[one]) for one in TYPED if form.get(one)}
    key, language = own_key(str(form.get("key", ""))), language_of(request)
    importing = importing_of(request)
    try:
        job = await run_in_threadpool(offered, desk.caller, importing, key, typed, name, content)
    except ApiProblem as problem:
        wrong = problem.errors[0] if problem.errors else {}
        said = problem.problem.zh if language == "zh" else problem.problem.en
        return await _form(request, desk, wrong.get(language, said), typed)
    except Refusal as refused:
        if refused.status in (403, 404):
            raise
        found = await told_to(request, problem_of(refused))
        return await _form(request, desk, found.zh if language == "zh" else found.en, typed)
    return RedirectResponse(f"/households/imports/{job.id}", 303)


@router.get("/households/imports/{id}")
async def one_import(request: Request, desk: AtDesk, id: UUID) -> Response:
    """How it stands; asked again by its own page while something is being done."""
    importing = importing_of(request)
    caller = desk.caller

    def told() -> dict[str, Any]:
        job = job_for(caller, importing, id)
        faults = faults_of(importing, job)
        rules = [one for one in faults["faults"] if not one["rule"].startswith(DOUBTS)]
        with caller.system.reader() as db:
            found = places(db, caller.scope(caller.roles(), None), "", MOST_PLACES)
        return {
            "job": job,
            "behind": importing.jobs.behind(job),
            "area": next((one.name for one in found if one.id == job.area), ""),
            "figures": figures_of(job.figures),
            "refused": rules,
            "likely": [one for one in faults["faults"] if one["rule"].startswith(DOUBTS)],
            "differences": faults["differences"],
        }

    context = await run_in_threadpool(told)
    job: Job = context["job"]
    return await desk.show(
        request,
        "import_state.html" if "hx-request" in request.headers else "import_job.html",
        **context,
        begun=_moment(job.begun),
        waits_until=_moment(job.waits_until) if job.waits_until else None,
        steps=tuple(State)[:5],
        going_on=job.state in IN_HAND,
        open=job.state in OPEN,
        shown=SHOWN,
        rows_shown=job.shows_rows_to(caller.id),
    )


@router.post("/households/imports/{id}/{decision}")
async def decide(request: Request, desk: AtDesk, id: UUID, decision: str) -> Response:
    await own_form(request, desk)
    if decision not in ("confirmations", "cancellations"):
        raise NotFound(kind="Import", id=id)
    importing = importing_of(request)
    confirmed = decision == "confirmations"
    await run_in_threadpool(decided, desk.caller, importing, id, confirmed=confirmed)
    return RedirectResponse(f"/households/imports/{id}", 303)
