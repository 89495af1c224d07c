"""The desk for relief money: appropriations by document, passing down, giving back.

Commitments and payments are made by the desks of the village lists and relief cases.
"""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from domain.area import Area, check_text
from domain.exercise import AS_THE_STORE
from domain.fund import Fund
from domain.money import HolderNotBelow, NotPassedDownFrom, Source
from domain.refusal import Malformed, Refusal, refusal_of
from domain.world import About, Command, Result, Role, World

FUND = About("funds", Fund, "fund")
ALLOTTERS = frozenset({Role.COUNTY_APPROVER, Role.CITY_REVIEWER, Role.PROVINCE_REVIEWER})


def fund_of(
    world: World, document_no: str, holder: UUID, earmark: tuple[str, ...], exercise: bool
) -> Fund:
    """The holder's fund of that document, opened if this is its first use.

    Its earmark never changes: `Malformed` if another one is named, or none.
    """
    check_text("document_no", document_no)
    if not earmark or not all(earmark):
        raise Malformed(
            field="earmark",
            value="",
            rule_zh="专项资金必须写明用途",
            rule_en="it must name at least one programme",
        )
    id = Fund.id_of(document_no, holder, exercise)
    known = world.find(Fund, id)
    if known is None:
        world.get(Area, holder).require_living()
        return world.add(
            Fund(id=id, document_no=document_no, holder=holder, earmark=earmark, exercise=exercise)
        )
    if set(known.earmark) != set(earmark):
        raise Malformed(
            field="earmark",
            value=", ".join(earmark),
            rule_zh=f"该文号资金的用途已定为：{'、'.join(known.earmark)}",
            rule_en=f"this fund is earmarked for {', '.join(known.earmark)}",
        )
    return known


@dataclass(frozen=True, slots=True, kw_only=True)
class AppropriateFund(Command):
    """Record money that a document gives to a division for named programmes."""

    roles: ClassVar[frozenset[Role]] = ALLOTTERS
    holder: UUID
    document_no: str
    amount_fen: int
    source: Source
    source_document_no: str
    earmark: tuple[str, ...]
    matching_fen: int = 0
    exercise: bool = AS_THE_STORE

    def scope(self, world: World) -> UUID:
        return self.holder

    def decide(self, world: World) -> Result | None:
        check_text("source_document_no", self.source_document_no)
        fund = fund_of(world, self.document_no, self.holder, self.earmark, self.exercise)
        fund.appropriate(
            self.amount_fen,
            source=self.source,
            matching_fen=self.matching_fen,
            source_document_no=self.source_document_no,
        )
        return {"fund": fund.id, "available_fen": fund.available_fen}


@dataclass(frozen=True, slots=True, kw_only=True)
class PassDownFund(Command):
    """Pass money down to a division below, by a document of its own."""

    about: ClassVar[About] = FUND
    roles: ClassVar[frozenset[Role]] = ALLOTTERS
    fund: UUID
    to: UUID
    document_no: str
    amount_fen: int
    matching_fen: int = 0
    earmark: tuple[str, ...] | None = None
    """A narrower earmark for the lower division; None keeps this fund's."""

    @classmethod
    def closed(cls, world: World, subject: Fund) -> Refusal | None:
        return refusal_of(subject.check_some_left)

    def decide(self, world: World) -> Result | None:
        fund = world.get(Fund, self.fund)
        if fund.holder not in world.lineage(self.to)[1:]:
            raise HolderNotBelow(fund=fund.id, holder=fund.holder, to=self.to)
        earmark = fund.earmark if self.earmark is None else self.earmark
        child = fund_of(world, self.document_no, self.to, earmark, fund.exercise)
        fund.pass_down(child, self.amount_fen, matching_fen=self.matching_fen)
        return {
            "fund": child.id,
            "available_fen": child.available_fen,
            "left_fen": fund.available_fen,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnFund(Command):
    """Give unspent money back to the fund it was passed down from, with its matching share."""

    about: ClassVar[About] = FUND
    roles: ClassVar[frozenset[Role]] = ALLOTTERS
    fund: UUID
    to_fund: UUID
    amount_fen: int
    document_no: str
    reason: str
    matching_fen: int | None = None
    """The matching share 配套 in it; left out: in proportion to what came."""

    @classmethod
    def closed(cls, world: World, subject: Fund) -> Refusal | None:
        return refusal_of(subject.check_returnable)

    def decide(self, world: World) -> Result | None:
        check_text("document_no", self.document_no)
        check_text("reason", self.reason)
        fund = world.get(Fund, self.fund)
        if self.to_fund not in fund.net_from:  # said alike of a fund that there is and of none
            raise NotPassedDownFrom(
                fund=fund.id, parent=self.to_fund, wanted_fen=self.amount_fen, net_fen=0
            )
        matching_fen = fund.return_up(
            world.get(Fund, self.to_fund),
            self.amount_fen,
            matching_fen=self.matching_fen,
            document_no=self.document_no,
            reason=self.reason,
        )
        return {"available_fen": fund.available_fen, "matching_fen": matching_fen}
