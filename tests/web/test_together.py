"""One press for many village lists: notices, and the payment of approved lists; each by itself."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi.testclient import TestClient

from domain.commands.funds import AppropriateFund
from domain.commands.households import RegisterHousehold
from domain.commands.notices import PostSecondNotice
from domain.commands.payments import AllocateList, GrantInput
from domain.commands.relief_cases import ApplicationInput, ApplyVillage, NeedInput
from domain.commands.sealing import CardInput, MemberInput
from domain.commands.seasons import OpenSeason
from domain.commands.village_lists import (
    AppraiseList,
    ApproveList,
    MinutesInput,
    OpenVillageList,
    ReviewList,
    VerdictInput,
)
from domain.fund import Fund
from domain.household_members import Relation
from domain.money import Source
from domain.village_list import VillageList
from eventstore.clock import SimulatedClock
from tests.id_numbers import id_number
from tests.web.desk import LivingCounty, living_county
from tests.web.pressing import Desk
from web.pages.together import ROWS

BEGUN = datetime(2018, 11, 5, 1, tzinfo=UTC)
VILLAGES = {"yuantan_1": "village", "yuantan_2": "village2"}
BOX = re.compile(r'name="list" value="([^"]+)"')
POST, PAY = "/waiting/village_list_post", "/waiting/village_list_pay"


@pytest.fixture
def county(tmp_path: Path) -> Iterator[LivingCounty]:
    """Two villages whose lists are appraised and wait to be posted, with money for both."""
    with living_county(tmp_path / "county", simulated_from=BEGUN) as found:
        found.run(
            AppropriateFund(
                holder=found.id("county"),
                document_no="潜财〔2018〕88号",
                amount_fen=1_000_000,
                source=Source.NATION,
                source_document_no="财建〔2018〕1号",
                earmark=("winter_spring",),
            ),
            by="county",
        )
        receipt = found.run(
            OpenSeason(area=found.id("county"), programme="winter_spring", year=2018), by="county"
        )
        season = UUID(str(receipt.result["season"]))
        for number, village in enumerate(VILLAGES):
            appraised(found, season, village, number)
        yield found


def appraised(county: LivingCounty, season: UUID, village: str, number: int) -> None:
    by, household = VILLAGES[village], county.id(f"household/{village}")
    head = MemberInput(name="王小明", relation=Relation.HEAD, id_number=id_number(number))
    county.run(
        RegisterHousehold(
            id=household,
            village=county.id(village),
            members=(head,),
            category="hardship",
            card=CardInput(number="6217 0000 1234 5678", bank="农商行"),
        ),
        by=by,
    )
    need = NeedInput(persons=1)
    given = (ApplicationInput(household=household, need=need, applied_on=date(2018, 11, 5)),)
    applied = ApplyVillage(season=season, village=county.id(village), applications=given)
    (case,) = county.run(applied, by=by).result["cases"]
    county.run(OpenVillageList(season=season, village=county.id(village)), by=by)
    county.run(
        AppraiseList(
            village_list=list_of(county, season, village),
            verdicts=(VerdictInput(case=UUID(case)),),
            minutes=MinutesInput(held_on=date(2018, 11, 5), attendees=31, document_sha256="0" * 64),
        ),
        by=by,
    )


def list_of(county: LivingCounty, season: UUID, village: str) -> UUID:
    return VillageList.id_of(season, county.id(village), 1)


def wait(county: LivingCounty) -> None:
    clock = county.system.store.clock
    assert isinstance(clock, SimulatedClock)
    clock.move_to(clock.now() + timedelta(days=8))


def granted(county: LivingCounty, lists: list[UUID]) -> None:
    """From the first notice, which is over, to the second, which is over as well."""
    for one in lists:
        county.run(ReviewList(village_list=one, opinion="情况属实"), by="township")
        county.run(ApproveList(village_list=one, document_no="潜应急〔2018〕31号"), by="county")
        (case,) = county.system.store.load(one).cases
        county.run(
            AllocateList(
                village_list=one,
                document_no="潜应急〔2018〕32号",
                fund=Fund.id_of("潜财〔2018〕88号", county.id("county"), False),
                grants=(GrantInput(case=case, cash_fen=13_000),),
            ),
            by="county",
        )
        county.run(PostSecondNotice(village_list=one), by="township")
    wait(county)


def press(desk: Desk, address: str, boxes: list[str], **more: str) -> httpx.Response:
    page = desk.open(address).text
    form = dict(re.findall(r'name="(csrf_token|key)" value="([^"]+)"', page))
    return desk.server.post(address, data={**form, "list": boxes, **more})


@pytest.fixture
def server(county: LivingCounty) -> Iterator[TestClient]:
    with TestClient(county.app()) as client:
        yield client


def test_many_lists_are_posted_and_paid_by_one_press_each(
    county: LivingCounty, server: TestClient
) -> None:
    township = Desk(server, "township")
    at = f"{POST}?whose=area"
    boxes = BOX.findall(township.open(at).text)
    assert len(boxes) == 2
    nothing = press(township, at, [])
    assert "没有勾选名册" in nothing.text
    answer = press(township, at, boxes)
    assert answer.status_code == 200 and "已办理 2 份名册" in answer.text
    assert BOX.findall(answer.text) == []
    lists = [UUID(box.split(" ")[0]) for box in boxes]
    assert all(county.system.store.load(one).notices for one in lists)

    wait(county)
    granted(county, lists)
    payer = Desk(server, "payer")
    page = payer.open(PAY).text
    boxes = BOX.findall(page)
    assert len(boxes) == 2 and page.count("130.00") == 2
    unsaid = press(payer, PAY, boxes[:1])
    assert "没有填写支付单号" in unsaid.text and unsaid.text.count(" checked") == 1, "kept"
    stale = f"{lists[1]} 1"
    fine = next(box for box in boxes if box.startswith(str(lists[0])))
    answer = press(payer, PAY, [fine, stale], document_no="潜支〔2018〕7号")
    assert "已办理 1 份名册。 共发放 130.00 元" in " ".join(answer.text.split())
    assert "1 份未办理" in answer.text and "已有新的办理" in answer.text
    assert str(lists[1]) not in re.sub(r'"[^"]*"', "", answer.text), "no id is shown"
    assert county.system.store.load(lists[0]).has_paid
    assert not county.system.store.load(lists[1]).has_paid


def test_the_same_key_does_nothing_twice(county: LivingCounty, server: TestClient) -> None:
    desk = Desk(server, "township")
    at = f"{POST}?whose=area"
    page = desk.open(at).text
    form = dict(re.findall(r'name="(csrf_token|key)" value="([^"]+)"', page))
    data = {**form, "list": BOX.findall(page)}
    heads = []
    for _ in range(2):
        assert "已办理 2 份名册" in server.post(at, data=data).text
        heads.append(county.system.store.head())
    assert heads[0] == heads[1]


def test_it_is_for_who_may_do_it_of_matters_that_may_be_done_together(
    server: TestClient,
) -> None:
    payer = Desk(server, "payer")
    token = payer.open("/").text
    csrf = re.search(r'name="csrf_token" value="([^"]+)"', token)
    assert csrf is not None
    form = {"csrf_token": csrf[1], "key": str(uuid4()), "list": f"{uuid4()} 1"}
    assert server.post(POST, data=form).status_code == 403
    assert server.post("/waiting/village_list_approve", data=form).status_code == 404
    form["document_no"] = "1号"
    answer = server.post(PAY, data=form)
    assert answer.status_code == 200 and "没有" in answer.text, "a list that is not there"
    assert server.post(PAY, data={**form, "csrf_token": "other"}).status_code == 403
    many = [f"{uuid4()} 1"] * (ROWS + 6)
    assert server.post(PAY, data={**form, "list": many}).status_code in {413, 422}
    assert server.post(PAY, data={**form, "list": "no list"}).status_code == 422
