"""The pages of divisions: the tree, one with its history, and a list with its differences first."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient

from domain.commands.areas import RenameArea
from domain.commands.officers import AppointOfficer, RegisterOfficer
from domain.commands.store import RecordStore
from domain.officer import Officer
from domain.rules.base import china_day
from domain.world import Role
from eventstore.outcomes import Refused
from intake.divisions import HEADINGS
from tests.intake.make import workbook
from tests.web.desk import PASSWORD, LivingCounty, living_county
from tests.web.officer_forms import ask, enter, hidden_in, token_in


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivingCounty]:
    with living_county(tmp_path_factory.mktemp("divisions")) as made:
        yield made


@pytest.fixture
def browser(county: LivingCounty) -> Iterator[TestClient]:
    with TestClient(county.app(), base_url="http://test", follow_redirects=False) as client:
        yield client


def content(tmp_path: Path, *rows: list[Any]) -> bytes:
    return workbook(tmp_path / "l.xlsx", [list(HEADINGS.values()), *rows]).read_bytes()


def sent(browser: TestClient, path: str, data: dict[str, str], file: bytes) -> Any:
    return browser.post(path, data=data, files={"file": ("区划.xlsx", file)})


def test_a_list_shows_its_differences_and_then_brings_them_about(
    county: LivingCounty, browser: TestClient, tmp_path: Path
) -> None:
    enter(browser, "admin")
    form = {"csrf_token": token_in(ask(browser, "/divisions/list"))}
    assert browser.get("/divisions/template").content[:2] == b"PK"
    file = content(
        tmp_path,
        ["340882106202", "新水村", None, None, None],
        ["340882106201", "横中新村", None, "2026-06-01", None],
        ["340825100001", "东关居委会", None, None, None],
    )
    head = county.system.store.head()
    preview = sent(browser, "/divisions/list", form, file)
    assert preview.status_code == 200 and county.system.store.head() == head
    for said in ("变更 2 个，不变 0 个，有误 1 行", "新水村", "不在您的辖区", "水吼村"):
        assert said in preview.text
    more = {"digest": hidden_in(preview.text, "digest"), "document_no": "潜政〔2026〕3号"}
    done = sent(browser, "/divisions/list/run", form | more, file)
    assert done.status_code == 200 and "已办理" in done.text and "不在您的辖区" in done.text
    assert "新水村" in ask(browser, "/divisions", q="xinshui")
    page = ask(browser, f"/divisions/{county.id('shuihou_2')}")
    assert "横中新村" in page and "潜政〔2026〕3号" in page and "水吼镇" in page
    head = county.system.store.head()
    again = sent(browser, "/divisions/list/run", form | more, file)
    assert again.status_code == 200 and county.system.store.head() == head
    other = sent(browser, "/divisions/list/run", form | more, content(tmp_path, ["340882", "甲"]))
    assert "与预览时不同" in other.text and county.system.store.head() == head


def test_who_keeps_no_divisions_sends_no_list_and_sees_only_its_own(
    county: LivingCounty, browser: TestClient, tmp_path: Path
) -> None:
    enter(browser, "county")
    assert "按名单维护" not in ask(browser, "/divisions")
    assert browser.get("/divisions/list").status_code == 403
    assert browser.get("/divisions/template").status_code == 403
    token = token_in(browser.get("/me").text)
    file = content(tmp_path, ["340882106202", "新水村", None, None, None])
    assert sent(browser, "/divisions/list", {"csrf_token": token}, file).status_code == 403
    assert browser.get(f"/divisions/{county.id('foreign_village')}").status_code == 404


def post(browser: TestClient, path: str, **form: str) -> Any:
    token = token_in(browser.get("/me").text)
    return browser.post(path, data={"csrf_token": token, **form})


def test_a_village_goes_into_another_with_what_hangs_on_it(tmp_path: Path) -> None:
    with (
        living_county(tmp_path / "data") as county,
        TestClient(county.app(), base_url="http://test", follow_redirects=False) as browser,
    ):
        enter(browser, "admin")
        village, into = county.id("yuantan_2"), county.id("yuantan_1")
        page = ask(browser, f"/divisions/{village}/merger")
        assert "将一并迁移" in page and "岗位" in page and "源潭居委会" in page
        assert "水吼村" in ask(browser, f"/divisions/{village}/merger", q="shuihou")
        form = {"into": str(into), "document_no": "潜政〔2026〕4号", "effective_on": "2026-06-01"}
        refused = post(browser, f"/divisions/{village}/merger", **{**form, "into": str(village)})
        assert refused.status_code == 200 and "不能并入自身" in refused.text
        assert post(browser, f"/divisions/{village}/merger", **form).status_code == 303
        page = ask(browser, f"/divisions/{village}")
        assert "尚未迁移" in page and "潜政〔2026〕4号" in page
        token = token_in(page)
        for _ in range(3):
            step = browser.post(
                f"/divisions/{village}/merger/steps",
                data={"csrf_token": token, "of": hidden_of(page)},
                headers={"hx-request": "true"},
            )
            assert step.status_code == 200
        assert "已全部迁移" in step.text
        assert "已全部迁移" in ask(browser, f"/divisions/{village}")
        assert post(browser, f"/divisions/{village}/merger", **form).status_code == 303


def hidden_of(page: str) -> str:
    return hidden_in(page, "of")


def test_codes_change_with_all_below_and_what_is_new_begins(tmp_path: Path) -> None:
    with (
        living_county(tmp_path / "data") as county,
        TestClient(county.app(), base_url="http://test", follow_redirects=False) as browser,
    ):
        enter(browser, "admin")
        town, village = county.id("shuihou"), county.id("shuihou_1")
        page = ask(browser, f"/divisions/{town}/code", code="340882110")
        assert "改码 3 个" in page and "340882110201" in page
        assert "应为 2、4、6、9 或 12 位数字" in ask(browser, f"/divisions/{town}/code", code="1")
        form = {"document_no": "民〔2026〕5号", "effective_on": "2026-06-01"}
        assert post(browser, f"/divisions/{town}/code", code="340882110", **form).status_code == 303
        page = ask(browser, f"/divisions/{village}")
        assert "340882110200" in page and "曾用代码 340882106200" in page
        assert "水吼村" in ask(browser, "/divisions", q="340882106200")
        assert "析出" in ask(browser, f"/divisions/{village}/new")
        split = {"name": "新立村", "code": "340882110950", **form}
        wrong = post(browser, f"/divisions/{village}/new", **{**split, "code": "340882110700"})
        assert wrong.status_code == 200 and "900 至 998" in wrong.text and "新立村" in wrong.text
        assert post(browser, f"/divisions/{village}/new", **split).status_code == 303
        again = post(browser, f"/divisions/{village}/new", **split)
        assert again.status_code == 200 and "已有这个代码的区划" in again.text
        below = {"name": "开发区", "code": "340882901", **form}
        county_id = county.id("county")
        assert post(browser, f"/divisions/{county_id}/new", **below).status_code == 303
        assert "开发区" in ask(browser, f"/divisions/{county_id}")
        assert "新立村" in ask(browser, "/divisions", q="xinli")


def test_nobody_else_changes_a_division(county: LivingCounty, browser: TestClient) -> None:
    enter(browser, "county")
    village = county.id("yuantan_2")
    page = ask(browser, f"/divisions/{village}")
    assert "data-command" not in page and f'href="/divisions/{village}/' not in page
    for path in ("code", "new", "merger"):
        assert browser.get(f"/divisions/{village}/{path}").status_code == 403
        assert post(browser, f"/divisions/{village}/{path}").status_code == 403
    assert browser.post(f"/divisions/{village}/merger", data={}).status_code == 403


def test_a_code_for_a_division_that_there_is_not_is_not_found(browser: TestClient) -> None:
    enter(browser, "admin")
    path = f"/divisions/{uuid4()}/code"
    answer = post(browser, path, code="340882106299", document_no="潜政〔2026〕4号")
    assert answer.status_code == 404


def administrator(county: LivingCounty, login: str, place: str) -> None:
    """One more, in post there from today on."""
    person, area = uuid4(), county.id(place)
    county.officers[login] = officer = Officer.id_of(person)
    county.run(RegisterOfficer(person=person, full_name="王高", area=area))
    appointed = AppointOfficer(
        id=uuid4(),
        officer=officer,
        role=Role.ADMINISTRATOR,
        area=area,
        starts_on=china_day(county.now),
    )
    county.run(appointed)
    county.system.accounts.set_password(login, officer, PASSWORD)


def test_a_merger_is_asked_about_at_the_root_too(county: LivingCounty, browser: TestClient) -> None:
    """Above it there is no area whose villages could be looked for."""
    administrator(county, "root", "nation")
    enter(browser, "root")
    page = ask(browser, f"/divisions/{county.id('nation')}/merger")
    assert "源潭居委会" in page


def test_who_is_at_the_seat_keeps_its_name_once_the_store_has_recorded_it(
    county: LivingCounty, browser: TestClient
) -> None:
    """Before, as the command says, it is kept from above; the page offers what the command does."""
    top, store, today = county.id("province"), county.system.store, china_day(county.now)
    administrator(county, "top", "province")
    enter(browser, "top")
    page = f"/divisions/{top}"
    offered = f"{page}/code"
    rename = RenameArea(area=top, name="皖省", effective_on=today, document_no="国函〔2026〕1号")
    assert store.log.mark("seat") is None
    assert offered not in ask(browser, page)
    assert browser.get(offered).status_code == 404
    with pytest.raises(Refused):
        county.run(rename, by="top")
    county.run(RecordStore(born=store.log.mark("born") or "", seat=top))
    assert offered in ask(browser, page)
    assert browser.get(offered).status_code == 200
    county.run(rename, by="top")
    assert "皖省" in ask(browser, page)
