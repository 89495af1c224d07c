"""Commands whose subject is checked by one function, asked before they are shown and decided."""

from typing import Any

from domain.refusal import Refusal, refusal_of
from domain.world import Command, World


class Checked(Command):
    """A step that says in `check` what its subject and the actor must be like."""

    __slots__ = ()

    @classmethod
    def closed(cls, world: World, subject: Any) -> Refusal | None:
        return refusal_of(cls.check, world, subject)

    @classmethod
    def check(cls, world: World, subject: Any) -> None:
        """Refuses what the subject's state forbids to this actor, whatever else is said."""
