import pytest

from domain.commands.notices import PostNotice
from domain.commands.village_lists import ReturnList
from domain.county_plan import PlanStep, command_id, next_moves, next_step
from domain.season import Season
from tests.domain.ledger import (
    STEPS,
    Ledger,
    objection,
    settling,
)


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


def test_a_county_plan_walks_each_list_step_by_step(ledger: Ledger) -> None:
    expected = {
        "applied": PlanStep.APPRAISE,
        "listed": PlanStep.POST_FIRST,
        "posted": PlanStep.REVIEW,
        "reviewed": PlanStep.APPROVE,
        "approved": PlanStep.ALLOCATE,
        "allocated": PlanStep.POST_SECOND,
        "posted_again": None,
        "payable": PlanStep.PAY,
        "paid": PlanStep.CLOSE,
        "closed": None,
    }
    plan = ledger.scenario.id("plan")
    seen = set()
    for step in STEPS:
        getattr(ledger, f"_{step}")()
        found = ledger.load_list()
        terms = ledger.scenario.load(Season, ledger.season).terms
        if step in expected:
            assert next_step(found, terms, ledger.scenario.now) is expected[step], step
        moves = list(next_moves(plan, [found], terms, ledger.scenario.now))
        again = list(next_moves(plan, [found], terms, ledger.scenario.now))
        assert moves == again, "a killed run sends the same command again"
        for move in moves:
            assert move.command == command_id(plan, found.id, move.step, found.version)
            assert move.command not in seen
            seen.add(move.command)


def test_a_county_plan_waits_for_notices_and_objections(ledger: Ledger) -> None:
    county = ledger.until("listed").scenario
    terms = county.load(Season, ledger.season).terms
    county.given(PostNotice(village_list=ledger.list), by="village")
    assert next_step(ledger.load_list(), terms, county.now) is None
    county.given(objection(ledger), by="village").wait(days=8)
    assert next_step(ledger.load_list(), terms, county.now) is None
    county.given(settling(ledger), by="township")
    assert next_step(ledger.load_list(), terms, county.now) is PlanStep.REVIEW
    county.given(ReturnList(village_list=ledger.list, reason="补件"), by="township")
    assert next_step(ledger.load_list(), terms, county.now) is PlanStep.APPRAISE


def test_a_list_that_was_paid_a_part_is_allocated_the_next_one_and_not_closed(
    ledger: Ledger,
) -> None:
    """The plan closed a list after the first month of three."""
    county = ledger.until("paid").scenario
    terms = county.load(Season, ledger.season).terms
    found, plan = ledger.load_list(), county.id("plan")
    assert next_step(found, terms, county.now) is PlanStep.CLOSE
    assert next_step(found, terms, county.now, parts_left=True) is PlanStep.ALLOCATE
    (move,) = next_moves(plan, [found], terms, county.now, parts_left={found.id})
    assert move.step is PlanStep.ALLOCATE
