"""Money under any order of moves, against a toy model: never overdrawn, never made or lost."""

from collections import Counter
from uuid import UUID

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from domain.conservation import money_broken
from domain.fund import Fund
from domain.ids import seeded_id
from domain.money import (
    CommitmentExhausted,
    FundEmpty,
    FundOverdrawn,
    NothingToReturn,
    NotPassedDownFrom,
    PaymentExceeded,
    Source,
)
from tests.domain.test_stockpile_machine import replayed

HOLDERS = ("city", "county")
holder = st.sampled_from(HOLDERS)
amount = st.integers(1, 500)


def named(*parts: object) -> UUID:
    return seeded_id(*parts)


class Money(RuleBasedStateMachine):
    commitments = Bundle("commitments")
    batches = Bundle("batches")

    def __init__(self) -> None:
        super().__init__()
        self.number = 0
        self.funds = {
            name: Fund(
                id=named(name),
                document_no=name,
                holder=named("area", name),
                earmark=("winter_spring",),
                exercise=False,
            )
            for name in HOLDERS
        }
        # The toy.
        self.free: Counter[str] = Counter()
        self.held: Counter[UUID] = Counter()
        self.out: Counter[UUID] = Counter()
        self.passed = 0
        self.passed_matching = 0
        self.came = 0

    def fresh(self, what: str) -> UUID:
        self.number += 1
        return named(what, self.number)

    @initialize(target=batches, at=holder)
    def begin(self, at: str) -> tuple[str, UUID, UUID]:
        """Money in both funds, some of it committed and paid."""
        self.appropriate("city", 2_000)
        self.pass_down(1_000)
        name, batch = self.fresh("list"), self.fresh("batch")
        fund = self.funds[at]
        fund.commit(name, 600, programme="winter_spring", subject=name, exercise=False)
        fund.pay(name, batch, 400, payments=2)
        self.free[at] -= 600
        self.held[name], self.out[batch] = 200, 400
        return at, name, batch

    @rule(at=holder, fen=amount)
    def appropriate(self, at: str, fen: int) -> None:
        self.funds[at].appropriate(
            fen, source=Source.NATION, matching_fen=fen // 3, source_document_no="财1"
        )
        self.free[at] += fen
        self.came += fen

    @rule(fen=amount)
    def pass_down(self, fen: int) -> None:
        city, county = (self.funds[name] for name in HOLDERS)
        if fen > self.free["city"]:
            with pytest.raises(FundOverdrawn if self.free["city"] else FundEmpty):
                city.pass_down(county, fen, matching_fen=0)
            return
        share = min(fen, city.matching_fen) // 2
        city.pass_down(county, fen, matching_fen=share)
        self.passed_matching += share
        self.free["city"] -= fen
        self.free["county"] += fen
        self.passed += fen

    @rule(fen=amount)
    def give_back(self, fen: int) -> None:
        city, county = (self.funds[name] for name in HOLDERS)
        refusal: type[Exception] = NotPassedDownFrom if fen > self.passed else FundOverdrawn
        if not self.passed or not self.free["county"]:
            refusal = FundEmpty if self.passed else NothingToReturn
        if fen > self.passed or fen > self.free["county"]:
            with pytest.raises(refusal):
                county.return_up(city, fen, document_no="退1", reason="结余")
            return
        share = county.return_up(city, fen, document_no="退1", reason="结余")
        self.passed_matching -= share
        assert 0 <= share <= fen and self.passed_matching >= 0
        assert fen < self.passed or self.passed_matching == 0, "all of it takes its share along"
        self.free["city"] += fen
        self.free["county"] -= fen
        self.passed -= fen

    @rule(target=commitments, at=holder, fen=amount)
    def commit(self, at: str, fen: int) -> tuple[str, UUID]:
        name = self.fresh("list")

        def attempt() -> None:
            self.funds[at].commit(
                name, fen, programme="winter_spring", subject=name, exercise=False
            )

        if fen > self.free[at]:
            with pytest.raises(FundOverdrawn):
                attempt()
        else:
            attempt()
            self.free[at] -= fen
            self.held[name] = fen
        return at, name

    @rule(held=commitments, fen=st.none() | amount)
    def release(self, held: tuple[str, UUID], fen: int | None) -> None:
        at, name = held
        if fen is not None and fen > self.held[name]:
            with pytest.raises(CommitmentExhausted):
                self.funds[at].release(name, fen, reason="余额")
            return
        freed = self.funds[at].release(name, fen, reason="余额")
        self.held[name] -= freed
        self.free[at] += freed

    @rule(target=batches, held=commitments, fen=amount)
    def pay(self, held: tuple[str, UUID], fen: int) -> tuple[str, UUID, UUID]:
        at, name = held
        batch = self.fresh("batch")
        if fen > self.held[name]:
            with pytest.raises(CommitmentExhausted):
                self.funds[at].pay(name, batch, fen, payments=1)
        else:
            self.funds[at].pay(name, batch, fen, payments=1)
            self.held[name] -= fen
            self.out[batch] = fen
        return at, name, batch

    @rule(paid=batches, fen=amount, bounced=st.booleans())
    def comes_back(self, paid: tuple[str, UUID, UUID], fen: int, bounced: bool) -> None:
        at, name, batch = paid
        fund = self.funds[at]

        def attempt() -> None:
            if bounced:
                fund.fail(batch, fen, payments=1, reason="账号不符")
            else:
                fund.refund(batch, fen, subject=name, reason="重复发放")

        if fen > self.out[batch]:
            with pytest.raises(PaymentExceeded):
                attempt()
            return
        attempt()
        self.out[batch] -= fen
        if bounced:
            self.held[name] += fen
        else:
            self.free[at] += fen

    @invariant()
    def the_matching_share_is_somewhere(self) -> None:
        assert money_broken(self.funds.values(), exercise=False) == ()

    @invariant()
    def the_books_are_those_of_the_toy(self) -> None:
        for name, fund in self.funds.items():
            assert fund.available_fen == self.free[name]
            assert fund.balanced()
            for commitment, fen in fund.commitments.items():
                assert fen == self.held[commitment]
        there = sum(self.free.values()) + sum(self.held.values())
        assert self.came == there + sum(self.out.values())

    def teardown(self) -> None:
        for fund in self.funds.values():
            mine, again = dict(vars(fund)), dict(vars(replayed(fund)))
            for private in ("_pending_events", "_created_on", "_modified_on", "division"):
                mine.pop(private, None)
                again.pop(private, None)
            assert mine == again


Money.TestCase.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
TestMoney = Money.TestCase
