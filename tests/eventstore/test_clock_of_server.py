"""Several machines stamp one log on PostgreSQL: its server's clock is what they have in common."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from api.noticing import clock_notices
from cli import doctor_ledger
from cli.doctor_cluster import examine_cluster
from cli.settings import Settings
from domain.catalog import AGGREGATES
from eventstore.clock import Clock, Machine, clock_state
from eventstore.postgres import PostgresLog, PostgresVault
from eventstore.store import Store
from streams.keeping import Keeper, accept_clock
from tests.clusters import Founded, cluster
from tests.eventstore.support import found_town, new_unit, send

__all__ = ["cluster"]

HOURS = timedelta(hours=2)
MINUTE = timedelta(minutes=1)
Opened = Callable[[timedelta], Store]


def clock_ahead(by: timedelta) -> Clock:
    host = "fast" if by else "right"
    return Clock(Machine(wall=lambda: datetime.now(UTC) + by, host=lambda: host))


@pytest.fixture
def opened(cluster: Founded, tmp_path: Path) -> Iterator[Opened]:
    """Opens the store as a process whose machine's clock is so far ahead."""
    with ExitStack() as stack:

        def one(by: timedelta) -> Store:
            vault = PostgresVault(cluster.urls.vault, tmp_path / "vault.key")
            made = Store(PostgresLog(cluster.urls.database), vault, AGGREGATES, clock_ahead(by))
            stack.callback(made.close)
            return made

        yield one


def off(store: Store, name: str) -> timedelta:
    """How far the stamp of a fact that this process adds is from the time there is."""
    send(store, new_unit(name), by="dispatcher")
    stamped: datetime = store.read(store.head() - 1)[0].event.meta.recorded_at
    return abs(stamped - datetime.now(UTC))


def test_h10_a_process_that_is_ahead_does_not_stamp_everybody_into_the_future(
    opened: Opened,
) -> None:
    right = found_town(opened(timedelta(0)))
    fast = opened(HOURS)
    assert off(fast, "by the fast one") < MINUTE
    assert off(right, "by the right one") < MINUTE
    assert right.clock.held is None and right.clock.ahead is None
    assert fast.clock.held is not None and fast.clock.ahead is not None
    assert abs(fast.clock.ahead - HOURS) < MINUTE


def test_a_process_that_is_ahead_says_so_and_is_let_go_by_an_operator(opened: Opened) -> None:
    right = found_town(opened(timedelta(0)))
    fast = opened(HOURS)
    keeper = Keeper(fast)
    keeper.step()
    assert list(clock_state(right.log).holds) == ["fast"]
    assert [one.name for one in clock_notices(right)] == ["clock-held"]
    (notice,) = clock_notices(fast)
    assert notice.name == "clock-held"
    assert "比数据库服务器快 2 小时" in notice.zh and "2 h 0 min ahead" in notice.en
    accept_clock(right, reason="数据库服务器的时间错了", operator="keeper", host="fast")
    keeper.step()
    assert fast.clock.held is None and fast.clock.ahead is None and clock_notices(fast) == []
    assert abs(off(fast, "accepted") - HOURS) < MINUTE


def test_a_small_difference_to_the_server_is_nobodys_matter(opened: Opened) -> None:
    found_town(opened(timedelta(0)))
    assert opened(timedelta(minutes=4)).clock.held is None
    assert opened(-timedelta(minutes=4)).clock.held is None


def test_a_store_on_one_machine_has_no_server_to_compare_with(tmp_path: Path) -> None:
    store = found_town(Store.at(tmp_path, AGGREGATES, clock_ahead(HOURS)))
    try:
        assert store.log.server_time() is None and store.clock.held is None
    finally:
        store.close()


def test_the_doctor_tells_a_machine_that_is_ahead_of_the_server(
    cluster: Founded, tmp_path: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    found_town(opened(timedelta(0)))
    urls = cluster.urls
    settings = Settings(
        data=tmp_path, database_url=urls.database, vault_url=urls.vault, views_url=urls.views
    )

    def clock() -> tuple[str, str]:
        (said,) = [one for one in examine_cluster(settings) if one.name == "clock"]
        return said.level, said.zh

    assert clock()[0] == "ok"
    machine = clock_ahead(HOURS).machine
    monkeypatch.setattr(doctor_ledger, "Clock", partial(Clock, machine))
    level, zh = clock()
    assert level == "fail" and "比数据库服务器快 2 小时" in zh
