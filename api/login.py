"""Logging in and out, and who I am."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Annotated, Any, TypeVar
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool

from api.auth import (
    COOKIE,
    Asking,
    Running,
    address_of,
    bearer_of,
    check_parameters,
    session_for_writing,
    system_of,
)
from api.bodies import read_body
from api.calendar_days import check_days
from api.devices import device_of
from api.plain_json import check_plain, object_of
from api.problems import ApiProblem, field_errors, malformed, unauthenticated
from api.system import System
from api.writes import PART, RESPONSES
from domain.access import posts_at
from domain.officer import OfficerSuspended
from domain.posts import post_of
from eventstore.accounts import VOUCHED, Accounts, Session
from eventstore.limits_reached import limit_reached
from eventstore.patience import LoginRefused, PasswordNotEnough

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)

DEVICE = "relief_device"
DEVICE_SECONDS = 365 * 24 * 3600


class Credentials(BaseModel):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"login": "county", "password": "········"}}
    )
    login: str = Field(min_length=1, max_length=100)
    password: str = Field(min_length=1, max_length=200)
    code: str = Field("", max_length=40, description="Of the second factor, if there is one")


SESSIONS: dict[int | str, dict[str, Any]] = {
    code: RESPONSES[code] for code in (400, 401, 403, 413, 415, 422, 429)
}
router = APIRouter(tags=["log-in"])


SMALL_BODY = 4096


def documented(model: type[BaseModel]) -> dict[str, Any]:
    """What OpenAPI says of a body that `taking` reads."""
    content = {"application/json": {"schema": model.model_json_schema(ref_template=PART)}}
    return {"requestBody": {"required": True, "content": content}}


def taking(model: type[M], most: int = SMALL_BODY) -> Callable[[Request], Coroutine[Any, Any, M]]:
    """A small body, as strictly read as any other. JSON only: no form can send it."""

    async def read(request: Request) -> M:
        check_parameters(request)
        return checked_as(model, object_of(await read_body(request, most)))

    return read


def checked_as(model: type[M], values: dict[str, Any]) -> M:
    """What was sent, as this model. Raises 422 that names each field that does not fit."""
    errors: list[dict[str, Any]] = []
    check_plain(values, "", errors)
    if errors:
        raise malformed(errors)
    try:
        found = model.model_validate(values)
    except ValidationError as problem:
        raise malformed(field_errors(problem)) from problem
    check_days(found)
    return found


Given = Annotated[Credentials, Depends(taking(Credentials))]


class LogIns:
    """Log-ins run in a small pool of their own: argon2 takes a core and 64 MiB, and a flood of
    them must not take the threads that reads use. What does not fit in is refused at once."""

    def __init__(self, accounts: Accounts, waiting: int) -> None:
        self._accounts = accounts
        self._most = waiting
        self._pool = ThreadPoolExecutor(2, "log-in")
        self._waiting: Counter[str] = Counter()

    async def log_in(
        self, request: Request, login: str, password: str, kind: str = "session", code: str = ""
    ) -> tuple[str, Session]:
        """`verify`, the second step, and a session that begins: its secret token and what it is.
        Raises also `OfficerSuspended` for who knows the password of a suspended officer,
        `PasswordNotEnough`, and what `SecondFactors.require` does: no session begins."""
        login = await run_in_threadpool(self._accounts.spelled, login)
        verified = await self.verify(request, login, password)
        await self.unless_suspended(request, verified)
        if await run_in_threadpool(system_of(request).by_provider_alone, verified, login):
            raise PasswordNotEnough
        await self._second_step(request, verified, login, code)
        return await self._begin(request, verified, login, kind)

    async def log_in_vouched(
        self, request: Request, officer: UUID, login: str, *, stepped: bool
    ) -> tuple[str, Session]:
        """A session for whom the identity provider vouches. ``stepped``: our second step was done
        there. Raises what `log_in` does once the password is known."""
        await self.unless_suspended(request, officer)
        if not stepped:
            await self._second_step(request, officer, login, "")
        return await self._begin(request, officer, login, VOUCHED if stepped else "session")

    async def verify(self, request: Request, login: str, password: str) -> UUID:
        """`Accounts.verify` for a request. Raises also a 429 while too many wait.

        Known devices have as many places again, so that a flood does not keep officers out.
        """
        return await self._from(request, login, partial(self._accounts.verify, login, password))

    async def again(self, request: Request, login: str, password: str) -> None:
        """Ask who is logged in for their password, before what an open session alone must not do.
        Who has none is asked for none. Raises 403 for a wrong one, and what `verify` does."""
        if await run_in_threadpool(self._accounts.officer_of, login) is None:
            return
        try:
            await self.verify(request, login, password)
        except LoginRefused as problem:
            raise ApiProblem(
                403, "wrong-password", "密码不正确", "The password is wrong."
            ) from problem

    async def first_half(self, request: Request, officer: UUID, login: str) -> tuple[str, Session]:
        """A session that may only show the code of the second factor."""
        return await self._begin(request, officer, login, "half")

    async def second_half(self, request: Request, half: str, code: str) -> tuple[str, Session]:
        """The session of who has shown the code as well. Raises 401 when the half one is over,
        and what `SecondFactors.require` does."""
        first = await run_in_threadpool(self._accounts.session, half, "half")
        if first is None:
            raise unauthenticated()
        await self.unless_suspended(request, first.officer)
        await self._second_step(request, first.officer, first.login, code)
        await run_in_threadpool(self._accounts.log_out, half)
        return await self._begin(request, first.officer, first.login, "session")

    async def unless_suspended(self, request: Request, id: UUID) -> None:
        """`OfficerSuspended`, for what somebody does to their own account."""
        officer = await run_in_threadpool(system_of(request).officer, id)
        if officer is not None and officer.suspended is not None:
            raise OfficerSuspended(officer=officer.id, reason=officer.suspended)

    async def _second_step(self, request: Request, officer: UUID, login: str, code: str) -> None:
        await self._from(request, login, partial(self._accounts.second_step, officer, login, code))

    async def _begin(
        self, request: Request, officer: UUID, login: str, kind: str
    ) -> tuple[str, Session]:
        agent = device_of(request.headers.get("user-agent", ""))
        begin = partial(self._accounts.begin, officer, login, kind, agent=agent)
        return await run_in_threadpool(begin)

    async def _from(self, request: Request, login: str, work: Callable[..., T]) -> T:
        """Work that is told from where the request comes, in its turn."""
        device, address = request.cookies.get(DEVICE, ""), address_of(request)
        known = await run_in_threadpool(self._accounts.knows, device, login)
        return await self.run(partial(work, address=address, device=device), address, known=known)

    async def run(self, work: Callable[[], T], address: str, *, known: bool = False) -> T:
        """Work that takes as much as a log-in, in its turn. Raises a 429 while too many wait."""
        place = "known" if known else "strangers"
        own = f"address {address}"
        if self._waiting[place] >= self._most or (
            not known and self._waiting[own] >= max(1, self._most // 2)
        ):
            limit_reached("log_ins_waiting")
            raise ApiProblem(
                429,
                "log-ins-busy",
                "登录人数过多，请稍后再试",
                "Too many are logging in just now. Try again shortly.",
                headers={"Retry-After": "2"},
            )
        self._waiting.update((place, own))
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._waiting.subtract((place, own))
            self._waiting += Counter()  # forgets what has come to nothing

    async def remember(
        self, request: Request, response: Response, login: str, *, secure: bool
    ) -> None:
        """Let this browser be known as one from which the officer has logged in."""
        accounts, device = self._accounts, request.cookies.get(DEVICE, "")
        if await run_in_threadpool(accounts.knows, device, login):
            return
        response.set_cookie(
            DEVICE,
            await run_in_threadpool(accounts.device_cookie, login),
            httponly=True,
            samesite="strict",
            secure=secure,
            max_age=DEVICE_SECONDS,
        )


def keep_session(response: Response, token: str, session: Session, system: System) -> None:
    """Let the browser keep a session's secret for as long as the session lasts."""
    response.set_cookie(
        COOKIE,
        token,
        httponly=True,
        samesite="strict",
        secure=system.secure_cookies,
        max_age=system.accounts.lasts(session),
    )


def log_ins_of(request: Request) -> LogIns:
    found: LogIns = request.app.state.log_ins
    return found


@router.post(
    "/v1/sessions",
    summary="Log in for pages: sets a cookie",
    responses=SESSIONS,
    openapi_extra=documented(Credentials),
)
async def log_in(
    body: Given, system: Running, request: Request, response: Response
) -> dict[str, str]:
    log_ins = log_ins_of(request)
    token, session = await log_ins.log_in(request, body.login, body.password, code=body.code)
    keep_session(response, token, session, system)
    await log_ins.remember(request, response, session.login, secure=system.secure_cookies)
    return {"csrf": session.csrf}


@router.delete("/v1/sessions/current", summary="Log out", responses=SESSIONS)
async def log_out(request: Request, system: Running, response: Response) -> dict[str, str]:
    await session_for_writing(request, enrolled=False)
    check_parameters(request)
    bearer = bearer_of(request)
    if bearer:  # whoever spoke is logged out; a cookie that came along may be somebody else's
        await run_in_threadpool(system.accounts.log_out, bearer)
        return {"status": "logged out"}
    await run_in_threadpool(system.accounts.log_out, request.cookies[COOKIE])
    response.delete_cookie(COOKIE)
    return {"status": "logged out"}


@router.post(
    "/v1/tokens",
    summary="A short bearer token for a program",
    responses=SESSIONS,
    openapi_extra=documented(Credentials),
)
async def token(body: Given, request: Request) -> dict[str, Any]:
    secret, session = await log_ins_of(request).log_in(
        request, body.login, body.password, "token", body.code
    )
    return {"token": secret, "token_type": "Bearer", "expires_at": session.expires}


@router.get("/v1/me", summary="Who I am, and my posts", responses=SESSIONS)
async def me(caller: Asking) -> dict[str, Any]:
    now = caller.system.store.clock.now()
    posts = []
    for held in posts_at(caller.officer, now):
        post = post_of(held)
        absent = getattr(held, "absent", None)
        posts.append(
            {"role": post.role, "area": post.area, "post": post.post, "standing_for": absent}
        )
    found = {"officer": caller.id, "login": caller.session.login, "posts": posts}
    if caller.officer.suspended is not None:  # while this session was open: it can only read why
        found |= {"posts": [], "suspended": caller.officer.suspended}
    return await run_in_threadpool(caller.system.store.texts.opened, found)
