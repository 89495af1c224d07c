"""A refusal told to the one who reads it: what may be named to this officer is named."""

from collections.abc import Iterator, Sequence, Set
from typing import Any
from uuid import UUID

from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.auth import Caller, caller_of, system_of
from api.problems import ApiProblem, answer
from api.words import words_of
from domain.refusal import Refusal
from domain.telling import Names
from eventstore.errors import StoreError
from eventstore.outcomes import Problem, Refused, problem_of, said_facts, told
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
    if not any(_named_in(problem)):
        return problem
    return await run_in_threadpool(_told_with_names, request, problem)


def named_for(caller: Caller, problems: Sequence[Problem]) -> list[Problem]:
    """Problems told to an officer, with names and sealed texts in their sentences."""
    problems = [caller.system.store.texts.told(problem) for problem in problems]
    named = [_named_in(problem) for problem in problems]
    ids = {id for found, _ in named for id in found}
    keys = {key for _, found in named for key in found}
    if not ids and not keys:
        return problems
    found = _names(caller, ids, keys)
    return [told(problem, found) for problem in problems]


def _told_with_names(request: Request, problem: Problem) -> Problem:
    try:
        return told(problem, _names(caller_of(request), *_named_in(problem)))
    except (ApiProblem, Refusal, StoreError, *DATABASE_ERRORS):
        return problem


def _named_in(problem: Problem) -> tuple[set[UUID], set[str]]:
    """The ids, and the keys that rulebooks name, among what its sentences say."""
    facts = said_facts(problem)
    keys = {key for name in RULED if isinstance(key := facts.get(name), str)}
    return set(_ids(facts)), keys


def _names(caller: Caller, ids: Set[UUID], keys: Set[str]) -> Names:
    scope = caller.scope(caller.roles(), None)
    with caller.system.reader() as db:
        found = names(db, scope, ids=ids)
    if not keys:
        return found
    now = caller.system.store.clock.now()
    zh, en = (words_of(caller, now, language) for language in ("zh", "en"))
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
