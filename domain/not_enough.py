"""What money and goods lack, told at once: who sets amounts learns all of it from one refusal."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import msgspec

from domain.goods import StockExhausted
from domain.money import FundOverdrawn
from domain.refusal import Refusal
from domain.rules.items import Items
from domain.telling import Names, yuan


class Short(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing of which too little is there, and from which row of the table on it does not reach.

    Money of a fund, in fen, by its ``document_no``; or units of an item, by its names and the
    Chinese word for a unit.
    """

    field: str
    row: int
    wanted: int
    available: int
    document_no: str = ""
    zh: str = ""
    en: str = ""
    unit: str = ""

    def said(self, language: str) -> str:
        """有多少、要多少、差多少."""
        lacking = self.wanted - self.available
        figures = (self.available, self.wanted, lacking)
        if self.document_no:
            there, asked, less = (yuan(one, language) for one in figures)
        elif language == "zh":
            there, asked, less = (f"{one} {self.unit}".strip() for one in figures)
        else:
            there, asked, less = map(str, figures)
        if language == "zh":
            what = f"资金（{self.document_no}）" if self.document_no else self.zh
            return f"{what}可用 {there}，本次要用 {asked}，差 {less}，从第 {self.row} 行起不够"
        what = f"fund {self.document_no}" if self.document_no else self.en
        return f"{what}: {there} free, {asked} asked for, {less} short from row {self.row} on"


@dataclass(eq=False)
class NotEnough(Refusal):
    """Less is there than was to be set aside. ``field``: where the first of it runs out."""

    zh: ClassVar[str] = "余额或库存不够"
    en: ClassVar[str] = "There is not enough"
    field: str
    short: tuple[Short, ...]

    def sentence(self, language: str, names: Names | None = None) -> str:
        said = [one.said(language) for one in self.short]
        if language == "zh":
            return self.zh + ("：" + "；".join(said) if said else "")
        return self.en + (": " + "; ".join(said) if said else "") + "."


def refuse(short: Sequence[Short]) -> None:
    """`NotEnough`, if anything is short."""
    if short:
        raise NotEnough(field=short[0].field, short=tuple(short))


def of_fund(refusal: FundOverdrawn, at: tuple[str, int]) -> Short:
    """``at``: field and number of the row where it runs out."""
    return Short(*at, refusal.wanted_fen, refusal.available_fen, document_no=refusal.document_no)


def of_stock(refusal: StockExhausted, at: tuple[str, int], items: Items) -> Short:
    """``at``: field and number of the row where it runs out. ``items``: what the item is called."""
    one = items.find(refusal.item)
    zh, en, unit = (one.zh, one.en, one.unit_zh) if one else (refusal.item, refusal.item, "")
    return Short(*at, refusal.wanted, refusal.available, zh=zh, en=en, unit=unit)


def runs_out(rows: Iterable[tuple[str, int]], available: int) -> tuple[str, int]:
    """Of rows, each its field and what it takes, the first for which it does not reach any more:
    its field and its number."""
    for number, (field, taken) in enumerate(rows, start=1):
        available -= taken
        if available < 0:
            return field, number
    raise AssertionError("what is short runs out somewhere")
