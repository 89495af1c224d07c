"""Personal data stays in the vault: not in logs, metrics or problems, whatever is typed where."""

import json
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from cli.trial.child import free_port
from domain.catalog import AGGREGATES
from eventstore.store import Store
from tests.canaries import CANARIES, Visitor, canaries_in, forms, seed_canary_place
from tests.cluster.relaying import Process, http_get, wait_for


def log_lines(path: Path) -> list[dict[str, object]]:
    """What a process logged. A line that is no record must be one that was meant for people."""
    found = []
    for line in path.read_bytes().decode().splitlines():
        if line.startswith("{"):
            found.append(json.loads(line))
        else:
            assert "relief" in line.lower() or "Ctrl-C" in line or "stopped" in line, line
    return found


@pytest.mark.parametrize("canary", CANARIES)
def test_the_search_itself_finds_a_canary(canary: str) -> None:
    for form in forms(canary):
        assert canary in canaries_in(b"before " + form + b" after")


def test_an_api_process_writes_no_personal_data_outside_the_vault(tmp_path: Path) -> None:
    store = Store.at(tmp_path, AGGREGATES)
    try:
        seed_canary_place(store)
    finally:
        store.close()
    port, health = free_port(), free_port()
    env = {
        "RELIEF_DATA": str(tmp_path),
        "RELIEF_PORT": str(port),
        "RELIEF_HEALTH_PORT": str(health),
        "RELIEF_LOG_LEVEL": "DEBUG",
        "COLUMNS": "200",
    }
    log = tmp_path / "api.log"
    server = Process(["-m", "tests.canary_server"], log, env)
    visitor = Visitor(f"http://127.0.0.1:{port}")
    try:
        wait_for(lambda: _answers(f"http://127.0.0.1:{health}/health"), 60)
        visitor.visit()
        metrics = httpx.get(f"http://127.0.0.1:{health}/metrics").content
        told = [httpx.get(f"http://127.0.0.1:{health}{path}") for path in ("/health", "/ready")]
        public = httpx.get(f"http://127.0.0.1:{port}/metrics")
    finally:
        visitor.close()
        server.stop()
    assert public.status_code == 404
    assert [answer.json()["status"] for answer in told] == ["ok", "ready"]
    assert {404, 409, 401, 422, 500} <= set(visitor.statuses)
    assert canaries_in(log.read_bytes()) == []
    assert canaries_in(metrics) == []
    assert [body for body in visitor.problems if canaries_in(body)] == []
    for name in ("log.sqlite", "views.sqlite"):
        for path in tmp_path.glob(f"{name}*"):
            assert canaries_in(path.read_bytes()) == [], path
    assert b'relief_commands_total{command="RegisterHousehold",outcome="accepted"} 1.0' in metrics
    assert b'route="/v1/broken/{name}",status="500"' in metrics
    _failures_are_logged(log, visitor)


def _failures_are_logged(log: Path, visitor: Visitor) -> None:
    lines = log_lines(log)
    failures = {str(line["event"]): line for line in lines if "exception" in line}
    assert {"unexpected", "uncaught", "it failed", "Task exception was never retrieved"} <= set(
        failures
    )
    unexpected = failures["unexpected"]
    assert unexpected["process"] == "api" and unexpected["route"] == "/v1/broken/{name}"
    assert unexpected["correlation"] in visitor.correlations
    exception = unexpected["exception"]
    assert isinstance(exception, dict)
    assert exception["type"] == "builtins.KeyError" and "says" not in exception
    assert any(step.startswith("tests/canary_server.py:") for step in exception["at"])
    assert [str(UUID(one)) for one in visitor.correlations] == visitor.correlations


def _answers(url: str) -> bool:
    try:
        return http_get(url, 2).status_code == 200
    except httpx.HTTPError:
        return False
