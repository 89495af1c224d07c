"""Importing a list of households by page: chosen, checked, confirmed, found again."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.test_imports import content, row
from tests.web.desk import LivingCounty, living_county
from tests.web.officer_forms import ask, enter, hidden_in, token_in


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivingCounty]:
    with living_county(tmp_path_factory.mktemp("import-pages")) as made:
        yield made


@pytest.fixture(scope="module")
def browser(county: LivingCounty) -> Iterator[TestClient]:
    with TestClient(county.app(), base_url="http://test", follow_redirects=False) as client:
        yield client


def until(browser: TestClient, path: str, state: str) -> str:
    over = time.monotonic() + 30
    while time.monotonic() < over:
        page = browser.get(path, headers={"hx-request": "true"}).text
        if f'data-state="{state}"' in page:
            return page
        assert "load delay" in page, "it is asked again by itself"
        time.sleep(0.05)
    raise AssertionError(page)


def send(browser: TestClient, page: str, area: str, file: bytes, **more: str) -> Any:
    form = {name: hidden_in(page, name) for name in ("csrf_token", "key")}
    data = {**form, "area": area, **more}
    return browser.post("/households/import", data=data, files={"file": ("名单.xlsx", file)})


def test_a_list_goes_from_file_to_households(
    county: LivingCounty, browser: TestClient, tmp_path: Path
) -> None:
    enter(browser, "village")
    assert 'href="/households/import"' in ask(browser, "/ledger")
    page = ask(browser, "/households/import")
    assert "源潭居委会" in page and "双峰居委会" not in page
    area = str(county.id("yuantan_1"))
    head = county.system.store.head()
    file = content(tmp_path, row(1), row(2), row(3, c3="340824199001019010"))
    sent = send(browser, page, area, file)
    path = sent.headers["location"]
    assert sent.status_code == 303 and browser.get(path).status_code == 200
    checked = until(browser, path, "checked")
    assert "load delay" not in checked and "确认，登记 2 户" in checked
    assert "第 4 行" in checked and "身份证号有误" in checked
    assert "340824199001019010" not in checked and county.system.store.head() == head
    assert path in ask(browser, "/households/import"), "found again"
    assert "/refused-rows.xlsx" in checked
    assert (
        browser.get(f"/v1/imports/{path.rpartition('/')[2]}/refused-rows.xlsx").status_code == 200
    )
    token = {"csrf_token": token_in(checked)}
    assert browser.post(f"{path}/confirmations", data={"csrf_token": "x"}).status_code == 403
    assert browser.post(f"{path}/confirmations", data=token).status_code == 303
    done = until(browser, path, "done")
    assert "已完成：新登记 2 户" in done and "改正后可再次上传" in done
    assert "2 households registered" in browser.get(f"{path}?lang=en").text
    browser.get("/me?lang=zh")

    other = row(1)
    other[5] = "13900000000"
    page = ask(browser, "/households/import")
    path = send(browser, page, area, content(tmp_path, other)).headers["location"]
    checked = until(browser, path, "checked")
    assert re.search(r"154\*+01.*139\*+00", checked, re.S), "old → new"
    beside = send(browser, ask(browser, "/households/import"), area, file).headers["location"]
    until(browser, beside, "checked")
    assert browser.post(f"{beside}/cancellations", data=token).status_code == 303
    assert browser.post(f"{path}/cancellations", data=token).status_code == 303
    assert "已取消" in browser.get(path).text
    assert browser.post(f"{path}/confirmations", data=token).status_code == 410


def test_what_cannot_be_read_says_what_to_do_and_who_may_not_sees_nothing(
    county: LivingCounty, browser: TestClient
) -> None:
    enter(browser, "village")
    page = ask(browser, "/households/import")
    area = str(county.id("yuantan_1"))
    path = send(browser, page, area, b"\x89PNG").headers["location"]
    assert "请用表格软件重新另存" in until(browser, path, "failed")
    none = send(browser, page, area, b"x", category="没有")
    assert none.status_code == 200 and "没有这种家庭类型" in none.text
    for name, status in (("village2", 404), ("payer", 403)):
        browser.cookies.clear()
        enter(browser, name)
        assert browser.get(path).status_code == status
    assert browser.get("/households/import").status_code == 403
    assert 'href="/households/import"' not in ask(browser, "/ledger")
