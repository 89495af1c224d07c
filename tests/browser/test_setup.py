"""Setting up a county in a real browser: by keyboard alone, on a phone and at a desk."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from api.app import create_app
from api.setup import Setup
from tests.api.beginnings import own_store
from tests.browser.conftest import DESK, PHONE, Check, OpenPage, Serve, Shot
from web.app import mount_pages

PASSWORD = "correct horse battery"


@pytest.fixture
def empty(tmp_path: Path, serve: Serve) -> Iterator[tuple[str, Setup]]:
    """The address of a server over an empty store, and its door."""
    with own_store(tmp_path / "own") as own:
        app = create_app(own.system, mount=mount_pages)
        with serve(app) as address:
            yield address, app.state.setup


def looked_at(page: Page, axe: Check, shot: Shot, name: str, width: int) -> None:
    axe(page)
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width, f"{name} is {wide} px wide"
    shot(page, f"setup-{name}-{width}")


def test_a_browser_says_what_time_it_has(empty: tuple[str, Setup], open_page: OpenPage) -> None:
    """A server whose clock is wrong is noticed by the phone in the hand."""
    address, setup = empty
    page = open_page(PHONE)
    page.clock.set_fixed_time("2018-07-04T08:00:00Z")
    page.goto(f"{address}/setup")
    page.get_by_label("启动码").fill(setup.code)
    page.keyboard.press("Enter")
    expect(page.get_by_label("查找区划")).to_be_visible()  # or going on cuts the code's way off
    page.goto(f"{address}/setup/divisions/621224")
    page.get_by_label("姓名").fill("张三")
    page.get_by_label("登录名").fill("admin")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("请先校准服务器时钟")
    page.get_by_label("服务器时间正确").check()
    page.get_by_role("button", name="开始建账").click()
    expect(page.get_by_role("link", name="设置管理员密码")).to_be_visible()


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_a_county_is_set_up_by_keyboard(
    empty: tuple[str, Setup], open_page: OpenPage, axe: Check, shot: Shot, width: int
) -> None:
    address, setup = empty
    page = open_page(width)
    page.goto(f"{address}/")
    looked_at(page, axe, shot, "login", width)
    page.get_by_role("link", name="开始建账").press("Enter")
    expect(page.get_by_label("启动码")).to_be_focused()
    looked_at(page, axe, shot, "code", width)
    page.keyboard.type(setup.code.lower())
    page.keyboard.press("Enter")
    expect(page.get_by_label("查找区划")).to_be_focused()
    page.keyboard.type("kangxian")
    page.keyboard.press("Enter")
    found = page.get_by_role("link", name="康县 甘肃省 陇南市 621224")
    expect(found).to_be_visible()
    looked_at(page, axe, shot, "search", width)
    found.press("Enter")
    page.get_by_text("逐村查看、勾选").press("Enter")
    page.locator("summary", has_text="城关镇").press("Enter")
    first = page.get_by_role("checkbox").first
    expect(first).to_be_checked()
    first.press("Space")
    looked_at(page, axe, shot, "division", width)
    page.get_by_label("姓名").fill("张三")
    page.get_by_label("登录名").fill("admin")
    page.keyboard.press("Enter")
    accept = page.get_by_role("link", name="设置管理员密码")
    expect(accept).to_be_visible()
    expect(page.get_by_text("354 个村（社区）")).to_be_visible()
    looked_at(page, axe, shot, "begun", width)
    accept.press("Enter")
    page.get_by_label("设置密码").fill(PASSWORD)
    page.get_by_label("再输入一次").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("张*")
    gone = page.goto(f"{address}/setup")
    assert gone is not None and gone.status == 410
