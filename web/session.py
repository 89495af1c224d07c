"""Who is looking at a page: the session cookie of `api.auth` becomes a `Shell` and a `Caller`.

Log-in and log-out are plain forms that work without scripts. The log-in form has no session yet,
so its token is a double submit: the same random text in a strict cookie and in the form.
"""

import hmac
import re
import secrets
from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, Any, Final
from urllib.parse import parse_qsl, quote, urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlalchemy import select
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.auth import (
    COOKIE,
    Caller,
    caller_of,
    check_parameters,
    parameters_of,
    system_of,
)
from api.begun import DEMO, begun_here, not_set_up
from api.known_at import COOKIE as PAST_COOKIE
from api.known_at import moment_asked, refuse_in_the_past
from api.login import keep_session, log_ins_of
from api.noticing import Notice, notices_of
from api.problems import ApiProblem
from api.system import System
from api.work import waiting_count
from domain.access import posts_at
from domain.ids import client_made
from domain.posts import Appointment, StandIn, post_of
from domain.refusal import Refusal
from eventstore.accounts import HALF_SECONDS, Session
from eventstore.patience import LoginLocked, LoginRefused, PasswordNotEnough
from eventstore.second_factor import SecondFactorNeeded
from projections.areas import AREAS
from projections.officers import OFFICERS
from web.render import language_of, render
from web.shell import InPlaceOf, Mark, Shell

PARAMETER: Final = re.compile(r"[a-z_]{1,30}")
PLAIN_VALUE: Final = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\d|\d{1,4}|[a-z][a-z_-]{0,30}"
)
TYPED: Final = frozenset({"place", "q", "search"})
"""The search boxes of all pages by name: a word there may be a name in pinyin. See `local`."""

FORM_COOKIE: Final = "relief_form"
HALF_COOKIE: Final = "relief_half"
NEXT_COOKIE: Final = "relief_next"
FORM_BYTES: Final = 16 * 1024
FORM_FIELDS: Final = 20
NAME_LENGTH: Final = 100
PASSWORD_LENGTH: Final = 200

router = APIRouter(include_in_schema=False)


def marks_of(system: System) -> tuple[Mark, ...]:
    """What the store was born as: every page says so."""
    store = system.store
    begun = begun_here(store.log) if store.head() == 0 else None  # it is told from the first click
    said = {
        Mark.DEMO: store.log.mark(DEMO) is not None,
        Mark.EXERCISE: store.training or (begun is not None and begun.training),
        Mark.SIMULATED: store.simulated,
    }
    return tuple(mark for mark, is_so in said.items() if is_so)


def shown_notices(system: System) -> tuple[Notice, ...]:
    """What every page says just now: what changes how its times and figures are to be read."""
    return tuple(one for one in notices_of(system) if one.name != "clock-gap")


def shell_of(caller: Caller, *, counted: bool = False) -> Shell:
    """The shell of a logged-in officer: masked name, first post, all desks. ``counted``: with how
    much waits, which a part of a page does not show."""
    system = caller.system
    now = system.store.clock.now()
    held = list(posts_at(caller.officer, now)) if caller.officer.suspended is None else []
    posts = [post_of(one) for one in held]
    first = posts[0] if posts else None
    name, area = _names(caller, held)
    known = moment_asked()
    return Shell(
        officer=str(caller.id),
        user=name or caller.session.login,
        role=first.role if first else None,
        roles=tuple(dict.fromkeys(post.role for post in posts)),
        post=first.post if first else "",
        area=area,
        stands_in=_stands_in(caller, held),
        marks=marks_of(system),
        notices=shown_notices(system),
        clock=now,
        ahead=system.store.clock.ahead_of_real,
        csrf_token=caller.session.csrf,
        known=known,
        waiting=waiting_count(caller) if counted and posts and known is None else None,
    )


def _names(caller: Caller, held: list[Appointment | StandIn]) -> tuple[str, str]:
    """The officer's masked name and the name of the first post's area; empty if not known yet."""
    areas = tuple(post_of(one).area for one in held)
    if not areas:
        return "", ""
    name = select(OFFICERS.c.masked_name).where(OFFICERS.c.id == str(caller.id))
    area = select(AREAS.c.name).where(AREAS.c.id == str(areas[0]))
    with caller.system.views_reader() as db:
        said, of = db.execute(select(name.scalar_subquery(), area.scalar_subquery())).one()
    return said or "", of or ""


def _stands_in(caller: Caller, held: list[Appointment | StandIn]) -> tuple[InPlaceOf, ...]:
    """For whom the officer acts today: who is absent does not see it, so the page says it."""
    taken = [one for one in held if isinstance(one, StandIn)]
    if not taken:
        return ()
    with caller.system.views_reader() as db:
        names = select(OFFICERS.c.id, OFFICERS.c.masked_name).where(
            OFFICERS.c.id.in_([str(one.absent) for one in taken])
        )
        areas = select(AREAS.c.id, AREAS.c.name).where(
            AREAS.c.id.in_([str(one.appointment.area) for one in taken])
        )
        said = {id: text for query in (names, areas) for id, text in db.execute(query)}
    return tuple(
        InPlaceOf(
            name=said.get(str(one.absent), ""),
            role=one.appointment.role,
            area=said.get(str(one.appointment.area), ""),
            until=min(filter(None, (one.ends_on, one.appointment.ends_on))),
            officer=str(one.absent),
        )
        for one in taken
    )


def stranger(request: Request) -> Shell:
    """The shell of somebody who is not logged in: the store's marks, a token for the form."""
    system = system_of(request)
    token = request.cookies.get(FORM_COOKIE) or secrets.token_urlsafe(24)
    return Shell(
        marks=marks_of(system),
        notices=shown_notices(system),
        clock=system.store.clock.now(),
        ahead=system.store.clock.ahead_of_real,
        csrf_token=token,
    )


def stranger_page(
    request: Request, template: str, /, *, status: int = 200, **context: Any
) -> HTMLResponse:
    """A page for somebody who is not logged in. On a thread that may wait: it says what the store
    is, which the log knows."""
    request.state.shell = stranger(request)
    return render(request, template, status=status, **context)


def put_shell(request: Request, *, counted: bool = False) -> Shell:
    """Give the request its shell, whoever asks: a missing session makes a stranger."""
    try:
        shell = shell_of(caller_of(request), counted=counted)
    except (ApiProblem, Refusal):
        shell = stranger(request)
    request.state.shell = shell
    return shell


async def visiting(request: Request, caller: Annotated[Caller, Depends(caller_of)]) -> Caller:
    """The caller of a page, whose shell is ready. 401 without a session.

    A parameter that the page does not have is left alone: messengers add their own to a link. One
    that it has and that is said twice is refused (422), as by the API.
    """
    check_parameters(request, parameters_of(request.scope["route"]), strangers=True)
    counted = "hx-request" not in request.headers and request.method == "GET"
    request.state.shell = await run_in_threadpool(shell_of, caller, counted=counted)
    return caller


Visitor = Annotated[Caller, Depends(visiting)]
"""What every page asks for first."""


@router.get("/login")
async def login_page(request: Request) -> Response:
    asked = request.query_params.get("failure", "")
    failure = asked if asked in ("ended", "provider") else ""
    return await _login(request, failure=failure, next_path=request.query_params.get("next", "/"))


@router.post("/login")
async def log_in(request: Request) -> Response:
    form = await read_form(request)
    name, next_path = form.get("name", "").strip(), form.get("next", "/")
    if not form_is_own(request, form):
        return await _login(request, failure="ended", name=name, next_path=next_path, status=403)
    log_ins = log_ins_of(request)
    name, password = name[:NAME_LENGTH], form.get("password", "")[:PASSWORD_LENGTH]
    try:
        secret, session = await log_ins.log_in(request, name, password)
    except LoginLocked as locked:
        minutes = -(-locked.retry_after // 60)
        return await _login(
            request, failure="locked", minutes=minutes, name=name, next_path=next_path, status=429
        )
    except SecondFactorNeeded as needed:
        return await ask_for_code(request, needed.officer, needed.login, next_path)
    except LoginRefused:
        return await _login(request, failure="failed", name=name, next_path=next_path, status=401)
    except PasswordNotEnough:
        return await _login(request, failure="provider", name=name, next_path=next_path, status=403)
    response = RedirectResponse(local(next_path), 303)
    keep_session(response, secret, session, system_of(request))
    await log_ins.remember(
        request, response, session.login, secure=system_of(request).secure_cookies
    )
    response.delete_cookie(FORM_COOKIE)
    response.delete_cookie(PAST_COOKIE)  # of whoever sat here before
    return response


async def ask_for_code(
    request: Request, officer: UUID, login: str, next_path: str = "/"
) -> Response:
    """To the second step: for who has shown the password, or the code of an invitation."""
    half, _ = await log_ins_of(request).first_half(request, officer, login)
    response = RedirectResponse("/login/code", 303)
    for name, value in ((HALF_COOKIE, half), (NEXT_COOKIE, quote(local(next_path)))):
        response.set_cookie(
            name,
            value,
            httponly=True,
            samesite="strict",
            secure=system_of(request).secure_cookies,
            max_age=int(HALF_SECONDS),
            path="/login",
        )
    return response


@router.post("/logout")
async def log_out(request: Request) -> Response:
    form = await read_form(request)
    accounts = system_of(request).accounts
    secret = request.cookies.get(COOKIE)
    session = await run_in_threadpool(accounts.session, secret, "session") if secret else None
    if secret and session is not None:
        require_token(session, form)
        await run_in_threadpool(accounts.log_out, secret)
    response = RedirectResponse("/login", 303)
    response.delete_cookie(COOKIE)
    response.delete_cookie(PAST_COOKIE)
    return response


async def log_in_page(
    request: Request, *, sentence: str, next_path: str, status: int
) -> HTMLResponse:
    """The log-in form of who comes back without a session, and why."""
    return await _login(request, failure="", sentence=sentence, next_path=next_path, status=status)


async def _login(
    request: Request,
    *,
    failure: str,
    next_path: str,
    name: str = "",
    minutes: int = 0,
    sentence: str = "",
    status: int = 200,
) -> HTMLResponse:
    def made() -> HTMLResponse:
        return stranger_page(
            request,
            "login.html",
            status=status,
            failure=failure,
            minutes=minutes,
            name=name,
            sentence=sentence,
            provider=provider_name(request),
            next=local(next_path),
            begins=not_set_up(system_of(request).store.log),
        )

    response = await run_in_threadpool(made)
    keep_form(request, response)
    return response


def provider_name(request: Request) -> str:
    """What the identity provider is called, in the reader's language; "" where there is none."""
    provider = system_of(request).provider
    if provider is None:
        return ""
    return provider.name_zh if language_of(request) == "zh" else provider.name_en


def keep_form(request: Request, response: Response) -> None:
    """Let the browser keep what its form will be compared with (see `stranger`)."""
    shell: Shell = request.state.shell
    response.set_cookie(
        FORM_COOKIE,
        shell.csrf_token,
        httponly=True,
        samesite="strict",
        secure=system_of(request).secure_cookies,
    )


def form_is_own(request: Request, form: dict[str, str]) -> bool:
    """Whether a stranger's form comes from a page that this browser was given."""
    token = request.cookies.get(FORM_COOKIE, "")
    return bool(token) and same(token, form.get("csrf_token", ""))


async def read_form(request: Request) -> dict[str, str]:
    """A small form: its fields by name."""
    return dict(await read_fields(request))


async def read_fields(
    request: Request, most_bytes: int = FORM_BYTES, most_fields: int = FORM_FIELDS
) -> list[tuple[str, str]]:
    """A form as browsers send it (urlencoded), field by field; ticks share a name.

    413 beyond so many bytes, 422 if it is broken or has more fields.
    """
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > most_bytes:
            raise ApiProblem(413, "too-large", "提交内容过大", f"At most {most_bytes} bytes.")
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=most_fields)
    except ValueError as problem:
        raise ApiProblem(
            422, "malformed", "提交的内容有误", "The form cannot be read."
        ) from problem


def require_token(session: Session, form: Mapping[str, Any], *, acts: bool = True) -> None:
    """403 for a form that does not come from a page of this session. 409 while a moment of the past
    is chosen, perhaps in another window, unless the form only asks (``acts`` is not so)."""
    if not same(session.csrf, str(form.get("csrf_token", ""))):
        raise ApiProblem(
            403, "csrf-token-missing", "页面已过期，请刷新后重试", "Reload the page and try again."
        )
    if acts:
        refuse_in_the_past()


def own_key(text: str) -> UUID:
    """The key that a page put into its form, under which what the form asks for is done once."""
    with suppress(ValueError):
        key = UUID(text)
        if client_made(key):
            return key
    raise ApiProblem(
        400,
        "idempotency-key-malformed",
        "页面已过期，请刷新后重试",
        "Reload the page and try again.",
    )


def same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode("utf-8", "replace"))


def local(path: str) -> str:
    """A path on this host, else the home page: nobody is led elsewhere after a log-in.

    Of its query only what cannot be a name: ids, days, small numbers and words of the program's
    own. What somebody searched for has no place in the address of the log-in page, which stays in
    histories and logs of proxies, nor with whoever logs in next at that machine.
    """
    plain = path.startswith("/") and not path.startswith(("//", "/\\"))
    if not plain or not path.isprintable() or "\\" in path:
        return "/"
    pure, _, query = path.partition("#")[0].partition("?")
    kept = [(name, value) for name, value in parse_qsl(query) if _no_name(name, value)]
    return f"{pure}?{urlencode(kept)}" if kept else pure


def _no_name(name: str, value: str) -> bool:
    if name in TYPED or PARAMETER.fullmatch(name) is None:
        return False
    return PLAIN_VALUE.fullmatch(value) is not None
