"""Findings about officers: two without an ID number on both sides of one report."""

from pathlib import Path
from uuid import uuid4

from domain.commands.id_numbers import ExcuseIdNumber
from domain.commands.recovering import RecoverAdministrator
from projections.asking.scope import Scope
from tests.domain.county import OFFICERS, appointment, make_county, register
from tests.domain.scenario import Scenario
from tests.projections.reporting import accept, initial
from tests.projections.test_report_findings import split_findings

KIND = "maybe_one_person"


def without_number(county: Scenario, name: str, like: str) -> None:
    """Somebody in another officer's kind of post, whose number cannot be had."""
    role, area, _ = OFFICERS[like]
    register(county, name, area, numbered=False)
    reason = "户籍未迁入，派出所已出具证明"
    county.given(ExcuseIdNumber(officer=county.officers[name], reason=reason), by="city_admin")
    county.given(appointment(county, name, role, area), by="admin")


def test_two_officers_without_a_number_on_both_sides_of_a_report_may_be_one_person(
    tmp_path: Path,
) -> None:
    county = make_county()
    without_number(county, "filer", "village")
    without_number(county, "taker", "township")
    county.given(initial(county, "yuantan_1", {"dead": 1}), by="filer")
    assert not split_findings(tmp_path, county, kind=KIND), "nobody has accepted it"
    county.given(accept(county, "yuantan_1"), by="taker")
    (row,) = split_findings(tmp_path, county, kind=KIND)
    assert row["reason"] == "张****r、张****r" and row["number"] == 1
    assert [one["area_name"] for one in row["reports"]] == ["源潭居委会"]
    elsewhere = Scope((county.id("shuihou"),))
    assert not split_findings(tmp_path, county, elsewhere, kind=KIND)


def test_one_known_by_the_number_on_either_side_is_no_finding(tmp_path: Path) -> None:
    county = make_county()
    without_number(county, "filer", "village")
    county.given(initial(county, "yuantan_1", {"dead": 1}), by="filer")
    county.given(accept(county, "yuantan_1"), by="township")
    assert not split_findings(tmp_path, county, kind=KIND)


def test_an_administrator_made_on_the_server_stays_on_the_list(tmp_path: Path) -> None:
    county = make_county()
    recovered = RecoverAdministrator(
        person=uuid4(),
        id=uuid4(),
        login="newboss",
        area=county.id("county"),
        reason="唯一的管理员调离",
        operator="值班员",
        full_name="王新",
    )
    county.given(recovered)
    (row,) = split_findings(tmp_path, county, kind="administrator_recovered")
    assert row["reason"] == "newboss：值班员：唯一的管理员调离"
    assert row["area"] == str(county.id("county")) and row["status"] == "open"
