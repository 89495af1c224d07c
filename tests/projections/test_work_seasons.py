"""Villages in which an open season has not begun: their officer's work, and awaited above."""

from pathlib import Path

from domain.commands.disasters import DeclareDisaster
from domain.commands.officers import SuspendOfficer
from domain.commands.seasons import CloseSeason, OpenSeason
from domain.commands.village_lists import OpenVillageList
from domain.season import Season
from tests.domain.county import make_county
from tests.domain.ledger import Ledger
from tests.domain.test_disasters import report
from tests.projections.desks import Desks

VILLAGES = {"源潭居委会", "双峰居委会", "水吼村", "横中村"}


def test_each_village_without_a_list_is_counted_and_awaited_above(tmp_path: Path) -> None:
    ledger = Ledger()
    desks = Desks(tmp_path, ledger.scenario)
    (mine,) = desks.items("village", "village_list_begin")
    assert mine["subject"] == str(ledger.season) and mine["area_name"] == "源潭居委会"
    assert mine["due_at"] == "2017-10-31" and mine["overdue"], "assessed by the end of October"
    assert desks.work("county", whole=True)["village_list_begin"]["count"] == len(VILLAGES)
    assert "village_list_begin" not in desks.work("county"), "the village's own step"
    told = [row for row in desks.awaited("township") if row["matter"] == "village_list_begin"]
    assert {(row["area_name"], row["who_role"]) for row in told} == {
        ("源潭居委会", "village_reporter"),
        ("双峰居委会", "village_reporter"),
    }
    assert desks.awaited("village") == []


def test_it_is_gone_with_the_list_with_an_application_and_with_the_season(tmp_path: Path) -> None:
    ledger = Ledger()
    desks = Desks(tmp_path, ledger.scenario)
    county = ledger.scenario
    begun = OpenVillageList(season=ledger.season, village=county.id("yuantan_2"))
    county.given(begun, by="village2")
    desks.catch_up()
    assert "village_list_begin" not in desks.work("village2")
    assert desks.work("township", whole=True)["village_list_begin"]["count"] == 1
    ledger._applied()
    desks.catch_up()
    assert "village_list_begin" not in desks.work("village"), "those who applied wait for the list"
    assert desks.work("county", whole=True)["village_list_begin"]["count"] == 2
    assert all(row["matter"] != "village_list_begin" for row in desks.awaited("township"))


def test_a_closed_season_waits_for_nobody(tmp_path: Path) -> None:
    ledger = Ledger()
    ledger.scenario.given(
        CloseSeason(season=ledger.season, reason="停办", without_list_reason="各村摸排后无需救助"),
        by="county",
    )
    desks = Desks(tmp_path, ledger.scenario)
    assert desks.work("village") == {}
    assert "village_list_begin" not in desks.work("county", whole=True)


def test_the_township_begins_for_a_village_with_nobody_in_post(tmp_path: Path) -> None:
    ledger = Ledger()
    county = ledger.scenario
    for name in ("village", "village_b"):
        halted = SuspendOfficer(officer=county.officers[name], reason="停职检查")
        county.given(halted, by="admin")
    desks = Desks(tmp_path, county)
    assert desks.work("township")["village_list_begin"]["count"] == 1
    (told,) = [row for row in desks.awaited("county") if row["area_name"] == "源潭居委会"]
    assert (told["who_role"], told["who_area"]) == ("township_reviewer", "源潭镇")


def test_a_season_for_a_disaster_waits_only_for_villages_that_reported_it(tmp_path: Path) -> None:
    county = make_county()
    flood = county.id("flood")
    declared = DeclareDisaster(
        disaster=flood,
        name="7·4暴雨洪涝",
        hazard="flood",
        occurred_at=county.now,
        area=county.id("county"),
    )
    county.given(declared, by="county")
    told = report(county, "yuantan_1", disaster=flood, occurred_at=county.now, as_of=county.now)
    county.given(told, by="village")
    opened = OpenSeason(
        area=county.id("county"), programme="transitional", year=2018, disaster=flood
    )
    county.given(opened, by="county")
    desks = Desks(tmp_path, county)
    assert desks.work("county", whole=True)["village_list_begin"]["count"] == 1
    (mine,) = desks.items("village", "village_list_begin")
    season = Season.id_of(county.id("county"), "transitional", 2018, flood, False)
    assert mine["subject"] == str(season)
    assert "village_list_begin" not in desks.work("village2")
