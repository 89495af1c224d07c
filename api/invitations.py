"""Invitations and passwords: the first log-in, another password, where one is logged in."""

from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from api.auth import (
    Asking,
    Caller,
    address_of,
    check_parameters,
    own_token,
    system_of,
    writing_session,
)
from api.devices import device_of
from api.login import (
    SESSIONS,
    documented,
    keep_session,
    log_ins_of,
    taking,
)
from api.observing import correlation_of
from api.problems import ApiProblem
from api.writes import RESPONSES
from domain.commands.engaging import EngageOfficer
from domain.commands.logins import (
    EndOfficerSessions,
    InviteOfficer,
    RecordPassword,
    RecordSessionsEnded,
)
from domain.commands.proposing import EngageProposed
from domain.login_name import LoginName, PasswordWay, as_typed
from domain.refusal import NotFound
from domain.world import Command
from eventstore.accounts import VOUCHED, OpenSession, Session
from eventstore.invitations import Invitation, InvitationOver, Invitations, InvitationUnknown
from eventstore.outcomes import Envelope
from eventstore.passwords import LONGEST_PASSWORD, check_password
from eventstore.patience import LoginRefused
from eventstore.store import Store

CODE_LENGTH = 40
"""Characters of a code as it may be typed, with its dashes and spaces."""
ACCEPTED: dict[int | str, dict[str, Any]] = {
    **{code: RESPONSES[code] for code in (400, 404, 413, 415, 422, 429)},
    410: {**RESPONSES[404], "description": "Used, expired, void since another post was given"},
}
EXAMPLE = "········"
Writing = Annotated[Session, Depends(writing_session)]
"""Who writes: asked before a body is read."""
router = APIRouter(tags=["log-in"])


class NewPassword(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"password": EXAMPLE}})
    password: str = Field(min_length=1, max_length=LONGEST_PASSWORD)


class OtherPassword(BaseModel):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"current": EXAMPLE, "password": EXAMPLE}}
    )
    current: str = Field(min_length=1, max_length=LONGEST_PASSWORD)
    password: str = Field(min_length=1, max_length=LONGEST_PASSWORD)


def page_of(code: str) -> str:
    """Where the code of an invitation is accepted, below the address of the pages."""
    return f"/invitations/{code}"


def invitation_shown(store: Store, command: Command) -> dict[str, Any]:
    """The code of an invitation, for this one answer: made after the fact that says so."""
    assert isinstance(command, InviteOfficer)
    name = store.load(LoginName.id_of(as_typed(command.login)))
    assert isinstance(name, LoginName)
    return _begun(store, name.login, name.officer)


def engagement_shown(store: Store, command: Command) -> dict[str, Any]:
    """The code for somebody who was engaged, unless their log-in name has a password already."""
    assert isinstance(command, EngageOfficer | EngageProposed)
    name = store.load(LoginName.id_of(as_typed(command.login)))
    assert isinstance(name, LoginName)
    if name.entered:
        return {"login": name.login}
    return _begun(store, name.login, name.officer)


def _begun(store: Store, login: str, officer: UUID) -> dict[str, Any]:
    made = Invitations(store).begin(login, officer)
    return {"login": login, "code": made.code, "path": page_of(made.code)}


async def invitation_of(request: Request, code: str) -> Invitation:
    """The living invitation of a code. Who tries too many unknown ones from one address waits."""
    system = system_of(request)
    address = address_of(request)
    system.accounts.require_patience(address)
    try:
        return await run_in_threadpool(Invitations(system.store).find, code[:CODE_LENGTH])
    except (InvitationUnknown, InvitationOver):
        system.accounts.failed_from(address)
        raise


async def accept(request: Request, code: str, password: str) -> Invitation:
    """Set the first password by a code. Raises what `Invitations.accept` does, and a 429."""
    await invitation_of(request, code)
    system = system_of(request)
    invitations = Invitations(system.store)
    work = partial(invitations.accept, system.accounts, code[:CODE_LENGTH], password)
    return await log_ins_of(request).run(work, address_of(request))


@router.post(
    "/v1/invitations/{code}/acceptances",
    summary="Set the first password by the code of an invitation",
    responses=ACCEPTED,
    openapi_extra=documented(NewPassword),
)
async def accept_invitation(
    code: str, body: Annotated[NewPassword, Depends(taking(NewPassword))], request: Request
) -> dict[str, str]:
    accepted = await accept(request, code, body.password)
    return {"login": accepted.login}


async def change_password(request: Request, session: Session, current: str, password: str) -> None:
    """Another password for who knows the one before; all sessions of the log-in name end."""
    system, log_ins = system_of(request), log_ins_of(request)
    await log_ins.unless_suspended(request, session.officer)
    check_password(session.login, password)
    try:
        await log_ins.verify(request, session.login, current)
    except LoginRefused as problem:
        raise ApiProblem(
            403, "wrong-password", "原密码不正确", "The old password is wrong."
        ) from problem
    command = RecordPassword(officer=session.officer, login=session.login, way=PasswordWay.OWN)
    await _record(request, command)
    work = partial(system.accounts.set_password, session.login, session.officer, password)
    await log_ins.run(work, address_of(request), known=True)


async def _record(request: Request, command: Command) -> None:
    """Let the program write the fact of what it is about to do for this request."""
    id = uuid4()  # not from the correlation id: a client may send that twice
    said = Envelope(id=id, officer=None, command=command, correlation=correlation_of(request))
    await system_of(request).store.arun(said)


@router.post(
    "/v1/me/password",
    summary="Another password; all sessions end, a cookie gets a new one",
    responses=SESSIONS,
    openapi_extra=documented(OtherPassword),
)
async def other_password(
    session: Writing,
    body: Annotated[OtherPassword, Depends(taking(OtherPassword))],
    request: Request,
    response: Response,
) -> dict[str, str]:
    await change_password(request, session, body.current, body.password)
    if session.kind != "session":
        return {"login": session.login}
    fresh = await log_in_anew(request, response, session)
    return {"login": session.login, "csrf": fresh.csrf}


async def log_in_anew(request: Request, response: Response, before: Session) -> Session:
    """A new session for a browser whose officer has just set the password: the old ones ended."""
    kind = VOUCHED if before.vouched else "session"
    return await _log_in(request, response, before.officer, before.login, kind)


async def log_in_first(request: Request, response: Response, accepted: Invitation) -> Session:
    """A session for who has just set the password by the code of an invitation."""
    return await _log_in(request, response, accepted.officer, accepted.login, "session")


async def _log_in(
    request: Request, response: Response, officer: UUID, login: str, kind: str
) -> Session:
    system = system_of(request)
    agent = device_of(request.headers.get("user-agent", ""))
    token, fresh = await run_in_threadpool(system.accounts.begin, officer, login, kind, agent=agent)
    keep_session(response, token, fresh, system)
    await log_ins_of(request).remember(request, response, login, secure=system.secure_cookies)
    return fresh


@router.get("/v1/me/sessions", summary="Where I am logged in", responses=SESSIONS)
def my_sessions(caller: Asking, request: Request) -> dict[str, Any]:
    return {"items": sessions_shown(caller, own_token(request))}


def sessions_shown(caller: Caller, token: str) -> list[dict[str, Any]]:
    """Where the caller is logged in. ``token``: theirs that asks."""
    return sessions_told(caller.system.accounts.sessions_of(caller.id, token))


def sessions_told(open_ones: list[OpenSession]) -> list[dict[str, Any]]:
    """As `OpenSession` has them, but with moments."""
    return [
        {
            **one._asdict(),
            "begun": datetime.fromtimestamp(one.begun, UTC),
            "expires": datetime.fromtimestamp(one.expires, UTC),
        }
        for one in open_ones
    ]


@router.get(
    "/v1/officers/{officer}/sessions",
    summary="Where an officer is logged in, for who may end it",
    responses=SESSIONS | {404: RESPONSES[404]},
)
def officers_sessions(officer: UUID, caller: Asking) -> dict[str, Any]:
    found = caller.system.officer(officer)
    try:
        if found is not None:
            caller.actor(EndOfficerSessions.roles, found.home)
    except NotFound:  # of the area, which says where a foreign officer is
        found = None
    if found is None:
        raise NotFound(kind="Officer", id=officer)
    return {"items": sessions_told(caller.system.accounts.sessions_of(officer))}


@router.delete(
    "/v1/me/sessions/{session}",
    summary="End a session of mine on another device; `others` ends all but this one",
    responses=SESSIONS | {404: RESPONSES[404]},
)
async def end_session(own: Writing, session: str, request: Request) -> dict[str, int]:
    check_parameters(request)
    return {"ended": await end_sessions(request, own, session)}


async def end_sessions(request: Request, own: Session, which: str) -> int:
    """End one session of the officer, or all others; how many. 404 if there is none of that id."""
    system = system_of(request)
    open_ones = await run_in_threadpool(
        system.accounts.sessions_of, own.officer, own_token(request)
    )
    ids = [
        one.id for one in open_ones if (not one.current if which == "others" else one.id == which)
    ]
    if not ids and which != "others":
        raise ApiProblem(404, "not-found", "没有这个登录", "There is no such session.")
    if not ids:
        return 0
    command = RecordSessionsEnded(officer=own.officer, login=own.login, sessions=len(ids))
    await _record(request, command)
    return await run_in_threadpool(system.accounts.end_sessions, own.officer, ids)
