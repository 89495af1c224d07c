"""One person 自然人 in the households that count or claim them; households entered twice."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, and_, func, or_, select, tuple_

from domain.person import Person
from eventstore.names import Hit
from projections.asking.scope import Scope
from projections.findings import CLAIMS, CONTESTS
from projections.households import ERASED, HOUSEHOLDS, MEMBERS, households_of

H, M = HOUSEHOLDS.c, MEMBERS.c
PRESENT = M.status == "present"
MOST_DOUBLES = 12

Namesakes = Callable[[UUID, UUID], list[Hit]]
"""``namesakes(household, person)``: who is called like this member, in the same village."""


def person_claims(db: Connection, scope: Scope, *, person: UUID) -> dict[str, Any] | None:
    """A person as the households of the scope tell; None if none of them ever counted them.

    ``households``: each with ``member_masked``, ``relation``, ``member_status`` and ``held_until``.
    ``contest``: the person's contest, if there was one, with ``claimed`` (households that claim
    them now) and ``elsewhere`` (how many of these lie outside). ``erased_at``: of their data.
    """
    id = str(person)
    query = (
        households_of(scope)
        .add_columns(
            M.masked.label("member_masked"),
            M.relation,
            M.status.label("member_status"),
            M.contested.label("member_contested"),
            M.held_until,
            M.until,
        )
        .join(MEMBERS, and_(M.household == H.id, M.person == id))
        .order_by(~PRESENT, H.registered_at, H.id)
    )
    rows = [dict(row) for row in db.execute(query).mappings()]
    if not rows:
        return None
    stream = str(Person.id_of(person, bool(rows[0]["exercise"])))
    erased = select(ERASED.c.erased_at).where(ERASED.c.person == id)
    return {
        "id": id,
        "households": rows,
        "exercise": bool(rows[0]["exercise"]),
        "contest": _contest(db, scope, stream),
        "erased_at": db.execute(erased).scalar(),
    }


def _contest(db: Connection, scope: Scope, stream: str) -> dict[str, Any] | None:
    """The latest contest about a person, by the stream that says who claims them."""
    found = db.execute(select(CONTESTS).where(CONTESTS.c.person == stream)).mappings().first()
    if found is None:
        return None
    open_claims = and_(CLAIMS.c.person == stream, CLAIMS.c.status == "open")
    here = (
        select(CLAIMS.c.household)
        .join(HOUSEHOLDS, H.id == CLAIMS.c.household)
        .where(open_claims, scope.covers(H.area))
    )
    ids = [row[0] for row in db.execute(here)]
    number = db.execute(select(func.count()).select_from(CLAIMS).where(open_claims)).scalar() or 0
    return {**found, "claimed": ids, "elsewhere": number - len(ids)}


class Doubles(NamedTuple):
    """The first `MOST_DOUBLES` of ``total`` households; each row with ``same`` (`doubles_of`)."""

    rows: list[dict[str, Any]]
    total: int


def doubles_of(
    db: Connection,
    scope: Scope,
    *,
    household: UUID,
    namesakes: Namesakes,
    named: Sequence[UUID] = (),
) -> Doubles:
    """Households of the scope that may be this one, entered once more: they count the same
    persons, or live in its village under a head of the same name, or are those that somebody
    ``named``. ``same``: persons in both; the named ones come first, then those with the most."""
    id = str(household)
    this = db.execute(households_of(scope).where(H.id == id)).mappings().first()
    if this is None:
        return Doubles([], 0)
    mine = select(M.person).where(M.household == id, PRESENT)
    both = (
        select(func.count())
        .select_from(MEMBERS)
        .where(M.household == H.id, M.person.in_(mine), PRESENT)
        .correlate(HOUSEHOLDS)
        .scalar_subquery()
    )
    alike = namesakes(household, UUID(this["head"])) if this["head"] else []
    heads = tuple_(H.id, H.head).in_([(str(hit.household), str(hit.person)) for hit in alike])
    found = households_of(scope).where(
        H.id != id,
        H.merged_into.is_(None),
        H.exercise.is_(this["exercise"]),
        or_(both > 0, heads, H.id.in_([str(one) for one in named])),
    )
    asked_for = H.id.in_([str(one) for one in named])
    total = db.scalar(select(func.count()).select_from(found.subquery())) or 0
    first = (
        found.add_columns(both.label("same"))
        .order_by(asked_for.desc(), both.desc(), H.registered_at, H.id)
        .limit(MOST_DOUBLES)
    )
    return Doubles([dict(row) for row in db.execute(first).mappings()], total)
