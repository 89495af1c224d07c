"""The desk for single grants after the list: bounced payments, retries, corrections, refunds."""

from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import ClassVar

from msgspec.structs import replace

from domain.area import check_text
from domain.commands.relief_cases import OfCase, single_hands
from domain.commands.sealing import not_future
from domain.commands.stock import holding, reserved_in
from domain.fund import Fund
from domain.goods import LotPick, ReturnSource, not_negative, positive, value_of
from domain.grants import OPEN, Grant, GrantStatus, RefundExceeds, first_units
from domain.paying import check_payable
from domain.refusal import Malformed, missing, refusal_of
from domain.relief_case import ReliefCase
from domain.roster import Hands
from domain.season import Season
from domain.stockpile import Stockpile
from domain.village_list import VillageList
from domain.world import Result, Role, World

PAYERS = frozenset({Role.COUNTY_PAYER})
APPROVERS = frozenset({Role.COUNTY_APPROVER})


@dataclass(frozen=True, slots=True, kw_only=True)
class OfGrant(OfCase):
    """What all commands on one numbered grant share: it is in one of some states, and whoever did
    another step of its case or list does not do this one.

    ``number`` names a part of the case: closed means that no grant of it would do.
    """

    statuses: ClassVar[tuple[GrantStatus, ...]] = OPEN
    cash: ClassVar[bool] = False
    """Whether it is of money alone."""
    step: ClassVar[str] = "pay"
    after_season: ClassVar[bool] = False
    """Whether it may be done when the season is closed."""
    number: int

    @classmethod
    def check(cls, world: World, subject: ReliefCase) -> None:
        if not cls.after_season:
            world.get(Season, subject.season).check_open()
        subject.check_some(*cls.statuses, cash=cls.cash)
        single_hands(world, subject, cls.step)

    @classmethod
    def path_fields(cls, subject: ReliefCase) -> dict[str, object]:
        return {"number": next(iter(subject.grants_at(*cls.statuses, cash=cls.cash)), 1)}

    def of(self, world: World) -> tuple[ReliefCase, Grant, Hands]:
        """The case, its grant of that number in a state that fits, and whose step it is.

        `Malformed` if it is goods where money is needed.
        """
        case = self.checked(world)
        grant = case.must_have(self.number, *self.statuses)
        if self.cash and not grant.is_cash:
            raise Malformed(
                field="number",
                value=str(self.number),
                rule_zh="不是现金救助",
                rule_en="it is no cash grant",
            )
        return case, grant, single_hands(world, case, self.step)


def _gave(pick: LotPick, stockpile: Stockpile) -> bool:
    return stockpile.given.get(pick.lot, 0) >= pick.quantity


def release_spare(world: World, grant: Grant, corrected: Grant, reason: str) -> None:
    """Set free what ``corrected`` needs less than ``grant``, money or goods."""
    spare_fen, spare_units = grant.cash_fen - corrected.cash_fen, grant.units - corrected.units
    if spare_fen:
        assert grant.fund is not None
        world.get(Fund, grant.fund).release(grant.source, spare_fen, reason=reason)
    if spare_units:
        assert grant.stockpile is not None
        stockpile = reserved_in(world, grant.stockpile, grant.source)
        stockpile.release(grant.source, spare_units, reason=reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPaymentFailure(OfGrant):
    """Record that the bank sent a payment back; the money stands under its commitment again."""

    roles: ClassVar[frozenset[Role]] = PAYERS
    statuses: ClassVar[tuple[GrantStatus, ...]] = (GrantStatus.PAID,)
    cash: ClassVar[bool] = True
    reason: str

    def decide(self, world: World) -> Result | None:
        check_text("reason", self.reason)
        case, grant, hands = self.of(world)
        assert grant.fund is not None
        batch = case.batches[self.number]
        fund = world.get(Fund, grant.fund)
        fund.fail(batch, grant.cash_fen, payments=1, reason=self.reason)
        case.fail(self.number, batch, self.reason, hands)
        return {"amount_fen": grant.cash_fen}


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPayment(OfGrant):
    """Pay a grant that failed or had to wait, when what held it up is settled."""

    roles: ClassVar[frozenset[Role]] = PAYERS
    cash: ClassVar[bool] = True
    document_no: str
    value_date: date | None = None
    """The bank's value date 到账日期; left out, the day of the record stands for it."""

    @classmethod
    def check(cls, world: World, subject: ReliefCase) -> None:
        """Open if one of the grants can be paid now; else refuses what holds the last of them."""
        super(RetryPayment, cls).check(world, subject)
        season = world.get(Season, subject.season)
        due = subject.grants_at(*cls.statuses, cash=True)
        for number in due:
            refusal = refusal_of(check_payable, world, season, subject, subject.grants[number])
            if refusal is None:
                return
        if refusal is not None:
            raise refusal

    def decide(self, world: World) -> Result | None:
        check_text("document_no", self.document_no)
        not_future(world, "value_date", self.value_date)
        case, grant, hands = self.of(world)
        assert grant.fund is not None
        holder = check_payable(world, world.get(Season, case.season), case, grant)
        batch = world.make_id("batch", grant.fund, grant.source)
        fund = world.get(Fund, grant.fund)
        fund.pay(grant.source, batch, grant.cash_fen, payments=1)
        case.pay(self.number, self.document_no, batch, holder, self.value_date, hands)
        return {"paid_fen": grant.cash_fen}


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectGrant(OfGrant):
    """Correct a grant before it goes out: another amount, fewer goods, or nothing at all.

    More money voids the second notice: it must be posted again.
    """

    roles: ClassVar[frozenset[Role]] = APPROVERS
    step: ClassVar[str] = "approve"
    reason: str
    cash_fen: int | None = None
    units: int | None = None
    over_standard: str | None = None
    """The written reason if the new amount is over the standard."""
    expected_version: int | None = None

    def decide(self, world: World) -> Result | None:
        check_text("reason", self.reason)
        case, grant, hands = self.of(world)
        season = world.get(Season, case.season)
        corrected = self._cash(world, grant, season, case) if grant.is_cash else self._goods(grant)
        if not corrected.is_empty:
            rate = season.rate(case.need.rate)
            case.check_standard([corrected], season.terms, rate, self.over_standard)
        if corrected.source == grant.source:
            release_spare(world, grant, corrected, self.reason)
        case.correct_grant(corrected, self.reason, hands)
        return {"cash_fen": corrected.cash_fen, "units": corrected.units}

    def _cash(self, world: World, grant: Grant, season: Season, case: ReliefCase) -> Grant:
        """No more than before, or the whole new amount committed under an id of its own."""
        if self.cash_fen is None:
            raise missing("cash_fen")
        not_negative("cash_fen", self.cash_fen)
        if self.cash_fen <= grant.cash_fen:
            return replace(grant, cash_fen=self.cash_fen)
        assert grant.fund is not None
        fund = world.get(Fund, grant.fund)
        commitment = world.make_id("commitment")
        fund.release(grant.source, grant.cash_fen, reason=self.reason)
        fund.commit(
            commitment,
            self.cash_fen,
            programme=season.programme,
            subject=case.id,
            exercise=case.exercise,
        )
        world.get(VillageList, case.lists[self.number]).void_amounts(self.reason)
        return replace(grant, cash_fen=self.cash_fen, source=commitment)

    def _goods(self, grant: Grant) -> Grant:
        if self.units is None:
            raise missing("units")
        not_negative("units", self.units)
        if self.units > grant.units:
            raise Malformed(
                field="units",
                value=str(self.units),
                rule_zh="增加物资须另行分配",
                rule_en="more goods take an allocation of their own",
            )
        return replace(grant, picks=first_units(grant.picks, self.units))


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundGrant(OfGrant):
    """Record that a household gave money or goods back 退回; also after the season closed."""

    roles: ClassVar[frozenset[Role]] = PAYERS
    statuses: ClassVar[tuple[GrantStatus, ...]] = (GrantStatus.PAID, GrantStatus.SIGNED)
    after_season: ClassVar[bool] = True
    reason: str
    document_no: str
    amount_fen: int | None = None
    units: int | None = None

    def decide(self, world: World) -> Result | None:
        check_text("reason", self.reason)
        check_text("document_no", self.document_no)
        case, grant, hands = self.of(world)
        picks: tuple[LotPick, ...] = ()
        if grant.fund is not None:
            amount_fen = self._amount("amount_fen", self.amount_fen, grant.cash_fen)
            batch = case.batches[self.number]
            fund = world.get(Fund, grant.fund)
            fund.refund(batch, amount_fen, subject=case.id, reason=self.reason)
        else:
            picks = first_units(grant.picks, self._amount("units", self.units, grant.units))
            amount_fen = value_of(picks)
            self._take_back(world, grant, picks)
        case.refund(self.number, amount_fen, picks, self.reason, self.document_no, hands)
        return {"amount_fen": amount_fen, "units": sum(pick.quantity for pick in picks)}

    def _take_back(self, world: World, grant: Grant, picks: tuple[LotPick, ...]) -> None:
        assert grant.stockpile is not None
        for pick in picks:
            gave = holding(world, grant.stockpile, partial(_gave, pick))
            gave.return_in(
                pick.lot,
                pick.quantity,
                source=ReturnSource.HOUSEHOLD,
                subject=self.case,
                reason=self.reason,
            )

    def _amount(self, field: str, wanted: int | None, left: int) -> int:
        if wanted is None:
            raise missing(field)
        positive(field, wanted)
        if wanted > left:
            raise RefundExceeds(case=self.case, number=self.number, wanted=wanted, left=left)
        return wanted
