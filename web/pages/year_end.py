"""The turn of a year: posts that end are renewed together; which certificates end."""

from datetime import date, timedelta
from typing import Any, Final
from uuid import uuid4

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.known_at import moment_asked
from api.login import checked_as
from api.observing import correlation_of
from api.renewal_lists import RenewalList, renewed
from domain.commands.renewing import RenewPost
from domain.rules.base import china_day
from projections.asking.ending_posts import SOON_DAYS, ending_post_counts, ending_posts
from projections.asking.officer_lists import officers
from web.parts import AtDesk, Desk
from web.session import own_key, read_fields, require_token

router = APIRouter(include_in_schema=False)

ROWS: Final = 300
"""Posts on one page, renewed by one form."""
BYTES: Final = ROWS * 120 + 1000
OVER: Final = 30
"""Days for which a post that has ended unnoticed is still shown."""


def year_end(day: date) -> date:
    """The last day of the year; near it, as far as home looks ahead."""
    return max(date(day.year, 12, 31), day + timedelta(days=SOON_DAYS))


async def ending_soon(desk: Desk) -> int:
    """What home tells an administrator: how many posts end soon."""
    today = china_day(desk.now)
    until = today + timedelta(days=SOON_DAYS)
    found: dict[str, int] = await desk.ask(ending_post_counts, since=today, until=until)
    return found["posts"]


@router.get("/officers/year-end")
async def ending(request: Request, desk: AtDesk, until: date | None = None) -> Response:
    """Posts that end by a day, and certificates; the boxes are ticked."""
    return await _show(request, desk, until)


@router.post("/officers/year-end")
async def renew(request: Request, desk: AtDesk) -> Response:
    """Renew the ticked posts; the same page then tells which were and which were not."""
    desk.caller.scope(RenewPost.roles, None)
    fields = await read_fields(request, BYTES, ROWS + 5)
    form = dict(fields)
    require_token(desk.caller.session, form)
    ticked = [value.partition(" ") for name, value in fields if name == "post"]
    until = _day(form.get("until", ""))
    if not ticked:
        return await _show(request, desk, until, none_ticked=True)
    given = checked_as(
        RenewalList,
        {
            "ends_on": form.get("ends_on", ""),
            "posts": [{"officer": who, "appointment": what} for who, _, what in ticked],
        },
    )
    key = own_key(form.get("key", ""))
    told = await run_in_threadpool(
        renewed, desk.caller.system, desk.caller.id, key, correlation_of(request), given
    )
    return await _show(request, desk, until, told=told)


async def _show(
    request: Request,
    desk: Desk,
    until: date | None,
    *,
    told: dict[str, Any] | None = None,
    none_ticked: bool = False,
) -> Response:
    today = china_day(desk.now)
    until = until or year_end(today)
    since = today - timedelta(days=OVER)
    found, more = await desk.ask_all(ending_posts, since=since, until=until, most=ROWS)
    trained, _ = await desk.ask_all(officers, certified_until=until, most=ROWS)
    refused = {str(one["appointment"]): one for one in told["refused"]} if told else {}
    done = {str(one["appointment"]) for one in told["renewed"]} if told else set()
    return await desk.show(
        request,
        "year_end.html",
        rows=[row for row in found if row["appointment"] not in done],
        more=more,
        rows_most=ROWS,
        trained=trained,
        refused=refused,
        renewed=len(done),
        told=told is not None,
        none_ticked=none_ticked,
        until=until,
        today=today.isoformat(),
        proposed=date(today.year + 1, 12, 31),
        keeps=not RenewPost.roles.isdisjoint(desk.caller.roles()) and moment_asked() is None,
        own=str(desk.caller.id),
        key=uuid4(),
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
