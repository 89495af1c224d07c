"""Queries over HTTP: one endpoint for all of them, one row a query in `api.routes`.

A query function belongs to its view: ``stockpiles(db, scope, *, item=None, cursor=None,
limit=100) -> Page``, or ``stockpile(db, scope, *, stockpile) -> dict | None`` for one thing. Its
keyword parameters are the route's; jurisdiction is decided here, before it runs. A parameter
``at`` that is not given is the store's present time.
"""

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import APIRouter, Query, Request
from pydantic import AwareDatetime
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from api.auth import Asking, Caller
from api.cursors import Cursors
from api.filters import SEVERAL, WORDS, check_known, check_words, unruled
from api.known_at import HEADER, PARAMETER, Moment, moment_asked
from api.problems import ApiProblem, malformed
from api.readings import note_export, note_search, noting_export
from api.sheets import Language, Sheet, has_sheet, whole
from api.system import System
from api.words import meant_by, words_of
from api.workbooks import XLSX, workbook
from domain.refusal import NotFound, NotYourRole
from domain.world import Role
from eventstore.limits_reached import limit_reached
from projections.asking.paging import MAX_LIMIT, Page
from projections.asking.scope import Scope
from streams.following import cursor_of

Position = Annotated[
    int | None,
    Query(ge=0, le=2**53, description="Wait (bounded) until the view has seen this log position"),
]


KNOWN_AT = Query(
    max_length=200,
    description="Answer as it was known at a position of the log, or at a time: a time without a "
    "zone is China time, a bare date its 24:00. 503 while that past is being prepared.",
)
KnownAt = Annotated[str | None, KNOWN_AT]
"""Named in a signature for what the API says of itself: `api.known_at` has found the moment before
the endpoint is asked."""

KIND_OF = {"case": "ReliefCase", "report": "SituationReport", "village": "Area"}
"""What a name in a path stands for, where it is not simply the thing's own."""


@dataclass(frozen=True)
class Read:
    """A route that answers a query. ``roles`` may ask it, in their areas and below."""

    path: str
    query: Callable[..., Any]
    roles: frozenset[Role]
    tag: str

    method = "GET"

    @cached_property
    def in_path(self) -> tuple[str, ...]:
        return tuple(re.findall(r"{(\w+)}", self.path))

    @property
    def kind(self) -> str:
        """What the route is about, by a key of `domain.telling.KINDS`."""
        name = self.in_path[0]
        return KIND_OF.get(name) or "".join(part.capitalize() for part in name.split("_"))

    @cached_property
    def parameters(self) -> dict[str, inspect.Parameter]:
        found = inspect.signature(self.query).parameters.values()
        return {p.name: p for p in found if p.kind is p.KEYWORD_ONLY}

    @property
    def of_one(self) -> bool:
        """Is about one thing named in the path; an area there is a place, not a thing."""
        return set(self.in_path) != {"area"} and bool(self.in_path)


async def wait_for(caller: Caller, after: int | None) -> None:
    """Read your own write: wait until the views have reached ``after``. 503 if they do not.

    A position that the log has not reached is refused at once: nobody was ever told of it.
    """
    system = caller.system
    if after is not None and moment_asked() is not None:
        raise malformed(
            [
                {
                    "field": "after",
                    "rule": "of_the_past",
                    "zh": "查看过去的时点时不能同时等待新记录",
                    "en": "Of a moment of the past there is nothing to wait for.",
                }
            ]
        )
    if after is None or system.boards.position >= after:
        return
    if not await _in_the_log(system, after - system.limits.after_ahead):
        limit_reached("after_ahead")
        raise ApiProblem(
            422,
            "position-beyond-head",
            "账本还没有这个位置（after）",
            "The log has not reached that position (after).",
        )
    if not await system.waiting.until(after, system.after_wait_seconds):
        raise ApiProblem(
            503,
            "views-behind",
            "看板尚未更新到您要的位置，请稍后再试",
            "The view has not reached that position yet. Try again.",
            headers={"Retry-After": "1"},
        )
    if system.tree.behind:
        await run_in_threadpool(system.look_again)


async def _in_the_log(system: System, position: int) -> bool:
    """Whether the log has come to a position. The second answer was asked for after we came."""
    return await system.head() >= position or await system.head() >= position


async def ask(caller: Caller, read: Read, area: UUID | None, **given: Any) -> Any:
    """Run a query for a caller. 404 outside the jurisdiction, 403 inside it without the role."""
    return await run_in_threadpool(partial(asked, caller, read, area, **given))


def asked(caller: Caller, read: Read, area: UUID | None, **given: Any) -> Any:
    """`ask` on a thread that may wait: who has one does not wait for another."""
    _fill_in(caller, read, given)
    scope = caller.scope(read.roles, area) if not read.of_one else None
    cursors = _cursors(caller, read, area, given)
    if given.get("cursor") is not None:
        given["cursor"] = cursors.opened(given["cursor"])
    found = _found(caller, read, scope, given)
    if found is None:
        missing = next((given[name] for name in read.in_path if name in given), UUID(int=0))
        raise NotFound(kind=read.kind, id=missing)
    if given.get("names") is not None and isinstance(found, Page):
        note_search(caller.system, caller.id, read.query.__name__, given["search"], found)
    texts = caller.system.store.texts
    if isinstance(found, Page):
        if not found.items and (problem := unruled(caller, read, given)) is not None:
            raise problem
        texts.opened(found.items)
        return cursors.sealed(found)
    return texts.opened(found)


def _found(caller: Caller, read: Read, scope: Scope | None, given: dict[str, Any]) -> Any:
    """``scope``: of a list; a thing is looked for in all areas of the caller's fitting posts."""
    with caller.system.reader() as db:
        if scope is not None:
            found = read.query(db, scope, **given)
            check_known(caller, read, db, given, found)
            return found
        allowed = caller.areas(read.roles)
        found = read.query(db, caller.scope(read.roles, None), **given) if allowed else None
        if found is None and set(allowed) != set(caller.areas()):
            everywhere = caller.scope(caller.roles(), None)
            if read.query(db, everywhere, **given) is not None:
                raise NotYourRole(needed=", ".join(sorted(read.roles)))
        if isinstance(found, Page):  # a list of one thing, with filters of its own
            check_known(caller, read, db, given, found)
        return found


def _cursors(caller: Caller, read: Read, area: UUID | None, given: Mapping[str, Any]) -> Cursors:
    """The seals of this list as it is asked: what is not given is what the query takes it for."""
    filters = {name: given.get(name, p.default) for name, p in read.parameters.items()}
    if (moment := moment_asked()) is not None:
        filters[PARAMETER] = moment.position
    return Cursors(caller.system.cursor_key, read.query.__name__, area, filters)


def endpoint_of(read: Read) -> Callable[..., Any]:
    """A FastAPI endpoint whose parameters are those of the query function."""

    async def endpoint(
        request: Request,
        caller: Asking,
        area: UUID | None = None,
        after: Position = None,
        known_at: str | None = None,
        **given: Any,
    ) -> Response:
        del known_at  # `api.known_at` has found the moment before we were asked
        await wait_for(caller, after)
        boards, moment = caller.system.boards, moment_asked()
        position, places = boards.position, cursor_of(boards.vector())
        headers = {"Relief-Position": str(position), "Relief-Positions": places, "Vary": "Accept"}
        if moment is not None:
            position = moment.position
            headers = {HEADER: str(position), "Relief-Position": str(position), "Vary": "Accept"}
        if "text/csv" in request.headers.get("accept", "") and has_sheet(read.query.__name__):
            return await sheet(caller, read, area, headers, **given)
        return render(await ask(caller, read, area, **given), position, headers, moment)

    def mine(name: str, annotation: Any, default: Any = inspect.Parameter.empty) -> None:
        kind = inspect.Parameter.KEYWORD_ONLY
        own.append(inspect.Parameter(name, kind, annotation=annotation, default=default))

    own: list[inspect.Parameter] = []
    mine("request", Request)
    mine("caller", Asking)
    mine("after", Position, None)
    mine(PARAMETER, KnownAt, None)
    if "area" in read.in_path:
        mine("area", UUID)
    elif not read.of_one:
        mine("area", UUID | None, None)
    taken = [_bounded(p, read) for p in read.parameters.values() if p.name not in FILLED_IN]
    endpoint.__signature__ = inspect.Signature(own + taken)  # type: ignore[attr-defined]
    endpoint.__name__ = read.query.__name__
    endpoint.__doc__ = inspect.getdoc(read.query)
    return endpoint


EXERCISE = "Exercises, or what is in earnest. Not said: a training store's exercises, else earnest."
FILLED_IN = ("area", "names", "meant", "held", "asker", "among")
"""Parameters of a query that the edge fills in: nobody sends them."""


def _fill_in(caller: Caller, read: Read, given: dict[str, Any]) -> None:
    """``at`` is now unless it is asked for; ``held`` is the time that does not count because
    a clock was held; ``asker`` is who asks; ``names`` asks who is called what ``search`` says, and
    ``meant`` which keys of the rulebooks are."""
    for name, value in given.items():
        if isinstance(value, str) and "\x00" in value:
            raise malformed(
                [{"field": name, "rule": "nul", "zh": "含有空字符", "en": "Holds NUL."}]
            )
    check_words(caller, read, given)
    store = caller.system.store
    if "at" in read.parameters and given.get("at") is None:
        given["at"] = caller.system.moment()
    if "exercise" in read.parameters and given.get("exercise") is None:
        given["exercise"] = store.training
    if "held" in read.parameters:
        given["held"] = store.clock.held_time
    if "asker" in read.parameters:
        given["asker"] = caller.id
    if "names" in read.parameters and (search := given.get("search")):
        caller.system.quotas.searches.take(caller.id)
        seconds = caller.system.after_wait_seconds
        store.effects.until(caller.system.boards.position, seconds)
        given["names"] = partial(store.find, search)
    if "meant" in read.parameters and given.get("search"):
        given["meant"] = meant_by(caller, store.clock.now())


def _bounded(parameter: inspect.Parameter, read: Read) -> inspect.Parameter:
    if parameter.name == "exercise":
        drills: Any = Annotated[bool | None, Query(description=EXERCISE)]
        return parameter.replace(annotation=drills, default=None)
    if parameter.name == "limit":
        kind: Any = Annotated[int, Query(ge=1, le=MAX_LIMIT)]
        return parameter.replace(annotation=kind)
    if parameter.name == "at":  # not said: the store's clock, see `_fill_in`
        return parameter.replace(annotation=AwareDatetime | None, default=None)
    if parameter.annotation in (str | None, str) and parameter.name != "cursor":
        asked = (read.query.__name__, parameter.name)
        words = WORDS.get(asked) if asked not in SEVERAL else None
        told: Any = {"enum": list(words)} if words else None  # refused by `api.filters`
        bounded: Any = Annotated[
            parameter.annotation,
            Query(max_length=200, pattern=r"^[^\x00]*$", json_schema_extra=told),
        ]
        in_query = parameter.default is not inspect.Parameter.empty
        return parameter.replace(annotation=bounded) if in_query else parameter
    if parameter.annotation in (int | None, int):
        whole: Any = Annotated[parameter.annotation, Query(ge=-(2**53), le=2**53)]
        in_query = parameter.default is not inspect.Parameter.empty
        return parameter.replace(annotation=whole) if in_query else parameter
    return parameter


def render(
    found: Any, position: int, headers: dict[str, str], moment: Moment | None = None
) -> Response:
    """The answer as JSON; of the past it says which moment it is about."""
    known = {} if moment is None else {PARAMETER: moment.told()}
    if isinstance(found, Page):
        body: Any = {"items": found.items, "next": found.next, "position": position, **known}
    else:
        body = {**found, "position": position, **known} if isinstance(found, dict) else found
        if isinstance(found, dict) and isinstance(found.get("version"), int):
            headers["ETag"] = f'"{found["version"]}"'
    return Response(
        msgspec.json.encode(body, enc_hook=str), 200, headers, media_type="application/json"
    )


def of_moment(found: dict[str, Any]) -> Response:
    """An answer as it stands; of the past it says which moment it is about."""
    headers: dict[str, str] = {}
    if (moment := moment_asked()) is not None:
        found = {**found, PARAMETER: moment.told()}
        headers[HEADER] = str(moment.position)
    body = msgspec.json.encode(found, enc_hook=str)
    return Response(body, 200, headers, media_type="application/json")


async def sheet(
    caller: Caller,
    read: Read,
    area: UUID | None,
    headers: dict[str, str],
    *,
    as_book: bool = False,
    language: Language = "zh",
    **given: Any,
) -> Response:
    """All rows of a list as CSV for people (`api.sheets`), from ``cursor`` on. 404, 403 as `ask`.

    ``as_book``: as .xlsx. ``language``: of its headings and words, that of the page; programs
    that ask for CSV get Chinese.

    The list is asked page by page while it is sent; the moment it is asked for stays the same.
    """
    now = caller.system.moment()
    if "at" in read.parameters and given.get("at") is None:
        given["at"] = now
    given["limit"] = MAX_LIMIT
    first = await ask(caller, read, area, **given)
    words = await run_in_threadpool(words_of, caller, now, language)

    async def more(cursor: str) -> Page:
        found: Page = await ask(caller, read, area, **{**given, "cursor": cursor})
        return found

    told = Sheet(read.query.__name__, words, caller.system.store.training, language)
    return await sheet_answer(caller, told, first, more, headers, as_book=as_book)


async def sheet_answer(
    caller: Caller,
    sheet: Sheet,
    first: Page,
    more: Callable[[str], Any],
    headers: dict[str, str],
    *,
    as_book: bool,
) -> Response:
    """A sheet on its way, as CSV or .xlsx. ``more`` asks for the page behind a cursor. Each page
    is noted before it is sent (`api.readings`)."""
    await note_export(caller.system, caller.id, sheet.name, first.items)
    more = noting_export(caller.system, caller.id, sheet.name, more)
    if as_book:
        return StreamingResponse(workbook(sheet, first, more), headers=headers, media_type=XLSX)
    csv = "text/csv; charset=utf-8"
    return StreamingResponse(whole(sheet, first, more), headers=headers, media_type=csv)


def router_of(reads: tuple[Read, ...]) -> APIRouter:
    router = APIRouter()
    for read in reads:
        roles = ", ".join(sorted(role.value for role in read.roles))
        lines = (read.query.__doc__ or read.query.__name__).strip().splitlines()
        router.add_api_route(
            read.path,
            endpoint_of(read),
            methods=["GET"],
            tags=[read.tag],
            summary=lines[0],
            description="\n".join(lines) + f"\n\nRoles: {roles}.",
            operation_id=read.query.__name__,
            response_class=Response,
            responses=READ_RESPONSES,
        )
    return router


def _problem(text: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": text, "content": {"application/problem+json": {"schema": schema}}}


READ_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The answer; `Relief-Position` says as of which log position,"
        " `Relief-Positions` that of each partition.",
        "content": {"application/json": {}, "text/csv": {}},
    },
    400: _problem("The cursor is not one of ours"),
    401: _problem("Not logged in"),
    403: _problem("Your jurisdiction, but not your role"),
    404: _problem("No such thing, or outside your jurisdiction"),
    422: _problem("Parameters need correcting"),
    503: _problem("The view is behind"),
}
