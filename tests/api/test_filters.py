"""Filters, cursors and parameters at the edge, on every route that the table has."""

import re
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import select

from api.cursors import Cursors
from api.filters import FREE, PLACES, RULED, SEVERAL, THINGS, WORDS
from api.reads import FILLED_IN, Read
from api.routes import READS, WRITES
from domain.lateness import NEVER_HELD, HeldTime
from domain.world import Role
from projections.asking.paging import BadCursor, Page
from projections.findings import KINDS
from projections.folding.base import LOGICAL
from projections.folding.reader import ViewsReader
from tests.api.cells import path_of
from tests.api.edge import Edge, write_headers
from tests.api.matrix import MATRIX
from tests.api.seed import id_of
from tests.api.test_writes import code
from tests.everything import everything
from web.i18n import catalog

TURNING = [read for read in READS if "cursor" in read.parameters]
FILTERS = [
    (read, name)
    for read in READS
    for name in read.parameters
    if name not in (*read.in_path, *FILLED_IN)
]
ROW_OF = {route.path: route for route in MATRIX if route.method == "GET"}


def here(edge: Edge, read: Read) -> str:
    """The address of a question about something of the county."""
    return path_of(ROW_OF[read.path], edge.seeded.places["yuantan_1"])


def asker(edge: Edge, read: Read) -> httpx.Client:
    role = Role.COUNTY_APPROVER if Role.COUNTY_APPROVER in read.roles else next(iter(read.roles))
    return edge.client(role, "county")


def errors_of(answer: httpx.Response) -> dict[str, str]:
    assert (answer.status_code, code(answer)) == (422, "malformed"), answer.text
    return {one["field"]: one["rule"] for one in answer.json()["errors"]}


def given(read: Read) -> list[str]:
    return [name for name in read.parameters if name not in (*read.in_path, *FILLED_IN)]


def test_every_filter_is_of_a_kind_that_somebody_judges() -> None:
    """A new text or id among the parameters of a query has to say what it may be."""
    for read, name in FILTERS:
        annotation = str(read.parameters[name].annotation)
        if "UUID" in annotation:
            assert name in PLACES or name in THINGS, f"{read.path}: {name}"
        elif "str" in annotation:
            words = (read.query.__name__, name) in WORDS
            assert words or name in RULED or name in FREE, f"{read.path}: {name}"
    asked = {(read.query.__name__, name) for read, name in FILTERS}
    assert WORDS.keys() <= asked, "words of a parameter that no query has"


@pytest.mark.parametrize("read", READS, ids=lambda read: read.path)
def test_a_word_that_is_none_of_a_closed_set_is_refused_with_those_that_are(
    edge: Edge, read: Read
) -> None:
    with asker(edge, read) as client:
        for name in given(read):
            words = WORDS.get((read.query.__name__, name))
            if words is None:
                continue
            several = (read.query.__name__, name) in SEVERAL
            for wrong in ("zzz", ",".join(words[:2]) + ("," if several else "")):
                answer = client.get(here(edge, read), params={name: wrong})
                assert errors_of(answer) == {name: "not_allowed"}, (name, wrong)
            (error,) = answer.json()["errors"]
            assert error["allowed"] == list(words)
            assert words[0] in error["zh"] and words[0] in error["en"]
            for word in words:
                known = client.get(here(edge, read), params={name: word})
                assert known.status_code == 200, (name, word, known.text)


@pytest.mark.parametrize("read", READS, ids=lambda read: read.path)
def test_a_word_of_no_rulebook_and_a_year_of_no_season_are_refused(edge: Edge, read: Read) -> None:
    with asker(edge, read) as client:
        for name in given(read):
            if name in RULED:
                answer = client.get(here(edge, read), params={name: "zzz"})
                assert errors_of(answer) == {name: "not_allowed"}
                for word in answer.json()["errors"][0]["allowed"]:
                    known = client.get(here(edge, read), params={name: word})
                    assert known.status_code == 200, (name, word, known.text)
            if name == "year":
                for year in (-1, 0, 1948, 2100, 2**53):
                    answer = client.get(here(edge, read), params={name: year})
                    assert errors_of(answer) == {name: "out_of_range"}, year
                assert client.get(here(edge, read), params={name: 2018}).status_code == 200


@pytest.mark.parametrize("read", READS, ids=lambda read: read.path)
def test_an_unknown_id_and_a_foreign_one_are_answered_alike(edge: Edge, read: Read) -> None:
    """As unknown things are answered everywhere: 404. A known one is a filter as any other."""
    own, foreign = (edge.seeded.places[name] for name in ("yuantan_1", "sister_village"))
    with asker(edge, read) as client:
        for name in given(read):
            if name not in PLACES and name not in THINGS:
                continue
            said = []
            for id in (str(uuid4()), str(_id(foreign, name, read))):
                answer = client.get(here(edge, read), params={name: id})
                assert answer.status_code == 404, (name, answer.text)
                said.append(answer.text.replace(id, "…"))
            assert said[0] == said[1], name
            answer = client.get(here(edge, read), params={name: str(_id(own, name, read))})
            assert answer.status_code == 200, (name, answer.text)


def _id(place: Any, name: str, read: Read) -> UUID:
    if name == "into" and read.kind == "Disaster":
        name = "disaster"
    if name in PLACES:
        found: UUID = place.area
        return found
    kind = {"subject": "village_list"}.get(name, name)
    return UUID(str(place.ids[kind]))


COLUMNS = {
    ("situation_reports", "review"): "situation_reports.review",
    ("deadlines", "kind"): "deadlines.kind",
    ("review_queue", "kind"): "reviews.kind",
    ("review_queue", "step"): "reviews.step",
    ("disasters", "stage"): "disasters.stage",
    ("timeline", "topic"): "timeline.topic",
    ("officers", "role"): "officer_appointments.role",
    ("incidents", "status"): "incidents.status",
    ("units", "status"): "units.status",
    ("units", "kind"): "units.kind",
    ("consignments", "status"): "consignments.status",
    ("fund_flows", "kind"): "fund_flows.kind",
    ("household_moves", "status"): "household_moves.status",
    ("seasons", "programme"): "seasons.programme",
    ("ledger", "status"): "ledger.status",
    ("village_lists", "status"): "village_lists.status",
    ("notice", "notice"): "notices.notice_kind",
}


def test_every_word_that_the_views_have_is_allowed() -> None:
    """Whatever stands in the rows of a store in which everything happens can be asked for."""
    reader = ViewsReader(everything() / "views.sqlite")
    with closing(reader), reader() as db:
        for asked, name in COLUMNS.items():
            table, column = name.split(".")
            found = set(db.execute(select(LOGICAL.tables[table].c[column]).distinct()).scalars())
            assert found and found <= set(WORDS[asked]), (asked, found - set(WORDS[asked]))


def test_every_kind_of_finding_can_be_asked_for() -> None:
    assert set(WORDS["findings", "kind"]) == set(KINDS)
    said = catalog("zh").sentences
    assert {f"ledger.finding_{kind}" for kind in WORDS["findings", "kind"]} == {
        key for key in said if re.fullmatch(r"ledger\.finding_[a-z_]+", key)
    }


# cursors


def cursor_of_list(client: httpx.Client, path: str, **params: Any) -> str | None:
    """The cursor of the second page, if the list has one."""
    answer = client.get(path, params={"limit": 1, **params})
    assert answer.status_code == 200, answer.text
    found: str | None = answer.json()["next"]
    return found


def refused(client: httpx.Client, path: str, cursor: str, **params: Any) -> bool:
    answer = client.get(path, params={"cursor": cursor, **params})
    if answer.status_code == 200:
        return False
    assert (answer.status_code, code(answer)) == (400, "bad-cursor"), answer.text
    assert "第一页" in answer.json()["zh"] and "first page" in answer.json()["en"]
    return True


def test_a_cursor_is_taken_by_its_own_list_alone(edge: Edge) -> None:
    """A list of two texts once took the cursor of every other list of two texts."""
    with edge.client(Role.COUNTY_APPROVER, "county") as client:
        mine = [read for read in TURNING if Role.COUNTY_APPROVER in read.roles]
        found = {read.path: cursor_of_list(client, here(edge, read)) for read in mine}
        cursors = {path: cursor for path, cursor in found.items() if cursor}
        assert len(cursors) > 10, "most lists of the store have a second page"
        for path, cursor in cursors.items():
            for read in mine:
                own = read.path == path
                assert refused(client, here(edge, read), cursor) is not own, (path, read.path)


@pytest.mark.parametrize("read", TURNING, ids=lambda read: read.path)
def test_a_cursor_is_taken_with_its_own_filters_alone(edge: Edge, read: Read) -> None:
    """Not bound are the length of a page and the moment it is asked for."""
    path = here(edge, read)
    with asker(edge, read) as client:
        cursor = cursor_of_list(client, path)
        if cursor is None:
            return
        assert not refused(client, path, cursor, limit=7)
        if "at" in read.parameters:
            assert not refused(client, path, cursor, at="2018-07-05T00:00:00+08:00")
        for name in given(read):
            words = WORDS.get((read.query.__name__, name))
            if words:
                assert refused(client, path, cursor, **{name: words[-1]}), name
            elif name in ("exercise", "search", "document_no", "reports_first"):
                assert refused(client, path, cursor, **{name: "true"}), name
        if not read.of_one:
            assert refused(client, path, cursor, area=str(id_of("county")))


def test_a_cursor_is_bound_neither_to_what_the_edge_fills_in_nor_to_the_clock() -> None:
    """A page could not be turned once the clock was held between it and the next."""

    def seals(**more: Any) -> Cursors:
        return Cursors(b"key", "findings", None, {"kind": None, **more})

    page = seals(held=NEVER_HELD, among=["parts_larger"]).sealed(Page([], next="WzFd"))
    assert page.next is not None
    held = HeldTime(datetime(2018, 7, 1, tzinfo=UTC))
    assert seals(held=held, among=None).opened(page.next) == "WzFd"
    with pytest.raises(BadCursor):
        seals(season="other").opened(page.next)


@pytest.mark.parametrize("read", TURNING, ids=lambda read: read.path)
def test_a_cursor_that_somebody_made_up_is_refused(edge: Edge, read: Read) -> None:
    path = here(edge, read)
    with asker(edge, read) as client:
        cursor = cursor_of_list(client, path)
        made_up = ["", ".", "<", "WzFd", ".WyJhIiwiYiJd", "x.WyJhIiwiYiJd", "é.é", "..", "\x7f"]
        if cursor is not None:
            seal, _, inner = cursor.partition(".")
            last = "B" if inner[-1] == "A" else "A"
            made_up += [inner, f"{seal}.", f"{seal}.<{inner}", f"{seal}.{inner[:-1]}{last}"]
            made_up += [f"{seal[:-1]}.{inner}", f"{cursor}.{inner}"]
        for one in made_up:
            assert refused(client, path, one), one


def test_the_page_before_and_the_sheet_go_by_cursors_too(edge: Edge) -> None:
    with edge.client(Role.COUNTY_APPROVER, "county") as client:
        path = "/v1/situation-reports"
        second = client.get(path, params={"cursor": cursor_of_list(client, path), "limit": 1})
        assert second.status_code == 200 and second.json()["items"]
        csv = {"Accept": "text/csv"}
        rest = client.get(path, params={"cursor": cursor_of_list(client, path)}, headers=csv)
        assert rest.status_code == 200
        whole = client.get(path, headers=csv)
        assert len(rest.text.splitlines()) == len(whole.text.splitlines()) - 1
        assert refused(client, path, "WzFd", exercise="true")


# parameters


def documented(edge: Edge) -> Iterator[tuple[str, str, list[str]]]:
    """Method, path and query parameters of everything below /v1, as the description has it.

    But of setting up, which is over here and says so before all else (`tests.api.test_setup`).
    """
    with edge.client() as client:
        document = client.get("/v1/openapi.json").json()
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if path.startswith("/v1/") and not path.startswith("/v1/setup"):
                parameters = operation.get("parameters", [])
                yield method, path, [one["name"] for one in parameters if one["in"] == "query"]


def test_no_route_takes_a_parameter_that_it_does_not_have(edge: Edge) -> None:
    """Commands ran with ``?foo=1`` behind their address, while questions refused it."""
    head, tried = edge.system.store.head(), 0
    with edge.client(Role.COUNTY_APPROVER, "county") as client:
        for method, path, _ in documented(edge):
            there = re.sub(r"{\w+}", str(id_of("county")), path)
            body = None if method in ("get", "delete") else {"login": "x", "password": "x"}
            answer = client.request(
                method.upper(), f"{there}?foo=1", json=body, headers=write_headers()
            )
            assert errors_of(answer)["foo"] == "unknown_parameter", (method, path)
            tried += 1
    assert tried > len(READS) + len(WRITES)
    assert edge.system.store.head() == head


def test_no_route_takes_a_parameter_twice(edge: Edge) -> None:
    """``search=a&search=b`` was answered for one of the two, and nobody was told for which."""
    tried = 0
    with edge.client(Role.COUNTY_APPROVER, "county") as client:
        for method, path, names in documented(edge):
            there = re.sub(r"{\w+}", str(id_of("county")), path)
            for name in names:
                twice = f"{there}?{name}=a&{name}=b"
                answer = client.request(method.upper(), twice)
                assert errors_of(answer)[name] == "repeated_parameter", (path, name)
                tried += 1
    assert tried > 100
