"""Officers whose codes open no longer, invited again together: each by itself, told by number."""

from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from api.auth import system_of
from api.invitations import page_of
from api.login import checked_as, documented
from api.observing import correlation_of
from api.officer_lists import listed, listed_in, run_rows, why_not
from api.system import System
from api.writes import RESPONSES
from domain.commands.logins import InviteOfficer
from domain.login_name import as_typed
from eventstore.invitations import Invitations
from eventstore.outcomes import Envelope, Receipt

router = APIRouter(tags=["officers"])


class LoginRow(BaseModel):
    model_config = ConfigDict(extra="forbid")
    officer: UUID
    login: Annotated[str, Field(min_length=1, max_length=100)]


class InvitationList(BaseModel):
    model_config = ConfigDict(extra="forbid")
    officers: Annotated[list[LoginRow], Field(min_length=1)]


def invited_again(
    system: System, officer: UUID, key: UUID, correlation: UUID, rows: list[LoginRow]
) -> dict[str, Any]:
    """Invite each. ``invitations`` (with codes), ``known`` (done before under this key, or by a row
    above, however typed: without a code) and ``refused``, by row from 0."""
    store = system.store
    envelopes = [
        Envelope(
            id=store.system_command_id("invitation-list", key, row.officer, login),
            officer=officer,
            command=InviteOfficer(officer=row.officer, login=login),
            correlation=correlation,
        )
        for row, login in ((row, as_typed(row.login).casefold()) for row in rows)
    ]
    told: dict[str, list[dict[str, Any]]] = {"invitations": [], "known": [], "refused": []}
    invitations = Invitations(store)
    answers = run_rows(store, envelopes)
    for number, (row, answer) in enumerate(zip(rows, answers, strict=True)):
        about = {"row": number, **row.model_dump()}
        if not isinstance(answer, Receipt):
            told["refused"].append({**about, **why_not(answer)})
        elif answer.repeated:
            told["known"].append(about)
        else:
            made = invitations.begin(row.login, row.officer)
            about["login"] = made.login
            expires_at = answer.result["expires_at"]
            code = {"code": made.code, "path": page_of(made.code), "expires_at": expires_at}
            told["invitations"].append({**about, **code})
    return {"position": store.head(), **told}


@router.post(
    "/v1/invitation-lists",
    summary="Invite many officers again, whose codes have expired or are void; each by itself",
    responses=RESPONSES,
    openapi_extra=documented(InvitationList),
)
async def invite_many(request: Request, response: Response) -> dict[str, Any]:
    session, key, rows = await listed(request, InviteOfficer.roles, _rows_of)
    system = system_of(request)
    work = partial(invited_again, system, session.officer, key, correlation_of(request), rows)
    response.headers["Cache-Control"] = "no-store"
    return await run_in_threadpool(work)


def _rows_of(body: bytes, most: int) -> list[LoginRow]:
    return checked_as(InvitationList, listed_in(body, "officers", most)).officers
