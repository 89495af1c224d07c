"""A winter from the season opened to the season closed, by pages and forms pressed as people would.

Households, needs, money and stock are there already: they have desks of their own, and so do the
signatures and the payment that is tried again.
"""

import asyncio
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from domain.commands import grant_corrections as gc
from domain.commands import handing_out as h
from domain.commands import notices as n
from domain.commands import payments as p
from domain.commands import seasons as s
from domain.commands import village_lists as v
from domain.commands.funds import AppropriateFund
from domain.commands.relief_cases import ApplicationInput, ApplyVillage, NeedInput
from domain.commands.stock import ReceiveGoods
from domain.money import Source
from projections.asking.season_turns import Standing
from tests.web.desk import LivingCounty, living_county
from tests.web.pressing import Desk, Page, uuid_in
from tests.web.season_desk import FAMILIES, masked, register, wait
from web.pages.seasons import _of_village, turn_of

BEGUN = datetime(2018, 11, 5, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivingCounty]:
    """Four households of two persons each, quilts, coats and money for the winter."""
    folder: Path = tmp_path_factory.mktemp("winter")
    with living_county(folder / "county", simulated_from=BEGUN) as found:
        register(found, dict.fromkeys(FAMILIES, 2))
        provide(found)
        yield found


def provide(county: LivingCounty) -> None:
    county.run(
        AppropriateFund(
            holder=county.id("county"),
            document_no="潜财〔2018〕88号",
            amount_fen=1_000_000,
            source=Source.NATION,
            source_document_no="财建〔2018〕1号",
            earmark=("winter_spring",),
        ),
        by="county",
    )
    for item, quantity in (("quilt", 20), ("coat", 9)):
        county.run(
            ReceiveGoods(
                warehouse=county.id("county"),
                item=item,
                lot=county.id(f"lot/{item}"),
                document_no=f"入库〔2018〕{quantity}号",
                owner="潜山市应急管理局",
                received_on=date(2018, 6, 1),
                quantity=quantity,
                unit_value_fen=2_000,
            ),
            by="storekeeper",
        )


@pytest.fixture(scope="module")
def server(county: LivingCounty) -> Iterator[TestClient]:
    with TestClient(county.app()) as client:
        yield client


def opened(county: LivingCounty, server: TestClient) -> Page:
    """The county opens the season; the village opens its list, on which nobody has applied."""
    page = Desk(server, "county").open("/seasons")
    assert "/seasons/new" in page.links
    form = page.desk.open("/seasons/new").form(s.OpenSeason)
    (winter,) = [one for one in form.options("programme") if "冬春" in one]
    page = form.press(programme=winter, year="2018")
    assert page.state == "open" and "潜山市" in page.text
    assert page.form(s.ChangeSeasonStandard) and "源潭镇" in page.text, "by township"

    page = page.seen_by("village")
    assert page.offers() == ["OpenVillageList"], "the village's own row"
    page = page.form(v.OpenVillageList, county.id("yuantan_1")).press()
    assert page.state == "draft" and "还没有户报" in page.text
    return page


def test_a_village_s_winter_from_the_season_opened_to_the_season_closed(
    county: LivingCounty, server: TestClient
) -> None:
    page = opened(county, server)
    season = next(link for link in page.links if link.startswith("/seasons/"))
    there = [link for link in page.links if link.startswith("/cases/apply?season=")]
    assert there and page.desk.open(there[0]), "nobody has applied: the table is one step away"
    apply_(county, uuid_in(season), "a", "b", "c")
    page = appraised_and_disputed(county, page)

    wait(county)
    page = page.seen_by("township")
    assert "公示期满" in page.text and "公示中" not in page.text
    form = page.form(v.ReviewList)
    page = form.press(
        opinion="入户核实，情况属实",
        struck__0__case=masked(page, "struck.0.case", "c", v.ReviewList),
        struck__0__reason="子女已接回赡养",
    )
    assert page.state == "reviewed"
    assert page.closed["ReviewList"], "once is enough"
    whose = Desk(server, "county").open(f"{season}?parent={county.id('yuantan')}")
    assert re.search(r"已乡审<span(?:(?!</tr>).)*县级", whose.text, re.S)
    page = page.seen_by("county").form(v.ApproveList).press(document_no="潜应急〔2018〕31号")
    assert page.state == "approved"
    assert "现在办结，这 3 户什么都得不到" in page.text
    refused = page.form(v.CloseList).send()
    assert refused.status_code == 409 and "有 3 户" in refused.json()["zh"]
    page = allocated(page)
    assert "先要：张榜公示（第二榜）（" in page.closed["CloseList"], "the step that is next"

    page = page.seen_by("village").form(n.PostSecondNotice).press(photo_sha256=b"photo")
    assert page.seen_by("payer").closed["PayList"], "the notice hangs"
    wait(county)
    page = page.seen_by("payer")
    page = page.form(p.PayList).press(
        document_no="潜支〔2018〕9号",
        failures__0__case=masked(page, "failures.0.case", "b", p.PayList),
        failures__0__reason="账户已销户",
    )
    assert "退票 1 户" in page.text
    assert page.seen_by("county").closed["CloseList"]

    turns = f"{season}?parent={county.id('yuantan')}"
    assert "<span>县级发放" in Desk(server, "county").open(turns).text, "it bounced"
    desks_of_others(county, uuid_in(page.address))
    whose = Desk(server, "county").open(turns)
    assert "<span>县级发放" not in whose.text, "all is delivered: the county closes it"
    assert "<span>县级" in whose.text
    page = page.seen_by("county").form(v.CloseList).press()
    assert page.state == "closed" and page.offers() == []
    page = Desk(server, "county").open(season)
    assert "3 个村（社区）从未建立名册：双峰居委会" in page.text
    page = page.form(s.CloseSeason).press(
        reason="款物全部到户", without_list_reason="摸排后无人需要救助"
    )
    assert page.state == "closed" and page.closed["ChangeSeasonStandard"]


def apply_(county: LivingCounty, season: UUID, *keys: str) -> None:
    def application(key: str) -> ApplicationInput:
        need = NeedInput(persons=2)
        on = date(2018, 11, 1)
        return ApplicationInput(household=county.id(key), need=need, applied_on=on)

    command = ApplyVillage(
        season=season,
        village=county.id("yuantan_1"),
        applications=tuple(map(application, keys)),
    )
    county.run(command, by="village")


def appraised_and_disputed(county: LivingCounty, page: Page) -> Page:
    """Three households are appraised and posted; a fourth asks why it is not among them, is put on
    the list by the township, and all is posted again."""
    page = page.seen_by("village")
    form = page.form(v.AppraiseList)
    without = form.send()
    assert without.status_code == 422, "the record of the meeting is asked for"
    page = form.press(
        minutes__held_on="2018-11-05",
        minutes__attendees="31",
        minutes__document_sha256=b"scan of the signed record",
    )
    assert "民主评议，31 人参加" in page.text
    assert "正在公示的作废" not in page.text
    page = page.form(n.PostNotice).press()
    again = page.form(v.AppraiseList)
    assert "正在公示的作废，须重新张榜" in page.text, "before it is pressed"
    assert again.send().status_code == 409, "nothing is changed: the notice stands"
    page = page.desk.open(page.address)
    assert "公示中" in page.text and "ReviewList" not in page.seen_by("township").offers()

    season = next(link for link in page.links if link.startswith("/seasons/"))
    progress = Desk(page.desk.server, "township").open(season)
    assert "公示到 2018-11-12" in progress.text, "until then it is nobody's turn"
    apply_(county, uuid_in(season), "d")
    page = (
        page.seen_by("village")
        .form(v.RaiseObjection)
        .press(kind="omitted", text="我家也受了灾，为什么没有我", household=None)
    )
    assert "我家也受了灾" not in page.text, "kept sealed"
    page = page.seen_by("township")
    assert page.closed.get("ReviewList"), "an objection is open"
    page = page.form(v.SettleObjection).press(
        upheld=True,
        reason="入户核实，确属漏报",
        add=masked(page, "add", "d", v.SettleObjection),
    )
    assert "成立" in page.text and "SettleObjection" in page.closed
    page = page.seen_by("village")
    assert page.closed.get("WithdrawNotice"), "what hung no longer counts"
    return page.form(n.PostNotice).press()


def allocated(page: Page) -> Page:
    """Amounts stand as the standard gives them; goods beside them need a reason above it.

    A second page of the list, opened before, grants nothing once more."""
    form, beside = page.form(p.AllocateList), page.form(p.AllocateList)
    assert "20 床棉被" in page.text and "潜财〔2018〕88号" in page.text
    names = {one.value: at for at, one in enumerate(form.inputs) if one.name.endswith(".case")}
    assert len(names) == 3, "a, b and d"
    assert all(one.value for one in form.inputs if one.name.endswith(".cash_fen")), "by the rule"
    goods = {"grants.0.goods:quilt": 2, "grants.1.goods:coat": 2}
    depot = next(one for one in form.options("warehouse") if one.startswith("潜山市"))
    typed = {"document_no": "潜应急〔2018〕32号", "warehouse": depot, **goods}
    too_many = form.send(**{**typed, "grants.0.goods:quilt": 21, "grants.0.reason": "特困"})
    assert too_many.status_code == 409 and "21" in too_many.json()["zh"], "more than are there"
    page = form.press(**typed, **{"grants.0.cash_fen": "200.00"})
    assert page.state == "allocated" and "潜应急〔2018〕32号" in page.text
    again = beside.send(document_no="潜应急〔2018〕32号")
    assert again.status_code == 412 and "已有新的办理" in again.json()["zh"]
    assert re.search(r"2</span> 床棉被", page.text) and re.search(r"2</span> 件棉衣", page.text)
    return page


def desks_of_others(county: LivingCounty, village_list: UUID) -> None:
    """What bounced is paid again, and goods are signed for."""

    def case(key: str) -> UUID:
        found = county.system.store.load(village_list)
        return next(
            one for one in found.cases if county.system.store.load(one).household == county.id(key)
        )

    county.run(
        gc.RetryPayment(case=case("b"), number=1, document_no="潜支〔2018〕10号"), by="payer"
    )
    signing = [
        one
        for one in county.system.store.load(village_list).cases
        if any(not grant.is_cash for grant in county.system.store.load(one).grants.values())
    ]
    signatures = tuple(
        h.SignatureInput(case=one, signed_by="户主", relation="本人") for one in signing
    )
    county.run(h.SignGoods(village_list=village_list, signatures=signatures), by="storekeeper")


def test_an_ended_round_before_the_latest_waits_for_nobody_and_opens_no_list() -> None:
    """The form that opened a village's next list stood beside each of its rounds."""
    row = {"id": "one", "village": "v", "round": 1, "status": "closed", "applied": 2}
    standing = Standing({"v": 2}, {})
    nothing: Any = None
    told = asyncio.run(_of_village(nothing, nothing, {"closed_at": None}, row, standing))
    assert (told["turn"], told["begin"], told["applied"]) == ("nobody", None, 0)


@pytest.mark.parametrize(
    ("left", "who"),
    [
        (None, "county"),
        ({"cash": 1, "failed": 0, "goods": 1, "held": 0}, "payer"),
        ({"cash": 0, "failed": 1, "goods": 0, "held": 0}, "payer"),
        ({"cash": 0, "failed": 0, "goods": 2, "held": 1}, "storekeeper"),
        ({"cash": 0, "failed": 0, "goods": 0, "held": 1}, "county"),
        ({"cash": 0, "failed": 0, "goods": 0, "held": 0}, "household"),
    ],
)
def test_whose_turn_a_list_with_amounts_is(left: dict[str, int] | None, who: str) -> None:
    """A list of goods alone, and one that was paid, waited for the payer."""
    row = {"id": "one", "status": "allocated", "open_objections": 0, "applied": 0}
    nothing: Any = None
    assert turn_of(nothing, {"closed_at": None, "steps": []}, row, left) == (who, None)
