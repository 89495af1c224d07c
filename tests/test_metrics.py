"""Every metric is documented, and dashboard and alerts ask for no other."""

import asyncio
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from api.app import create_app
from domain.catalog import AGGREGATES
from domain.world import Role
from eventstore import metrics as store_metrics
from eventstore.store import Store
from projections.catalog import VIEWS
from projections.folding.engine import ViewsDatabase
from scripts import metrics_reference
from streams.embedded import Follower
from streams.metrics import tell_of_views
from tests.api.edge import Answer, Edge, seeded_system, write_headers

ROOT = Path(__file__).resolve().parent.parent
DASHBOARD = ROOT / "docs" / "grafana" / "relief-ledger.json"
ALERTS = ROOT / "docs" / "prometheus" / "alerts.yml"
ROW = re.compile(r"^\| `(\w+)` \| (\w+) \| ([^|]*) \|", re.M)
NAME = re.compile(r"\b(?:relief|process)_[a-z_]+")
OF_PARTS = ("_bucket", "_sum", "_count")


@cache
def documented() -> dict[str, tuple[str, tuple[str, ...]]]:
    """Name → kind and labels, as docs/metrics.md says."""
    page = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    return {
        name: (kind, () if labels == "–" else tuple(labels.split(", ")))
        for name, kind, labels in ROW.findall(page)
    }


@cache
def askable() -> set[str]:
    """The names that a query may use."""
    found = {"process_resident_memory_bytes", "process_cpu_seconds_total"}
    for name, (kind, _) in documented().items():
        found |= {name + part for part in OF_PARTS} if kind == "histogram" else {name}
    return found


def scraped() -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Sample name and labels → value, of this process. Undocumented ones fail the test."""
    status, kind, body = store_metrics.page()
    assert status == 200 and kind.startswith("text/plain")
    known = documented()
    found = {}
    for family in text_string_to_metric_families(body.decode()):
        if family.name.startswith("process_"):
            continue
        name = f"{family.name}_total" if family.type == "counter" else family.name
        assert name in known, name
        for sample in family.samples:
            assert sample.name in askable(), sample.name
            assert {*sample.labels} - {"le"} == {*known[name][1]}, sample
            found[sample.name, tuple(sorted(sample.labels.items()))] = sample.value
    return found


def value(name: str, **labels: str) -> float:
    return scraped().get((name, tuple(sorted(labels.items()))), 0.0)


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    with seeded_system(tmp_path_factory.mktemp("metrics")) as (system, seeded):
        assert system.boards.wait_for(system.store.head(), 20)
        yield Edge(system, create_app(system), seeded)


def _ask(edge: Edge, method: str, path: str, **more: Any) -> Answer:
    return asyncio.run(edge.ask(method, path, **more))


def test_the_metrics_reference_is_current() -> None:
    page = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    assert page == metrics_reference.page(), "run make docs"


def test_every_metric_of_the_registry_is_in_the_reference() -> None:
    registered = {
        f"{family.name}_total" if family.type == "counter" else family.name
        for family in store_metrics.REGISTRY.collect()
    }
    asked = {family for one in metrics_reference.ROOMS for family in _asked(one[2])}
    here = {name for name in registered | asked if not name.startswith("process_")}
    assert here == set(documented())


def _asked(module: object) -> set[str]:
    asked = getattr(module, "ASKED", None)
    families = asked.families if asked else ()
    return {f"{one.name}_total" if one.counter else one.name for one in families}


def test_commands_and_answers_are_counted(edge: Edge) -> None:
    area = edge.seeded.places["yuantan_1"]
    body = {
        "unit": str(uuid4()),
        "area": str(area.area),
        "name": "一中队",
        "kind": "fire_rescue",
        "size": 8,
    }
    headers = {**edge.headers(Role.DISPATCHER, "county"), **write_headers()}
    type_ = "RegisterUnit"
    before = {
        outcome: value("relief_commands_total", command=type_, outcome=outcome)
        for outcome in ("accepted", "repeated", "refused")
    }
    commits, facts = value("relief_commit_seconds_count"), value("relief_facts_written_total")
    for key in (headers, headers, {**headers, **write_headers()}):
        _ask(edge, "POST", "/v1/units", headers=key, body=json.dumps(body).encode())
    for outcome in ("accepted", "repeated", "refused"):
        counted = value("relief_commands_total", command=type_, outcome=outcome)
        assert counted == before[outcome] + 1, outcome
    assert value("relief_refusals_total", rule="already-exists") >= 1
    assert value("relief_commit_seconds_count") == commits + 3
    assert value("relief_facts_written_total") == facts + 1
    answered = value("relief_http_requests_total", route="/v1/units", method="POST", status="200")
    assert answered >= 2
    assert value("relief_http_seconds_count", route="/v1/units", method="POST") >= 3


def test_an_address_that_is_none_makes_no_label(edge: Edge) -> None:
    for nowhere in ("/v1/nowhere/1", "/v1/nowhere/2", "/张三"):
        assert _ask(edge, "GET", nowhere).status == 404
    _ask(edge, "BREW", "/v1/units")
    assert value("relief_http_requests_total", route="other", method="GET", status="404") >= 3
    assert not any("nowhere" in str(key) or "BREW" in str(key) for key in scraped())


def test_a_scrape_tells_how_far_the_views_are(edge: Edge) -> None:
    head = edge.system.store.head()
    assert edge.system.boards.wait_for(head, 20)
    assert value("relief_database_up") == 1
    assert value("relief_log_head") == head
    seen = scraped()
    for view in edge.system.views.views:
        of_view = (("partition", "0"), ("view", view.name))
        assert seen["relief_view_position", of_view] == head
        assert seen["relief_view_lag_facts", of_view] == 0
        assert ("relief_parked_facts", (("view", view.name),)) in seen
    assert value("relief_facts_folded_total") > 0


def test_a_scrape_without_a_database_says_so(tmp_path: Path) -> None:
    store = Store.at(tmp_path, AGGREGATES)
    views = ViewsDatabase(tmp_path / "views.sqlite", VIEWS)
    ended = tell_of_views(store, views, Follower(store, views), lambda: True)
    try:
        assert value("relief_database_up") == 1
        store.close()
        assert value("relief_database_up") == 0
    finally:
        ended()
        views.close()


def test_every_panel_asks_for_documented_metrics() -> None:
    board = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids)) and len(ids) > 10
    asked: set[str] = set()
    for panel in board["panels"]:
        assert panel["targets"], panel["title"]
        for target in panel["targets"]:
            asked |= _names(target["expr"])
    assert asked <= askable()
    assert len(asked) > 20


def test_every_alert_asks_for_documented_metrics_and_is_explained() -> None:
    rules = _rules()
    explained = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert len({rule["alert"] for rule in rules}) == len(rules) > 10
    for rule in rules:
        names = _names(rule["expr"])
        assert names or rule["expr"].startswith("up{"), rule["expr"]
        assert names <= askable(), rule["expr"]
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert " · " in rule["annotations"]["summary"]
        assert f"| `{rule['alert']}` |" in explained, rule["alert"]


def _rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]
    rules: list[dict[str, Any]] = group["rules"]
    return rules


def _names(expr: str) -> set[str]:
    assert expr.count("(") == expr.count(")") and expr.count("{") == expr.count("}"), expr
    return set(NAME.findall(expr))
