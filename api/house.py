"""The process and its store in figures, for administrators: what runs here, how far it has come,
and which limits it keeps."""

import shutil
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select

from api.disowned import disowned_in
from api.noticing import clock_notices
from api.system import System
from api.watched import watched
from eventstore import postgres, sqlite, vault_tables
from eventstore.backup import LOG
from eventstore.clock import clock_state, machine_now
from eventstore.limits_reached import lately_reached
from eventstore.lineage import epoch_of, seat_recorded
from eventstore.postgres import PostgresLog
from projections.areas import AREAS
from projections.catalog import VIEWS

DISTRIBUTION: Final = "relief-ledger"
FILES: Final = (LOG, f"{LOG}-wal")


def release() -> str | None:
    """The version of the program; None where it was not installed."""
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:
        return None


def process_told(system: System) -> dict[str, Any]:
    """Figures of this process and of the store, as they are now. Asks log and views."""
    store = system.store
    head = store.head()
    at = system.views.positions()
    parked: dict[str, list[Any]] = {}
    for one in system.views.parked():
        parked.setdefault(one.view, []).append(one.at)
    kind = "postgresql" if isinstance(store.log, PostgresLog) else "sqlite"
    return {
        "version": release(),
        "store": kind,
        "schemas": {
            "log": postgres.REVISION if kind == "postgresql" else sqlite.SCHEMA,
            "vault": vault_tables.SCHEMA,
        },
        "log": {"head": head, "bytes": _log_bytes(system), "epoch": epoch_of(store.log)},
        "disk_left_bytes": _left(system.house.data),
        "seat": _seat(system),
        "training": store.training,
        "clock": _clock(system),
        "watched": whole(system),
        "views": [
            {
                "name": view.name,
                "version": view.version,
                "position": (position := min(at[view.name].values(), default=0)),
                "lag": max(0, head - position),
                "parked": len(parked.get(view.name, ())),
                "parked_since": min(parked.get(view.name, ()), default=None),
            }
            for view in VIEWS
        ],
    }


def whole(system: System) -> dict[str, Any]:
    """What is known of whether the log is whole: what the watch and the witness have left, and the
    rows in it that are none of the ledger's."""
    return {**watched(system.house.data).told(), "disowned": disowned_in(system.store)}


def limits_told(system: System) -> list[dict[str, Any]]:
    """Each limit: its name, setting and value, and how often the processes of this data folder
    reached it in the last 24 hours and when last. Of whom nothing is kept."""
    house = system.house
    reached = lately_reached(house.data / "run", machine_now().timestamp())
    return [
        {
            "name": name,
            "setting": f"RELIEF_{name}".upper(),
            "value": value,
            "reached": reached.get(name, (0, 0.0))[0],
            "last_at": reached[name][1] if name in reached else None,
        }
        for name, value in house.limits.items()
    ]


def _left(data: Path) -> int | None:
    """Of the disk of the data folder: of PostgreSQL's own nothing is known here."""
    try:
        return shutil.disk_usage(data).free
    except OSError:
        return None


def _log_bytes(system: System) -> int:
    log = system.store.log
    if isinstance(log, PostgresLog):
        return int(log.fetch("SELECT pg_database_size(current_database())")[0][0])
    files = (system.house.data / name for name in FILES)
    return sum(file.stat().st_size for file in files if file.exists())


def _seat(system: System) -> str | None:
    """The name of the area whose people this store is of."""
    seat = seat_recorded(system.store)
    with system.reader() as db:
        name: str | None = db.scalar(select(AREAS.c.name).where(AREAS.c.id == str(seat)))
    return name


def _clock(system: System) -> dict[str, Any]:
    """``state``: ``held`` (some machine's time is not used), ``simulated``, ``decided`` (it was
    held, and somebody decided), else ``fine``."""
    store = system.store
    notices = clock_notices(store)
    held = [one for one in notices if one.name == "clock-held"]
    if held:
        state = "held"
    elif store.simulated:
        state = "simulated"
    else:
        state = "decided" if clock_state(store.log).decisions else "fine"
    return {"state": state, "now": store.clock.now(), "notices": [one.model_dump() for one in held]}
