"""The situation board: totals up the tree, from the reports of `projections.situation`.

Kept beside the view for its length: it has no table of its own.
"""

from collections import defaultdict
from datetime import date, datetime, timedelta
from itertools import groupby, product
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Connection, func, or_, select

from domain.casualties import SetAside
from domain.report_filing import Review
from domain.rules.base import china_day, china_moment
from projections.areas import AREAS
from projections.asking.figures import Counted, Figures, Held, roll_up
from projections.asking.paging import Page, cut
from projections.asking.scope import Scope
from projections.disasters import DISASTERS, absorbed_into, host_of
from projections.folding.base import Row, when
from projections.officers import OFFICERS
from projections.situation import REPORTS, VERSIONS

APART = timedelta(days=3)
"""Reports are about one process if no more lies between the end of one and the beginning of the
next: reports of one flood within 3 days belong together (domain.md §1.3)."""


def situation_board(
    db: Connection,
    scope: Scope,
    *,
    disaster: UUID | None = None,
    hazard: str | None = None,
    year: int | None = None,
    as_of: date | None = None,
    exercise: bool = False,
    cursor: str | None = None,
    limit: int = 100,
) -> Page:
    """The board: one row an area with harm in it or below, down the tree, by code.

    ``official`` sums accepted figures, ``reported`` the latest versions (未审 or not), each as
    ``figures``, keys only ``partial``ly known, of each of those ``in_part`` how many of the counted
    reports ``gave`` it, ``of`` how many, ``source`` (own or children) and ``reports``.
    Reports of one disaster (on none: of one hazard and year) are counted by the rule "own, else
    the children's", but dead and missing are never fewer than the children's (``raised`` names
    those that are theirs, ``decided`` those that a named person let stand). ``larger``: by how
    much the children of an own report have more, ``newer``: as of when, if that is later.
    ``questions``: how many are open at and below. ``disasters``: how many separate ones these are.
    Figures of separate disasters are never one sum: where they are more than one, ``figures`` is
    empty and `situation_disasters` has them one by one. ``year``: in which it happened, in China.
    ``as_of``: by the versions that say how it was at the end of that day or before (截至).
    """
    hosts = dict.fromkeys(absorbed_into(db, disaster), str(disaster)) if disaster else {}
    conditions = asked_for(scope, exercise, hazard, year, as_of)
    if disaster is not None:
        conditions.append(REPORTS.c.disaster.in_(list(hosts)))
    held = held_on(db, conditions, hosts, as_of)
    areas = tree_of(db, conditions)
    parents = {id: row["parent"] for id, row in areas.items()}
    inside = [row for id, row in areas.items() if scope.contains(id, parents)]
    found = cut(inside, ("code", "area"), cursor=cursor, limit=limit)
    totals = roll_up(held, parents, [row["area"] for row in found.items])
    return found.of([row | totals[row["area"]] for row in found.items])


def situation_disasters(
    db: Connection,
    scope: Scope,
    *,
    hazard: str | None = None,
    year: int | None = None,
    as_of: date | None = None,
    exercise: bool = False,
    cursor: str | None = None,
    limit: int = 100,
) -> Page:
    """The disasters that reports are about, the first first: ``official`` and ``reported`` each.

    One row a disaster (of reports on none: a hazard and year) and topmost area of the asker. What
    separate disasters did to people is never one sum: who suffers twice is counted twice 人次.
    ``maybe_same``: the other subjects that may be the same disaster, so that both have the same
    harm until their reports are on one: see `_maybe_same`. ``as_of``: as of `situation_board`.
    """
    conditions = asked_for(scope, exercise, hazard, year, as_of)
    query = select(DISASTERS).where(DISASTERS.c.exercise.is_(exercise))
    known = {row["id"]: row for row in db.execute(query).mappings()}
    hosts = {id: host_of(known, id) for id in known}
    areas = tree_of(db, conditions)
    parents = {id: row["parent"] for id, row in areas.items()}
    inside = {id for id in areas if scope.contains(id, parents)}
    tops = [id for id in inside if parents[id] not in inside]
    groups: dict[str, list[Held]] = {}
    for one in held_on(db, conditions, hosts, as_of):
        groups.setdefault(one.group, []).append(one)
    abouts = {group: known.get(group) or _loose(group) for group in groups}
    alike = _maybe_same(groups, abouts, parents)
    rows = []
    for group, mine in groups.items():
        about = abouts[group]
        begun = about.get("occurred_at") or min(one.occurred_at for one in mine)
        for top, totals in roll_up(mine, parents, tops).items():
            row = {
                "subject": group,
                "disaster": group if group in known else None,
                "name": about["name"],
                "hazard": about["hazard"],
                "stage": about["stage"],
                "occurred_at": begun,
                "year": china_day(datetime.fromisoformat(begun)).year,
                "area": top,
                "area_name": areas[top]["name"],
                "maybe_same": sorted(
                    other
                    for other, places in alike[group].items()
                    if any(top in above(place, parents) for place in places)
                ),
            }
            rows += [row | totals] if totals["reported"]["reports"] else []
    return cut(rows, ("occurred_at", "subject", "area"), cursor=cursor, limit=limit)


def _loose(group: str) -> Row:
    """What is known of reports on no disaster: the hazard that they are counted by."""
    return {"hazard": group.partition("/")[0], "name": "", "stage": None, "area": None}


def above(area: str, parents: dict[str, str | None]) -> list[str]:
    """The area and those above it, as far as they are known."""
    found = []
    at: str | None = area
    while at is not None:
        found.append(at)
        at = parents.get(at)
    return found


def _maybe_same(
    groups: dict[str, list[Held]], abouts: dict[str, Any], parents: dict[str, str | None]
) -> dict[str, dict[str, set[str]]]:
    """Of each subject the others that may be about the same harm, each with the places of it.

    Of one hazard, no more than `APART` between two reports, and one of the places is the other or
    lies in it. A city's report can join no disaster of its county, so such pairs are no mistake of
    anybody; but two disasters that one office declared it has told apart itself.
    """
    here: dict[tuple[str, str], dict[str, list[Days]]] = defaultdict(lambda: defaultdict(list))
    for group, held in groups.items():
        for one in sorted(held, key=lambda one: one.occurred_at):
            begun, until = map(datetime.fromisoformat, (one.occurred_at, one.as_of))
            _lengthen(here[abouts[group]["hazard"], one.area][group], begun, until)
    found: dict[str, dict[str, set[str]]] = {group: defaultdict(set) for group in groups}
    for (hazard, area), lower in list(here.items()):
        for place in above(area, parents):
            higher = here.get((hazard, place), {})
            for group, other in product(lower, higher):
                by = abouts[group]["area"]
                told_apart = by is not None and by == abouts[other]["area"]
                if group != other and not told_apart and _meet(lower[group], higher[other]):
                    found[group][other].add(area)
                    found[other][group].add(area)
    return found


Days = tuple[datetime, datetime]


def _lengthen(known: list[Days], begun: datetime, until: datetime) -> None:
    """Days that reports speak of: a report goes on with the last of them, or begins new ones."""
    if known and begun <= known[-1][1] + APART:
        known[-1] = (known[-1][0], max(known[-1][1], until))
    else:
        known.append((begun, until))


def _meet(some: list[Days], others: list[Days]) -> bool:
    """Whether no more than `APART` lies between two of them."""
    return any(
        begun <= last + APART and first <= until + APART
        for (begun, until), (first, last) in product(some, others)
    )


Conditions = list[ColumnElement[bool]]
OFFICIAL = (Review.ACCEPTED, Review.ISSUED)
"""Versions that official totals are made of."""


def asked_for(
    scope: Scope,
    exercise: bool,
    hazard: str | None,
    year: int | None,
    as_of: date | None = None,
) -> Conditions:
    """Reports that count, of this hazard and calendar year where they are given, and those that
    say something of the day."""
    r = REPORTS.c
    conditions = [
        scope.covers(r.area),
        r.exercise.is_(exercise),
        r.review != str(Review.WITHDRAWN),
    ]
    if hazard is not None:
        conditions.append(r.hazard == hazard)
    if year is not None:
        conditions.append(r.year == year)
    if as_of is not None:
        conditions.append(r.report.in_(select(VERSIONS.c.report).where(_by_the_end_of(as_of))))
    return conditions


def _by_the_end_of(day: date) -> ColumnElement[bool]:
    """Whether a version says how it was at the end of a day in China or before."""
    return VERSIONS.c.as_of < when(china_moment(day + timedelta(days=1)))


def held_on(
    db: Connection, conditions: Conditions, hosts: dict[str, str], as_of: date | None
) -> list[Held]:
    """`held_by`, by the versions of reports that are as of the end of that day or before."""
    if as_of is None:
        return held_by(db, conditions, hosts)
    r, v = REPORTS.c, VERSIONS.c
    query = (
        select(
            r.report,
            r.area,
            r.disaster,
            r.occurrence,
            r.occurred_at,
            r.number.label("newest"),
            r.accepted_number,
            r.official_figures,
            r.set_aside,
            r.questions,
            v.number,
            v.review,
            v.as_of,
            v.late_minutes,
            v.figures,
        )
        .join(VERSIONS, v.report == r.report)
        .where(*conditions, _by_the_end_of(as_of))
        .order_by(r.report, v.number)
    )
    return [
        _held_on([row._mapping for row in versions], hosts)
        for _, versions in groupby(db.execute(query), key=lambda row: row.report)
    ]


def _held_on(versions: list[Any], hosts: dict[str, str]) -> Held:
    """One report as it is counted by its versions until a day. What was adjudicated, set aside or
    is asked belongs to the version it was said of."""
    last = versions[-1]
    accepted = next((one for one in reversed(versions) if one["review"] in OFFICIAL), None)
    standing = accepted is not None and accepted["number"] == last["accepted_number"]
    official = None
    if accepted is not None:
        official = _counted(last["official_figures"] if standing else accepted["figures"])
    set_aside = last["set_aside"] if standing else None
    return Held(
        report=last["report"],
        area=last["area"],
        group=hosts.get(last["disaster"], last["occurrence"]),
        pending=last["review"] == Review.PENDING,
        late=last["late_minutes"] > 0,
        reported=_counted(last["figures"]),
        accepted=official,
        as_of=last["as_of"],
        occurred_at=last["occurred_at"],
        accepted_as_of=accepted["as_of"] if accepted is not None else None,
        returned=last["review"] == Review.RETURNED,
        set_aside=msgspec.json.decode(set_aside, type=dict[str, SetAside]) if set_aside else {},
        questions=last["number"] == last["newest"] and last["questions"] != "[]",
    )


def _counted(figures: str) -> Counted:
    return Counted.of(msgspec.json.decode(figures, type=Figures))


def held_by(db: Connection, conditions: Conditions, hosts: dict[str, str]) -> list[Held]:
    """The reports with these conditions. ``hosts``: the disaster under which another counts."""
    r = REPORTS.c
    columns = (
        r.report,
        r.area,
        r.disaster,
        r.occurrence,
        r.review,
        r.late_minutes,
        r.figures,
        r.official_figures,
        r.occurred_at,
        r.as_of,
        r.accepted_as_of,
        r.set_aside,
        r.questions,
    )
    query = select(*columns).where(*conditions).order_by(r.report)
    parsed: dict[str, Counted] = {}

    def counted(text: str) -> Counted:
        """Accepted figures are mostly the reported ones: then they are decoded only once."""
        known = parsed.get(text)
        if known is None:
            known = parsed[text] = Counted.of(decode(text))
        return known

    decode = msgspec.json.Decoder(Figures).decode
    decided = msgspec.json.Decoder(dict[str, SetAside]).decode
    pending, returned = str(Review.PENDING), str(Review.RETURNED)
    return [
        Held(
            report=report,
            area=area,
            group=hosts.get(of, occurrence),
            pending=review == pending,
            late=late > 0,
            reported=counted(figures),
            accepted=counted(official) if official else None,
            as_of=as_of,
            occurred_at=occurred_at,
            accepted_as_of=accepted_as_of,
            returned=review == returned,
            set_aside=decided(set_aside) if set_aside else {},
            questions=questions != "[]",
        )
        for (
            report,
            area,
            of,
            occurrence,
            review,
            late,
            figures,
            official,
            occurred_at,
            as_of,
            accepted_as_of,
            set_aside,
            questions,
        ) in db.execute(query)
    ]


def told_of_areas(
    db: Connection,
    scope: Scope,
    *,
    disaster: UUID | None = None,
    exercise: bool = False,
) -> list[Row]:
    """Of the reports that the board counts those that its rows say something of: of each area the
    latest with how many it has (``place`` 1 of ``own``), what was returned, and what is asked
    about. A county may have ten thousand reports on none."""
    r = REPORTS.c
    conditions = asked_for(scope, exercise, None, None)
    if disaster is not None:
        conditions.append(r.disaster.in_(absorbed_into(db, disaster)))
    each = (
        select(
            r.report,
            func.row_number()
            .over(partition_by=r.area, order_by=(r.occurred_at.desc(), r.report.desc()))
            .label("place"),
            func.count().over(partition_by=r.area).label("own"),
        )
        .where(*conditions)
        .subquery("each")
    )
    names = ("report", "area", "review", "figures", "questions", "accepted_questions")
    query = (
        select(
            *(r[name] for name in names),
            r.accepted_at,
            OFFICERS.c.masked_name.label("accepted_by_name"),
            each.c.place,
            each.c.own,
        )
        .join(each, each.c.report == r.report)
        .outerjoin(OFFICERS, OFFICERS.c.id == r.accepted_by)
        .where(
            or_(
                each.c.place == 1,
                r.review == str(Review.RETURNED),
                r.questions != "[]",
                func.coalesce(r.accepted_questions, "[]") != "[]",
            )
        )
        .order_by(r.occurred_at.desc(), r.report.desc())
    )
    found = [dict(row) for row in db.execute(query).mappings()]
    for row in found:
        for name in ("figures", "questions", "accepted_questions"):
            row[name] = msgspec.json.decode(row[name]) if row[name] else None
    return found


def tree_of(db: Connection, conditions: Conditions) -> dict[str, Row]:
    """The areas of the reports with these conditions and all above them, by id."""
    columns = (
        AREAS.c.id.label("area"),
        AREAS.c.code,
        AREAS.c.name,
        AREAS.c.level,
        AREAS.c.parent,
    )
    told = select(REPORTS.c.area).where(*conditions)
    up = select(*columns).where(AREAS.c.id.in_(told)).cte("up", recursive=True)
    up = up.union(select(*columns).join(up, AREAS.c.id == up.c.parent))
    return {row["area"]: dict(row) for row in db.execute(select(up)).mappings()}
