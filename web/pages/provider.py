"""Logging in by the identity provider, and connecting a log-in name to an account there.

A browser that comes back from another site brings no strict cookie, and takes none along where it
is sent on: so it is answered by a small page of ours, which goes on by itself (`going_on.html`).
"""

from functools import partial
from typing import Any, Final

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.auth import check_parameters, system_of
from api.login import keep_session, log_ins_of
from api.problems import ApiProblem
from api.provider import (
    CONFIRM_SECONDS,
    FLOW_SECONDS,
    AccountUnknown,
    Flow,
    FlowOver,
    Proven,
    ProviderCancelled,
    come_back,
    confirm,
    connection_shown,
    end,
    proven,
    secrets_of,
    sent_out,
    vouched,
)
from api.provider_settings import RETURN_PATH, ProviderDown, ProviderNotBelieved
from eventstore.outcomes import Refused
from eventstore.patience import LoginLocked
from eventstore.second_factor import SecondFactorNeeded
from web.pages.passwords import own_form, words_for
from web.pages.second_factor import AtEnrolling
from web.parts import Desk
from web.session import FORM_COOKIE, ask_for_code, local, log_in_page, provider_name, stranger_page

log = structlog.get_logger("relief.provider")
FLOW_COOKIE: Final = "relief_provider"
FLOW_PATH: Final = "/login/provider"
PROVEN_COOKIE: Final = "relief_provider_account"
PROVEN_PATH: Final = "/me/provider"
REFUSED: Final[dict[type[Exception], int]] = {
    ProviderDown: 503,
    ProviderNotBelieved: 403,
    ProviderCancelled: 403,
    FlowOver: 403,
    AccountUnknown: 403,
    LoginLocked: 429,
}
"""Why nobody is logged in, and with what status the form says so."""

router = APIRouter(include_in_schema=False)


@router.get(FLOW_PATH)
async def leave(request: Request) -> Response:
    """To the provider, to log in there."""
    next_path = local(request.query_params.get("next", "/"))
    try:
        return await _sent_out(request, next_path)
    except (ProviderDown, LoginLocked) as problem:
        return await _again(request, problem, next_path)


async def _sent_out(request: Request, next_path: str, login: str = "") -> Response:
    address, sealed = await sent_out(request, next_path, login)
    response = RedirectResponse(address, 303)
    response.set_cookie(
        FLOW_COOKIE,
        sealed,
        httponly=True,
        samesite="lax",  # the provider sends the browser back, and a strict one would stay behind
        secure=system_of(request).secure_cookies,
        max_age=int(FLOW_SECONDS),
        path=FLOW_PATH,
    )
    return response


async def _again(request: Request, problem: Any, next_path: str = "/") -> Response:
    """The log-in form, whose password still works, with a plain sentence."""
    if isinstance(problem, ProviderDown):
        log.warning("provider-down", detail=problem.detail[:300])
    said = words_for(request, problem)
    status = REFUSED[type(problem)]
    return await log_in_page(request, sentence=said, next_path=next_path, status=status)


@router.get(RETURN_PATH)
async def come_in(request: Request) -> Response:
    """Back from the provider: a session begins, or the account waits to be connected."""
    response = await _come_in(request)
    response.delete_cookie(FLOW_COOKIE, path=FLOW_PATH)
    return response


async def _come_in(request: Request) -> Response:
    check_parameters(request, ("code", "state", "iss", "error"), strangers=True)
    try:
        flow, claims = await come_back(request, request.cookies.get(FLOW_COOKIE, ""))
        if flow.login:
            return await _waiting(request, flow, claims)
        return await _logged_in(request, flow, claims)
    except tuple(REFUSED) as problem:
        return await _again(request, problem)


async def _logged_in(request: Request, flow: Flow, claims: dict[str, Any]) -> Response:
    who = await vouched(request, claims)
    log_ins, system = log_ins_of(request), system_of(request)
    try:
        begin = log_ins.log_in_vouched
        secret, session = await begin(request, who.officer, who.login, stepped=who.stepped)
    except SecondFactorNeeded as needed:
        asked = await ask_for_code(request, needed.officer, needed.login, flow.next)
        response = await _going_on(request, "/login/code")
        response.raw_headers += [one for one in asked.raw_headers if one[0] == b"set-cookie"]
        return response
    response = await _going_on(request, local(flow.next))
    keep_session(response, secret, session, system)
    await log_ins.remember(request, response, session.login, secure=system.secure_cookies)
    response.delete_cookie(FORM_COOKIE)
    return response


async def _waiting(request: Request, flow: Flow, claims: dict[str, Any]) -> Response:
    """The account is the officer's to confirm, whose session did not come along."""
    response = await _going_on(request, PROVEN_PATH)
    response.set_cookie(
        PROVEN_COOKIE,
        await run_in_threadpool(proven, request, flow, claims),
        httponly=True,
        samesite="strict",
        secure=system_of(request).secure_cookies,
        max_age=int(CONFIRM_SECONDS),
        path=PROVEN_PATH,
    )
    return response


async def _going_on(request: Request, where: str) -> Response:
    return await run_in_threadpool(stranger_page, request, "going_on.html", where=where)


# -- one's own connection ------------------------------------------------------------------------


@router.get(PROVEN_PATH)
async def connection(request: Request, desk: AtEnrolling) -> Response:
    return await _page(request, desk)


async def _page(request: Request, desk: Desk, *, sentence: str = "", status: int = 200) -> Response:
    caller, kept = desk.caller, request.cookies.get(PROVEN_COOKIE, "")
    note = await run_in_threadpool(secrets_of(request).opened, Proven, kept)
    has_password = partial(caller.system.accounts.officer_of, caller.session.login)
    return await desk.show(
        request,
        "provider.html",
        status=status,
        connection=await run_in_threadpool(connection_shown, caller.system, caller.session),
        provider=provider_name(request),
        account=note.shown if note is not None and note.login == caller.session.login else "",
        password=await run_in_threadpool(has_password) is not None,
        sentence=sentence,
    )


@router.get(f"{PROVEN_PATH}/begin")
async def begin(request: Request, desk: AtEnrolling) -> Response:
    """To the provider, to show which account is one's own."""
    try:
        return await _sent_out(request, PROVEN_PATH, desk.caller.session.login)
    except (ProviderDown, LoginLocked) as problem:
        if isinstance(problem, ProviderDown):
            log.warning("provider-down", detail=problem.detail[:300])
        said = words_for(request, problem)
        return await _page(request, desk, sentence=said, status=REFUSED[type(problem)])


@router.post(f"{PROVEN_PATH}/confirm")
async def connect(request: Request, desk: AtEnrolling) -> Response:
    form = await own_form(request, desk)
    kept, password = request.cookies.get(PROVEN_COOKIE, ""), form.get("password", "")
    try:
        await confirm(request, desk.caller.session, kept, password)
    except (FlowOver, LoginLocked) as problem:
        said = words_for(request, problem)
        return await _page(request, desk, sentence=said, status=REFUSED[type(problem)])
    except (Refused, ApiProblem) as problem:
        return await _refused(request, desk, problem)
    response = RedirectResponse(PROVEN_PATH, 303)
    response.delete_cookie(PROVEN_COOKIE, path=PROVEN_PATH)
    return response


@router.post(f"{PROVEN_PATH}/end")
async def disconnect(request: Request, desk: AtEnrolling) -> Response:
    await own_form(request, desk)
    try:
        await end(request, desk.caller.session)
    except (Refused, ApiProblem) as problem:
        return await _refused(request, desk, problem)
    return RedirectResponse(PROVEN_PATH, 303)


async def _refused(request: Request, desk: Desk, problem: Any) -> Response:
    said = words_for(request, problem.problem)
    return await _page(request, desk, sentence=said, status=422)
