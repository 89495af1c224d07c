"""Funds: balances that balance, every flow, and the way of a document down to the payments."""

from pathlib import Path
from uuid import UUID, uuid4

import pytest

from domain.commands.funds import PassDownFund, ReturnFund
from domain.commands.grant_corrections import RecordPaymentFailure, RefundGrant
from domain.fund import Fund
from domain.grants import GrantStatus
from projections import funds as view
from projections.asking.fund_books import fund, fund_flows, funds
from projections.asking.fund_lineage import fund_lineage
from projections.asking.scope import EVERYTHING
from projections.funds import SUMS
from tests.domain.goods import appropriate
from tests.domain.ledger import DOCUMENT, Ledger
from tests.projections.relief import fold, over, same_for_all_batches

CITY_NO, DOWN_NO = "宜财社〔2018〕9号", "潜财社〔2018〕5号"


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    """A season paid out of the county's own fund (b bounced, c gave 10 yuan back); and a city's."""
    ledger = Ledger().until("paid")
    s = ledger.scenario
    s.given(
        RecordPaymentFailure(case=ledger.case("b"), number=1, reason="账号错误"),
        RefundGrant(
            case=ledger.case("c"), number=1, amount_fen=1_000, reason="多发", document_no="退1号"
        ),
        by="payer",
    )
    s.given(ledger.correction("b", cash_fen=20_000), by="county")
    s.given(appropriate(s, matching_fen=30_000), by="city")
    city = Fund.id_of(CITY_NO, s.id("city"), False)
    county = Fund.id_of(DOWN_NO, s.id("county"), False)
    s.given(
        PassDownFund(
            fund=city,
            to=s.id("county"),
            document_no=DOWN_NO,
            amount_fen=60_000,
            matching_fen=24_000,
        ),
        by="city",
    )
    s.given(
        ReturnFund(
            fund=county, to_fund=city, amount_fen=5_000, document_no="退2号", reason="结余上缴"
        ),
        by="county",
    )
    return ledger


def test_the_rows_do_not_depend_on_the_batch(ledger: Ledger, tmp_path: Path) -> None:
    same_for_all_batches(tmp_path, ledger.scenario, (view.VIEW,))


def test_a_fund_stands_as_its_aggregate_does(ledger: Ledger, tmp_path: Path) -> None:
    folded = fold(tmp_path, ledger.scenario, (view.VIEW,))
    with folded.reading() as db:
        found = funds(db, EVERYTHING).items
        one = fund(db, over(ledger.scenario, "county"), fund=ledger.fund)
    folded.close()
    assert len(found) == 3 and all(row["balanced"] for row in found)
    for row in found:
        aggregate = ledger.scenario.load(Fund, UUID(row["id"]))
        for name in SUMS:
            if name != "failed_fen":
                assert row[name] == getattr(aggregate, name), name
    assert one is not None and one["failed_fen"] == 27_000
    assert [batch["payments"] for batch in one["payments"]] == [3]
    assert one["payments"][0]["refunded_fen"] == 1_000
    assert sum(c["open_fen"] for c in one["commitments"]) == 20_000
    assert ledger.load_case("b").status[1] is GrantStatus.FAILED


def test_every_movement_is_a_flow(ledger: Ledger, tmp_path: Path) -> None:
    folded = fold(tmp_path, ledger.scenario, (view.VIEW,))
    with folded.reading() as db:
        county = over(ledger.scenario, "county")
        kinds = {flow["kind"] for flow in fund_flows(db, EVERYTHING).items}
        first = fund_flows(db, county, limit=2)
        rest = fund_flows(db, county, cursor=first.next, limit=100)
        every = fund_flows(db, county)
        village = fund_flows(db, over(ledger.scenario, "yuantan_1")).items
    folded.close()
    assert kinds == {
        "appropriated",
        "passed_down",
        "received",
        "returned",
        "got_back",
        "committed",
        "released",
        "paid",
        "failed",
        "refunded",
    }
    assert first.items + rest.items == every.items and village == []


def test_a_document_is_followed_down_to_the_payments(ledger: Ledger, tmp_path: Path) -> None:
    folded = fold(tmp_path, ledger.scenario, (view.VIEW,))
    with folded.reading() as db:
        city = fund_lineage(db, EVERYTHING, document_no="财建〔2018〕1号")
        county = fund_lineage(db, over(ledger.scenario, "county"), document_no=DOCUMENT)
        nothing = fund_lineage(db, EVERYTHING, document_no=str(uuid4()))
    folded.close()
    (root,) = [one for one in city["funds"] if one["id"] in city["roots"]]
    (child,) = root["children"]
    assert (child["passed_fen"], child["back_fen"]) == (60_000, 5_000)
    assert child["fund"] in {one["id"] for one in city["funds"]}
    (own,) = county["funds"]
    assert {c["subject"] for c in own["commitments"]} >= {str(ledger.list)}
    assert own["payments"][0]["amount_fen"] == 81_000
    assert nothing["funds"] == []
