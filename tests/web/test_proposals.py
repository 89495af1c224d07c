"""Proposals about posts on the pages: made by superiors, counted and answered by administrators."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from fastapi.testclient import TestClient

from domain.commands.officers import AppointOfficer, SuspendOfficer
from domain.commands.proposing import (
    DeclineProposal,
    ProposeEngagement,
    ProposeSuspension,
    TakeProposal,
)
from domain.post_proposal import PROPOSAL_DAYS
from domain.rules.base import china_day
from domain.world import Role
from projections.asking.scope import EVERYTHING
from projections.proposals import post_proposals, proposal_counts
from tests.web.desk import PASSWORD, LivingCounty, living_county
from tests.web.officer_forms import ask, engage, enter, id_number, token_in

LIST = "/officers/proposals"


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivingCounty]:
    with living_county(tmp_path_factory.mktemp("proposals")) as made:
        yield made


@pytest.fixture
def browser(county: LivingCounty) -> Iterator[TestClient]:
    with TestClient(county.app(), base_url="http://test", follow_redirects=False) as client:
        yield client


def suspension(county: LivingCounty, officer: UUID, reason: str, by: str) -> UUID:
    id = uuid4()
    county.run(ProposeSuspension(id=id, officer=officer, reason=reason), by=by)
    return id


def change(browser: TestClient, name: str) -> None:
    browser.post("/logout")
    browser.cookies.clear()
    enter(browser, name)
    browser.get("/?lang=zh")


def test_a_post_that_has_ended_hinders_no_proposal(
    county: LivingCounty, browser: TestClient
) -> None:
    """Who once sat in the township and works in a village now is below it, as the command says."""
    officer, today = engage(county, "went_down", "孙下派", 37), china_day(county.now)
    once = AppointOfficer(
        id=uuid4(),
        officer=officer,
        role=Role.TOWNSHIP_REVIEWER,
        area=county.id("yuantan"),
        starts_on=today - timedelta(days=30),
        ends_on=today - timedelta(days=1),
    )
    county.run(once, by="admin")
    enter(browser, "township")
    assert "/suspension-proposals" in ask(browser, f"/officers/{officer}")
    id = suspension(county, officer, "汛期三次脱岗", "township")
    county.run(DeclineProposal(proposal=id, reason="已谈话"), by="admin")


def test_a_township_proposes_the_administrator_declines_and_both_read_it(
    county: LivingCounty, browser: TestClient
) -> None:
    officer = engage(county, "slack", "赵脱岗", 31)
    enter(browser, "township")
    page = ask(browser, f"/officers/{officer}")
    assert "/suspension-proposals" in page and "/end-proposals" in page
    assert "/suspensions" not in page, "who proposes does not decide"
    assert "/suspension-proposals" not in ask(browser, f"/officers/{county.officers['township_b']}")
    typed = {"q": "源潭", "csrf_token": token_in(page)}
    places = browser.post("/officers/places", data=typed).text
    assert "源潭居委会" in places and "源潭镇 340882101000" not in places
    id = suspension(county, officer, "汛期三次脱岗", "township")
    mine = ask(browser, LIST)
    assert "汛期三次脱岗" in mine and "停职：赵*岗" in mine and "待办理" in mine
    assert f"/v1/post-proposals/{id}/takings" not in mine
    change(browser, "admin")
    home = browser.get("/").text
    assert f"{LIST}?state=open" in home and "任免建议待办理" in home
    assert "任免建议（1 件待办理）" in ask(browser)
    waiting = ask(browser, LIST, state="open")
    assert f"/v1/post-proposals/{id}/takings" in waiting
    token = token_in(browser.get("/me").text)
    said = browser.post(
        f"/v1/post-proposals/{id}/declines",
        json={"reason": "已谈话提醒"},
        headers={"Idempotency-Key": str(uuid4()), "X-CSRF-Token": token},
    )
    assert said.status_code == 200, said.text
    county.system.boards.wait_for(said.json()["position"], 10)
    assert LIST + "?state=open" not in browser.get("/").text
    change(browser, "township")
    told = ask(browser, LIST)
    assert "未采纳：已谈话提醒" in told and "张*" in told
    assert "declined" in ask(browser, LIST, lang="en")


def test_somebody_new_is_taken_with_a_code_in_the_answer_alone(
    county: LivingCounty, browser: TestClient
) -> None:
    id = uuid4()
    newcomer = ProposeEngagement(
        id=id,
        full_name="钱新来",
        role=Role.VILLAGE_REPORTER,
        area=county.id("yuantan_2"),
        starts_on=china_day(county.now),
        reason="岗位空缺",
    )
    county.run(newcomer, by="township")
    enter(browser, "township")
    assert 'action="/v1/engagement-proposals"' in ask(browser, f"{LIST}/new", lang="zh")
    change(browser, "admin")
    page = ask(browser, LIST)
    assert "新任：钱新来" in page and f"/v1/post-proposals/{id}/engagements" in page
    said = browser.post(
        f"/v1/post-proposals/{id}/engagements",
        json={
            "person": str(uuid4()),
            "id": str(uuid4()),
            "full_name": "钱新来",
            "login": "newcomer",
            "id_number": id_number(32),
        },
        headers={
            "Idempotency-Key": str(uuid4()),
            "X-CSRF-Token": token_in(browser.get("/me").text),
        },
    )
    assert said.status_code == 200 and said.json()["shown"]["code"], said.text
    county.system.boards.wait_for(said.json()["position"], 10)
    taken = ask(browser, LIST, state="taken")
    assert "钱新来" in taken and "/engagements" not in taken
    assert said.json()["result"]["officer"] in taken


def test_what_nobody_need_answer_any_more_is_not_counted(county: LivingCounty) -> None:
    def states(officer: UUID, **later: int) -> list[str]:
        at = county.now + timedelta(**later)
        with county.system.reader() as db:
            found = post_proposals(db, EVERYTHING, officer=officer, at=at).items
        return [row["state"] for row in found]

    def waiting() -> int:
        with county.system.reader() as db:
            return int(proposal_counts(db, EVERYTHING, at=county.now)["open"])

    officer = engage(county, "twice", "孙两回", 33)
    first = suspension(county, officer, "第一次", "township")
    second = suspension(county, officer, "第二次", "county")
    before = waiting()
    assert states(officer) == ["open", "open"]
    assert states(officer, days=PROPOSAL_DAYS, hours=1) == ["lapsed", "lapsed"]
    county.run(TakeProposal(proposal=first), by="admin")
    assert states(officer) == ["outgrown", "taken"]
    assert waiting() == before - 2
    county.run(DeclineProposal(proposal=second, reason="已停职"), by="admin")
    assert states(officer) == ["declined", "taken"]


def test_nobody_is_offered_what_is_about_themselves(
    county: LivingCounty, browser: TestClient
) -> None:
    suspension(county, county.officers["admin"], "被举报泄露名单", "city")
    enter(browser, "admin")
    assert "被举报泄露名单" not in ask(browser, LIST, state="open")
    change(browser, "city_admin")
    page = ask(browser, LIST, state="open")
    row = page[page.index("被举报泄露名单") :]
    assert "/takings" in row[: row.index("</li>")], "an administrator above decides"
    change(browser, "admin")
    halted = engage(county, "halt", "李停职", 34)
    county.run(SuspendOfficer(officer=halted, reason="核查"), by="admin")
    change(browser, "county")
    assert "/suspension-proposals" not in ask(browser, f"/officers/{halted}")


def test_nobody_reads_what_is_proposed_about_themselves_until_it_is_decided(
    county: LivingCounty, browser: TestClient
) -> None:
    """A township's reviewer read who wanted them suspended, and why, before it was decided."""
    about = county.officers["township"]
    proposal = suspension(county, about, "虚报灾情待查", "county")

    def read(who: str, query: str = "") -> tuple[bool, int]:
        token = county.system.accounts.log_in(who, PASSWORD, "token")[0]
        headers = {"Authorization": f"Bearer {token}"}
        rows = browser.get(f"/v1/post-proposals{query}", headers=headers).json()["items"]
        counts = browser.get("/v1/proposal-counts", headers=headers).json()
        return any(row["officer"] == str(about) for row in rows), counts["open"]

    found, waiting = read("township_b")
    assert found and read("county")[0] and read("admin", f"?officer={about}")[0]
    assert read("township") == (False, waiting - 1)
    assert read("township", f"?officer={about}&limit=1")[0] is False
    enter(browser, "township")
    for path in (LIST, f"/officers/{about}"):
        assert "虚报灾情待查" not in ask(browser, path)
    county.run(DeclineProposal(proposal=proposal, reason="查无实据"), by="admin")
    assert read("township")[0]
