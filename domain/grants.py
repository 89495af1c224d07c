"""Grants 救助款物 as values: what one household gets, its life, its limits, how they say no."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar
from uuid import UUID, uuid5

import msgspec

from domain.base import NAMESPACE
from domain.goods import LotPick, value_of
from domain.need import Need
from domain.refusal import Refusal
from domain.rules.parts import part_fen, parts_of
from domain.rules.standards import Programme, Rate, amount_fen, ceiling_fen, minimum_fen
from domain.telling import Names, told


class GrantStatus(StrEnum):
    GRANTED = "granted"
    PAID = "paid"
    FAILED = "failed"
    SIGNED = "signed"
    REFUNDED = "refunded"  # all of it came back
    VOID = "void"  # corrected to nothing before it was paid


class HoldDecision(StrEnum):
    """What the county may decide of grants held after a loss in the household."""

    REDUCED = "reduced"  # 核减
    CONFIRMED = "confirmed"  # 说明理由后照发
    WITHDRAWN = "withdrawn"  # 撤销


OPEN = (GrantStatus.GRANTED, GrantStatus.FAILED)


class Grant(msgspec.Struct, frozen=True, omit_defaults=True):
    """One numbered grant: cash of a fund, or goods of a stockpile, by its document (文号).

    Cash: ``fund`` and ``source`` (the commitment). Goods: ``stockpile``, ``source`` (the
    reservation), ``item`` and the ``picks`` of lots that were set aside. ``part``: which part of
    relief that is paid in parts (`domain.rules.parts`); 0: it is paid at once.
    """

    number: int
    document_no: str
    source: UUID
    cash_fen: int = 0
    fund: UUID | None = None
    stockpile: UUID | None = None
    item: str = ""
    picks: tuple[LotPick, ...] = ()
    part: int = 0

    @property
    def is_cash(self) -> bool:
        return self.fund is not None

    @property
    def is_empty(self) -> bool:
        """Nothing of it is left: corrected to nothing, or all given back."""
        return self.cash_fen == 0 and not self.picks

    @property
    def units(self) -> int:
        return sum(pick.quantity for pick in self.picks)

    @property
    def value_fen(self) -> int:
        """折款: cash, or goods at the value of their lots."""
        return self.cash_fen if self.is_cash else value_of(self.picks)


def grant_id(case: UUID, number: int) -> UUID:
    """The id other ledgers (a stockpile) know a numbered grant by."""
    return uuid5(NAMESPACE, f"grant/{case}/{number}")


def first_units(picks: Iterable[LotPick], units: int) -> tuple[LotPick, ...]:
    """The first so many units of the picks, in their order."""
    kept: list[LotPick] = []
    for pick in picks:
        taken = min(units, pick.quantity)
        if taken:
            kept.append(LotPick(pick.lot, taken, pick.unit_value_fen))
        units -= taken
    return tuple(kept)


@dataclass(eq=False, kw_only=True)
class _MoneyAndGoods(Refusal):
    """A refusal about what a household gets in all: where goods are in it, it says their worth,
    which nobody typed."""

    total_fen: int
    goods_fen: int = 0

    def sentence(self, language: str, names: Names | None = None) -> str:
        template, split = self.zh, "（现金 {cash_fen}，物资折款 {goods_fen}）"
        if language != "zh":
            template, split = self.en, " ({cash_fen} in cash and goods worth {goods_fen})"
        if self.goods_fen:
            template = template.replace("{total_fen}", "{total_fen}" + split)
        facts = {**self.facts(), "cash_fen": self.total_fen - self.goods_fen}
        return told(template, facts, language, names)


@dataclass(eq=False, kw_only=True)
class OverStandard(_MoneyAndGoods):
    """More than the standard's ceiling takes a written reason (domain.md §2.4)."""

    zh: ClassVar[str] = "拟给户 {case} 发放 {total_fen}，超过标准上限 {ceiling_fen}，须书面说明理由"
    en: ClassVar[str] = (
        "{total_fen} for household {case} is over its ceiling of {ceiling_fen}: give a written "
        "reason."
    )
    case: UUID
    ceiling_fen: int


@dataclass(eq=False, kw_only=True)
class UnderStandard(_MoneyAndGoods):
    zh: ClassVar[str] = "拟给户 {case} 发放 {total_fen}，低于最低标准 {minimum_fen}"
    en: ClassVar[str] = "{total_fen} for household {case} is under its minimum of {minimum_fen}."
    case: UUID
    minimum_fen: int


@dataclass(eq=False, kw_only=True)
class OffGuide(_MoneyAndGoods):
    """Where the standard is an amount and no range, a smaller one takes a reason as well."""

    zh: ClassVar[str] = "拟给户 {case} 发放 {total_fen}，与标准 {guide_fen} 不一致，须书面说明理由"
    en: ClassVar[str] = (
        "{total_fen} for household {case} is not the {guide_fen} of the standard: give a written "
        "reason."
    )
    case: UUID
    guide_fen: int


@dataclass(eq=False)
class PartGranted(Refusal):
    """A month, ten days or a milestone is granted once."""

    zh: ClassVar[str] = "户 {case} 的第 {part} 期已经分配过，不能重复分配"
    en: ClassVar[str] = "Part {part} has been granted to household {case} already."
    case: UUID
    part: int


@dataclass(eq=False)
class PartNotNext(Refusal):
    zh: ClassVar[str] = "第 {part} 期还不能分配：应先分配第 {next} 期"
    en: ClassVar[str] = "Part {part} is not to be granted yet. The next one is {next}."
    case: UUID
    part: int
    next: int


@dataclass(eq=False)
class NoSuchPart(Refusal):
    zh: ClassVar[str] = "没有第 {part} 期：本户共分 {parts} 期，不分期的不填期次"
    en: ClassVar[str] = (
        "There is no part {part}: this household has {parts} {parts:part|parts}; "
        "what is paid at once names none."
    )
    case: UUID
    part: int
    parts: int


@dataclass(eq=False)
class PartsLeft(Refusal):
    """A list that closes over parts not granted says why they never will be."""

    zh: ClassVar[str] = "还有 {count} 户没有分完各期，须说明理由才能办结"
    en: ClassVar[str] = (
        "{count} {count:household has|households have} parts that were not granted: say why to "
        "close the list."
    )
    village_list: UUID
    count: int


@dataclass(eq=False)
class NothingGranted(Refusal):
    """A list that closes over approved households to whom nothing was ever granted says why."""

    zh: ClassVar[str] = "名册上有 {count} 户审定后没有分配任何款物，须说明理由才能办结"
    en: ClassVar[str] = (
        "{count} {count:household of the list was|households of the list were} approved and "
        "{count:has|have} been granted nothing: say why to close the list."
    )
    village_list: UUID
    count: int


@dataclass(eq=False)
class OverAllowance(Refusal):
    """More of an item than its allowance a person takes a written reason."""

    zh: ClassVar[str] = "拟给户 {case} 发放 {item} {units}，超过限量 {allowed}，须书面说明理由"
    en: ClassVar[str] = (
        "{units} of {item} for household {case} {units:is|are} over the allowance of {allowed}: "
        "give a reason."
    )
    case: UUID
    item: str
    units: int
    allowed: int


@dataclass(eq=False)
class ItemNotInProgramme(Refusal):
    zh: ClassVar[str] = "本救助项目不发放物资“{item}”"
    en: ClassVar[str] = "This programme gives no {item}."
    case: UUID
    item: str


@dataclass(eq=False)
class NoSuchGrant(Refusal):
    zh: ClassVar[str] = "救助对象 {case} 没有第 {number} 号救助"
    en: ClassVar[str] = "Case {case} has no such grant with number {number}."
    case: UUID
    number: int


@dataclass(eq=False)
class WrongGrantStatus(Refusal):
    zh: ClassVar[str] = "第 {number} 号救助的状态为“{state}”，不能进行此操作"
    en: ClassVar[str] = "Grant {number} is {state}: this cannot be done to it."
    case: UUID
    number: int
    state: str


@dataclass(eq=False)
class NoGrantThere(Refusal):
    """No grant of the case is where this step needs one."""

    zh: ClassVar[str] = "本户没有处于“{needed}”状态的款物"
    en: ClassVar[str] = "No grant of this case is at {needed}."
    case: UUID
    needed: str


@dataclass(eq=False)
class NoCashThere(NoGrantThere):
    """The same of money alone."""

    zh: ClassVar[str] = "本户没有处于“{needed}”状态的现金"
    en: ClassVar[str] = "No cash of this case is at {needed}."


@dataclass(eq=False)
class GrantsOpen(Refusal):
    """Grants that were neither paid nor signed for, nor corrected to nothing."""

    zh: ClassVar[str] = "还有 {count} 笔救助未发放或未签领"
    en: ClassVar[str] = "{count} {count:grant is|grants are} neither paid nor signed for."
    subject: UUID
    count: int
    cash: int = 0
    """How many of them are money; the others are goods."""
    unposted: bool = False
    """The second notice is to be posted before any of it is given out."""


@dataclass(eq=False)
class RefundExceeds(Refusal):
    zh: ClassVar[str] = "退回 {wanted} 超过第 {number} 号救助尚可退回的 {left}"
    en: ClassVar[str] = "{wanted} is more than the {left} left of grant {number}."
    case: UUID
    number: int
    wanted: int
    left: int


@dataclass(eq=False)
class NothingDue(Refusal):
    """A payment order over a list whose cash has all gone out."""

    zh: ClassVar[str] = "名册 {village_list} 没有待发放的现金：已发放后被银行退回的，请逐笔登记退票"
    en: ClassVar[str] = (
        "No cash of list {village_list} is due. What bounced after it was paid is recorded as a "
        "failure of its own."
    )
    village_list: UUID


@dataclass(eq=False)
class NothingToGrant(Refusal):
    """An allocation, a payment or a handing-out that would move nothing."""

    zh: ClassVar[str] = "名册 {village_list} 没有可以办理的款物"
    en: ClassVar[str] = "There is nothing to grant, pay or hand out on list {village_list}."
    village_list: UUID


def less(grant: Grant, amount_fen: int, picks: tuple[LotPick, ...]) -> Grant:
    """The grant without what came back: units of its lots, or an amount of its cash."""
    if grant.is_cash:
        return msgspec.structs.replace(grant, cash_fen=grant.cash_fen - amount_fen)
    back: dict[UUID, int] = {}
    for pick in picks:
        back[pick.lot] = back.get(pick.lot, 0) + pick.quantity
    kept = [
        LotPick(pick.lot, pick.quantity - back.get(pick.lot, 0), pick.unit_value_fen)
        for pick in grant.picks
    ]
    return msgspec.structs.replace(grant, picks=tuple(pick for pick in kept if pick.quantity > 0))


def goods_fen(grants: Iterable[Grant], terms: Programme) -> int:
    """What the goods among these are worth, where the programme counts them (含物资折款)."""
    return sum(one.value_fen for one in grants if not one.is_cash and terms.goods_count)


def check_standard(
    case: UUID,
    need: Need,
    standing: Sequence[Grant],
    new: Sequence[Grant],
    terms: Programme,
    rate: Rate,
    reason: str | None,
) -> None:
    """Whether ``new`` grants beside the ``standing`` ones keep within the standard.

    Goods count at their value where the programme says so (含物资折款). The minimum is asked for
    when cash is granted: goods alone may come first. A part keeps within its share of both.
    Refuses `OverStandard`, `UnderStandard`, `OverAllowance`, `ItemNotInProgramme`.
    """
    both = (*standing, *new)
    goods = goods_fen(both, terms)
    total = sum(one.cash_fen for one in both) + goods
    ceiling = ceiling_fen(rate, *_reckoned(need))
    if total > ceiling and not reason:
        raise OverStandard(case=case, total_fen=total, goods_fen=goods, ceiling_fen=ceiling)
    in_parts = parts_of(rate, need.days)
    for part in in_parts:
        for one in (one for one in new if one.part == part.number and one.cash_fen):
            most = part_fen(rate, rate.ceiling_fen, part, *_reckoned(need))
            if one.cash_fen > most and not reason:
                raise OverStandard(case=case, total_fen=one.cash_fen, ceiling_fen=most)
            least = part_fen(rate, rate.minimum_fen, part, *_reckoned(need))
            if one.cash_fen < least:
                raise UnderStandard(case=case, total_fen=one.cash_fen, minimum_fen=least)
    minimum = minimum_fen(rate, *_reckoned(need))
    if not in_parts and total < minimum and any(one.cash_fen for one in new):
        raise UnderStandard(case=case, total_fen=total, goods_fen=goods, minimum_fen=minimum)
    for item in sorted({one.item for one in new if not one.is_cash}):
        allowance = terms.allowance(item)
        if allowance is None:
            raise ItemNotInProgramme(case=case, item=item)
        units = sum(one.units for one in both if one.item == item)
        allowed = allowance.per_person * need.persons
        if units > allowed and not reason:
            raise OverAllowance(case=case, item=item, units=units, allowed=allowed)


def _reckoned(need: Need) -> tuple[int, int, int]:
    return need.persons, need.days, need.count


def guide_fen(rate: Rate, need: Need, part: int) -> int:
    """What the standard gives by itself: all of it, or this part."""
    for one in parts_of(rate, need.days):
        if one.number == part:
            return part_fen(rate, rate.amount_fen, one, *_reckoned(need))
    return amount_fen(rate, *_reckoned(need))


def check_guide(
    case: UUID,
    need: Need,
    standing: Sequence[Grant],
    new: Sequence[Grant],
    terms: Programme,
    rate: Rate,
    reason: str | None,
) -> None:
    """Whether new cash comes to the guide value, where the programme is exact. Else `OffGuide`."""
    for one in new:
        if not terms.exact or reason or not one.cash_fen:
            continue
        beside = [other for other in (*standing, *new) if other is not one and not one.part]
        goods = goods_fen(beside, terms)
        total = one.cash_fen + sum(other.cash_fen for other in beside) + goods
        guide = guide_fen(rate, need, one.part)
        if total != guide:
            raise OffGuide(case=case, total_fen=total, goods_fen=goods, guide_fen=guide)


@dataclass(eq=False)
class NothingHeld(Refusal):
    """Only grants that are open, and held after a loss, are decided upon."""

    zh: ClassVar[str] = "{head}户没有因成员变动而暂停发放的款物，无需决定"
    en: ClassVar[str] = "No grant of the household of {head} is held after a loss."
    case: UUID
    head: str
