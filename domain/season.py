"""Season 救助年度: one programme's run in one area, with the terms all its decisions use.

The six programmes (冬春, 应急, 过渡期, 旱灾, 倒损房, 抚慰; 财建〔2020〕245号 art.6) share one life;
what differs (steps, notice days, rates, goods) is the rulebook's `Programme`, kept here as opened.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar
from uuid import UUID, uuid5

from eventsourcing.domain import event

from domain.base import NAMESPACE, Aggregate, grown
from domain.refusal import Malformed, Refusal
from domain.rules.standards import Programme, Rate
from domain.world import RuleRef

EMERGENCY = "emergency"
VILLAGES_SAID = 10
"""How many a refusal names of the villages that it counts."""


@dataclass(eq=False)
class SeasonClosed(Refusal):
    zh: ClassVar[str] = "救助年度 {season} 已结束，不能再办理"
    en: ClassVar[str] = "Season {season} is closed."
    season: UUID


@dataclass(eq=False)
class ListsOpen(Refusal):
    """A season that closes over an open list would strand what is committed and set aside."""

    zh: ClassVar[str] = "救助年度 {season} 还有 {count} 个村级名册未结束，不能结束"
    en: ClassVar[str] = (
        "{count} village {count:list|lists} of season {season} "
        "{count:is open: close it|are open: close them} first."
    )
    season: UUID
    count: int


@dataclass(eq=False)
class VillagesWithoutList(Refusal):
    """A season that closes over villages in which nobody ever opened a list says why."""

    zh: ClassVar[str] = (
        "救助年度 {season} 有 {count} 个村（社区）从未建立名册（{villages}），须说明理由才能结束"
    )
    en: ClassVar[str] = (
        "{count} {count:village|villages} of season {season} never opened a list ({villages}): say "
        "why to close it."
    )
    season: UUID
    count: int
    villages: tuple[UUID, ...]
    """The first of them."""


@dataclass(eq=False)
class UnknownProgramme(Refusal):
    """The standards in force have no such programme: nothing to go by."""

    zh: ClassVar[str] = "现行救助标准中没有“{programme}”项目"
    en: ClassVar[str] = "The standards in force know no programme {programme}."
    programme: str
    area: UUID


@dataclass(eq=False)
class DisasterNeeded(Refusal):
    zh: ClassVar[str] = "“{programme}”救助必须对应一次灾害过程"
    en: ClassVar[str] = "The programme {programme} is run for one disaster: name it."
    programme: str


@dataclass(eq=False)
class OtherParts(Refusal):
    """A month that was granted as part 1 is not the first ten days of another standard."""

    zh: ClassVar[str] = (
        "新标准的“{rate}”分期与本年度不同，而已有 {count} 个村级名册按原来的分期办理："
        "各名册办结后再更换，或另开年度"
    )
    en: ClassVar[str] = (
        "The new standard pays {rate} in other parts, and {count} "
        "{count:village list goes|village lists go} by those of now: close them first."
    )
    rate: str
    count: int


@dataclass(eq=False)
class OtherHazard(Refusal):
    """旱灾 relief is run for a drought, and for nothing else."""

    zh: ClassVar[str] = "“{programme}”不能用于这场灾害（{disaster}）：灾种不符"
    en: ClassVar[str] = "The programme {programme} is not for this disaster ({disaster}): its kind."
    programme: str
    disaster: UUID


@dataclass(eq=False)
class OutsideSeason(Refusal):
    zh: ClassVar[str] = "村（社区）{village} 不在救助年度 {season} 的范围内"
    en: ClassVar[str] = "Village {village} does not lie in the area of season {season}."
    season: UUID
    village: UUID


class Season(Aggregate):
    """Opened → StandardChanged … → Closed.

    ``assess_by``: need is assessed by that day; ``deliver_by``: cash and goods are with the
    people before or on that day (冬春: the eve of 春节). Both are facts for the deadline views.
    """

    @event("Opened")
    def __init__(
        self,
        id: UUID,
        area: UUID,
        programme: str,
        year: int,
        disaster: UUID | None,
        exercise: bool,
        terms: Programme,
        standards: RuleRef,
        assess_by: date | None,
        deliver_by: date | None,
    ) -> None:
        self.area = area
        self.programme = programme
        self.year = year
        self.disaster = disaster
        self.exercise = exercise
        self.terms = terms
        self.standards = standards
        self.deliver_by = deliver_by
        self.open_lists: set[UUID] = set()
        self.closed = False

    @staticmethod
    def id_of(area: UUID, programme: str, year: int, disaster: UUID | None, exercise: bool) -> UUID:
        """By disaster where there is one, else by year: 冬春 of 2017 is the winter 2017–18."""
        subject = str(year) if disaster is None else str(disaster)
        return uuid5(NAMESPACE, f"season/{area}/{programme}/{subject}/{exercise}")

    def derived_id(self) -> UUID:
        return self.id_of(self.area, self.programme, self.year, self.disaster, self.exercise)

    @property
    def home(self) -> UUID:
        return self.area

    @property
    def pays_contested(self) -> bool:
        """Emergency relief is never held back by a contested person (design §4)."""
        return self.programme == EMERGENCY

    def check_open(self) -> None:
        if self.closed:
            raise SeasonClosed(season=self.id)

    def rate(self, key: str) -> Rate:
        """The rate of that key ("" = the usual one), or `Malformed`."""
        rate = self.terms.rate(key)
        if rate is None:
            raise Malformed(
                field="rate",
                value=key,
                rule_zh="现行标准中没有这一档",
                rule_en="the season's standard has no such rate",
            )
        return rate

    def change_standard(
        self, terms: Programme, standards: RuleRef, deliver_by: date | None, reason: str
    ) -> None:
        """New terms from now on; what was granted keeps the terms of its day. Refuses
        `SeasonClosed`, `OtherParts`."""
        self.check_open()
        self._check_parts(terms)
        self._standard_changed(
            terms=terms, standards=standards, deliver_by=deliver_by, reason=reason
        )

    def _check_parts(self, terms: Programme) -> None:
        """Parts are numbers: while a list goes by them they mean what they meant."""
        for rate in self.terms.rates if self.open_lists else ():
            new = terms.rate(rate.key)
            if new is not None and new.parted != rate.parted:
                raise OtherParts(rate=rate.zh, count=len(self.open_lists))

    @event("StandardChanged")
    def _standard_changed(
        self, terms: Programme, standards: RuleRef, deliver_by: date | None, reason: str
    ) -> None:
        self.terms = terms
        self.standards = standards
        self.deliver_by = deliver_by

    @event("ListOpened")
    def list_opened(self, village_list: UUID, village: UUID) -> None:
        """A village's list was opened: this season does not end before it."""
        self.open_lists.add(village_list)

    @event("ListClosed")
    def list_closed(self, village_list: UUID) -> None:
        """Everything on that list is settled."""
        self.open_lists.discard(village_list)

    def close(
        self, reason: str, without_list: tuple[UUID, ...] = (), without_list_reason: str = ""
    ) -> None:
        """``without_list``: the villages that never opened one, of whose households nobody will be
        helped: that takes a reason of its own. Refuses `VillagesWithoutList`."""
        self.check_closable()
        if without_list and not without_list_reason.strip():
            raise VillagesWithoutList(
                season=self.id, count=len(without_list), villages=without_list[:VILLAGES_SAID]
            )
        self._closed(
            reason=reason,
            without_list=len(without_list),
            without_list_reason=without_list_reason.strip() if without_list else "",
        )

    def check_closable(self) -> None:
        """Refuses `SeasonClosed`, `ListsOpen`."""
        self.check_open()
        if self.open_lists:
            raise ListsOpen(season=self.id, count=len(self.open_lists))

    @event("Closed")
    def _closed(self, reason: str, without_list: int, without_list_reason: str) -> None:
        self.closed = True


def _terms_without_parts(values: dict[str, Any]) -> None:
    """The first terms knew neither parts, nor rosters, nor exact amounts: their defaults say so."""


def _closed_without_counting(values: dict[str, Any]) -> None:
    """The first seasons closed without a word about villages without a list."""
    values["without_list"] = 0
    values["without_list_reason"] = ""


grown(Season.Closed, _closed_without_counting)
grown(Season.Opened, _terms_without_parts)
grown(Season.StandardChanged, _terms_without_parts)
