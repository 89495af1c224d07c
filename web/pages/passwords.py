"""First log-in by an invitation, another password, and where one is logged in.

Plain forms that work without scripts, like the log-in itself. Whoever has no session yet proves
their form by a double submit (`web.session`).
"""

from datetime import UTC, datetime
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.auth import own_token, system_of
from api.invitations import (
    accept,
    change_password,
    end_sessions,
    invitation_of,
    log_in_anew,
    log_in_first,
    page_of,
    sessions_shown,
)
from api.problems import ApiProblem
from eventstore.codes import plain
from eventstore.invitations import InvitationOver, InvitationUnknown
from eventstore.outcomes import Refused
from eventstore.passwords import MIN_PASSWORD, PasswordRefused
from eventstore.patience import LoginLocked
from web.parts import AtDesk, Desk
from web.render import language_of
from web.session import (
    FORM_COOKIE,
    ask_for_code,
    form_is_own,
    keep_form,
    provider_name,
    read_form,
    require_token,
    stranger_page,
)

router = APIRouter(include_in_schema=False)

OVER: Final = (InvitationUnknown, InvitationOver, LoginLocked)
"""Why a code opens nothing, or not now."""
STATUS: Final = dict(zip(OVER, (404, 410, 429), strict=True))


@router.get("/invitations")
async def enter_code(request: Request) -> Response:
    """Where somebody types the code of a slip."""
    code = plain(request.query_params.get("code", ""))
    if code:
        return RedirectResponse(page_of(code), 303)
    return await _code_page(request)


@router.get("/invitations/{code}")
async def invitation(request: Request, code: str) -> Response:
    return await _invitation(request, code)


@router.post("/invitations/{code}")
async def accepted(request: Request, code: str) -> Response:
    """Set the first password, and be logged in with it."""
    form = await read_form(request)
    if not form_is_own(request, form):
        return await _invitation(request, code, "ended", status=403)
    password = form.get("password", "")
    if password != form.get("again", ""):
        return await _invitation(request, code, "differ", status=422)
    try:
        found = await accept(request, code, password)
    except PasswordRefused as refused:
        return await _invitation(request, code, sentence=words_for(request, refused), status=422)
    except OVER as over:
        return await _code_page(request, words_for(request, over), status=STATUS[type(over)])
    except Refused as refused:
        problem = refused.problem
        return await _code_page(request, words_for(request, problem), status=problem.status)
    by_provider = system_of(request).by_provider_alone
    if await run_in_threadpool(by_provider, found.officer, found.login):
        return RedirectResponse("/login?failure=provider", 303)
    if await run_in_threadpool(system_of(request).accounts.factors.has, found.login):
        return await ask_for_code(request, found.officer, found.login)
    response = RedirectResponse("/", 303)
    await log_in_first(request, response, found)
    response.delete_cookie(FORM_COOKIE)
    return response


async def _invitation(
    request: Request, code: str, failure: str = "", *, sentence: str = "", status: int = 200
) -> Response:
    try:
        found = await invitation_of(request, code)
    except OVER as over:
        return await _code_page(request, words_for(request, over), status=STATUS[type(over)])
    response = await run_in_threadpool(
        stranger_page,
        request,
        "invitation.html",
        status=status,
        code=plain(code),
        login=found.login,
        expires=datetime.fromtimestamp(found.expires, UTC),
        failure=failure,
        sentence=sentence,
        least=MIN_PASSWORD,
    )
    keep_form(request, response)
    return response


async def _code_page(request: Request, sentence: str = "", *, status: int = 200) -> Response:
    return await run_in_threadpool(
        stranger_page, request, "invitation_code.html", status=status, sentence=sentence
    )


def words_for(request: Request, said: Any) -> str:
    """What a refusal says, in the reader's language."""
    words: str = said.zh if language_of(request) == "zh" else said.en
    return words


@router.get("/me")
async def me(request: Request, desk: AtDesk) -> Response:
    return await _me(request, desk)


async def _me(
    request: Request, desk: AtDesk, *, done: str = "", sentence: str = "", status: int = 200
) -> Response:
    sessions = await run_in_threadpool(sessions_shown, desk.caller, own_token(request))
    return await desk.show(
        request,
        "me.html",
        status=status,
        login=desk.caller.session.login,
        sessions=sessions,
        done=done or request.query_params.get("done", ""),
        sentence=sentence,
        least=MIN_PASSWORD,
        factor=await run_in_threadpool(_has_factor, desk),
        provider=provider_name(request),
        connected=await run_in_threadpool(_connected, desk),
    )


def _connected(desk: Desk) -> bool:
    name = desk.caller.system.login_name(desk.caller.session.login)
    return name is not None and desk.caller.system.connected(name)


def _has_factor(desk: Desk) -> bool:
    return desk.caller.system.accounts.factors.has(desk.caller.session.login)


@router.post("/me/password")
async def other_password(request: Request, desk: AtDesk) -> Response:
    """Another password; this browser stays logged in, all others are not any more."""
    form = await own_form(request, desk)
    password = form.get("password", "")
    if password != form.get("again", ""):
        return await _me(request, desk, done="differ", status=422)
    session = desk.caller.session
    try:
        await change_password(request, session, form.get("current", ""), password)
    except PasswordRefused as refused:
        return await _me(request, desk, sentence=words_for(request, refused), status=422)
    except ApiProblem as problem:
        if problem.problem.code != "wrong-password":
            raise
        return await _me(request, desk, sentence=words_for(request, problem.problem), status=422)
    response = RedirectResponse("/me?done=changed", 303)
    await log_in_anew(request, response, session)
    return response


@router.post("/me/sessions")
async def end(request: Request, desk: AtDesk) -> Response:
    """End one session, or all others."""
    form = await own_form(request, desk)
    await end_sessions(request, desk.caller.session, form.get("session", ""))
    return RedirectResponse("/me?done=ended", 303)


async def own_form(request: Request, desk: Desk, *, acts: bool = True) -> dict[str, str]:
    """The form of a logged-in officer. 403, 409 as `require_token`."""
    form = await read_form(request)
    require_token(desk.caller.session, form, acts=acts)
    return form
