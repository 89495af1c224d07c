"""Findings about officers: two who may be one person; an administrator made on the server."""

from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from domain.commands.id_numbers import ExcuseIdNumber, GiveIdNumber
from domain.commands.recovering import RecoverAdministrator
from domain.identity import check_character
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


def number(sequence: int) -> str:
    first = f"34082419810304{sequence:03d}"
    return first + check_character(first)


def test_a_number_that_comes_closes_it_for_what_follows_and_both_for_all(tmp_path: Path) -> None:
    county = make_county()
    without_number(county, "filer", "village")
    without_number(county, "taker", "township")
    county.given(initial(county, "yuantan_1", {"dead": 1}), by="filer")
    county.given(accept(county, "yuantan_1"), by="taker")
    filer = GiveIdNumber(officer=county.officers["filer"], id_number=number(1))
    county.wait(hours=1).given(filer, by="admin")
    assert split_findings(tmp_path, county, kind=KIND), "what was reviewed before stays"
    after = make_county()
    without_number(after, "filer", "village")
    without_number(after, "taker", "township")
    after.given(initial(after, "yuantan_1", {"dead": 1}), by="filer")
    after.given(GiveIdNumber(officer=after.officers["filer"], id_number=number(1)), by="admin")
    after.given(accept(after, "yuantan_1"), by="taker")
    assert not split_findings(tmp_path, after, kind=KIND)
    taker = GiveIdNumber(officer=county.officers["taker"], id_number=number(2))
    county.given(taker, by="admin")
    assert not split_findings(tmp_path, county, kind=KIND), "two numbers are two persons"


def test_one_known_by_number_and_again_without_may_be_one_person(tmp_path: Path) -> None:
    county = make_county()
    kind = "registered_twice"
    assert not split_findings(tmp_path, county, kind=kind)
    without_number(county, "bownship", "village")  # 张*******p as `township` of the level above
    (row,) = split_findings(tmp_path, county, kind=kind)
    assert row["reason"] == "张*******p：源潭居委会、源潭镇" and row["status"] == "open"
    assert row["area"] == str(county.id("yuantan_1"))
    elsewhere = Scope((county.id("shuihou"),))
    assert not split_findings(tmp_path, county, elsewhere, kind=kind)
    without_number(county, "countx", "county")  # nobody of that name far and near
    without_number(county, "liddage", "village4")  # as `village`, two villages apart
    assert len(split_findings(tmp_path, county, kind=kind)) == 1
    without_number(county, "cownship", "township")  # and again, of both
    assert len(split_findings(tmp_path, county, kind=kind)) == 3
    for nth, name in enumerate(("bownship", "cownship"), start=5):
        given = GiveIdNumber(officer=county.officers[name], id_number=number(nth))
        county.given(given, by="admin")
    assert not split_findings(tmp_path, county, kind=kind), "each has a number of their own"


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
    again = replace(recovered, id=uuid4(), person=None, reason="忘记密码", full_name=None)
    county.wait(hours=1).given(again)
    told = {row["reason"] for row in split_findings(tmp_path, county, kind=row["kind"])}
    assert told == {"newboss：值班员：唯一的管理员调离", "newboss：值班员：忘记密码"}
