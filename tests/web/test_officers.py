"""The pages of officers: who is in office, how far their log-ins are, one by one and by list."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient

from domain.commands.id_numbers import ExcuseIdNumber
from domain.commands.logins import InviteOfficer
from domain.commands.officers import (
    AppointOfficer,
    NameSubstitute,
    RegisterOfficer,
    SuspendOfficer,
)
from domain.officer import Officer
from domain.rules.base import china_day
from domain.world import Role
from eventstore.invitations import Invitations
from tests.web.desk import PASSWORD, LivingCounty, living_county
from tests.web.officer_forms import ask, engage, enter, token_in


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivingCounty]:
    with living_county(tmp_path_factory.mktemp("officers")) as made:
        yield made


@pytest.fixture
def browser(county: LivingCounty) -> Iterator[TestClient]:
    with TestClient(county.app(), base_url="http://test", follow_redirects=False) as client:
        yield client


def test_the_list_tells_posts_and_how_far_each_log_in_is(
    county: LivingCounty, browser: TestClient
) -> None:
    engage(county, "hanmei", "韩梅梅", 1)
    enter(browser, "admin")
    page = browser.get("/officers", params={"search": "HANM"}).text
    assert "韩*梅" in page and "韩梅梅" not in page
    assert "hanmei" in page and "从未登录" in page and "有效至" in page
    assert "village2" not in page
    assert "never logged in" in browser.get("/officers?search=hanmei&lang=en").text


def test_filters_by_area_as_typed_role_and_state(county: LivingCounty, browser: TestClient) -> None:
    engage(county, "filtered", "赵小波", 2)
    enter(browser, "admin")
    browser.get("/officers?lang=zh")
    several = ask(browser, place="源潭")
    assert "请选一个" in several and "源潭居委会" in several
    one = ask(browser, place="源潭居委会")
    assert "filtered" in one and "请选一个" not in one
    assert "filtered" not in ask(browser, place="水吼镇", state="never")
    assert "辖区内没有" in ask(browser, place="没有的村")
    assert "filtered" in ask(browser, state="never", role="village_reporter")
    assert "filtered" not in ask(browser, state="never", role="auditor")
    assert "filtered" not in ask(browser, state="entered")
    wrong = browser.get("/officers?state=asleep")
    assert wrong.status_code == 422


def test_superiors_look_and_others_do_not(county: LivingCounty, browser: TestClient) -> None:
    enter(browser, "county")
    page = browser.get("/officers")
    assert page.status_code == 200 and "/officers/new" not in page.text
    browser.post("/logout")
    browser.cookies.clear()
    enter(browser, "village")
    assert browser.get("/officers").status_code == 403


def test_the_administrators_home_counts_who_never_came_and_all_its_cards_open(
    county: LivingCounty, browser: TestClient
) -> None:
    engage(county, "homely", "钱一多", 3)
    enter(browser, "admin")
    home = browser.get("/").text
    assert "从未登录" in home and "/officers?state=never" in home
    first = home.index('class="door door-first"')
    assert 'href="/officers"' in home[first : first + 80]
    for href in ("/officers", "/parked", "/officers?state=never", "/officers?state=no_code"):
        assert browser.get(href).status_code == 200


def test_an_expired_invitation_is_said_as_expired(county: LivingCounty) -> None:
    from projections.asking.officer_lists import officer_counts, officers
    from projections.asking.scope import EVERYTHING

    engage(county, "late", "孙多福", 4)
    later = county.now + timedelta(hours=73)
    with county.system.reader() as db:
        now = officer_counts(db, EVERYTHING, at=county.now)
        then = officer_counts(db, EVERYTHING, at=later)
        found = officers(db, EVERYTHING, state="expired", search="late", at=later).items
        assert not officers(db, EVERYTHING, state="expired", search="late", at=county.now).items
    assert (now["expired"], then["expired"]) == (0, now["never"])
    assert found[0]["logins"][0]["state"] == "expired"


def test_a_suspended_officer_is_marked(county: LivingCounty, browser: TestClient) -> None:
    officer = engage(county, "halted", "李停", 5)
    county.run(SuspendOfficer(officer=officer, reason="核查"), by="admin")
    enter(browser, "admin")
    assert "停职</span>" in ask(browser, search="halted", state="suspended")


def test_a_slip_is_made_of_its_code_and_kept_by_nobody(
    county: LivingCounty, browser: TestClient
) -> None:
    officer = engage(county, "slipped", "周全", 6)
    code = Invitations(county.system.store).begin("slipped", officer).code
    enter(browser, "admin")
    token = token_in(ask(browser, f"/officers/{officer}"))
    form = {"csrf_token": token, "code": code, "name": "周全"}
    page = browser.post("/officers/slips", data=form)
    assert page.status_code == 200 and page.headers["cache-control"] == "no-store"
    assert code in page.text and "周全" in page.text and "<svg" not in page.text.split("slips")[-1]
    assert "没有设置 RELIEF_PUBLIC_URL" in page.text
    assert browser.get("/officers/slips").status_code in (404, 405, 422)
    assert browser.post("/officers/slips", data=form | {"csrf_token": "x"}).status_code == 403
    gone = browser.post("/officers/slips", data=form | {"code": "AAAABBBBCCCCDDDD"})
    assert gone.status_code == 404 and "没有这个邀请码" in gone.text
    browser.cookies.clear()
    enter(browser, "county")
    home = browser.get("/me").text
    assert (
        browser.post("/officers/slips", data=form | {"csrf_token": token_in(home)}).status_code
        == 403
    )


def test_a_page_offers_what_the_caller_may_do_there(
    county: LivingCounty, browser: TestClient
) -> None:
    enter(browser, "admin")
    own = ask(browser, f"/officers/{county.officers['admin']}")
    assert "这是您本人" in own and "data-form" not in own
    other = ask(browser, f"/officers/{county.officers['village']}")
    assert "/suspensions" in other and "/handovers" in other
    browser.cookies.clear()
    enter(browser, "county")
    looked = ask(browser, f"/officers/{county.officers['village']}")
    assert "/suspensions" not in looked and "/suspension-proposals" in looked
    assert browser.get("/officers/new").status_code == 403
    form = {"q": "x", "csrf_token": token_in(browser.get("/officers").text)}
    assert browser.post("/officers/places", data=form).status_code == 200, "to propose for"
    browser.cookies.clear()
    enter(browser, "auditor")
    form["csrf_token"] = token_in(browser.get("/officers").text)
    assert browser.post("/officers/places", data=form).status_code == 403
    looked = ask(browser, f"/officers/{county.officers['village']}")
    assert "data-form" not in looked


def test_a5_who_lacks_an_id_number_is_marked_and_the_step_is_offered_to_who_may_do_it(
    county: LivingCounty, browser: TestClient
) -> None:
    person = uuid4()
    bare = RegisterOfficer(person=person, full_name="吴无号", area=county.id("yuantan_1"))
    page_of = f"/officers/{county.run(bare, by='admin').result['officer']}"
    enter(browser, "admin")
    assert "无身份证号" in ask(browser, state="no_login")
    assert "无身份证号" not in ask(browser, role="administrator"), "no second pair of eyes"
    page = ask(browser, page_of)
    assert "/number-excuses" in page and "/appointments" in page and "/accounts" in page
    offered = page[page.index('id="appoint-role"') :].split("</select>")[0]
    assert "auditor" in offered and "village_reporter" not in offered
    reason = "户籍未迁入，派出所已出具证明"
    county.run(ExcuseIdNumber(officer=Officer.id_of(person), reason=reason), by="city_admin")
    page = ask(browser, page_of)
    assert reason in page and "/number-excuses" not in page
    assert "village_reporter" in page[page.index('id="appoint-role"') :].split("</select>")[0]
    assert "it cannot be had" in browser.get(f"{page_of}?lang=en").text.lower()
    browser.get("/officers?lang=zh")


def test_at_ones_own_level_one_is_sent_to_an_administrator_above(
    county: LivingCounty, browser: TestClient
) -> None:
    bare = RegisterOfficer(person=uuid4(), full_name="郑无号", area=county.id("county"))
    officer = county.run(bare, by="admin").result["officer"]
    enter(browser, "admin")
    page = ask(browser, f"/officers/{officer}")
    assert "/number-excuses" not in page and "请上级管理员在此登记原因" in page


def test_who_stands_in_is_told_for_whom_on_every_page(
    county: LivingCounty, browser: TestClient
) -> None:
    absent = engage(county, "away", "冯小刚", 7)
    stand_in = engage(county, "standing", "陈代", 8)
    county.system.accounts.set_password("standing", stand_in, PASSWORD)
    found = county.system.store.load(absent)
    assert isinstance(found, Officer)
    today = china_day(county.now)
    command = NameSubstitute(
        id=uuid4(),
        officer=absent,
        appointment=next(iter(found.appointments)),
        substitute=stand_in,
        starts_on=today,
        ends_on=today + timedelta(days=6),
    )
    county.run(command, by="admin")
    enter(browser, "standing")
    for path in ("/", "/report/new", "/situation"):
        page = ask(browser, path)
        assert "您正在代理 冯*刚（源潭居委会 村（社区）灾害信息员）" in page, path
    assert "You act for 冯*刚" in ask(browser, "/", lang="en")
    browser.cookies.clear()
    enter(browser, "village")
    assert "您正在代理" not in ask(browser, "/", lang="zh")


def test_a_code_is_void_once_its_officer_has_a_higher_post_and_the_page_says_so(
    county: LivingCounty, browser: TestClient
) -> None:
    officer = engage(county, "risen", "冯升", 9)
    code = Invitations(county.system.store).begin("risen", officer).code
    higher = AppointOfficer(
        id=uuid4(),
        officer=officer,
        role=Role.TOWNSHIP_REVIEWER,
        area=county.id("yuantan"),
        starts_on=china_day(county.now),
    )
    assert county.run(higher, by="admin").result == {"void_invitations": ["risen"]}
    address = f"/invitations/{code}"
    form = {"password": "yanshi-2018", "again": "yanshi-2018"}
    form["csrf_token"] = token_in(browser.get(address).text)
    refused = browser.post(address, data=form)
    assert refused.status_code == 410 and "原邀请码已作废" in refused.text
    enter(browser, "admin")
    assert "邀请码已作废，请重新邀请" in ask(browser, f"/officers/{officer}")
    county.run(InviteOfficer(officer=officer, login="RISEN"), by="admin")
    assert "邀请码已作废" not in ask(browser, f"/officers/{officer}")


def test_the_log_in_page_takes_a_name_however_its_letters_are_typed(browser: TestClient) -> None:
    for typed in (" ADMIN", "Ａｄｍｉｎ\u3000"):
        enter(browser, typed)
        assert browser.get("/me").status_code == 200
        browser.post("/logout")
        browser.cookies.clear()
