"""The turn of a year: whose post ends is seen in time, and renewed with the others by one form."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
from fastapi.testclient import TestClient

from domain.commands.engaging import EngageOfficer
from domain.commands.officers import EndAppointment
from domain.commands.renewing import RecordCertificate
from domain.officer import Officer
from domain.posts import Post
from domain.rules.base import china_day
from domain.world import Role
from projections.asking.ending_posts import SOON_DAYS
from tests.id_numbers import id_number
from tests.web.desk import LivingCounty, living_county
from tests.web.officer_forms import ask, engage, enter, hidden_in, token_in

PAGE = "/officers/year-end"


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivingCounty]:
    with living_county(tmp_path_factory.mktemp("year-end")) as made:
        yield made


@pytest.fixture
def browser(county: LivingCounty) -> Iterator[TestClient]:
    with TestClient(county.app(), base_url="http://test", follow_redirects=False) as client:
        yield client


def ending(county: LivingCounty, login: str, name: str, sequence: int, on: date) -> UUID:
    """An officer whose one post ends on that day."""
    id = engage(county, login, name, sequence)
    post = next(iter(held(county, id)))
    command = EndAppointment(officer=id, appointment=post, ends_on=on, reason="任期届满")
    county.run(command, by="admin")
    return id


def held(county: LivingCounty, officer: UUID) -> dict[UUID, date | None]:
    found = county.system.store.load(officer)
    assert isinstance(found, Officer)
    return {id: post.ends_on for id, post in found.appointments.items()}


def test_posts_that_end_are_renewed_together_and_told(
    county: LivingCounty, browser: TestClient
) -> None:
    last = date(china_day(county.now).year, 12, 31)
    one = ending(county, "first", "韩梅梅", 21, last)
    other = ending(county, "second", "李雷", 22, last)
    enter(browser, "admin")
    page = ask(browser, PAGE)
    assert "韩*梅" in page and "李*" in page and page.count('name="post"') == 2
    boxes = re.findall(r'name="post" value="([^"]+)"', page)
    form = {
        "csrf_token": token_in(page),
        "key": hidden_in(page, "key"),
        "until": str(last),
        "ends_on": f"{last.year + 1}-12-31",
        "post": boxes,
    }
    done = browser.post(PAGE, data=form)
    assert done.status_code == 200 and "已续任 2 个岗位；0 个未办理" in done.text
    for id in (one, other):
        assert sorted(held(county, id).values()) == [last, date(last.year + 1, 12, 31)]
    again = browser.post(PAGE, data=form)
    assert "已续任 2 个岗位" in again.text and len(held(county, one)) == 2, "once under one key"
    assert "没有到期的岗位" in ask(browser, PAGE)


def test_what_is_refused_is_told_beside_the_post(county: LivingCounty, browser: TestClient) -> None:
    last = date(china_day(county.now).year, 12, 31)
    ending(county, "third", "王小明", 23, last)
    enter(browser, "admin")
    page = ask(browser, PAGE)
    form = {
        "csrf_token": token_in(page),
        "key": hidden_in(page, "key"),
        "until": str(last),
        "ends_on": f"{last.year + 6}-12-31",
        "post": re.findall(r'name="post" value="([^"]+)"', page),
    }
    refused = browser.post(PAGE, data=form)
    assert refused.status_code == 200 and f"最多续任到 {last.year + 5} 年" in refused.text
    assert "已续任 0 个岗位；1 个未办理" in refused.text
    assert "没有勾选" in browser.post(PAGE, data={**form, "post": []}).text
    assert browser.post(PAGE, data={**form, "csrf_token": "x"}).status_code == 403
    assert browser.post(PAGE, data={**form, "ends_on": "soon"}).status_code == 422


def test_a_post_that_is_over_takes_no_renewal_and_superiors_only_look(
    county: LivingCounty, browser: TestClient
) -> None:
    over = china_day(county.now) - timedelta(days=3)
    ending(county, "fourth", "赵小波", 24, over)
    enter(browser, "county")
    assert 'name="post"' not in ask(browser, PAGE)
    browser.cookies.clear()
    enter(browser, "admin")
    page = ask(browser, PAGE)
    row = page[page.index("赵*波") - 400 : page.index("赵*波")]
    assert "已到期，请重新任命" in row and "checkbox" not in row
    browser.cookies.clear()
    enter(browser, "village")
    assert browser.get(PAGE).status_code == 403


def test_a_certificate_that_ends_is_seen_on_the_page(
    county: LivingCounty, browser: TestClient
) -> None:
    officer = engage(county, "trained", "孙多福", 25)
    day = china_day(county.now)
    command = RecordCertificate(
        officer=officer,
        certificate="皖灾信 0042",
        issued_on=day - timedelta(days=700),
        valid_until=day + timedelta(days=3),
    )
    county.run(command, by="admin")
    enter(browser, "admin")
    assert "皖灾信 0042" in ask(browser, PAGE)
    assert "皖灾信 0042" in ask(browser, f"/officers/{officer}")
    assert "皖灾信 0042" not in ask(browser, PAGE, until=str(day))
    assert "Certificates that end by" in ask(browser, PAGE, lang="en")
    ask(browser, PAGE, lang="zh")
    unknown = uuid4()
    assert browser.post(PAGE, data={"post": f"{unknown} {unknown}"}).status_code == 403


def test_who_was_taken_out_of_a_post_is_not_renewed_unless_somebody_ticks_it(
    county: LivingCounty, browser: TestClient
) -> None:
    """The boxes are ticked before: a post that an administrator ended would come back by itself."""
    last = date(china_day(county.now).year, 12, 31)
    ended = ending(county, "taken-out", "钱小红", 31, last)
    village = county.id("yuantan_1")
    command = EngageOfficer(
        person=uuid4(),
        id=uuid4(),
        full_name="孙大山",
        login="yearly",
        role=Role.VILLAGE_REPORTER,
        area=village,
        id_number=id_number(32),
        post=Post.A,
        ends_on=last,
    )
    yearly = UUID(str(county.run(command, by="admin").result["officer"]))
    enter(browser, "admin")
    page = ask(browser, PAGE)
    boxes = {
        UUID(who): "checked" in rest
        for who, rest in re.findall(r'name="post" value="(\S+) ([^>]*)>', page)
    }
    assert (boxes[ended], boxes[yearly]) == (False, True)
    assert "任期届满" in page, "and why it ends stands beside it"
    soon = china_day(county.now) + timedelta(days=SOON_DAYS - 1)
    told = home_count(browser)
    for number, ends in ((33, soon), (34, None)):
        post = replace(command, person=uuid4(), id=uuid4(), login=f"soon{number}", ends_on=ends)
        another = replace(post, id_number=id_number(number))
        officer = UUID(str(county.run(another, by="admin").result["officer"]))
    assert home_count(browser) == told + 1, "its term ends, and nobody may have seen it"
    post = next(iter(held(county, officer)))
    end = EndAppointment(officer=officer, appointment=post, ends_on=soon, reason="调离")
    county.run(end, by="admin")
    assert home_count(browser) == told + 1, "whoever took somebody out of a post knows it"


def home_count(browser: TestClient) -> int:
    found = re.search(r'<span class="count">([0-9,]+)</span> 个岗位将于', ask(browser, "/"))
    return int(found[1].replace(",", "")) if found else 0
