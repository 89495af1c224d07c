"""A sample of `make looks`, and that its ruler sees what is wrong."""

from collections.abc import Iterator
from itertools import islice

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import OpenPage, Serve
from tests.browser.looks import (
    VIEWS,
    Finding,
    enter,
    looked_at,
    name_of,
    opened,
    summary,
)
from tests.web.relief_desk import RunningDemo, running_demo

SAMPLE = (
    ("county-approver", "/"),
    ("county-approver", "/situation"),
    ("county-approver", "/ledger"),
    ("county-approver", "/design"),
    ("taihu-approver", "/stock/consignments"),
    ("yuantan-shuangfeng-a", "/report/new"),
)
"""Home, a board, a long table, all components, an empty list, a long form."""


CARD = """<table class="cards"><tbody><tr><th scope="row">余井镇</th>
<td data-label="采用的版本"><span>第 5 版 核报 <time>2018-07-08 00:00</time></span></td>
<td data-label="受灾" class="num">403</td></tr></tbody></table>"""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDemo]:
    with running_demo(tmp_path_factory.mktemp("demo")) as one:
        yield one


@pytest.fixture(scope="module")
def server(demo: RunningDemo, module_serve: Serve) -> Iterator[str]:
    with module_serve(demo.app()) as address:
        yield address


def test_a_sample_of_pages_is_good_to_look_at(chromium: Browser, server: str) -> None:
    """Each page at two views; all twelve views come up among them."""
    views = iter(VIEWS)
    found: list[Finding] = []
    looked: set[tuple[int, str, str]] = set()
    for officer, address in SAMPLE:
        for width, language, theme in islice(views, 2):
            context = chromium.new_context(
                viewport={"width": width, "height": 900},
                color_scheme="dark" if theme == "dark" else "light",
                locale="zh-CN",
                reduced_motion="reduce",
            )
            page = context.new_page()
            enter(page, server, officer)
            assert opened(page, server, address, language)
            found += looked_at(page, address, officer)
            looked.add((width, language, theme))
            context.close()
    assert not found, summary(found)
    assert looked == set(VIEWS)


def test_what_is_not_reviewed_fits_its_tile_and_no_date_breaks_at_its_hyphen(
    open_page: OpenPage, server: str
) -> None:
    """The English board of one disaster was wider than 1440 px; on a phone a date read 2018-12-."""
    page: Page = open_page(1440)
    enter(page, server, "county-approver")
    opened(page, server, "/situation", "en")
    of_rain = page.locator("#disaster option", has_text="9月暴雨").get_attribute("value")
    opened(page, server, f"/situation?disaster={of_rain}", "en")
    found = list(looked_at(page, "/situation?disaster", "county-approver"))
    page.set_viewport_size({"width": 375, "height": 812})
    opened(page, server, "/report/new", "zh")
    found += looked_at(page, "/report/new", "county-approver")
    page.evaluate(
        "card => document.querySelector('main').insertAdjacentHTML('beforeend', card)", CARD
    )
    found += looked_at(page, "a card of a disaster's places", "county-approver")
    assert not found, summary(found)


def test_the_english_ledger_fits_a_tablet_and_breaks_no_head_of_a_column(
    open_page: OpenPage, server: str
) -> None:
    """It was 32 px wider than a window of 768 px."""
    page: Page = open_page(768)
    enter(page, server, "county-approver")
    opened(page, server, "/ledger", "en")
    found = list(looked_at(page, "/ledger", "county-approver"))
    assert not found, summary(found)
    heads = page.locator("[data-rows] thead th")
    assert heads.count() == 8
    one_line = page.evaluate(
        "() => [...document.querySelectorAll('[data-rows] thead th:not(.num)')].map(e => {"
        " const r = document.createRange(); r.selectNodeContents(e);"
        " return r.getClientRects().length; })"
    )
    assert set(one_line) == {1}, "each of these is one word"


BROKEN = {
    "wide": "<div style='width: 2000px'>宽</div>",
    "clipped": "<p style='width: 5rem; overflow: hidden; white-space: nowrap'>一二三四五六七八</p>",
    "small": "<button style='min-height: 0; height: 20px'>小</button>",
    "over": "<p style='margin: 0'>第一行的字</p><p style='margin: -1.4em 0 0'>第二行的字</p>",
    "axe color-contrast": "<p style='color: #bbb; background: #fff'>看不清</p>",
}


@pytest.mark.parametrize("kind", BROKEN)
def test_the_ruler_sees_what_is_wrong(open_page: OpenPage, server: str, kind: str) -> None:
    page: Page = open_page(375, bypass_csp=True)
    enter(page, server, "county-payer")
    opened(page, server, "/help", "zh")
    assert [one.kind for one in looked_at(page, "/help", "county-payer")] == []
    page.evaluate(
        "html => document.querySelector('main').insertAdjacentHTML('beforeend', html)", BROKEN[kind]
    )
    assert kind in {one.kind for one in looked_at(page, "/help", "county-payer")}


def test_a_summary_names_each_thing_once() -> None:
    one = Finding("/a", "auditor", 375, "zh", "light", "small", "<a>7</a>")
    other = Finding("/b", "auditor", 768, "en", "dark", "small", "<a>8</a>")
    assert summary([one, other]).splitlines() == [
        "small: 1",
        "  /a (auditor, 375 px, zh, light) <a>7</a>",
    ]
    assert name_of("/lists/00000000-0000-0000-0000-000000000000?x=1") == "lists-one-x"


def test_where_several_fields_are_wrong_the_summary_leads_to_each(
    open_page: OpenPage, server: str
) -> None:
    page = open_page(375)
    enter(page, server, "county-payer")
    opened(page, server, "/design", "zh")
    form = page.locator("#forms form")
    form.get_by_role("button", name="下达调拨令").click()
    ways = form.locator("[data-problem] li a")
    wrong = form.locator("[aria-invalid=true]")
    expect(ways).to_have_count(wrong.count())
    assert wrong.count() > 3
    ways.nth(2).click()
    expect(wrong.nth(2)).to_be_focused()
    assert wrong.first.evaluate("e => getComputedStyle(e).borderTopWidth") == "2px"
    expect(page).to_have_url(f"{server}/design?lang=zh")
