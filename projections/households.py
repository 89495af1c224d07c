"""Households 户: one row each, masked, as they are now, with who counts in them."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Index,
    Integer,
    Select,
    String,
    Table,
    and_,
    false,
    func,
    or_,
    select,
)

from domain.household import Household
from domain.household_members import Member, Relation
from domain.person import Person
from projections.areas import AREAS, GROUPS
from projections.asking.paging import Page
from projections.asking.scope import Scope
from projections.asking.searching import Names, found_page, in_places, like, nobody, village_page
from projections.folding.base import LOGICAL, Row, Rows, View, as_json, text_of, when

HOUSEHOLDS = Table(
    "households",
    LOGICAL,
    Column("id", String(36), primary_key=True),
    Column("area", String(36), nullable=False),
    Column("village_group", String, nullable=False),  # its name when it was said
    Column("group_code", String, nullable=False),  # which of the village's groups; "": none
    Column("category", String, nullable=False),
    Column("head", String(36)),
    Column("head_masked", String, nullable=False),
    Column("size", Integer, nullable=False),  # all who count, named or not
    Column("unnamed", Integer, nullable=False),  # of these, whom a list only counts
    Column("contested", Integer, nullable=False),
    Column("died", Integer, nullable=False),
    Column("gone", Integer, nullable=False),  # who left, or was given to another household
    Column("card_holder", String(36)),
    Column("card_masked", String),
    Column("bank", String),
    Column("card_at", String),  # when the card was said
    Column("merged_into", String(36)),
    Column("exercise", Boolean, nullable=False),
    Column("registered_at", String, nullable=False),
    Index("households_by_area", "area", "exercise"),
)

MEMBERS = Table(
    "household_members",
    LOGICAL,
    Column("household", String(36), primary_key=True),
    Column("person", String(36), primary_key=True),
    Column("masked", String, nullable=False),
    Column("relation", String, nullable=False),
    Column("status", String, nullable=False),
    Column("contested", Boolean, nullable=False),
    Column("held_until", String),  # the contest holds payments so long; none: until decided
    Column("until", String),
    Index("household_members_by_person", "person"),
)
"""``status``: present, left, died, identified (another person took the place), lost (a contest)."""

LOSSES = {"died": "died", "left": "gone", "lost": "gone"}
"""Which column of its household counts a member that went with this status."""

ERASED = Table(
    "erased_persons",
    LOGICAL,
    Column("stream", String(36), primary_key=True),
    Column("person", String(36), nullable=False),
    Column("erased_at", String, nullable=False),
    Index("erased_persons_by_person", "person"),
)
"""Whose personal data were destroyed (in earnest, in drills): masks are not shown any more."""

MOVES = Table(
    "household_moves",
    LOGICAL,
    Column("household", String(36), primary_key=True),
    Column("area", String(36), nullable=False),
    Column("origin", String(36), nullable=False),
    Column("status", String, nullable=False),
    Column("offered_at", String, nullable=False),
    Column("due_at", String, nullable=False),
    Column("ended_at", String),
    Column("cases", String, nullable=False),
    Column("card_masked", String),
    Column("reason", String, nullable=False),
    Index("household_moves_by_area", "area"),
    Index("household_moves_by_origin", "origin"),
)
"""The latest move between counties of a household. ``area`` is where it is to go; ``status``:
offered (expired, once its day is past: the query's), accepted, declined, withdrawn."""

ERASED_MASK = "已销毁"
NO_GROUP = "-"
"""Asked for in place of a group: households that refer to none of their village's."""


def _member(household: str, member: Member) -> Row:
    return {
        "household": household,
        "person": text_of(member.person),
        "masked": member.masked,
        "relation": str(member.relation),
        "status": "present",
        "contested": False,
        "held_until": None,
        "until": None,
    }


def registered(rows: Rows, at: int, e: Household.Registered) -> None:
    id = text_of(e.originator_id)
    masked = ""
    for member in e.members:
        rows.begin(MEMBERS, _member(id, member))
        if member.person == e.head:
            masked = member.masked
    card = e.card
    rows.begin(
        HOUSEHOLDS,
        {
            "id": id,
            "area": text_of(e.village),
            "village_group": e.group,
            "group_code": e.group_code,
            "category": e.category,
            "head": text_of(e.head),
            "head_masked": masked,
            "size": len(e.members) + e.unnamed,
            "unnamed": e.unnamed,
            "contested": 0,
            "died": 0,
            "gone": 0,
            "card_holder": text_of(card.holder) if card else None,
            "card_masked": card.masked if card else None,
            "bank": card.bank if card else None,
            "card_at": when(e.meta.recorded_at) if card else None,
            "merged_into": None,
            "exercise": e.exercise,
            "registered_at": when(e.meta.recorded_at),
        },
    )


def member_added(rows: Rows, at: int, e: Household.MemberAdded) -> None:
    id = text_of(e.originator_id)
    rows.put(MEMBERS, _member(id, e.member))
    row = rows.need(HOUSEHOLDS, id)
    if e.counted:
        rows.change(HOUSEHOLDS, id, unnamed=row["unnamed"] - 1)
    else:
        rows.change(HOUSEHOLDS, id, size=row["size"] + 1)


def _goes(rows: Rows, household: str, person: str, status: str, until: str | None) -> None:
    """A member goes; the household stays without head or card if they were the member's."""
    member = rows.need(MEMBERS, household, person)
    row = rows.need(HOUSEHOLDS, household)
    changes: dict[str, Any] = {"size": row["size"] - 1}
    if status in LOSSES:
        changes[LOSSES[status]] = row[LOSSES[status]] + 1
    if member["contested"]:
        changes["contested"] = row["contested"] - 1
    if row["head"] == person:
        changes |= {"head": None, "head_masked": ""}
    if row["card_holder"] == person:
        changes |= {"card_holder": None, "card_masked": None, "bank": None}
    rows.change(HOUSEHOLDS, household, **changes)
    rows.change(MEMBERS, household, person, status=status, contested=False, until=until)


def member_left(rows: Rows, at: int, e: Household.MemberLeft) -> None:
    _goes(rows, text_of(e.originator_id), text_of(e.person), "left", e.on.isoformat())


def member_died(rows: Rows, at: int, e: Household.MemberDied) -> None:
    _goes(rows, text_of(e.originator_id), text_of(e.person), "died", e.on.isoformat())


def member_identified(rows: Rows, at: int, e: Household.MemberIdentified) -> None:
    id = text_of(e.originator_id)
    head = rows.need(HOUSEHOLDS, id)["head"] == text_of(e.person)
    _goes(rows, id, text_of(e.person), "identified", None)
    rows.put(MEMBERS, _member(id, e.member))
    changes: dict[str, Any] = {"size": rows.need(HOUSEHOLDS, id)["size"] + 1}
    if head:
        changes |= {"head": text_of(e.member.person), "head_masked": e.member.masked}
    rows.change(HOUSEHOLDS, id, **changes)


def head_changed(rows: Rows, at: int, e: Household.HeadChanged) -> None:
    id, head = text_of(e.originator_id), text_of(e.head)
    old = rows.need(HOUSEHOLDS, id)["head"]
    if old is not None and old != head:
        rows.change(MEMBERS, id, old, relation=str(Relation.OTHER))
    member = rows.change(MEMBERS, id, head, relation=str(Relation.HEAD))
    rows.change(HOUSEHOLDS, id, head=head, head_masked=member["masked"])


def categorized(rows: Rows, at: int, e: Household.Categorized) -> None:
    rows.change(HOUSEHOLDS, text_of(e.originator_id), category=e.category)


def card_recorded(rows: Rows, at: int, e: Household.CardRecorded) -> None:
    rows.change(
        HOUSEHOLDS,
        text_of(e.originator_id),
        card_holder=text_of(e.card.holder),
        card_masked=e.card.masked,
        bank=e.card.bank,
        card_at=when(e.meta.recorded_at),
    )


def moved(rows: Rows, at: int, e: Household.Moved) -> None:
    group = {"village_group": e.group, "group_code": e.group_code}
    rows.change(HOUSEHOLDS, text_of(e.originator_id), area=text_of(e.village), **group)


def group_changed(rows: Rows, at: int, e: Household.GroupChanged) -> None:
    id = text_of(e.originator_id)
    rows.change(HOUSEHOLDS, id, village_group=e.group, group_code=e.group_code)


def move_offered(rows: Rows, at: int, e: Household.MoveOffered) -> None:
    id, offer = text_of(e.originator_id), e.offer
    rows.put(
        MOVES,
        {
            "household": id,
            "area": text_of(offer.village),
            "origin": rows.need(HOUSEHOLDS, id)["area"],
            "status": "offered",
            "offered_at": when(e.meta.recorded_at),
            "due_at": when(offer.due_at),
            "ended_at": None,
            "cases": as_json(offer.cases),
            "card_masked": offer.card,
            "reason": e.reason,
        },
    )


def move_accepted(rows: Rows, at: int, e: Household.MoveAccepted) -> None:
    id, moment = text_of(e.originator_id), when(e.meta.recorded_at)
    rows.change(MOVES, id, status="accepted", ended_at=moment)


def move_ended(rows: Rows, at: int, e: Household.MoveEnded) -> None:
    id, moment = text_of(e.originator_id), when(e.meta.recorded_at)
    rows.change(MOVES, id, status=str(e.end), ended_at=moment, reason=e.reason)


def merged(rows: Rows, at: int, e: Household.Merged) -> None:
    rows.change(
        HOUSEHOLDS,
        text_of(e.originator_id),
        merged_into=text_of(e.into),
        size=0,
        unnamed=0,
        contested=0,
        head=None,
        card_holder=None,
        card_masked=None,
        bank=None,
    )


def absorbed(rows: Rows, at: int, e: Household.Absorbed) -> None:
    id = text_of(e.originator_id)
    for member in e.members:
        rows.put(MEMBERS, _member(id, member))
    row = rows.need(HOUSEHOLDS, id)
    size = row["size"] + len(e.members) + e.unnamed
    rows.change(HOUSEHOLDS, id, size=size, unnamed=row["unnamed"] + e.unnamed)


def member_contested(rows: Rows, at: int, e: Household.MemberContested) -> None:
    id = text_of(e.originator_id)
    until = when(e.hold_until) if e.hold_until is not None else None
    rows.change(MEMBERS, id, text_of(e.person), contested=True, held_until=until)
    rows.change(HOUSEHOLDS, id, contested=rows.need(HOUSEHOLDS, id)["contested"] + 1)


def contest_settled(rows: Rows, at: int, e: Household.ContestSettled) -> None:
    id, person = text_of(e.originator_id), text_of(e.person)
    if not e.kept:
        _goes(rows, id, person, "lost", None)
        return
    rows.change(MEMBERS, id, person, contested=False)
    rows.change(HOUSEHOLDS, id, contested=rows.need(HOUSEHOLDS, id)["contested"] - 1)


def erased(rows: Rows, at: int, e: Person.Erased) -> None:
    stream, erased_at = text_of(e.originator_id), when(e.meta.recorded_at)
    rows.put(ERASED, {"stream": stream, "person": text_of(e.person), "erased_at": erased_at})


# Queries

TOWNSHIPS = AREAS.alias("townships")
"""The areas above villages, for queries that name both."""


def in_villages(query: Select[Any], scope: Scope, area: Any) -> Select[Any]:
    """With the row's village, if it is known, and its township. In a scope it always is."""
    return query.join(AREAS, AREAS.c.id == area, isouter=scope.roots is None).outerjoin(
        TOWNSHIPS, TOWNSHIPS.c.id == AREAS.c.parent
    )


def by_village(scope: Scope, id: Any) -> list[Any]:
    """The order of lists of what is in villages: by code, so that a page is read village by
    village and no further."""
    code = AREAS.c.code if scope.roots is not None else func.coalesce(AREAS.c.code, "")
    return [code.label("village_order"), id]


GROUP_NAME = func.coalesce(GROUPS.c.name, HOUSEHOLDS.c.village_group)
"""What a household's villagers' group is called now; as it was typed, if it refers to none. For
queries that join it by `named_group`."""


def named_group(query: Select[Any]) -> Select[Any]:
    """With the villagers' group that the household refers to, if it does."""
    h = HOUSEHOLDS.c
    return query.outerjoin(GROUPS, and_(GROUPS.c.village == h.area, GROUPS.c.code == h.group_code))


def _in_group(group: str) -> ColumnElement[bool]:
    referred = HOUSEHOLDS.c.group_code
    if group == NO_GROUP:
        return referred == ""
    return or_(referred == group, GROUP_NAME.in_([group]))


STATES: Mapping[str, ColumnElement[bool]] = {
    "contested": HOUSEHOLDS.c.contested > 0,
    "no_card": HOUSEHOLDS.c.card_masked.is_(None),
    "no_head": HOUSEHOLDS.c.head.is_(None),
}
"""What a household lacks, or is disputed: what has to be set right before anything is paid."""


def households_of(scope: Scope) -> Select[Any]:
    """Households with the names of their group, village and township."""
    query = select(
        *[column for column in HOUSEHOLDS.columns if column is not HOUSEHOLDS.c.village_group],
        GROUP_NAME.label("village_group"),
        AREAS.c.name.label("village_name"),
        AREAS.c.code.label("village_code"),
        TOWNSHIPS.c.name.label("township_name"),
    ).where(scope.covers(HOUSEHOLDS.c.area))
    return in_villages(named_group(query), scope, HOUSEHOLDS.c.area)


def households(
    db: Connection,
    scope: Scope,
    *,
    category: str | None = None,
    contested: bool | None = None,
    state: str | None = None,
    group: str | None = None,
    search: str | None = None,
    names: Names | None = None,
    exercise: bool = False,
    cursor: str | None = None,
    limit: int = 100,
) -> Page:
    """Households by village, masked. ``search``: a name (also pinyin or initials), a village, a
    group; ``next`` leads to the last of them. ``group``: of the villagers' group with this sub-code
    (of each village that has one), or with exactly this name; "-": of none that the village has.
    ``state``: contested, no_card or no_head.
    """
    h, scope = HOUSEHOLDS.c, scope.on(db)
    query = households_of(scope if search else scope.by_rows).where(
        h.exercise.is_(exercise), h.merged_into.is_(None)
    )
    if category is not None:
        query = query.where(h.category == category)
    if contested is not None:
        query = query.where(h.contested > 0 if contested else h.contested == 0)
    if state is not None:
        query = query.where(STATES.get(state, false()))
    if group is not None:
        query = query.where(_in_group(group))
    order = by_village(scope, h.id)
    query = query.add_columns(order[0])
    if not search:
        return village_page(db, scope, query, order, area=h.area, cursor=cursor, limit=limit)
    return found_page(
        db,
        scope,
        query,
        order,
        names=names or nobody,
        household=h.id,
        area=h.area,
        also=[*like(search, h.head_masked, GROUP_NAME), in_places(search, h.area)],
        exercise=exercise,
        cursor=cursor,
        limit=limit,
    )


VIEW = View(
    name="households",
    version=7,
    tables=(HOUSEHOLDS, MEMBERS, MOVES, ERASED),
    routes={
        Household.Registered: registered,
        Household.MemberAdded: member_added,
        Household.MemberLeft: member_left,
        Household.MemberDied: member_died,
        Household.MemberIdentified: member_identified,
        Household.HeadChanged: head_changed,
        Household.Categorized: categorized,
        Household.CardRecorded: card_recorded,
        Household.Moved: moved,
        Household.GroupChanged: group_changed,
        Household.MoveOffered: move_offered,
        Household.MoveAccepted: move_accepted,
        Household.MoveEnded: move_ended,
        Household.Merged: merged,
        Household.Absorbed: absorbed,
        Household.MemberContested: member_contested,
        Household.ContestSettled: contest_settled,
        Person.Erased: erased,
    },
    ignored={
        Household.ContactChanged: "sealed phone and address: nothing of them is shown",
        Household.Revealed: "who was shown what is the timeline's",
    },
)
