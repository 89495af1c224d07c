"""Logging in by an identity provider: which officer an account there is, and how it came to be.

The provider says who somebody is; who may work here is said here alone. An account at the provider
opens a log-in name only once it is connected to it (decision 0065): by the officer, who has shown
the password; by an administrator; or by the provider, where a setting trusts it to name log-ins.
"""

import re
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import msgspec
import structlog
from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool

from api.auth import address_of, own_token, system_of
from api.login import log_ins_of
from api.observing import correlation_of
from api.problems import ApiProblem
from api.provider_settings import Asked, ProviderNotBelieved, ProviderSettings
from api.system import System
from domain.commands.connecting import RecordProvider, RecordProviderEnded
from domain.login_name import ProviderWay, as_typed
from domain.provider_identity import ProviderIdentity
from domain.world import Command
from eventstore.accounts import Session
from eventstore.outcomes import Envelope
from eventstore.provider_secrets import ProviderSecrets

log = structlog.get_logger("relief.provider")
FLOW_SECONDS = 600.0
"""From leaving for the provider to coming back."""
CONFIRM_SECONDS = 600.0
"""From coming back to confirming a connection."""
LONGEST_NEXT = 500
ERROR = re.compile(r"[a-z_]{1,40}")
"""What OAuth calls an error, for example ``access_denied``."""


class Flow(msgspec.Struct, frozen=True):
    """What a browser keeps sealed while it is at the provider. ``login``: the log-in name that is
    to be connected; "" for a log-in. ``next``: the local page that was asked for."""

    state: str
    nonce: str
    verifier: str
    at: float
    next: str
    login: str = ""


class Proven(msgspec.Struct, frozen=True):
    """An account that the provider has vouched for, until its officer confirms the connection.
    ``shown``: what the provider calls it, for that officer to see."""

    subject: str
    shown: str
    login: str


class ProviderCancelled(Exception):
    """The provider sends somebody back without an answer: they did not want to, or may not."""

    zh = "统一身份认证登录未完成"
    en = "The log-in at the identity provider was not completed."


class FlowOver(Exception):
    """This browser was not sent to the provider, too long ago, or the answer was used already."""

    zh = "登录已过期或已用过，请重新开始"
    en = "This log-in is over, or was used already: begin again."


class AccountUnknown(Exception):
    """The provider knows somebody whom nobody has connected here."""

    zh = "此统一身份账号尚未绑定本系统的登录名：请先用密码登录，在“我的登录”中绑定，或联系管理员"
    en = (
        "This account of the identity provider is not connected here: log in with your password "
        "and connect it on the page of your log-in, or ask your administrator."
    )


@dataclass(frozen=True, slots=True)
class Vouched:
    """Whom the provider has sent back. ``stepped``: it has done our second step, and is trusted."""

    officer: UUID
    login: str
    stepped: bool


def provider_of(request: Request) -> ProviderSettings:
    """The provider of this system. Where there is none, none of these routes are there."""
    found = system_of(request).provider
    assert found is not None
    return found


def install(app: FastAPI, system: System) -> None:
    """What speaks to the provider, made only where there is one: its libraries are large."""
    if system.provider is not None:
        from api.oidc import OidcClient

        app.state.oidc = OidcClient(system.provider, system.store.vault.seconds)


def secrets_of(request: Request) -> ProviderSecrets:
    return ProviderSecrets(system_of(request).store.vault)


async def sent_out(request: Request, next_path: str, login: str = "") -> tuple[str, str]:
    """Where to send a browser, and the sealed `Flow` that it keeps. Raises `ProviderDown`, and
    `LoginLocked` where too much came from that address."""
    system_of(request).accounts.require_patience(address_of(request))
    address, asked = await request.app.state.oidc.ask()
    flow = Flow(
        state=asked.state,
        nonce=asked.nonce,
        verifier=asked.verifier,
        at=asked.at,
        next=next_path[:LONGEST_NEXT],
        login=login,
    )
    sealed = await run_in_threadpool(secrets_of(request).seal, flow, FLOW_SECONDS)
    return address, sealed


async def come_back(request: Request, kept: str) -> tuple[Flow, dict[str, Any]]:
    """Why a browser was sent out, and the claims with which it comes back. ``kept``: its cookie.

    Raises `FlowOver`, `ProviderCancelled`, `LoginLocked`, and what `OidcClient.answered` does. A
    state is good once, whatever comes of it.
    """
    system, given = system_of(request), request.query_params
    address = address_of(request)
    system.accounts.require_patience(address)
    flow = await run_in_threadpool(secrets_of(request).opened, Flow, kept)
    state = given.get("state", "")
    if flow is None or not state or state != flow.state:
        raise FlowOver
    once = partial(system.accounts.use_once, f"provider-state/{state}", FLOW_SECONDS)
    if not await run_in_threadpool(once):
        raise FlowOver
    code = given.get("code", "")
    if "error" in given or not code:
        error = given.get("error", "")  # whatever somebody wrote into an address is not logged
        log.info("provider-cancelled", error=error if ERROR.fullmatch(error) else "other")
        raise ProviderCancelled
    asked = Asked(flow.state, flow.nonce, flow.verifier, flow.at)
    try:
        claims = await request.app.state.oidc.answered(asked, code, given.get("iss"))
    except ProviderNotBelieved as problem:
        log.warning("provider-not-believed", detail=problem.detail[:300])
        system.accounts.failed_from(address)
        raise
    return flow, claims


def proven(request: Request, flow: Flow, claims: dict[str, Any]) -> str:
    """The account as its browser keeps it, sealed, until the officer confirms the connection."""
    provider = provider_of(request)
    shown = claims.get(provider.login_claim) or claims.get("name") or claims["sub"]
    subject = secrets_of(request).subject(provider.issuer, claims["sub"])
    note = Proven(subject=subject, shown=str(shown)[:100], login=flow.login)
    return secrets_of(request).seal(note, CONFIRM_SECONDS)


async def vouched(request: Request, claims: dict[str, Any]) -> Vouched:
    """Which log-in name the account opens. Raises `AccountUnknown`, and `Refused` where the account
    that the provider names a log-in for cannot be connected to it."""
    system, provider = system_of(request), provider_of(request)
    hashed = secrets_of(request).subject
    subject = await run_in_threadpool(hashed, provider.issuer, claims["sub"])
    found = await run_in_threadpool(_connected, system, subject)
    if found is None:
        found = await _named(request, subject, claims)
    officer, login = found
    return Vouched(officer, login, stepped=_stepped(provider, claims))


def _connected(system: System, subject: str) -> tuple[UUID, str] | None:
    found = system.store.load(ProviderIdentity.id_of(subject))
    if not isinstance(found, ProviderIdentity) or found.login is None:
        return None
    return found.officer, found.login


async def _named(request: Request, subject: str, claims: dict[str, Any]) -> tuple[UUID, str]:
    """Connect the log-in name that the provider names, where it is trusted to."""
    system, provider = system_of(request), provider_of(request)
    said = claims.get(provider.login_claim)
    if not provider.authoritative or not isinstance(said, str) or not said.strip():
        raise AccountUnknown
    name = await run_in_threadpool(system.login_name, as_typed(said))
    if name is None:
        raise AccountUnknown
    await log_ins_of(request).unless_suspended(request, name.officer)
    await bind(request, name.officer, name.login, subject, ProviderWay.CLAIM)
    return name.officer, name.login


def _stepped(provider: ProviderSettings, claims: dict[str, Any]) -> bool:
    """Whether the provider says that it has done a second step, in words that are trusted."""
    amr = claims.get("amr")
    said = {str(one) for one in amr} if isinstance(amr, list) else set()
    if isinstance(claims.get("acr"), str):
        said.add(claims["acr"])
    return not said.isdisjoint(provider.second_factors)


async def bind(request: Request, officer: UUID, login: str, subject: str, way: ProviderWay) -> None:
    """Write the fact that an account opens a log-in name. Raises `Refused`."""
    command = RecordProvider(
        officer=officer,
        login=login,
        subject=subject,
        provider=provider_of(request).issuer,
        way=way,
    )
    await _record(request, command)
    await end_passwords(
        request, officer, login, own_token(request) if way is ProviderWay.OWN else ""
    )


async def end_passwords(request: Request, officer: UUID, login: str, token: str = "") -> None:
    """Where the provider alone opens a log-in from now on, what its password opened ends.

    Who knows the password, and no more, may wait in a session that could do nothing but connect.
    ``token``: of the session that has connected it.
    """
    system = system_of(request)
    if await run_in_threadpool(system.by_provider_alone, officer, login):
        await run_in_threadpool(system.accounts.end_others, login, token)


async def confirm(request: Request, session: Session, kept: str, password: str) -> None:
    """Connect the account that this browser has come back with. ``kept``: its cookie.

    Raises `FlowOver`, 403 for a wrong password, and `Refused`. Whoever finds an open session has
    no password: they must not let themselves in for good.
    """
    await log_ins_of(request).unless_suspended(request, session.officer)
    note = await run_in_threadpool(secrets_of(request).opened, Proven, kept)
    if note is None or note.login != session.login:
        raise FlowOver
    await log_ins_of(request).again(request, session.login, password)
    await bind(request, session.officer, session.login, note.subject, ProviderWay.OWN)


async def end(request: Request, session: Session) -> None:
    """End the connection of one's own log-in name. 409 for who could not log in any more."""
    await log_ins_of(request).unless_suspended(request, session.officer)
    accounts = system_of(request).accounts
    if await run_in_threadpool(accounts.officer_of, session.login) is None:
        raise ApiProblem(
            409,
            "no-password",
            "您还没有设置密码，解除绑定后将无法登录：请先请管理员发送邀请并设置密码",
            "You have no password: without the connection you could not log in. Ask your "
            "administrator for an invitation first, and set one.",
        )
    await _record(request, RecordProviderEnded(officer=session.officer, login=session.login))


async def _record(request: Request, command: Command) -> None:
    said = Envelope(id=uuid4(), officer=None, command=command, correlation=correlation_of(request))
    await system_of(request).store.arun(said)
    system_of(request).forget_names()


def connection_shown(system: System, session: Session) -> dict[str, Any]:
    """Whether the log-in name is connected to the provider, and whether it must be."""
    assert system.provider is not None
    name = system.login_name(session.login)
    officer = system.officer(session.officer)
    return {
        "login": session.login,
        "provider": system.provider.issuer,
        "connected": name is not None and system.connected(name),
        "required": officer is not None and system.has_post(officer, system.provider.only_roles),
    }
