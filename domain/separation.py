"""Separation of duties: reporter ≠ reviewer ≠ approver ≠ payer of one matter (domain.md §7.9).

Persons count, not accounts: a substitute counts as both, a successor as the predecessor too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from domain.dispensation import Dispensation
from domain.refusal import Refusal
from domain.telling import Names
from domain.world import World

STEP_NAMES: dict[str, tuple[str, str]] = {
    "report": ("填报", "report"),
    "review": ("审核", "review"),
    "adjudicate": ("核定", "adjudicate"),
    "approve": ("审定", "approve"),
    "appraise": ("评议", "appraise"),
    "request": ("申请", "request"),
    "order": ("下达调拨令", "order"),
    "ship": ("发运", "ship"),
    "receive": ("到达验收", "receive"),
    "pay": ("发放", "pay"),
    "adopt": ("采用规则", "adopt rules"),
    "confirm": ("确认规则", "confirm rules"),
}
MADE_UP = (
    "；电话报告也可待报告人本人补报后再审",
    "; a report by telephone can be reviewed once its reporter has made it up in person",
)


@dataclass(eq=False)
class SamePersonTwice(Refusal):
    """One person has done another step of this matter, in person, by a stand-in or before.

    The sentences say the steps as people do, and the ways out.
    """

    zh: ClassVar[str] = (
        "同一人不能办理同一事项的两个环节：您（或您所代、所接替的人）已办理“{other}”，不能再办“{step}”。"
        "请由同级其他人员办理；确实没有他人时，请上级书面批准例外{more}"
    )
    en: ClassVar[str] = (
        "One person may not do two steps of one matter: you, or somebody you stand in for, did"
        ' "{other}" and cannot do "{step}". Let somebody else in post do it; where there is nobody,'
        " ask the level above for a dispensation in writing{more}."
    )
    matter: UUID
    officer: UUID
    step: str
    other: str

    def sentence(self, language: str, names: Names | None = None) -> str:
        del names  # it names steps, and nobody
        place = 0 if language == "zh" else 1
        more = MADE_UP[place] if (self.other, self.step) == ("report", "review") else ""
        template = (self.zh, self.en)[place]
        step, other = (
            STEP_NAMES[key][place] if key in STEP_NAMES else key for key in (self.step, self.other)
        )
        return template.format(step=step, other=other, more=more)


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
