"""Areas found by what somebody types: a code, a part of a name, or its pinyin."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, or_, select

from domain.half_width import half_width
from projections.areas import AREAS
from projections.asking.area_lists import coded
from projections.asking.child_codes import Meant, meant
from projections.asking.looked_for import spelled
from projections.asking.scope import Scope

MOST = 30


@dataclass(frozen=True, slots=True)
class FoundPlace:
    """``above``: the name of the area right above, to tell namesakes apart; "" at the top.
    ``understood``: why a code means it that it never had itself."""

    id: UUID
    code: str
    name: str
    level: str
    above: str
    understood: Meant | None = None

    @property
    def certain(self) -> bool:
        """Whether what was typed means no other area, here or outside the scope."""
        return self.understood is None or self.understood.one is not None


def places(db: Connection, scope: Scope, text: str, most: int = MOST) -> list[FoundPlace]:
    """The living areas of a scope by what was typed, at most ``most``, by code.

    Nothing typed finds all of them. A word of digits is the beginning of a code, also of one that
    an area had before, or that it has by a former code of its county; any other is a part of the
    name or its pinyin or initials. Words with spaces between are all looked for, in the name or in
    that of the area above: ``源潭 双峰``.
    """
    above = AREAS.alias("above")
    query = (
        select(AREAS, above.c.name.label("above_name"))
        .outerjoin(above, above.c.id == AREAS.c.parent)
        .where(scope.covers(AREAS.c.id), AREAS.c.abolished_on.is_(None))
        .order_by(AREAS.c.code, AREAS.c.id)
    )
    words = half_width(text).split()
    named = []
    understood: dict[str, Meant] = {}
    for word in words:
        if word.isascii() and word.isdigit():
            derived = meant(db, word)
            understood |= dict.fromkeys(derived.ids, derived) if derived is not None else {}
            digits = coded(word, derived)
            contains = [one.contains(word) for one in (AREAS.c.name, above.c.name)]
            query = query.where(or_(digits, *contains))
        else:
            named.append(word)
    if not named:
        query = query.limit(most)
    found: list[FoundPlace] = []
    for row in db.execute(query).mappings():
        over = row["above_name"] or ""
        each = all(spelled(row["name"], word) or spelled(over, word) for word in named)
        if each or spelled(row["name"], "".join(named)):  # yuan tan is one name
            place = (UUID(row["id"]), row["code"], row["name"], row["level"], over)
            found.append(FoundPlace(*place, understood.get(row["id"])))
            if len(found) == most:
                break
    return found
