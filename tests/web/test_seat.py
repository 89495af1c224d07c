"""Pages of the store's seat: 签发 for the second person, a word for who filed it, sent upward."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from domain.commands.issuing import IssueReport, RecordSentUpward
from domain.commands.reports import FileInitialReport
from domain.commands.reviews import AcceptReport
from domain.commands.store import RecordStore
from tests.web.desk import LivingCounty, living_county
from tests.web.test_pages import enter

ONE_DEAD = {"affected": 10, "dead": 1, "missing": 0}


@pytest.fixture
def county(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivingCounty]:
    """The county is the seat; a village's death is accepted and in the county's own report."""
    with living_county(tmp_path_factory.mktemp("seat")) as one:
        born = one.system.store.log.mark("born") or ""
        one.run(RecordStore(born=born, seat=one.id("county")))
        at = one.now - timedelta(minutes=50)
        for area, by in (("yuantan_1", "village"), ("county", "county")):
            one.run(
                FileInitialReport(
                    report=one.id(f"report/{area}"),
                    area=one.id(area),
                    occurred_at=at,
                    as_of=at,
                    hazard="flood",
                    figures=ONE_DEAD,
                ),
                by=by,
            )
            if area != "county":
                accept = AcceptReport(report=one.id(f"report/{area}"), version=1)
                one.run(accept, by="township")
        yield one


@pytest.fixture
def client(county: LivingCounty) -> Iterator[TestClient]:
    with TestClient(county.app(), follow_redirects=False) as one:
        yield one


def test_the_second_approver_gets_the_button_and_who_filed_it_a_word(
    county: LivingCounty, client: TestClient
) -> None:
    report = f"/report/{county.id('report/county')}"
    enter(client, "county")
    for path in (report, "/review"):
        page = client.get(path).text
        assert "另一名人员签发" in page and "/issues" not in page, path
    enter(client, "county2")
    for path in (report, "/review"):
        page = client.get(path).text
        assert "/versions/1/issues" in page and "/acceptances" not in page, path
    assert "本级灾情待签发" in client.get("/").text
    enter(client, "city")
    assert "/issues" not in client.get(report).text
    assert str(county.id("report/county")) not in client.get("/review").text


def test_what_was_issued_says_by_whom_and_asks_for_the_receipt(
    county: LivingCounty, client: TestClient
) -> None:
    path = f"/report/{county.id('report/county')}"
    county.run(IssueReport(report=county.id("report/county"), version=1), by="county2")
    enter(client, "county")
    home = client.get("/").text
    assert "限时上报" in home and path in home and "已签发，待上报上级" in home
    assert "今天没有等您办的事" not in home
    page = client.get(path).text
    assert "chip-issued" in page and "签发于" in page and "/versions/1/sent-upward" in page
    assert "上报时限" in page
    assert "报送时限 " in page.split('class="history"')[1], (
        "a document that holds two kinds of rules"
    )
    board = client.get("/situation").text
    row = board.split(f'id="a-{county.id("county")}"')[1].split("</tr>")[0]
    assert "chip-issued" in row and "<b>1</b>" in row
    county.run(
        RecordSentUpward(
            report=county.id("report/county"),
            version=1,
            sent_at=county.now,
            receipt_no="安庆收17号",
        ),
        by="county",
    )
    page = client.get(path).text
    assert "安庆收17号" in page and "/versions/1/sent-upward" not in page
    assert "待上报上级" not in client.get("/").text
    assert "sent-upward" not in client.get("/situation").text
