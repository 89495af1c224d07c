"""A county that has nothing begins from the example that comes with the program."""

import html
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient

from domain.commands.rulebooks import AdoptRulebookFile, ConfirmRulebook
from domain.commands.seasons import OpenSeason
from domain.rulebook import Rulebook
from domain.rules.base import china_day
from domain.rules.loading import RulebookInvalid, parse_rulebook
from domain.rules.thresholds import Thresholds
from eventstore import national
from eventstore.outcomes import Refused
from tests.web.desk import LivingCounty, living_county
from tests.web.test_pages import enter
from tests.web.test_rulebooks_page import _fields_of, _sent
from web.rule_copies import text_with
from web.rule_fields import groups_of
from web.rule_tables import RuleReader


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivingCounty]:
    with living_county(tmp_path_factory.mktemp("example") / "county") as one:
        yield one


@pytest.fixture
def client(county: LivingCounty) -> Iterator[TestClient]:
    with TestClient(county.app()) as one:
        yield one


def test_an_example_is_in_force_nowhere_and_says_what_it_is() -> None:
    for kind in ("standards", "thresholds"):
        book = national.example(kind)
        assert book is not None and book.status == "example" and "待核对" in book.document_no
        assert "待核对" in book.note
        assert national.editions(kind) == () or book.version not in {
            edition.ref.version for edition in national.editions(kind)
        }
    assert national.example("deadlines") is None


@pytest.mark.parametrize("typed", ["1e5000", "1e999999", "9" * 99, "NaN", "Infinity", "一百"])
def test_what_is_no_figure_is_told_with_its_field(typed: str) -> None:
    """A number of thousands of digits was a fault of the program, not of the field."""
    book, reader = national.example("standards"), RuleReader("zh", {})
    assert book is not None
    amount = groups_of(book.kind, book.content, reader)[0].fields[0]
    text = text_with(book, {amount.name: typed}, reader)
    with pytest.raises(RulebookInvalid) as refused:
        parse_rulebook("TOML", text)
    assert refused.value.problems[0].key == "programmes[0].rates[0].amount_fen"
    assert typed[:40] in refused.value.problems[0].zh, "the sentence has as much as fits"


def test_standards_begin_from_the_example_and_open_a_season_once_they_are_confirmed(
    county: LivingCounty, client: TestClient
) -> None:
    """The administrator never sees a line of TOML; two persons put it in force."""
    ours = county.id("foreign_county")
    season = OpenSeason(area=ours, programme="winter_spring", year=county.now.year)
    enter(client, "foreign_admin")
    page = client.get("/rulebooks?lang=zh").text
    box = page.split('id="to-begin"')[1].split("</section>")[0]
    assert "救助标准" in box and "从示例开始" in box
    assert "从示例开始" in client.get("/rulebooks/standards").text
    address = html.unescape(re.findall(r'href="(/rulebooks/change[^"]+)"', box)[0])
    page = client.get(address).text
    assert "宿州" not in page and "均待核对，须以本地文件替换" in page
    fields = _fields_of(page)
    assert fields["valid_from"] == china_day(county.now).isoformat(), "nothing is in force yet"
    amount = "field.programmes.winter_spring.rates.living.amount_fen"
    assert fields[amount] == "130" and fields["status"] == "example"
    assert "field.conditions" not in page
    too_much = _sent(client, fields | {amount: "1300"})
    assert "最低额 ≤ 标准额 ≤ 上限额" in too_much and "/v1/rulebook-files" not in too_much
    told = _sent(client, fields | {amount: "120.50", "document_no": "太应急〔2026〕9号"})
    text = html.unescape(told.split('<textarea name="toml" hidden')[1].split(">", 1)[1])
    text = text.split("</textarea>")[0]
    book = parse_rulebook("adopted", text)
    assert book.content["programmes"][0]["rates"][0]["amount_fen"] == 12050
    token = client.get("/").text.split('name="csrf_token" value="')[1].split('"')[0]
    headers = {"Idempotency-Key": str(uuid4()), "X-CSRF-Token": token}
    body = {"area": str(ours), "toml": text}
    assert client.post("/v1/rulebook-files", json=body, headers=headers).status_code < 300
    with pytest.raises(Refused, match="not confirmed"):
        county.run(season, by="foreign_county")
    assert 'id="to-begin"' not in client.get("/rulebooks").text, "now it waits"
    enter(client, "foreign_county")
    page = client.get(f"/rulebooks/standards?version={book.version}&lang=zh").text
    assert "这一版仍注明“示例”" in page, "who confirms is told"
    id = Rulebook.id_of(ours, "standards")
    paper = "太应急〔2026〕10号"
    confirm = ConfirmRulebook(rulebook=id, version=book.version, document_no=paper)
    county.run(confirm, by="foreign_county")
    county.run(season, by="foreign_county")


@pytest.mark.parametrize("said", ["1e400000", "1e99999999", "9" * 5000, "NaN", "-0x1"])
def test_a_number_that_nobody_types_is_a_mistake_and_holds_nobody_up(
    said: str, county: LivingCounty, client: TestClient
) -> None:
    """`int` of 1e99999999 takes hours, in which a server that reads forms answers nobody: then this
    test is ended by its time limit."""
    enter(client, "foreign_admin")
    for kind, name in (
        ("standards", "field.programmes.winter_spring.rates.living.amount_fen"),
        ("thresholds", "field.conditions.2+dead_and_missing.at_least"),
    ):
        page = client.get(f"/rulebooks/change?kind={kind}&example=true&lang=zh").text
        fields = _fields_of(page)
        assert "处错误" in _sent(client, fields | {name: said}), (kind, said)


def test_levels_that_the_example_does_not_know_are_empty_fields(
    county: LivingCounty, client: TestClient
) -> None:
    enter(client, "foreign_admin")
    page = client.get("/rulebooks/change?kind=thresholds&example=true&lang=zh").text
    fields = _fields_of(page)
    second, third = (f"field.conditions.{n}+dead_and_missing.at_least" for n in (2, 3))
    assert (fields[second], fields[third]) == ("5", "")
    told = _sent(client, fields | {third: "3", second: ""})
    text = html.unescape(told.split('<textarea name="toml" hidden')[1].split(">", 1)[1])
    rule = parse_rulebook("changed", text.split("</textarea>")[0]).typed
    assert isinstance(rule, Thresholds)
    steps = {one.level: int(one.at_least) for one in rule.conditions if "dead" in one.metric}
    assert steps == {1: 10, 3: 3}
    assert "阈值应随级别加重而增大" in _sent(client, fields | {third: "30"})


def test_rules_confirmed_for_a_later_day_are_said_to_begin_then(tmp_path: Path) -> None:
    """Home went on asking for what had been adopted and confirmed, and told who was to confirm
    that nothing waited."""
    with living_county(tmp_path) as county, TestClient(county.app()) as client:
        ours, first = county.id("foreign_county"), china_day(county.now) + timedelta(days=3)
        enter(client, "foreign_admin")
        address = f"/rulebooks/change?area={ours}&kind=standards&example=true"
        text = _fields_of(client.get(address).text)["toml"]
        text = re.sub(r"(?m)^version = .*$", 'version = "later"', text)
        text = re.sub(r"(?m)^valid_from = .*$", f'valid_from = "{first}"', text)
        county.run(AdoptRulebookFile(area=ours, toml=text), by="foreign_admin")
        page = client.get("/rulebooks?lang=zh").text
        assert "查看改动" in page and "查看改动并确认" not in page, "who adopts confirms nothing"
        enter(client, "foreign_county")
        assert "查看改动并确认" in client.get("/rulebooks?lang=zh").text
        home = client.get("/?lang=zh").text
        assert "项规则待您对照文件确认" in home and "今天没有等您办的事" not in home
        assert "起施行" not in home and "不能开立救助年度" in home
        book = Rulebook.id_of(ours, "standards")
        confirm = ConfirmRulebook(rulebook=book, version="later", document_no="太应急〔2026〕1号")
        county.run(confirm, by="foreign_county")
        home = client.get("/?lang=zh").text
        assert f"已采用并确认，{first.year}年{first.month}月{first.day}日 起施行" in home
