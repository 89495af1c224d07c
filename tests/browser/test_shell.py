"""The shell in a real browser: keyboard, paper, both schemes, both widths, no barrier."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESK, PHONE, Check, OpenPage, Shot
from tests.browser.fake_desk import FakeDesk
from web.shell import Mark


def test_rows_and_search_are_reached_by_keys_that_can_be_turned_off(
    desk: FakeDesk, address: str, open_page: OpenPage
) -> None:
    page = open_page()
    page.goto(f"{address}/ledger")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    expect(page.locator("#h-0")).to_have_attribute("aria-current", "true")
    page.keyboard.press("/")
    expect(page.locator("[data-search]")).to_be_focused()
    page.keyboard.type("zxs", delay=10)
    expect(page.locator("#found")).to_have_text("1")
    assert desk.searched == ["zxs"]
    page.keyboard.press("Escape")
    page.get_by_role("button", name="关闭快捷键").click()
    page.keyboard.press("j")
    expect(page.locator("#h-0")).to_have_attribute("aria-current", "true")


def test_letters_inside_an_input_method_are_not_searched_for(
    desk: FakeDesk, address: str, open_page: OpenPage
) -> None:
    page = open_page()
    page.goto(f"{address}/ledger")
    page.locator("[data-search]").focus()
    typing = page.context.new_cdp_session(page)
    for letters in ("z", "zh", "zhang"):
        typing.send(
            "Input.imeSetComposition",
            {"text": letters, "selectionStart": len(letters), "selectionEnd": len(letters)},
        )
        page.wait_for_timeout(250)
    assert desk.searched == []
    typing.send("Input.insertText", {"text": "张"})
    expect(page.locator("#found")).to_have_text("1")
    assert desk.searched == ["张"]


def test_the_skip_link_is_the_first_stop(address: str, open_page: OpenPage) -> None:
    page = open_page()
    page.goto(f"{address}/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="跳到正文")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_the_ledger_prints_on_a4_landscape_with_its_header_on_each_sheet(
    address: str, open_page: OpenPage, tmp_path: Path
) -> None:
    page = open_page()
    page.goto(f"{address}/ledger")
    page.emulate_media(media="print")
    expect(page.locator(".top")).to_be_hidden()
    expect(page.locator(".paper-only")).to_be_visible()
    assert page.locator("thead").evaluate("e => getComputedStyle(e).display") == (
        "table-header-group"
    )
    paper = page.pdf(path=tmp_path / "ledger.pdf", prefer_css_page_size=True)
    boxes = re.findall(rb"/MediaBox ?\[ ?0 0 ([\d.]+) ([\d.]+) ?\]", paper)
    assert len(boxes) >= 2
    assert {(round(float(w)), round(float(h))) for w, h in boxes} == {(842, 595)}


@pytest.mark.parametrize(
    ("width", "dark"), [(PHONE, False), (DESK, True)], ids=["phone-light", "desk-dark"]
)
def test_every_page_is_open_to_everybody(
    desk: FakeDesk,
    address: str,
    open_page: OpenPage,
    axe: Check,
    shot: Shot,
    width: int,
    dark: bool,
) -> None:
    desk.marks = (Mark.DEMO, Mark.SIMULATED)
    page = open_page(width, dark=dark)
    for path in ("login?failure=failed", "", "board", "form", "ledger"):
        page.goto(f"{address}/{path}")
        expect(page.locator("h1")).to_be_visible()
        if path == "board":
            expect(page.locator("[data-live-state]")).to_have_text("实时")
        axe(page)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"/{path} is {wide} px wide"
        name = path.partition("?")[0] or "home"
        shot(page, f"{name}-{width}-{'dark' if dark else 'light'}")


SMALL = """() =>
  [...document.querySelectorAll("main input, button, .top a, .top button, main a.door")]
  .filter((e) => e.type !== "hidden" && e.getClientRects().length)
  .filter((e) => { const r = e.getBoundingClientRect(); return r.height < 44 || r.width < 44; })
  .map((e) => e.outerHTML.slice(0, 120))"""


@pytest.mark.parametrize("path", ["login", "", "board", "form", "ledger"])
def test_everything_to_be_touched_is_large_enough(
    address: str, open_page: OpenPage, path: str
) -> None:
    page = open_page(PHONE)
    page.goto(f"{address}/{path}")
    assert page.evaluate(SMALL) == []


def test_an_inline_script_is_refused_by_the_policy(
    address: str, chromium_page_without_watch: Page
) -> None:
    page = chromium_page_without_watch
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(f"{address}/login")
    page.evaluate(
        """() => { const s = document.createElement("script");
                   s.textContent = "window.broken = 1"; document.body.append(s); }"""
    )
    assert page.evaluate("window.broken") is None
    assert any("Content Security Policy" in complaint for complaint in complaints)
