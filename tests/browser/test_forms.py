"""Forms in a real browser: exact figures, one key a form, refusals at their fields."""

import re

from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import PHONE, Check, OpenPage, Shot, until
from tests.browser.fake_desk import FakeDesk


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
    expect(page.locator("[data-told]")).to_have_text("“提交”已办理。")
    page.reload()
    expect(page.locator("[data-told]")).to_be_hidden()
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


def test_names_one_a_line_may_have_a_code_before_them(
    desk: FakeDesk, address: str, open_page: OpenPage
) -> None:
    desk.answers = [(201, {"position": 8})]
    page = open_page()
    page.goto(f"{address}/form")
    more = '<textarea name="groups" data-type="coded"></textarea>'
    page.evaluate(f"document.forms.report.insertAdjacentHTML('beforeend', '{more}')")
    fill(page, place="光明村", moved="12")
    page.locator('[name="groups"]').fill(
        "柳树组\n\n 03  三道沟 上组 \n12 组\n3组\n4 河坝组\n5 社\n"
    )
    page.get_by_role("button", name="提交").click()
    page.wait_for_url("**/form?after=8")
    [(_, body)] = desk.posts
    assert body["groups"] == [
        {"name": "柳树组"},
        {"code": "03", "name": "三道沟 上组"},
        {"name": "12 组"},
        {"name": "3组"},
        {"code": "04", "name": "河坝组"},
        {"name": "5 社"},
    ]


def test_a_list_offers_only_what_fits_the_choice_beside_it(
    address: str, open_page: OpenPage
) -> None:
    page = open_page()
    page.goto(f"{address}/form")
    lists = """
      <div class="field"><select name="kind"><option value="flood" selected>洪涝</option>
        <option value="hail">风雹</option><option value="quake">地震</option></select></div>
      <div class="field"><select name="sub" data-narrowed-by="kind">
        <option value="">其他</option>
        <optgroup><option value="flash" data-of="flood" selected>山洪</option></optgroup>
        <optgroup><option value="ice" data-of="hail">冰雹</option></optgroup></select></div>
    """
    page.evaluate("html => document.forms.report.insertAdjacentHTML('beforeend', html)", lists)
    page.evaluate(
        """async () => {
          const app = document.querySelector('script[type=module]').src;
          (await import(app.replace('app.js', 'narrow.js'))).startNarrowing();
        }"""
    )
    sub, offered = page.locator("[name=sub]"), "option:not([hidden]):not([disabled])"
    assert sub.locator(offered).all_inner_texts() == ["其他", "山洪"]
    expect(sub).to_have_value("flash")
    page.locator("[name=kind]").select_option("hail")
    assert sub.locator(offered).all_inner_texts() == ["其他", "冰雹"]
    expect(sub).to_have_value("")
    page.locator("[name=kind]").select_option("quake")
    expect(sub).to_be_hidden()


def test_a_button_pressed_before_the_scripts_have_loaded_is_not_lost(
    desk: FakeDesk, address: str, open_page: OpenPage
) -> None:
    """On a slow line the browser once sent the form by itself and showed a page of JSON."""
    desk.answers = [(201, {"position": 7})]
    page = open_page()
    held: list[Route] = []
    page.route("**/js/app.js*", lambda r: r.continue_() if held else held.append(r))
    page.goto(f"{address}/form", wait_until="commit")
    fill(page, place="光明村", moved="12")
    page.get_by_role("button", name="提交").click()
    assert desk.posts == []
    until(lambda: bool(held), page)
    held[0].continue_()
    page.wait_for_url("**/form?after=7")
    [(_, body)] = desk.posts
    assert body["place"] == "光明村"


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
    desk: FakeDesk, address: str, open_page: OpenPage, axe: Check, shot: Shot
) -> None:
    refusal = {
        "type": "/problems/malformed",
        "title": "Malformed",
        "status": 422,
        "zh": "“转移安置”的值不符合要求",
        "en": "Moved is not acceptable",
        "errors": [
            {
                "pointer": "/figures/moved",
                "zh": "与上一版相差太大，请写明原因",
                "en": "Too far from the last version: say why",
            }
        ],
    }
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


def test_a_rule_about_one_value_is_told_at_its_field_by_what_the_refusal_knows(
    desk: FakeDesk, address: str, open_page: OpenPage
) -> None:
    """Whoever presses Enter in a field goes on in it, and not at the head of the form."""
    refusal = {
        "type": "/problems/malformed",
        "title": "Malformed",
        "status": 422,
        "zh": "“地点”的值不符合要求：不能为空",
        "en": "place is not acceptable: it is required",
        "facts": {"field": "place", "value": ""},
    }
    elsewhere = {**refusal, "facts": {"field": "warehouse"}}
    desk.answers = [(422, refusal), (422, elsewhere)]
    page = open_page()
    page.goto(f"{address}/form")
    fill(page, place="某处", moved="120")
    page.get_by_role("button", name="提交").click()
    place = page.locator('[name="place"]')
    expect(place).to_be_focused()
    expect(place).to_have_accessible_description(re.compile("不能为空"))
    page.get_by_role("button", name="提交").click()
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.locator(".field-error")).to_have_count(0)


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
    fill(page, scattered="很多")
    expect(summary).to_be_hidden()
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
