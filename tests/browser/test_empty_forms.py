"""Who sends a form with nothing in it is told what is missing by the words of that very form.

"This field is required" stood above the form without the field's name, and what the server calls
a field is not always what the form calls it.
"""

import msgspec
import pytest
from playwright.sync_api import Page, expect

from api.problems import ApiProblem
from api.routes_writes import WRITES
from domain.field_names import field_name
from domain.refusal import missing
from eventstore.outcomes import problem_of
from tests.browser.conftest import OpenPage
from tests.browser.fake_desk import NOON, FakeDesk
from tests.browser.fake_forms import COMMANDS, all_forms
from web.acting import Act
from web.asking import UNSEEN, Ask

WRITE = {write.command: write for write in WRITES}
TOLD = """
async (answers) => {
  const { showProblem } = await import("/static/js/problem.js");
  return answers.map(({ id, problem }) => {
    const form = document.getElementById(id);
    showProblem(form, problem);
    const box = form.querySelector("[data-problem]");
    return [...box.querySelectorAll("li")].map((one) => one.textContent);
  });
}
"""
SAID = TOLD.replace(
    '[...box.querySelectorAll("li")].map((one) => one.textContent)', "box.textContent"
)


def empty_answer(command: type) -> list[dict[str, str]]:
    """What the server finds in a body that says nothing."""
    write = WRITE[command]
    ids = dict.fromkeys(write.in_path, "1")
    try:
        write.parse(b"{}", ids)
    except ApiProblem as problem:
        return [error for error in problem.errors or [] if error["field"] not in ids]
    return []


def shown(act: Act) -> dict[str, Ask]:
    """The fields that somebody fills in, by name; of a table and a group the whole."""
    asks = [*act.asks, *filter(None, [act.press])]
    return {one.name: one for one in asks if one.draw not in UNSEEN}


def opened(open_page: OpenPage, address: str, language: str) -> Page:
    page = open_page()
    page.goto(f"{address}/forms?lang={language}")
    page.locator("form[data-ready]").last.wait_for()
    return page


@pytest.mark.parametrize("language", ["zh", "en"])
def test_what_the_server_misses_is_named_as_the_form_names_it(
    desk: FakeDesk, address: str, open_page: OpenPage, language: str
) -> None:
    forms = all_forms(NOON, language)
    answers = [
        {"id": act.id, "problem": {"zh": "有误", "en": "wrong", "errors": empty_answer(command)}}
        for command, act in zip(COMMANDS, forms, strict=True)
    ]
    told = opened(open_page, address, language).evaluate(TOLD, answers)
    wrong, looked_at = [], 0
    for act, answer, lines in zip(forms, answers, told, strict=True):
        asked = shown(act)
        errors = [one for one in answer["problem"]["errors"] if one["field"] in asked]  # type: ignore[index]
        wanted = [f"{asked[one['field']].label}：{one['zh']}" for one in errors]
        if language == "en":
            wanted = [f"{asked[one['field']].label}: {one['en']}" for one in errors]
        looked_at += len(wanted)
        wrong += [f"{act.command}: {one} not in {lines}" for one in wanted if one not in lines]
    assert not wrong, "\n".join(wrong)
    assert looked_at > 150, "the forms ask for something"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_rule_about_one_field_calls_it_as_the_form_does(
    desk: FakeDesk, address: str, open_page: OpenPage, language: str
) -> None:
    forms = all_forms(NOON, language)
    answers, labels = [], []
    for act in forms:
        for name, ask in shown(act).items():
            said = problem_of(missing(name))
            names = {f"name_{one}": field_name(name, one) for one in ("zh", "en")}
            problem = {**msgspec.to_builtins(said), **names}
            answers.append({"id": act.id, "problem": problem})
            labels.append((act.command, ask.label))
    told = opened(open_page, address, language).evaluate(SAID, answers)
    wrong = [
        f"{command}: {label} not in {line}"
        for (command, label), line in zip(labels, told, strict=True)
        if label not in line
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_form_sent_empty_names_all_that_is_to_be_filled_in_at_once(
    desk: FakeDesk, address: str, open_page: OpenPage, language: str
) -> None:
    """Without asking the server, which would name them one after the other."""
    page = opened(open_page, address, language)
    wrong, looked_at = [], 0
    for act in all_forms(NOON, language):
        asks = [one for one in shown(act).values() if one.required and one is not act.press]
        typed = {"line", "text", "int", "decimal", "money", "date", "datetime", "list"}
        empty = [one.label for one in asks if one.draw in typed and not one.value]
        if not empty:
            continue
        form = page.locator(f"form[id='{act.id}']")
        form.locator("button[type=submit]").first.click()
        box = form.locator("[data-problem]")
        expect(box).to_be_visible()
        lines = box.locator("li").all_inner_texts()
        looked_at += len(empty)
        wrong += [
            f"{act.command}: {label} is in {lines}"
            for label in empty
            if sum(
                line in (f"{label}：请填写此项", f"{label}: Please fill this in") for line in lines
            )
            != 1
        ]
    assert not wrong, "\n".join(wrong)
    assert looked_at > 60
    assert desk.posts == []


def test_a_cell_is_told_by_its_table_its_row_and_its_column(
    desk: FakeDesk, address: str, open_page: OpenPage
) -> None:
    page = opened(open_page, address, "zh")
    form = page.locator("#request-consignment")
    for _ in range(1):
        form.locator("[data-add-row]").click()
    fields = {"zh": "缺少此项", "en": "This field is required.", "field": "lines.1.quantity"}
    answer = {"id": "request-consignment", "problem": {"zh": "有误", "errors": [fields]}}
    [[line]] = page.evaluate(TOLD, [answer])
    assert line == "要什么、要多少，第 2 行·数量：缺少此项"
    said = problem_of(missing("lines[1].quantity"))
    names = {f"name_{one}": field_name("lines[1].quantity", one) for one in ("zh", "en")}
    rule = {"id": "request-consignment", "problem": {**msgspec.to_builtins(said), **names}}
    [sentence] = page.evaluate(SAID, [rule])
    assert "要什么、要多少，第 2 行·数量" in sentence
    expect(form.locator('[name="lines.1.quantity"]')).to_be_focused()
