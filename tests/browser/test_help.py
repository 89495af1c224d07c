"""The help of a page: one press from the frame, and the task stands open."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESK, PHONE, Check, OpenPage, Serve
from tests.browser.test_relief_pages import enter
from tests.web.relief_desk import running_demo


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_help_opens_at_the_task_of_the_page_and_leads_back_to_where_it_begins(
    serve: Serve, open_page: OpenPage, axe: Check, tmp_path: Path, width: int
) -> None:
    with running_demo(tmp_path) as demo, serve(demo.app()) as server:
        page = open_page(width)
        enter(page, server, "county-storekeeper")
        page.goto(f"{server}/stock?lang=zh")
        page.get_by_role("navigation").get_by_role("link", name="帮助", exact=True).click()
        page.wait_for_url("**/help#receive_goods")
        steps = page.locator("#receive_goods")
        expect(steps).to_be_visible()
        expect(steps).to_be_in_viewport()
        expect(page.locator("#ship")).to_be_hidden()
        axe(page)
        page.evaluate("location.hash = '#ship'")
        expect(page.locator("#ship")).to_be_visible()
        steps.get_by_role("link", name="入库登记").click()
        page.wait_for_url("**/stock/receive")
