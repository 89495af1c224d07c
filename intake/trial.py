"""What the domain would say to a command, without writing anything: its own code, on a copy.

The same decision as the writer's, over aggregates loaded for it alone and a vault that seals
nothing. What it cannot know is what somebody else writes between the check and the import.
"""

from typing import Any
from uuid import UUID, uuid4

from domain.area import Area
from domain.officer import Officer
from domain.refusal import Refusal
from domain.rulebook import Rulebook
from domain.world import Command, Sealed
from eventstore.deciding import DecisionWorld, Memo, decide
from eventstore.outcomes import Problem, problem_of
from eventstore.store import Store
from eventstore.vault import Vault

_KEPT = (Area, Officer, Rulebook)  # what registering a household reads and never changes


class _Blank:
    """A vault that knows the persons there are, and keeps nothing of new ones."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._made: set[UUID] = set()

    def person_for(self, id_number: str, instead_of: UUID | None = None) -> UUID:
        known = self._vault.find_person(id_number)
        if known is None or known == instead_of:
            known = uuid4()
            self._made.add(known)
        return known

    def is_fresh(self, person: UUID) -> bool:
        return person in self._made

    def is_person(self, id: UUID) -> bool:
        return id in self._made or self._vault.is_person(id)

    def new_person(self) -> UUID:
        return uuid4()

    def seal(self, person: UUID, stream: UUID, field: str, text: str) -> Sealed:
        return Sealed(person, b"")

    def unseal(self, sealed: Sealed, stream: UUID, field: str) -> str | None:
        return None


class Trial:
    """Decisions of one officer's commands, all in vain."""

    def __init__(self, store: Store, officer: UUID | None) -> None:
        self._store = store
        self._officer = officer
        self._memo = Memo()
        self._kept: dict[UUID, Any] = {}

    def refusal(self, command: Command) -> Problem | None:
        """Why the command would be refused now, or None."""
        now = self._store.clock.now()
        vault = _Blank(self._store.vault)
        born = self._store.writer.cache.born
        world = DecisionWorld(self._load, vault, now, uuid4(), self._memo, born=born)
        try:
            decide(world, command, self._officer)
        except Refusal as refusal:
            return problem_of(refusal)
        return None

    def _load(self, kind: type[Any], stream: UUID) -> Any:
        if kind not in _KEPT:
            return self._store.load(stream)
        if stream not in self._kept:
            self._kept[stream] = self._store.load(stream)
        return self._kept[stream]
