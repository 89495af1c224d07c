"""Findings: one person twice, forgotten and odd grants, each found and nothing else."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.commands.contests import ResolveContest
from domain.commands.grant_corrections import RecordPaymentFailure, RetryPayment
from domain.commands.households import RecordDeath, RemoveMember, RevealHousehold
from domain.commands.payments import GrantInput
from domain.commands.relief_cases import ApplyVillage
from domain.commands.revealing import RevealCaller
from projections import disasters, findings, households, ledger, lists, officers, seasons, situation
from projections.asking.contest_findings import MANY_CONTESTS
from projections.asking.scope import EVERYTHING, Scope
from projections.asking.unsealing_findings import MANY
from projections.findings import finding_counts
from projections.findings import findings as findings_page
from tests.domain.ledger import Ledger, confirming, dying, family
from tests.domain.test_incidents import open_incident
from tests.id_numbers import id_number
from tests.projections.relief import fold, over, same_for_all_batches

VIEWS = (households.VIEW, seasons.VIEW, ledger.VIEW, lists.VIEW, findings.VIEW, officers.VIEW)


def found(
    story: Ledger, path: Path, scope: Scope = EVERYTHING, days: float = 0, **asked: Any
) -> list[dict[str, Any]]:
    folded = fold(path, story.scenario, (*VIEWS, situation.VIEW, disasters.VIEW))
    at = story.scenario.now + timedelta(days=days)
    with folded.reading() as db:
        rows = findings_page(db, scope, at=at, **asked).items
        counts = finding_counts(db, scope, at=at)["counts"]
    folded.close()
    if not asked:
        assert sum(counts.values()) == len(rows)
    return rows


@pytest.fixture
def contested() -> Ledger:
    """Household d of the other village claims a's head too, and applies as well."""
    story = Ledger().apply()
    s = story.scenario
    s.given(family(s, "d", 1, 1, "yuantan_2"), by="village2")
    applications = (story.application("d"),)
    s.given(
        ApplyVillage(season=story.season, village=s.id("yuantan_2"), applications=applications),
        by="village2",
    )
    return story


def _resolve(story: Ledger) -> None:
    head = story.household("a").head
    assert head is not None
    story.scenario.given(
        ResolveContest(
            person=head, keep=story.scenario.id("a"), reason="户口簿", document_no="裁1号"
        ),
        by="county",
    )


def test_the_rows_do_not_depend_on_the_batch(contested: Ledger, tmp_path: Path) -> None:
    _resolve(contested)
    story = contested.scenario
    look = RevealHousehold(household=story.id("a"), reason="核对一卡通账号")
    story.given(*[look] * 3, by="payer")
    same_for_all_batches(tmp_path, story, (findings.VIEW,))


def test_one_person_in_two_cases_of_a_season_is_found(contested: Ledger, tmp_path: Path) -> None:
    s = contested.scenario
    rows = found(contested, tmp_path)
    assert {row["kind"] for row in rows} == {"person_twice"}
    assert {row["household"] for row in rows} == {str(s.id("a")), str(s.id("d"))}
    assert {row["season"] for row in rows} == {str(contested.season)}


def test_somebody_above_both_sees_both_sides_of_a_contest(
    contested: Ledger, tmp_path: Path
) -> None:
    s = contested.scenario
    rows = found(contested, tmp_path, over(s, "county"))
    assert {row["household"] for row in rows} == {str(s.id("a")), str(s.id("d"))}


def test_an_officer_who_claims_many_of_others_persons_is_found(tmp_path: Path) -> None:
    """Registering ID numbers was a way to ask who is registered for relief elsewhere."""
    story = Ledger()
    s = story.scenario
    for serial in range(MANY_CONTESTS):
        s.given(family(s, f"theirs{serial}", 200 + serial, 1), by="village")
        if serial == MANY_CONTESTS - 1:
            assert found(story, tmp_path / "few", kind="many_contests") == []
        s.given(family(s, f"probe{serial}", 200 + serial, 1, "yuantan_2"), by="village2")
    (row,) = found(story, tmp_path / "many", kind="many_contests")
    assert row["number"] == MANY_CONTESTS and "*" in row["reason"]
    assert row["area"] == str(s.id("yuantan_2"))
    assert found(story, tmp_path / "mine", over(s, "yuantan_1"), kind="many_contests") == []


def test_a_village_sees_its_own_side_only(contested: Ledger, tmp_path: Path) -> None:
    s = contested.scenario
    (row,) = found(contested, tmp_path, over(s, "yuantan_1"))
    assert (row["kind"], row["household"]) == ("person_contested", str(s.id("a")))
    assert found(contested, tmp_path / "foreign", over(s, "foreign_county")) == []


def test_a_decided_contest_is_closed(contested: Ledger, tmp_path: Path) -> None:
    _resolve(contested)
    assert found(contested, tmp_path) == []
    decided = found(contested, tmp_path / "all", open=False)
    assert {row["status"] for row in decided} == {"kept", "lost"}


def test_a_paid_season_has_no_findings(tmp_path: Path) -> None:
    assert found(Ledger().until("signed"), tmp_path) == []


def test_a_household_that_got_nothing_is_not_forgotten(tmp_path: Path) -> None:
    story = Ledger().until("approved")
    some = tuple(
        GrantInput(case=story.case(n), cash_fen=13_500 * p) for n, p in (("a", 3), ("b", 2))
    )
    assert found(story, tmp_path) == []
    story.scenario.given(story.allocation(*some), by="county")
    (row,) = found(story, tmp_path / "then")
    assert (row["kind"], row["relief_case"]) == ("need_without_grant", str(story.case("c")))


def test_after_the_last_day_all_that_is_not_there_is_found(tmp_path: Path) -> None:
    late = found(Ledger().until("allocated"), tmp_path, days=120)
    assert [row["kind"] for row in late] == ["delivery_overdue"] * 4


def test_a_bounced_payment_is_found_until_it_is_paid(tmp_path: Path) -> None:
    story = Ledger().until("signed")
    bounce = RecordPaymentFailure(case=story.case("b"), number=1, reason="账号错误")
    story.scenario.given(bounce, by="payer")
    (row,) = found(story, tmp_path)
    assert (row["kind"], row["reason"], row["amount_fen"]) == ("payment_failed", "账号错误", 27_000)
    retry = RetryPayment(case=story.case("b"), number=1, document_no="支2号")
    story.scenario.given(retry, by="payer")
    assert found(story, tmp_path / "then") == []


def test_more_than_the_ceiling_is_found_with_its_reason(tmp_path: Path) -> None:
    story = Ledger().until("approved")
    sums = {"a": 40_500, "b": 27_000, "c": 900_000}
    grants = [
        GrantInput(case=story.case(n), cash_fen=fen, reason="大病" if n == "c" else None)
        for n, fen in sums.items()
    ]
    story.scenario.given(story.allocation(*grants), by="county")
    (row,) = found(story, tmp_path)
    assert (row["kind"], row["reason"], row["amount_fen"]) == ("over_standard", "大病", 900_000)
    assert 0 < row["limit_fen"] < 900_000


def test_equal_amounts_for_unequal_households_are_found(tmp_path: Path) -> None:
    story = Ledger().until("approved")
    grants = [GrantInput(case=story.case(n), cash_fen=40_500, reason="一样") for n in "abc"]
    story.scenario.given(story.allocation(*grants), by="county")
    rows = found(story, tmp_path, kind="equal_amounts", season=story.season)
    assert [(row["number"], row["amount_fen"], row["persons"]) for row in rows] == [(3, 40_500, 6)]


def test_a_grant_for_somebody_dead_that_day_is_found(tmp_path: Path) -> None:
    story = Ledger().until("signed")
    s = story.scenario
    members = story.household("b").members
    child = next(iter(members.keys() - {story.household("b").head}))
    died = s.now.date() - timedelta(days=20)
    s.given(RecordDeath(household=s.id("b"), person=child, on=died, reason="病故"), by="village")
    (row,) = found(story, tmp_path)
    assert (row["kind"], row["persons"], row["number"]) == ("grant_without_need", 2, 1)


def test_a_later_death_is_no_finding(tmp_path: Path) -> None:
    story = Ledger().until("signed")
    s = story.scenario
    child = next(iter(story.household("b").members.keys() - {story.household("b").head}))
    died = s.now.date()
    s.given(RecordDeath(household=s.id("b"), person=child, on=died, reason="病故"), by="village")
    assert found(story, tmp_path) == []


def test_grants_that_a_death_holds_are_found_until_the_county_has_decided(tmp_path: Path) -> None:
    story = Ledger().until("payable")
    story.scenario.given(dying(story, "a", 2), by="village")
    (row,) = found(story, tmp_path, kind="held_after_loss")
    assert (row["household"], row["number"]) == (str(story.scenario.id("a")), 1)
    story.scenario.given(confirming(story, "a"), by="county")
    assert found(story, tmp_path / "then", kind="held_after_loss") == []


def test_who_leaves_is_found_if_the_grants_are_for_more_than_are_left(tmp_path: Path) -> None:
    story = Ledger().until("payable")
    county = story.scenario
    leave = RemoveMember(
        household=county.id("b"),
        person=county.vault.tokens[id_number(12)],
        on=date(2017, 11, 20),
        reason="出嫁",
    )
    county.given(leave, by="village")
    (row,) = found(story, tmp_path, kind="held_after_loss")
    assert (row["household"], row["number"], row["persons"]) == (str(county.id("b")), 0, 2)


def test_whoever_opens_very_many_households_in_an_hour_is_on_the_auditors_list(
    tmp_path: Path,
) -> None:
    """657 households in eight seconds were once opened, and no finding told of it."""
    story = Ledger().apply()
    s = story.scenario
    look = RevealHousehold(household=s.id("a"), reason="核对一卡通账号")
    s.given(open_incident(s, occurred_at=s.now, reporter_phone="13900000000"), by="village")
    called = RevealCaller(incident=s.id("incident"), reason="回电核实")
    s.given(called, *[look] * (MANY - 2), by="auditor")
    assert not found(story, tmp_path / "below", kind="many_unsealings")
    s.given(look, by="auditor")
    (row,) = found(story, tmp_path / "at", kind="many_unsealings")
    assert row["number"] == MANY and row["reason"].endswith("：核对一卡通账号")
    assert "*" in row["reason"], "the officer's masked name"
    s.wait(hours=2).given(*[look] * (MANY - 1), by="auditor")
    assert len(found(story, tmp_path / "later", kind="many_unsealings")) == 1
    assert not found(story, tmp_path / "scope", Scope((s.id("other"),)), kind="many_unsealings")
