"""The difference of two moments: which figures changed, by which facts, by whom."""

from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import APIRouter, Query
from sqlalchemy import select
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.auth import Asking, Caller
from api.cursors import Cursors
from api.known_at import Moment, moment_of, preparing
from api.problems import malformed
from api.reads import READ_RESPONSES
from api.routes import LIVE
from domain.world import Role
from eventstore.moments import makers
from eventstore.store import Store
from eventstore.url_text import bytes_of, text_of
from projections.asking.paging import Page
from projections.catalog import VIEWS
from projections.folding.base import LOGICAL
from projections.officers import OFFICERS
from streams.past import PastBehind
from streams.past_changes import Change, changes, generations

MOST_ROWS = 200
TABLES = {
    board: tuple(sorted(name for name in tables if "area" in LOGICAL.tables[name].c))
    for board, (tables, _) in LIVE.items()
}
"""By board what its changes are looked for in: rows that are of an area."""
VIEW_OF = {table.name: view.name for view in VIEWS for table in view.tables}

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Differing:
    """A page of changes: rows, each with the facts that made it, and where the next page begins."""

    since: Moment
    upto: Moment
    items: list[dict[str, Any]]
    next: str | None


def changes_of(
    caller: Caller,
    board: str,
    since: str,
    upto: str,
    *,
    area: UUID | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> Differing:
    """What changed on a board between two moments, for who may see it now. 404, 403 as its lists;
    422 for moments that cannot be meant or of which the later is said first."""
    scope = caller.scope(LIVE[board][1] if board in TABLES else frozenset(Role), area)
    if board not in TABLES:
        raise malformed([_wrong("view", "没有这个看板", f"One of: {', '.join(sorted(TABLES))}.")])
    store = caller.system.store
    first, last = moment_of(store, since), moment_of(store, upto)
    if last.position < first.position:
        raise malformed([_wrong("to", "后一时点早于前一时点", "The second moment is the earlier.")])
    names = TABLES[board]
    asked = {"board": board, "from": first.position, "to": last.position}
    cursors = Cursors(caller.system.cursor_key, "changes", area, asked)
    number, after = _opened(cursors.opened(cursor)) if cursor is not None else (0, ())
    items: list[Change] = []
    onward: tuple[int, tuple[Any, ...]] | None = None
    try:
        with caller.system.past.at(last.position) as db:
            known = generations(db)
            while number < len(names) and onward is None:
                table = LOGICAL.tables[names[number]]
                generation = known[VIEW_OF[table.name]]
                span = {"since": first.position, "upto": last.position}
                found, left = changes(
                    db, table, generation, scope.on(db), after=after, limit=limit, **span
                )
                items += found
                if left is not None:
                    onward = number, left
                number, after = number + 1, ()
            told = [_told(one) for one in items]
            name_actors(store, db, told)
    except PastBehind as behind:
        raise preparing(behind) from behind
    store.texts.opened(told)
    leaf = cursors.sealed(Page(told, None if onward is None else _inner(*onward)))
    return Differing(first, last, leaf.items, leaf.next)


def _wrong(field: str, zh: str, en: str) -> dict[str, Any]:
    return {"field": field, "rule": field, "zh": zh, "en": en}


def _told(one: Change) -> dict[str, Any]:
    return {
        "view": VIEW_OF[one.table],
        "table": one.table,
        "key": list(one.key),
        "area": one.area,
        "column": one.column,
        "before": one.before,
        "now": one.now,
        "positions": list(one.positions),
    }


def name_actors(store: Store, db: Any, rows: list[dict[str, Any]]) -> None:
    """Beside the facts of each row who made them: officer, masked name, role; each once."""
    wanted = sorted({position for row in rows for position in row["positions"]})
    metas = makers(store.log, wanted)
    officers = {str(meta.actor) for meta in metas.values()}
    asked = select(OFFICERS.c.id, OFFICERS.c.masked_name).where(OFFICERS.c.id.in_(officers))
    named = {row[0]: row[1] for row in db.execute(asked)}
    for row in rows:
        of = [metas[position] for position in row["positions"] if position in metas]
        actors = {(str(meta.actor), meta.role) for meta in of}
        row["actors"] = [
            {"officer": id, "name": named.get(id), "role": role} for id, role in sorted(actors)
        ]
        row["at"] = of[-1].recorded_at if of else None


def _inner(number: int, key: tuple[Any, ...]) -> str:
    """In which table the next page begins, and after which key."""
    return text_of(msgspec.json.encode([number, *key]))


def _opened(inner: str) -> tuple[int, tuple[Any, ...]]:
    number, *key = msgspec.json.decode(bytes_of(inner), type=list[Any])  # sealed: it is our own
    return int(number), tuple(key)


@router.get(
    "/v1/changes",
    tags=["past"],
    summary="What differs between two moments: columns before and now, by which facts, by whom.",
    operation_id="changes",
    responses=READ_RESPONSES,
    response_class=Response,
)
async def asked_for(
    caller: Asking,
    since: Annotated[str, Query(alias="from", max_length=60, description="As known_at")] = "",
    upto: Annotated[str, Query(alias="to", max_length=60, description="As known_at")] = "",
    view: Annotated[
        str, Query(max_length=40, description=f"One of: {', '.join(sorted(TABLES))}")
    ] = "",
    area: UUID | None = None,
    cursor: Annotated[str | None, Query(max_length=1_000)] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_ROWS)] = 50,
) -> Response:
    """``limit`` counts rows of tables; each may have changed in several columns."""
    found = await run_in_threadpool(
        changes_of, caller, view, since, upto, area=area, cursor=cursor, limit=limit
    )
    body = {"items": found.items, "next": found.next, "from": found.since.told()}
    body["to"] = found.upto.told()
    return Response(msgspec.json.encode(body, enc_hook=str), media_type="application/json")
