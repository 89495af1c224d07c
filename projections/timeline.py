"""Timeline: who did what, by subject, in the order of the log.

One compact row a fact, and a narrow row for each other thing it names; what a thing has done
is found through both, together with the streams that belong to it (a household's cases and
persons, a report's rosters). Sealed fields never come here, and ids only as links, so that
one household of a contested person does not learn of the other.

One handler serves all event classes: what to take from a class is read once from its fields.
"""

import types
import typing
from collections.abc import Callable
from datetime import date, datetime
from enum import Enum
from functools import lru_cache
from operator import attrgetter
from typing import Any, cast
from uuid import UUID

import msgspec
from sqlalchemy import (
    Column,
    Connection,
    Index,
    Integer,
    Select,
    String,
    Table,
    or_,
    select,
    union,
)

from domain.area import Area
from domain.base import Created, Event, Meta, own_fields
from domain.catalog import AGGREGATES
from domain.free_texts import shortened
from domain.household import Household
from domain.person import Person
from domain.relief_case import ReliefCase
from domain.rules.standards import Programme
from domain.village_list import VillageList
from domain.world import RuleRef, Sealed
from projections.areas import AREAS
from projections.asking.paging import Page, page
from projections.asking.scope import Scope
from projections.folding.base import LOGICAL, Rows, View, text_of, when
from projections.officers import OFFICERS

STREAMS = Table(
    "timeline_streams",
    LOGICAL,
    Column("id", String(36), primary_key=True),
    Column("kind", String, nullable=False),
    Column("area", String(36), nullable=False),
    Column("owner", String(36)),  # the household of a case or person, the report of a roster row
    Index("timeline_streams_by_owner", "owner"),
)

TIMELINE = Table(
    "timeline",
    LOGICAL,
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("stream", String(36), nullable=False),
    Column("topic", String, nullable=False),
    Column("actor", String(36), nullable=False),
    Column("role", String, nullable=False),
    Column("actor_area", String(36)),
    Column("standing_for", String(36)),
    Column("at", String, nullable=False),
    Column("detail", String, nullable=False),
    Index("timeline_by_stream", "stream"),
)

LINKS = Table(
    "timeline_links",
    LOGICAL,
    Column("subject", String(36), primary_key=True),
    Column("position", Integer, primary_key=True),
    sqlite_with_rowid=False,
)

HOMES = ("area", "village", "warehouse", "destination", "holder")
"""Which field of a stream's first fact names the area it belongs to."""

OWNERS = {
    "ReliefCase": "household",
    "Person": "household",
    "CasualtyRecord": "report",
    "HouseDamage": "report",
}
NOT_SUBJECTS = frozenset({"hands", "persons", "holders", "person"})
"""Ids that name nobody's timeline, or whose link would tell one household of another."""

LONGEST = 80
SCALARS = (str, int, bool, date, datetime, type(None))
NOT_DETAIL = (Sealed, RuleRef, Programme)

_encode = msgspec.json.Encoder(enc_hook=str).encode
_actor = lru_cache(maxsize=4096)(text_of)
Getter = Callable[[Any], Any]


class Recipe:
    """What the timeline takes from one event class."""

    def __init__(self, event_class: type[Event]) -> None:
        self.topic = event_class.topic()
        kinds = typing.get_type_hints(event_class)
        names = own_fields(event_class)
        scalars = [name for name in names if _is_scalar(kinds[name])]
        structs = [(name, inner) for name in names if (inner := _inner(kinds[name]))]
        self.names = tuple(scalars)
        self.texts = tuple(n for n in scalars if kinds[n] in (str, str | None))
        self.structs = tuple((name, inner, _several(inner)) for name, inner in structs)
        subjects = [n for n in names if n not in NOT_SUBJECTS and kinds[n] in (UUID, UUID | None)]
        lists = [n for n in names if n not in NOT_SUBJECTS and kinds[n] == tuple[UUID, ...]]
        self.subjects = _several(subjects)
        self.lists = _several(lists)
        self.kind = self.topic.split(".")[0]
        home = next((name for name in HOMES if name in names), None)
        self.home = attrgetter("originator_id" if event_class is Area.Established else home or "")
        owner = OWNERS.get(self.kind)
        self.owner = attrgetter(owner) if owner and owner in names else None
        self.begins = issubclass(event_class, Created)

    def detail(self, e: Any) -> str:
        """The fact's own plain values as JSON; structured ones one level deep. Nulls left out."""
        state = vars(e)
        found: dict[str, Any] = {}
        for name in self.names:
            value = state[name]
            if value is not None and value != "":
                found[name] = value
        for name, inner, getter in self.structs:
            part = state[name]
            if part is not None:
                values = zip(inner, getter(part), strict=True)
                found[name] = {k: _short(v) for k, v in values if v is not None and v != ""}
        if not found:
            return "{}"
        for name in self.texts:
            text = found.get(name)
            if text is not None and len(text) > LONGEST:
                found[name] = _short(text)
        return _encode(found).decode()


def _short(value: Any) -> Any:
    return shortened(value, LONGEST) if isinstance(value, str) else value


def _several(names: typing.Sequence[str]) -> Getter:
    """The attributes of these names, always as a tuple."""
    if not names:
        return lambda _: ()
    if len(names) == 1:
        one = attrgetter(names[0])
        return lambda e: (one(e),)
    return cast(Getter, attrgetter(*names))


def _is_scalar(kind: Any) -> bool:
    if isinstance(kind, types.UnionType) or typing.get_origin(kind) is typing.Union:
        return all(_is_scalar(part) for part in typing.get_args(kind))
    if typing.get_origin(kind) is typing.Literal:
        return True
    return isinstance(kind, type) and (issubclass(kind, Enum) or kind in SCALARS)


def _inner(kind: Any) -> tuple[str, ...] | None:
    """The plain fields of a structured value; None for what is not one, or not to be shown."""
    parts = typing.get_args(kind) if isinstance(kind, types.UnionType) else (kind,)
    struct = next((p for p in parts if isinstance(p, type) and issubclass(p, msgspec.Struct)), None)
    if struct is None or struct in NOT_DETAIL:
        return None
    hints = typing.get_type_hints(struct)
    return tuple(name for name in struct.__struct_fields__ if _is_scalar(hints[name]))


RECIPES = {
    event_class: Recipe(event_class)
    for aggregate in AGGREGATES
    for event_class in aggregate.event_classes()
}


_last: tuple[Meta | None, tuple[str | None, ...]] = (None, ())


def _who_and_when(meta: Meta) -> tuple[str | None, ...]:
    """Actor, role, area, absent and moment as columns; the facts of a command share their meta."""
    global _last
    known, columns = _last
    if known is not meta:
        area, absent = meta.area, meta.standing_for
        columns = (
            _actor(meta.actor),
            str(meta.role),
            _actor(area) if area else None,
            _actor(absent) if absent else None,
            when(meta.recorded_at),
        )
        _last = (meta, columns)
    return columns


def happened(rows: Rows, at: int, e: Event) -> None:
    """Any fact."""
    recipe = RECIPES[type(e)]
    stream = str(e.originator_id)
    if recipe.begins:
        owner = str(recipe.owner(e)) if recipe.owner else None
        home = str(recipe.home(e))
        rows.begin(STREAMS, {"id": stream, "kind": recipe.kind, "area": home, "owner": owner})
    rows.append(TIMELINE, (at, stream, recipe.topic, *_who_and_when(e.meta), recipe.detail(e)))
    subjects = [id for id in recipe.subjects(e) if id is not None]
    for ids in recipe.lists(e):
        subjects += ids
    if len(subjects) > 1:
        subjects = sorted(set(subjects))
    for id in subjects:
        rows.append(LINKS, (str(id), at))


def moved(
    rows: Rows,
    at: int,
    e: Household.Moved | ReliefCase.VillageChanged | VillageList.VillageChanged,
) -> None:
    happened(rows, at, e)
    rows.change(STREAMS, text_of(e.originator_id), area=text_of(e.village))


def transferred(rows: Rows, at: int, e: Person.Transferred) -> None:
    happened(rows, at, e)
    rows.change(STREAMS, text_of(e.originator_id), owner=text_of(e.household))


# queries

STANDING_FOR = OFFICERS.alias("standing_for_officer")


def timeline(
    db: Connection,
    scope: Scope,
    *,
    subject: UUID,
    topic: str | None = None,
    oldest_first: bool = False,
    cursor: str | None = None,
    limit: int = 100,
) -> Page | None:
    """Everything that happened to a thing, the latest first: who, in which post, when, what.

    A household's timeline holds its cases and persons, and the steps of the lists they are on.
    ``oldest_first``: as it happened. ``topic`` limits it to one kind of fact, or with a trailing
    dot to one kind of stream.
    """
    id = str(subject)
    own = select(STREAMS.c.id).where(
        scope.covers(STREAMS.c.area), or_(STREAMS.c.id == id, STREAMS.c.owner == id)
    )
    streams = [row[0] for row in db.execute(own)]
    if id not in streams:
        return None
    positions = union(
        select(TIMELINE.c.position).where(TIMELINE.c.stream.in_(streams)),
        select(LINKS.c.position).where(LINKS.c.subject.in_(streams)),
    )
    query = _told(scope).where(TIMELINE.c.position.in_(positions))
    if topic is not None:
        is_one = not topic.endswith(".")
        query = query.where(
            TIMELINE.c.topic == topic if is_one else STREAMS.c.kind == topic.removesuffix(".")
        )
    order = [TIMELINE.c.position]
    found = page(db, query, order, cursor=cursor, limit=limit, descending=not oldest_first)
    _opened(db, scope, found.items)
    return found


def facts_between(db: Connection, scope: Scope, *, first: int, last: int) -> list[dict[str, Any]]:
    """The facts at these positions that lie in the scope, in order, as `timeline` tells them."""
    query = _told(scope).where(TIMELINE.c.position.between(first, last))
    found = [dict(row._mapping) for row in db.execute(query.order_by(TIMELINE.c.position))]
    _opened(db, scope, found)
    return found


def _told(scope: Scope) -> Select[Any]:
    """Facts in the scope, with the names of places and people."""
    return (
        select(
            TIMELINE,
            STREAMS.c.kind,
            STREAMS.c.area,
            AREAS.c.name.label("area_name"),
            OFFICERS.c.masked_name.label("actor_name"),
            STANDING_FOR.c.masked_name.label("standing_for_name"),
        )
        .join(STREAMS, STREAMS.c.id == TIMELINE.c.stream)
        .outerjoin(AREAS, AREAS.c.id == STREAMS.c.area)
        .outerjoin(OFFICERS, OFFICERS.c.id == TIMELINE.c.actor)
        .outerjoin(STANDING_FOR, STANDING_FOR.c.id == TIMELINE.c.standing_for)
        .where(scope.covers(STREAMS.c.area))
    )


def _opened(db: Connection, scope: Scope, rows: list[dict[str, Any]]) -> None:
    for row in rows:
        row["detail"] = msgspec.json.decode(row["detail"])
    _hide_the_other_side(db, scope, rows)


BETWEEN_HOUSEHOLDS = frozenset(
    fact.topic()
    for fact in (
        Household.MemberContested,
        Household.ContestSettled,
        Person.Claimed,
        Person.ClaimedAgain,
        Person.Contested,
        Person.Released,
        Person.Transferred,
    )
)
"""Facts that stand in one household's history and may have been caused in another's place."""


def _hide_the_other_side(db: Connection, scope: Scope, rows: list[dict[str, Any]]) -> None:
    """Who acted elsewhere, for another household of the same person, is not said here."""
    told = [row for row in rows if row["topic"] in BETWEEN_HOUSEHOLDS and row["actor_area"]]
    areas = {row["actor_area"] for row in told}
    query = select(AREAS.c.id).where(AREAS.c.id.in_(areas), scope.reaches(AREAS.c.id))
    known = set(db.scalars(query)) if areas else set()
    for row in told:
        if row["actor_area"] not in known:
            for name in ("actor", "actor_area", "actor_name", "standing_for", "standing_for_name"):
                row[name] = None


SPECIAL: dict[type[Event], Any] = {
    Household.Moved: moved,
    ReliefCase.VillageChanged: moved,
    VillageList.VillageChanged: moved,
    Person.Transferred: transferred,
}


VIEW = View(
    name="timeline",
    version=6,
    tables=(STREAMS, TIMELINE, LINKS),
    routes={event_class: SPECIAL.get(event_class, happened) for event_class in RECIPES},
    by_stream=True,
)
