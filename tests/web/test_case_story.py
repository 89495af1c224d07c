"""One household's relief from application to signature, by pages and forms: what goes wrong on the
way is recorded where it is seen, and put right there."""

from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from demo.people import CARD_PREFIX, luhn_digit
from domain.commands import funds as f
from domain.commands import grant_corrections as n
from domain.commands import handing_out as o
from domain.commands import held_grants as h
from domain.commands import households as hh
from domain.commands import payments as p
from domain.commands import relief_cases as r
from domain.commands import seasons as e
from domain.commands import stock as g
from domain.commands import village_lists as w
from domain.commands.sealing import MemberInput
from domain.fund import Fund
from domain.household_members import Relation
from domain.money import Source
from domain.relief_case import ReliefCase
from domain.rules.base import china_day
from tests.web.pressing import Desk, Page, uuid_in
from tests.web.relief_desk import RunningDemo

REPORTER, REVIEWER = "yuantan-shuangfeng-a", "yuantan-reviewer-new"
APPROVER, PAYER, KEEPER = "county-approver", "county-payer", "county-storekeeper"
FUND_NO = "潜财〔2026〕77号"


@dataclass
class Story:
    """An emergency's season, and the village that the officer reports for."""

    demo: RunningDemo
    county: UUID
    village: UUID
    season: UUID

    def one(self, sql: str, **given: object) -> UUID:
        with self.demo.system.reader() as db:
            return UUID(db.execute(text(sql), given).scalar_one())

    def household(self, head: str) -> UUID:
        return self.one(
            "SELECT id FROM households WHERE area = :area AND head_masked = :head",
            area=str(self.village),
            head=head,
        )

    def case_of(self, head: str) -> str:
        found = ReliefCase.id_of(self.season, self.household(head))
        return f"/cases/{found}"


@pytest.fixture(scope="module")
def story(demo: RunningDemo) -> Story:
    """应急: no notice to wait for, so that a life is walked in one go."""
    made = Story(demo, UUID(int=0), UUID(int=0), UUID(int=0))
    made.county = made.one("SELECT id FROM areas WHERE name = '潜山市' AND level = 'county'")
    made.village = made.one("SELECT id FROM areas WHERE name = '双峰居委会'")
    disaster = made.one("SELECT id FROM disasters WHERE stage = 'open' AND hazard = 'wind_hail'")
    opened = demo.run(
        e.OpenSeason(area=made.county, programme="emergency", year=2026, disaster=disaster),
        by=APPROVER,
    )
    made.season = UUID(str(opened.result["season"]))
    demo.run(
        f.AppropriateFund(
            holder=made.county,
            document_no=FUND_NO,
            amount_fen=5_000_00 * 100,
            source=Source.COUNTY,
            source_document_no=FUND_NO,
            earmark=("emergency",),
        ),
        by=APPROVER,
    )
    demo.run(
        g.ReceiveGoods(
            lot=UUID("6f2c3a30-3a9c-4d1e-9f61-0d5a8f0c1b11"),
            warehouse=made.county,
            item="quilt",
            quantity=40,
            unit_value_fen=12000,
            document_no="潜民入〔2026〕3号",
            owner="潜山市应急管理局",
            received_on=demo.now.date(),
        ),
        by=KEEPER,
    )
    return made


def granted(story: Story, *heads: str) -> UUID:
    """The list of these households, up to its amounts: 600 yuan and a quilt for each."""
    run = story.demo.run
    cases = [uuid_in(story.case_of(head)) for head in heads]
    made = run(w.OpenVillageList(season=story.season, village=story.village), by=REPORTER)
    found = UUID(str(made.result["village_list"]))
    verdicts = tuple(w.VerdictInput(case=case) for case in cases)
    run(w.AppraiseList(village_list=found, verdicts=verdicts), by=REPORTER)
    run(w.ReviewList(village_list=found, opinion="属实"), by=REVIEWER)
    run(w.ApproveList(village_list=found, document_no="潜应急〔2026〕8号"), by=APPROVER)
    quilt = (p.GoodsInput(item="quilt", units=1),)
    allocate = p.AllocateList(
        village_list=found,
        document_no="潜应急〔2026〕9号",
        grants=tuple(p.GrantInput(case=case, cash_fen=60_000, goods=quilt) for case in cases),
        fund=Fund.id_of(FUND_NO, story.county, exercise=False),
        warehouse=story.county,
    )
    run(allocate, by=APPROVER)
    return found


def applied(officer: Desk, story: Story, head: str) -> Page:
    """The case of a household whose officer begins on its page."""
    page = officer.open(f"/households/{story.household(head)}")
    page = officer.open(next(link for link in page.links if link.startswith("/cases/new")))
    if not page.offers():  # two seasons run: the emergency's is chosen
        page = officer.open(next(link for link in page.links if str(story.season) in link))
    form = page.form(r.ApplyForRelief)
    assert any("转移安置" in words for words in form.options("need.rate"))
    return form.press(
        need__persons="4", need__kinds=["口粮", "衣被"], need__cause="转移安置", note="房屋进水"
    )


def die(story: Story, head: str) -> None:
    """Somebody of the household dies, not its head."""
    household = story.household(head)
    who = "SELECT min(person) FROM household_members WHERE household = :id AND status = 'present'"
    person = story.one(f"{who} AND relation != 'head'", id=str(household))
    today = china_day(story.demo.now)
    death = hh.RecordDeath(household=household, person=person, on=today, reason="病故")
    story.demo.run(death, by=REPORTER)


def new_card(story: Story, head: str) -> str:
    """The head's new account."""
    household = story.household(head)
    holder = story.one("SELECT head FROM households WHERE id = :id", id=str(household))
    account = CARD_PREFIX + "9" * 12
    number = account + luhn_digit(account)
    card = hh.RecordCard(
        household=household, holder=holder, number=number, bank="农业银行", reason="原账户已销户"
    )
    story.demo.run(card, by=REPORTER)
    return number


def test_a_household_is_applied_for_corrected_paid_again_and_signs(
    server: TestClient, story: Story
) -> None:
    officer = Desk(server, REPORTER)
    page = applied(officer, story, "孙*翠")
    assert page.state == "applied" and "口粮" in page.text and "房屋进水" not in page.text
    case = page.address
    _rest_of_the_village(officer, story)
    page = page.seen_by(REVIEWER)
    too_many = page.form(r.CorrectApplication).send(need__persons="9", reason="核对户口")
    assert too_many.status_code == 409
    page = page.form(r.CorrectApplication).press(need__persons="3", reason="一人长期在外务工")
    assert "3 人" in page.text and "一人长期在外务工" in page.text

    found = granted(story, "孙*翠", "韩*海", "汪*")
    page = page.seen_by(APPROVER)
    assert page.state == "approved" and "600.00 元" in page.text
    page = page.form(n.CorrectGrant).press(
        number="第 1 号 · 600.00 元", cash_fen="550.50", reason="折合三人标准"
    )
    assert "550.50 元" in page.text
    _decided_after_a_death(server, story, found)
    story.demo.run(p.PayList(village_list=found, document_no="潜付〔2026〕1号"), by=PAYER)
    page = _paid_again(page.seen_by(PAYER), story, found)

    keeper = Desk(server, KEEPER)
    form = keeper.open(f"/lists/{found}/goods").form(o.SignGoods)
    unsaid = form.send(signatures__0__signed_by="韩大海")
    assert unsaid.status_code == 422, "nobody says for them that it was the head"
    goods = form.press(
        signatures__0__signed_by="韩大海",
        signatures__0__relation="本人",
        signatures__1__signed_by="汪小明",
        signatures__1__relation="子女",
    )
    assert "韩大海" not in goods.text
    page = (
        keeper.open(case)
        .form(o.SignGoods)
        .press(signatures__0__signed_by="孙小翠", signatures__0__relation="子女")
    )
    assert "孙小翠" not in page.text and "子女" in page.text and page.offers() == []

    page = page.seen_by(PAYER)
    form = page.form(n.RefundGrant)
    back = {"number": "第 1 号 · 550.50 元", "reason": "多发", "document_no": "潜退〔2026〕1号"}
    assert form.send(**back, amount_fen="9999").status_code == 409
    page = form.press(**back, amount_fen="50.50")
    assert "退回 50.50 元" in page.text
    close = w.CloseList(village_list=found, reason="全部到户")
    story.demo.run(close, by=APPROVER)
    page = page.seen_by(REVIEWER)
    assert page.state == "closed" and "已办结" in page.closed["CorrectApplication"]
    page = page.form(r.ReopenCase).press(reason="房屋二次受损，需再次救助")
    assert page.state == "applied" and "房屋二次受损" in page.text


def _rest_of_the_village(officer: Desk, story: Story) -> None:
    """Two more households in the village's table; rows without a figure are not sent."""
    table = officer.open(f"/cases/apply?season={story.season}")
    form = table.form(r.ApplyVillage)
    rows = [one.value for one in form.inputs if one.name.endswith(".household")]
    assert str(story.household("孙*翠")) not in rows, "it has applied"
    first, second = (rows.index(str(story.household(head))) for head in ("韩*海", "汪*"))
    typed = {
        f"applications__{first}__need__persons": "3",
        f"applications__{first}__need__cause": "住房受损",
        f"applications__{second}__need__persons": "3",
    }
    answer = form.send(**typed)
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["result"]["cases"]) == 2


def _decided_after_a_death(server: TestClient, story: Story, found: UUID) -> None:
    die(story, "韩*海")
    held = Desk(server, APPROVER).open(f"/lists/{found}/held")
    assert held.offers() == ["DecideHeldGrants"], "only the household that lost somebody"
    assert held.text.index("有 1 人死亡") < held.text.index("可以发放"), (
        "those to decide come first"
    )
    form = held.form(h.DecideHeldGrants)
    confused = form.send(decision="照发", reason="照发", reduced__0__number="第 1 号")
    assert confused.status_code == 422, "new amounts are for a reduction"
    held = form.press(
        decision="核减",
        reason="一人去世，按两人核减",
        reduced__0__number="第 1 号",
        reduced__0__cash_fen="400",
    )
    assert held.offers() == [] and "400.00 元" in held.text


def _paid_again(page: Page, story: Story, found: UUID) -> Page:
    """The bank sends it back; the household's new card is paid."""
    payer, case = page.desk, page.address
    assert page.closed["RetryPayment"] and "RetryPayment" not in page.offers()
    page = page.form(n.RecordPaymentFailure).press(reason="账户已销户")
    assert "账户已销户" in page.text
    assert f"/lists/{found}/bounced" in payer.open("/").links, "the work list leads there"
    number = new_card(story, "孙*翠")
    bounced = payer.open(f"/lists/{found}/bounced")
    assert "账户已销户" in bounced.text and number[-4:] in bounced.text
    bounced = bounced.form(n.RetryPayment).press(document_no="潜付〔2026〕2号")
    assert bounced.offers() == []
    page = payer.open(case)
    assert "潜付〔2026〕2号" in page.text and "此前退票 1 次" in page.text
    return page


def test_a_township_applies_only_for_a_village_without_anybody_in_post(
    server: TestClient, story: Story
) -> None:
    township = Desk(server, REVIEWER)
    page = township.open("/cases/apply")
    offered = [link for link in page.links if link.startswith("/cases/apply?village=")]
    assert offered and str(story.village) not in "".join(offered)
    there = f"/cases/apply?season={story.season}&village={story.village}"
    page = township.open(there)
    assert page.offers() == [] and "有在岗的信息员" in page.text
    register = hh.RegisterHousehold(
        id=uuid4(),
        village=uuid_in(offered[0]),
        members=(MemberInput(name="程根生", relation=Relation.HEAD),),
        category="ordinary",
    )
    story.demo.run(register, by=REVIEWER)
    page = township.open(f"{offered[0]}&season={story.season}")
    form = page.form(r.ApplyOnBehalf)
    nothing = form.send()
    assert nothing.status_code == 422, "a table in which nothing is filled in"
    rows = [one.value for one in form.inputs if one.name.endswith(".household")]
    answer = form.send(applications__0__need__persons="1")
    assert answer.status_code == 200, answer.text
    told = answer.json()
    case = township.open(f"/cases/{told['result']['cases'][0]}", after=told["position"])
    assert "乡镇代办" in case.text
    assert case.offers() == [], "who reported does not review"
    assert township.open(page.address).text.count(rows[0]) == 0


def test_a_page_of_another_county_is_not_there(server: TestClient, story: Story) -> None:
    Desk(server, "taihu-approver")
    case = story.case_of("孙*翠")
    for address in (case, f"/cases/new?household={story.household('孙*翠')}"):
        assert server.get(address).status_code == 404, address
    assert server.get(f"/cases/{story.season}").status_code == 404, "a season is no case"
    assert server.get("/cases/apply?village=not-an-id").status_code == 422
