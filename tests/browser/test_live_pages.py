"""Every live page follows a change that somebody else made, and says nothing red beside it."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from playwright.sync_api import Page, expect

from domain.commands.incidents import TriageIncident
from domain.commands.reports import FileInitialReport
from domain.commands.stock import ReceiveGoods
from projections.asking.scope import EVERYTHING
from projections.asking.stock_books import stockpiles
from tests.browser.conftest import DESK, OpenPage, Serve
from tests.browser.test_relief_pages import enter as enter_demo
from tests.browser.test_relief_pages import opened
from tests.browser.test_story import enter
from tests.web.desk import LivingCounty, living_county
from tests.web.relief_desk import RunningDemo, running_demo

ADDRESSES = {
    "queue": ("township", "/review"),
    "queue of drills": ("township", "/review?exercise=true"),
    "situation": ("county", "/situation"),
    "situation with an empty choice": ("county", "/situation?disaster="),
    "situation of drills": ("county", "/situation?exercise=true"),
    "situation of a part": ("county", "/situation?area={area}"),
}


@pytest.fixture
def county(tmp_path: Path) -> Iterator[LivingCounty]:
    with living_county(tmp_path / "county") as one:
        yield one


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[RunningDemo]:
    with running_demo(tmp_path) as one:
        yield one


def live(page: Page, address: str) -> None:
    page.goto(address)
    expect(page.locator("[data-live-state]")).to_have_text("实时", timeout=30_000)


def follows(page: Page, words: str) -> None:
    """The board shows it, and the banner is as quiet as before."""
    expect(page.locator("[data-board]")).to_contain_text(words, timeout=30_000)
    expect(page.locator("[data-live-state]")).to_have_text("实时")
    expect(page.locator("[data-live-alarm]")).to_be_hidden()


@pytest.mark.parametrize("name", ADDRESSES)
def test_a_page_of_reports_follows(
    name: str, county: LivingCounty, serve: Serve, open_page: OpenPage
) -> None:
    """The queue once asked for ``exercise=`` with nothing behind it, and was refused for ever."""
    officer, address = ADDRESSES[name]
    page = open_page(DESK)
    with serve(county.app()) as server:
        enter(page, server, officer)
        live(page, server + address.format(area=county.id("yuantan")))
        at = county.now - timedelta(minutes=30)
        county.run(
            FileInitialReport(
                report=uuid4(),
                area=county.id("yuantan_1"),
                occurred_at=at,
                as_of=at,
                hazard="flood",
                figures={"affected": 4321},
                exercise="true" in address,
            ),
            by="village",
        )
        follows(page, "4,321")


def test_the_dispatch_board_and_one_incident_follow(
    demo: RunningDemo, serve: Serve, open_page: OpenPage
) -> None:
    incident = opened(demo, "石桥组")
    board, one = open_page(DESK), open_page(DESK)
    with serve(demo.app()) as server:
        for page, address in ((board, "/dispatch"), (one, f"/dispatch/incidents/{incident}")):
            enter_demo(page, server, "county-approver")
            live(page, server + address)
        demo.run(TriageIncident(incident=incident, priority=1, note="老人"), by="dispatcher")
        follows(one, "老人")
        expect(board.locator(f"#incident-{incident}")).to_contain_text("特急")
        follows(board, "石桥组")


def test_the_stock_board_follows(demo: RunningDemo, serve: Serve, open_page: OpenPage) -> None:
    page = open_page(DESK)
    with serve(demo.app()) as server:
        enter_demo(page, server, "county-storekeeper")
        live(page, f"{server}/stock")
        with demo.system.reader() as db:
            shown = page.locator(".depots [data-row]").first.get_attribute("id")
            depots = stockpiles(db, EVERYTHING, limit=1000).items
            depot = next(one for one in depots if shown == f"stockpile-{one['stockpile']}")
        demo.run(
            ReceiveGoods(
                warehouse=UUID(depot["area"]),
                item=depot["item"],
                lot=uuid4(),
                document_no="入库〔2018〕7777号",
                owner="县级储备",
                received_on=demo.now.date(),
                quantity=7_777,
            ),
            by="county-storekeeper",
        )
        follows(page, "7,7")
