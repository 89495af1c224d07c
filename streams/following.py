"""What the HTTP side asks about the views, whoever folds them: the follower of an embedded store,
its follower in a process of its own, or the workers of a cluster."""

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol
from uuid import UUID

from eventstore.errors import StoreError
from projections.folding.engine import Applied

Listener = Callable[[Applied], None]


def cursor_of(vector: Mapping[int, int]) -> str:
    """A vector of positions as text, by which a client asks for what came later: ``12.9.14``, in
    the order of partitions."""
    return ".".join(str(vector[partition]) for partition in sorted(vector))


class Boards(Protocol):
    """How far the views have come, and word of every change. Satisfied by `Follower`,
    `FollowerApart`, `ViewsWatch`.

    ``failure`` is what stopped them for good, ``trouble`` what keeps them waiting just now.
    """

    @property
    def failure(self) -> BaseException | None: ...
    @property
    def trouble(self) -> StoreError | None: ...

    @property
    def position(self) -> int:
        """How far all views have come, everywhere."""

    def vector(self) -> dict[int, int]:
        """How far all views have come, by partition."""

    def listen(self, listener: Listener) -> None:
        """Tell ``listener`` of what was applied, on a thread of the boards."""

    def start(self) -> None: ...
    def stop(self) -> None: ...

    def wait_for(
        self, position: int, timeout: float, divisions: Iterable[UUID] | None = None
    ) -> bool:
        """Whether the views have reached ``position`` within ``timeout`` seconds.

        With ``divisions`` only those of these divisions' facts are waited for.
        """

    def step(self) -> bool:
        """Look once, without the thread; whether they have moved."""
