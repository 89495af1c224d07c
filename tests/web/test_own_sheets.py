"""Sheets of rosters and of what a list waits for: all rows, words of the page, names masked."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from fastapi.testclient import TestClient

from domain.commands.payments import FailureInput, PayList
from domain.commands.reports import FileInitialReport
from domain.commands.rosters import RecordCasualty, RecordHouseDamage
from domain.house_damage import Grade
from tests.web.desk import LivingCounty, living_county
from tests.web.pressing import Desk
from tests.web.test_sheets_of_pages import book, sheet_of, table
from tests.web.test_together import BOX, POST, granted, press, wait
from tests.web.test_together import county as two_lists  # noqa: F401
from web.pages import own_sheets
from web.paging import ROWS

DEAD = ROWS + 3


@pytest.fixture
def county(tmp_path: Path) -> Iterator[LivingCounty]:
    """A report with more dead than a page shows, and one home."""
    with living_county(tmp_path / "county") as found:
        begun = found.now - timedelta(hours=1)
        told = FileInitialReport(
            report=found.id("report"),
            area=found.id("yuantan_1"),
            occurred_at=begun,
            as_of=begun,
            hazard="flood",
            figures={"dead": DEAD},
        )
        found.run(told, by="village")
        for n in range(DEAD):
            person = RecordCasualty(
                record=found.id(f"dead/{n}"),
                report=found.id("report"),
                area=found.id("yuantan_1"),
                fate="dead",
                full_name=f"王大{'甲乙丙丁'[n % 4]}",
                age=n + 1,
                cause="=1+1" if n == 0 else "山洪",
                another=True,
            )
            found.run(person, by="village")
        home = RecordHouseDamage(
            record=found.id("home"),
            report=found.id("report"),
            area=found.id("yuantan_1"),
            owner_name="李小房",
            grade=Grade.COLLAPSED,
            rooms=4,
        )
        found.run(home, by="village")
        yield found


@pytest.fixture
def server(county: LivingCounty) -> Iterator[TestClient]:
    with TestClient(county.app()) as client:
        yield client


def test_the_sheet_of_a_roster_has_every_row_masked_in_the_pages_words(
    county: LivingCounty, server: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_sheets, "AT_ONCE", 5)  # rows are read by fives, and none is lost
    desk = Desk(server, "township")
    page = desk.open(f"/report/{county.id('report')}/casualties").text
    head, *rows = table(server.get(sheet_of(page)).text)
    assert head[:4] == ["区划", "姓名", "情况", "重伤"]
    assert len(rows) == DEAD and [row[5] for row in rows] == [str(n + 1) for n in range(DEAD)]
    assert rows[1][:4] == ["源潭居委会", "王*乙", "死亡", "否"]
    assert rows[0][6] == "'=1+1", "no cell runs as a formula"
    assert not any("王大" in cell for row in rows for cell in row)
    told = server.get(f"{sheet_of(page)}?form=xlsx")
    assert len(book(told.content)) == DEAD + 1
    english = desk.open(f"/report/{county.id('report')}/casualties?lang=en").text
    assert table(server.get(sheet_of(english)).text)[1][2] == "Dead"


def test_the_sheet_of_homes_and_who_may_not_see_it(
    county: LivingCounty, server: TestClient
) -> None:
    desk = Desk(server, "township")
    page = desk.open(f"/report/{county.id('report')}/houses").text
    assert table(server.get(sheet_of(page)).text)[1:] == [["源潭居委会", "李*房", "倒塌", "4"]]
    address = f"/sheets/rosters/{county.id('report')}/houses"
    assert server.get(f"/sheets/rosters/{county.id('report')}/pets").status_code in {404, 422}
    assert server.get(f"/sheets/rosters/{uuid4()}/houses").status_code == 404
    assert Desk(server, "township2").server.get(address).status_code == 404


def test_what_a_list_waits_for_is_a_sheet_a_row_a_grant(
    two_lists: LivingCounty,  # noqa: F811
) -> None:
    with TestClient(two_lists.app()) as server:
        township = Desk(server, "township")
        boxes = BOX.findall(township.open(f"{POST}?whose=area").text)
        press(township, f"{POST}?whose=area", boxes)
        lists = [UUID(box.split(" ")[0]) for box in boxes]
        wait(two_lists)
        granted(two_lists, lists)
        (case,) = two_lists.system.store.load(lists[0]).cases
        bounced = PayList(
            village_list=lists[0],
            document_no="支1号",
            failures=(FailureInput(case=case, reason="账号不存在"),),
        )
        two_lists.run(bounced, by="payer")
        payer = Desk(server, "payer")
        page = payer.open(f"/lists/{lists[0]}/bounced").text
        head, row = table(server.get(sheet_of(page)).text)
        told = dict(zip(head, row, strict=True))
        assert told["退票原因"] == "账号不存在" and told["户主"] == "王*明"
        assert told["救助款（元）"] == "130.00" and told["第几笔"] == "1"
        held = payer.open(f"/lists/{lists[1]}/held").text
        assert len(table(server.get(sheet_of(held)).text)) == 2
        assert "data-sheet" not in payer.open(f"/lists/{lists[1]}/goods").text, "nothing waits"
        address = f"/sheets/waiting/{lists[0]}/bounced"
        assert "waiting-cases.csv" in server.get(address).headers["content-disposition"]
        assert server.get(f"/sheets/waiting/{lists[0]}/lost").status_code in {404, 422}
        assert Desk(server, "foreign_payer").server.get(address).status_code == 404
