"""Areas 区划: the tree as it is now, and the seat of the store. Joined by the queries of others."""

from typing import Any
from uuid import UUID

from sqlalchemy import Column, ColumnElement, Connection, Index, String, Table, func, select

from domain.area import Area
from domain.store import Store
from projections.folding.base import LOGICAL, Rows, View, text_of

AREAS = Table(
    "areas",
    LOGICAL,
    Column("id", String(36), primary_key=True),
    Column("code", String(12), nullable=False),
    Column("name", String, nullable=False),
    Column("level", String, nullable=False),
    Column("parent", String(36)),
    Column("established_on", String, nullable=False),
    Column("abolished_on", String),
    Column("merged_into", String(36)),
    Column("former_codes", String, nullable=False),  # each between spaces: " 340824 "
    Index("areas_by_parent", "parent"),
    Index("areas_by_successor", "merged_into"),
    Index("areas_by_code", "code"),
)

GROUPS = Table(
    "area_groups",
    LOGICAL,
    Column("village", String(36), primary_key=True),
    Column("code", String(2), primary_key=True),
    Column("name", String, nullable=False),
    Column("since", String, nullable=False),
    Column("ended_on", String),
    Column("passed_to", String(36)),  # the village that took it over in a merger
    Column("passed_code", String, nullable=False),  # its sub-code there; "": none was left
)
"""Villagers' groups 村民小组, by village and sub-code, ended ones too."""

SEATS = Table(
    "areas_seat",
    LOGICAL,
    Column("store", String(36), primary_key=True),
    Column("seat", String(36), nullable=False),
)
"""One row: the highest area with somebody in post. None where the store has not recorded it."""


def at_seat(area: Any) -> ColumnElement[bool]:
    """Whether an area is the seat: nobody is in post above it (decision 0054)."""
    found: ColumnElement[bool] = area.in_(select(SEATS.c.seat))
    return found


ABOVE = func.coalesce(AREAS.c.merged_into, AREAS.c.parent)
"""Who reaches an area from above (`domain.area.Area.above`): of a merged village its successor.

Sums go by ``parent`` all the same: what a village reported while it was one stays its own.
"""


TOWNSHIP_DIGITS = 9
"""A township's code is written so too; the log has it with 12."""


def established(rows: Rows, at: int, e: Area.Established) -> None:
    rows.put(
        AREAS,
        {
            "id": text_of(e.originator_id),
            "code": e.code,
            "name": e.name,
            "level": e.level,
            "parent": text_of(e.parent) if e.parent else None,
            "established_on": e.established_on.isoformat(),
            "former_codes": " ",
        },
    )


def renamed(rows: Rows, at: int, e: Area.Renamed) -> None:
    rows.change(AREAS, text_of(e.originator_id), name=e.name)


def code_changed(rows: Rows, at: int, e: Area.CodeChanged) -> None:
    known = rows.need(AREAS, text_of(e.originator_id))
    former = f"{known['former_codes']}{known['code']} "
    rows.change(AREAS, text_of(e.originator_id), code=e.code, former_codes=former)


def merged_into(rows: Rows, at: int, e: Area.MergedInto) -> None:
    rows.change(
        AREAS,
        text_of(e.originator_id),
        abolished_on=e.effective_on.isoformat(),
        merged_into=text_of(e.target),
    )


def abolished(rows: Rows, at: int, e: Area.Abolished) -> None:
    rows.change(AREAS, text_of(e.originator_id), abolished_on=e.effective_on.isoformat())


def group_named(rows: Rows, at: int, e: Area.GroupNamed | Area.GroupTakenOver) -> None:
    rows.put(
        GROUPS,
        {
            "village": text_of(e.originator_id),
            "code": e.code,
            "name": e.name,
            "since": e.effective_on.isoformat(),
            "passed_code": "",
        },
    )


def group_renamed(rows: Rows, at: int, e: Area.GroupRenamed) -> None:
    since = e.effective_on.isoformat()
    rows.change(GROUPS, text_of(e.originator_id), e.code, name=e.name, since=since)


def group_ended(rows: Rows, at: int, e: Area.GroupEnded) -> None:
    rows.change(GROUPS, text_of(e.originator_id), e.code, ended_on=e.effective_on.isoformat())


def group_passed_on(rows: Rows, at: int, e: Area.GroupPassedOn) -> None:
    rows.change(
        GROUPS,
        text_of(e.originator_id),
        e.code,
        ended_on=e.effective_on.isoformat(),
        passed_to=text_of(e.into),
        passed_code=e.into_code,
    )


def seat_recorded(rows: Rows, at: int, e: Store.Opened) -> None:
    rows.put(SEATS, {"store": text_of(e.originator_id), "seat": text_of(e.area)})


def seat_moved(rows: Rows, at: int, e: Store.SeatMoved) -> None:
    rows.change(SEATS, text_of(e.originator_id), seat=text_of(e.seat))


# The tree of divisions is public: these two queries take no scope.


def lineage(db: Connection, area: UUID) -> tuple[UUID, ...]:
    """The area, what is above it, … up to the root; empty when there is no such area."""
    steps: list[UUID] = []
    at: str | None = str(area)
    while at is not None:
        found = db.execute(select(ABOVE).where(AREAS.c.id == at)).first()
        if found is None:
            break
        steps.append(UUID(at))
        at = found[0]
    return tuple(steps)


def by_code(db: Connection, code: str) -> UUID | None:
    """The living area with this code: 6, 9 or 12 digits, of which the last may be zeros."""
    wanted = [code, code.removesuffix("000000")]
    if len(code) == TOWNSHIP_DIGITS:
        wanted.append(code + "000")
    living = AREAS.c.abolished_on.is_(None)
    query = select(AREAS.c.id).where(AREAS.c.code.in_(wanted), living).order_by(AREAS.c.id)
    found = db.execute(query).first()
    return UUID(found[0]) if found else None


def children(db: Connection, area: UUID) -> list[dict[str, Any]]:
    """The areas directly below, by code."""
    query = select(AREAS).where(AREAS.c.parent == str(area)).order_by(AREAS.c.code, AREAS.c.id)
    return [dict(row) for row in db.execute(query).mappings()]


VIEW = View(
    name="areas",
    version=5,
    tables=(AREAS, GROUPS, SEATS),
    routes={
        Area.Established: established,
        Area.Renamed: renamed,
        Area.CodeChanged: code_changed,
        Area.MergedInto: merged_into,
        Area.Abolished: abolished,
        Area.GroupNamed: group_named,
        Area.GroupRenamed: group_renamed,
        Area.GroupEnded: group_ended,
        Area.GroupPassedOn: group_passed_on,
        Area.GroupTakenOver: group_named,
        Store.Opened: seat_recorded,
        Store.SeatMoved: seat_moved,
    },
    ignored={Area.SplitFrom: "the new village has its own Established; history is the timeline's"},
)
