"""The five programmes beside winter and spring, each by pages and forms to a paid or signed grant.

They are run on the rules that a county begins from (`rules/examples`), each with what a winter has
not: 应急 hangs no notice, 过渡期 goes by days and is paid by the month, 旱灾 goes by ten days,
倒损房 is paid as the home stands, 抚慰 is for a dead person of the roster, once. Households, money,
stock and the first reports are there already: they have desks, and stories, of their own.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from domain.commands import handing_out as h
from domain.commands import notices as n
from domain.commands import payments as p
from domain.commands import relief_cases as r
from domain.commands import rosters as o
from domain.commands import seasons as s
from domain.commands import village_lists as v
from domain.commands.disasters import DeclareDisaster
from domain.commands.funds import AppropriateFund
from domain.commands.reports import FileInitialReport
from domain.commands.rulebooks import AdoptRulebook
from domain.commands.stock import ReceiveGoods
from domain.money import Source
from domain.rules.loading import parse_rulebook
from tests.domain.county import RULES
from tests.web.desk import LivingCounty, living_county
from tests.web.pressing import Desk, uuid_in
from tests.web.programmes_desk import (
    amounts,
    applying,
    case_of,
    case_page,
    decided,
    drawn_up,
    opened,
    paid,
    posted,
    refused,
    row_of,
    season_form,
    state_word,
    step_now,
    the_list,
)
from tests.web.season_desk import register, spoken_of

BEGUN = datetime(2018, 8, 1, 1, tzinfo=UTC)
SIZES = {"a": 3, "b": 2, "c": 1}
FUND_NO = "潜财〔2018〕66号"
FIVE = ("emergency", "transitional", "drought", "housing", "condolence")


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivingCounty]:
    """Three households, money for the five programmes, quilts; a flood and a drought."""
    folder: Path = tmp_path_factory.mktemp("five")
    with living_county(folder / "county", simulated_from=BEGUN) as found:
        register(found, SIZES)
        _adopt_example(found)
        _provide(found)
        for key, hazard, name in (("flood", "flood", "七月洪涝"), ("dry", "drought", "夏秋连旱")):
            strike(found, key, hazard, name)
        yield found


def _adopt_example(county: LivingCounty) -> None:
    """The standards that an administrator begins from, in force here."""
    path = RULES / "examples" / "standards.toml"
    book = parse_rulebook(path.name, path.read_text(encoding="utf-8"))
    adopt = AdoptRulebook(
        area=county.id("county"),
        kind="standards",
        version="2018-1",
        document_no="潜政办〔2018〕15号",
        valid_from=date(2018, 1, 1),
        content=book.content,
    )
    county.run(adopt)


def _provide(county: LivingCounty) -> None:
    county.run(
        AppropriateFund(
            holder=county.id("county"),
            document_no=FUND_NO,
            amount_fen=9_000_000,
            source=Source.NATION,
            source_document_no="财建〔2018〕1号",
            earmark=FIVE,
        ),
        by="county",
    )
    county.run(
        ReceiveGoods(
            warehouse=county.id("county"),
            item="quilt",
            lot=county.id("lot/quilt"),
            document_no="入库〔2018〕7号",
            owner="潜山市应急管理局",
            received_on=date(2018, 6, 1),
            quantity=20,
            unit_value_fen=12_000,
        ),
        by="storekeeper",
    )


def strike(county: LivingCounty, key: str, hazard: str, name: str) -> None:
    """A disaster, and the village's report of it."""
    began = BEGUN - timedelta(days=20)
    county.run(
        DeclareDisaster(
            disaster=county.id(key),
            name=name,
            hazard=hazard,
            occurred_at=began,
            area=county.id("county"),
        ),
        by="county",
    )
    county.run(
        FileInitialReport(
            report=county.id(f"report/{key}"),
            as_of=BEGUN,
            figures={"affected": 30, "dead": 1, "collapsed_households": 1},
            area=county.id("yuantan_1"),
            occurred_at=began,
            hazard=hazard,
            disaster=county.id(key),
        ),
        by="village",
    )


@pytest.fixture(scope="module")
def server(county: LivingCounty) -> Iterator[TestClient]:
    with TestClient(county.app()) as client:
        yield client


# 应急


def test_an_emergency_goes_from_the_application_to_the_signature_without_a_notice(
    county: LivingCounty, server: TestClient
) -> None:
    season = opened(server, "应急救助")
    village = Desk(server, "village")
    assert "不公示" in season.text and "与标准不同的金额" in season.text
    form = applying(village, county, season, "a")
    assert any("紧急转移安置 300.00 元／人" in one for one in form.options("need.rate"))
    case = form.press(need__kinds=["口粮", "衣被"], need__cause="转移安置")
    assert "等待村里评议" not in case.text and case.state == "applied"
    closing = Desk(server, "county").open(season.address.split("?")[0])
    assert "还有 1 户已申请、没有列入名册" in closing.text and closing.form(s.CloseSeason)

    page = the_list(season, county)
    assert step_now(page) == "列入名册", "who applied is on no list yet"
    page = drawn_up(page, county, meeting=False)
    assert step_now(page) == "乡审"
    spoken_of(page)
    assert "公示" not in page.form(v.AppraiseList).of["data-done"]
    on_list = case_page(server, county, season, "a")
    assert "等待乡审" in on_list.text and "公示期满" not in on_list.text
    page = decided(page)
    assert "一榜公示" not in page.text and "二榜公示" not in page.text
    form = page.form(p.AllocateList)
    assert amounts(form) == ["900.00"], "three persons"
    assert "登记发放" in form.of["data-done"] and "公示" not in form.of["data-done"]
    depot = next(one for one in form.options("warehouse") if one.startswith("潜山市"))
    goods = {"warehouse": depot, "grants.0.goods:quilt": 2}
    typed = {"document_no": "潜应急〔2018〕41号", **goods}
    refused(form.send(**typed), "1,140.00 元", "900.00 元", "说明理由")
    page = form.press(**typed, **{"grants.0.cash_fen": "660"})
    for name in ("village", "township", "county"):
        spoken_of(page.seen_by(name))

    page = page.seen_by("payer").form(p.PayList).press(document_no="潜支〔2018〕1号")
    assert "660.00 元" in page.text and step_now(page) == "发放", "the quilts are not signed for"
    on_way = case_page(server, county, season, "a")
    assert state_word(on_way) == "部分到户" and step_now(on_way) == "到户"
    assert "部分到户" in Desk(server, "village").open(f"/households/{county.id('a')}").text
    keeper = Desk(server, "storekeeper").open(f"{page.address}/goods".split("#")[0])
    keeper.form(h.SignGoods).press(
        signatures__0__signed_by="赵一二", signatures__0__relation="本人"
    )
    page = page.seen_by("county")
    assert step_now(page) == "办结"
    page = page.form(v.CloseList).press()
    assert page.state == "closed"
    case = case_page(server, county, season, "a")
    assert state_word(case) == "已到户"
    assert "已签领" in case.text and "660.00 元" in case.text


# 过渡期


def test_a_stay_elsewhere_is_asked_for_by_days_and_paid_by_the_month(
    county: LivingCounty, server: TestClient
) -> None:
    season = opened(server, "过渡期")
    assert "最多 90 天，每 30 天发一次" in season.text
    village = Desk(server, "village")
    form = applying(village, county, season, "b")
    refused(form.send(need__days="91", need__cause="因灾倒房"), "91 天", "最多 90 天")
    form.press(need__days="45", need__cause="因灾倒房")
    applying(village, county, season, "c").press(need__cause="因灾倒房")  # a month, as it stands

    page = posted(drawn_up(the_list(season, county), county, meeting=True), county, n.PostNotice)
    page = decided(page)
    form = page.form(p.AllocateList)
    at = row_of(form, case_of(county, season, "b"))
    rows = ["1200.00", "600.00"] if at == 0 else ["600.00", "1200.00"]
    assert amounts(form) == rows, "a month: 20 yuan a day for two, for one"
    first = {"document_no": "潜应急〔2018〕51号"}
    more = {**first, f"grants.{at}.cash_fen": "1800.01"}
    refused(form.send(**more), "1,800.01 元", "1,800.00 元", "说明理由")
    less = {**first, f"grants.{at}.cash_fen": "1100"}
    refused(form.send(**less), "1,100.00 元", "1,200.00 元", "说明理由")
    page = form.press(**first)
    page = paid(page, county, 11)

    case = case_page(server, county, season, "b")
    assert state_word(case) == "部分到户" and step_now(case) == "分配"
    assert state_word(case_page(server, county, season, "c")) == "已到户"
    assert "部分到户" in Desk(server, "village").open(f"/households/{county.id('b')}").text
    page = page.seen_by("county")
    assert "还有 1 户没有分完各期" in page.text and step_now(page) == "分配", "the next month"
    assert "分配下一期" in page.desk.open("/").text, "nobody is led to close it"
    refused(page.form(v.CloseList).send(), "1 户没有分完各期")
    form = page.form(p.AllocateList)
    assert sorted(amounts(form)) == ["", "600.00"], "fifteen days are left of one household"
    again = {"document_no": "潜应急〔2018〕52号"}
    twice = form.send(**again, **{f"grants.{at}.part": "第 1 期（第 1–30 天）"})
    refused(twice, "第 1 期已经分配过")
    page = form.press(**again)
    assert step_now(page) == "二榜公示", "the amounts of the second month are posted too"
    page = paid(page, county, 12)
    case = case_page(server, county, season, "b")
    assert "第 1 期（第 1–30 天）" in case.text and "第 2 期（第 31–45 天）" in case.text
    assert case.text.count("已打卡") >= 2 and "1,200.00 元" in case.text
    page = page.seen_by("county")
    assert "没有分完各期" not in page.text
    assert page.form(v.CloseList).press().state == "closed"


# 旱灾


def test_a_drought_is_helped_by_ten_days_and_nothing_but_a_drought(
    county: LivingCounty, server: TestClient
) -> None:
    form, chosen = season_form(server, "旱灾", "七月洪涝")
    refused(form.send(**chosen), "旱灾救助", "七月洪涝", "灾种不符")
    season = opened(server, "旱灾", "夏秋连旱")
    assert "每人每旬" in season.text
    village = Desk(server, "village")
    form = applying(village, county, season, "a")
    refused(form.send(need__days="25", need__cause="缺水"), "25 天", "10 的整数倍")
    refused(form.send(need__days="100", need__cause="缺水"), "最多 90 天")
    form.press(need__days="20", need__kinds=["饮水"], need__cause="缺水")

    page = decided(
        posted(drawn_up(the_list(season, county), county, meeting=True), county, n.PostNotice)
    )
    for number in (1, 2):
        form = page.seen_by("county").form(p.AllocateList)
        assert amounts(form) == ["180.00"], "60 yuan for each of three, for ten days"
        page = form.press(document_no=f"潜应急〔2018〕6{number}号")
        page = paid(page, county, 20 + number)
    form = page.seen_by("county").form(p.AllocateList)
    over = form.send(document_no="潜应急〔2018〕63号", grants__0__cash_fen="180")
    refused(over, "第 2 期已经分配过")
    case = case_page(server, county, season, "a")
    assert "第 2 期（第 11–20 天）" in case.text
    assert case.text.count("180.00 元") >= 2
    assert page.seen_by("county").form(v.CloseList).press().state == "closed"


# 倒损房


def test_a_home_of_the_roster_is_paid_for_as_it_stands(
    county: LivingCounty, server: TestClient
) -> None:
    roster = Desk(server, "village").open(f"/report/{county.id('report/flood')}/houses")
    roster = roster.form(o.RecordHouseDamage).press(owner_name="赵一二", grade="倒塌", rooms="4")
    roster = roster.form(o.RecordHouseDamage).press(
        owner_name="钱三四", grade="一般损坏", rooms="2"
    )
    season = opened(server, "农房")
    assert "开工 30%、主体完工 40%、竣工验收 30%" in season.text
    assert "一处只救助一次" in season.text
    village = Desk(server, "village")
    form, beside = applying(village, county, season, "a"), applying(village, county, season, "c")
    homes = form.options("need.house")
    assert [one for one in homes if "赵" in one] and [one for one in homes if "钱" in one]
    (collapsed,) = [one for one in homes if "赵" in one]
    assert form.send(need__cause="因灾倒房").status_code in (409, 422), "which home?"
    slight = next(one for one in form.options("need.rate") if "一般损坏" in one)
    wrong = form.send(need__house=collapsed, need__rate=slight, need__cause="因灾倒房")
    refused(wrong, "评定为“倒塌”", "标准档次")
    case = form.press(need__house=collapsed, need__cause="因灾倒房")
    assert "受损住房" in case.text
    refused(beside.send(need__house=collapsed, need__cause="因灾倒房"), "不能重复救助")
    fresh = applying(village, county, season, "b")
    assert not [one for one in fresh.options("need.house") if "赵" in one], "it is spoken for"
    (cracked,) = [one for one in fresh.options("need.house") if "钱" in one]
    fresh.press(need__house=cracked, need__rate=slight, need__cause="住房受损")

    page = decided(
        posted(drawn_up(the_list(season, county), county, meeting=True), county, n.PostNotice)
    )
    form = page.form(p.AllocateList)
    at = row_of(form, case_of(county, season, "a"))
    assert sorted(amounts(form)) == ["2000.00", "6000.00"], "at once, and 30 percent"
    skip = {"document_no": "潜应急〔2018〕71号", f"grants.{at}.part": "第 3 期（竣工验收 30%）"}
    refused(form.send(**skip), "第 3 期还不能分配", "第 1 期")
    page = paid(form.press(document_no="潜应急〔2018〕71号"), county, 31)
    for number, milestone in ((2, "8000.00"), (3, "6000.00")):
        form = page.seen_by("county").form(p.AllocateList)
        assert sorted(amounts(form)) == ["", milestone], number
        typed = {"document_no": f"潜应急〔2018〕7{number}号"}
        if number == 2:
            first = {f"grants.{at}.part": "第 1 期（开工 30%）"}
            refused(form.send(**typed, **first), "第 1 期已经分配过")
        page = paid(form.press(**typed), county, 30 + number)
    case = case_page(server, county, season, "a")
    for said in ("开工 30%", "主体完工 40%", "竣工验收 30%", "8,000.00 元"):
        assert said in case.text
    paper = Desk(server, "county").open(f"/ledger/paper?season={uuid_in(season.address)}")
    assert "20,000.00 元" in paper.text and "冬春" not in paper.text, "form 10 is of winters"
    assert page.seen_by("county").form(v.CloseList).press().state == "closed"


# 抚慰


def test_a_dead_person_s_family_is_condoled_with_once(
    county: LivingCounty, server: TestClient
) -> None:
    roster = Desk(server, "village").open(f"/report/{county.id('report/flood')}/casualties")
    roster.form(o.RecordCasualty).press(fate="死亡", full_name="赵老大", sex="男", age="70")
    roster.form(o.RecordCasualty).press(fate="失踪", full_name="周二娃", sex="男", age="30")
    season = opened(server, "抚慰")
    assert "一人只抚慰一次" in season.text
    page = the_list(season, county)
    assert step_now(page) == "户报", "nobody has applied: there is nothing to review"
    spoken_of(page)
    village = Desk(server, "village")
    form, beside = applying(village, county, season, "a"), applying(village, county, season, "b")
    who = form.options("need.dead")
    assert len(who) == 1 and who[0].startswith("赵"), "the missing are not dead"
    refused(form.send(), "遇难人员")
    case = form.press(need__dead=who)
    assert "因灾死亡" in case.text, "as it stands in the form"
    assert who[0] in case.text and "赵老大" not in case.text
    refused(beside.send(need__dead=who, need__cause="因灾死亡"), "不能重复救助")
    assert applying(village, county, season, "b").options("need.dead") == []

    page = decided(drawn_up(page, county, meeting=False))
    form = page.form(p.AllocateList)
    assert amounts(form) == ["10000.00"]
    typed = {"document_no": "潜应急〔2018〕81号"}
    refused(form.send(**typed, grants__0__cash_fen="20000.01"), "20,000.00 元")
    refused(form.send(**typed, grants__0__cash_fen="20000"), "10,000.00 元", "说明理由")
    page = form.press(**typed, grants__0__cash_fen="20000", grants__0__reason="一家两口遇难其一")
    page = page.seen_by("payer").form(p.PayList).press(document_no="潜支〔2018〕41号")
    assert page.seen_by("county").form(v.CloseList).press().state == "closed"
    case = case_page(server, county, season, "a")
    assert "20,000.00 元" in case.text and "一家两口遇难其一" in case.text and "已打卡" in case.text


def test_the_village_table_asks_for_the_same(county: LivingCounty, server: TestClient) -> None:
    """A row of the table that names nobody is refused, as the single form is."""
    _, chosen = season_form(server, "抚慰", "夏秋连旱")
    season = Desk(server, "county").open("/seasons/new").form(s.OpenSeason).press(**chosen)
    there = f"/cases/apply?season={uuid_in(season.address)}&village={county.id('yuantan_1')}"
    form = Desk(server, "village").open(there).form(r.ApplyVillage)
    assert {"need.dead", "need.persons"} & {one.split(".", 2)[-1] for one in form.names()}
    refused(form.send(applications__0__need__persons="1"), "遇难人员")
