"""The composition root: one function builds the running system from one settings object."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from api.system import AreaTree, System
from cli.settings import Settings
from domain.catalog import AGGREGATES
from eventstore.accounts import Accounts
from eventstore.errors import StoreNotMade
from eventstore.postgres import PostgresLog, PostgresVault
from eventstore.store import Store
from projections.catalog import VIEWS
from projections.engine import ViewsDatabase
from projections.reader import ViewsReader
from streams.embedded import Follower
from streams.timekeeper import Timekeeper

YOUNG_OBJECTS = 20_000
"""Between two collections of cycles: facts and rows have none, and thousands are made a second."""


def open_store(settings: Settings) -> Store:
    """Log and vault alone, for commands that need no views: on PostgreSQL if that is set, else in
    the data folder. The vault's key file is in the data folder either way.
    """
    if settings.database_url is None:
        return Store.at(settings.data, AGGREGATES)
    if settings.vault_url is None:
        raise StoreNotMade("RELIEF_DATABASE_URL is set and RELIEF_VAULT_URL is not.")
    power = settings.i_know_the_role_can_rewrite_the_log
    log = PostgresLog(settings.database_url, allow_power=power)
    try:
        vault = PostgresVault(settings.vault_url, settings.data / "vault.key")
    except BaseException:
        log.close()
        raise
    return Store(log, vault, AGGREGATES)


@contextmanager
def running(settings: Settings, *, follow: bool = True) -> Iterator[System]:
    """The whole system of one process; stops it in order at the end.

    ``follow`` False leaves the views where they are (another process may be keeping them).
    """
    gc.set_threshold(YOUNG_OBJECTS, 20, 20)
    store = open_store(settings)
    views = ViewsDatabase(settings.data / "views.sqlite", VIEWS)
    follower = Follower(store, views)
    reader = ViewsReader(views.path)
    system = System(
        store=store,
        views=views,
        reader=reader,
        follower=follower,
        accounts=Accounts(store.vault),
        tree=AreaTree(reader),
        secure_cookies=settings.secure_cookies,
        after_wait_seconds=settings.after_wait_seconds,
    )
    timekeeper = Timekeeper(store, system.reader)
    if follow:
        follower.start()
        timekeeper.start()
    try:
        yield system
    finally:
        timekeeper.stop()
        store.writer.close()
        follower.stop()
        reader.close()
        views.close()
        store.close()
