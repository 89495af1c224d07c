"""Playback in a real browser: by keyboard, and let run."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESK, PHONE, Check, OpenPage, Serve
from tests.browser.test_relief_pages import enter
from tests.web.relief_desk import running_demo


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_a_film_is_moved_by_keys_and_runs_to_its_end(
    serve: Serve, open_page: OpenPage, axe: Check, tmp_path: Path, width: int
) -> None:
    with running_demo(tmp_path) as demo, serve(demo.app()) as server:
        head = demo.system.store.head()
        demo.system.past.ask()
        page = open_page(width)
        enter(page, server, "county-approver")
        # the first question may come before the past is kept; then the answer says so
        page.wait_for_function("fetch('/playback/dispatch/board?known_at=900').then(a => a.ok)")
        page.goto(f"{server}/playback/situation?since=900&upto={head}")
        slider, picture = page.get_by_label("看到第几条记录"), page.locator("[data-picture]")
        shown = page.locator("[data-playback-record]")
        slider.focus()
        stretch = (head - 900) // 20
        for key, at in (
            ("ArrowRight", 901),
            ("PageUp", 901 + stretch),
            ("PageDown", 901),
            ("End", head),
            ("Home", 900),
        ):
            page.keyboard.press(key)
            expect(picture).to_have_attribute("data-picture", str(at))
            expect(shown).to_have_text(f"第 {at:,} 条记录")
        expect(page.locator("[data-known-words]")).to_contain_text("第 900 条记录")
        axe(page)
        page.get_by_role("link", name="后一条").click()
        expect(picture).to_have_attribute("data-picture", "901")
        assert "known_at=901" in page.url
        page.evaluate("document.querySelector('[data-playback-speed] option').value = '90000000'")
        page.locator("[data-playback-speed]").select_option("90000000")
        page.get_by_role("button", name="播放").click()
        expect(picture).to_have_attribute("data-picture", str(head))
        expect(page.get_by_role("button", name="播放")).to_be_visible()
        slider.focus()
        page.keyboard.press("Space")
        expect(page.get_by_role("button", name="暂停")).to_be_visible()
        page.keyboard.press("Space")
        expect(page.get_by_role("button", name="播放")).to_be_visible()
