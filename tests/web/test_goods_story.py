"""300 quilts from the city's depot to a township, and money down and back, by pages and forms."""

import re

import pytest
from fastapi.testclient import TestClient

from domain.commands import consignments as c
from domain.commands import funds as f
from domain.commands import stock as g
from tests.web.pressing import Desk, Page, uuid_in

pytestmark = pytest.mark.usefixtures("demo")


def reached(desk: Desk, *addresses: str) -> Page:
    """The last of these addresses, each linked from the page before, home first."""
    page = desk.open("/")
    for address in addresses:
        assert address in page.links, f"{address} from {page.address}"
        page = desk.open(address)
    return page


def looked_at(page: Page, login: str) -> Page:
    """The same thing as somebody else sees it."""
    return Desk(page.desk.server, login).open(page.address)


def test_quilts_go_from_the_city_s_depot_to_a_township_and_are_filed(server: TestClient) -> None:
    keeper = Desk(server, "city-storekeeper")
    form = reached(keeper, "/stock", "/stock/receive").form(g.ReceiveGoods)
    pile = form.press(
        item="棉被",
        quantity="400",
        document_no="宜民〔2026〕9号",
        owner="安庆市应急管理局",
        unit_value_fen="120",
    )
    assert "宜民〔2026〕9号" in pile.text and "400" in pile.text
    lot = uuid_in(pile.text[pile.text.index('id="lot-') :][:60])

    asker = Desk(server, "yuantan-reviewer-new")
    form = reached(asker, "/stock", "/stock/consignments/new").form(c.RequestConsignment)
    page = form.press(
        lines__0__item="棉被", lines__0__quantity="300", reason="低温冰冻，三百户缺御寒被子"
    )
    assert page.state == "requested" and "CancelConsignment" in page.offers()
    assert "OrderConsignment" not in page.offers()

    page = looked_at(page, "county-approver")
    assert "由安庆市下令调出" in page.text, "who sees too few is told who sees more"
    page = looked_at(page, "city-reviewer")
    assert "下令调出：这份申请" not in page.text, "there is enough"
    form = page.form(c.OrderConsignment)
    assert any(words.startswith("安庆市") for words in form.options("source"))
    page = form.press(source="安庆市", document_no="宜应急调〔2026〕12号")
    assert page.state == "ordered" and page.closed["OrderConsignment"]

    page = looked_at(page, "city-storekeeper")
    assert "shipped_at" in page.form(c.ShipConsignment).names(), "for what is keyed later"
    page = page.form(c.ShipConsignment).press(
        vehicle="皖H20261", driver_name="王师傅", driver_phone="13900000001"
    )
    assert page.state == "shipped" and page.offers() == []
    why = page.closed["ArriveConsignment"]
    assert "已办理“发运”，不能再办“到达验收”" in why, "as the page calls the two steps"
    paper = keeper.open(page.address + "/waybill")
    assert "皖H20261" in paper.text and "<b>300</b>" in paper.text and "王师傅" not in paper.text

    page = looked_at(page, "yuantan-reviewer-new")
    form = page.form(c.ArriveConsignment)
    assert "发出 120" in page.text and "发出 180" in page.text, "the older lot leaves first"
    wrong = form.send(counts__1__good="170", remark="少了")
    assert wrong.status_code == 409 and "170" in wrong.json()["zh"]
    assert "宜民〔2026〕9号" in wrong.json()["zh"], "which lot it is"
    page = form.press(
        counts__1__good="177",
        counts__1__damaged="2",
        counts__1__missing="1",
        remark="两床浸水，一床途中遗失",
    )
    assert page.state == "arrived"
    assert "2" in page.closed["CloseConsignment"], "what is damaged is written off first"

    page = looked_at(page, "county-approver")
    page = page.form(c.WriteOffDamaged).press(
        document_no="潜应急报废〔2026〕3号", reason="浸水板结，不能再用"
    )
    page = page.form(c.CloseConsignment).press()
    assert page.state == "closed" and page.offers() == []
    assert "潜应急报废〔2026〕3号" in page.text

    pile = Desk(server, "city-storekeeper").open(pile.address)
    assert re.search(rf'id="lot-{lot}".*?<b>220</b>', pile.text, re.S)


def test_a_load_that_cannot_get_through_comes_back_and_a_request_is_called_off(
    server: TestClient,
) -> None:
    desk = Desk(server, "county-storekeeper")
    form = reached(desk, "/stock", "/stock/receive").form(g.ReceiveGoods)
    pile = form.press(item="毛毯", quantity="50", document_no="潜民〔2026〕7号", owner="潜山市")
    asker = Desk(server, "yuantan-reviewer-new")
    requests = []
    for quantity in ("20", "5"):
        form = asker.open("/stock/consignments/new").form(c.RequestConsignment)
        requests.append(
            form.press(lines__0__item="毛毯", lines__0__quantity=quantity, reason="临时安置点用")
        )
    page = requests[1].form(c.CancelConsignment).press(reason="已从邻镇借到，不再需要")
    assert page.state == "cancelled" and page.offers() == []
    page = looked_at(requests[0], "county-approver")
    page = page.form(c.OrderConsignment).press(source="潜山市", document_no="潜应急调〔2026〕8号")
    page = looked_at(page, "county-storekeeper").form(c.ShipConsignment).press(vehicle="皖H00008")
    assert "同一人" in page.closed["TurnBackConsignment"]
    page = looked_at(page, "city-storekeeper").form(c.TurnBackConsignment).press(remark="道路塌方")
    assert page.state == "arrived" and "退回清点" in page.text
    assert page.form(c.CloseConsignment).press().state == "closed"

    pile = Desk(server, "county-storekeeper").open(pile.address)
    pile = pile.form(g.RecountStock).press(counts__0__found="29", reason="盘点少一条，原因不明")
    form, beside = pile.form(g.WriteOffGoods), pile.form(g.RecountStock)
    pile = form.press(
        lot=form.options("lot")[0], quantity="2", document_no="潜报废〔2026〕1号", reason="受潮霉变"
    )
    assert "<b>27</b>" in pile.text
    stale = beside.send(counts__0__found="29", reason="盘点无误")
    assert stale.status_code == 412, "what was written off since would be booked back"
    assert "已有新的办理" in stale.json()["zh"] and "（）" not in stale.json()["zh"], stale.text


def test_money_is_appropriated_passed_down_and_given_back(server: TestClient) -> None:
    city = Desk(server, "city-reviewer")
    form = reached(city, "/stock", "/funds", "/funds/new").form(f.AppropriateFund)
    fund = form.press(
        document_no="宜财〔2026〕40号",
        amount_fen="500000",
        matching_fen="100000",
        source="省级资金",
        source_document_no="皖财〔2026〕8号",
        earmark=["冬春救助", "应急救助"],
    )
    assert "500,000.00 元" in fund.text and fund.state == "has_money"
    assert fund.closed["ReturnFund"], "nothing came from above in this fund"
    fund = fund.form(f.PassDownFund).press(
        to="潜山市",
        amount_fen="200000.50",
        matching_fen="40000",
        document_no="宜财〔2026〕41号",
        earmark=["冬春救助"],
    )
    assert "299,999.50 元" in fund.text
    below = next(link for link in fund.links if re.fullmatch(r"/funds/[0-9a-f-]{36}", link))

    county = Desk(server, "county-approver").open(below)
    assert "200,000.50 元" in county.text and "PassDownFund" in county.offers()
    form = county.form(f.ReturnFund)
    too_much = form.send(amount_fen="200000.51", document_no="潜财函1号", reason="多退")
    assert too_much.status_code == 409
    county = form.press(
        amount_fen="50000.50", document_no="潜财函〔2026〕2号", reason="救助任务完成后的结余"
    )
    assert "150,000.00 元" in county.text
    assert "50,000.50 元" in Desk(server, "city-reviewer").open(fund.address).text
