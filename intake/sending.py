"""The commands of one import on their way to the store: how they are numbered, sent, sent again."""

from collections.abc import Callable, Sequence
from typing import TypeAlias
from uuid import UUID, uuid4

from domain.commands.households import AddMember
from domain.ids import seeded_id
from domain.world import Command
from eventstore.batch import Answer
from eventstore.errors import StoreLocked
from eventstore.outcomes import Envelope
from eventstore.store import Store
from intake.batches import registration
from intake.entries import Entry
from intake.stored import Missing

LOCKED_TRIES = 15

RunMany: TypeAlias = Callable[[list[Envelope]], Sequence[Answer]]


class Sender:
    """``job``: of an import that may be broken off and goes on. Its commands' ids follow from it
    and from their rows, so that twice is once, and its facts carry it, so that it knows them again.
    """

    def __init__(
        self, store: Store, officer: UUID | None, job: UUID | None, run_many: RunMany | None
    ) -> None:
        self._store = store
        self._officer = officer
        self._job = job
        self._run_many = run_many or store.run_many

    def secret(self) -> str:
        return self._store.vault.secret("import-ids").hex()

    def registering(self, village: UUID, entries: list[Entry]) -> Envelope:
        rows = [(entry.rows[0].sheet, entry.rows[0].row) for entry in entries]
        id = self._id("households", village, *rows) or uuid4()
        return self._envelope(id, registration(village, entries))

    def adding(self, entry: Entry, person: Missing, command: AddMember) -> Envelope:
        """Nobody finds a person without ID number twice, so two runs at once send one command: its
        id follows from the household's state and the row."""
        id: UUID | None
        if person.member.id_number is not None:
            id = self._id("member", entry.rows[0].sheet, person.row, person.slot, person.place)
        else:
            assert entry.given is not None
            state = len(self._store.history(entry.given.id))
            name = person.member.name
            parts = (entry.given.id, state, self._officer, person.place, name, person.counted)
            id = seeded_id(self.secret(), "member", *parts)
        return self._envelope(id or uuid4(), command)

    def _envelope(self, id: UUID, command: Command) -> Envelope:
        return Envelope(id=id, officer=self._officer, command=command, correlation=self._job)

    def _id(self, *parts: object) -> UUID | None:
        if self._job is None:
            return None
        return self._store.system_command_id("import", self._job, *parts)

    def answers(self, envelopes: list[Envelope]) -> list[Answer]:
        """The same commands again while the files are busy: they are carried out once."""
        answers = list(self._run_many(envelopes))
        for _ in range(LOCKED_TRIES):
            if not any(isinstance(answer, StoreLocked) for answer in answers):
                break
            answers = list(self._run_many(envelopes))
        return answers

    def did(self, household: UUID) -> str | None:
        """What this job has done to a household before it was broken off, as an outcome."""
        if self._job is None:
            return None
        history = self._store.history(household)
        if history and history[0].event.meta.correlation == self._job:
            return "registered"
        mine = any(one.event.meta.correlation == self._job for one in history)
        return "completed" if mine else None
