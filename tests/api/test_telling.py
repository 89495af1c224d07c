"""Refusals over HTTP name what their reader may see, in the reader's words, and keep the ids."""

from datetime import date
from uuid import uuid4

from api import telling
from api.auth import Caller
from api.routes import READS
from api.words import Words, words_of
from domain.commands.rulebooks import AdoptRulebook
from domain.goods import StockExhausted
from domain.refusal import NotFound
from domain.roster import EmptyList
from domain.telling import INCIDENT_KINDS, KINDS
from domain.world import Role
from eventstore.accounts import Session
from eventstore.outcomes import Envelope, problem_of
from tests.api.edge import Edge
from tests.api.seed import NOW, id_of, officer_of
from tests.api.test_writes import REPORTS, post, report


def test_a_refusal_names_the_area_of_a_report_and_keeps_its_id_in_the_facts(own_edge: Edge) -> None:
    body = report()
    with own_edge.client(Role.VILLAGE_REPORTER, "yuantan_1") as village:
        filed = post(village, REPORTS, body)
        assert filed.status_code == 200, filed.text
        after = filed.json()["position"]
        assert village.get(f"{REPORTS}/{body['report']}?after={after}").status_code == 200
    accept = f"{REPORTS}/{body['report']}/versions/1/acceptances"
    with own_edge.client(Role.TOWNSHIP_REVIEWER, "yuantan") as township:
        assert post(township, accept, {}).status_code == 200
        told = post(township, accept, {})
    assert told.status_code == 409, told.text
    problem = told.json()
    place = own_edge.system.store.load(id_of("yuantan_1")).name
    assert place in problem["zh"] and "已采用" in problem["zh"]
    assert body["report"] not in problem["zh"] + problem["en"]
    assert problem["facts"]["report"] == body["report"]


def test_a_thing_of_another_county_is_named_to_nobody(own_edge: Edge) -> None:
    body = report(area=str(id_of("sister_village")))
    with own_edge.client(Role.VILLAGE_REPORTER, "sister_village") as sister:
        assert post(sister, REPORTS, body).status_code == 200
    accept = f"{REPORTS}/{body['report']}/versions/1/acceptances"
    with own_edge.client(Role.TOWNSHIP_REVIEWER, "yuantan") as township:
        foreign = post(township, accept, {})
        nothing = post(township, accept.replace(body["report"], str(uuid4())), {})
    assert (foreign.status_code, nothing.status_code) == (404, 404)
    assert foreign.json()["zh"] == nothing.json()["zh"]
    assert own_edge.system.store.load(id_of("sister_village")).name not in foreign.text


def test_e10_what_is_asked_for_in_vain_is_called_by_its_name_in_both_languages() -> None:
    """A household that is not there was once "这个households"."""
    for read in READS:
        if read.of_one:
            assert read.kind in KINDS, read.path


def test_goods_and_kinds_are_called_by_the_rulebooks_in_force(own_edge: Edge) -> None:
    officer = officer_of(Role.TOWNSHIP_REVIEWER, "yuantan")
    session = Session(officer, "reviewer", "session", "", 0)
    person = own_edge.system.officer(officer)
    assert person is not None
    caller = Caller(own_edge.system, session, person)
    zh, en = (words_of(caller, NOW, language) for language in ("zh", "en"))
    assert (zh.thing("quilt"), en.thing("quilt")) == ("棉被", "quilt")
    assert zh.thing("hardship") not in ("hardship", "")
    refusal = StockExhausted(stockpile=uuid4(), item="quilt", wanted=5, available=0)
    assert refusal.sentence("zh", {"quilt": ("棉被", "quilt")}).startswith("棉被可用库存")


def test_a_city_calls_a_kind_of_a_county_below_by_the_countys_own_rulebook(
    own_edge: Edge,
) -> None:
    """A city's reviewer read the key of a kind that only a county below has."""
    kinds = [{"key": "riverside", "zh": "沿河户", "en": "household by the river"}]
    adopt = AdoptRulebook(
        area=id_of("county"),
        kind="household_kinds",
        version="own-2",
        document_no="县〔2018〕9号",
        valid_from=date(2017, 1, 1),
        content={"kinds": kinds},
    )
    own_edge.system.store.run(Envelope(id=uuid4(), officer=None, command=adopt))
    zh, en = (_words_of_city(own_edge, "city", language) for language in ("zh", "en"))
    assert (zh.kind("riverside"), en.kind("riverside")) == ("沿河户", "household by the river")
    assert zh.kind("unheard_of") == "unheard_of"
    assert _words_of_city(own_edge, "sister_city", "zh").kind("riverside") == "riverside"


def _words_of_city(edge: Edge, city: str, language: str) -> Words:
    officer = officer_of(Role.CITY_REVIEWER, city)
    person = edge.system.officer(officer)
    assert person is not None
    caller = Caller(edge.system, Session(officer, "reviewer", "session", "", 0), person)
    return words_of(caller, NOW, language)


def test_an_incident_in_a_refusal_is_called_by_kind_place_and_time(own_edge: Edge) -> None:
    """It had no name: "Unit … is - at incident"."""
    place = own_edge.seeded.places["yuantan_1"]
    incident, unit = place.ids["incident"], own_edge.seeded.places["county"].ids["unit"]
    body = {"unit": str(unit), "occurred_at": NOW.isoformat()}
    with own_edge.client(Role.DISPATCHER, "county") as dispatcher:
        path = f"/v1/incidents/{incident}/arrivals"
        told = post(dispatcher, path, body)
        shown = dispatcher.get(f"/v1/incidents/{incident}").json()
    assert (told.status_code, told.json()["type"]) == (409, "/problems/no-unit-there"), told.text
    zh, en = told.json()["zh"], told.json()["en"]
    area = own_edge.system.store.load(id_of("yuantan_1")).name
    kind = INCIDENT_KINDS[shown["kind"]]
    assert f"{kind[0]}（{area}，" in zh and "年" in zh, zh
    assert f"“{kind[1]}” ({area}, " in en and "No unit of incident “" in en, en
    assert shown["place"] not in zh + en or shown["place"] == area
    with own_edge.client(Role.DISPATCHER, "sister_county") as sister:
        foreign = post(sister, path, body)
    assert foreign.status_code == 404 and area not in foreign.text and kind[0] not in foreign.text


def test_what_no_sentence_says_is_looked_up_for_nobody() -> None:
    """Fourteen questions to the views stood behind each "not found": 38 ms where 5 are enough."""
    nowhere = problem_of(NotFound(kind="Area", id=uuid4()))
    assert nowhere.facts["id"] and telling._named_in(nowhere) == (set(), set())
    somewhere = problem_of(EmptyList(village_list=(id := uuid4())))
    assert telling._named_in(somewhere) == ({id}, set())
