"""One box for everything: each kind in Chinese, pinyin and initials, by its documents, and never
what lies outside of the jurisdiction."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from api.searching import EACH, KINDS
from domain.commands.consignments import GoodsLine, OrderConsignment, RequestConsignment
from domain.commands.disasters import StartResponse
from domain.commands.incidents import OpenIncident
from domain.incident import IncidentKind, Severity
from domain.world import Command, Role
from eventstore.outcomes import Envelope, Receipt
from projections.asking import looked_for
from tests.api.edge import Edge
from tests.api.seed import AT, id_of, lineage, officer_of

KIND_IDS = {
    "disaster": "disaster",
    "report": "report",
    "incident": "incident",
    "village_list": "village_list",
    "season": "season",
    "consignment": "consignment",
    "stockpile": "stockpile",
    "fund": "fund",
    "officer": "officer",
}
"""Kinds of the search and what the seeded store calls a thing of that kind."""

WAYS = [
    ("disaster", "county", ["潜山", "洪涝", "honglao", "hl", "hong lao", "qianshan 洪涝"]),
    ("report", "yuantan_1", ["源潭居委", "yuantanju", "ytj", "源潭居 洪涝", "ytj hl"]),
    ("report", "yuantan_1", ["340882101001"]),
    ("incident", "yuantan_1", ["源潭居委", "yuantanju", "ytj", "源潭居 三组", "ytj 人员被困"]),
    ("incident", "yuantan_1", ["sanzu yuantanju", "ytj sz", "ytj rybk"]),
    ("village_list", "yuantan_1", ["源潭居委", "yuantanju", "ytj", "源潭居 冬春 2017"]),
    ("village_list", "yuantan_1", ["dongchun yuantanju 2017年", "ytj dc"]),
    ("season", "county", ["冬春", "dongchun", "dc", "dongchun 2017", "冬春 2017年"]),
    ("consignment", "yuantan_1", ["源潭居委", "yuantanju", "ytj", "源潭居 棉被", "ytj mianbei"]),
    ("stockpile", "yuantan_1", ["源潭居委", "yuantanju", "ytj", "源潭居 棉被", "ytj mb"]),
    ("fund", "county", ["宜财社", "yicaishe", "宜财社〔2018〕9号-county", "宜财社[2018] 9 号"]),
    ("fund", "county", ["财建（2018）1号", "财建〔2018〕1 号"]),
    ("officer", "yuantan_1", ["源潭居委", "yuantanju", "ytj"]),
]


def ids(client: httpx.Client, q: str, kind: str | None = None) -> dict[str, Any]:
    answer = client.get("/v1/search", params={"q": q})
    assert answer.status_code == 200, answer.text
    items = answer.json()["items"]
    return {one["id"]: one for one in items if kind in (None, one["kind"])}


@pytest.fixture(scope="module")
def approver(edge: Edge) -> Iterator[httpx.Client]:
    with edge.client(Role.COUNTY_APPROVER, "county") as client:
        yield client


@pytest.mark.parametrize(
    ("kind", "area", "typed"), [(kind, area, one) for kind, area, ways in WAYS for one in ways]
)
def test_each_kind_is_found_in_chinese_pinyin_and_initials(
    edge: Edge, approver: httpx.Client, kind: str, area: str, typed: str
) -> None:
    wanted = str(edge.seeded.places[area].ids[KIND_IDS[kind]])
    assert wanted in ids(approver, typed, kind), f"{kind} by {typed}"


def test_every_kind_is_tried_here() -> None:
    """But divisions and households: see `test_search.py` and `tests/web/test_searching.py`; units,
    rules and certificates: `test_search_more.py`."""
    elsewhere = {"area", "household", "unit", "rulebook", "certificate"}
    assert {kind for kind, _, _ in WAYS} == {kind.name for kind in KINDS} - elsewhere


def concerns_the_county(area: str, kind: str) -> bool:
    """What lies in it; a season also from above, for it runs below."""
    return "county" in lineage(area) or (kind == "season" and area in lineage("county"))


@pytest.mark.parametrize("kind", KIND_IDS)
@pytest.mark.parametrize(
    "typed", ["洪涝", "三组", "冬春", "棉被", "财建〔2018〕1号", "徽城", "huicheng"]
)
def test_nothing_of_another_county_is_found(
    edge: Edge, approver: httpx.Client, kind: str, typed: str
) -> None:
    """The same words fit things of every county; what crosses its border is tried below."""
    foreign = {
        str(place.ids[KIND_IDS[kind]])
        for name, place in edge.seeded.places.items()
        if KIND_IDS[kind] in place.ids and not concerns_the_county(name, kind)
    }
    assert foreign and not foreign & ids(approver, typed, kind).keys()


def test_a_village_finds_less_than_its_county(edge: Edge) -> None:
    with edge.client(Role.VILLAGE_REPORTER, "yuantan_1") as client:
        found = ids(client, "源潭")
    kinds = {one["kind"] for one in found.values()}
    assert "officer" not in kinds, "officers are for who decides on posts"
    other = edge.seeded.places["yuantan_2"].ids.values()
    assert not {str(id) for id in other} & found.keys()
    assert str(edge.seeded.places["yuantan_1"].ids["report"]) in found


def test_an_administrator_finds_no_business(edge: Edge) -> None:
    with edge.client(Role.ADMINISTRATOR, "county") as client:
        assert {one["kind"] for one in ids(client, "源潭").values()} <= {"area", "officer"}


def do(edge: Edge, command: Command, role: Role, area: str) -> None:
    envelope = Envelope(id=uuid4(), officer=officer_of(role, area), command=command)
    answer = edge.system.store.run(envelope)
    assert isinstance(answer, Receipt)
    assert edge.system.boards.wait_for(answer.position, 20)


def test_a_document_number_leads_to_what_bears_it_whatever_its_brackets(own_edge: Edge) -> None:
    """Of a response and of an order; a foreign county does not find either."""
    disaster, consignment = own_edge.seeded.places["county"].ids["disaster"], uuid4()
    began = StartResponse(
        disaster=disaster,
        area=id_of("county"),
        level=4,
        document_no="潜应急〔2018〕12 号",
        forecast="暴雨",
    )
    do(own_edge, began, Role.COUNTY_APPROVER, "county")
    lines = (GoodsLine(item="quilt", quantity=2),)
    asked = RequestConsignment(
        consignment=consignment, destination=id_of("yuantan"), lines=lines, reason="缺被褥"
    )
    do(own_edge, asked, Role.TOWNSHIP_REVIEWER, "yuantan")
    order = OrderConsignment(
        consignment=consignment,
        source=id_of("county"),
        lines=lines,
        document_no="潜应急〔2018〕31号",
    )
    do(own_edge, order, Role.COUNTY_APPROVER, "county")
    with own_edge.client(Role.COUNTY_APPROVER, "county") as client:
        for typed in ("潜应急〔2018〕12 号", "潜应急[2018]12号", "潜应急 12", "qyj201812"):
            assert str(disaster) in ids(client, typed, "disaster"), typed
        for typed in ("潜应急〔2018〕31号", "潜应急(2018) 31 号", "qianyingji"):
            one = ids(client, typed, "consignment")[str(consignment)]
            assert one["documents"] == ["潜应急〔2018〕31号"], typed
        assert set(ids(client, "潜应急2018")) >= {str(disaster), str(consignment)}
    with own_edge.client(Role.COUNTY_APPROVER, "sister_county") as client:
        assert ids(client, "潜应急") == ids(client, "潜应急2018") == {}


def test_the_own_words_of_an_incident_are_found_and_are_not_those_of_others(own_edge: Edge) -> None:
    """They are sealed (0038): no index holds them."""
    here, there = uuid4(), uuid4()
    for id, area in ((here, "county"), (there, "sister_county")):
        opened = OpenIncident(
            incident=id,
            area=id_of(area),
            place="河湾组老桥头",
            kind=IncidentKind.LANDSLIDE,
            severity=Severity.SEVERE,
            details="桥面 塌了半边",
            occurred_at=AT,
        )
        do(own_edge, opened, Role.DISPATCHER, area)
    with own_edge.client(Role.COUNTY_APPROVER, "county") as client:
        for typed in ("老桥头", "hewanzulaoqiao", "hwzlqt", "塌了半边", "qiaomian", "老桥头 塌了"):
            assert set(ids(client, typed, "incident")) == {str(here)}, typed
        assert ids(client, "%", "incident") == ids(client, "_", "incident") == {}


def test_each_kind_is_cut_at_its_most_and_says_so(own_edge: Edge) -> None:
    for n in range(EACH + 1):
        opened = OpenIncident(
            incident=uuid4(),
            area=id_of("county"),
            place=f"九里坡{n}",
            kind=IncidentKind.FIRE,
            severity=Severity.SEVERE,
            occurred_at=AT,
        )
        do(own_edge, opened, Role.DISPATCHER, "county")
    with own_edge.client(Role.COUNTY_APPROVER, "county") as client:
        for typed in ("九里坡", "火情"):
            answer = client.get("/v1/search", params={"q": typed}).json()
            assert answer["cut"] and len(answer["items"]) == EACH
            assert {one["kind"] for one in answer["items"]} == {"incident"}
        assert not client.get("/v1/search", params={"q": "九里坡20"}).json()["cut"]


def test_too_many_names_are_told_and_not_left_out(
    edge: Edge, approver: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a list it is refused; the box says that there are more."""
    assert approver.get("/v1/funds", params={"search": "宜财社"}).status_code == 200
    monkeypatch.setattr(looked_for, "MOST_NAMES", 1)
    answer = approver.get("/v1/funds", params={"search": "宜财社"})
    assert answer.status_code == 422 and "请多输入几个字" in answer.json()["zh"]
    assert approver.get("/v1/search", params={"q": "宜财社"}).json()["cut"]


def test_what_is_left_unread_of_incidents_is_told(
    edge: Edge, approver: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {"q": "没有这个地方"}
    assert approver.get("/v1/search", params=asked).json()["partly"] == []
    monkeypatch.setattr("api.searching.MOST_READ", 2)
    assert approver.get("/v1/search", params=asked).json()["partly"] == ["incident"]


def test_what_is_found_has_a_page_and_a_timeline_of_its_own(
    edge: Edge, approver: httpx.Client
) -> None:
    for one in ids(approver, "源潭").values():
        assert UUID(one["id"]) and one["href"].endswith(one["id"]) and one["title"] is not None
        answer = approver.get(f"/v1/timeline/{one['id']}")
        assert answer.status_code == 200 and answer.json()["items"], one
