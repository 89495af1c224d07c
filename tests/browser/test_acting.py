"""Forms that are derived from a command's fields, in a real browser: tables by keyboard, drafts."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESK, PHONE, Check, OpenPage, Shot
from tests.browser.fake_command import HERE, LOT
from tests.browser.fake_desk import FakeDesk

READY = "#everything[data-ready]"


def opened(page: Page, address: str) -> None:
    page.goto(f"{address}/acting")
    page.locator(READY).wait_for()


def fill_in(page: Page) -> None:
    """Two lines of goods by keyboard alone, with a row between them that is left empty."""
    page.locator('[name="lines.0.item"]').select_option("棉被")
    page.locator('[name="lines.0.quantity"]').fill("300")
    add = page.locator("[data-add-row]")
    for _ in range(2):
        add.focus()
        page.keyboard.press("Enter")
    expect(page.locator('[name="lines.2.item"]')).to_be_focused()
    page.locator('[name="lines.2.item"]').select_option("棉衣")
    page.locator('[name="lines.2.quantity"]').fill("1,200")
    page.locator('[name="lines.2.unit_value_fen"]').fill("85.5")
    page.locator('[name="amount_fen"]').fill("３2.50")
    page.locator('[name="reason"]').fill("入冬前要到位")
    page.get_by_role("group", name="类别").get_by_label("轻微").check()
    page.get_by_role("group", name="严重程度").get_by_label("严重", exact=True).check()
    page.locator('[name="card.number"]').fill("6217001234")


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_a_form_of_every_kind_of_field_becomes_the_body_of_its_command(
    desk: FakeDesk, address: str, open_page: OpenPage, axe: Check, shot: Shot, width: int
) -> None:
    desk.answers = [
        (
            422,
            {"zh": "请改正", "errors": [{"field": "lines.1.quantity", "zh": "太多", "en": "many"}]},
        ),
        (201, {"position": 5, "result": {}}),
    ]
    page = open_page(width)
    opened(page, address)
    fill_in(page)
    axe(page)
    shot(page, f"acting-{width}")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert "6217001234" not in page.evaluate("JSON.stringify(sessionStorage)")
    page.reload()
    page.locator(READY).wait_for()
    expect(page.locator('[name="lines.2.unit_value_fen"]')).to_have_value("85.5")
    expect(page.locator('[name="card.number"]')).to_have_value("")
    page.locator('[name="card.number"]').fill("6217001234")
    page.get_by_role("button", name="派队").click()
    told = page.locator(".field-error")
    expect(told).to_have_text("太多")
    expect(page.locator('[name="lines.1.quantity"]')).to_have_value("1,200")
    expect(page.locator('[name="lines.1.quantity"]')).to_be_focused()
    page.get_by_role("button", name="派队").click()
    page.wait_for_url("**/acting?after=5")
    first, second = (body for _, body in desk.posts)
    assert first["consignment"] == second["consignment"]
    assert re.fullmatch(r"[0-9a-f-]{36}", second.pop("consignment"))
    assert second.pop("arrived_at").startswith("2018-07-03T06:05:"), "untouched: the press"
    assert second == {
        "destination": str(HERE),
        "lines": [
            {"item": "quilt", "quantity": 300},
            {"item": "coat", "quantity": 1200, "unit_value_fen": 8550},
        ],
        "counts": [{"lot": str(LOT), "good": 300}],
        "kinds": ["minor"],
        "severity": "severe",
        "amount_fen": 3250,
        "card": {"number": "6217001234"},
        "resident": False,
        "reason": "入冬前要到位",
    }


def test_a_row_that_is_taken_away_is_neither_sent_nor_put_back(
    desk: FakeDesk, address: str, open_page: OpenPage
) -> None:
    desk.answers = [(201, {"position": 6, "result": {}})]
    page = open_page()
    opened(page, address)
    fill_in(page)
    page.locator('[name="arrived_at"]').fill("2018-07-02T09:30")
    page.get_by_role("button", name="去掉 1", exact=True).press("Enter")
    page.reload()
    page.locator(READY).wait_for()
    expect(page.locator('[name="lines.0.item"]')).to_have_value("")
    page.get_by_role("button", name="派队").click()
    page.wait_for_url("**/acting?after=6")
    [(_, body)] = desk.posts
    assert body["lines"] == [{"item": "coat", "quantity": 1200, "unit_value_fen": 8550}]
    assert body["arrived_at"] == "2018-07-02T09:30:00+08:00"


def test_enter_in_a_table_goes_to_the_row_below_and_sends_nothing(
    desk: FakeDesk, address: str, open_page: OpenPage
) -> None:
    """As in a spreadsheet: the first figure of a long table was sent without the others."""
    page = open_page()
    opened(page, address)
    add = page.locator("[data-add-row]")
    add.press("Enter")
    page.locator('[name="lines.0.quantity"]').fill("300")
    page.keyboard.press("Enter")
    expect(page.locator('[name="lines.1.quantity"]')).to_be_focused()
    page.keyboard.press("Enter")
    expect(add).to_be_focused()
    page.locator('[name="counts.0.good"]').fill("299")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="派队")).to_be_focused()
    assert desk.posts == []
    expect(page.locator("#everything [data-problem]")).to_be_hidden()
    page.locator('[name="counts.0.good"]').press("Control+Enter")  # sent, from wherever one is
    expect(page.locator("#everything [data-problem]")).to_contain_text("没有提交")


def test_what_was_typed_in_a_row_is_put_back_only_in_the_row_of_the_same_thing(
    desk: FakeDesk, address: str, open_page: OpenPage
) -> None:
    """The first row of the next page is another household's: its figure once stood there."""
    page = open_page()
    good = page.locator('[name="counts.0.good"]')
    opened(page, address)
    good.fill("7")
    page.reload()
    page.locator(READY).wait_for()
    expect(good).to_have_value("7")
    desk.lot = HERE
    page.reload()
    page.locator(READY).wait_for()
    expect(good).to_have_value("300")
    expect(page.locator("[data-draft]")).to_have_count(0)


def test_a_number_inside_a_try_without_an_answer_stays_in_no_browser(
    desk: FakeDesk, address: str, open_page: OpenPage
) -> None:
    desk.answers = [(503, {}), (201, {"position": 7, "result": {}})]
    page = open_page()
    opened(page, address)
    fill_in(page)
    page.get_by_role("button", name="派队").click()
    expect(page.locator("#everything")).to_have_attribute("aria-busy", "false")
    kept = page.evaluate("JSON.stringify(sessionStorage)")
    assert "pending" in kept and "6217001234" not in kept
    page.get_by_role("button", name="派队").click()
    page.wait_for_url("**/acting?after=7")
    assert [body["card"] for _, body in desk.posts] == [{"number": "6217001234"}] * 2
    first, second = (headers["idempotency-key"] for headers, _ in desk.posts)
    assert first == second, "the same wish, with what was not kept"
