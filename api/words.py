"""Words from the rulebooks in force for whoever asks: pages and sheets name things alike."""

import re
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, Protocol, TypeVar
from uuid import UUID

from sqlalchemy import select

from api.auth import Caller
from api.known_at import position_asked
from domain.area import AreaLevel
from domain.plurals import unit_of
from domain.rulebook import Rulebook
from domain.rules.dispatch import Dispatch
from domain.rules.hazards import Hazards
from domain.rules.household_kinds import HouseholdKinds
from domain.rules.indicators import Indicators
from domain.rules.items import Item, Items
from domain.rules.standards import PROGRAMMES
from domain.telling import INCIDENT_KINDS, RULES
from eventstore.deciding import rule_of
from projections.areas import AREAS
from projections.asking.looked_for import Meant, spelled

R = TypeVar("R", HouseholdKinds, Items, Hazards, Indicators, Dispatch)
NO_UNIT = ""
OF_FIGURES = {"split_differs", "casualties_hidden", "parts_larger"}
"""Kinds of findings whose reason is a row of keys of figures."""
KEY = re.compile(r"[a-z][a-z0-9_]*")

STREAMS_A_QUESTION = 500
KEYS = INCIDENT_KINDS | {key: RULES[key] for key in PROGRAMMES}


class Below(Protocol):
    """The rules of one kind that areas below have for themselves."""

    def __call__(self, kind: type[R]) -> tuple[R, ...]: ...


def none_below(kind: type[R]) -> tuple[R, ...]:
    return ()


class Nearest:
    """The rules that name a thing: the reader's own, then those below, which are asked for once and
    only if needed."""

    def __init__(self, below: Below) -> None:
        self._below = below
        self._asked: dict[type[Any], tuple[Any, ...]] = {}

    def rules(self, kind: type[R], own: R | None) -> Iterator[R]:
        if own is not None:
            yield own
        if kind not in self._asked:
            self._asked[kind] = self._below(kind)
        yield from self._asked[kind]


class Words:
    """Names from the rulebooks in force: goods, household kinds, hazards, figures. Else the key.

    ``below`` tells the rules of one kind that areas below have for themselves: their households
    and goods are looked at from above, too. It is asked for a word not found otherwise.
    """

    def __init__(
        self,
        items: Items | None,
        kinds: HouseholdKinds | None,
        hazards: Hazards | None,
        language: str,
        indicators: Indicators | None = None,
        below: Below = none_below,
    ) -> None:
        self._indicators = indicators
        self._rules = Nearest(below).rules
        self._items = items
        self._kinds = kinds
        self._hazards = hazards
        self._chinese = language == "zh"

    def _item(self, key: str) -> Item | None:
        found = (rule.find(key) for rule in self._rules(Items, self._items))
        return next((one for one in found if one is not None), None)

    def item(self, key: str) -> str:
        found = self._item(key)
        if found is None:
            return key
        return found.zh if self._chinese else found.en

    def unit(self, key: str, number: object = "") -> str:
        """What it is counted in; behind a ``number`` in the form that number takes."""
        found = self._item(key)
        if found is None:
            return NO_UNIT
        return found.unit_zh if self._chinese else unit_of(number, found.unit_en)

    def counted(self, key: str, number: object = "") -> str:
        """What follows a number of them: 床棉被; quilts, padded coats, tents (tent 12 m²)."""
        unit, name = self.unit(key, number), self.item(key)
        if self._chinese or not unit:
            return f"{unit}{name}"
        *kind, last = name.split()
        head = unit.split()[-1]
        return " ".join([*kind, head]) if head.startswith(last) else f"{unit} ({name})"

    def keeps_until(self, key: str, received_on: date | None) -> date | None:
        """Until when a lot received then may be stored; None where no term is set."""
        found = self._item(key)
        return found.keeps_until(received_on) if found and received_on else None

    def kind(self, key: str) -> str:
        named = (rule.find(key) for rule in self._rules(HouseholdKinds, self._kinds))
        found = next((one for one in named if one is not None), None)
        if found is None:
            return key
        return found.zh if self._chinese else found.en

    def hazard(self, key: str) -> str:
        named = (rule.find(key) for rule in self._rules(Hazards, self._hazards))
        found = next((one for one in named if one is not None), None)
        if found is None:
            return key
        return found.zh if self._chinese else found.en

    def indicator(self, key: str) -> str:
        named = (rule.find(key) for rule in self._rules(Indicators, self._indicators))
        found = next((one for one in named if one is not None), None)
        if found is None:
            return key
        return found.zh if self._chinese else found.en

    def thing(self, key: str) -> str:
        """An item of goods or a kind of household, whichever has this key."""
        return self.item(key) if self._item(key) else self.kind(key)

    def ground(self, finding: str, reason: str | None) -> str | None:
        """What a finding says beside its kind: figures and hazards by name, a person's words as
        they are."""
        if reason is None:
            return None
        if finding in ("likely_same", "never_sent_upward"):
            return self.hazard(reason)
        if finding in OF_FIGURES:
            joint = "、" if self._chinese else ", "
            return joint.join(self.indicator(key) for key in KEY.findall(reason))
        return reason


def words_of(caller: Caller, now: datetime, language: str) -> Words:
    """The words of the nearest rulebooks above the caller's first area."""
    areas = caller.areas()
    if not areas:
        return Words(None, None, None, language)
    return Words(
        rule_for(caller, Items, areas[0], now),
        rule_for(caller, HouseholdKinds, areas[0], now),
        rule_for(caller, Hazards, areas[0], now),
        language,
        rule_for(caller, Indicators, areas[0], now),
        below=below_of(caller, areas[0], now),
    )


def rules_for(caller: Caller, kind: type[R], at: datetime) -> Iterator[R]:
    """The rules of a kind in force in the caller's areas, and those adopted below them."""
    for area in caller.areas():
        own = rule_for(caller, kind, area, at)
        if own is not None:
            yield own
        yield from _rules_below(caller, kind, area, at)


def meant_by(caller: Caller, at: datetime) -> Meant:
    """Which keys are called what somebody types, also in pinyin or by initials: hazards and goods
    by the rules over the caller's areas and those of areas below, the kinds of incidents and the
    programmes of relief."""
    named = [(key, name) for key, names in KEYS.items() for name in names]
    for items in rules_for(caller, Items, at):
        for item in items.items:
            named += [(item.key, name) for name in (item.zh, item.en, *item.aliases)]
    for hazards in rules_for(caller, Hazards, at):
        for one in hazards.hazards:
            named += [(one.key, one.zh), (one.key, one.en)]
            named += [(sub.key, name) for sub in one.sub_kinds for name in (sub.zh, sub.en)]
    known = tuple(dict.fromkeys(named))

    def meant(word: str) -> set[str]:
        return {key for key, name in known if spelled(name, word)}

    return meant


def below_of(caller: Caller, area: UUID, at: datetime) -> Below:
    """What tells the rules that areas below this one have for themselves."""

    def below(kind: type[R]) -> tuple[R, ...]:
        return _rules_below(caller, kind, area, at)

    return below


def _rules_below(caller: Caller, kind: type[R], area: UUID, at: datetime) -> tuple[R, ...]:
    """The rules in force that cities and counties below an area adopted for themselves."""
    store, found = caller.system.store, list[R]()
    ids = [Rulebook.id_of(one, kind.KIND) for one in _local_below(caller, area)]
    adopted = set[UUID]()
    for first in range(0, len(ids), STREAMS_A_QUESTION):
        adopted |= store.log.begun(ids[first : first + STREAMS_A_QUESTION])
    for id in (id for id in ids if id in adopted):
        book: Rulebook | None = store.load(id, position=position_asked())
        rule = book.in_force(kind, at) if book is not None else None
        if rule is not None:
            found.append(rule.rule)
    return tuple(found)


def _local_below(caller: Caller, area: UUID) -> list[UUID]:
    """Provinces, cities and counties below an area, the higher first."""
    found, above = list[str](), [str(area)]
    local = AREAS.c.level.in_((AreaLevel.PROVINCE, AreaLevel.CITY, AreaLevel.COUNTY))
    with caller.system.reader() as db:
        while above:
            asked = select(AREAS.c.id).where(AREAS.c.parent.in_(above), local)
            above = list(db.execute(asked.order_by(AREAS.c.code)).scalars())
            found += above
    return [UUID(id) for id in found]


def rule_for(caller: Caller, kind: type[R], area: UUID, at: datetime) -> R | None:
    """The rules in force there: as a command would find them. None if they must be adopted. Of a
    moment of the past: of those adopted by then."""
    store, known = caller.system.store, position_asked()
    ids = [Rulebook.id_of(step, kind.KIND) for step in caller.system.tree.lineage(area)]
    books = [book for id in ids if (book := store.load(id, position=known)) is not None]
    found = rule_of(books, kind, at)
    return None if found is None else found.rule
