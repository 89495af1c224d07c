"""The connection of log-in names to the identity provider, by the API: only where one is set.

Connecting is no row of the table of commands (`api.routes_writes`), for its body is not the
command: what is sent names the account as the provider calls it, what is kept is a keyed hash of
that and the provider's address, which the edge makes, and the officer's passwords end after it. All
else is that of every command: the same order of questions, one quota, one receipt. Ending the
connection stands beside it, since both are there only where a provider is set.
"""

from typing import Annotated, Any, NamedTuple, TypeVar
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from api.auth import check_parameters, system_of, writing_session
from api.bodies import read_body
from api.login import SESSIONS, SMALL_BODY, checked_as, documented, taking
from api.observing import correlation_of
from api.permitting import not_allowed
from api.plain_json import object_of
from api.provider import connection_shown, end, end_passwords, provider_of, secrets_of
from api.second_factor import Enrolling, EnrollingCaller
from api.writes import RESPONSES, idempotency_key, receipt_told, run_counted
from domain.commands.connecting import BindProvider, UnbindProvider
from domain.world import Command
from eventstore.outcomes import Envelope

M = TypeVar("M", bound=BaseModel)
router = APIRouter(tags=["log-in"])
LONGEST_REASON = 200
CHANGED = SESSIONS | {409: RESPONSES[409]}


class Nothing(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Binding(BaseModel):
    """``subject``: what the provider calls the account (``sub``)."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"login": "wangfang", "subject": "83692"}}
    )
    login: str = Field(min_length=1, max_length=100)
    subject: str = Field(min_length=1, max_length=255, pattern=r"\S")


class Unbinding(BaseModel):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"login": "wangfang", "reason": "账号停用"}}
    )
    login: str = Field(min_length=1, max_length=100)
    reason: str = Field(min_length=1, max_length=LONGEST_REASON)


class Sent(NamedTuple):
    """What an administrator sends about an officer: by whom, and under which key."""

    key: UUID
    officer: UUID
    body: Any


@router.get("/v1/me/provider", summary="Whether the provider opens my log-in", responses=CHANGED)
def my_provider(caller: EnrollingCaller, request: Request) -> dict[str, Any]:
    check_parameters(request)
    return connection_shown(caller.system, caller.session)


@router.post(
    "/v1/me/provider/ends",
    summary="The provider opens my log-in no longer",
    responses=CHANGED,
    openapi_extra=documented(Nothing),
)
async def end_mine(
    session: Enrolling, _: Annotated[Nothing, Depends(taking(Nothing))], request: Request
) -> dict[str, str]:
    await end(request, session)
    return {"login": session.login}


async def _sent(request: Request, model: type[M], roles: frozenset[Any]) -> Sent:
    """Asked for in the order of all commands: who, what question, which key, may they, the body."""
    session = await writing_session(request)
    check_parameters(request)
    key = idempotency_key(request)
    refused = await not_allowed(system_of(request), session.officer, roles, None)
    if refused is not None:
        raise refused
    body = checked_as(model, object_of(await read_body(request, SMALL_BODY)))
    return Sent(key, session.officer, body)


async def _run(
    request: Request, response: Response, sent: Sent, command: Command
) -> dict[str, Any]:
    said = Envelope(
        id=sent.key, officer=sent.officer, command=command, correlation=correlation_of(request)
    )
    receipt = await run_counted(system_of(request), said, type(command).roles)
    system_of(request).forget_names()
    answer, headers = receipt_told(receipt)
    response.headers.update(headers)
    return answer


@router.post(
    "/v1/officers/{officer}/provider-bindings",
    summary="Let an account at the provider open an officer's log-in",
    responses=RESPONSES,
    openapi_extra=documented(Binding),
)
async def bind_officer(officer: UUID, request: Request, response: Response) -> dict[str, Any]:
    provider = provider_of(request)
    sent = await _sent(request, Binding, BindProvider.roles)
    hashed = secrets_of(request).subject
    subject = await run_in_threadpool(hashed, provider.issuer, sent.body.subject.strip())
    command = BindProvider(
        officer=officer, login=sent.body.login, subject=subject, provider=provider.issuer
    )
    done = await _run(request, response, sent, command)
    await end_passwords(request, officer, done["result"]["login"])
    return done


@router.post(
    "/v1/officers/{officer}/provider-unbindings",
    summary="The provider opens an officer's log-in no longer; its sessions end",
    responses=RESPONSES,
    openapi_extra=documented(Unbinding),
)
async def unbind_officer(officer: UUID, request: Request, response: Response) -> dict[str, Any]:
    sent = await _sent(request, Unbinding, UnbindProvider.roles)
    command = UnbindProvider(officer=officer, login=sent.body.login, reason=sent.body.reason)
    return await _run(request, response, sent, command)
