"""Who looked 谁看过: searches by name, exports and names opened in full, for auditors; and, on the
page of a household, who has seen it."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.known_at import moment_asked
from domain.rules.base import china_moment
from domain.world import Role
from eventstore.access_log import Access
from projections.asking.readers import heads, readers
from web.officials import name_officials
from web.parts import AtDesk, Desk, MaybeDay, MaybeId, url

router = APIRouter(include_in_schema=False)

AUDITORS: Final = frozenset({Role.AUDITOR})
SEE_OF_A_HOUSEHOLD: Final = AUDITORS | {Role.COUNTY_APPROVER}
ROWS: Final = 30
MOST_READ: Final = 3_000
"""Readings that are looked through for a page: others may be of officers of other areas."""
NAMED: Final = 5
"""Households of one reading that are named; a sheet shows a thousand."""
OF_A_HOUSEHOLD: Final = 20
OF_ONE_SHEET: Final = timedelta(minutes=2)
"""Pages of a sheet that follow each other within this time are told as one."""
FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 9998
NEVER: Final = datetime(LAST_YEAR, 1, 1, tzinfo=UTC)

Before = Annotated[int | None, Query(ge=1, le=2**53)]
Row = dict[str, Any]


@router.get("/readings")
async def readings(
    request: Request,
    desk: AtDesk,
    officer: MaybeId = None,
    day: MaybeDay = None,
    before: Before = None,
) -> Response:
    """Readings of officers of the auditor's areas, the newest first; of one, or of a day."""
    desk.caller.scope(AUDITORS, None)
    found, more = await run_in_threadpool(_page, desk, officer, day, before)
    return await desk.show(
        request,
        "readings.html",
        rows=found,
        officers=await run_in_threadpool(_officers, desk),
        officer=officer,
        day=day,
        first=url("/readings", officer=officer, day=day) if before else "",
        next=url("/readings", officer=officer, day=day, before=more) if more else "",
    )


def _page(
    desk: Desk, officer: UUID | None, day: date | None, before: int | None
) -> tuple[list[Row], int | None]:
    """The rows of a page, and before which number the next one begins."""
    since, until = _hours(day)
    kept: list[Access] = []
    known: dict[UUID, Row] = {}
    at, read = before, 0
    while read < MOST_READ:
        some = desk.caller.system.readings.newest(
            before=at, officer=officer, since=since, until=until, limit=10 * ROWS
        )
        known |= _readers(desk, some)
        kept += [one for one in some if one.officer in known]
        read += len(some)
        at = some[-1].n if some else None
        if len(some) < 10 * ROWS or len(kept) > ROWS:
            break
    more = kept[ROWS - 1].n if len(kept) > ROWS else at if read >= MOST_READ else None
    return _told(desk, kept[:ROWS], known), more


def _hours(day: date | None) -> tuple[datetime | None, datetime | None]:
    """From when to when a day lasts in China."""
    if day is None:
        return None, None
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        return NEVER, NEVER
    return china_moment(day), china_moment(day + timedelta(days=1))


def _readers(desk: Desk, found: list[Access]) -> dict[UUID, Row]:
    """Those of the officers who are employed in the auditor's areas, with their names."""
    scope = desk.caller.scope(AUDITORS, None)
    with desk.caller.system.reader() as db:
        known = readers(db, scope.on(db), {one.officer for one in found})
    name_officials(desk.caller, known.values())
    return known


def _officers(desk: Desk) -> list[tuple[str, str]]:
    """Whom the page can be narrowed down to: id and name of those who have read something."""
    sql = "SELECT DISTINCT officer FROM access_log"
    ids = {UUID(bytes=bytes(row[0])) for row in desk.caller.system.store.vault.fetch(sql)}
    scope = desk.caller.scope(AUDITORS, None)
    with desk.caller.system.reader() as db:
        known = readers(db, scope.on(db), ids)
    name_officials(desk.caller, known.values())
    return sorted(
        ((str(id), row["actor_name"]) for id, row in known.items()), key=lambda one: one[1]
    )


def _told(desk: Desk, found: list[Access], known: dict[UUID, Row]) -> list[Row]:
    scope = desk.caller.scope(AUDITORS, None)
    ids = {id for one in found for id in one.shown[:NAMED]}
    with desk.caller.system.reader() as db:
        named = heads(db, scope.on(db), ids)
    rows = [
        {
            "n": one.n,
            "at": one.at,
            "kind": one.kind,
            "what": one.what,
            "found": one.found,
            "officer_name": known[one.officer]["actor_name"],
            "officer": str(one.officer),
            "households": [(str(id), named[id]) for id in one.shown[:NAMED] if id in named],
            "others": len(one.shown) - NAMED if len(one.shown) > NAMED else 0,
        }
        for one in found
    ]
    return list(_as_one(rows))


def _as_one(rows: list[Row]) -> Iterator[Row]:
    """The pages of one sheet, which are noted one by one as it is sent, as one row."""
    held: Row | None = None
    for row in rows:
        of_the_same = (
            held is not None
            and held["kind"] == row["kind"] == "export"
            and (held["officer"], held["what"]) == (row["officer"], row["what"])
            and held["at"] - row["at"] < OF_ONE_SHEET
        )
        if held is not None and of_the_same:
            others = held["others"] + row["others"] + len(row["households"])
            held = {
                **held,
                "at": row["at"],
                "found": held["found"] + row["found"],
                "others": others,
            }
        else:
            if held is not None:
                yield held
            held = row
    if held is not None:
        yield held


async def who_looked(desk: Desk, household: UUID) -> list[Row] | None:
    """The latest who have seen a household, for who may know; None for others, and in the past."""
    if SEE_OF_A_HOUSEHOLD.isdisjoint(desk.caller.roles()) or moment_asked() is not None:
        return None
    return await run_in_threadpool(_of_household, desk, household)


def _of_household(desk: Desk, household: UUID) -> list[Row]:
    found = desk.caller.system.readings.of_subject(household, OF_A_HOUSEHOLD)
    scope = desk.caller.scope(SEE_OF_A_HOUSEHOLD, None)
    with desk.caller.system.reader() as db:
        known = readers(db, scope.on(db), {one.officer for one in found})
    name_officials(desk.caller, known.values())
    return [
        {
            "at": one.at,
            "kind": one.kind,
            "what": one.what,
            "officer_name": known[one.officer]["actor_name"] if one.officer in known else None,
        }
        for one in found
    ]
