"""A store that an earlier program wrote opens, goes on and equals a rebuild: facts are for ever.

The stores of commit e140762 lie packed in `tests/data/stores`: every event type of that time, once
as a data folder, once as a cluster's database.
"""

import hashlib
import os
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from cli.audit_examining import examine
from cli.compose import open_store, running
from cli.settings import Settings
from cli.trial.postgres import PostgresServer
from domain.access import posts_at
from domain.commands.households import RegisterHousehold
from domain.commands.sealing import MemberInput
from domain.household import Household
from domain.household_members import Relation
from domain.officer import Officer
from domain.posts import post_of
from domain.world import Role
from eventstore.founding import found
from eventstore.log import Log
from eventstore.outcomes import Envelope
from eventstore.store import Store
from projections.catalog import VIEWS
from projections.folding.engine import ViewsDatabase
from projections.folding.rebuild import check
from streams.applying import Applying
from streams.frames import Router, partitions_of
from tests.clusters import PASSWORDS, template
from tests.servers import Database

STORES = Path(__file__).parent / "data" / "stores"
FACTS = 1548
SHA256 = "57d4059c99d4d663567aa20487c7b933de9536d48b5920b0d532a06fb47fd22a"
"""Over position, stream, version, topic and bytes of every fact, as that program stored them."""


def unpacked(name: str, folder: Path) -> Path:
    """A packed store, in a folder of its own."""
    with tarfile.open(STORES / f"{name}.tar.xz") as packed:
        packed.extractall(folder, filter="data")
    return folder


def digest(log: Log) -> str:
    """SHA-256 of the facts that were there before."""
    hashed = hashlib.sha256()
    for position, stream, version, topic, state in log.rows(0, FACTS, FACTS):
        hashed.update(repr((position, bytes(stream), version, topic, bytes(state))).encode())
    return hashed.hexdigest()


def reporter_in(store: Store) -> tuple[UUID, UUID]:
    """Somebody who may register households, and the village."""
    now = store.clock.now()
    for recorded in store.read(0, FACTS):
        event = recorded.event
        if isinstance(event, Officer.Appointed) and event.role is Role.VILLAGE_REPORTER:
            officer = store.load(event.originator_id)
            if any(post_of(post).area == event.area for post in posts_at(officer, now)):
                return event.originator_id, event.area
    raise AssertionError("no village has a reporter")


def goes_on(store: Store) -> int:
    """Old facts are untouched and readable, names unseal, and a new command is accepted."""
    assert store.head() >= FACTS
    assert digest(store.log) == SHA256
    again = store.mapper
    for _, _, _, topic, state in store.log.rows(0, FACTS, FACTS):
        again.decode(topic, state)
    names = [
        store.vault.unseal(member.name, event.originator_id, "name")
        for _, event in store.read(0, FACTS)
        if isinstance(event, Household.Registered)
        for member in event.members
    ]
    assert names and sum(name is None for name in names) < len(names) / 2  # the erased ones
    officer, village = reporter_in(store)
    head = MemberInput(name="赵新来", relation=Relation.HEAD, birth_date=date(1960, 5, 1))
    command = RegisterHousehold(id=uuid4(), village=village, members=(head,), category="hardship")
    position = store.run(Envelope(id=uuid4(), officer=officer, command=command)).position
    read = examine(store, store.head(), ())
    assert read.examined.bad is None and read.seals.unsealed_batches == 0, "sealed as it opened"
    return position


def test_a_store_of_november_2026_opens_goes_on_and_equals_a_rebuild(tmp_path: Path) -> None:
    folder = unpacked("e140762-embedded", tmp_path)
    with running(Settings(data=folder)) as system:
        position = goes_on(system.store)
        assert system.boards.wait_for(position, 120)
    with running(Settings(data=folder), follow=False) as system:
        while system.boards.step():
            pass
        rebuilt = check(system.store.log.source, system.views, workers=1)
    assert not [view.name for view in rebuilt.views if not view.equal]
    assert rebuilt.events >= position


@pytest.fixture
def old_cluster(
    postgres: PostgresServer, postgres_database: Database, tmp_path: Path
) -> Iterator[Settings]:
    """The database of a cluster of that time, after today's `relief db init`."""
    template(postgres)  # the roles stand on the server
    folder = unpacked("e140762-cluster", tmp_path)
    subprocess.run(
        [
            str(postgres.bin / "psql"),
            "--quiet",
            "--set=ON_ERROR_STOP=1",
            "--host=127.0.0.1",
            f"--port={postgres.port}",
            "--username=postgres",
            f"--file={folder / 'cluster.sql'}",
            postgres_database.name,
        ],
        env={**os.environ, "PGPASSWORD": postgres.password},
        check=True,
        capture_output=True,
        timeout=120,
    )
    urls = found(postgres.url(), postgres_database.name, PASSWORDS)
    yield Settings(
        data=folder, database_url=urls.database, vault_url=urls.vault, views_url=urls.views
    )


def test_a_cluster_of_november_2026_opens_goes_on_and_equals_a_rebuild(
    old_cluster: Settings,
) -> None:
    with closing(open_store(old_cluster)) as store:
        position = goes_on(store)
        partitions = partitions_of(store.log)
        assert old_cluster.views_url is not None
        with closing(ViewsDatabase(old_cluster.views_url, VIEWS, partitions)) as views:
            worker = Applying(store.log, views, Router(store.log, partitions))
            worker.catch_up(range(partitions))
            assert views.position() >= position
            rebuilt = check(store.log.source, views, workers=1)
        assert not [view.name for view in rebuilt.views if not view.equal]
