"""Units, rulebooks and certificates are found by what they are called or by their number."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from domain.commands.renewing import RecordCertificate
from domain.commands.units import RegisterUnit
from domain.rules.base import china_day
from domain.unit import UnitKind
from tests.web.desk import LivingCounty, living_county
from tests.web.officer_forms import ask, enter


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivingCounty]:
    with living_county(tmp_path_factory.mktemp("more") / "county") as made:
        for name, area, by in (
            ("水吼抢险队", "shuihou", "dispatcher"),
            ("太湖先遣队", "foreign_township", "foreign_dispatcher"),
        ):
            made.run(
                RegisterUnit(
                    unit=made.id(name),
                    area=made.id(area),
                    name=name,
                    kind=next(iter(UnitKind)),
                    size=12,
                ),
                by=by,
            )
        today = china_day(made.now)
        given = RecordCertificate(
            officer=made.officers["village3"],
            certificate="皖灾信〔2024〕00731号",
            issued_on=today,
            valid_until=None,
        )
        made.run(given, by="admin")
        yield made


@pytest.fixture
def browser(county: LivingCounty) -> Iterator[TestClient]:
    with TestClient(county.app(), base_url="http://test", follow_redirects=False) as client:
        yield client


def found(browser: TestClient, q: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = browser.get("/v1/search", params={"q": q}).json()["items"]
    return items


@pytest.mark.parametrize("q", ["抢险队", "shuihou", "shqxd", "水吼抢险队"])
def test_a_unit_is_found_by_its_name_and_stands_alone_on_its_page(
    q: str, county: LivingCounty, browser: TestClient
) -> None:
    enter(browser, "dispatcher")
    (one,) = [item for item in found(browser, q) if item["kind"] == "unit"]
    assert one["title"] == "水吼抢险队" and one["area"] == "水吼镇"
    page = browser.get(one["href"]).text
    assert (
        f'id="unit-{county.id("水吼抢险队")}"' in page and 'data-command="PutUnitOffDuty"' in page
    )
    assert "救援队伍" in ask(browser, "/search", q=q, lang="zh")


def test_a_unit_of_another_county_is_not_found(county: LivingCounty, browser: TestClient) -> None:
    enter(browser, "dispatcher")
    assert [one for one in found(browser, "先遣队") if one["kind"] == "unit"] == []
    other = browser.get(f"/dispatch/units?unit={county.id('太湖先遣队')}")
    assert other.status_code == 404
    rows = browser.get("/v1/units", params={"search": "先遣"}).json()["items"]
    assert rows == []
    assert len(browser.get("/v1/units", params={"search": "抢险"}).json()["items"]) == 1


def test_an_officer_is_found_by_the_number_of_a_certificate(
    county: LivingCounty, browser: TestClient
) -> None:
    enter(browser, "admin")
    for q in ("皖灾信〔2024〕00731号", "皖灾信[2024] 00731 号"):
        (one,) = [item for item in found(browser, q) if item["kind"] == "officer"]
        assert one["href"] == f"/officers/{county.officers['village3']}"
        assert one["documents"] == ["皖灾信〔2024〕00731号"]
        assert one["title"].startswith("张*"), "masked"
    enter(browser, "village2")
    assert found(browser, "皖灾信〔2024〕00731号") == [], "officers are not a village's to list"
    enter(browser, "foreign_admin")
    assert found(browser, "皖灾信〔2024〕00731号") == []


@pytest.mark.parametrize(
    ("q", "kind"),
    [
        ("响应启动条件", "thresholds"),
        ("xyqdtj", "thresholds"),
        ("应急[2020] 19 号", "indicators"),
        ("deadlines", "deadlines"),
    ],
)
def test_a_rulebook_is_found_by_its_kind_and_its_document(
    q: str, kind: str, county: LivingCounty, browser: TestClient
) -> None:
    enter(browser, "county")
    books = [one for one in found(browser, q) if one["kind"] == "rulebook"]
    assert kind in {one["href"].split("/")[2].split("?")[0] for one in books}, books
    for one in books:
        assert browser.get(one["href"]).status_code == 200
    page = ask(browser, "/search", q=q, lang="zh")
    assert "规则" in page and f"/rulebooks/{kind}" in page
    assert "Rulebooks" in ask(browser, "/search", q=q, lang="en")


def test_a_rulebook_of_another_county_is_not_found(
    county: LivingCounty, browser: TestClient
) -> None:
    enter(browser, "foreign_county")
    books = [one for one in found(browser, "响应启动条件") if one["kind"] == "rulebook"]
    assert all(str(county.id("county")) not in one["href"] for one in books), books
