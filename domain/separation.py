"""Separation of duties: reporter ≠ reviewer ≠ approver ≠ payer of one matter (domain.md §7.9).

Persons count, not accounts: a substitute counts as both, a successor as the predecessor too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from domain.dispensation import Dispensation
from domain.refusal import Refusal
from domain.world import World


@dataclass(eq=False)
class SamePersonTwice(Refusal):
    """One person has done another step of this matter, in person, by a stand-in or before."""

    zh: ClassVar[str] = "同一人不能办理同一事项的两个环节：已办理 {other}，不能再办 {step}"
    en: ClassVar[str] = "One person may not do two steps of one matter: {other} and now {step}."
    matter: UUID
    officer: UUID
    step: str
    other: str


def join(steps: dict[str, tuple[UUID, ...]], step: str, hands: tuple[UUID, ...]) -> None:
    """Remember these persons as having done the step; nobody twice, and no step by nobody."""
    if hands:
        known = steps.get(step, ())
        steps[step] = known + tuple(hand for hand in hands if hand not in known)


def separate(
    world: World, matter: UUID, done: Mapping[str, tuple[UUID, ...]], step: str
) -> tuple[UUID, ...]:
    """The persons who do this step, for the event to record.

    ``done`` holds the persons of each step so far. `SamePersonTwice` if one of the actor's
    persons is in another step, unless a dispensation covers the step. Repeating one's own
    step is no offence. The system is no person.
    """
    hands = world.actor.persons
    for other, persons in done.items():
        if other == step or not any(person in persons for person in hands):
            continue
        officer = world.actor.officer
        if world.find(Dispensation, Dispensation.id_of(matter, officer, step)) is None:
            raise SamePersonTwice(matter=matter, officer=officer, step=step, other=other)
        break
    return hands
