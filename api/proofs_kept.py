"""Proofs as one running system makes them: the tree over its log is kept in memory, so that a fact
is read once and not for each proof."""

import threading
import time
from typing import Any, Final

from eventstore.log import Row
from eventstore.proofs import proof_of
from eventstore.proving import ROWS_AT_ONCE, GapInLog, KeptTree, NotInOrder
from eventstore.sql import DATABASE_ERRORS
from eventstore.store import Store

MOST_PROMPT: Final = 20_000
"""So many facts are taken in while somebody waits; more of them in a thread."""
PAUSE_SECONDS: Final = 0.005
"""Between pieces of reading, for whoever else wants the interpreter."""


class ProofsBehind(Exception):
    """The tree has taken in ``done`` facts of ``of``; it goes on."""

    def __init__(self, done: int, of: int) -> None:
        super().__init__(f"{done} of {of}")
        self.done, self.of = done, of


class Proofs:
    """Makes proofs of one store's facts. Any number of threads may ask."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._tree = KeptTree(store.log)
        self._lock = threading.Lock()
        self._reading: threading.Thread | None = None

    def of(self, rows: list[Row]) -> dict[str, Any]:
        """The proof of these facts. Raises `ProofsBehind`, `GapInLog`, `NotInOrder`,
        `RowChanged`."""
        size = self._store.head()
        if size < self._tree.size:  # the newest were taken out since they were read
            raise GapInLog(size + 1)
        if not self._tree.grow(size, MOST_PROMPT if self._near(size) else 0):
            self._begin(size)
            raise ProofsBehind(self._tree.size, size)
        return proof_of(self._store, rows, size, tree=self._tree.tree)

    def _near(self, size: int) -> bool:
        return size - self._tree.size <= MOST_PROMPT

    def _begin(self, size: int) -> None:
        with self._lock:
            if self._reading is None or not self._reading.is_alive():
                self._reading = threading.Thread(
                    target=self._read, args=(size,), name="relief-proofs", daemon=True
                )
                self._reading.start()

    def _read(self, size: int) -> None:
        """Takes in the facts up to ``size``. What goes wrong is told to who asks next."""
        try:
            while not self._tree.grow(size, ROWS_AT_ONCE):
                time.sleep(PAUSE_SECONDS)
        except (GapInLog, NotInOrder, *DATABASE_ERRORS):
            return
