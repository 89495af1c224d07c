"""The contract of the event store, on PostgreSQL 15, 16, 17 and 18."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from cli.trial.postgres import PostgresServer
from eventstore.errors import StoreLocked
from eventstore.outcomes import Receipt
from tests.clusters import Founded, founded
from tests.eventstore.contract import LogContract, Open
from tests.eventstore.contract_processes import ProcessContract
from tests.eventstore.support import Cluster, found_town, new_household, new_unit, open_store, send
from tests.id_numbers import id_number


class TestPostgres(LogContract, ProcessContract):
    @pytest.fixture
    def place(self, postgres_versions: PostgresServer, tmp_path: Path) -> Iterator[Cluster]:
        with founded(postgres_versions, tmp_path) as made:
            yield made.place

    @pytest.fixture
    def open(self, place: Cluster) -> Open:
        return lambda: open_store(place)


def test_a_database_of_another_isolation_makes_no_conflicts(cluster: Founded) -> None:
    """Who waits for the order lock must then see what was committed by who held it."""
    with psycopg.connect(cluster.admin, autocommit=True) as there:
        there.execute(
            f"ALTER DATABASE {cluster.database.name}"
            " SET default_transaction_isolation = 'repeatable read'".encode()
        )
    stores = [found_town(open_store(cluster.place)), open_store(cluster.place)]

    def write(n: int) -> Receipt:
        return send(stores[n % 2], new_unit(f"unit {n}"), by="dispatcher")

    with ThreadPoolExecutor(4) as pool:
        receipts = list(pool.map(write, range(60)))
    assert len({receipt.position for receipt in receipts}) == 60
    for store in stores:
        store.close()


def test_what_is_kept_is_kept_while_the_log_goes_on(cluster: Founded) -> None:
    """Only a log that was put back makes a writer begin anew, on PostgreSQL as on SQLite."""
    one, other = found_town(open_store(cluster.place)), open_store(cluster.place)
    for n in range(3):
        send(one, new_unit(f"one {n}"), by="dispatcher")
        send(other, new_unit(f"other {n}"), by="dispatcher")
    kept = {id(found) for found in one.writer.cache.kept.values() if found is not None}
    send(one, new_unit("last"), by="dispatcher")
    still = {id(found) for found in one.writer.cache.kept.values() if found is not None}
    assert kept and kept <= still
    one.close()
    other.close()


def test_f7_a_repair_waits_for_who_empties_the_index(cluster: Founded) -> None:
    """Another process that empties the index of a million persons holds the lock for longer than
    PostgreSQL waits for one: the repair ended with "another process holds the file"."""
    store = found_town(open_store(cluster.place))
    send(store, new_household("单雄信", id_number(8), key="s"), by="reporter")
    store.effects.rebuild()
    with ThreadPoolExecutor(2) as pool, psycopg.connect(cluster.urls.vault) as other:
        other.execute("LOCK TABLE vault.effects IN EXCLUSIVE MODE")
        repairs = [pool.submit(store.effects.rebuild), pool.submit(store.effects.erase_again)]
        with (
            closing(open_store(cluster.place)) as third,
            pytest.raises(StoreLocked),
            third.vault.aside(),
        ):
            raise AssertionError("it has waited in vain")
        other.rollback()
        assert [one.result() for one in repairs] == [None, 0]
    assert store.effects.position("search") == store.head()
    store.close()
