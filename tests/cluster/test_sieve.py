"""In a cluster a fund that somebody has put into the log by hand is folded by nobody."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from kafka.structs import TopicPartition

from api.watched import ALARM
from cli.audit_watch import look
from domain.commands.funds import AppropriateFund
from domain.commands.officers import AppointOfficer, RegisterOfficer
from domain.money import Source
from domain.world import Command, Role
from eventstore.log import Row
from eventstore.sieve import keep_key
from eventstore.store import Store
from eventstore.trust import Trust
from projections.catalog import VIEWS
from projections.folding.past import PastViews
from streams.frames import PARTITIONS
from streams.kafka import EVENTS, Kafka
from streams.past import follow
from streams.sealing import seal_of
from tests.cluster.relaying import wait_for
from tests.cluster.test_relay_processes import RELAY
from tests.cluster.workers import Cluster, cluster
from tests.eventstore.support import (
    SINCE,
    found_town,
    named,
    new_unit,
    off_duty,
    officer,
    send,
)
from tests.eventstore.support import Cluster as Place
from tests.eventstore.test_seals import PUT
from tests.eventstore.test_trust import next_of
from tests.faults import TIMEOUT
from tests.servers import Database

pytestmark = pytest.mark.timeout(TIMEOUT)
FORGED_FEN = 10**11


@pytest.fixture
def town(tmp_path: Path, postgres_database: Database) -> Iterator[Cluster]:
    with cluster(tmp_path, postgres_database) as found:
        yield found


@pytest.fixture
def store(town: Cluster, tmp_path: Path) -> Iterator[Store]:
    """The one with the vault, as an API process has it."""
    made = town.urls
    with closing(Place(made.database, made.vault, tmp_path).open()) as store:
        yield found_town(store)


def forge(store: Store, database: Database, like: Row) -> int:
    """Another appropriation for that fund, put in as a superuser can."""
    row = next_of(store, UUID(bytes=bytes(like[1])), like, amount_fen=FORGED_FEN)
    with psycopg.connect(database.url()) as db:
        db.execute("SET session_replication_role = replica; SET search_path = log")
        db.execute(PUT.replace("?", "%s").encode(), row)
    return row[0]


def approver() -> list[Command]:
    """Somebody who may allot money."""
    county, person = named("county"), named("person/approver")
    return [
        RegisterOfficer(person=person, full_name="赵批", area=county),
        AppointOfficer(
            id=named("appointment/approver"),
            officer=officer("approver"),
            role=Role.COUNTY_APPROVER,
            area=county,
            starts_on=SINCE,
        ),
    ]


def shown(town: Cluster) -> list[Any]:
    return town.views.db.execute("SELECT * FROM funds ORDER BY 1").fetchall()


def published(address: str, wanted: set[int]) -> set[int]:
    """Positions of the facts on relief.events, once all these are there."""
    found: set[int] = set()

    def come() -> bool:
        for messages in consumer.poll(timeout_ms=300).values():
            found.update(int(json.loads(one.value)["sequence"]) for one in messages)
        return found >= wanted

    with closing(Kafka(address).consumer()) as consumer:
        consumer.assign([TopicPartition(EVENTS, n) for n in range(PARTITIONS)])
        wait_for(come, 60)
    return found


def test_a_forged_appropriation_is_folded_by_no_worker_and_kept_by_no_past(
    town: Cluster, store: Store, postgres_database: Database, tmp_path: Path
) -> None:
    honest = AppropriateFund(
        holder=named("county"),
        document_no="测财〔2016〕1号",
        amount_fen=500_000,
        source=Source.NATION,
        source_document_no="财〔2016〕1号",
        earmark=("winter_spring",),
    )
    for command in approver():
        send(store, command)
    at = send(store, honest, "approver").position
    (like,) = store.log.rows(at - 1, 1, at)
    keep_key(town.folder, store.seals.key)
    told = {"RELIEF_PROCESS": "relay", "RELIEF_HEALTH_PORT": "0", "RELIEF_EVENTS_TOPIC": "true"}
    relay = town.process(RELAY, "relay", **told)
    worker = town.worker("worker-1").joined()
    town.reach(store.head())
    known = shown(town)
    assert len(known) == 1

    # by a frame: the relay holds it back
    framed = worker.framed()
    first = forge(store, postgres_database, like)
    send(store, new_unit("framed"), "dispatcher")
    town.reach(store.head())
    wait_for(lambda: worker.framed() > framed)
    assert shown(town) == known
    wait_for(lambda: f"position={first}" in relay.said or f'"position": {first}' in relay.said)

    later = store.head()
    honest_ones = set(range(1, later + 1)) - {first}
    assert published(town.broker.address, honest_ones) == honest_ones

    # from the log: no frame comes any more, and the worker reads on by itself
    relay.kill()
    second = forge(store, postgres_database, like)
    send(store, off_duty("framed"), "dispatcher")
    town.reach(store.head())
    assert shown(town) == known and not town.views.parked()
    assert second in worker.health()["unsealed"] and worker.health()["seals"] is True

    # and a frame that somebody makes with the key that lies in the database is not believed
    town.bus.seal = seal_of(town.log)
    third = forge(store, postgres_database, like)
    (row,) = store.log.rows(third - 1, 1, third)
    frames = town.frames([row])
    town.send(frames)
    send(store, new_unit("after"), "dispatcher")
    town.reach(store.head())
    assert shown(town) == known

    with closing(PastViews(tmp_path / "past.sqlite", VIEWS)) as past:
        trust = Trust.of(store.log, store.trust.told())
        while follow(past, store.log, trust):
            pass
        said = past.db.execute("SELECT * FROM funds__g1 WHERE to_position IS NULL").fetchall()
        assert past.position() == store.head()
        assert len(said) == 1 and FORGED_FEN not in said[0] and 500_000 in said[0]
    assert look(store, tmp_path / "watch") is not None and (tmp_path / "watch" / ALARM).exists()
    assert sorted(store.trust.forged) == [first, second, third]
