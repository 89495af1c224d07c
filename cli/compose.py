"""The composition root: one function builds the running system from one settings object."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import fields
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from api.backing_up import Backups
from api.checkup import Looks, checkup
from api.limits import EdgeLimits
from api.system import AreaTree, House, System
from cli.bounded import HttpLimits
from cli.identity_provider import provider_settings
from cli.settings import Settings
from domain.catalog import AGGREGATES
from eventstore.accounts import Accounts
from eventstore.clock import Clock
from eventstore.errors import StoreNotBegun, StoreNotMade
from eventstore.limits_reached import note_limits
from eventstore.lineage import settle_epoch
from eventstore.log import Log
from eventstore.postgres import PostgresLog, PostgresVault
from eventstore.sieve import keep_key
from eventstore.store import Store, parts_at
from eventstore.vault import Vault
from projections.asking.cases import cases_of, officers_in, unlisted_in
from projections.catalog import VIEWS
from projections.folding.engine import ViewsDatabase
from projections.folding.lineage import UNKNOWN, belong
from projections.folding.parking import dropped_in
from projections.folding.reader import ViewsReader
from streams.apart import FollowerApart
from streams.collecting import collect_seldom
from streams.embedded import Follower
from streams.following import Boards
from streams.frames import partitions_of
from streams.keeping import Keeper
from streams.leader import Leader
from streams.metrics import tell_of_views
from streams.past import Past
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
    return Store(*open_parts(settings, make=make), AGGREGATES, clock)


def open_parts(settings: Settings, *, make: bool = False) -> tuple[Log, Vault]:
    """Log and vault of `open_store`, before anybody has looked whether they fit."""
    if settings.database_url is None:
        if not make and not (settings.data / "log.sqlite").exists():
            raise StoreNotBegun(str(settings.data))
        return parts_at(settings.data)
    if settings.vault_url is None:
        raise StoreNotMade("RELIEF_DATABASE_URL is set and RELIEF_VAULT_URL is not.")
    power = settings.i_know_the_role_can_rewrite_the_log
    log = PostgresLog(settings.database_url, allow_power=power)
    try:
        vault = PostgresVault(settings.vault_url, settings.data / "vault.key")
    except BaseException:
        log.close()
        raise
    return log, vault


@contextmanager
def running(
    settings: Settings, *, follow: bool = True, make: bool = True, apart: bool = False
) -> Iterator[System]:
    """The whole system of one process; stops it in order at the end.

    ``follow`` False leaves the views where they are (another process may be keeping them);
    ``make`` False makes no store where there is none, see `open_store`; ``apart``: on one machine
    the views are kept by a process of their own.
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
            if settings.database_url is not None:  # for relay and workers, which have no vault
                keep_key(settings.data, store.seals.key)
        views, reader, boards = _views(settings, store, stack, apart=apart)
        leads = _leadership(settings, stack) if follow else _always
        seconds = settings.after_wait_seconds
        store.cases_of = _asked(cases_of, store.cases_of, store, reader, boards, seconds)
        store.posts_in = _asked(officers_in, store.posts_in, store, reader, boards, seconds)
        store.unlisted_in = _asked(unlisted_in, store.unlisted_in, store, reader, boards, seconds)
        past = Past(store.log, settings.data, store.trust)
        stack.callback(past.close)
        system = System(
            store=store,
            views=views,
            views_reader=reader,
            past=past,
            boards=boards,
            accounts=Accounts(store.vault, address_failures=settings.address_failures),
            tree=AreaTree(reader),
            secure_cookies=settings.secure_cookies,
            after_wait_seconds=settings.after_wait_seconds,
            public_url=settings.public_url.rstrip("/"),
            limits=edge_limits(settings),
            factor_roles=settings.second_factor_roles,
            house=House(settings.data, limits_of(settings)),
            backups=_backups(settings),
            checkup=checkup(lambda: _looks(settings), least=settings.checkup_seconds),
            provider=provider_settings(settings),
        )
        stack.callback(system.readings.close)
        stack.callback(system.checkup.close)
        stack.callback(system.backups.errand.close)
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


def _asked(
    query: Callable[[Connection, UUID], tuple[UUID, ...]],
    in_log: Callable[[UUID], tuple[UUID, ...]],
    store: Store,
    reader: ViewsReader,
    boards: Boards,
    seconds: float,
) -> Callable[[UUID], tuple[UUID, ...]]:
    """What a command wants to be told, from the views; from the log where they lag behind."""

    def found(about: UUID) -> tuple[UUID, ...]:
        if not boards.wait_for(store.head(), seconds):
            return in_log(about)
        with reader() as db:
            return query(db, about)

    return found


def _backups(settings: Settings) -> Backups:
    """Of a cluster a server makes none itself."""
    into = settings.backups or settings.data / "backups"
    return Backups(
        settings.data,
        into if settings.database_url is None else None,
        days=settings.backup_days,
        left=settings.disk_left_bytes,
    )


def _looks(settings: Settings) -> Looks:
    """Imported when somebody looks: the checks bring the broker's client with them, and a process
    of a cluster that starts again is back sooner."""
    from cli.examining import looks_of

    return looks_of(settings)


def edge_limits(settings: Settings) -> EdgeLimits:
    """The limits of the edge: each is the setting of the same name."""
    return EdgeLimits(**{one.name: getattr(settings, one.name) for one in fields(EdgeLimits)})


MORE_LIMITS = (
    "facts_a_command",
    "rows_a_batch",
    "snapshot_facts",
    "after_wait_seconds",
    "address_failures",
    "disk_left_bytes",
    "backup_days",
    "checkup_seconds",
)
"""Limits that neither the edge nor the HTTP server keeps."""
NO_LIMITS = frozenset({"trusted_proxies"})


def limits_of(settings: Settings) -> dict[str, Any]:
    """All limits by the names of their settings, for administrators to see."""
    kept = [one.name for kind in (HttpLimits, EdgeLimits) for one in fields(kind)]
    names = [name for name in (*kept, *MORE_LIMITS) if name not in NO_LIMITS]
    return {name: getattr(settings, name) for name in names}


def http_limits(settings: Settings) -> HttpLimits:
    """The limits of the HTTP server, likewise."""
    return HttpLimits(**{one.name: getattr(settings, one.name) for one in fields(HttpLimits)})


def _views(
    settings: Settings, store: Store, stack: ExitStack, *, apart: bool
) -> tuple[ViewsDatabase, ViewsReader, Boards]:
    """The views, how they are read, and who tells of them: our own follower on a thread or in a
    process, or the workers."""
    if settings.database_url is None:
        views = ViewsDatabase(settings.data / "views.sqlite", VIEWS)
        belong(views, store.log)
        reader = ViewsReader(settings.data / "views.sqlite")
        boards: Boards = (
            FollowerApart(store, views.path, reader) if apart else Follower(store, views)
        )
    else:
        if settings.views_url is None:
            raise StoreNotMade("RELIEF_DATABASE_URL is set and RELIEF_VIEWS_URL is not.")
        partitions = partitions_of(store.log)
        views = ViewsDatabase(settings.views_url, VIEWS, partitions)
        reader = ViewsReader(settings.views_url)
        boards = ViewsWatch(settings.views_url, VIEWS, partitions)
    views.dropped = dropped_in(store.log.source, VIEWS, store.trust.forged)
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
