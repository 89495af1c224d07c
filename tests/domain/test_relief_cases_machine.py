"""A random life of one case's grants, against a toy ledger: what went out is what was paid."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from domain.commands.grant_corrections import (
    CorrectGrant,
    RecordPaymentFailure,
    RefundGrant,
    RetryPayment,
)
from domain.commands.notices import PostSecondNotice
from domain.commands.payments import GrantInput, PayList
from domain.commands.village_lists import CloseList
from domain.refusal import Refusal
from domain.world import Command
from tests.domain.ledger import Ledger

CEILING = 90_000
NUMBERS = st.integers(1, 4)
AMOUNTS = st.sampled_from([6_000, 20_000, 45_000])


class GrantLives(RuleBasedStateMachine):
    """``model`` maps a grant's number to its state and amount; the notice is up or not."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger().until("approved")
        self.case = self.ledger.case("a")
        self.model: dict[int, tuple[str, int]] = {}
        self.shown = self.closed = False

    def tried(self, command: Command, by: str) -> bool:
        self.ledger.scenario.when(command, by=by)
        return not isinstance(self.ledger.scenario.outcome, Refusal)

    def state(self, number: int) -> str:
        return self.model.get(number, ("none", 0))[0]

    def total(self) -> int:
        return sum(amount for _, amount in self.model.values())

    @rule(amount=AMOUNTS)
    def allocate(self, amount: int) -> None:
        done = self.tried(
            self.ledger.allocation(GrantInput(case=self.case, cash_fen=amount)), "county"
        )
        assert done == (not self.closed and self.total() + amount <= CEILING)
        if done:
            self.model[len(self.model) + 1] = ("granted", amount)
            self.shown = False

    @rule()
    def post(self) -> None:
        done = self.tried(PostSecondNotice(village_list=self.ledger.list), "village")
        due = any(state in ("granted", "failed") for state, _ in self.model.values())
        assert done == (due and not self.closed)
        self.shown = self.shown or done
        self.ledger.scenario.wait(days=7)

    @rule()
    def pay(self) -> None:
        due = [n for n in self.model if self.state(n) == "granted"]
        done = self.tried(PayList(village_list=self.ledger.list, document_no="支"), "payer")
        assert done == (self.shown and not self.closed and bool(due))
        for number in due if done else ():
            self.model[number] = ("paid", self.model[number][1])

    @rule(number=NUMBERS)
    def bounce(self, number: int) -> None:
        command = RecordPaymentFailure(case=self.case, number=number, reason="退票")
        done = self.tried(command, "payer")
        assert done == (self.state(number) == "paid")
        if done:
            self.model[number] = ("failed", self.model[number][1])

    @rule(number=NUMBERS)
    def retry(self, number: int) -> None:
        done = self.tried(RetryPayment(case=self.case, number=number, document_no="支"), "payer")
        assert done == (self.state(number) in ("granted", "failed") and self.shown)
        if done:
            self.model[number] = ("paid", self.model[number][1])

    @rule(number=NUMBERS, amount=st.sampled_from([0, 3_000, 6_000]))
    def correct(self, number: int, amount: int) -> None:
        standing = self.total() - self.model.get(number, ("", 0))[1]
        command = CorrectGrant(case=self.case, number=number, reason="更正", cash_fen=amount)
        done = self.tried(command, "county")
        enough = amount == 0 or 6_000 <= standing + amount <= CEILING
        more = amount > self.model.get(number, ("", 0))[1]
        late = more and self.closed and self.shown
        assert done == (self.state(number) in ("granted", "failed") and enough and not late)
        if done:
            self.shown = self.shown and amount <= self.model[number][1]
            before = self.state(number)
            self.model[number] = ("void" if amount == 0 else before, amount)

    @rule(number=NUMBERS, amount=st.sampled_from([1_000, 6_000]))
    def refund(self, number: int, amount: int) -> None:
        held = self.model.get(number, ("", 0))[1]
        command = RefundGrant(
            case=self.case, number=number, reason="退回", document_no="退", amount_fen=amount
        )
        done = self.tried(command, "payer")
        assert done == (self.state(number) == "paid" and amount <= held)
        if done:
            self.model[number] = ("paid" if held > amount else "refunded", held - amount)

    @rule()
    def close(self) -> None:
        close = CloseList(village_list=self.ledger.list, reason="其余各户不再救助")
        done = self.tried(close, "county")
        open_ones = any(state in ("granted", "failed") for state, _ in self.model.values())
        assert done == (not self.closed and not open_ones)
        self.closed = self.closed or done

    @invariant()
    def money_and_model_agree(self) -> None:
        case, fund = self.ledger.load_case("a"), self.ledger.load_fund()
        assert {n: str(state) for n, state in case.status.items()} == {
            n: state for n, (state, _) in self.model.items()
        }
        paid = sum(amount for state, amount in self.model.values() if state == "paid")
        waiting = sum(
            amount for state, amount in self.model.values() if state in ("granted", "failed")
        )
        assert fund.paid_fen - fund.refunded_fen == paid
        assert fund.committed_fen == waiting
        assert fund.balanced()


GrantLives.TestCase.settings = settings(max_examples=20, stateful_step_count=25, deadline=None)
TestGrantLives = GrantLives.TestCase
