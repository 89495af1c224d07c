"""In a cluster too, personal data is in the vault and nowhere else: API, relay, worker, Kafka."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from kafka.structs import TopicPartition
from prometheus_client.parser import text_string_to_metric_families

from cli.trial.broker import Broker
from cli.trial.child import free_port
from eventstore.postgres import PostgresConnection
from streams.frames import PARTITIONS
from streams.kafka import EVENTS, FRAMES, Kafka
from tests.canaries import Visitor, canaries_in, seed_canary_place
from tests.cluster.relaying import Process, http_get, wait_for
from tests.clusters import Founded
from tests.test_metrics import documented

COMMANDS = {
    "api": ["-m", "tests.canary_server"],
    "relay": ["-m", "cli.main", "relay"],
    "worker": ["-m", "tests.cluster.canary_worker", "worker"],
}


class Running:
    """One process of each kind, and what each said."""

    def __init__(self, folder: Path, cluster: Founded, broker: Broker, stack: ExitStack) -> None:
        self.port, self.broker = free_port(), broker.address
        self.health = {name: free_port() for name in COMMANDS}
        self.logs = {name: folder / f"{name}.log" for name in COMMANDS}
        env = {
            "RELIEF_DATABASE_URL": cluster.urls.database,
            "RELIEF_VAULT_URL": cluster.urls.vault,
            "RELIEF_VIEWS_URL": cluster.urls.views,
            "RELIEF_READ_URL": cluster.urls.read,
            "RELIEF_KAFKA": broker.address,
            "RELIEF_DATA": str(folder),
            "RELIEF_PORT": str(self.port),
            "RELIEF_EVENTS_TOPIC": "true",
            "RELIEF_LOG_LEVEL": "DEBUG",
        }
        self.processes = {
            name: Process(
                command,
                self.logs[name],
                {**env, "RELIEF_PROCESS": name, "RELIEF_HEALTH_PORT": str(self.health[name])},
            )
            for name, command in COMMANDS.items()
        }
        for process in self.processes.values():
            stack.callback(process.kill)

    def ask(self, name: str, path: str) -> httpx.Response:
        return http_get(f"http://127.0.0.1:{self.health[name]}{path}")

    def says(self, name: str, path: str = "/health") -> dict[str, Any]:
        try:
            found: dict[str, Any] = self.ask(name, path).json()
        except httpx.HTTPError:
            return {}
        return found

    def metrics(self, name: str) -> dict[str, float]:
        """Sums by name; every one is documented."""
        found: dict[str, float] = {}
        known = documented()
        for family in text_string_to_metric_families(self.ask(name, "/metrics").text):
            if not family.name.startswith("process_"):
                shown = f"{family.name}_total" if family.type == "counter" else family.name
                for sample in family.samples:
                    assert {*sample.labels} - {"le"} == {*known[shown][1]}, sample
                    found[sample.name] = found.get(sample.name, 0) + sample.value
        return found


@pytest.fixture
def running(cluster: Founded, tmp_path: Path) -> Iterator[Running]:
    store = cluster.place.open()
    try:
        seed_canary_place(store)
    finally:
        store.close()
    with ExitStack() as stack:
        broker = stack.enter_context(Broker(tmp_path / "broker"))
        yield Running(tmp_path, cluster, broker, stack)


def test_a_cluster_writes_no_personal_data_outside_the_vault(
    running: Running, cluster: Founded
) -> None:
    wait_for(lambda: running.says("api").get("status") == "ok", 90)
    wait_for(lambda: running.says("worker").get("assigned"), 90)
    visitor = Visitor(f"http://127.0.0.1:{running.port}")
    try:
        visitor.visit()
    finally:
        visitor.close()
    head = running.metrics("api")["relief_log_head"]
    wait_for(lambda: running.says("api", "/ready").get("lag") == 0, 60)
    outputs = {f"metrics of {name}": running.ask(name, "/metrics").content for name in COMMANDS}
    outputs |= {f"health of {name}": running.ask(name, "/health").content for name in COMMANDS}
    _counted(running, head)
    outputs["problems"] = b"\n".join(visitor.problems)
    outputs["frames"] = b"".join(messages(running, FRAMES))
    outputs["events"] = b"".join(messages(running, EVENTS))
    outputs["parked"], reasons = parked(cluster)
    for process in running.processes.values():
        assert process.stop() == 0
    outputs |= {f"log of {name}": path.read_bytes() for name, path in running.logs.items()}
    assert len(outputs["frames"]) > 1000 and len(outputs["events"]) > 1000
    assert any("Household.Registered" in reason or "masked" in reason for reason in reasons)
    assert {name: found for name, said in outputs.items() if (found := canaries_in(said))} == {}
    for name in ("relay", "worker"):
        lines = running.logs[name].read_bytes().decode().splitlines()
        assert lines and {json.loads(line)["process"] for line in lines} == {name}


def _counted(running: Running, head: float) -> None:
    relay, worker, api = (running.metrics(name) for name in ("relay", "worker", "api"))
    assert relay["relief_relay_leading"] == 1 and relay["relief_relay_position"] >= head
    assert relay["relief_relay_facts_total"] >= head and relay["relief_relay_watermarks_total"] > 0
    assert relay["relief_relay_trouble_seconds"] == 0
    assert worker["relief_worker_partitions"] == PARTITIONS
    assert worker["relief_facts_folded_total"] > 0 and worker["relief_worker_trouble"] == 0
    assert api["relief_parked_facts"] > 0 and api["relief_database_up"] == 1
    assert api["relief_timekeeper_leading"] == 1
    assert abs(api["relief_clock_skew_seconds"]) < 1
    assert api["relief_view_lag_seconds"] == 0


def messages(running: Running, topic: str) -> Iterator[bytes]:
    """What Kafka holds of a topic at this moment, headers and keys included."""
    consumer = Kafka(running.broker).consumer()
    parts = [TopicPartition(topic, n) for n in consumer.partitions_for_topic(topic)]
    consumer.assign(parts)
    ends = consumer.end_offsets(parts)
    while any(consumer.position(part) < ends[part] for part in parts):
        for batch in consumer.poll(timeout_ms=500).values():
            for message in batch:
                yield b"%a %a %b" % (message.key, message.headers, message.value or b"")
    consumer.close()


def parked(cluster: Founded) -> tuple[bytes, list[str]]:
    db = PostgresConnection(cluster.urls.views, "views")
    try:
        rows = db.execute("SELECT topic, state, reason FROM parked").fetchall()
    finally:
        db.close()
    assert rows, "nothing was parked"
    told = b"\n".join(repr(row).encode() + bytes(row[1]) + row[2].encode() for row in rows)
    return told, [row[2] for row in rows]
