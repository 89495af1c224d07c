"""The shell in a real browser: live boards that never lie, forms that never double, no barrier."""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESK, PHONE, OpenPage, Serve
from tests.browser.fake_desk import FakeDesk
from web.shell import Mark

Axe = Callable[[Page], None]
Shot = Callable[[Page, str], Path]


@pytest.fixture
def desk() -> FakeDesk:
    return FakeDesk()


@pytest.fixture
def address(desk: FakeDesk, serve: Serve) -> Iterator[str]:
    with serve(desk.app()) as url:
        yield url


def until(condition: Callable[[], bool], page: Page, seconds: float = 10) -> None:
    """Wait for something on the server's side while the browser goes on."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        page.wait_for_timeout(20)


# ---- live boards ---------------------------------------------------------------------------


def test_a_board_changes_by_itself_and_says_where_it_stands(
    desk: FakeDesk, address: str, open_page: OpenPage
) -> None:
    page = open_page()
    page.goto(f"{address}/board")
    expect(page.locator("[data-live-state]")).to_have_text("实时")
    expect(page.locator("#row-1")).to_contain_text("1,200")
    position = desk.change(0, affected=1350, state="accepted")
    expect(page.locator("#row-1")).to_contain_text("1,350", timeout=1_000)
    expect(page.locator("#row-1")).to_contain_text("已采用")
    expect(page.locator("[data-live-position]")).to_have_text(str(position))
    expect(page.locator("[data-live-lag]")).to_have_text("0")
    expect(page.locator("[data-live-as-of]")).to_have_text("14:05:12")
    expect(page.locator("[data-live-age]")).to_have_text("刚刚")
    expect(page.locator("#row-1")).to_have_class(re.compile("is-fresh"))
    expect(page.locator("#row-2")).not_to_have_class(re.compile("is-fresh"))
    assert desk.asked_after == [str(position)]


def test_the_first_connection_starts_where_the_page_was_rendered(
    desk: FakeDesk, address: str, open_page: OpenPage
) -> None:
    page = open_page()
    page.goto(f"{address}/board")
    until(lambda: desk.resumed_from == ["100"], page)


def test_a_storm_of_changes_is_one_refresh_per_300_ms(
    desk: FakeDesk, address: str, open_page: OpenPage
) -> None:
    page = open_page()
    page.goto(f"{address}/board")
    expect(page.locator("[data-live-state]")).to_have_text("实时")
    started = time.monotonic()
    for n in range(30):
        desk.change(0, affected=2000 + n)
        page.wait_for_timeout(30)
    expect(page.locator("#row-1")).to_contain_text("2,029")
    elapsed = time.monotonic() - started
    assert 1 <= len(desk.asked_after) <= elapsed / 0.3 + 2


def test_a_change_during_a_refresh_is_fetched_next_and_is_no_failure(
    desk: FakeDesk, address: str, open_page: OpenPage
) -> None:
    desk.slow_fragments = 0.5
    page = open_page()
    page.goto(f"{address}/board")
    expect(page.locator("[data-live-state]")).to_have_text("实时")
    page.evaluate(
        """() => { window.alarms = 0;
             const alarm = document.querySelector("[data-live-alarm]");
             new MutationObserver(() => { if (!alarm.hidden) window.alarms += 1; })
               .observe(alarm, { attributes: true }); }"""
    )
    desk.change(0, affected=7)
    until(lambda: len(desk.asked_after) == 1, page)
    position = desk.change(0, affected=8)
    expect(page.locator("#row-1 td.num").first).to_have_text("8")
    expect(page.locator("[data-live-position]")).to_have_text(str(position))
    assert len(desk.asked_after) == 2
    assert page.evaluate("window.alarms") == 0


def test_a_silent_stream_is_told_within_its_threshold_and_taken_back_when_it_speaks(
    desk: FakeDesk, address: str, open_page: OpenPage, axe: Axe, shot: Shot
) -> None:
    desk.silent_ms = 1_000
    page = open_page(PHONE)
    page.goto(f"{address}/board")
    alarm = page.locator("[data-live-alarm]")
    expect(page.locator("[data-live-state]")).to_have_text("实时")
    expect(alarm).to_be_hidden()
    desk.beating = False
    expect(alarm).to_be_visible(timeout=3_000)
    expect(alarm).to_contain_text("实时更新中断")
    expect(alarm).to_contain_text(re.compile(r"已 \d+ 秒没有消息"))
    expect(page.locator("[data-live-state]")).to_have_text("中断")
    expect(page.locator("[data-live-age]")).to_have_text(re.compile(r"\d+ 秒前"))
    axe(page)
    shot(page, "silent-phone")
    until(lambda: len(desk.resumed_from) > 1, page)  # a dumb connection is tried anew
    desk.beating = True
    expect(alarm).to_be_hidden()
    expect(page.locator("[data-live-state]")).to_have_text("实时")


def test_the_threshold_is_ten_seconds_where_nothing_else_is_said() -> None:
    macros = Path(__file__).parents[2] / "web" / "templates" / "macros.html"
    assert "silent_ms=10000" in macros.read_text(encoding="utf-8")


def test_after_a_cut_the_board_resumes_with_the_last_event_id_and_misses_nothing(
    desk: FakeDesk, address: str, open_page: OpenPage
) -> None:
    page = open_page()
    page.goto(f"{address}/board")
    position = desk.change(1, affected=421)
    expect(page.locator("#row-2")).to_contain_text("421")
    desk.stream_status = 503  # a server that restarts: EventSource would give up here
    desk.dropped += 1
    desk.change(1, affected=555)
    until(lambda: len(desk.resumed_from) >= 3, page)
    assert set(desk.resumed_from[1:]) == {str(position)}
    desk.stream_status = 200
    expect(page.locator("#row-2")).to_contain_text("555")
    expect(page.locator("[data-live-position]")).to_have_text(str(position + 1))


def test_figures_that_could_not_be_fetched_are_not_called_current(
    desk: FakeDesk, address: str, open_page: OpenPage
) -> None:
    page = open_page()
    page.goto(f"{address}/board")
    expect(page.locator("[data-live-state]")).to_have_text("实时")
    desk.broken_fragments = 3
    position = desk.change(0, affected=9)
    expect(page.locator("[data-live-alarm]")).to_contain_text("刷新失败")
    expect(page.locator("[data-live-position]")).to_have_text("100")
    expect(page.locator("[data-live-lag]")).to_have_text("1")
    expect(page.locator("[data-live-position]")).to_have_text(str(position))
    expect(page.locator("[data-live-alarm]")).to_be_hidden()
    assert len(desk.asked_after) == 4


def test_a_lost_session_is_said_and_not_retried(
    desk: FakeDesk, address: str, open_page: OpenPage
) -> None:
    desk.stream_status = 401
    page = open_page()
    page.goto(f"{address}/board?lang=en")
    expect(page.locator("[data-live-alarm]")).to_contain_text("Your session has ended")
    expect(page.get_by_role("link", name="Log in again")).to_be_visible()
    page.wait_for_timeout(1_500)
    assert len(desk.resumed_from) == 1


def test_a_page_nobody_sees_gives_its_connection_back(
    desk: FakeDesk, address: str, open_page: OpenPage
) -> None:
    page = open_page()
    page.goto(f"{address}/board")
    until(lambda: desk.streams == 1, page)
    show(page, hidden=True)
    until(lambda: desk.streams == 0, page)
    desk.change(2, affected=96)
    show(page, hidden=False)
    expect(page.locator("#row-3")).to_contain_text("96")


def show(page: Page, *, hidden: bool) -> None:
    page.evaluate(
        """hidden => {
             Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
             document.dispatchEvent(new Event("visibilitychange"));
           }""",
        hidden,
    )


def test_the_stream_parser_reads_events_cut_anywhere(address: str, open_page: OpenPage) -> None:
    page = open_page()
    page.goto(f"{address}/login")
    events = page.evaluate(
        """async () => {
             const { EventParser } = await import("/static/js/sse.js");
             const stream = "\\uFEFF: hi\\r\\nevent: change\\r\\nid: 7\\r\\n"
               + "data: 灾\\r\\ndata:情\\r\\n\\r\\n"
               + "data\\n\\nid: 8\\n\\nevent: lost\\n\\rdata: x\\r\\rretry: 20\\ndata: half";
             const results = [];
             for (let size = 1; size <= stream.length; size++) {
               const events = [];
               const parser = new EventParser({
                 onEvent: (e) => events.push([e.type, e.data, e.id]),
                 onRetry: (n) => events.push(n),
               });
               for (let at = 0; at < stream.length; at += size) {
                 parser.feed(stream.slice(at, at + size));
               }
               results.push(JSON.stringify(events));
             }
             return [...new Set(results)];
           }"""
    )
    expected = '[["change","灾\\n情","7"],["message","","7"],["message","x","8"],20]'
    assert events == [expected]


# ---- forms ---------------------------------------------------------------------------------


def fill(page: Page, **values: str) -> None:
    for name, value in values.items():
        page.locator(f'[name="{name}"], [name="figures.{name}"]').fill(value)


def test_a_form_becomes_a_command_with_token_key_and_exact_figures(
    desk: FakeDesk, address: str, open_page: OpenPage
) -> None:
    desk.answers = [(201, {"position": 123})]
    page = open_page()
    page.goto(f"{address}/form")
    fill(page, place="光明村", moved="１２", central="5", loss="1,234.50", spent="0.29")
    page.locator('[name="occurred_at"]').fill("2018-07-03T14:05")
    page.get_by_role("button", name="提交").click()
    page.wait_for_url("**/form?after=123")
    [(headers, body)] = desk.posts
    assert headers["x-csrf-token"] == "token-1"
    assert re.fullmatch(r"[0-9a-f-]{36}", headers["idempotency-key"])
    assert re.fullmatch(r"[0-9a-f-]{36}", body.pop("id"))
    assert body == {
        "place": "光明村",
        "figures": {"moved": 12, "central": 5, "scattered": None, "loss": "1234.50"},
        "spent": 29,
        "occurred_at": "2018-07-03T14:05:00+08:00",
    }


def test_a_retry_after_no_answer_repeats_the_key_even_after_a_reload(
    desk: FakeDesk, address: str, open_page: OpenPage
) -> None:
    desk.answers = [(503, {}), (201, {"position": 1}), (201, {"position": 2})]
    page = open_page()
    page.goto(f"{address}/form")
    fill(page, place="光明村", moved="12")
    page.get_by_role("button", name="提交").click()
    expect(page.get_by_role("alert")).to_contain_text("不会重复入账")
    page.reload()
    expect(page.locator('[name="place"]')).to_have_value("光明村")
    page.get_by_role("button", name="提交").click()
    page.wait_for_url("**/form?after=1")
    expect(page.locator('[name="place"]')).to_have_value("")
    fill(page, place="光明村")
    page.get_by_role("button", name="提交").click()
    page.wait_for_url("**/form?after=2")
    first, second, third = desk.posts
    assert first[0]["idempotency-key"] == second[0]["idempotency-key"]
    assert first[1] == second[1]
    assert third[0]["idempotency-key"] != first[0]["idempotency-key"]
    assert third[1]["id"] != first[1]["id"]


def test_a_dead_network_keeps_what_was_typed_and_the_key(
    desk: FakeDesk, address: str, open_page: OpenPage
) -> None:
    desk.answers = [(201, {"position": 1})]
    page = open_page(PHONE)
    page.goto(f"{address}/form")
    fill(page, place="光明村")
    page.context.set_offline(True)
    page.get_by_role("button", name="提交").click()
    expect(page.get_by_role("alert")).to_contain_text("网络不通")
    expect(page.locator('[name="place"]')).to_have_value("光明村")
    page.context.set_offline(False)
    page.get_by_role("button", name="提交").click()
    page.wait_for_url("**/form?after=1")
    assert len(desk.posts) == 1


def test_a_refusal_is_told_at_its_field_and_the_next_try_is_a_new_command(
    desk: FakeDesk, address: str, open_page: OpenPage, axe: Axe, shot: Shot
) -> None:
    refusal = {
        "type": "/problems/malformed", "title": "Malformed", "status": 422,
        "zh": "“转移安置”的值不符合要求", "en": "Moved is not acceptable",
        "errors": [{"pointer": "/figures/moved", "zh": "与上一版相差太大，请写明原因",
                    "en": "Too far from the last version: say why"}],
    }  # fmt: skip
    desk.answers = [(422, refusal), (201, {"position": 1})]
    page = open_page(PHONE)
    page.goto(f"{address}/form")
    fill(page, place="光明村", moved="120")
    page.get_by_role("button", name="提交").click()
    expect(page.get_by_role("alert")).to_contain_text("转移安置")
    moved = page.locator('[name="figures.moved"]')
    expect(moved).to_have_attribute("aria-invalid", "true")
    expect(moved).to_have_accessible_description(re.compile("集中安置.*与上一版相差太大"))
    expect(moved).to_be_focused()
    axe(page)
    shot(page, "form-refused-phone")
    page.get_by_role("button", name="提交").click()
    page.wait_for_url("**/form?after=1")
    first, second = desk.posts
    assert first[0]["idempotency-key"] != second[0]["idempotency-key"]
    assert first[1]["id"] == second[1]["id"]


def test_a_figure_that_is_none_is_told_before_it_is_sent(
    desk: FakeDesk, address: str, open_page: OpenPage
) -> None:
    page = open_page()
    page.goto(f"{address}/form?lang=en")
    fill(page, place="x", moved="about 12", spent="1.234")
    page.get_by_role("button", name="提交").click()
    expect(page.get_by_role("alert")).to_contain_text("Not sent")
    expect(page.locator(".field-error")).to_have_count(2)
    assert desk.posts == []


def test_arithmetic_is_asked_about_as_it_is_typed_and_never_blocks(
    desk: FakeDesk, address: str, open_page: OpenPage, shot: Shot
) -> None:
    desk.answers = [(201, {"position": 1})]
    page = open_page()
    page.goto(f"{address}/form")
    summary = page.locator("[data-rules-summary]")
    expect(summary).to_be_hidden()
    fill(page, place="光明村", moved="12", central="5")
    expect(summary).to_have_text("数字勾稽一致")  # one part is not known yet
    fill(page, scattered="6")
    expect(page.locator('[data-rule="moved"]')).to_contain_text("12 对 5 + 6")
    expect(summary).to_contain_text("1 处")
    fill(page, scattered="7")
    expect(page.locator('[data-rule="moved"]')).to_have_count(0)
    fill(page, scattered="", central="13")
    expect(page.locator("[data-rule]")).to_have_count(2)
    shot(page, "form-questioned-desk")
    page.get_by_role("button", name="提交").click()
    page.wait_for_url("**/form?after=1")
    assert desk.posts[0][1]["figures"]["central"] == 13


def test_log_in_works_without_scripts(desk: FakeDesk, address: str, open_page: OpenPage) -> None:
    page = open_page(PHONE, java_script_enabled=False)
    page.goto(f"{address}/login")
    page.get_by_label("登录名").fill("cun-1")
    page.get_by_label("密码").fill("secret")
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_role("alert")).to_contain_text("登录名或密码不对")
    assert desk.posts[0][1]["name"] == "cun-1"


# ---- keyboard, paper, eyes -------------------------------------------------------------------


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


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [PHONE, DESK])
def test_every_page_is_open_to_everybody(
    desk: FakeDesk, address: str, open_page: OpenPage, axe: Axe, shot: Shot, width: int, dark: bool
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
