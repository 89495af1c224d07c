"""A drill in a store of real work: its persons have their history, its lists and disasters their
rows."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from uuid import UUID

from fastapi.testclient import TestClient

from domain.commands.disasters import DeclareDisaster
from domain.commands.households import RegisterHousehold
from domain.commands.relief_cases import ApplicationInput, ApplyVillage, NeedInput
from domain.commands.reports import FileInitialReport
from domain.commands.sealing import MemberInput
from domain.commands.seasons import OpenSeason
from domain.commands.village_lists import (
    AppraiseList,
    MinutesInput,
    OpenVillageList,
    VerdictInput,
)
from domain.household_members import Relation
from tests.id_numbers import id_number
from tests.web.desk import living_county
from tests.web.pressing import Desk


def test_a_drills_contest_has_a_page_and_its_history(tmp_path: Path) -> None:
    begun = datetime(2018, 11, 5, 1, tzinfo=UTC)
    with living_county(tmp_path / "county", simulated_from=begun) as county:
        for name, village, serial in (("village", "yuantan_1", 1), ("village2", "yuantan_2", 2)):
            head = MemberInput(name="赵一二", relation=Relation.HEAD, id_number=id_number(serial))
            both = MemberInput(name="周小小", relation=Relation.CHILD, id_number=id_number(9))
            command = RegisterHousehold(
                id=county.id(name),
                village=county.id(village),
                members=(head, both),
                category="hardship",
                exercise=True,
            )
            county.run(command, by=name)
        store = county.system.store
        (person,) = store.load(county.id("village2")).contested
        with TestClient(county.app()) as server:
            page = Desk(server, "county").open(f"/persons/{person}")
            assert "一名成员被重复登记" in page.text, "told by the drill's stream"


def test_a_drill_beside_real_work_shows_its_rows_on_its_own_pages(tmp_path: Path) -> None:
    """The list said how many households it has, and showed none of them; so did its sheet, and the
    sheet of a drill's disaster. What is named needs no word on whether it is a drill."""
    begun = datetime(2018, 11, 5, 1, tzinfo=UTC)
    with living_county(tmp_path / "county", simulated_from=begun) as county:
        head = MemberInput(name="赵一二", relation=Relation.HEAD, id_number=id_number(1))
        household = RegisterHousehold(
            id=county.id("drilled"),
            village=county.id("yuantan_1"),
            members=(head,),
            category="hardship",
            exercise=True,
        )
        county.run(household, by="village")
        opened = OpenSeason(
            area=county.id("county"), programme="winter_spring", year=2018, exercise=True
        )
        season = UUID(str(county.run(opened, by="county").result["season"]))
        need = NeedInput(persons=1)
        applied = ApplyVillage(
            season=season,
            village=county.id("yuantan_1"),
            applications=(
                ApplicationInput(household=household.id, need=need, applied_on=begun.date()),
            ),
        )
        cases = county.run(applied, by="village").result["cases"]
        drawn_up = OpenVillageList(season=season, village=county.id("yuantan_1"))
        made = UUID(str(county.run(drawn_up, by="village").result["village_list"]))
        minutes = MinutesInput(held_on=begun.date(), attendees=31, document_sha256="0" * 64)
        verdicts = tuple(VerdictInput(case=UUID(str(one))) for one in cases)
        appraised = AppraiseList(village_list=made, verdicts=verdicts, minutes=minutes)
        county.run(appraised, by="village")
        quake = DeclareDisaster(
            disaster=county.id("quake"),
            name="地震演练",
            hazard="earthquake",
            occurred_at=begun - timedelta(minutes=50),
            area=county.id("county"),
            exercise=True,
        )
        county.run(quake, by="county")
        told = FileInitialReport(
            report=county.id("told"),
            area=county.id("county"),
            occurred_at=begun - timedelta(minutes=50),
            as_of=begun - timedelta(minutes=20),
            hazard="earthquake",
            figures={"affected": 40},
            disaster=quake.disaster,
            exercise=True,
        )
        county.run(told, by="county")
        with TestClient(county.app()) as server:
            desk = Desk(server, "county")
            pages = (f"/lists/{made}", f"/lists?season={season}", f"/disasters/{quake.disaster}")
            for page in pages:
                shown = desk.open(page).text
                assert len(re.findall(r"<tr[^>]* data-row", shown)) == 1, page
                sheet = re.search(r'data-sheet href="([^"]+)"', shown)
                assert sheet is not None, page
                assert len(server.get(unescape(sheet[1])).text.splitlines()) == 2, sheet[1]
