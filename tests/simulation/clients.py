"""Clients with stable command ids: they send until they are answered, and remember every answer."""

from dataclasses import dataclass, field
from uuid import UUID

from eventstore.batch import Answer
from eventstore.errors import StoreError
from eventstore.outcomes import Envelope, Receipt, Refused
from tests.simulation.api import Api
from tests.simulation.chance import Chance, Violation
from tests.simulation.scripts import Script
from tests.simulation.town import template

Told = tuple[object, ...]


def said(answer: Receipt | Refused) -> Told:
    """What an answer says, whether it is the first or a repeat."""
    if isinstance(answer, Receipt):
        return ("accepted", answer.position, answer.facts, tuple(answer.result.items()))
    return ("refused", answer.outcome.position, answer.problem.code, str(answer.problem.facts))


@dataclass
class Client:
    """One script, one command at a time."""

    script: Script
    chance: Chance
    pending: Envelope | None = None
    over: bool = False
    home: int = 0

    def begin(self) -> None:
        self.go_on(None)

    def go_on(self, accepted: bool | None) -> None:
        """The next command of the script."""
        try:
            wish = next(self.script) if accepted is None else self.script.send(accepted)
        except StopIteration:
            self.pending, self.over = None, True
            return
        command, by = wish
        officer = template().city.officer(by)
        self.pending = Envelope(id=self.chance.id(), officer=officer, command=command)


@dataclass
class Clients:
    """All of them, and what each command was answered. ``acknowledged``: what a client heard."""

    chance: Chance
    all: list[Client] = field(default_factory=list)
    decided: dict[UUID, Told] = field(default_factory=dict)
    acknowledged: dict[UUID, Told] = field(default_factory=dict)
    commands: dict[UUID, Envelope] = field(default_factory=dict)

    @property
    def over(self) -> bool:
        return all(client.over for client in self.all)

    def send(self, apis: list[Api]) -> None:
        """One client sends its command, perhaps again, perhaps in vain."""
        chance = self.chance
        waiting = [client for client in self.all if client.pending is not None]
        if not waiting:
            return
        client = chance.dice.choice(waiting)
        envelope = client.pending
        assert envelope is not None
        self.commands[envelope.id] = envelope
        if chance.strikes("retry elsewhere"):
            client.home = chance.dice.randrange(len(apis))
        if chance.strikes("request lost"):
            return
        apis[client.home].waiting.append(envelope)
        if chance.strikes("request repeated"):
            chance.dice.choice(apis).waiting.append(envelope)

    def heard(self, envelope: Envelope, answer: Answer) -> None:
        """An API process has answered. Raises `Violation` at an answer that must never be given."""
        chance = self.chance
        if isinstance(answer, StoreError) and answer.retry_after is not None:
            chance.note("later", str(envelope.id))
            return
        if not isinstance(answer, Receipt | Refused):
            raise Violation(f"answers: {type(envelope.command).__name__}: {answer!r}") from answer
        told = said(answer)
        chance.note(str(envelope.id), told)
        before = self.decided.setdefault(envelope.id, told)
        if before != told:
            raise Violation(f"answers: {envelope.id} was told {before}, then {told}")
        if chance.strikes("reply lost"):
            return
        self.acknowledged[envelope.id] = told
        for client in self.all:
            if client.pending is not None and client.pending.id == envelope.id:
                client.go_on(isinstance(answer, Receipt))
