"""Relief standards 救助标准: what a programme gives, up to what, and by which steps (domain.md §2).

The six programmes are those of 财建〔2020〕245号 art.6. Amounts are local: a rulebook's data.
"""

from datetime import date
from typing import Annotated, ClassVar, Final, Literal

import msgspec

from domain.rules.base import Fen, Key, Problem, Text, repeated

Basis = Literal["person", "person_day", "person_ten_days", "household", "room", "death"]
Step = Literal[
    "application",
    "appraisal",
    "first_notice",
    "township_review",
    "county_approval",
    "second_notice",
]
Grade = Literal["collapsed", "severely_damaged", "slightly_damaged"]
Named = Literal["", "dead", "house"]
ProgrammeKey = Literal[
    "winter_spring", "emergency", "transitional", "drought", "housing", "condolence"
]
PROGRAMMES: tuple[ProgrammeKey, ...] = (
    "winter_spring",
    "emergency",
    "transitional",
    "drought",
    "housing",
    "condolence",
)
Days = Annotated[int, msgspec.Meta(ge=0, le=366)]
Amount = Annotated[int, msgspec.Meta(ge=1, le=10**12)]


TEN_DAYS: Final = 10
"""旬: what a drought is counted and helped by."""
BY_DAYS: Final[tuple[Basis, ...]] = ("person_day", "person_ten_days")


class Milestone(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A stage of rebuilding 建房节点, at which so many hundredths of the amount are paid."""

    key: Key
    zh: Text
    en: Text
    percent: Annotated[int, msgspec.Meta(ge=1, le=100)]


class Rate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``amount_fen`` per unit of ``basis`` is the guide value.

    Above ``ceiling_fen`` per unit a grant needs a written reason; below ``minimum_fen`` it is not
    allowed. ``max_days`` bounds the days of a rate by days, ``pay_every_days`` says that it is paid
    in parts of so many days; ``milestones``: in parts as the home stands. ``grades``: the damage
    that a rate for homes is for, empty = any.
    """

    key: Key
    zh: Text
    en: Text
    basis: Basis
    amount_fen: Amount
    ceiling_fen: Amount
    minimum_fen: Fen = 0
    max_days: Annotated[int, msgspec.Meta(ge=1, le=366)] = 1
    pay_every_days: Annotated[int, msgspec.Meta(ge=1, le=366)] | None = None
    milestones: Annotated[tuple[Milestone, ...], msgspec.Meta(max_length=10)] = ()
    grades: tuple[Grade, ...] = ()

    @property
    def parted(self) -> tuple[object, ...]:
        """What its parts are counted by: the basis, the days of a part, the shares."""
        in_parts = self.pay_every_days or self.milestones
        shares = tuple((one.key, one.percent) for one in self.milestones)
        return (self.basis, self.pay_every_days, shares) if in_parts else ()


class GoodsAllowance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An item of the catalogue this programme may give, and how many a person without reason."""

    item: Key
    per_person: Annotated[int, msgspec.Meta(ge=1, le=100)]


class MonthDay(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    month: Annotated[int, msgspec.Meta(ge=1, le=12)]
    day: Annotated[int, msgspec.Meta(ge=1, le=31)]

    def in_year(self, year: int) -> date:
        return date(year, self.month, self.day)


class Programme(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One programme as this area runs it.

    ``steps`` in the order they must be done. ``kinds``: household kinds it is for, empty = all.
    ``goods_count``: the value of goods counts towards minimum and ceiling (含物资折款).
    ``window_from``/``window_to``: the part of the year it pays in; the end lies in the next year
    when it is before the start. ``assess_by``: need is assessed by then.
    ``pay_before_spring_festival``: cash and goods must reach people before 春节. ``hazards``: kinds
    of disasters it is run for, empty = all. ``names``: an application names the dead, or the home,
    as they stand on the rosters 台账, each helped once. ``exact``: an amount other than the guide
    value takes a written reason, a smaller one too. ``example``: no document sets these amounts.
    """

    key: ProgrammeKey
    zh: Text
    en: Text
    steps: tuple[Step, ...]
    rates: Annotated[tuple[Rate, ...], msgspec.Meta(min_length=1)]
    first_notice_days: Days
    second_notice_days: Days
    goods: tuple[GoodsAllowance, ...] = ()
    goods_count: bool = True
    kinds: tuple[Key, ...] = ()
    needs_disaster: bool = True
    hazards: tuple[Key, ...] = ()
    names: Named = ""
    exact: bool = False
    legacy_code: str = ""
    assess_by: MonthDay | None = None
    window_from: MonthDay | None = None
    window_to: MonthDay | None = None
    pay_before_spring_festival: bool = False
    pay_within_working_days: Annotated[int, msgspec.Meta(ge=1, le=366)] | None = None
    example: bool = False

    def rate(self, key: str = "") -> Rate | None:
        """The rate of that key; without a key the first, which is the programme's usual one."""
        if not key:
            return self.rates[0]
        return next((rate for rate in self.rates if rate.key == key), None)

    def requires(self, step: str) -> bool:
        return step in self.steps

    @property
    def in_parts(self) -> bool:
        """Whether any of its rates is paid in parts (`domain.rules.parts`)."""
        return any(rate.milestones or rate.pay_every_days for rate in self.rates)

    def allowance(self, item: str) -> GoodsAllowance | None:
        """What may be given of an item; None = this programme does not give it."""
        return next((goods for goods in self.goods if goods.item == item), None)

    def is_for(self, kind: str) -> bool:
        return not self.kinds or kind in self.kinds


class Standards(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    KIND: ClassVar[str] = "standards"

    programmes: tuple[Programme, ...]

    def programme(self, key: str) -> Programme | None:
        return next((found for found in self.programmes if found.key == key), None)

    def problems(self) -> list[Problem]:
        found = repeated(tuple(programme.key for programme in self.programmes), "programmes")
        for programme in self.programmes:
            found += _programme_problems(programme)
        return found


def units(rate: Rate, persons: int, days: int = 1, count: int = 1) -> int:
    """How many units of the rate's basis: persons, person-days, rooms, deaths or one household.

    ``count`` is the number of rooms or deaths. Days beyond the rate's longest period do not count;
    ten days that have begun do.
    """
    if rate.basis == "person":
        return persons
    if rate.basis == "person_day":
        return persons * min(days, rate.max_days)
    if rate.basis == "person_ten_days":
        return persons * -(-min(days, rate.max_days) // TEN_DAYS)
    if rate.basis == "household":
        return 1
    return count


def amount_fen(rate: Rate, persons: int, days: int = 1, count: int = 1) -> int:
    """The guide value for this household."""
    return rate.amount_fen * units(rate, persons, days, count)


def ceiling_fen(rate: Rate, persons: int, days: int = 1, count: int = 1) -> int:
    """The most this household may be given without a written reason."""
    return rate.ceiling_fen * units(rate, persons, days, count)


def minimum_fen(rate: Rate, persons: int, days: int = 1, count: int = 1) -> int:
    """The least a grant to this household may be worth."""
    return rate.minimum_fen * units(rate, persons, days, count)


def _part_problems(where: str, rate: Rate) -> list[Problem]:
    """Ten days are whole, parts are of days or of a home, and milestones are all of the amount."""
    found = repeated(tuple(one.key for one in rate.milestones), f"{where}.milestones")

    def wrong(field: str, zh: str, en: str) -> None:
        found.append(Problem(f"{where}.{field}", zh, en))

    by_days = rate.basis in BY_DAYS
    if rate.basis == "person_ten_days":
        for field in ("max_days", "pay_every_days"):
            if (getattr(rate, field) or TEN_DAYS) % TEN_DAYS:
                wrong(field, "按旬计算的，应为 10 天的整数倍", "by ten days: whole tens of days")
    if rate.pay_every_days is not None and not by_days:
        wrong("pay_every_days", "只有按天、按旬计算的才能按天数分期", "only a rate by days has it")
    if rate.milestones and (by_days or rate.pay_every_days is not None):
        wrong("milestones", "按天数计算的不按节点分期", "a rate by days has no milestones")
    if rate.milestones and sum(one.percent for one in rate.milestones) != 100:
        wrong("milestones", "各节点的百分数合计应为 100", "the percents add up to 100")
    return found


def _programme_problems(programme: Programme) -> list[Problem]:
    where = f"programmes.{programme.key}"
    found = repeated(tuple(rate.key for rate in programme.rates), f"{where}.rates")
    found += repeated(programme.steps, f"{where}.steps")
    found += repeated(tuple(goods.item for goods in programme.goods), f"{where}.goods")
    for rate in programme.rates:
        if not rate.minimum_fen <= rate.amount_fen <= rate.ceiling_fen:
            zh = "应满足 最低额 ≤ 标准额 ≤ 上限额"
            en = "minimum_fen <= amount_fen <= ceiling_fen does not hold"
            found.append(Problem(f"{where}.rates.{rate.key}", zh, en))
        found += _part_problems(f"{where}.rates.{rate.key}", rate)
    if programme.names == "dead" and any(rate.basis != "death" for rate in programme.rates):
        zh = "写明遇难人员的项目，各档都应按遇难人员计算"
        en = "what names the dead is reckoned by deaths at every rate"
        found.append(Problem(f"{where}.names", zh, en))
    for step, days in (
        ("first_notice", programme.first_notice_days),
        ("second_notice", programme.second_notice_days),
    ):
        if (step in programme.steps) != (days > 0):
            zh = f"步骤“{step}”与公示天数不一致"
            en = f"step {step} and its number of days do not agree"
            found.append(Problem(f"{where}.{step}_days", zh, en))
    for name in ("application", "county_approval"):
        if name not in programme.steps:
            found.append(Problem(f"{where}.steps", f"缺少步骤“{name}”", f"step {name} is missing"))
    return found
