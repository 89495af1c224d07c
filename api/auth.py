"""Who is asking: a session cookie (pages, with CSRF defense) or a short bearer token (programs)."""

import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from api import known_at
from api.problems import ApiProblem, malformed, unauthenticated
from api.system import System
from domain.access import permits, posts_at
from domain.officer import Officer, OfficerSuspended
from domain.posts import post_of
from domain.refusal import NotFound, NotYourRole
from domain.world import Actor, Role
from eventstore.accounts import Session
from projections.asking.scope import Scope

COOKIE = "relief_session"
CSRF_HEADER = "x-csrf-token"
LONGEST_NAME = 100
"""Characters of a parameter's name that an answer repeats."""


def system_of(request: Request) -> System:
    system: System = request.app.state.system
    return system


def address_of(request: Request) -> str:
    """Where a request comes from, for limits that are counted by address; "" if nobody knows."""
    return request.client.host if request.client else ""


def bearer_of(request: Request) -> str:
    """The bearer token that a request brings, or ""."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def own_token(request: Request) -> str:
    """The secret by which a request is logged in: its bearer token, else its cookie."""
    return bearer_of(request) or request.cookies.get(COOKIE, "")


def session_of(request: Request, *, writing: bool, enrolled: bool = True) -> Session:
    """The living session of this request. Raises 401, or 403 for a write without its CSRF token,
    and for who needs a second factor, or a connection to the identity provider, and has none,
    unless ``enrolled`` is not asked for."""
    session = _session_of(request, writing=writing)
    if enrolled and system_of(request).must_connect(session):
        raise ApiProblem(
            403,
            "provider-required",
            "您的岗位须通过统一身份认证登录：请先绑定统一身份账号，才能办理其他事项",
            "Your post logs in by the identity provider: connect your account there first.",
        )
    if enrolled and system_of(request).must_enroll(session):
        raise ApiProblem(
            403,
            "second-factor-required",
            "您的岗位须先设置两步验证，才能办理其他事项",
            "Your post needs a second factor: set one first, then go on.",
        )
    return session


def _session_of(request: Request, *, writing: bool) -> Session:
    accounts = system_of(request).accounts
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme:
        session = accounts.session(token.strip(), "token") if scheme.lower() == "bearer" else None
        if session is None:
            raise unauthenticated()
        return session
    cookie = request.cookies.get(COOKIE)
    session = accounts.session(cookie, "session") if cookie else None
    if session is None:
        raise unauthenticated()
    if writing and not hmac.compare_digest(
        request.headers.get(CSRF_HEADER, "").encode(), session.csrf.encode()
    ):
        raise ApiProblem(
            403, "csrf-token-missing", "页面已过期，请刷新后重试", "Reload the page and try again."
        )
    return session


async def writing_session(request: Request) -> Session:
    """Who writes, as `session_for_writing` has it. A dependency: it takes no other parameter, for
    FastAPI would let the client say it."""
    return await acting_session(request)


async def acting_session(request: Request, *, enrolled: bool = True) -> Session:
    """`session_for_writing` of who does something to the store. 409 while they look at the past."""
    session = await session_for_writing(request, enrolled=enrolled)
    if known_at.is_asked():  # else a command would wait for a thread, to be told nothing
        await run_in_threadpool(known_at.refuse_writing, system_of(request).store)
    return session


async def session_for_writing(request: Request, *, enrolled: bool = True) -> Session:
    """`session_of` for a write: beside the event loop, unless the session is remembered.

    While the vault does not answer, everybody else is answered.
    """
    system = system_of(request)
    asking = partial(session_of, request, writing=True, enrolled=enrolled)
    asks_more = system.factor_roles or (system.provider and system.provider.only_roles)
    if enrolled and asks_more:
        return await run_in_threadpool(asking)
    accounts = system.accounts
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        known = accounts.remembered(bearer.strip(), "token")
        if known is not None:
            return known
    elif not scheme and accounts.remembered(request.cookies.get(COOKIE, ""), "session"):
        return asking()
    return await run_in_threadpool(asking)


@dataclass(frozen=True, slots=True)
class Caller:
    """A logged-in officer, for reading. Answers which part of the tree a question may cover."""

    system: System
    session: Session
    officer: Officer

    @property
    def id(self) -> UUID:
        return self.officer.id

    def actor(self, roles: frozenset[Role], area: UUID) -> Actor:
        """404 outside the jurisdiction, 403 inside it without the role."""
        lineage = self.system.tree.lineage(area)
        if not lineage:
            raise NotFound(kind="Area", id=area)
        return permits(self.officer, roles, lineage, self.system.store.clock.now())

    def areas(self, roles: frozenset[Role] | None = None) -> tuple[UUID, ...]:
        """Areas of this officer's present posts (with one of the roles), the highest first."""
        now = self.system.store.clock.now()
        found = []
        for held in posts_at(self.officer, now):
            post = post_of(held)
            if roles is None or post.role in roles:
                found.append(post.area)
        lineage = self.system.tree.lineage
        return tuple(sorted(dict.fromkeys(found), key=lambda area: len(lineage(area))))

    def roles(self) -> frozenset[Role]:
        now = self.system.store.clock.now()
        return frozenset(post_of(h).role for h in posts_at(self.officer, now))

    def scope(self, roles: frozenset[Role], area: UUID | None) -> Scope:
        """The scope of a list: the area asked for, else all areas of fitting posts."""
        if self.officer.suspended is not None:
            raise OfficerSuspended(officer=self.officer.id, reason=self.officer.suspended)
        if area is not None:
            self.actor(roles, area)
            return Scope((area,), training=self.system.store.training)
        areas = self.areas(roles)
        if not areas:
            raise NotYourRole(needed=", ".join(sorted(roles)))
        return Scope(areas, training=self.system.store.training)


def caller_of(request: Request) -> Caller:
    """The officer who asks (reading). A dependency, as `writing_session`."""
    return reader_of(request)


def reader_of(request: Request, *, enrolled: bool = True) -> Caller:
    """The officer who asks. ``enrolled``: see `session_of`. On a thread that may wait: what the
    `Caller` then tells of areas and of the store's time comes out of memory."""
    system = system_of(request)
    session = session_of(request, writing=False, enrolled=enrolled)
    officer = system.officer(session.officer)
    if officer is None:
        raise unauthenticated()
    known_at.settle(system.store)
    system.look_again()
    return Caller(system, session, officer)


def asking(request: Request) -> Caller:
    """`caller_of` for a question over HTTP. Raises 422 as `check_parameters` does."""
    caller = caller_of(request)
    check_parameters(request, parameters_of(request.scope["route"]))
    return caller


def check_parameters(
    request: Request, known: tuple[str, ...] = (), *, strangers: bool = False
) -> None:
    """Raises 422 for a parameter behind the question mark that is not known (unless ``strangers``
    are let in), or known and said twice.

    Whoever mistypes one would else read an answer without a filter as one with it; and of two
    values nobody can know which was meant.
    """
    given = [name for name, _ in request.query_params.multi_items()]
    wrong = [
        _wrong_parameter(name, known)
        for name in dict.fromkeys(given)
        if (given.count(name) > 1 if name in known else not strangers)
    ]
    if wrong:
        raise malformed(wrong)


def _wrong_parameter(name: str, known: tuple[str, ...]) -> dict[str, Any]:
    said: dict[str, Any]
    if name in known:
        said = {
            "rule": "repeated_parameter",
            "zh": "此参数只能给一次",
            "en": "This parameter can be given once only.",
        }
    else:
        zh, en = "、".join(known) or "无", ", ".join(known) or "none"
        said = {
            "rule": "unknown_parameter",
            "zh": f"没有此参数；可用的参数：{zh}",
            "en": f"There is no such parameter. Known: {en}.",
            "known": list(known),
        }
    return {"field": name[:LONGEST_NAME], **said}


def parameters_of(route: APIRoute) -> tuple[str, ...]:
    """The names of a route's parameters behind the question mark."""
    return tuple(
        sorted({one.alias for part in _parts(route.dependant) for one in part.query_params})
    )


def _parts(dependant: Dependant) -> Iterator[Dependant]:
    yield dependant
    for one in dependant.dependencies:
        yield from _parts(one)


Asking = Annotated[Caller, Depends(asking)]
Running = Annotated[System, Depends(system_of)]
