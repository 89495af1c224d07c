"""Many officers at once: each row is engaged or refused by itself, and told by its number.

Codes of invitations are in this one answer only, as of any invitation. A list that was broken off
is sent again under the same key: rows that were done are told as done, without a code.
"""

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Annotated, Any, TypeVar
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from api.auth import check_parameters, system_of, writing_session
from api.bodies import read_body
from api.invitations import page_of
from api.login import checked_as, documented
from api.observing import correlation_of
from api.permitting import not_allowed
from api.plain_json import object_of, too_many
from api.problems import error_code
from api.system import System
from api.writes import RESPONSES, idempotency_key
from domain.commands.engaging import EngageOfficer
from domain.ids import seeded_id
from domain.posts import Post
from domain.world import Role
from eventstore.accounts import Session
from eventstore.batch import Answer
from eventstore.errors import CommandIdReused, StoreError
from eventstore.invitations import Invitations
from eventstore.outcomes import Envelope, Receipt, Refused
from eventstore.store import Store

router = APIRouter(tags=["officers"])
Rows = TypeVar("Rows")
TEXT = 200
NOT_DONE = (StoreError, CommandIdReused)
"""Why a row was not looked at: the store cannot now, or its number was another row's before."""


class OfficerRow(BaseModel):
    model_config = ConfigDict(extra="forbid")
    login: Annotated[str, Field(min_length=1, max_length=100)]
    name: Annotated[str, Field(min_length=1, max_length=TEXT)]
    role: Role
    area: UUID
    id_number: Annotated[str | None, Field(max_length=40)] = None
    phone: Annotated[str | None, Field(max_length=40)] = None
    post: Post = Post.NONE
    certificate: Annotated[str, Field(max_length=TEXT)] = ""
    starts_on: date | None = None
    ends_on: date | None = None


class OfficerList(BaseModel):
    model_config = ConfigDict(extra="forbid")
    officers: Annotated[list[OfficerRow], Field(min_length=1)]


def engaged(
    system: System, officer: UUID, key: UUID, correlation: UUID, rows: list[OfficerRow]
) -> dict[str, Any]:
    """Engage each row. ``invitations`` (with codes), ``known`` and ``refused``, by row from 0."""
    store = system.store
    envelopes = [
        Envelope(
            id=store.system_command_id("officer-list", key, number),
            officer=officer,
            command=_command(key, number, row),
            correlation=correlation,
        )
        for number, row in enumerate(rows)
    ]
    told: dict[str, list[dict[str, Any]]] = {"invitations": [], "known": [], "refused": []}
    invitations = Invitations(store)
    answers = run_rows(store, envelopes)
    for number, (row, answer) in enumerate(zip(rows, answers, strict=True)):
        about = {"row": number, "login": row.login}
        if isinstance(answer, Receipt):
            officer_id = UUID(str(answer.result["officer"]))
            about["login"] = login = str(answer.result.get("login", row.login))
            if answer.repeated or not answer.result["invited"]:
                told["known"].append({**about, "officer": officer_id})
                continue
            made = invitations.begin(login, officer_id)
            told["invitations"].append(
                {
                    **about,
                    "officer": officer_id,
                    "code": made.code,
                    "path": page_of(made.code),
                    "expires_at": answer.result["expires_at"],
                }
            )
        else:
            told["refused"].append({**about, **why_not(answer)})
    return {"position": store.head(), **told}


def run_rows(store: Store, envelopes: list[Envelope]) -> list[Answer]:
    """Each row by itself. Raises if the store did none of them."""
    answers = store.run_many(envelopes)
    if isinstance(answers[0], NOT_DONE) and all(isinstance(one, NOT_DONE) for one in answers):
        raise answers[0]
    return answers


def _command(key: UUID, number: int, row: OfficerRow) -> EngageOfficer:
    return EngageOfficer(
        person=seeded_id(key, number, "person"),
        id=seeded_id(key, number, "appointment"),
        full_name=row.name,
        **row.model_dump(exclude={"name"}),
    )


def why_not(answer: BaseException) -> dict[str, Any]:
    """What a row that was not done says; raises what nobody can tell by a row."""
    if isinstance(answer, Refused):
        problem = answer.problem
        return {"rule": problem.code, "zh": problem.zh, "en": problem.en}
    if isinstance(answer, NOT_DONE):  # told by its row: the codes of rows that were done are shown
        return {"rule": error_code(answer), "zh": answer.zh, "en": answer.en}
    raise answer


async def listed(
    request: Request, roles: frozenset[Role], read: Callable[[bytes, int], Rows]
) -> tuple[Session, UUID, Rows]:
    """Who sends a list under which key, and its rows. 403 before it is read, 413 if too large."""
    session = await writing_session(request)
    check_parameters(request)
    key = idempotency_key(request)
    system = system_of(request)
    refused = await not_allowed(system, session.officer, roles, None)
    with system.bodies.holding() as holding:
        body = await read_body(
            request, system.limits.bulk_body_bytes, refused, "bulk_body_bytes", holding
        )
        if refused is not None:
            raise refused
        return session, key, await run_in_threadpool(read, body, system.limits.rows)


@router.post(
    "/v1/officer-lists",
    summary="Engage many officers: registered, in post, invited; each row by itself",
    responses=RESPONSES,
    openapi_extra=documented(OfficerList),
)
async def engage_many(request: Request, response: Response) -> dict[str, Any]:
    session, key, rows = await listed(request, EngageOfficer.roles, _rows_of)
    system = system_of(request)
    work = partial(engaged, system, session.officer, key, correlation_of(request), rows)
    response.headers["Cache-Control"] = "no-store"
    return await run_in_threadpool(work)


def _rows_of(body: bytes, most: int) -> list[OfficerRow]:
    return checked_as(OfficerList, listed_in(body, "officers", most)).officers


def listed_in(body: bytes, name: str, most: int) -> dict[str, Any]:
    """The object of a body whose list of that name has no more rows than the store takes."""
    values = object_of(body)
    rows = values.get(name)
    if isinstance(rows, list) and len(rows) > most:
        raise too_many(most)
    return values
