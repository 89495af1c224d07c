"""Ledger, households, stock, lists and the dispatch board in a real browser, on the small demo."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from playwright.sync_api import Page, expect

from domain.commands.incidents import CloseIncident, OpenIncident, TriageIncident
from domain.incident import IncidentKind, Severity
from projections.asking.ledger_books import ledger
from projections.asking.ledger_sums import ledger_totals
from projections.asking.scope import EVERYTHING
from tests.browser.conftest import DESK, PHONE, Check, OpenPage, Serve, Shot
from tests.web.relief_desk import PASSWORD, RunningDemo, running_demo, spelled


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[RunningDemo]:
    with running_demo(tmp_path) as one:
        yield one


@pytest.fixture
def server(demo: RunningDemo, serve: Serve) -> Iterator[str]:
    with serve(demo.app()) as address:
        yield address


def enter(page: Page, server: str, name: str) -> None:
    page.goto(f"{server}/login")
    page.get_by_label("登录名").fill(name)
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_role("button", name="退出登录")).to_be_visible()


def opened(demo: RunningDemo, place: str) -> UUID:
    """An incident in the county, opened by its dispatcher a moment ago."""
    incident = uuid4()
    officer = demo.system.officer(demo.officers["dispatcher"])
    assert officer is not None
    area = next(iter(officer.appointments.values())).area
    command = OpenIncident(
        incident=incident,
        area=area,
        place=place,
        kind=IncidentKind.TRAPPED,
        severity=Severity.SEVERE,
        occurred_at=demo.now,
    )
    demo.run(command, by="dispatcher")
    return incident


def season_2017(page: Page, server: str) -> None:
    page.goto(f"{server}/ledger")
    page.get_by_role("link", name="2017–2018").click()


def test_a_household_is_found_by_initials_and_its_whole_history_is_read(
    demo: RunningDemo, server: str, open_page: OpenPage
) -> None:
    with demo.system.reader() as db:
        one = ledger(db, EVERYTHING, year=2017, limit=1).items[0]
        totals = ledger_totals(db, EVERYTHING, year=2017)
    assert totals is not None
    store = demo.system.store
    store.effects.until(store.head(), 60)
    initials = spelled(store, UUID(one["head"]))["initials"]
    page = open_page()
    enter(page, server, "county-approver")
    season_2017(page, server)
    expect(page.locator(".total").first).to_contain_text(
        f"{totals['granted']['cash_fen'] // 100:,}.00 元"
    )
    expect(page.locator("[data-keys-footer]")).to_be_visible()
    rows = page.locator("#ledger-rows [data-row]")
    before = rows.count()
    page.keyboard.press("/")
    page.keyboard.type(initials, delay=20)
    row = page.locator(f"#case-{one['id']}")
    expect(rows).not_to_have_count(before)
    expect(row).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(page.locator('[data-row][aria-current="true"]')).to_be_visible()
    row.locator("a[href^='/households/']").click()
    expect(page.get_by_role("heading", name="全部经过")).to_be_visible()
    story = page.locator(".story")
    for words in ("登记本户", "户报：需救助", "乡审通过", "县定，文号"):
        expect(story).to_contain_text(words)
    story.get_by_role("link", name="看名册").first.click()
    expect(page.locator(".way")).to_contain_text("乡审")


def test_the_filter_changes_the_rows_without_a_new_page(server: str, open_page: OpenPage) -> None:
    page = open_page()
    enter(page, server, "county-approver")
    page.goto(f"{server}/ledger")
    expect(page.locator("[data-keys-footer]")).to_be_visible()
    before = page.locator("#ledger-rows [data-row]").count()
    page.get_by_label("状态", exact=True).select_option("delivered")
    rows = page.locator("#ledger-rows [data-row]")
    arrived = rows.filter(has_text="已到户")
    expect(rows).not_to_have_count(before)
    expect(arrived).to_have_count(rows.count())
    expect(arrived.first).to_be_visible()


def test_the_dispatch_board_changes_by_itself_and_is_steered_by_big_buttons(
    demo: RunningDemo, server: str, open_page: OpenPage, axe: Check, shot: Shot
) -> None:
    watching = open_page(DESK)
    enter(watching, server, "county-approver")
    watching.goto(f"{server}/dispatch")
    expect(watching.locator("[data-live-state]")).to_have_text("实时")
    phone = open_page(PHONE)
    enter(phone, server, "dispatcher")
    phone.goto(f"{server}/dispatch")
    expect(phone.locator("[data-live-state]")).to_have_text("实时")

    incident = opened(demo, "河湾组老桥头")
    seen = watching.locator(f"#incident-{incident}")
    expect(seen).to_contain_text("河湾组老桥头", timeout=1_500)
    expect(seen).to_contain_text("待分级")

    phone.locator(f"#incident-{incident}").get_by_role("link", name="分级").click()
    phone.locator("#triage-incident[data-ready]").get_by_role("button", name="1 特急").click()
    expect(phone.locator("#incident-state")).to_contain_text("待派")
    expect(seen).to_contain_text("特急")
    shot(phone, "incident-phone")
    phone.locator("#assign-unit[data-ready] button").first.click()
    expect(phone.locator("#incident-state")).to_contain_text("已派，待接令")
    expect(seen).to_contain_text("已派，待接令")

    phone.goto(f"{server}/dispatch")
    for button, after in (("接令", "已接令"), ("出发", "途中"), ("到场", "已到场")):
        ready = phone.locator(f"#incident-{incident} form[data-ready]")
        ready.get_by_role("button", name=button).click()
        expect(phone.locator(f"#incident-{incident}")).to_contain_text(after)
        expect(seen).to_contain_text(after)
        expect(phone).to_have_url(f"{server}/dispatch")
    for page, name in ((phone, "phone"), (watching, "desk")):
        axe(page)
        shot(page, f"dispatch-{name}")
    expect(seen.get_by_role("button")).to_have_count(0)  # a county approver only watches

    phone.goto(f"{server}/dispatch/incidents/{incident}")
    phone.get_by_label("处置结果").fill("3 人已安全转移")
    phone.locator("#resolve-incident[data-ready]").get_by_role("button", name="处置完毕").click()
    expect(phone.locator("#incident-state")).to_contain_text("处置完毕")
    expect(seen).to_have_count(0)


def test_an_incident_is_opened_from_a_phone(server: str, open_page: OpenPage) -> None:
    page = open_page(PHONE)
    enter(page, server, "dispatcher")
    page.goto(f"{server}/dispatch")
    page.get_by_role("link", name="登记险情").click()
    page.get_by_text("房屋倒塌").click()
    page.get_by_label("具体地点").fill("双峰居委会东头")
    page.locator("#open-incident[data-ready]").get_by_role("button", name="登记险情").click()
    expect(page.locator(".incident", has_text="双峰居委会东头")).to_contain_text("待分级")


def test_who_opens_an_incident_sees_what_is_open_there_already(
    demo: RunningDemo, server: str, open_page: OpenPage
) -> None:
    """The guide said so, and the page showed nothing."""
    incident = opened(demo, "县城河堤")
    page = open_page()
    enter(page, server, "dispatcher")
    page.goto(f"{server}/dispatch/new")
    near = page.locator("[data-near]")
    expect(near).to_contain_text("是同一起吗")
    expect(near.get_by_role("link", name="县城河堤")).to_have_attribute(
        "href", f"/dispatch/incidents/{incident}"
    )
    page.get_by_label("所在村（社区）").select_option("源潭镇")
    expect(near).to_be_hidden()


def test_a_refusal_is_said_where_the_button_was_pressed(
    demo: RunningDemo, server: str, open_page: OpenPage
) -> None:
    incident = opened(demo, "无人到场处")
    page = open_page()
    enter(page, server, "dispatcher")
    page.goto(f"{server}/dispatch/incidents/{incident}")
    folded = page.locator("#escalate-incident[data-ready]")
    page.locator("summary", has_text="提请上级负责").click()
    folded.get_by_role("button", name="提请上级负责").click()
    expect(folded.locator("[data-problem]")).to_be_visible()


def test_enter_in_a_note_chooses_no_priority_for_anybody(
    demo: RunningDemo, server: str, open_page: OpenPage
) -> None:
    """A browser presses the first button of a form: the call became one of the first priority."""
    incident = opened(demo, "按键登记处")
    page = open_page()
    enter(page, server, "dispatcher")
    page.goto(f"{server}/dispatch/incidents/{incident}")
    form = page.locator("#triage-incident[data-ready]")
    form.locator("[name=note]").fill("两人在屋顶")
    page.keyboard.press("Enter")
    expect(form.get_by_role("button", name="1 特急")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#incident-state")).to_contain_text("紧急")
    expect(page.locator("#incident-state")).not_to_contain_text("特急")
    expect(page.locator("[data-told]")).to_have_text("险情已分级（2 紧急）。")


def test_a_step_that_is_over_leads_to_what_may_be_done_now(
    demo: RunningDemo, server: str, open_page: OpenPage
) -> None:
    """A second tab was told that the incident is closed, and left there."""
    incident = opened(demo, "另一页已归档")
    page = open_page()
    enter(page, server, "dispatcher")
    page.goto(f"{server}/dispatch/incidents/{incident}")
    form = page.locator("#triage-incident[data-ready]")
    demo.run(TriageIncident(incident=incident, priority=4), by="dispatcher")
    demo.run(CloseIncident(incident=incident, reason="误报"), by="dispatcher")
    form.get_by_role("button", name="1 特急").click()
    problem = form.locator("[data-problem]")
    expect(problem).to_contain_text("已办结")
    expect(form.get_by_role("button", name="1 特急")).to_have_text("1 特急")
    problem.get_by_role("button", name="查看现在可以办理的").click()
    expect(page.locator("#triage-incident")).to_have_count(0)


def test_forms_that_a_foreign_change_made_old_say_so_and_lose_nothing(
    demo: RunningDemo, server: str, open_page: OpenPage
) -> None:
    incident = opened(demo, "别人先分了级")
    page = open_page()
    enter(page, server, "dispatcher")
    page.goto(f"{server}/dispatch/incidents/{incident}")
    expect(page.locator("[data-live-state]")).to_have_text("实时")
    note = page.locator("#triage-incident[data-ready] [name=note]")
    note.fill("两人在屋顶")
    expect(page.locator("[data-acts-stale]")).to_be_hidden()
    demo.run(TriageIncident(incident=incident, priority=1), by="dispatcher")
    expect(page.locator("[data-acts-stale]")).to_be_visible()
    expect(note).to_have_value("两人在屋顶")
    page.get_by_role("link", name="查看现在可以办理的").click()
    expect(page.locator("#assign-unit[data-ready]")).to_be_visible()
    expect(note).to_have_value("两人在屋顶")


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_every_page_is_open_to_everybody_and_fits(
    server: str, open_page: OpenPage, axe: Check, shot: Shot, width: int
) -> None:
    page = open_page(width)
    enter(page, server, "county-approver")
    paths = [
        "/dispatch/past",
        "/stock",
        "/stock/consignments",
        "/funds",
        "/ledger",
        "/ledger/paper",
        "/lists",
        "/notices",
        "/findings",
    ]
    for path in paths:
        page.goto(server + path)
        address = page.locator("main [data-row] a").first
        look(page, axe, shot, width)
        if address.count() and path != "/findings":
            page.goto(server + str(address.get_attribute("href")))
            look(page, axe, shot, width)


def look(page: Page, axe: Check, shot: Shot, width: int) -> None:
    expect(page.locator("h1")).to_be_visible()
    axe(page)
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width, f"{page.url} is {wide} px wide"
    shot(page, f"relief-{'-'.join(page.url.split('/')[3:5]).partition('?')[0]}-{width}")
