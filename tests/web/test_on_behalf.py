"""A village without anybody in post: the township opens and appraises its list, and another of its
officers reviews it."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from fastapi.testclient import TestClient

from domain.commands.households import RegisterHousehold
from domain.commands.notices import PostNotice
from domain.commands.officers import SuspendOfficer
from domain.commands.relief_cases import ApplicationInput, ApplyOnBehalf, NeedInput
from domain.commands.sealing import MemberInput
from domain.commands.seasons import OpenSeason
from domain.commands.village_lists import AppraiseOnBehalf, OpenVillageList, ReviewList
from domain.household_members import Relation
from domain.season import Season
from eventstore.clock import SimulatedClock
from tests.id_numbers import id_number
from tests.web.desk import living_county
from tests.web.pressing import Desk


def test_the_township_appraises_for_a_village_without_anybody_and_another_person_reviews(
    tmp_path: Path,
) -> None:
    begun = datetime(2018, 11, 5, 1, tzinfo=UTC)
    with living_county(tmp_path / "county", simulated_from=begun) as county:
        village, household = county.id("yuantan_1"), county.id("a")
        head = MemberInput(name="赵一二", relation=Relation.HEAD, id_number=id_number(1))
        county.run(
            RegisterHousehold(id=household, village=village, members=(head,), category="hardship"),
            by="village",
        )
        county.run(
            OpenSeason(area=county.id("county"), programme="winter_spring", year=2018), by="county"
        )
        season = Season.id_of(county.id("county"), "winter_spring", 2018, None, False)
        with TestClient(county.app()) as server:
            page = Desk(server, "township").open(f"/seasons/{season}")
            page = page.form(OpenVillageList, village).press()
            assert "在岗" in page.closed["AppraiseOnBehalf"], "the village does it itself"

            for name in ("village", "village_b"):
                away = SuspendOfficer(officer=county.officers[name], reason="停职检查")
                county.run(away, by="admin")
            taken = ApplicationInput(
                household=household, need=NeedInput(persons=1), applied_on=date(2018, 11, 1)
            )
            county.run(
                ApplyOnBehalf(season=season, village=village, applications=(taken,)), by="township"
            )
            turns = f"/seasons/{season}?parent={county.id('yuantan')}"
            assert "乡镇代办" in Desk(server, "township").open(turns).text
            assert page.address in Desk(server, "township").open("/").links, "it is told of it"
            assert "代村评议" in Desk(server, "township").open("/").text
            page = Desk(server, "township").open(page.address)
            page = page.form(AppraiseOnBehalf).press(
                minutes__held_on="2018-11-04",
                minutes__attendees="17",
                minutes__document_sha256=b"scan",
            )
            assert page.address in page.desk.open("/").links, "to be posted"
            page = page.form(PostNotice).press()
            clock = county.system.store.clock
            assert isinstance(clock, SimulatedClock)
            clock.move_to(clock.now() + timedelta(days=8))

            page = Desk(server, "township").open(page.address)
            assert "同一人" in page.closed["ReviewList"], "who reported does not review"
            page = Desk(server, "township_b").open(page.address)
            assert page.form(ReviewList).press(opinion="情况属实").state == "reviewed"
