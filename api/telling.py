"""A refusal told to the one who reads it: what may be named to this officer is named."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.auth import caller_of, system_of
from api.problems import ApiProblem, answer
from api.words import words_of
from domain.refusal import Refusal
from domain.telling import Names
from eventstore.errors import StoreError
from eventstore.outcomes import Problem, Refused, problem_of, told
from eventstore.sql import DATABASE_ERRORS
from projections.asking.names import names


def install(app: FastAPI) -> None:
    """Register the handlers for what a rule refuses."""

    @app.exception_handler(Refused)
    async def refused(request: Request, problem: Refused) -> Response:
        said = await told_to(request, problem.problem)
        return answer(request, said, position=problem.outcome.position)

    @app.exception_handler(Refusal)
    async def refusal(request: Request, problem: Refusal) -> Response:
        return answer(request, await told_to(request, problem_of(problem)))


RULED = ("item", "category")
"""Fields of refusals whose keys the rulebooks name."""


async def told_to(request: Request, problem: Problem) -> Problem:
    """The problem with names and sealed texts in its sentences. Without a session, or while a
    database is away, the sentences do without names."""
    problem = await run_in_threadpool(system_of(request).store.texts.told, problem)
    ids = set(_ids(problem.facts))
    keys = {key for name in RULED if isinstance(key := problem.facts.get(name), str)}
    if not ids and not keys:
        return problem
    return told(problem, await run_in_threadpool(_names, request, ids, keys))


def _names(request: Request, ids: set[UUID], keys: set[str]) -> Names:
    try:
        caller = caller_of(request)
        now = caller.system.store.clock.now()
        zh, en = (words_of(caller, now, language) for language in ("zh", "en"))
        scope = caller.scope(caller.roles(), None)
        with caller.system.reader() as db:
            found = names(db, scope, ids=ids)
    except (ApiProblem, Refusal, StoreError, *DATABASE_ERRORS):
        return {}
    return {**found, **{key: (zh.thing(key), en.thing(key)) for key in keys}}


def _ids(value: Any) -> Iterator[UUID]:
    """The ids among the facts of a problem, which has them as text."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for one in value:
            yield from _ids(one)
    elif isinstance(value, str) and len(value) == 36:
        try:
            yield UUID(value)
        except ValueError:
            return
