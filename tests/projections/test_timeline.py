"""The timeline: who did what to a thing and to what belongs to it; nothing sealed, no leaks."""

import json
from pathlib import Path
from typing import Any

import pytest

from domain.catalog import AGGREGATES
from projections import officers
from projections import timeline as view
from projections.asking.scope import EVERYTHING, Scope
from projections.timeline import timeline
from tests.domain.ledger import Ledger, contest
from tests.domain.scenario import Scenario
from tests.projections.folding import Folded
from tests.projections.relief import fold, goods_on_all_ways, over, same_for_all_batches
from tests.projections.reporting import whole_flood

VIEWS = (officers.VIEW, view.VIEW)


def told(folded: Folded, scope: Scope, subject: Any, **more: Any) -> list[dict[str, Any]]:
    with folded.reading() as db:
        found = timeline(db, scope, subject=subject, **more)
    assert found is not None
    return found.items


def test_every_event_type_has_its_place() -> None:
    classes = {c for aggregate in AGGREGATES for c in aggregate.event_classes()}
    assert set(view.VIEW.routes) == classes


@pytest.mark.parametrize("story", [whole_flood, goods_on_all_ways])
def test_batches_of_any_size_give_the_same_rows(tmp_path: Path, story: Any) -> None:
    same_for_all_batches(tmp_path, story(), (view.VIEW,))


def test_a_report_tells_who_did_what_in_which_post(tmp_path: Path) -> None:
    county = whole_flood()
    folded = fold(tmp_path, county, VIEWS)
    found = told(folded, over(county, "county"), county.id("report/yuantan_1"))[::-1]
    topics = [row["topic"] for row in found if row["kind"] == "SituationReport"]
    assert topics == [
        "SituationReport.InitialReported",
        "SituationReport.FollowUpDutyStarted",
        "SituationReport.Accepted",
        "SituationReport.Attached",
        "SituationReport.ZeroReported",
        "SituationReport.Accepted",
        "SituationReport.Adjudicated",
        "SituationReport.FollowUpDutyEnded",
        "SituationReport.Verified",
    ]
    assert "Disaster.ReportAttached" in {row["topic"] for row in found}
    accepted = next(row for row in found if row["topic"] == "SituationReport.Accepted")
    assert accepted["role"] == "township_reviewer"
    assert accepted["actor"] == str(county.officers["township"])
    assert accepted["actor_name"] == "张*******p"
    assert accepted["detail"]["number"] == 1


def test_a_household_tells_of_its_cases_its_persons_and_its_list(tmp_path: Path) -> None:
    ledger = Ledger().until("closed")
    county = ledger.scenario
    folded = fold(tmp_path, county, VIEWS)
    found = told(folded, over(county, "county"), county.id("a"))
    topics = {row["topic"] for row in found}
    assert {
        "Household.Registered",
        "Person.Claimed",
        "ReliefCase.Applied",
        "ReliefCase.Paid",
        "ReliefCase.GoodsSigned",
        "VillageList.CasesListed",
        "Stockpile.Given",
    } <= topics
    assert "Fund.Appropriated" not in topics
    paid = next(row for row in found if row["topic"] == "ReliefCase.Paid")
    assert paid["detail"]["amount_fen"] == 40_500
    other = {row["stream"] for row in told(folded, EVERYTHING, county.id("b"))}
    assert str(ledger.case("a")) not in other


def test_no_sealed_field_comes_into_the_view(tmp_path: Path) -> None:
    ledger = Ledger().until("signed")
    folded = fold(tmp_path, ledger.scenario, VIEWS)
    rows = folded.views.db.execute("SELECT detail FROM timeline").fetchall()
    whole = "".join(row[0] for row in rows)
    assert not any(secret in whole for secret in ("box", "6217", "340824"))
    assert all(isinstance(json.loads(row[0]), dict) for row in rows)


def test_a_contested_persons_households_do_not_learn_of_each_other(tmp_path: Path) -> None:
    ledger = Ledger()
    contest(ledger)
    county = ledger.scenario
    folded = fold(tmp_path, county, VIEWS)
    for own, village, foreign in (("b", "yuantan_1", "other"), ("other", "yuantan_2", "b")):
        found = told(folded, over(county, village), county.id(own))
        assert "Household.MemberContested" in {row["topic"] for row in found}
        assert str(county.id(foreign)) not in json.dumps(found)
    mine = told(
        folded, over(county, "yuantan_1"), county.id("b"), topic="Household.MemberContested"
    )
    assert [(row["actor"], row["actor_area"], row["actor_name"]) for row in mine] == [(None,) * 3]
    above = told(folded, over(county, "county"), county.id("b"), topic="Household.MemberContested")
    assert [row["actor"] for row in above] == [str(county.officers["village2"])]


def test_a_thing_outside_the_scope_is_not_there(tmp_path: Path) -> None:
    county = whole_flood()
    folded = fold(tmp_path, county, VIEWS)
    subject = county.id("report/yuantan_1")
    with folded.reading() as db:
        assert timeline(db, over(county, "shuihou"), subject=subject) is None
        assert timeline(db, EVERYTHING, subject=county.id("nothing")) is None


def test_it_is_paged_and_asked_by_topic(tmp_path: Path) -> None:
    county: Scenario = whole_flood()
    folded = fold(tmp_path, county, VIEWS)
    subject = county.id("report/yuantan_1")
    whole = told(folded, EVERYTHING, subject)
    with folded.reading() as db:
        first = timeline(db, EVERYTHING, subject=subject, limit=4)
        assert first is not None
        second = timeline(db, EVERYTHING, subject=subject, limit=1000, cursor=first.next)
        assert second is not None
    assert first.items + second.items == whole
    assert len(told(folded, EVERYTHING, subject, topic="SituationReport.Accepted")) == 2
    assert {r["kind"] for r in told(folded, EVERYTHING, subject, topic="Disaster.")} == {"Disaster"}
