"""A person whom two households of a drill claim: their page tells the history, which stands in a
stream of the drill's own."""

from datetime import UTC, datetime
from pathlib import Path

from fastapi.testclient import TestClient

from domain.commands.households import RegisterHousehold
from domain.commands.sealing import MemberInput
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
