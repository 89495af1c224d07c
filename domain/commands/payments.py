"""The desk for amounts and delivery: allocation, payment by 一卡通, failures, goods signed for.

One village list is one commit: one `Fund.Committed` a fund, one `Stockpile.Reserved` an item, one
`Fund.Paid` a batch, however many households it holds.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import ClassVar, NamedTuple
from uuid import UUID

from domain.area import check_text
from domain.commands.relief_cases import check_size, hands_for
from domain.commands.sealing import not_future
from domain.commands.seasons import due_on
from domain.commands.stock import stocked
from domain.commands.village_lists import OfList, cases_of, cases_on
from domain.fund import Fund
from domain.goods import LotPick, Purpose, StockExhausted, not_negative, positive, split
from domain.grants import (
    Grant,
    GrantStatus,
    NothingDue,
    NothingToGrant,
)
from domain.household import Household
from domain.list_checks import ALLOCATABLE
from domain.money import FundOverdrawn
from domain.not_enough import Short, of_fund, of_stock, refuse, runs_out
from domain.paying import check_list, check_losses, check_payable, check_rows
from domain.reach import in_reach, within
from domain.refusal import Malformed, NotFound, Refusal, missing
from domain.relief_case import ReliefCase
from domain.roster import Hands
from domain.rules.items import Items
from domain.rules.standards import Rate
from domain.season import Season
from domain.separation import separate
from domain.stockpile import Stockpile
from domain.village_list import VillageList
from domain.world import Result, Role, World

APPROVERS = frozenset({Role.COUNTY_APPROVER})
PAYERS = frozenset({Role.COUNTY_PAYER})


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodsInput:
    item: str
    units: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantInput:
    """What one case gets. Above the standard ``reason`` is required (domain.md §2.4)."""

    case: UUID
    cash_fen: int = 0
    goods: tuple[GoodsInput, ...] = ()
    reason: str | None = None
    part: int | None = None
    """Of relief paid in parts, which one; left out, the one that comes next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureInput:
    """A payment of the batch that the bank sent back at once."""

    case: UUID
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocateList(OfList):
    """Set the amounts and goods of a list's households, by document; commits fund and stock."""

    roles: ClassVar[frozenset[Role]] = APPROVERS
    document_no: str
    grants: tuple[GrantInput, ...]
    fund: UUID | None = None
    warehouse: UUID | None = None
    """The area whose depot the goods come from."""
    expected_version: int | None = None
    """Facts of the list when its amounts were set: a second page of it would grant them twice."""

    @classmethod
    def check(cls, world: World, found: VillageList, season: Season) -> None:
        found.must_be(*ALLOCATABLE)
        separate(world, found.id, found.steps, "approve")

    def decide(self, world: World) -> Result | None:
        check_text("document_no", self.document_no)
        found, season = self.of(world)
        cases = cases_on(world, found, (one.case for one in self.grants))
        hands = hands_for(world, found, cases, "approve")
        _check_grants(self.grants)
        cash_fen = sum(one.cash_fen for one in self.grants)
        goods = _goods_totals(self.grants)
        if not cash_fen and not goods:
            raise NothingToGrant(village_list=found.id)
        deliver_by, standards = due_on(world, season, found.village)
        found.allocate(
            self.document_no,
            self.fund if cash_fen else None,
            cash_fen,
            goods,
            standards,
            deliver_by,
            hands,
        )
        short: list[Short] = []
        commitment = self._commit(world, found, season, cash_fen, short)
        parts = self._reserve(world, found, goods, short)
        refuse(short)
        for case, given in zip(cases, self.grants, strict=True):
            household = world.get(Household, case.household)
            check_losses(case, household)
            if given.cash_fen or given.goods:
                check_rows(world, season, case.need)
            check_size(household, case.need.persons)
            rate = season.rate(case.need.rate)
            made = self._grants(case, given, commitment, parts, rate)
            case.grant(made, season.terms, rate, given.reason, household.losses)
        return {"cash_fen": cash_fen, "goods": goods, "commitment": commitment}

    def _commit(
        self,
        world: World,
        found: VillageList,
        season: Season,
        cash_fen: int,
        short: list[Short],
    ) -> UUID | None:
        """Promise the cash of the whole list. Answers the commitment. What the fund lacks is added
        to ``short``, for whoever reads it to learn what the depot lacks as well."""
        if not cash_fen:
            return None
        fund = within(world, Fund, _required("fund", self.fund))
        commitment = world.make_id("commitment")
        try:
            fund.commit(
                commitment,
                cash_fen,
                programme=season.programme,
                subject=found.id,
                exercise=found.exercise,
            )
        except FundOverdrawn as refusal:
            cash = (one.cash_fen for one in self.grants)
            rows = ((f"grants[{at}].cash_fen", fen) for at, fen in enumerate(cash))
            short.append(of_fund(refusal, runs_out(rows, refusal.available_fen)))
        return commitment

    def _reserve(
        self, world: World, found: VillageList, goods: dict[str, int], short: list[Short]
    ) -> dict[str, tuple[UUID, UUID, list[tuple[LotPick, ...]]]]:
        """Set each item aside once; its stockpile, reservation and the parts, last case first."""
        parts = {}
        for item, units in goods.items():
            warehouse = _required("warehouse", self.warehouse)
            if not in_reach(world, warehouse):
                raise NotFound(kind="Stockpile", id=warehouse)
            id = Stockpile.id_of(warehouse, item, found.exercise)
            reservation = world.make_id("reservation", item)
            wanted = [one.units for given in self.grants for one in given.goods if one.item == item]
            try:
                stockpile = stocked(world, warehouse, item, units, exercise=found.exercise)
                picks = stockpile.reserve(
                    reservation,
                    units,
                    purpose=Purpose.VILLAGE_LIST,
                    subject=found.id,
                    exercise=found.exercise,
                )
            except StockExhausted as refusal:
                taken = (
                    sum(one.units for one in given.goods if one.item == item)
                    for given in self.grants
                )
                rows = ((f"grants[{at}].goods", one) for at, one in enumerate(taken))
                items = world.rules(Items, warehouse, world.now).rule
                short.append(of_stock(refusal, runs_out(rows, refusal.available), items))
            else:
                parts[item] = (id, reservation, split(picks, wanted)[::-1])
        return parts

    def _grants(
        self,
        case: ReliefCase,
        given: GrantInput,
        commitment: UUID | None,
        parts: dict[str, tuple[UUID, UUID, list[tuple[LotPick, ...]]]],
        rate: Rate,
    ) -> list[Grant]:
        """The numbered grants of one case, cash first."""
        number = case.next_number
        made: list[Grant] = []
        if given.cash_fen:
            assert commitment is not None
            made.append(
                Grant(
                    number=number,
                    document_no=self.document_no,
                    source=commitment,
                    cash_fen=given.cash_fen,
                    fund=self.fund,
                    part=_part(case, given, rate),
                )
            )
        for one in given.goods:
            stockpile, reservation, left = parts[one.item]
            made.append(
                Grant(
                    number=number + len(made),
                    document_no=self.document_no,
                    source=reservation,
                    stockpile=stockpile,
                    item=one.item,
                    picks=left.pop(),
                )
            )
        return made


def _check_grants(grants: tuple[GrantInput, ...]) -> None:
    """No amount below zero, no case and no item of a case twice."""
    seen: set[UUID] = set()
    for at, one in enumerate(grants):
        not_negative(f"grants[{at}].cash_fen", one.cash_fen)
        items = [goods.item for goods in one.goods]
        if one.case in seen or len(set(items)) < len(items):
            raise Malformed(
                field="grants",
                value=str(one.case),
                rule_zh="同一救助对象或同一物资重复出现",
                rule_en="a case, or an item of a case, is named twice",
            )
        seen.add(one.case)
        for nth, goods in enumerate(one.goods):
            positive(f"grants[{at}].goods[{nth}].units", goods.units)


def _part(case: ReliefCase, given: GrantInput, rate: Rate) -> int:
    """The part named, else the next one; where all are granted, the last once more: refused."""
    if given.part is not None:
        positive("part", given.part)
        return given.part
    left = case.parts_left(rate)
    return left[0].number if left else max(case.parts_granted, default=0)


def _goods_totals(grants: tuple[GrantInput, ...]) -> dict[str, int]:
    totals: dict[str, int] = {}
    for given in grants:
        for one in given.goods:
            totals[one.item] = totals.get(one.item, 0) + one.units
    return totals


def _required(field: str, id: UUID | None) -> UUID:
    if id is None:
        raise missing(field)
    return id


Line = tuple[ReliefCase, Grant, UUID | None]
"""A payment that is due: the case, its grant, the member whose card it goes to."""


def _sum(lines: Iterable[Line]) -> int:
    return sum(grant.cash_fen for _, grant, _ in lines)


@dataclass(eq=False)
class NothingToFail(Refusal):
    """The bank's answer names a household for which this order pays nothing."""

    zh: ClassVar[str] = (
        "银行退回的{head}户没有待发放的现金：已发放后退回的，请逐笔登记退票；同一户只登记一次"
    )
    en: ClassVar[str] = (
        "No cash is due to the household of {head}, which the bank is said to have sent back, or "
        "it is named twice. What bounced after it was paid is recorded as a failure of its own."
    )
    case: UUID
    head: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PayList(OfList):
    """Pay all cash of a list that is due, one batch a fund; households that must wait are named.

    What the bank sent back at once is kept as a fact, of a household that must wait too.
    """

    roles: ClassVar[frozenset[Role]] = PAYERS
    document_no: str
    """Number of the payment order 国库集中支付."""
    failures: tuple[FailureInput, ...] = ()
    value_date: date | None = None
    """The bank's value date 到账日期; left out, the day of the record stands for it."""
    expected_version: int | None = None

    @classmethod
    def check(cls, world: World, found: VillageList, season: Season) -> None:
        check_list(world, season, found)
        cases = cases_of(world, found.cases)
        hands_for(world, found, cases, "pay")
        due = _due(world, season, cases)
        if not due.cases:
            raise NothingDue(village_list=found.id)

    def decide(self, world: World) -> Result | None:
        check_text("document_no", self.document_no)
        not_future(world, "value_date", self.value_date)
        found, season = self.of(world)
        check_list(world, season, found)
        cases = cases_of(world, found.cases)
        hands = hands_for(world, found, cases, "pay")
        due = _due(world, season, cases)
        failed = self._failed(world, found, due)
        bounced = self._keep_failures_of_held(world, due, failed, hands)
        if not due.batches and not bounced:
            raise next(iter(due.held.values()), NothingToGrant(village_list=found.id))
        paid_fen = payments = 0
        for (fund, source), lines in due.batches.items():
            batch = world.make_id("batch", fund, source)
            good = self._pay(world, fund, source, batch, lines, failed, hands)
            paid_fen += _sum(good)
            payments += len(good)
            bounced += len(lines) - len(good)
        found.paid(
            document_no=self.document_no,
            paid_fen=paid_fen,
            payments=payments,
            failed=bounced,
            held=len(due.held),
            hands=hands,
        )
        waiting = {str(case): refusal.code() for case, refusal in due.held.items()}
        return {"paid_fen": paid_fen, "payments": payments, "failed": bounced, "held": waiting}

    def _failed(self, world: World, found: VillageList, due: "_Due") -> dict[UUID, str]:
        """The bank's reasons by case, each for a case that has cash due."""
        failed: dict[UUID, str] = {}
        for at, one in enumerate(self.failures):
            check_text(f"failures[{at}].reason", one.reason)
            found.must_hold(one.case)
            if one.case in failed or one.case not in due.cases:
                household = world.get(Household, world.get(ReliefCase, one.case).household)
                raise NothingToFail(case=one.case, head=household.head_masked)
            failed[one.case] = one.reason
        return failed

    def _keep_failures_of_held(
        self, world: World, due: "_Due", failed: dict[UUID, str], hands: Hands
    ) -> int:
        """A held case is in no batch: no money moves, and what the bank said stands in the case."""
        kept = 0
        for case_id in due.held.keys() & failed.keys():
            for grant in due.cases[case_id]:
                batch = world.make_id("batch", grant.fund, grant.source)
                case = world.get(ReliefCase, case_id)
                case.fail(grant.number, batch, failed[case_id], hands)
                kept += 1
        return kept

    def _pay(
        self,
        world: World,
        fund_id: UUID,
        source: UUID,
        batch: UUID,
        lines: list[Line],
        failed: dict[UUID, str],
        hands: Hands,
    ) -> list[Line]:
        """One batch out of one commitment. Answers the lines that went through."""
        fund = world.get(Fund, fund_id)
        fund.pay(source, batch, _sum(lines), payments=len(lines))
        bounced = [line for line in lines if line[0].id in failed]
        if bounced:
            reasons = "；".join(sorted({failed[line[0].id] for line in bounced}))
            fund.fail(batch, _sum(bounced), payments=len(bounced), reason=reasons)
        for case, grant, holder in lines:
            if case.id in failed:
                case.fail(grant.number, batch, failed[case.id], hands)
            else:
                case.pay(grant.number, self.document_no, batch, holder, self.value_date, hands)
        return [line for line in lines if line[0].id not in failed]


class _Due(NamedTuple):
    """The unpaid cash grants of a list: of each case, those to be paid, and whose must wait."""

    cases: dict[UUID, list[Grant]]
    batches: dict[tuple[UUID, UUID], list[Line]]
    """By fund and commitment."""
    held: dict[UUID, Refusal]
    """Why a case must wait."""


def _due(world: World, season: Season, cases: list[ReliefCase]) -> _Due:
    due = _Due({}, {}, {})
    for case in cases:
        grants = [
            grant
            for number, grant in case.grants.items()
            if grant.is_cash and case.status[number] is GrantStatus.GRANTED
        ]
        if not grants:
            continue
        due.cases[case.id] = grants
        try:
            lines = [(case, grant, check_payable(world, season, case, grant)) for grant in grants]
        except Refusal as refusal:
            due.held[case.id] = refusal
            continue
        for line in lines:
            grant = line[1]
            assert grant.fund is not None
            due.batches.setdefault((grant.fund, grant.source), []).append(line)
    return due
