"""The life of a household by pressed pages: members, card, moves, doubles, a contested person."""

import pytest
from fastapi.testclient import TestClient

from domain.commands import contests as k
from domain.commands import erasure as e
from domain.commands import household_moves as m
from domain.commands import households as h
from projections.asking import persons
from tests.id_numbers import id_number
from tests.web.pressing import Desk, Page

HOME = "双峰居委会"

pytestmark = pytest.mark.usefixtures("demo")


def registered(desk: Desk, name: str, number: str, *others: tuple[str, str], **more: str) -> Page:
    """A household of the village, from home on; its page."""
    assert "/ledger" in desk.open("/").links
    assert "/households/new" in desk.open("/ledger").links
    form = desk.open("/households/new").form(h.RegisterHousehold)
    typed = {"members.0.name": name, "members.0.id_number": number}
    for at, (called, relation) in enumerate(others, 1):
        typed |= {f"members.{at}.name": called, f"members.{at}.relation": relation}
    kind = form.options("category")[-1]
    return form.press(village=HOME, category=kind, **typed, **more)


def test_a_household_from_its_registration_to_its_move(server: TestClient) -> None:
    village = Desk(server, "yuantan-shuangfeng-a")
    page = registered(
        village,
        "严大山",
        id_number(101),
        ("周小翠", "配偶"),
        ("严小河", "子女"),
        phone="13966667777",
    )
    assert page.state == "registered" and "严*山" in page.text
    assert "严大山" not in page.text and "13966667777" not in page.text
    household = page.address

    page = page.form(h.AddMember).press(
        member__name="严新苗", member__relation="子女", member__sex="女", reason="新生儿"
    )
    assert "严*苗" in page.text and "4 人" in page.text
    page = page.form(h.IdentifyMember).press(
        person="周*翠",
        member__name="周小翠",
        member__relation="配偶",
        member__id_number=id_number(102, "19750811"),
        reason="补录身份证号",
    )
    assert "已更正身份" in page.text

    head_needed = page.form(h.RecordDeath).send(person="严*山", reason="因病去世")
    assert head_needed.status_code == 409, "who stays needs a head"
    page = page.form(h.RecordDeath).press(person="严*山", new_head="周*翠", reason="因病去世")
    assert "已去世" in page.text and "<h1>周*翠" in page.text
    page = page.form(h.ChangeHead).press(head="严*河", reason="长子当家")
    assert "<h1>严*河" in page.text
    page = page.form(h.RecordCard).press(
        holder="严*河", number="6217001234567890", bank="农商银行", reason="新办一卡通"
    )
    assert "6217001234567890" not in page.text and "农商银行" in page.text
    page = page.form(h.ChangeContact).press(phone="13966668888", reason="换了号码")
    page = page.form(h.CategorizeHousehold).press(
        category=page.form(h.CategorizeHousehold).options("category")[0], reason="重新认定"
    )
    page = page.form(h.RemoveMember).press(person="严*苗", reason="随母亲迁走")
    assert "已离开" in page.text
    assert "MergeHouseholds" not in page.offers(), "a village merges nothing"

    page = page.seen_by("yuantan-reviewer-new")
    form = page.form(h.MoveHousehold)
    other = next(one for one in form.options("village") if one not in ("请选择", HOME))
    page = form.press(village=other, reason="搬到亲戚家")
    assert page.address == household and other in page.text

    person = next(link for link in page.links if link.startswith("/persons/"))
    page = page.desk.open(person)
    assert household in page.links and "严*河" in page.text


def test_a_household_goes_to_another_county_that_takes_it_in(server: TestClient) -> None:
    page = registered(Desk(server, "yuantan-shuangfeng-a"), "霍远行", id_number(201))
    page = page.seen_by("county-approver")
    assert page.form(m.OfferHouseholdMove).options("village") in ([], ["请选择"])
    assert "请先在上面查找" in page.text
    found = page.desk.open(f"{page.address}?to=东关")
    form = found.form(m.OfferHouseholdMove)
    there = next(one for one in form.options("village") if one != "请选择")
    form.press(village=there, reason="随子女迁居")
    page = page.desk.open(page.address)
    assert page.state == "offered" and "等待答复" in page.text
    assert set(page.offers()) >= {"WithdrawHouseholdMove"}
    assert "OfferHouseholdMove" in page.closed

    page = page.seen_by("taihu-approver")
    assert "霍*行" in page.text and "霍远行" not in page.text and "/persons/" not in page.text
    assert page.address in page.desk.open("/waiting/household_move?whose=area").links
    assert set(page.offers()) == {"AcceptHouseholdMove", "DeclineHouseholdMove"}
    page = page.form(m.AcceptHouseholdMove).press(reason="已核实居住")
    assert page.state == "registered" and there in page.text and "/persons/" in page.text
    old = Desk(server, "county-approver")
    assert old.server.get(page.address).status_code == 404, "it is no longer theirs"


def test_an_offer_is_declined_or_withdrawn(server: TestClient) -> None:
    page = registered(Desk(server, "yuantan-shuangfeng-a"), "游不定", id_number(202))
    page = page.seen_by("county-approver")

    def offered() -> None:
        form = page.desk.open(f"{page.address}?to=东关").form(m.OfferHouseholdMove)
        there = next(one for one in form.options("village") if one != "请选择")
        form.press(village=there, reason="投靠亲属")

    offered()
    page.seen_by("taihu-approver").form(m.DeclineHouseholdMove).send(reason="查无此亲属")
    page = page.seen_by("county-approver")
    assert page.state == "registered"
    offered()
    page = page.desk.open(page.address).form(m.WithdrawHouseholdMove).press(reason="不迁了")
    assert page.state == "registered" and "OfferHouseholdMove" in page.offers()


def test_a_household_entered_twice_becomes_one(server: TestClient) -> None:
    village = Desk(server, "yuantan-shuangfeng-a")
    kept = registered(village, "双来福", id_number(301), ("双来喜", "兄弟姐妹"))
    twice = registered(village, "双来福", id_number(302), ("双来宝", "子女"))
    page = twice.seen_by("county-approver")
    assert kept.address in page.links, "the other entry is found by the mask of its head"
    form = page.form(k.MergeHouseholds)
    twin = next(one for one in form.options("into") if one.startswith("双*福"))
    page = form.press(into=twin, reason="重复登记")
    assert page.state == "merged" and kept.address in page.links
    page = page.desk.open(kept.address)
    assert "双*宝" in page.text and "4 人" in page.text


def test_a_stranger_of_the_same_mask_is_no_double_and_a_list_that_is_cut_says_so(
    server: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """王芳 and 王强 are both 王*: a merger of them could never be undone."""
    village = Desk(server, "yuantan-shuangfeng-a")
    first = registered(village, "单重名", id_number(321), ("单小雨", "子女"))
    stranger = registered(village, "单大名", id_number(322), ("单小雪", "子女"))
    namesake = registered(village, "单 重名", id_number(323), ("单小霜", "子女"))
    third = registered(village, "單重名", id_number(324), ("单小露", "子女"))
    assert "单*名" in stranger.text
    page = first.seen_by("county-approver")
    assert {namesake.address, third.address} <= set(
        page.links
    ) and stranger.address not in page.links
    offered = page.form(k.MergeHouseholds).options("into")
    assert sum(one.startswith(("单", "單")) for one in offered) == 2 and "只列前" not in page.text
    assert first.address not in stranger.seen_by("county-approver").links

    monkeypatch.setattr(persons, "MOST_DOUBLES", 1)
    page = page.desk.open(page.address)
    assert "共 2 户，这里只列前 1 户" in page.text
    assert namesake.address in page.links and third.address not in page.links


def test_a_person_of_two_households_is_given_to_one(server: TestClient) -> None:
    number = id_number(401)
    first = registered(Desk(server, "yuantan-shuangfeng-a"), "庄争议", number, ("庄留守", "子女"))
    second = registered(
        Desk(server, "yuantan-shuangfeng-a"), "郑有户", id_number(402), ("郑小户", "子女")
    )
    second = second.form(h.AddMember).press(
        member__name="庄争议", member__relation="其他", member__id_number=number, reason="投靠亲属"
    )
    assert "归属有争议" in second.text and "由同时管辖各户" in second.text

    approver = Desk(server, "county-approver")
    waiting = approver.open("/waiting/contest_resolve?whose=area")
    persons = {link for link in approver.open(second.address).links if "/persons/" in link}
    (address,) = persons & set(waiting.links)
    page = approver.open(address)
    assert first.address in page.links and second.address in page.links
    form = page.form(k.ResolveContest)
    nobody_said = form.send(document_no="潜民〔2018〕9号", reason="走访核实")
    assert nobody_said.status_code == 422, "nobody is dropped unless somebody says so"
    mine = next(one for one in form.options("keep") if one.startswith("庄*议"))
    page = form.press(keep=mine, document_no="潜民〔2018〕9号", reason="常住本户，走访核实")
    assert "ResolveContest" not in page.offers() and "裁定不属于本户" in page.text
    assert "须由上级裁定" not in page.desk.open(first.address).text


def test_who_left_may_be_erased_and_who_counts_may_not(server: TestClient) -> None:
    page = registered(
        Desk(server, "yuantan-shuangfeng-a"), "任销毁", id_number(501), ("任远去", "子女")
    )
    page = page.form(h.RemoveMember).press(person="任*去", reason="外出不归")
    approver = Desk(server, "county-approver")
    links = [link for link in approver.open(page.address).links if "/persons/" in link]
    stays, left = (approver.open(one) for one in links)
    assert "ErasePerson" in stays.closed and stays.offers() == []
    page = left.form(e.ErasePerson).press(document_no="潜民〔2018〕10号", reason="响应结束")
    assert "已销毁" in page.text and "任*去" not in page.text and page.offers() == []


def test_who_registers_nothing_is_told_so(server: TestClient) -> None:
    page = Desk(server, "county-payer").open("/households/new")
    assert page.offers() == [] and "登记受灾户由村、乡镇、县办理" in page.text
