"""Posts that end, renewed together: each by itself, told by its number."""

from datetime import date
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from api.auth import system_of
from api.login import checked_as, documented
from api.observing import correlation_of
from api.officer_lists import listed, listed_in, run_rows, why_not
from api.system import System
from api.writes import RESPONSES
from domain.commands.renewing import RenewPost
from domain.ids import seeded_id
from eventstore.outcomes import Envelope, Receipt

router = APIRouter(tags=["officers"])


class PostRow(BaseModel):
    model_config = ConfigDict(extra="forbid")
    officer: UUID
    appointment: UUID


class RenewalList(BaseModel):
    model_config = ConfigDict(extra="forbid")
    ends_on: date
    posts: Annotated[list[PostRow], Field(min_length=1)]


def renewed(
    system: System, officer: UUID, key: UUID, correlation: UUID, given: RenewalList
) -> dict[str, Any]:
    """Renew each post. ``renewed`` (with its first day) and ``refused``, by row from 0."""
    store = system.store
    envelopes = [
        Envelope(
            id=store.system_command_id("renewal-list", key, number),
            officer=officer,
            command=RenewPost(
                id=seeded_id(key, number, "appointment"),
                officer=row.officer,
                appointment=row.appointment,
                ends_on=given.ends_on,
            ),
            correlation=correlation,
        )
        for number, row in enumerate(given.posts)
    ]
    told: dict[str, list[dict[str, Any]]] = {"renewed": [], "refused": []}
    answers = run_rows(store, envelopes)
    for number, (row, answer) in enumerate(zip(given.posts, answers, strict=True)):
        about = {"row": number, **row.model_dump()}
        if isinstance(answer, Receipt):
            told["renewed"].append({**about, "starts_on": answer.result["starts_on"]})
        else:
            told["refused"].append({**about, **why_not(answer)})
    return {"position": store.head(), **told}


@router.post(
    "/v1/renewal-lists",
    summary="Renew posts that end, each from the day after its last day",
    responses=RESPONSES,
    openapi_extra=documented(RenewalList),
)
async def renew_many(request: Request) -> dict[str, Any]:
    session, key, given = await listed(request, RenewPost.roles, _list_of)
    system = system_of(request)
    work = partial(renewed, system, session.officer, key, correlation_of(request), given)
    return await run_in_threadpool(work)


def _list_of(body: bytes, most: int) -> RenewalList:
    return checked_as(RenewalList, listed_in(body, "posts", most))
