"""The review queue: a step waits for the right role, and is gone when it is taken."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from domain.commands.consignments import ArriveConsignment
from domain.commands.village_lists import (
    AppraiseList,
    ApproveList,
    ReturnList,
    ReviewList,
    VerdictInput,
)
from domain.season import Season
from projections import reviews as view
from projections.asking.scope import EVERYTHING
from projections.reviews import review_queue
from tests.domain import goods
from tests.domain.county import make_county
from tests.domain.ledger import Ledger, objection, settling
from tests.domain.scenario import Scenario
from tests.domain.test_programmes import ledger_of
from tests.projections.relief import fold, goods_on_all_ways, over
from tests.projections.reporting import accept, flood, initial, send_back, whole_flood


def queue(path: Path, county: Scenario, **more: Any) -> list[dict[str, Any]]:
    folded = fold(path, county, (view.VIEW,), batch=10_000 + len(list(path.iterdir())))
    with folded.reading() as db:
        found = review_queue(db, more.pop("scope", EVERYTHING), **more).items
    folded.close()
    return found


def steps(path: Path, county: Scenario, **more: Any) -> list[tuple[str, str]]:
    return [(row["step"], row["role"]) for row in queue(path, county, **more)]


@pytest.mark.parametrize("story", ["reports", "goods", "list"])
def test_batches_of_any_size_give_the_same_rows(tmp_path: Path, story: str) -> None:
    stories: dict[str, Callable[[], Scenario]] = {
        "reports": whole_flood,
        "goods": goods_on_all_ways,
        "list": lambda: Ledger().until("allocated").scenario,
    }
    county = stories[story]()
    hashes = []
    for batch in (1, 7, 10_000):
        folded = fold(tmp_path, county, (view.VIEW,), batch)
        hashes.append(folded.hashes())
        folded.close()
    assert hashes[0] == hashes[1] == hashes[2]
    assert hashes[0]["reviews"][0] > 0


def test_a_provinces_own_report_waits_for_nobody(tmp_path: Path) -> None:
    county = make_county()
    county.given(initial(county, "province", {"affected": 10}), by="province")
    assert queue(tmp_path, county) == []


def test_a_report_waits_for_the_level_above_and_returned_for_its_own(tmp_path: Path) -> None:
    county = make_county()
    county.given(initial(county, "yuantan_1", {"affected": 10}), by="village")
    assert steps(tmp_path, county) == [("review", "township_reviewer")]
    county.given(send_back(county, "yuantan_1"), by="township")
    (row,) = queue(tmp_path, county)
    assert (row["step"], row["role"]) == ("correct", "village_reporter")
    assert row["summary"]["reason"] == "数字不清"


def test_an_accepted_report_waits_no_more(tmp_path: Path) -> None:
    county = make_county()
    county.given(initial(county, "yuantan", {"affected": 10}), by="township")
    assert steps(tmp_path, county) == [("review", "county_approver")]
    county.given(accept(county, "yuantan"), by="county")
    assert queue(tmp_path, county) == []


def test_a_phoned_report_waits_to_be_made_up_too(tmp_path: Path) -> None:
    found = queue(tmp_path, flood(), role="village_reporter")
    assert [(row["step"], row["area_name"]) for row in found] == [("make_up", "水吼村")]
    assert queue(tmp_path, whole_flood(), role="village_reporter") == []


def test_each_step_of_a_list_waits_for_its_role(tmp_path: Path) -> None:
    walked = {
        "listed": ("post", "village_reporter"),
        "posted": ("review", "township_reviewer"),
        "reviewed": ("approve", "county_approver"),
        "approved": ("allocate", "county_approver"),
        "allocated": ("post_second", "village_reporter"),
        "posted_again": ("pay", "county_payer"),
        "paid": ("close", "county_approver"),
    }
    for step, waits in walked.items():
        county = Ledger().until(step).scenario
        assert steps(tmp_path, county, kind="village_list") == [waits], step
    assert queue(tmp_path, Ledger().until("closed").scenario) == []


def test_a_list_is_ready_when_its_notice_is_over(tmp_path: Path) -> None:
    ledger = Ledger().until("posted")
    (row,) = queue(tmp_path, ledger.scenario)
    assert row["ready_at"] is not None
    assert row["summary"]["households"] == 3


def test_emergency_relief_waits_for_no_notice_of_its_programme(tmp_path: Path) -> None:
    ledger = ledger_of("emergency")
    drawn = AppraiseList(
        village_list=ledger.list,
        verdicts=tuple(VerdictInput(case=ledger.case(name)) for name in "abc"),
    )
    county = ledger.apply().scenario.given(drawn, by="village")
    assert steps(tmp_path, county, kind="village_list") == [("review", "township_reviewer")]
    county.given(ReviewList(village_list=ledger.list), by="township")
    county.given(ApproveList(village_list=ledger.list, document_no="急1号"), by="county")
    county.given(ledger.allocation(), by="county")
    assert steps(tmp_path, county, kind="village_list") == [("pay", "county_payer")]


def test_a_list_may_come_before_its_season_which_is_another_areas(tmp_path: Path) -> None:
    ledger = Ledger().until("allocated")
    whole = queue(tmp_path, ledger.scenario)
    facts = ledger.scenario.facts
    late = [fact for fact in facts if isinstance(fact, Season.Opened | Season.StandardChanged)]
    facts[:] = [fact for fact in facts if fact not in late]
    without = queue(tmp_path, ledger.scenario)
    assert [row["step"] for row in without] == ["post_second"], "all steps, until it is known"
    assert without[0]["summary"]["programme"] is None
    facts += late
    assert queue(tmp_path, ledger.scenario) == whole
    assert whole[0]["summary"]["programme"] == "winter_spring"


def test_an_objection_goes_before_and_a_returned_list_starts_again(tmp_path: Path) -> None:
    ledger = Ledger().until("posted")
    ledger.scenario.given(objection(ledger), by="village")
    assert steps(tmp_path, ledger.scenario) == [("settle", "township_reviewer")]
    ledger.scenario.given(settling(ledger), by="township")
    assert steps(tmp_path, ledger.scenario) == [("review", "township_reviewer")]
    back = ReturnList(village_list=ledger.list, reason="公示照片不清")
    ledger.scenario.given(back, by="township")
    assert steps(tmp_path, ledger.scenario) == [("post", "village_reporter")]


def test_a_consignment_waits_where_the_goods_are(tmp_path: Path) -> None:
    county = make_county()
    county.given(goods.receive(county), by="storekeeper")
    county.given(goods.request(county), by="township")
    assert steps(tmp_path, county) == [("order", "county_approver")]
    county.given(goods.order(county), by="county")
    (ship,) = queue(tmp_path, county)
    assert (ship["step"], ship["area_name"]) == ("ship", "潜山市")
    county.given(goods.ship(county), by="storekeeper")
    (receive,) = queue(tmp_path, county, scope=over(county, "yuantan"))
    assert (receive["step"], receive["role"]) == ("receive", "storekeeper")
    assert receive["summary"]["goods"] == {"quilt": 40}
    came = ArriveConsignment(
        consignment=county.id("load"),
        counts=(goods.came(county, 38, 2),),
        remark="雨淋",
        arrived_at=county.now,
    )
    county.given(came, by="township_storekeeper")
    assert steps(tmp_path, county) == [("write_off", "storekeeper")]


def test_the_queue_is_asked_by_role_and_within_the_scope(tmp_path: Path) -> None:
    county = flood()
    assert len(queue(tmp_path, county, role="township_reviewer")) == 2
    shuihou = queue(tmp_path, county, role="township_reviewer", scope=over(county, "shuihou"))
    assert [row["area_name"] for row in shuihou] == ["水吼村"]
    assert queue(tmp_path, county, scope=over(county, "foreign_county")) == []
    assert queue(tmp_path, county, exercise=True) == []
