"""`relief restore --drill`: is this backup one that a county can be run from?

The backup is restored into a place that is thrown away afterwards: a temporary folder or, where
PostgreSQL's administrator is known (RELIEF_ADMIN_URL), a database and roles of its own. There its
facts are decoded, its keys and names opened, its views folded in two ways and compared, and its
facts compared with those of the ledger that the settings name. That ledger is only read.
"""

import getpass
import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from cli.compose import open_store, running
from cli.doctor_ledger import Reading
from cli.settings import Settings
from domain.store import Cause
from domain.world import Sealed
from eventstore import backup as files
from eventstore.copying import Place, copy
from eventstore.errors import StoreDamaged
from eventstore.founding import Names, drop, found
from eventstore.lineage import begin_epoch
from eventstore.log import Log
from eventstore.store import Store
from projections.folding import rebuild as rebuilding

AT_ONCE = 1_000
SQLITE, POSTGRESQL = "sqlite", "postgresql"


class Drilled(msgspec.Struct, kw_only=True):
    """What a drill has found. ``facts`` and ``keys`` are the backup's own."""

    place: str
    facts: int
    keys: int
    rows: int
    seconds: float
    unlike: list[str]
    """Tables of views that two ways of folding filled differently."""
    unreadable: int
    """Persons whose data the facts hold, who are not erased, and whose key is not there."""
    beside: str
    """Against the ledger of the settings: ``same`` as far as the backup goes, ``ahead`` (the ledger
    is behind the backup), ``differs``, of an ``other`` ledger, or ``none`` is here."""

    @property
    def ok(self) -> bool:
        return not self.unlike and not self.unreadable and self.beside != "differs"


def drill(source: Path, settings: Settings) -> Drilled:
    """Restore a backup, look at all of it, and throw it away.

    Raises `StoreDamaged` when the backup is not what its manifest says or cannot be decoded.
    """
    began = time.perf_counter()
    said = files.proven(source)
    with _place(source, settings) as (place, there):
        beside = _beside(there, settings)
        with closing(open_store(there)) as store:
            if store.head():
                begin_epoch(store, Cause.RESTORE, operator=getpass.getuser())
            unreadable = _unreadable(store)
        views = _views(there)
    return Drilled(
        place=place,
        facts=said.events,
        keys=said.keys,
        rows=sum(view.rows for view in views),
        seconds=round(time.perf_counter() - began, 2),
        unlike=[view.name for view in views if not view.equal],
        unreadable=unreadable,
        beside=beside,
    )


@contextmanager
def _place(source: Path, settings: Settings) -> Iterator[tuple[str, Settings]]:
    """The restored store, and the settings that name it and nothing else."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="relief-drill-")))
        data = folder / "store"
        alone: dict[str, Any] = {"data": data, "kafka": None, "process": ""}
        if settings.database_url is None or settings.admin_url is None:
            files.restore(source, data)
            none = dict.fromkeys(("database_url", "vault_url", "views_url", "read_url"))
            yield SQLITE, settings.model_copy(update=alone | none)
            return
        database = f"relief_drill_{secrets.token_hex(4)}"
        names = Names(f"_{database}")
        stack.callback(drop, settings.admin_url, database, names)
        urls = found(settings.admin_url, database, names=names)
        copy(Place.folder(source), Place(urls.database, urls.vault, data / "vault.key"))
        given = {
            "database_url": urls.database,
            "vault_url": urls.vault,
            "views_url": urls.views,
            "read_url": urls.read,
        }
        yield POSTGRESQL, settings.model_copy(update=alone | given)


def _unreadable(store: Store) -> int:
    """Persons in the facts, all of which are decoded, whom no key of the vault opens any more."""
    persons: set[UUID] = set()
    after = 0
    while batch := store.read(after, AT_ONCE):
        after = batch[-1].position
        for recorded in batch:
            persons.update(sealed.person for sealed in _sealed(recorded.event))
    persons -= {fact.person for fact in store.effects.erased()}
    asked = sorted(persons)
    held = 0
    for start in range(0, len(asked), AT_ONCE):
        held += len(store.vault.keys_of(asked[start : start + AT_ONCE]))
    return len(asked) - held


def _sealed(value: Any) -> Iterator[Sealed]:
    """Whatever is sealed anywhere in a fact."""
    if isinstance(value, Sealed):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _sealed(one)
    elif isinstance(value, list | tuple | set | frozenset):
        for one in value:
            yield from _sealed(one)
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from _sealed(getattr(value, name))
    elif hasattr(value, "__dict__"):
        yield from _sealed(vars(value))


def _views(settings: Settings) -> tuple[rebuilding.Compared, ...]:
    """Every view folded as a running ledger folds it, and compared with a strict rebuild."""
    with running(settings, follow=False, make=False) as system:
        log, views = system.store.log.source, system.views
        if settings.database_url is None:
            while system.boards.step():
                pass
        else:  # there are no workers here
            rebuilding.rebuild(log, views)
        parked = views.parked()
        if parked:
            raise StoreDamaged(f"{len(parked)} facts could not be folded")
        return rebuilding.check(log, views).views


def _beside(restored: Settings, settings: Settings) -> str:
    """How the restored facts compare with the ledger here (`Drilled.beside`). The backup itself is
    not opened for it: SQLite would write into a file that it opens."""
    if settings.database_url is None and not (settings.data / "log.sqlite").exists():
        return "none"
    with closing(Reading(settings)) as here, closing(Reading(restored)) as there:
        if here.mark("born") != there.mark("born"):
            return "other"
        present, head = here.head(), there.head()
        if not _same(here, there, min(present, head)):
            return "differs"
        return "same" if present >= head else "ahead"


def _same(one: Log, other: Log, upto: int) -> bool:
    after = 0
    while after < upto:
        rows = one.rows(after, AT_ONCE, upto)
        if not rows or list(rows) != list(other.rows(after, AT_ONCE, upto)):
            return False
        after = rows[-1][0]
    return True
