"""A contest holds money up, and nobody for good: the first claim waits for some days at most."""

from datetime import date, datetime, timedelta
from uuid import UUID, uuid4

import msgspec

from domain.commands.contests import ResolveContest
from domain.commands.grant_corrections import RetryPayment
from domain.commands.households import (
    MOST_CONTESTED,
    AddMember,
    HouseholdInput,
    RegisterHouseholds,
    RemoveMember,
    TooManyContested,
    kinds_at,
)
from domain.grants import GrantStatus
from domain.household import Household
from domain.household_members import Relation
from domain.paying import MemberContested
from domain.person import Person
from domain.rules.household_kinds import CONTEST_DAYS, HouseholdKinds
from eventstore.deciding import DecisionWorld
from tests.domain.county import make_county
from tests.domain.ledger import Ledger, contest, family, member, paying
from tests.domain.scenario import Scenario
from tests.domain.test_rulebooks import adopt
from tests.id_numbers import id_number

HEAD_OF_B = 11


def payable(county: Scenario | None = None) -> Ledger:
    return Ledger(scenario=county).until("payable")


def retry(ledger: Ledger) -> RetryPayment:
    return RetryPayment(case=ledger.case("b"), number=1, document_no="支2号")


def rival(county: Scenario) -> Scenario:
    """Another village's household that claims the head of b, before or after b does."""
    command = family(
        county,
        "other",
        90,
        village="yuantan_2",
        members=(member(90), member(HEAD_OF_B, Relation.OTHER)),
    )
    return county.given(command, by="village2")


def held_until(county: Scenario, name: str) -> datetime | None:
    household: Household = county.load(Household, county.id(name))
    return household.holds[county.vault.tokens[id_number(HEAD_OF_B)]]


def test_the_first_claim_waits_for_the_rulebook_s_days_and_is_paid_then() -> None:
    ledger = payable()
    county = ledger.scenario
    contest(ledger)
    assert held_until(county, "b") == county.now + timedelta(days=CONTEST_DAYS)
    county.given(paying(ledger), by="payer")
    assert county.result["held"] == {str(ledger.case("b")): "member-contested"}
    county.wait(days=CONTEST_DAYS - 1)
    county.when(retry(ledger), by="payer").then(MemberContested)
    county.wait(days=1)
    county.given(retry(ledger), by="payer")
    assert ledger.load_case("b").status[1] is GrantStatus.PAID
    assert ledger.household("b").contested, "paid, and the contest stays open"


def test_a_contest_holds_payments_while_nobody_knows_the_time() -> None:
    """F3: it would have been paid out by a clock that was wrong."""
    ledger = payable()
    county = ledger.scenario
    contest(ledger)
    county.given(paying(ledger), by="payer").wait(days=CONTEST_DAYS - 1).leap(days=400)
    county.when(retry(ledger), by="payer").then(MemberContested)
    county.wait(days=1).given(retry(ledger), by="payer")
    assert ledger.load_case("b").status[1] is GrantStatus.PAID


def test_the_later_claim_waits_until_somebody_above_both_decides() -> None:
    ledger = payable(rival(make_county()))
    county = ledger.scenario
    assert held_until(county, "b") is None
    county.given(paying(ledger), by="payer")
    county.wait(days=CONTEST_DAYS * 10)
    county.when(retry(ledger), by="payer").then(MemberContested)
    decide = ResolveContest(
        person=county.vault.tokens[id_number(HEAD_OF_B)],
        keep=county.id("b"),
        reason="户口簿",
        document_no="1",
    )
    county.given(decide, by="county2")
    county.given(retry(ledger), by="payer")
    assert ledger.load_case("b").status[1] is GrantStatus.PAID


def test_a_rulebook_says_how_long() -> None:
    ledger = payable()
    county = ledger.scenario
    in_force = kinds_at(world_of(county), county.id("yuantan_1"), "ordinary").rule
    content = msgspec.to_builtins(in_force) | {"contest_days": 7}
    book = adopt(
        county,
        "county",
        "test",
        kind=HouseholdKinds.KIND,
        content=content,
        valid_from=date(2016, 1, 1),
    )
    county.given(book, by="admin")
    contest(ledger)
    assert held_until(county, "b") == county.now + timedelta(days=7)


def world_of(county: Scenario) -> DecisionWorld:
    return DecisionWorld(county.load, county.vault, county.now, uuid4())


def test_claiming_again_and_again_does_not_hold_anybody_longer() -> None:
    """A stranger who gives the person up and claims them anew cannot stop a payment for good."""
    ledger = payable()
    county = ledger.scenario
    contest(ledger)
    until = held_until(county, "b")
    for _ in range(3):
        county.wait(days=10)
        person = county.vault.tokens[id_number(HEAD_OF_B)]
        leave = RemoveMember(
            household=county.id("other"), person=person, on=date(2017, 11, 7), reason="误登"
        )
        county.given(leave, by="village2")
        again = AddMember(
            household=county.id("other"), member=member(HEAD_OF_B, Relation.OTHER), reason="又登"
        )
        county.given(again, by="village2")
        assert held_until(county, "b") == until
    county.given(paying(ledger), by="payer")
    assert county.result["held"] == {}


def test_a_third_claim_changes_nothing_for_the_first_two() -> None:
    ledger = payable()
    county = ledger.scenario
    contest(ledger)
    until = held_until(county, "b")
    county.wait(days=5)
    county.given(
        family(county, "third", 95, members=(member(95), member(HEAD_OF_B, Relation.OTHER))),
        by="village",
    )
    assert held_until(county, "b") == until
    assert held_until(county, "other") is None is held_until(county, "third")
    person: Person = county.load(Person, UUID(str(county.vault.tokens[id_number(HEAD_OF_B)])))
    assert person.claims == [county.id("b"), county.id("other"), county.id("third")]


def test_what_was_stored_before_contests_had_a_term_holds_until_decided() -> None:
    fact: dict[str, object] = {"person": "p"}
    Household.MemberContested.upcast_v1_v2(fact)  # type: ignore[attr-defined]
    assert fact["hold_until"] is None


def test_a_list_that_claims_too_many_of_others_persons_is_refused_and_names_nobody() -> None:
    """Registering 400 ID numbers was an answer to "who of these is registered for relief?"."""
    county = make_county()
    for serial in range(30):
        county.given(family(county, f"theirs{serial}", 200 + serial, 1), by="village")
    asked = tuple(
        HouseholdInput(
            id=county.id(f"probe{serial}"),
            members=(member(200 + serial),),
            category="ordinary",
        )
        for serial in range(30)
    )
    probe = RegisterHouseholds(village=county.id("yuantan_2"), households=asked)
    refusal = county.when(probe, by="village2").then(TooManyContested)
    assert refusal.facts() == {"most": MOST_CONTESTED}
    few = RegisterHouseholds(village=county.id("yuantan_2"), households=asked[:MOST_CONTESTED])
    county.given(few, by="village2")
    assert len(county.result["contested"]) == MOST_CONTESTED
