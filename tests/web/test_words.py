"""Goods as people count them, units as a dispatcher wants them, and names of officials."""

import re

import pytest
from fastapi.testclient import TestClient

from api.words import Words
from domain.household_members import Relation
from domain.incident import IncidentKind
from domain.rules.dispatch import USUAL, Dispatch, Fit
from domain.rules.hazards import Hazards
from domain.rules.items import Items
from domain.rules.loading import parse_rulebook
from domain.unit import UnitKind
from intake.inputs import RELATION_WORDS
from tests.domain.county import RULES
from tests.web.test_relief_pages import enter
from web.figures import Names
from web.i18n import read_messages


@pytest.mark.parametrize(
    ("item", "zh", "en"),
    [
        ("quilt", "床棉被", "quilts"),
        ("coat", "件棉衣", "padded coats"),
        ("summer_quilt", "床夏凉被", "summer quilts"),
        ("tent_12", "顶12㎡单帐篷", "tents (tent 12 m²)"),
        ("unheard_of", "unheard_of", "unheard_of"),
    ],
)
def test_goods_are_counted_as_people_say_it(item: str, zh: str, en: str) -> None:
    """80 quilts, and not "80 quiltsquilt"."""
    path = RULES / "items.toml"
    rule = parse_rulebook(path.name, path.read_text(encoding="utf-8")).typed
    assert isinstance(rule, Items)
    assert Words(rule, None, None, "zh").counted(item) == zh
    assert Words(rule, None, None, "en").counted(item) == en


def test_who_is_sent_to_what_is_data_of_the_rulebook() -> None:
    usual = Dispatch(acknowledge=(), up_to="province")
    best = min(UnitKind, key=lambda unit: usual.fitness("power_cut", unit))
    assert best is UnitKind.POWER_CREW
    assert min(UnitKind, key=lambda unit: usual.fitness("injured", unit)) is UnitKind.MEDICAL
    own = Dispatch(acknowledge=(), up_to="province", fit=(Fit("power_cut", ("militia",)),))
    assert min(UnitKind, key=lambda unit: own.fitness("power_cut", unit)) is UnitKind.MILITIA
    for one in USUAL:
        assert one.incident in set(IncidentKind) and set(one.units) <= set(UnitKind)


def test_an_auditor_reads_who_acted_and_others_read_a_mask(server: TestClient) -> None:
    enter(server, "auditor")
    season = server.get("/v1/seasons", params={"year": 2017}).json()["items"][0]["id"]
    row = server.get("/v1/ledger", params={"season": season, "limit": 1}).json()["items"][0]
    address = f"/timeline/{row['household']}"
    told = r"<p>([^<\n]+)\n\s*<span class=\"muted\">"
    audited = {name.strip() for name in re.findall(told, server.get(address).text)}
    assert audited and not [name for name in audited if "*" in name]
    story = server.get(f"/households/{row['household']}").text
    assert any(f"<b>{name}</b>" in story for name in audited)
    enter(server, "county-approver")
    others = {name.strip() for name in re.findall(told, server.get(address).text)}
    assert others and all("*" in name for name in others)


def test_a_city_calls_a_county_s_kinds_of_disaster_as_the_county_does(server: TestClient) -> None:
    """Its own rules know no flash floods: they were "flood - other" on its lists."""
    enter(server, "county-approver")
    county = server.get("/disasters?lang=en").text
    assert "flood - flash flood" in county
    enter(server, "city-reviewer")
    city = server.get("/disasters?lang=en").text
    assert "flood - flash flood" in city and "- other" not in city
    found = server.get("/v1/disasters", params={"search": "山洪"}).json()["items"]
    assert "flash_flood" in {one["sub_hazard"] for one in found}


def test_a_kind_that_no_rules_name_is_not_called_other() -> None:
    path = RULES / "hazards.toml"
    rule = parse_rulebook(path.name, path.read_text(encoding="utf-8")).typed
    assert isinstance(rule, Hazards)
    assert Names(None, rule, "en").hazard("flood", "flash_flood") == "flood"
    assert Names(None, rule, "zh").hazard("flood") == "洪涝灾害"


def test_a_relation_is_called_alike_by_an_import_and_on_the_household_s_page() -> None:
    pages = read_messages()
    assert set(RELATION_WORDS) == set(Relation)
    for relation, (zh, en) in RELATION_WORDS.items():
        assert pages[f"story.word_relation_{relation}"] == {"zh": zh, "en": en}


def test_what_is_owed_is_said_to_be_owed_in_both_languages() -> None:
    """The board said "24 times" where Chinese says that 24 reports are owed."""
    owed = {key: one for key, one in read_messages().items() if "欠" in one["zh"]}
    assert owed
    wrong = {key: one["en"] for key, one in owed.items() if not re.search(r"\bow", one["en"])}
    assert wrong == {}
