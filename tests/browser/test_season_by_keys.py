"""The middle of a winter in English, by the keyboard alone: from the sweep to the closed list.

Nobody's hand leaves the keys: each officer begins at home, follows the line of what waits with Tab
and Enter, and fills in the next step's form. The days that a notice hangs go by in between.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from playwright.sync_api import Locator, Page, expect

from domain.commands import handing_out as h
from domain.commands import notices as n
from domain.commands import payments as p
from domain.commands import relief_cases as r
from domain.commands import village_lists as v
from domain.commands.seasons import OpenSeason
from domain.season import Season
from domain.village_list import VillageList
from domain.world import Command
from tests.browser.conftest import DESK, OpenPage, Serve
from tests.browser.test_story import reach
from tests.web.desk import PASSWORD, LivingCounty, living_county
from tests.web.season_desk import register, wait
from tests.web.test_season_story import provide

BEGUN = datetime(2018, 11, 5, 1, tzinfo=UTC)


@pytest.fixture
def county(tmp_path: Path) -> Iterator[LivingCounty]:
    """Two households, quilts and money; the season and the village's list are open."""
    with living_county(tmp_path / "county", simulated_from=BEGUN) as found:
        register(found, {"a": 2, "b": 2})
        provide(found)
        area = found.id("county")
        found.run(OpenSeason(area=area, programme="winter_spring", year=2018), by="county")
        season = Season.id_of(area, "winter_spring", 2018, None, False)
        village = found.id("yuantan_1")
        found.run(v.OpenVillageList(season=season, village=village), by="village")
        yield found


@pytest.fixture
def server(county: LivingCounty, serve: Serve) -> Iterator[str]:
    with serve(county.app()) as address:
        yield address


@dataclass
class Hands:
    """An officer at the keyboard."""

    page: Page
    server: str
    village_list: UUID

    def enter(self, name: str) -> None:
        self.page.goto(f"{self.server}/login?lang=en")
        self.page.keyboard.type(name)
        self.page.keyboard.press("Tab")
        self.page.keyboard.type(PASSWORD)
        self.page.keyboard.press("Enter")
        expect(self.page.get_by_role("button", name="Log out")).to_be_visible()

    def begin(self, command: type[Command], below: str = "") -> "Hands":
        """From home along the line of the list to the form of its next step."""
        self.page.goto(f"{self.server}/")
        reach(self.page, f"main a[href*='{self.village_list}{below}']")
        self.page.keyboard.press("Enter")
        expect(self.form(command)).to_have_attribute("data-ready", "")
        return self

    def form(self, command: type[Command]) -> Locator:
        return self.page.locator(f"form[data-command={command.__name__}]").first

    def fill(self, command: type[Command], name: str, words: str) -> "Hands":
        """Words typed in a field of that form."""
        reach(self.page, f"form[data-command={command.__name__}] [name='{name}']")
        self.page.keyboard.type(words)
        return self

    def choose(self, command: type[Command], name: str) -> None:
        """The first thing of a list, by the arrow."""
        self.fill(command, name, "")
        self.page.keyboard.press("ArrowDown")

    def press(self, command: type[Command], says: str) -> None:
        """The form's button; then its sentence stands on the page that follows."""
        reach(self.page, f"form[data-command={command.__name__}] button[type=submit]")
        self.page.keyboard.press("Enter")
        expect(self.page.locator("p[data-told]")).to_contain_text(says)


def test_a_winter_goes_from_the_sweep_to_the_closed_list_in_english_by_keys_alone(
    county: LivingCounty, server: str, open_page: OpenPage, tmp_path: Path
) -> None:
    season = Season.id_of(county.id("county"), "winter_spring", 2018, None, False)
    its = VillageList.id_of(season, county.id("yuantan_1"), 1)
    paper = tmp_path / "minutes.jpg"
    paper.write_bytes(b"the signed record")

    def hands(name: str) -> Hands:
        found = Hands(open_page(DESK, locale="en-US"), server, its)
        # Heard from the beginning: a chooser that opens before somebody listens is lost.
        found.page.on("filechooser", lambda chooser: chooser.set_files(paper))
        found.enter(name)
        return found

    village = hands("village").begin(r.ApplyVillage, "/apply")
    for row in (0, 1):
        village.fill(r.ApplyVillage, f"applications.{row}.need.persons", "2")
    village.press(r.ApplyVillage, "applications are recorded")
    village.begin(v.AppraiseList).fill(v.AppraiseList, "minutes.held_on", "11052018")
    village.fill(v.AppraiseList, "minutes.attendees", "31")
    reach(village.page, "form[data-command=AppraiseList] input[type=file]")
    village.page.keyboard.press("Space")
    digest = village.form(v.AppraiseList).locator("input[data-digested]")
    expect(digest).to_have_value(re.compile(r"[0-9a-f]{64}"))
    village.press(v.AppraiseList, "is drawn up. Next: the list is posted")
    village.begin(n.PostNotice).press(n.PostNotice, "is posted")

    wait(county)
    township = hands("township").begin(v.ReviewList)
    township.fill(v.ReviewList, "opinion", "All visited; as stated.")
    township.press(v.ReviewList, "is reviewed. Next: the county approves it")
    approver = hands("county").begin(v.ApproveList)
    approver.fill(v.ApproveList, "document_no", "2018-31")
    approver.press(v.ApproveList, "is approved")
    approver.begin(p.AllocateList).fill(p.AllocateList, "document_no", "2018-32")
    approver.choose(p.AllocateList, "warehouse")
    approver.fill(p.AllocateList, "grants.0.goods:quilt", "2")
    approver.press(p.AllocateList, "is allocated. Next")

    village.begin(n.PostSecondNotice).press(n.PostSecondNotice, "is posted. Next")
    wait(county)
    payer = hands("payer").begin(p.PayList)
    payer.fill(p.PayList, "document_no", "2018-9").press(p.PayList, "is recorded")
    keeper = hands("storekeeper").begin(h.SignGoods, "/goods")
    keeper.fill(h.SignGoods, "signatures.0.signed_by", "Zhao")
    keeper.fill(h.SignGoods, "signatures.0.relation", "self")
    keeper.press(h.SignGoods, "The signatures are recorded.")
    approver.begin(v.CloseList).press(v.CloseList, "is closed; nothing is left to do")
