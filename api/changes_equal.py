"""Two named figures that ought to be equal: at which records they part and meet."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.auth import Asking, Caller
from api.changes import MOST_ROWS, VIEW_OF, name_actors
from api.cursors import Cursors
from api.known_at import Moment, moment_of, preparing
from api.problems import malformed
from api.reads import READ_RESPONSES
from api.routes import LIVE
from domain.world import Role
from eventstore.moments import makers
from projections.asking.paging import Page
from streams.past import PastBehind
from streams.past_changes import generations
from streams.past_equal import PAIRS, Turn, turns

NAMED = ", ".join(PAIRS)

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Compared:
    """How both figures stood at the first moment, and the records at which they part or meet."""

    since: Moment
    upto: Moment
    begin: Turn
    items: list[dict[str, Any]]
    next: str | None


def compared(
    caller: Caller,
    pair: str,
    since: str,
    upto: str,
    *,
    area: UUID | None = None,
    passing: bool = False,
    cursor: str | None = None,
    limit: int = 50,
) -> Compared:
    """Where two figures part and meet between two moments, of what the caller may see now. Those
    that meet again within the same command are left out, unless ``passing``. 404, 403 as the lists
    of the pair's board; 422 as `api.changes.changes_of`."""
    found = PAIRS.get(pair)
    scope = caller.scope(LIVE[found.board][1] if found else frozenset(Role), area)
    if found is None:
        raise malformed([_wrong("pair", "没有这一组数", f"One of: {NAMED}.")])
    store = caller.system.store
    first, last = moment_of(store, since), moment_of(store, upto)
    if last.position < first.position:
        raise malformed([_wrong("to", "后一时点早于前一时点", "The second moment is the earlier.")])
    asked = {"pair": pair, "from": first.position, "to": last.position, "passing": passing}
    cursors = Cursors(caller.system.cursor_key, "changes-equal", area, asked)
    after = int(cursors.opened(cursor)) if cursor is not None else 0
    try:
        with caller.system.past.at(last.position) as db:
            known = generations(db)
            tables = {table: known[view] for table, view in VIEW_OF.items() if view in known}
            span = {"since": first.position, "upto": last.position}
            exercise = store.training
            begin, *later = turns(db, found, tables, scope.on(db), exercise=exercise, **span)
            lasting = later if passing else _lasting(store.log, begin, later)
            some = list(islice((one for one in lasting if one.position > after), limit + 1))
            told = [_told(one) for one in some[:limit]]
            name_actors(store, db, told)
    except PastBehind as behind:
        raise preparing(behind) from behind
    onward = str(some[limit - 1].position) if len(some) > limit else None
    leaf = cursors.sealed(Page(told, onward))
    return Compared(first, last, begin, leaf.items, leaf.next)


def _lasting(log: Any, begin: Turn, later: list[Turn]) -> Iterable[Turn]:
    """Without those that one command undoes itself: its facts lie side by side in the log, and
    nobody but who looks between them sees the figures apart."""
    of = makers(log, [one.position for one in later])
    kept: list[Turn] = []
    for one in later:
        before, now = (of.get(at.position) for at in (kept[-1] if kept else begin, one))
        if kept and before and now and before.command == now.command:
            kept.pop()
        else:
            kept.append(one)
    return kept


def _wrong(field: str, zh: str, en: str) -> dict[str, Any]:
    return {"field": field, "rule": field, "zh": zh, "en": en}


def _told(one: Turn) -> dict[str, Any]:
    return {
        "position": one.position,
        "equal": one.equal,
        "left": one.left,
        "right": one.right,
        "difference": one.left - one.right,
        "positions": [one.position],
    }


@router.get(
    "/v1/changes/equal",
    tags=["past"],
    summary="Two named figures that ought to be equal: where they part and meet, by whom.",
    operation_id="changes_equal",
    responses=READ_RESPONSES,
    response_class=Response,
)
async def asked_for(
    caller: Asking,
    pair: Annotated[str, Query(max_length=40, description=f"One of: {NAMED}")] = "",
    since: Annotated[str, Query(alias="from", max_length=60, description="As known_at")] = "",
    upto: Annotated[str, Query(alias="to", max_length=60, description="As known_at")] = "",
    area: UUID | None = None,
    passing: bool = False,
    cursor: Annotated[str | None, Query(max_length=1_000)] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_ROWS)] = 50,
) -> Response:
    """``begin``: both figures at the first moment; each item: from that record on they are these.
    ``passing``: also where they part for the length of one command. Money in fen."""
    found = await run_in_threadpool(
        compared,
        caller,
        pair,
        since,
        upto,
        area=area,
        passing=passing,
        cursor=cursor,
        limit=limit,
    )
    body = {"items": found.items, "next": found.next, "from": found.since.told()}
    body |= {"to": found.upto.told(), "begin": _told(found.begin)}
    return Response(msgspec.json.encode(body, enc_hook=str), media_type="application/json")
