"""Who looked: each search by name, export and opened name is on record before it is answered."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from api.sheets import _data
from domain.commands.households import RevealHousehold
from eventstore.access_log import Access, AccessLog
from eventstore.errors import StoreLocked
from projections.asking.paging import MAX_LIMIT
from projections.households import HOUSEHOLDS
from tests.web.pressing import Desk
from tests.web.relief_desk import RunningDemo
from tests.web.test_in_full import household_of
from tests.web.test_relief_pages import enter
from web.i18n import read_messages


@pytest.fixture(autouse=True)
def approver(server: TestClient) -> Iterator[None]:
    enter(server, "county-approver")
    yield
    server.cookies.clear()


@pytest.fixture
def one(demo: RunningDemo) -> tuple[UUID, str, str]:
    """A household, and the name and number of its head."""
    return household_of(demo)


def noted(demo: RunningDemo, limit: int = 50) -> list[Access]:
    return demo.system.readings.newest(limit=limit)


def last_number(demo: RunningDemo) -> int:
    return demo.system.readings.end().n


def test_a_search_by_name_is_noted_with_whom_it_showed_and_not_what_was_typed(
    server: TestClient, demo: RunningDemo, one: tuple[UUID, str, str]
) -> None:
    _, name, _ = one
    for address, rows in (("/v1/households", "id"), ("/v1/ledger", "household")):
        before = last_number(demo)
        found = server.get(address, params={"search": name}).json()["items"]
        (reading,) = noted(demo, last_number(demo) - before)
        assert (reading.kind, reading.found) == ("search", len(found))
        assert reading.officer == demo.officers["county-approver"]
        assert {str(id) for id in reading.shown} == {row[rows] for row in found}
        assert reading.sought == demo.system.readings.sought(name)
        assert name not in repr(reading)
    before = last_number(demo)
    assert server.get("/v1/households").status_code == 200
    assert last_number(demo) == before, "a list that is opened is no search"


def test_a_sheet_is_noted_page_by_page(server: TestClient, demo: RunningDemo) -> None:
    before = last_number(demo)
    assert server.get("/sheets/households").status_code == 200
    readings = noted(demo, last_number(demo) - before)
    with demo.system.reader() as db:
        everybody = set(db.scalars(select(HOUSEHOLDS.c.id).where(HOUSEHOLDS.c.exercise.is_(False))))
    assert {one.kind for one in readings} == {"export"}
    assert max(one.found for one in readings) <= MAX_LIMIT
    shown = {str(id) for one in readings for id in one.shown}
    assert shown and shown <= everybody
    assert sum(one.found for one in readings) == len(shown)
    for address in ("/sheets/funds?form=xlsx", "/v1/ledger"):
        before = last_number(demo)
        assert server.get(address, headers={"Accept": "text/csv"}).status_code == 200
        (reading,) = noted(demo, last_number(demo) - before)
        assert reading.kind == "export"


def test_what_is_printed_whole_is_noted_as_a_sheet_is(
    server: TestClient, demo: RunningDemo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ledger as the form of the ministry, a history as a paper: all rows of them leave."""
    for module in ("ledger", "timeline"):
        monkeypatch.setattr(f"web.pages.{module}.WHOLE", 20)
    household = server.get("/v1/households").json()["items"][0]["id"]
    whole = f"/timeline/{household}/whole"
    for address, what in (("/ledger/paper?whole=true", "ledger"), (whole, "timeline_page")):
        before = last_number(demo)
        page = server.get(address)
        assert page.status_code == 200
        readings = noted(demo, last_number(demo) - before)
        assert {(one.kind, one.what) for one in readings} == {("export", what)}
        rows = page.text.partition("<tbody>")[2].partition("</tbody>")[0].count("<tr>")
        assert sum(one.found for one in readings) == rows > 0
    before = last_number(demo)
    assert server.get("/ledger/paper").status_code == server.get("/ledger").status_code == 200
    assert last_number(demo) == before, "what is shown in parts is looked at, not taken away"


def test_each_look_at_names_in_full_is_noted(
    server: TestClient, demo: RunningDemo, one: tuple[UUID, str, str]
) -> None:
    household, name, _ = one
    desk = Desk(server, "county-approver")
    before = last_number(demo)
    desk.open(f"/households/{household}").form(RevealHousehold, household).press(
        reason="核对身份证号"
    )
    for _ in range(2):
        assert name in server.get(f"/households/{household}/in-full").text
    readings = noted(demo, last_number(demo) - before)
    assert len(readings) >= 3, "the answer of the command, and each look while its reason holds"
    assert {(r.kind, r.what, r.shown) for r in readings} == {("unseal", "household", (household,))}


def test_nothing_is_shown_that_cannot_be_noted(
    server: TestClient,
    demo: RunningDemo,
    one: tuple[UUID, str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    household, name, number = one
    reveal = {"reason": "核对身份证号"}

    def fails(*_: object, **__: object) -> int:
        raise StoreLocked("the vault cannot be written")

    monkeypatch.setattr(AccessLog, "note", fails)
    for address in ("/v1/households", "/v1/ledger"):
        answer = server.get(address, params={"search": name})
        assert answer.status_code == 503 and str(household) not in answer.text
    for address in ("/sheets/households", "/sheets/lists?form=xlsx"):
        assert server.get(address).status_code == 503
    desk = Desk(server, "county-approver")
    form = desk.open(f"/households/{household}").form(RevealHousehold, household)
    answer = form.send(**reveal)
    assert answer.status_code == 503 and number not in answer.text
    page = server.get(f"/households/{household}/in-full")
    assert page.status_code == 503 and number not in page.text


def test_who_looked_at_a_household_stands_on_its_page_for_auditors_and_the_county(
    server: TestClient, demo: RunningDemo, one: tuple[UUID, str, str]
) -> None:
    household, name, _ = one
    server.get("/v1/households", params={"search": name})
    said = "谁看过这一户"
    for login, may in (
        ("county-approver", True),
        ("auditor", True),
        ("county-payer", False),
        ("yuantan-reviewer-new", False),
    ):
        enter(server, login)
        answer = server.get(f"/households/{household}")
        assert answer.status_code in (200, 404)
        if answer.status_code == 200:
            assert (said in answer.text) == may, login


def test_auditors_see_who_looked_by_officer_and_by_day_in_china(
    server: TestClient, demo: RunningDemo, one: tuple[UUID, str, str]
) -> None:
    household, name, _ = one
    server.get("/v1/households", params={"search": name})
    server.get("/sheets/funds")
    for login in ("county-approver", "administrator"):
        enter(server, login)
        assert server.get("/readings").status_code == 403
    enter(server, "auditor")
    page = server.get("/readings").text
    assert "按姓名查找" in page and "导出" in page and f"/households/{household}" in page
    officer = demo.officers["county-approver"]
    assert f'value="{officer}"' in page
    reading = noted(demo, 1)[0]
    day = (reading.at + timedelta(hours=8)).date()
    of_day = {"officer": str(officer), "day": day.isoformat()}
    assert "导出" in server.get("/readings", params=of_day).text
    for day_of_nothing in ("2017-01-01", "0001-01-01", "9999-12-31"):
        page = server.get("/readings", params={**of_day, "day": day_of_nothing})
        assert page.status_code == 200 and "没有记录" in page.text, day_of_nothing
    assert server.get("/readings", params={"day": "x"}).status_code == 422
    enter(server, "taihu-approver")
    assert server.get("/readings").status_code == 403


def test_the_pages_of_one_sheet_are_told_as_one(server: TestClient, demo: RunningDemo) -> None:
    officer, at = demo.officers["county-payer"], demo.now
    for found, seconds in ((1000, 0), (1000, 40), (77, 80), (5, 1000)):
        later = at + timedelta(seconds=seconds)
        demo.system.readings.note("export", "funds", officer=officer, at=later, found=found)
    enter(server, "auditor")
    page = server.get("/readings", params={"officer": str(officer)}).text
    assert "2,077" in page and "1,000" not in page and page.count('<tr><th scope="row">') == 2


def test_older_readings_follow_page_by_page(server: TestClient, demo: RunningDemo) -> None:
    officer, at = demo.officers["county-approver"], demo.now
    for n in range(65):
        demo.system.readings.note("search", "ledger", officer=officer, at=at, found=n)
    enter(server, "auditor")
    numbers: list[int] = []
    address: str | None = f"/readings?officer={officer}"
    pages = 0
    while address and pages < 9:
        text = server.get(address).text
        pages += 1
        numbers.append(text.count('<tr><th scope="row">'))
        older = text.rpartition("更早的")[0].rpartition('href="')[2].partition('"')[0]
        address = older.replace("&amp;", "&") if "更早的" in text else None
    assert numbers[:2] == [30, 30] and pages > 2 and sum(numbers) >= 65


def test_every_list_that_can_be_exported_has_its_name_here() -> None:
    words = read_messages()
    opened = ("household", "caller", "objection", "refused_rows")
    missing = [one for one in (*_data()["sheets"], *opened) if f"reading.of_{one}" not in words]
    assert missing == []
