"""The second factor of one's own log-in: begun, confirmed by a code, ended by one."""

from functools import partial
from typing import Annotated, Any
from uuid import UUID, uuid4

import pyotp
from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from api.auth import (
    Caller,
    acting_session,
    address_of,
    check_parameters,
    own_token,
    reader_of,
    system_of,
)
from api.login import SESSIONS, documented, log_ins_of, taking
from api.observing import correlation_of
from api.writes import RESPONSES
from domain.commands.logins import RecordFactorEnded, RecordSecondFactor
from domain.world import Command
from eventstore.accounts import Session
from eventstore.outcomes import Envelope
from eventstore.passwords import LONGEST_PASSWORD

ISSUER = "Relief Ledger"
CODE_LENGTH = 40
router = APIRouter(tags=["log-in"])
CHANGED = SESSIONS | {409: RESPONSES[409]}


async def enrolling_session(request: Request) -> Session:
    """Who writes, also who may do nothing else before they have a second factor."""
    return await acting_session(request, enrolled=False)


def enrolling_caller(request: Request) -> Caller:
    """Likewise for reading."""
    return reader_of(request, enrolled=False)


Enrolling = Annotated[Session, Depends(enrolling_session)]
EnrollingCaller = Annotated[Caller, Depends(enrolling_caller)]


class OwnPassword(BaseModel):
    """``password``: the present one; nothing for who has none and logs in elsewhere."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"password": "········"}}
    )
    password: str = Field("", max_length=LONGEST_PASSWORD)


class FactorCode(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"code": "000000"}})
    code: str = Field(min_length=1, max_length=CODE_LENGTH)


def factor_shown(caller: Caller) -> dict[str, Any]:
    """Whether the caller's log-in has a second factor, and whether it must have one."""
    system, login = caller.system, caller.session.login
    return {
        "login": login,
        "set": system.accounts.factors.has(login),
        "required": system.needs_factor(caller.officer),
        "recovery_codes": system.accounts.factors.recovery_left(login),
    }


def uri_of(login: str, secret: str) -> str:
    """What an app reads from the QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=ISSUER)


async def begin_factor(request: Request, session: Session, password: str) -> str:
    """A new secret for an app. 403 with a wrong password; `SecondFactorThere`."""
    await log_ins_of(request).unless_suspended(request, session.officer)
    await log_ins_of(request).again(request, session.login, password)
    accounts = system_of(request).accounts
    return await run_in_threadpool(accounts.factors.begin, session.login)


async def confirm_factor(request: Request, session: Session, code: str) -> list[str]:
    """From now on log-ins ask for codes; the recovery codes. Sessions begun without one end."""
    await log_ins_of(request).unless_suspended(request, session.officer)
    accounts, login = system_of(request).accounts, session.login
    prove = partial(accounts.factors.prove_new, login, code)
    factor: UUID = await log_ins_of(request).run(prove, address_of(request), known=True)
    await _record(request, RecordSecondFactor(officer=session.officer, login=login, factor=factor))

    def confirm() -> list[str]:
        codes = accounts.factors.confirm(login, factor)
        open_ones = accounts.sessions_of(session.officer, own_token(request))
        ids = [one.id for one in open_ones if one.login == login and not one.current]
        accounts.end_sessions(session.officer, ids)
        return codes

    return await run_in_threadpool(confirm)


async def end_factor(request: Request, session: Session, code: str) -> None:
    """Log-ins ask for no code any more, for who shows one now."""
    await log_ins_of(request).unless_suspended(request, session.officer)
    accounts, login = system_of(request).accounts, session.login
    check = partial(accounts.factors.check, login, code)
    await log_ins_of(request).run(check, address_of(request), known=True)
    await _record(request, RecordFactorEnded(officer=session.officer, login=login))
    # the fact says which; nobody is to wait until the worker has followed it
    await run_in_threadpool(system_of(request).store.effects.end_log_ins)


async def _record(request: Request, command: Command) -> None:
    said = Envelope(id=uuid4(), officer=None, command=command, correlation=correlation_of(request))
    await system_of(request).store.arun(said)


@router.get("/v1/me/second-factor", summary="Whether my log-in asks for codes", responses=SESSIONS)
def my_factor(caller: EnrollingCaller, request: Request) -> dict[str, Any]:
    check_parameters(request)
    return factor_shown(caller)


@router.post(
    "/v1/me/second-factor",
    summary="Begin a second factor (TOTP); it counts once a code has confirmed it",
    responses=CHANGED,
    openapi_extra=documented(OwnPassword),
)
async def begin(
    session: Enrolling, body: Annotated[OwnPassword, Depends(taking(OwnPassword))], request: Request
) -> dict[str, str]:
    secret = await begin_factor(request, session, body.password)
    return {"secret": secret, "uri": uri_of(session.login, secret)}


@router.post(
    "/v1/me/second-factor/confirmations",
    summary="Confirm it by a code; answers the recovery codes, this once",
    responses=CHANGED,
    openapi_extra=documented(FactorCode),
)
async def confirm(
    session: Enrolling, body: Annotated[FactorCode, Depends(taking(FactorCode))], request: Request
) -> dict[str, list[str]]:
    return {"recovery_codes": await confirm_factor(request, session, body.code)}


@router.post(
    "/v1/me/second-factor/ends",
    summary="End it, by a code of it",
    responses=CHANGED,
    openapi_extra=documented(FactorCode),
)
async def end(
    session: Enrolling, body: Annotated[FactorCode, Depends(taking(FactorCode))], request: Request
) -> dict[str, str]:
    await end_factor(request, session, body.code)
    return {"login": session.login}
