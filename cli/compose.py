"""The composition root: one function builds the running system from one settings object."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import fields
from datetime import timedelta
from uuid import UUID

from api.limits import EdgeLimits
from api.system import AreaTree, System
from cli.bounded import HttpLimits
from cli.collecting import collect_seldom
from cli.settings import Settings
from domain.catalog import AGGREGATES
from eventstore.accounts import Accounts
from eventstore.clock import Clock
from eventstore.errors import StoreNotBegun, StoreNotMade
from eventstore.limits_reached import note_limits
from eventstore.lineage import settle_epoch
from eventstore.postgres import PostgresLog, PostgresVault
from eventstore.store import Store
from projections.asking.cases import cases_of
from projections.catalog import VIEWS
from projections.folding.engine import ViewsDatabase
from projections.folding.lineage import UNKNOWN, belong
from projections.folding.parking import dropped_in
from projections.folding.reader import ViewsReader
from streams.embedded import Follower
from streams.following import Boards
from streams.frames import partitions_of
from streams.keeping import Keeper
from streams.leader import Leader
from streams.metrics import tell_of_views
from streams.timekeeper import Timekeeper
from streams.watching import ViewsWatch


def open_store(settings: Settings, *, make: bool = False) -> Store:
    """Log and vault alone, for commands that need no views: on PostgreSQL if that is set, else in
    the data folder. The vault's key file is in the data folder either way.

    Raises `StoreNotBegun` where a data folder holds no store, unless it is to ``make`` one: a
    command that looks must not leave an empty one behind.
    """
    clock = Clock(
        leap=timedelta(seconds=settings.clock_leap_seconds),
        gap=timedelta(days=settings.clock_gap_days),
    )
    if settings.database_url is None:
        if not make and not (settings.data / "log.sqlite").exists():
            raise StoreNotBegun(str(settings.data))
        return Store.at(settings.data, AGGREGATES, clock)
    if settings.vault_url is None:
        raise StoreNotMade("RELIEF_DATABASE_URL is set and RELIEF_VAULT_URL is not.")
    power = settings.i_know_the_role_can_rewrite_the_log
    log = PostgresLog(settings.database_url, allow_power=power)
    try:
        vault = PostgresVault(settings.vault_url, settings.data / "vault.key")
    except BaseException:
        log.close()
        raise
    return Store(log, vault, AGGREGATES, clock)


@contextmanager
def running(settings: Settings, *, follow: bool = True, make: bool = True) -> Iterator[System]:
    """The whole system of one process; stops it in order at the end.

    ``follow`` False leaves the views where they are (another process may be keeping them);
    ``make`` False makes no store where there is none, see `open_store`.
    """
    collect_seldom()
    with ExitStack() as stack:
        store = open_store(settings, make=make)
        stack.callback(store.close)
        if follow:
            stack.callback(note_limits(settings.data / "run", settings.process or "api"))
        store.writer.facts_a_command = settings.facts_a_command
        store.writer.rows_a_batch = settings.rows_a_batch
        store.snapshots.every = settings.snapshot_facts
        if follow:
            settle_epoch(store)
        views, reader, boards = _views(settings, store, stack)
        leads = _leadership(settings, stack) if follow else _always
        store.cases_of = _cases_of(store, reader, boards, settings.after_wait_seconds)
        system = System(
            store=store,
            views=views,
            reader=reader,
            boards=boards,
            accounts=Accounts(store.vault, address_failures=settings.address_failures),
            tree=AreaTree(reader),
            secure_cookies=settings.secure_cookies,
            after_wait_seconds=settings.after_wait_seconds,
            public_url=settings.public_url.rstrip("/"),
            limits=edge_limits(settings),
            factor_roles=settings.second_factor_roles,
        )
        stack.callback(tell_of_views(store, views, boards, leads))
        timekeeper = Timekeeper(store, reader, leader=leads)
        keeper = Keeper(store, frames=settings.database_url is not None)
        stack.callback(boards.stop)  # of a cluster they hold a session also when nobody follows
        if follow:
            boards.start()
            store.effects.start(store.watch.wait)
            store.snapshots.start(store.watch.wait)
            timekeeper.start()
            keeper.start()
        stack.callback(store.writer.close)
        stack.callback(timekeeper.stop)
        stack.callback(keeper.stop)
        yield system


def _cases_of(
    store: Store, reader: ViewsReader, boards: Boards, seconds: float
) -> Callable[[UUID], tuple[UUID, ...]]:
    """The ledger tells of a household's relief cases; the log where the views lag behind."""
    in_log = store.cases_of

    def found(household: UUID) -> tuple[UUID, ...]:
        if not boards.wait_for(store.head(), seconds):
            return in_log(household)
        with reader() as db:
            return cases_of(db, household)

    return found


def edge_limits(settings: Settings) -> EdgeLimits:
    """The limits of the edge: each is the setting of the same name."""
    return EdgeLimits(**{one.name: getattr(settings, one.name) for one in fields(EdgeLimits)})


def http_limits(settings: Settings) -> HttpLimits:
    """The limits of the HTTP server, likewise."""
    return HttpLimits(**{one.name: getattr(settings, one.name) for one in fields(HttpLimits)})


def _views(
    settings: Settings, store: Store, stack: ExitStack
) -> tuple[ViewsDatabase, ViewsReader, Boards]:
    """The views, how they are read, and who tells of them: our own follower, or the workers."""
    if settings.database_url is None:
        views = ViewsDatabase(settings.data / "views.sqlite", VIEWS)
        belong(views, store.log)
        reader = ViewsReader(settings.data / "views.sqlite")
        boards: Boards = Follower(store, views)
    else:
        if settings.views_url is None:
            raise StoreNotMade("RELIEF_DATABASE_URL is set and RELIEF_VIEWS_URL is not.")
        partitions = partitions_of(store.log)
        views = ViewsDatabase(settings.views_url, VIEWS, partitions)
        reader = ViewsReader(settings.views_url)
        boards = ViewsWatch(settings.views_url, VIEWS, partitions)
    views.dropped = dropped_in(store.log.source, VIEWS)
    # Who only looks, or adds facts, need not wait until a promoted log's epoch has a name.
    views.lineage = UNKNOWN if store.log.promoted() else store.log.lineage()
    stack.callback(views.close)
    stack.callback(reader.close)
    return views, reader, boards


def _always() -> bool:
    return True


def _leadership(settings: Settings, stack: ExitStack) -> Callable[[], bool]:
    """Whether this process is the one that keeps time. On one machine there is no other."""
    if settings.database_url is None:
        return _always
    leader = Leader(settings.database_url, "timekeeper")
    leader.start()
    stack.callback(leader.stop)
    return leader.held
