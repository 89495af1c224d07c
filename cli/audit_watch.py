"""`relief audit watch`: a log that was changed by hand is noticed while the boards are served.

A process of its own beside `relief serve`, at the lowest priority: every half minute (of a long
log seldomer, so that it takes no more than a twentieth of a core) it reads the whole log again, as
`relief audit verify` does, against the checkpoints of its earlier rounds. Each round that finds
nothing signs one more; what it finds is written beside them and told on every page, until a round
finds nothing any more. Who can write the checkpoints too is not noticed: those that count for
others are kept elsewhere (`relief audit checkpoint --to`).
"""

import fcntl
import os
import time
from pathlib import Path

import msgspec

from api.watched import ALARM, LOOKED, WATCH, Alarm, Looked, put
from audit.relief_verify import Checkpoint, Unreadable, checkpoint_of, key_of, signers
from audit.verifying import WHAT, Bad
from cli.audit_examining import examine
from cli.audit_readings import examine_readings
from cli.compose import open_store
from cli.settings import Settings
from eventstore.access_log import AccessLog
from eventstore.checkpoints import SigningKey, origin_of, readings_said
from eventstore.errors import StoreError
from eventstore.modes import private_folder
from eventstore.proofs import signed
from eventstore.store import Store

EVERY_SECONDS = 30.0
"""Where nobody has set how often (`RELIEF_WATCH_SECONDS`), and where a server is not to watch."""
SHARE = 20
"""A round may take one in so many seconds."""
MOST_KEPT = 64
NICENESS = 15


def look(store: Store, folder: Path) -> Bad | None:
    """One round: what is wrong with the log, or None and one more checkpoint."""
    private_folder(folder)
    kept = _kept(store, folder)
    size, began = store.head(), time.monotonic()
    examined = examine(store, size, list(kept.values())).examined
    if examined.bad is not None:
        _raise_alarm(folder, examined.bad)
        return examined.bad
    readings = examine_readings(store, kept.values())
    if readings.first_bad is not None:
        bad = Bad(readings.first_bad, None, "readings")
        _raise_alarm(folder, bad)
        return bad
    (folder / ALARM).unlink(missing_ok=True)
    looked = Looked(store.clock.now(), size, round(time.monotonic() - began, 3))
    put(folder / LOOKED, msgspec.json.encode(looked))
    known = {one.size: readings_said(one.text) for one in kept.values()}
    if size and known.get(size) != AccessLog(store.vault).end():  # facts or readings came
        put(folder / f"{size}.checkpoint", signed(store, examined.root, size).encode())
        _thin(folder, kept)
    return None


def _kept(store: Store, folder: Path) -> dict[Path, Checkpoint]:
    """Checkpoints of earlier rounds that are this log's, of this epoch; others are removed."""
    found: dict[Path, Checkpoint] = {}
    origin = origin_of(store)
    key = key_of(SigningKey(store.vault, origin).published)
    for file in sorted(folder.glob("*.checkpoint")):
        try:
            one = checkpoint_of(file.read_text(encoding="utf-8"))
            good = one.origin == origin and bool(signers(one, [key]))
        except (OSError, UnicodeDecodeError, Unreadable):
            good = False
        if good:
            found[file] = one
        else:
            file.unlink(missing_ok=True)
    return found


def _thin(folder: Path, kept: dict[Path, Checkpoint]) -> None:
    """Of too many every second of the older half goes."""
    if len(kept) < MOST_KEPT:
        return
    by_size = sorted(kept, key=lambda file: kept[file].size)
    for file in by_size[: MOST_KEPT // 2 : 2]:
        file.unlink(missing_ok=True)


def _raise_alarm(folder: Path, bad: Bad) -> None:
    zh, en = WHAT[bad.what]
    first, last = bad.between or (bad.position, bad.position)
    at = f"{first}" if first == last else f"{first}–{last}"
    put(folder / ALARM, msgspec.json.encode(Alarm(position=at, zh=zh, en=en)))


def keep_watch(settings: Settings, parent: int | None) -> None:
    """Round after round, until the parent is gone; one process a folder."""
    folder = settings.data / WATCH
    private_folder(folder)
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(handle) as lock:
        while _lives(parent) and not _mine(lock.fileno()):
            time.sleep(1.0)
        while _lives(parent):
            began = time.monotonic()
            try:
                store = open_store(settings)
                try:
                    look(store, folder)
                finally:
                    store.close()
            except StoreError as problem:
                if problem.retry_after is None:
                    raise
            took = time.monotonic() - began
            _rest(max(settings.watch_seconds or EVERY_SECONDS, SHARE * took), parent)


def _lives(parent: int | None) -> bool:
    return parent is None or os.getppid() == parent


def _mine(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _rest(seconds: float, parent: int | None) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until and _lives(parent):
        time.sleep(0.5)
