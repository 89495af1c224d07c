"""Setting up a store of one's own, from an empty log to the administrator's invitation.

Plain forms that work without scripts. They are there until the administrator has accepted the
invitation, for the one browser in which the code of `relief serve` was entered (`api.setup`).
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.beginning import Administrator
from api.begun import begun_here
from api.choosing import choice_of
from api.problems import ApiProblem
from api.setup import ClocksDiffer, Setup, setup_over
from api.setup_routes import keep_setup, require_form, setup_of, token_of
from domain.area import AreaLevel
from domain.refusal import Malformed, Refusal
from intake.register import Division
from web.pages.rulebooks import titles_in
from web.parts import url
from web.render import language_of
from web.session import form_is_own, keep_form, read_fields, stranger_page

FORM_BYTES: Final = 128 * 1024
FORM_FIELDS: Final = 4_000
"""A county has at most some 1,500 villages, each a tick of some 21 bytes."""
GOES_ON: Final = frozenset({AreaLevel.CITY, AreaLevel.COUNTY})

router = APIRouter(include_in_schema=False)


@router.get("/setup")
async def setup_page(request: Request) -> Response:
    setup = setup_of(request)
    if not await run_in_threadpool(_entered, request, setup):
        return await _code_page(request, setup)
    state = await run_in_threadpool(setup.state, token_of(request))
    if not state["running"]:
        failed = state["failed"]
        sentence = "" if failed is None else failed["zh" if language_of(request) == "zh" else "en"]
        if state["county"] is None:
            return await _search_page(request, setup, sentence)
        if not state["ready"]:
            code = state["county"]["code"]
            return await _division_page(request, setup, code, sentence=sentence)
    base = str(request.base_url).rstrip("/")
    return await run_in_threadpool(
        _page,
        request,
        setup,
        "setup_begun.html",
        state=state,
        base=base,
        url=url,
        titles=titles_in(request),
    )


@router.post("/setup/sessions")
async def enter(request: Request) -> Response:
    setup = setup_of(request)
    form = dict(await read_fields(request))
    if not form_is_own(request, form):
        return await _code_page(request, setup, "ended", status=403)
    try:
        token = await run_in_threadpool(setup.enter, form.get("code", ""))
    except ApiProblem as problem:
        if problem.problem.status != 403:
            raise
        return await _code_page(request, setup, sentence=_words(request, problem), status=403)
    response = RedirectResponse("/setup", 303)
    keep_setup(response, token, secure=setup.system.secure_cookies)
    return response


@router.get("/setup/divisions/{code}")
async def division(request: Request, code: str) -> Response:
    """What would be established for a county or city, to be looked through and ticked."""
    setup = setup_of(request)
    if not await run_in_threadpool(_entered, request, setup):
        return RedirectResponse("/setup", 303)
    return await _division_page(request, setup, code)


@router.post("/setup/beginnings")
async def begin(request: Request) -> Response:
    setup = setup_of(request)
    fields = await read_fields(request, FORM_BYTES, FORM_FIELDS)
    form = dict(fields)
    await run_in_threadpool(require_form, setup, request, form.get("csrf_token", ""))
    try:
        await run_in_threadpool(_start, setup, fields, token_of(request))
    except Refusal as refusal:
        sentence = refusal.sentence(language_of(request))
        return await _division_page(
            request,
            setup,
            form.get("seat", ""),
            fields=fields,
            sentence=sentence,
            status=refusal.status,
            asks_clock=isinstance(refusal, ClocksDiffer) or "clock_confirmed" in form,
        )
    return RedirectResponse("/setup", 303)


@router.post("/setup/invitations")
async def renew(request: Request) -> Response:
    """Another invitation, where the code of the first was not written down."""
    setup = setup_of(request)
    form = dict(await read_fields(request))
    await run_in_threadpool(require_form, setup, request, form.get("csrf_token", ""))
    await run_in_threadpool(setup.renew, token_of(request))
    return RedirectResponse("/setup", 303)


# -- the pages -----------------------------------------------------------------------------------


async def _code_page(
    request: Request, setup: Setup, failure: str = "", *, sentence: str = "", status: int = 200
) -> Response:
    if await run_in_threadpool(setup.closed):
        raise setup_over()
    response = await run_in_threadpool(
        stranger_page, request, "setup_code.html", status=status, failure=failure, sentence=sentence
    )
    keep_form(request, response)
    return response


async def _search_page(request: Request, setup: Setup, sentence: str) -> Response:
    asked = request.query_params.get("q", "")
    under = request.query_params.get("under", "")

    def made() -> Response:
        return _page(
            request,
            setup,
            "setup_search.html",
            asked=asked,
            found=_found(setup, asked, under),
            goes_on=GOES_ON,
            sentence=sentence,
        )

    return await run_in_threadpool(made)


def _found(setup: Setup, asked: str, under: str) -> list[Division]:
    over = setup.register.find(under) if under else None
    if over is not None and over.level is AreaLevel.PROVINCE:
        return setup.register.children(over.key)
    upper = (*GOES_ON, AreaLevel.PROVINCE)
    return [one for one in setup.register.search(asked) if one.level in upper]


async def _division_page(
    request: Request,
    setup: Setup,
    code: str,
    *,
    fields: Sequence[tuple[str, str]] = (),
    sentence: str = "",
    status: int = 200,
    asks_clock: bool = False,
) -> Response:
    def made() -> Response:
        found = _parts(setup, code)
        if found is None:
            raise ApiProblem(
                404, "not-found", "登记册中没有这个区划", "The register has no such code."
            )
        return _page(
            request,
            setup,
            "setup_division.html",
            status=status,
            sentence=sentence,
            given=dict(fields),
            asks_clock=asks_clock,
            ticked=_ticked(setup, fields, found),
            training=_training(setup, fields),
            **found,
        )

    return await run_in_threadpool(made)


def _ticked(setup: Setup, fields: Sequence[tuple[str, str]], found: dict[str, Any]) -> set[str]:
    """What was ticked; before that what an earlier run began with, else all but virtual ones."""
    if fields:
        return {value for name, value in fields if name in ("village", "county")}
    kept = begun_here(setup.system.store.log)
    villages = {one.key: one.virtual for _, below in found["townships"] for one in below}
    if kept is not None:
        return set(kept.counties) | (villages.keys() - set(kept.left_out))
    return {key for key, virtual in villages.items() if not virtual}


def _training(setup: Setup, fields: Sequence[tuple[str, str]]) -> bool:
    """Whether a training store was asked for just now, or by the run that is gone on with."""
    kept = begun_here(setup.system.store.log)
    return "exercise" in dict(fields) if fields else kept is not None and kept.training


def _parts(setup: Setup, code: str) -> dict[str, Any] | None:
    """A county with its townships and their villages, or a city with its counties."""
    register = setup.register
    seat = register.find(code)
    if seat is None or seat.level not in GOES_ON:
        return None
    children = register.children(seat.key)
    if seat.level is AreaLevel.CITY:
        return {"seat": seat, "counties": children, "townships": [], "villages": 0, "virtual": 0}
    townships = [(one, register.children(one.key)) for one in children]
    villages = [village for _, below in townships for village in below]
    virtual = sum(village.virtual for village in villages)
    return {
        "seat": seat,
        "counties": [],
        "townships": townships,
        "villages": len(villages),
        "virtual": virtual,
    }


def _page(request: Request, setup: Setup, name: str, **context: Any) -> Response:
    csrf = setup.session(token_of(request))
    return stranger_page(request, name, csrf=csrf, **context)


# -- what they do --------------------------------------------------------------------------------


def _entered(request: Request, setup: Setup) -> bool:
    """Whether this browser has entered the code. 410 once all is over, or for another browser."""
    try:
        setup.session(token_of(request))
    except ApiProblem as problem:
        if problem.problem.status == 401:
            return False
        raise
    return True


def _start(setup: Setup, fields: Sequence[tuple[str, str]], token: str) -> None:
    """Begin what a form says: ticks are what is established. Raises a `Refusal`."""
    form, register = dict(fields), setup.register
    seat = register.find(form.get("seat", ""))
    if seat is None or seat.level not in GOES_ON:
        raise Malformed(
            field="county",
            value=form.get("seat", ""),
            rule_zh="登记册中没有",
            rule_en="the register has none",
        )
    if seat.level is AreaLevel.CITY:
        keys = {value for name, value in fields if name == "county"}
        counties = [one for one in register.children(seat.key) if one.key in keys]
        if not counties:
            raise Malformed(
                field="counties", value="", rule_zh="至少选一个", rule_en="tick at least one"
            )
        choice = choice_of(register, seat, counties, training="exercise" in form)
    else:
        ticked = {value for name, value in fields if name == "village"}
        villages = [one for one in register.below(seat.key) if one.level is AreaLevel.VILLAGE]
        left_out = [one.key for one in villages if one.key not in ticked]
        choice = choice_of(register, seat, [seat], left_out, training="exercise" in form)
    if "clock_confirmed" not in form:
        setup.check_clock(_time(form.get("browser_time", "")))
    setup.begin(choice, Administrator(form.get("login", ""), form.get("full_name", "")), token)


def _time(said: str) -> datetime | None:
    """What the browser's clock says; None where no script could say it."""
    with suppress(ValueError):
        moment = datetime.fromisoformat(said)
        return moment if moment.tzinfo is not None else None
    return None


def _words(request: Request, problem: ApiProblem) -> str:
    said = problem.problem
    return said.zh if language_of(request) == "zh" else said.en
