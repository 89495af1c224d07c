"""`relief up --trial` as a newcomer starts it: boards work, and whatever is killed comes back."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import psutil
import pytest

from cli.demo_command import PASSWORD
from cli.up.programs import RESTING
from eventstore.log import Row
from eventstore.postgres import PostgresLog, PostgresVault
from eventstore.seals import Seals
from projections.catalog import VIEWS
from tests.cluster.trials import Client, Up
from tests.eventstore.support import ROOT
from tests.faults import Told, count

CLIENTS = 3
START_SECONDS = 120.0
BACK_SECONDS = 120.0
"""A worker that its group has forgotten begins anew after 45."""
STRANGE = count(12, 100)
"""Facts of as many streams that no worker can fold."""


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    started = Up(tmp_path_factory.mktemp("up"))
    try:
        started.until(
            lambda: started.ask("/ready")["status"] == "ready", START_SECONDS, "it does not start"
        )
        yield started
    finally:
        started.end()


def test_the_boards_work_as_in_the_embedded_way(up: Up) -> None:
    token = up.log_in("county-approver")
    totals = up.ask("/v1/ledger-totals?year=2017", token=token)
    assert totals
    status = up.until(lambda: up.settled() and up.status(), BACK_SECONDS, "it never settles")
    assert {one["name"] for one in status["processes"]} == {
        "relay",
        "worker.1",
        "worker.2",
        "api.1",
        "api.2",
    }
    assert {view["partition"] for view in status["views"]} == set(range(12))
    assert set(status["views"][0]) == {
        "name",
        "partition",
        "position",
        "lag_events",
        "lag_seconds",
    }
    assert status["head"] > 0 and status["parked"] == 0


def test_own_writes_are_read_through_kafka(up: Up) -> None:
    token = up.log_in("dispatcher")
    area = up.ask("/v1/me", token=token)["posts"][0]["area"]
    body = {"unit": str(uuid4()), "area": area, "name": "先写后读", "kind": "militia", "size": 4}
    answer = up.ask("/v1/units", body, token, uuid4())
    seen = up.ask(f"/v1/units?after={answer['position']}&limit=500", token=token)
    assert body["name"] in {unit["name"] for unit in seen["items"]}


def test_h6_events_are_sent_again_beside_a_trial(up: Up) -> None:
    """It asked for RELIEF_KAFKA, though the trial's broker runs in the same folder."""
    done = up.beside("events", "resend", "--from", "1", "--to", "30", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["sent"] == 30


def test_a_second_start_on_the_same_folder_is_refused(up: Up) -> None:
    again = [sys.executable, "-m", "cli.main", "up", "--trial"]
    done = subprocess.run(
        again,
        cwd=ROOT,
        env={**os.environ, "RELIEF_DATA": str(up.folder)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1 and "relief up" in done.stderr


def test_whatever_is_killed_comes_back_and_the_totals_stay_right(up: Up) -> None:
    """Every process once, the database and the broker too, under clients that never give up."""
    token = up.log_in("dispatcher")
    area = up.ask("/v1/me", token=token)["posts"][0]["area"]
    clients = [Client(up, n, token, area) for n in range(CLIENTS)]
    for client in clients:
        client.start()
    try:
        for name in ("worker.1", "api.1", "relay", "broker", "postgres", "worker.2", "api.2"):
            before = up.until(lambda name=name: up.pids().get(name), BACK_SECONDS, f"no {name}")
            os.kill(before, signal.SIGKILL)
            up.until(
                lambda name=name, before=before: up.pids().get(name, before) != before,
                BACK_SECONDS,
                f"{name} does not come back",
            )
            time.sleep(1.0)
    finally:
        for client in clients:
            client.stopping.set()
        for client in clients:
            client.join(150)
    assert [client.problem for client in clients] == [None] * CLIENTS
    up.until(up.settled, BACK_SECONDS, "the boards do not catch up")
    registered = [unit for client in clients for unit in client.units]
    assert len(registered) > 20 * CLIENTS
    facts = up.relief("log", "stats")["by_topic"]
    shown = [unit["id"] for unit in _all(up, "/v1/units", up.log_in("dispatcher"))]
    assert sorted(set(shown)) == sorted(shown), "nothing is there twice"
    assert set(registered) <= set(shown), "nothing acknowledged is lost"
    assert len(shown) == facts["Unit.Registered"]
    report = up.relief("views", "rebuild", "--check")
    assert report["equal"], [view for view in report["views"] if not view["equal"]]


def _all(up: Up, path: str, token: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = up.ask(f"{path}?limit=500{cursor}", token=token)
        found += page["items"]
        if not page.get("next"):
            return found
        cursor = f"&cursor={page['next']}"


# -- what cannot be folded -------------------------------------------------------------------------


def resting(up: Up) -> bool:
    """Every worker has stopped itself, and is left alone."""
    workers = [one for name, one in up.processes().items() if name.startswith("worker")]
    return all((one["state"], one["exit"]) == ("resting", RESTING) for one in workers)


def register(up: Up, count: int) -> list[dict[str, Any]]:
    token = up.log_in("dispatcher")
    area = up.ask("/v1/me", token=token)["posts"][0]["area"]
    units = [
        {"unit": str(uuid4()), "area": area, "name": f"新编{n}队", "kind": "militia", "size": 5}
        for n in range(count)
    ]
    for unit in units:
        up.ask("/v1/units", unit, token, uuid4())
    return units


def says_that_it_stands(up: Up) -> None:
    """Logs, `relief status`, `/health`, `/ready`, live boards and the page, in both languages."""
    for words in ("连续十个不同的业务流无法处理", "Ten different streams", "relief resume"):
        assert words in up.said(), up.said()[-3000:]
    status = up.status()
    by_name = {one["name"]: one for one in status["processes"]}
    for name in ("worker.1", "worker.2"):
        assert (by_name[name]["state"], by_name[name]["exit"]) == ("resting", RESTING)
    for name in ("api.1", "api.2"):  # what a restart would not help is no reason for one
        told = by_name[name]["told"]
        assert told["status"] == "waiting" and "Ten different streams" in told["trouble"]
    assert status["parked"] > 0 and max(view["lag_events"] for view in status["views"]) > 0
    shown = up.types("status", "--once").stdout
    assert "resting" in shown and f"parked {status['parked']}" in shown
    with httpx.Client(base_url=f"http://127.0.0.1:{up.port}", timeout=120) as auditor:
        ready = auditor.get("/ready")
        assert (ready.status_code, ready.json()["status"]) == (503, "stopped")
        entered = auditor.post("/v1/sessions", json={"login": "auditor", "password": PASSWORD})
        assert entered.status_code == 200
        page = auditor.get("/parked?lang=zh").text
        assert "看板已停在一条无法处理的记录上" in page and "relief resume" in page
        assert "The boards have stopped" in auditor.get("/parked?lang=en").text
        with auditor.stream("GET", "/v1/live?boards=stock") as board:
            beat = next(line for line in board.iter_lines() if line.startswith("data:"))
        assert json.loads(beat.removeprefix("data:"))["failure"] is True


def goes_on(up: Up) -> None:
    """`relief resume`; then the boards are whole again, and as a rebuild makes them."""
    assert "worker.1, worker.2" in up.types("resume").stdout
    up.until(up.settled, BACK_SECONDS, "the workers do not go on")
    assert up.ask("/ready")["status"] == "ready"
    report = up.relief("views", "rebuild", "--check")
    assert report["equal"], [view for view in report["views"] if not view["equal"]]


def test_workers_too_old_for_ten_streams_rest_until_they_are_upgraded(
    up: Up, record_property: Told
) -> None:
    """Real commands, and real workers that do not know the type of their facts."""
    up.until(up.settled, BACK_SECONDS, "it never settles")
    up.older.write_text("Unit.Registered")
    before = up.pids()
    for name in ("worker.1", "worker.2"):
        os.kill(before[name], signal.SIGTERM)
    up.until(
        lambda: all(up.pids().get(n, before[n]) != before[n] for n in ("worker.1", "worker.2")),
        BACK_SECONDS,
        "the older workers do not start",
    )
    units = register(up, STRANGE)
    up.until(lambda: resting(up), BACK_SECONDS, "the workers do not stop")
    says_that_it_stands(up)
    starts = {name: one["restarts"] for name, one in up.processes().items()}
    units += register(up, 1)  # commands go on
    parked = up.relief("parked", "list")["parked"]
    assert {one["view"] for one in parked} == {view.name for view in VIEWS}
    assert len(parked) == 9 * len(VIEWS), "of a type that nobody knows: it may concern every view"
    assert {one["topic"] for one in parked} == {"Unit.Registered"}
    first = json.loads(up.types("parked", "show", "dispatch", str(parked[0]["position"])).stdout)
    assert first["fact"]["name"] == units[0]["name"] and "UnknownTopic" in first["reason"]
    assert resting(up) and starts == {n: one["restarts"] for n, one in up.processes().items()}

    up.older.unlink()
    replayed = up.relief("parked", "replay")["views"]
    assert {one["view"]: one["parked"] for one in replayed} == {view.name: 0 for view in VIEWS}
    goes_on(up)
    assert up.status()["parked"] == 0
    shown = {unit["id"] for unit in _all(up, "/v1/units", up.log_in("dispatcher"))}
    assert {unit["unit"] for unit in units} <= shown
    record_property(
        "A8",
        f"`relief up`, {STRANGE} facts of a type that its workers do not know: both rest (78), "
        "status, /ready, boards and page say so; upgraded, replayed, resumed: equal to a rebuild",
    )


def contradict(up: Up, count: int) -> list[int]:
    """Facts of units that were never registered, put into the log; their positions."""
    log = PostgresLog(up.urls["database_url"])
    vault = PostgresVault(up.urls["vault_url"], up.data / "vault.key")
    try:
        *_, known = (row for row in log.rows(0, 10**6) if row[3] == "Unit.Registered")
        fact = json.loads(bytes(known[4]))
        kept = {name: fact[name] for name in fact.keys() - {"area", "name", "kind", "size"}}
        rows: list[Row] = []
        with log.transaction() as db:
            (head,) = db.execute("SELECT max(position) FROM events").fetchone()
            for n in range(1, count + 1):
                unit = uuid4()
                changed = {"originator_id": str(unit), "originator_version": 2, "reason": "检修"}
                state = json.dumps(kept | changed, ensure_ascii=False).encode()
                rows.append((head + n, unit.bytes, 2, "Unit.WentOffDuty", state))
            Seals(log, vault).put(db, rows)
    finally:
        vault.close()
        log.close()
    return [row[0] for row in rows]


def test_workers_whose_handler_raises_ten_times_rest_until_the_tenth_is_given_up(up: Up) -> None:
    """The program as it is, and facts that contradict what one of its views knows."""
    at = contradict(up, 10)
    up.until(lambda: resting(up), BACK_SECONDS, "the workers do not stop")
    assert f"dispatch, Unit.WentOffDuty at {at[9]}" in up.said()
    parked = up.relief("parked", "list")["parked"]
    assert [(one["view"], one["position"]) for one in parked] == [("dispatch", p) for p in at[:9]]
    assert all("has not begun" in one["reason"] for one in parked)
    given_up = up.types("parked", "drop", "dispatch", str(at[9]), "--reason", "没有这支队伍")
    assert given_up.returncode == 0, given_up.stderr
    goes_on(up)
    assert up.status()["parked"] == 9


def test_a_stop_ends_every_process_in_order(up: Up) -> None:
    """Last in this file: the module's cluster is gone afterwards."""
    children = psutil.Process(up.process.pid).children(recursive=True)
    assert up.stop() == 0, up.said()[-2000:]
    assert "nothing lost" in up.said()
    _, alive = psutil.wait_procs(children, timeout=60)
    assert not alive, alive
