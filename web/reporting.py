"""What the pages of the reporting side share: who may do what with a report, and its words."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from fastapi import Request
from sqlalchemy import select
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.auth import Caller
from domain.area import AreaLevel
from domain.commands.reports import ANY_LISTENER, FILERS
from domain.commands.reviews import REVIEWERS, STABILIZERS
from domain.refusal import NotFound, Refusal
from domain.world import Role
from projections.areas import AREAS, children
from projections.deadlines import DUE
from projections.sections.duties import MARKS
from web.figures import MAIN, Names, grouped, names_for
from web.formats import china
from web.parts import Desk, day_of, moment_of, url
from web.render import language_of, render

NO_ROLE: frozenset[Role] = frozenset()


@dataclass(frozen=True, slots=True)
class Place:
    """An area as a page needs it."""

    id: UUID
    name: str
    level: AreaLevel
    parent: UUID | None


@dataclass(frozen=True, slots=True)
class Rights:
    """What the caller's posts allow with the reports of one area; the command itself decides."""

    file: bool
    review: bool
    listen: bool
    stabilize: bool
    sign: bool  # has the post that issues 签发, if this area is the seat of the store


def place_of(caller: Caller, area: UUID) -> Place:
    """An area of the public tree. Raises `NotFound`; in the past also of one that came later."""
    with caller.system.reader() as db:
        row = db.execute(select(AREAS).where(AREAS.c.id == str(area))).mappings().first()
    if row is None:
        raise NotFound(kind="Area", id=area)
    parent = UUID(row["parent"]) if row["parent"] else None
    return Place(UUID(row["id"]), row["name"], AreaLevel(row["level"]), parent)


def parts_of(caller: Caller, area: UUID) -> list[dict[str, Any]]:
    """The living areas directly below."""
    with caller.system.reader() as db:
        return [row for row in children(db, area) if row["abolished_on"] is None]


def rights_on(caller: Caller, place: Place) -> Rights:
    above = place_of(caller, place.parent) if place.parent else None
    reviewer = REVIEWERS.get(above.level) if above else None
    return Rights(
        file=_may(caller, FILERS.get(place.level, NO_ROLE), place.id),
        review=above is not None
        and reviewer is not None
        and _may(caller, frozenset({reviewer}), above.id),
        sign=_may(caller, frozenset(filter(None, (REVIEWERS.get(place.level),))), place.id),
        listen=_may(caller, ANY_LISTENER, place.id),
        stabilize=_may(caller, STABILIZERS, place.id),
    )


def _may(caller: Caller, roles: frozenset[Role], area: UUID) -> bool:
    try:
        caller.actor(roles, area)
    except Refusal:
        return False
    return True


def filing_places(caller: Caller) -> list[Place]:
    """The areas the caller files reports of."""
    places = [place_of(caller, area) for area in caller.areas()]
    return [p for p in places if _may(caller, FILERS.get(p.level, NO_ROLE), p.id)]


def due_marks(caller: Caller, report: UUID) -> list[str]:
    """What is to be said beside the time at which the verified report is due: "unconfirmed" rules,
    "plain" weekends for want of that year's calendar."""
    return all_due_marks(caller, [str(report)]).get(str(report), [])


def all_due_marks(caller: Caller, reports: Collection[str]) -> dict[str, list[str]]:
    """The same of several reports; without those beside which nothing is to be said."""
    asked = select(DUE.c.subject, DUE.c.detail).where(
        DUE.c.kind == "verified_report", DUE.c.subject.in_(reports), DUE.c.number == 0
    )
    if not reports:
        return {}
    with caller.system.reader() as db:
        told = {one.subject: msgspec.json.decode(one.detail) for one in db.execute(asked)}
    marks = {
        report: [name.partition("_")[0] for name in MARKS if detail.get(name)]
        for report, detail in told.items()
    }
    return {report: said for report, said in marks.items() if said}


def minute(moment: datetime) -> str:
    """A moment as a datetime-local field writes it: China time, to the minute."""
    return china(moment).strftime("%Y-%m-%dT%H:%M")


def span(minutes: int) -> timedelta:
    return timedelta(minutes=minutes)


async def show(
    request: Request,
    desk: Desk,
    template: str,
    *,
    names: Names | None = None,
    area: UUID | None = None,
    at: datetime | None = None,
    **context: Any,
) -> Response:
    """A page with names of figures and hazards as in force ``at`` a time in an area."""

    def made() -> Response:
        named = names or names_for(desk.caller, area, at or desk.now, language_of(request))
        return render(
            request,
            template,
            now=desk.now,
            position=desk.position,
            names=named,
            main=MAIN,
            figure=grouped,
            moment_of=moment_of,
            day_of=day_of,
            minute=minute,
            span=span,
            url=url,
            **context,
        )

    return await run_in_threadpool(made)
