"""回避例外 by pressed forms: a township with one person in post may review what it took down."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from domain.commands.officers import GrantDispensation
from domain.commands.reports import PhoneInReport
from domain.commands.reviews import AcceptReport
from eventstore.outcomes import Refused
from tests.web.desk import LivingCounty, living_county
from tests.web.pressing import Desk


@pytest.fixture
def county(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivingCounty]:
    with living_county(tmp_path_factory.mktemp("dispensation")) as made:
        yield made


@pytest.fixture
def browser(county: LivingCounty) -> Iterator[TestClient]:
    with TestClient(county.app(), base_url="http://test") as client:
        yield client


def test_a_superior_allows_one_more_step_of_a_matter_that_is_picked_by_name(
    county: LivingCounty, browser: TestClient
) -> None:
    at = county.now - timedelta(minutes=30)
    report = county.id("report/phoned")
    county.run(
        PhoneInReport(
            report=report,
            area=county.id("yuantan_1"),
            called_at=at,
            occurred_at=at,
            as_of=at,
            hazard="flood",
            figures={"affected": 30},
        ),
        by="township",
    )
    accept = AcceptReport(report=report, version=1)
    with pytest.raises(Refused, match="dispensation"):
        county.run(accept, by="township")

    address = f"/officers/{county.officers['township']}"
    desk = Desk(browser, "county")
    assert f'href="{address}/dispensation"' in desk.open(address).text
    form = desk.open(f"{address}/dispensation").form(GrantDispensation)
    (words,) = [said for said in form.options("matter") if "源潭居委会" in said]
    form.press(
        matter=words, step="审核", document_no="潜应急〔2026〕9号", reason="乡镇只有一人在岗"
    )
    county.run(accept, by="township")


def test_nobody_allows_it_to_themselves_nor_from_beside(
    county: LivingCounty, browser: TestClient
) -> None:
    own = f"/officers/{county.officers['county']}"
    desk = Desk(browser, "county")
    assert "/dispensation" not in desk.open(own).text
    page = desk.open(f"{own}/dispensation").text
    assert "本人不能批准自己" in page and "GrantDispensation" not in page
