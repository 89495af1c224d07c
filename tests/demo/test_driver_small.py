"""The small demo, command by command, with all rules on."""

from collections import Counter
from functools import lru_cache
from uuid import UUID

from demo.acts import ACTS
from demo.driver import Deed, count, deeds, logins
from demo.naming import Names
from demo.plan import DemoPlan, build_plan
from domain.case_checks import Stage
from domain.fund import Fund
from domain.household import Household
from domain.officer import Officer
from domain.refusal import Refusal
from domain.relief_case import ReliefCase
from domain.rules.base import china_day
from domain.situation_report import SituationReport
from domain.world import Role
from tests.domain.scenario import Scenario


@lru_cache(maxsize=1)
def built() -> tuple[DemoPlan, Scenario, list[Deed]]:
    """The whole small demo, run once. A refusal fails with the command that was refused."""
    plan = build_plan(small=True)
    scenario = Scenario()
    done: list[Deed] = []
    for deed in deeds(plan, Names(plan, scenario.vault.person_for)):
        scenario.now = deed.at
        try:
            scenario.run(deed.command, deed.officer)
        except Refusal as refusal:
            raise AssertionError(
                f"{deed.at} {type(deed.command).__name__}: {refusal!r}"
            ) from refusal
        done.append(deed)
    return plan, scenario, done


def test_no_command_of_the_small_demo_is_refused() -> None:
    plan, _, done = built()
    assert len(done) == count(plan)
    assert len({deed.command_id for deed in done}) == len(done)
    assert [deed.at for deed in done] == sorted(deed.at for deed in done)


def test_every_kind_of_step_has_its_commands() -> None:
    plan, _, _ = built()
    assert {type(step) for step in plan.steps} == set(ACTS)


def test_what_was_granted_and_paid_equals_the_plan() -> None:
    plan, scenario, _ = built()
    facts = Counter[str]()
    for fact in scenario.facts:
        topic = fact.topic()
        facts[topic] += 1
        if topic == "ReliefCase.Granted":
            grant = vars(fact)["grant"]
            facts["granted_fen"] += grant.cash_fen
            facts[f"granted {grant.item}"] += grant.units
        elif topic == "ReliefCase.Paid":
            facts["paid_fen"] += vars(fact)["amount_fen"]
        elif topic == "ReliefCase.PaymentFailed":
            facts["failed_fen"] += vars(fact)["amount_fen"]
        elif topic == "ReliefCase.GoodsSigned":
            facts["signed"] += sum(pick.quantity for pick in vars(fact)["picks"])
    granted = plan.granted
    assert facts["granted_fen"] == granted.cash_yuan * 100
    assert facts["granted quilt"] == granted.quilts
    assert facts["granted coat"] == granted.coats
    assert facts["signed"] == granted.quilts + granted.coats
    assert facts["ReliefCase.PaymentFailed"] == 2
    assert facts["ReliefCase.Closed"] == granted.households
    cases = [ReliefCase.id_of(_names(plan, scenario).season, one) for one in _households(plan)]
    stages = Counter(scenario.load(ReliefCase, case).stage for case in cases)
    assert stages == {Stage.CLOSED: granted.households, Stage.REFUSED: 6}


def test_each_fund_is_balanced_and_nothing_is_left_committed() -> None:
    plan, scenario, _ = built()
    names = _names(plan, scenario)
    paid = 0
    for fund in plan.funds:
        for holder, document_no in fund.path:
            held: Fund = scenario.load(Fund, names.fund(document_no, holder))
            assert held.balanced()
            assert held.committed_fen == 0
            paid += held.paid_fen
    assert paid == plan.granted.cash_yuan * 100


def test_the_duplicate_is_decided_and_nobody_stays_contested() -> None:
    plan, scenario, _ = built()
    topics = Counter(fact.topic() for fact in scenario.facts)
    assert topics["Person.Contested"] == 2, "the duplicate, and the household entered twice"
    assert topics["Person.Resolved"] == 1
    for id in _households(plan):
        assert not scenario.load(Household, id).contested


def test_reports_came_in_with_every_accident_of_the_plan() -> None:
    _, scenario, _ = built()
    reports = [fact.originator_id for fact in scenario.facts if "InitialReported" in fact.topic()]
    topics = Counter(fact.topic() for fact in scenario.facts)
    assert topics["SituationReport.Returned"] == 2 + 1, "one of them on the last day"
    assert topics["SituationReport.Resubmitted"] == 2
    assert topics["SituationReport.MadeUp"] == 1
    assert topics["SituationReport.JumpExplained"] == 1
    assert topics["Disaster.Closed"] == 3
    late: set[UUID] = set()
    for report in reports:
        held: SituationReport = scenario.load(SituationReport, report)
        assert held.is_verified or held.disaster is None, "those of a disaster are closed"
        if held.is_verified:
            assert held.stable_at is not None and held.duty is None
    for fact in scenario.facts:
        filed = vars(fact).get("filed")
        if filed is not None and filed.late_minutes:
            late.add(fact.originator_id)
    assert late, "a township reported late"


def test_a_step_makes_the_same_command_every_time() -> None:
    plan, scenario, done = built()
    again = list(deeds(plan, Names(plan, scenario.vault.person_for)))
    assert again == done


def test_every_role_has_an_account_to_show() -> None:
    plan, scenario, _ = built()
    shown = logins(plan, _names(plan, scenario))
    assert {one.role for one in shown} == set(Role) - {Role.SYSTEM}
    assert len({one.login for one in shown}) == len(shown)
    for one in shown:
        officer: Officer = scenario.load(Officer, one.officer)
        assert officer.suspended is None
        assert list(officer.posts_from(china_day(scenario.now))), "it still has its post"
    assert any(one.division == "太湖县" for one in shown), "somebody from another county"


def _names(plan: DemoPlan, scenario: Scenario) -> Names:
    return Names(plan, scenario.vault.person_for)


def _households(plan: DemoPlan) -> list[UUID]:
    names = Names(plan, UUID)
    return [names.household(key) for key in plan.households]
