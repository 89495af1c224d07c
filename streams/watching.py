"""What a process knows of views that others keep: an API process of the cluster of its workers', a
server on one machine of its follower's (`streams.apart`).

Whoever folds announces what changed; a look at the positions every fifth of a second backs it up,
so that a note lost with a connection costs a board a moment and no more.
"""

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from uuid import UUID

import msgspec
import psycopg
import structlog

from eventstore.errors import StoreError
from eventstore.postgres import PostgresConnection
from eventstore.sql import explain
from projections.folding.base import ANYWHERE, Row, View
from projections.folding.databases import CHANNEL
from projections.folding.engine import Applied
from projections.folding.errors import STOPPED, TooManyParked
from projections.folding.partitions import partition_of
from streams.following import Listener
from streams.notes import Notes

log = structlog.get_logger("boards")

POLL_SECONDS = 0.2
POSITIONS = (
    "SELECT partition, min(position), max(failing) FROM positions WHERE view IN ({})"
    " GROUP BY partition"
)
"""Only of this program's views: one that no program folds any more would stand still for ever."""


class Note(msgspec.Struct):
    """What whoever folds announces; see `projections.folding.engine.announcement`."""

    partition: int
    position: int
    tables: dict[str, list[str] | None] | None = None


WATCH_SESSIONS = 2
"""Most that a `ViewsWatch` holds: its looks, and who listens."""

_note = msgspec.json.Decoder(Note).decode


class PositionsWatch(ABC):
    """`Boards` of a process that reads positions and applies nothing.

    Listeners are told of the tables that changed; of their rows only the areas, where whoever folds
    named them, so that a board outside is not woken.
    """

    def __init__(self, views: Sequence[View], partitions: int) -> None:
        self._views = [view.name for view in views]
        self._tables = [table.name for view in views for table in view.tables]
        self._partitions = partitions
        self._listeners: list[Listener] = []
        self._moved = threading.Condition()
        self._stop = threading.Event()
        self._noted = 0
        self._at: dict[int, int] = {}
        self._standing: TooManyParked | None = None
        self._unread: StoreError | None = None
        self._thread = threading.Thread(target=self._run, name="boards", daemon=True)

    @abstractmethod
    def _found(self) -> Sequence[tuple[int, int, int]]:
        """By partition: the lowest position of these views, and the highest count of failures.
        Raises a `StoreError` or psycopg's."""

    @abstractmethod
    def hears(self) -> bool:
        """Whether it hears of changes at once, and not only at its looks."""

    @abstractmethod
    def _looked(self, moved: bool) -> None:
        """After each look of the thread: tell the listeners of what no note told."""

    @property
    def failure(self) -> BaseException | None:
        return self._standing

    @property
    def trouble(self) -> StoreError | None:
        return self._unread

    @property
    def position(self) -> int:
        return self._lowest(range(self._partitions))

    def _lowest(self, partitions: Iterable[int]) -> int:
        at = self._at
        return min((at.get(n, 0) for n in partitions), default=0)

    def vector(self) -> dict[int, int]:
        at = self._at
        return {n: at.get(n, 0) for n in range(self._partitions)}

    def listen(self, listener: Listener) -> None:
        self._listeners.append(listener)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        with self._moved:
            self._moved.notify_all()
        if self._thread.is_alive():
            self._thread.join()

    def wait_for(
        self, position: int, timeout: float, divisions: Iterable[UUID] | None = None
    ) -> bool:
        wanted: Iterable[int] = range(self._partitions)
        if divisions is not None:
            wanted = {partition_of(division, self._partitions) for division in divisions}
        with self._moved:
            return (
                self._moved.wait_for(
                    lambda: self._lowest(wanted) >= position or self._stop.is_set(), timeout
                )
                and not self._stop.is_set()
            )

    def step(self) -> bool:
        """Look at the positions once; whether one has moved."""
        noted = self._noted
        try:
            found = self._found()
        except (psycopg.Error, StoreError) as problem:
            named = explain(problem) if isinstance(problem, psycopg.Error) else problem
            if self._unread is None:
                log.warning("boards.waiting", why=str(named))
            self._unread = named
            return False
        self._unread = None
        stopped = sorted(partition for partition, _, failing in found if failing >= STOPPED)
        if stopped and self._standing is None:
            log.error("boards.stopped", partitions=stopped)
        self._standing = TooManyParked(f"partitions {stopped}") if stopped else None
        return self._move({partition: at for partition, at, _ in found}, noted)

    def _move(self, found: dict[int, int], noted: int) -> bool:
        """Take over positions. One that went back is a view that begins anew: it is believed,
        unless a note came while it was read, which may be newer."""
        with self._moved:
            moved = {n: at for n, at in found.items() if self._at.get(n) != at}
            if noted != self._noted:
                moved = {n: at for n, at in moved.items() if at > self._at.get(n, 0)}
            self._at = {**self._at, **moved}
            self._moved.notify_all()
        return bool(moved)

    # -- on threads of our own ----------------------------------------------------------------

    def _told(self, payload: str | bytes) -> None:
        """A note: positions first, then the listeners, so that what they ask is answered."""
        try:
            note = _note(payload)
        except msgspec.MsgspecError:
            self._tell_everything()
            return
        with self._moved:
            self._noted += 1
            known = self._at.get(note.partition, 0)
            self._at = {**self._at, note.partition: max(known, note.position)}
            self._moved.notify_all()
        if note.tables is None:
            self._tell_everything()
        elif note.tables:
            changed = {name: _rows(areas) for name, areas in note.tables.items()}
            self._tell(Applied(self.position, changed, note.partition))

    def _tell_everything(self) -> None:
        """Tell the listeners that something changed, though not what."""
        self._tell(Applied(self.position, {name: [ANYWHERE] for name in self._tables}))

    def _tell(self, applied: Applied) -> None:
        for listener in self._listeners:
            listener(applied)

    def _run(self) -> None:
        while not self._stop.wait(POLL_SECONDS):
            self._looked(self.step())


class ViewsWatch(PositionsWatch):
    """The `Boards` of an API process of the cluster."""

    def __init__(self, url: str, views: Sequence[View], partitions: int) -> None:
        super().__init__(views, partitions)
        self._session = PostgresConnection(url, "views")
        self._notes = Notes(url, [CHANNEL], lambda _channel, payload: self._told(payload))
        self._lost = False
        self.step()

    def start(self) -> None:
        self._notes.start()
        super().start()

    def stop(self) -> None:
        self._stop.set()
        self._notes.stop()
        super().stop()
        self._session.close()

    def hears(self) -> bool:
        return self._notes.listening.is_set()

    def _found(self) -> Sequence[tuple[int, int, int]]:
        sql = POSITIONS.format(",".join("?" * len(self._views)))
        found: list[tuple[int, int, int]] = self._session.execute(sql, self._views).fetchall()
        return found

    def _looked(self, moved: bool) -> None:
        if not self.hears():
            self._lost = self._lost or moved or self.trouble is not None
        elif self._lost:
            self._lost = False
            self._tell_everything()


def _rows(areas: list[str] | None) -> list[Row]:
    return [{"area": area} for area in areas] if areas else [ANYWHERE]
