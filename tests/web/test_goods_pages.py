"""Consignments and their papers, and stock as who decides on it sees it, over the small demo."""

import re
from uuid import UUID, uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from domain.commands.consignments import GoodsLine, RequestConsignment
from projections.areas import AREAS
from projections.asking.fund_books import funds
from projections.asking.scope import EVERYTHING
from projections.sections.consignments import consignments
from tests.web.relief_desk import RunningDemo
from tests.web.test_relief_pages import enter


def of_phase(demo: RunningDemo, phase: str) -> list[str]:
    with demo.system.reader() as db:
        found = consignments(db, EVERYTHING, status=phase, at=demo.now, limit=500).items
    assert found, phase
    return [row["id"] for row in found]


def cells(page: str, label: str) -> list[str]:
    """What stands in the cells of a column, without markup."""
    found = re.findall(rf'data-label="{label}">(.*?)</td>', page, re.S)
    return [re.sub(r"<[^>]+>", "", cell).strip() for cell in found]


def test_a_request_says_where_there_is_enough_of_what_it_asks_for(
    server: TestClient, demo: RunningDemo
) -> None:
    """Who orders had to look through the whole stock for a depot that has it."""
    enter(server, "county-approver")
    page = server.get(f"/stock/consignments/{of_phase(demo, 'requested')[0]}").text
    assert "等待上级下达调拨令" in page and "way-now" in page
    there = page[page.index('id="there"') :]
    asked = int(cells(page, "申请")[0])
    free = int(cells(there, "棉被")[0].replace(",", ""))
    assert ("够" if free >= asked else "差") in cells(there, "够不够")[0]
    assert free > 0


def test_depots_below_who_asks_are_no_suppliers_and_those_not_shown_are_accounted_for(
    server: TestClient, demo: RunningDemo
) -> None:
    """A county's own request named its townships' depots as if they could supply it."""
    with demo.system.reader() as db:
        county = db.execute(select(AREAS.c.id).where(AREAS.c.name == "潜山市")).scalar_one()
    own = uuid4()
    asked = RequestConsignment(
        consignment=own,
        destination=UUID(county),
        lines=(GoodsLine(item="quilt", quantity=5),),
        reason="库存不足，请市里支援",
    )
    demo.run(asked, by="county-approver")
    enter(server, "county-approver")
    there = server.get(f"/stock/consignments/{own}").text
    there = there[there.index('id="there"') :]
    assert "这里只有潜山市及下级的仓库" in there and "由共同的上级查看、下令调出" in there
    rows = re.findall(r'<tr data-row><th scope="row">(.*?)</th>', there, re.S)
    assert rows and all("收回" in row for row in rows), rows


def test_a_closed_consignment_says_who_did_every_step_and_what_came(
    server: TestClient, demo: RunningDemo
) -> None:
    enter(server, "county-approver")
    pages = [server.get(f"/stock/consignments/{id}").text for id in of_phase(demo, "closed")]
    for page in pages:
        assert page.count("way-done") == 5 and "way-now" not in page
        way = page[page.index('<ol class="way">') : page.index("</ol>")]
        assert way.count("<br>") == 5, "one officer a step"
        asked, came = (
            cells(page, "发出")[0],
            [cells(page, name)[0] for name in ("完好", "损坏", "缺少")],
        )
        assert int(asked) == sum(int(number) for number in came)
    assert any("报废文号" in page for page in pages)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_papers_of_a_load_bear_its_lots_and_no_name(
    server: TestClient, demo: RunningDemo, lang: str
) -> None:
    """The driver signs by hand: name and telephone are sealed, and a paper is left in a cab."""
    enter(server, "county-approver")
    there = server.get(f"/v1/consignments/{of_phase(demo, 'shipped')[0]}").json()
    for paper in ("waybill", "receipt"):
        page = server.get(f"/stock/consignments/{there['id']}/{paper}?lang={lang}").text
        for lot in there["cargo"]:
            assert lot["document_no"] in page and f"<b>{lot['units']:,}</b>" in page
        assert there["vehicle"] in page and there["document_no"] in page
        assert "师傅" not in page and not re.search(r"1[3-9]\d{9}", page)
    assert 'class="num pen"><span' in page, "columns for the pen before the arrival is booked"
    done = server.get(f"/stock/consignments/{of_phase(demo, 'closed')[0]}/receipt").text
    assert 'class="num pen"><span' not in done


def test_there_is_no_paper_of_a_load_that_has_not_left(
    server: TestClient, demo: RunningDemo
) -> None:
    enter(server, "county-approver")
    id = of_phase(demo, "requested")[0]
    assert server.get(f"/stock/consignments/{id}/waybill").status_code == 404
    enter(server, "taihu-approver")
    id = of_phase(demo, "closed")[0]
    assert server.get(f"/stock/consignments/{id}/receipt").status_code == 404


def test_the_picture_of_money_adds_up_and_every_band_leads_to_its_facts(
    server: TestClient, demo: RunningDemo
) -> None:
    enter(server, "province-reviewer")
    with demo.system.reader() as db:
        rows = [row for row in funds(db, EVERYTHING, limit=100).items if row["paid_fen"]]
    page = server.get("/funds/lineage", params={"document_no": rows[0]["document_no"]}).text
    links = set(re.findall(r'<a href="([^"]+)" aria-label=', page))
    assert len(links) >= 3
    for link in links:
        assert server.get(link.replace("&amp;", "&")).status_code == 200, link
    for amount in (rows[0]["paid_fen"], rows[0]["appropriated_fen"] + rows[0]["received_fen"]):
        assert f"{amount // 100:,}.00\u00a0元" in page
    facts = server.get(f"/funds/{rows[0]['id']}", params={"kind": "paid"}).text
    assert "<b>" in facts[facts.index('id="rows-title"') :]
    enter(server, "taihu-approver")
    assert server.get(f"/funds/{rows[0]['id']}").status_code == 404


def test_a_lot_past_its_term_is_told_where_stock_is_looked_at(server: TestClient) -> None:
    """The demo's quilts came in 2017 and may be stored 96 months; its clock says later."""
    enter(server, "county-approver")
    page = server.get("/stock").text
    ending = page[page.index('id="ending"') : page.index('id="item-')]
    assert "已到期" in ending and "棉被" in ending
    assert "2025年10月10日" in cells(ending, "储备到期")
