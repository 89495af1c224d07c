"""The second step of a log-in, and the page where an officer sets it up or ends it.

Plain forms that work without scripts. Between the two steps the browser keeps a session that can
do nothing else (`eventstore.accounts.HALF_SECONDS` long).
"""

import re
from dataclasses import replace
from typing import Annotated, Any, Final
from urllib.parse import unquote

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.auth import Caller, check_parameters, parameters_of, system_of
from api.known_at import refuse_in_the_past
from api.login import keep_session, log_ins_of
from api.problems import ApiProblem
from api.second_factor import (
    CODE_LENGTH,
    EnrollingCaller,
    begin_factor,
    confirm_factor,
    end_factor,
    factor_shown,
    uri_of,
)
from eventstore.patience import LoginLocked
from eventstore.second_factor import NoFactorBegun, SecondFactorRefused, SecondFactorThere
from web.pages.passwords import own_form, words_for
from web.parts import Desk
from web.session import (
    FORM_COOKIE,
    HALF_COOKIE,
    NEXT_COOKIE,
    form_is_own,
    keep_form,
    local,
    read_form,
    shell_of,
    stranger_page,
)
from web.slips import drawing

router = APIRouter(include_in_schema=False)

REFUSED: Final = (SecondFactorRefused, SecondFactorThere, NoFactorBegun, LoginLocked)


@router.get("/login/code")
async def code_page(request: Request) -> Response:
    return await _code_page(request)


async def _code_page(request: Request, sentence: str = "", status: int = 200) -> Response:
    half = request.cookies.get(HALF_COOKIE, "")
    accounts = system_of(request).accounts
    if not half or await run_in_threadpool(accounts.session, half, "half") is None:
        return RedirectResponse("/login?failure=ended", 303)
    response = await run_in_threadpool(
        stranger_page, request, "login_code.html", status=status, sentence=sentence
    )
    keep_form(request, response)
    return response


@router.post("/login/code")
async def show_code(request: Request) -> Response:
    form = await read_form(request)
    if not form_is_own(request, form):
        return RedirectResponse("/login?failure=ended", 303)
    half, code = request.cookies.get(HALF_COOKIE, ""), form.get("code", "")[:CODE_LENGTH]
    if not code.strip():
        return await _code_page(request)
    log_ins = log_ins_of(request)
    try:
        secret, session = await log_ins.second_half(request, half, code)
    except (SecondFactorRefused, LoginLocked) as refused:
        return await _code_page(request, words_for(request, refused), _status(refused))
    except ApiProblem as problem:
        if problem.problem.status != 401:
            raise
        return RedirectResponse("/login?failure=ended", 303)
    response = RedirectResponse(local(unquote(request.cookies.get(NEXT_COOKIE, "/"))), 303)
    secure = system_of(request).secure_cookies
    keep_session(response, secret, session, system_of(request))
    await log_ins.remember(request, response, session.login, secure=secure)
    response.delete_cookie(FORM_COOKIE)
    for name in (HALF_COOKIE, NEXT_COOKIE):
        response.delete_cookie(name, path="/login")
    return response


async def _enrolling(request: Request, caller: EnrollingCaller) -> Desk:
    """The desk of who may do nothing else yet: without the ways to other desks. 409 in the past."""
    refuse_in_the_past()
    check_parameters(request, parameters_of(request.scope["route"]), strangers=True)
    shell = await run_in_threadpool(shell_of, caller)
    if await run_in_threadpool(_shut_in, caller):
        shell = replace(shell, role=None, roles=())
    request.state.shell = shell
    system = caller.system
    return Desk(caller, system.store.clock.now(), system.boards.position)


def _shut_in(caller: Caller) -> bool:
    system, session = caller.system, caller.session
    return system.must_enroll(session) or system.must_connect(session)


AtEnrolling = Annotated[Desk, Depends(_enrolling)]


@router.get("/me/second-factor")
async def second_factor(request: Request, desk: AtEnrolling) -> Response:
    return await _page(request, desk)


async def _page(
    request: Request, desk: Desk, *, sentence: str = "", status: int = 200, **more: Any
) -> Response:
    caller = desk.caller
    found = await run_in_threadpool(factor_shown, caller)
    secret = await run_in_threadpool(_begun, caller)
    return await desk.show(
        request,
        "second_factor.html",
        status=status,
        factor=found,
        secret=" ".join(re.findall("....", secret)),
        qr=await run_in_threadpool(drawing, uri_of(found["login"], secret)) if secret else "",
        password=await run_in_threadpool(_has_password, caller),
        sentence=sentence,
        **{"codes": [], **more},
    )


def _begun(caller: Caller) -> str:
    return caller.system.accounts.factors.begun(caller.session.login) or ""


def _has_password(caller: Caller) -> bool:
    return caller.system.accounts.officer_of(caller.session.login) is not None


@router.post("/me/second-factor")
async def begin(request: Request, desk: AtEnrolling) -> Response:
    form = await own_form(request, desk)
    try:
        await begin_factor(request, desk.caller.session, form.get("password", ""))
    except REFUSED as refused:
        return await _refused(request, desk, refused)
    except ApiProblem as problem:
        if problem.problem.code != "wrong-password":
            raise
        said = words_for(request, problem.problem)
        return await _page(request, desk, sentence=said, status=422)
    return RedirectResponse("/me/second-factor", 303)


@router.post("/me/second-factor/confirm")
async def confirm(request: Request, desk: AtEnrolling) -> Response:
    """The recovery codes are on this page and nowhere else."""
    form = await own_form(request, desk)
    try:
        codes = await confirm_factor(request, desk.caller.session, form.get("code", "")[:40])
    except REFUSED as refused:
        return await _refused(request, desk, refused)
    return await _page(request, desk, codes=codes)


@router.post("/me/second-factor/end")
async def end(request: Request, desk: AtEnrolling) -> Response:
    form = await own_form(request, desk)
    try:
        await end_factor(request, desk.caller.session, form.get("code", "")[:40])
    except REFUSED as refused:
        return await _refused(request, desk, refused)
    return RedirectResponse("/me/second-factor", 303)


async def _refused(request: Request, desk: Desk, refused: Any) -> Response:
    return await _page(request, desk, sentence=words_for(request, refused), status=_status(refused))


def _status(refused: Exception) -> int:
    return 429 if isinstance(refused, LoginLocked) else 422
