"""Queries over HTTP: read your own write, paging, CSV, scope, and no effects."""

import csv
import io
import re
from typing import Any

import httpx
import pytest

from api.routes import READS
from api.sheets import guarded
from domain.world import Role
from tests.api.cells import path_of
from tests.api.edge import Edge, write_headers
from tests.api.matrix import MATRIX
from tests.api.seed import AREAS, id_of, lineage
from tests.api.test_writes import REPORTS, code, report

LISTS = [read for read in READS if "limit" in read.parameters and not read.in_path]


def items(client: httpx.Client, path: str, **params: Any) -> list[dict[str, Any]]:
    """All rows of a list, page by page."""
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        answer = client.get(path, params=params | ({"cursor": cursor} if cursor else {}))
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert len(body["items"]) <= params.get("limit", 100)
        found += body["items"]
        cursor = body["next"]
        if cursor is None:
            return found


def test_a_write_is_read_after_its_position(village: httpx.Client) -> None:
    body = report()
    position = village.post(REPORTS, json=body, headers=write_headers()).json()["position"]
    answer = village.get(f"{REPORTS}/{body['report']}", params={"after": position})
    assert answer.status_code == 200, answer.text
    assert int(answer.headers["relief-position"]) >= position
    assert answer.json()["position"] >= position


def test_a_position_that_the_views_do_not_reach_is_503(own_edge: Edge) -> None:
    own_edge.system.boards.stop()
    with own_edge.client(Role.VILLAGE_REPORTER, "yuantan_1") as village:
        filed = village.post(REPORTS, json=report(), headers=write_headers())
        answer = village.get(REPORTS, params={"after": filed.json()["position"]})
        assert (answer.status_code, code(answer)) == (503, "views-behind")
        assert answer.headers["retry-after"] == "1"


def test_a_position_beyond_the_head_is_refused_at_once(county: httpx.Client) -> None:
    answer = county.get(REPORTS, params={"after": 2**40})
    assert (answer.status_code, code(answer)) == (422, "position-beyond-head")
    assert county.get(REPORTS, params={"after": -1}).status_code == 422
    assert county.get(REPORTS, params={"after": 2**64}).status_code == 422


@pytest.mark.parametrize("read", LISTS, ids=lambda read: read.path)
def test_all_pages_together_are_all_rows(edge: Edge, read: Any) -> None:
    role = Role.COUNTY_APPROVER if Role.COUNTY_APPROVER in read.roles else next(iter(read.roles))
    with edge.client(role, "county") as client:
        whole = items(client, read.path, limit=1000)
        assert items(client, read.path, limit=2) == whole


@pytest.mark.parametrize("cursor", ["x", "!!", "WzFd", "e30", "bnVsbA", "WyJcdWQ4MDAiXQ", "%00"])
def test_a_bad_cursor_is_400(county: httpx.Client, cursor: str) -> None:
    answer = county.get(REPORTS, params={"cursor": cursor})
    assert (answer.status_code, code(answer)) == (400, "bad-cursor")


@pytest.mark.parametrize("read", LISTS, ids=lambda read: read.path)
def test_no_list_shows_what_lies_outside(edge: Edge, read: Any) -> None:
    """Ids of things outside the county appear neither in JSON nor in CSV."""
    inside = {name for name in AREAS if "county" in lineage(name)}
    outside = set(AREAS) - inside - set(lineage("county"))
    foreign = {str(id_of(name)) for name in outside}
    for name in outside:
        foreign |= {str(id) for id in edge.seeded.places[name].ids.values()}
    role = Role.COUNTY_APPROVER if Role.COUNTY_APPROVER in read.roles else next(iter(read.roles))
    with edge.client(role, "county") as client:
        for accept in ("application/json", "text/csv"):
            answer = client.get(read.path, params={"limit": 1000}, headers={"Accept": accept})
            assert answer.status_code == 200
            shown = [id for id in foreign if id in answer.text]
            assert not shown, f"{read.path} {accept} shows {shown}"


def sheet(client: httpx.Client, path: str, **params: Any) -> list[dict[str, str]]:
    answer = client.get(path, params=params, headers={"Accept": "text/csv"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.text.startswith("\ufeff") and answer.headers["vary"].startswith("Accept")
    lines = io.StringIO(answer.text.removeprefix("\ufeff"), newline="")
    head, *rows = csv.reader(lines)
    return [dict(zip(head, row, strict=True)) for row in rows]


@pytest.mark.parametrize("read", LISTS, ids=lambda read: read.path)
def test_a_sheet_holds_every_row_however_long_a_page_is(edge: Edge, read: Any) -> None:
    """It once gave the first hundred and said nothing of the rest."""
    role = Role.COUNTY_APPROVER if Role.COUNTY_APPROVER in read.roles else next(iter(read.roles))
    with edge.client(role, "county") as client:
        whole = items(client, read.path, limit=1000)
        assert len(sheet(client, read.path, limit=1)) == len(whole)


@pytest.mark.parametrize("read", LISTS, ids=lambda read: read.path)
def test_a_sheet_is_for_people(edge: Edge, read: Any) -> None:
    """A heading also over nothing; no fen, no English state, no id, no JSON, no UTC time."""
    role = Role.COUNTY_APPROVER if Role.COUNTY_APPROVER in read.roles else next(iter(read.roles))
    with edge.client(role, "county") as client:
        rows = sheet(client, read.path)
        nothing = {"exercise": "true", "cursor": ""} if "exercise" in read.parameters else {}
        nothing.pop("cursor", None)
        answer = client.get(read.path, params=nothing, headers={"Accept": "text/csv"})
    heading = answer.text.removeprefix("\ufeff").splitlines()[0].split(",")
    assert all(re.search(r"[\u4e00-\u9fff]", name) for name in heading)
    assert not [name for name in heading if re.search(r"分）|[a-z]", name)]
    for row in rows:
        for name, cell in row.items():
            if name == "登录名":
                continue
            assert not re.search(r"[{}\[\]]|\d{4}-\d\d-\d\dT", cell), (name, cell)
            assert not re.fullmatch(r"[a-z]+(_[a-z]+)*|[0-9a-f-]{36}", cell), (name, cell)
            if name.endswith("（元）") and cell:
                assert re.fullmatch(r"-?\d+\.\d\d", cell), (name, cell)


DANGEROUS = [
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\x00=1",
    "＝1+1",
    "＋1",
    "－1＋1",
    "＠x",
    " =1",
    "\u200b=1",
    "\ufeff=1",
    "=cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
]
HARMLESS = ["王小明", "12", "-12", "-1.5", "1+1", "a=b", "", "（-1）"]


@pytest.mark.parametrize("text", DANGEROUS)
def test_cells_that_a_spreadsheet_would_run_are_quoted(text: str) -> None:
    assert guarded(text) == f"'{text}"


@pytest.mark.parametrize("text", HARMLESS)
def test_other_cells_stay_as_they_are(text: str) -> None:
    assert guarded(text) == text


def test_no_get_has_an_effect(edge: Edge) -> None:
    """Every GET route there is, with each kind of id: the log does not move."""
    head = edge.system.store.head()
    place = edge.seeded.places["yuantan_1"]
    with edge.client(Role.COUNTY_APPROVER, "county") as client:
        for row in MATRIX:
            if row.method == "GET" and row.kind != "board":
                assert client.get(path_of(row, place)).status_code < 500, row.route
    assert edge.system.store.head() == head


@pytest.mark.parametrize("path", [REPORTS, f"{REPORTS}/{id_of('report/yuantan_1')}"])
def test_strange_parameters_are_refused_not_failed(county: httpx.Client, path: str) -> None:
    for params in ("limit=0", "limit=99999", "limit=x", "area=x", "hazard=%00", "cursor=%FF"):
        assert county.get(f"{path}?{params}").status_code < 500, params
    for odd in ("%00", "..%2f..%2fetc", "1" * 5000, "%ff%fe", "'; DROP TABLE events --"):
        assert 400 <= county.get(f"{REPORTS}/{odd}").status_code < 500


def test_a_parameter_that_no_route_has_is_refused_with_those_it_has(county: httpx.Client) -> None:
    """On every route that answers questions: a mistyped filter never reads as "all there is".

    Setting up is over here, which is said before all else (`tests.api.test_setup`).
    """
    document = county.get("/v1/openapi.json").json()
    asked = {
        path: one["get"].get("parameters", [])
        for path, one in document["paths"].items()
        if path.startswith("/v1/") and "get" in one and not path.startswith("/v1/setup")
    }
    assert len(asked) > len(READS)
    for path, parameters in asked.items():
        known = sorted(one["name"] for one in parameters if one["in"] == "query")
        there = re.sub(r"{\w+}", str(id_of("county")), path)
        answer = county.get(there, params={"nme": "王", "after": 0} if known else {"nme": "王"})
        assert (answer.status_code, code(answer)) == (422, "malformed"), (path, answer.text)
        (first, *_) = answer.json()["errors"]
        assert (first["field"], first["rule"]) == ("nme", "unknown_parameter"), path
        assert first["known"] == known and all(name in first["zh"] for name in known), path


def test_who_is_nobody_is_told_no_parameters(own_edge: Edge) -> None:
    with httpx.Client(base_url=own_edge.base, verify=False) as anonymous:
        assert anonymous.get(REPORTS, params={"nme": "王"}).status_code == 401
