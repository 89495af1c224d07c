"""Seeing what was sealed about who called or objected: each time with a reason, as a fact.

The text is opened for one answer only (`api.unsealing`); no fact carries it. The sealed texts of
a household are opened by `domain.commands.households.RevealHousehold`.
"""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from domain.area import check_text
from domain.commands.checked import Checked
from domain.commands.incidents import INCIDENT
from domain.commands.village_lists import VILLAGE_LIST
from domain.incident import Incident
from domain.refusal import Refusal, refusal_of
from domain.village_list import VillageList
from domain.world import About, Command, Result, Role, World


@dataclass(frozen=True, slots=True, kw_only=True)
class RevealCaller(Command):
    """Record, with a reason, that the telephone number of who called is shown to this officer."""

    about: ClassVar[About] = INCIDENT
    roles: ClassVar[frozenset[Role]] = frozenset({Role.DISPATCHER, Role.AUDITOR})
    incident: UUID
    reason: str

    @classmethod
    def closed(cls, world: World, subject: Incident) -> Refusal | None:
        return refusal_of(subject.check_caller_known)

    def decide(self, world: World) -> Result | None:
        world.get(Incident, self.incident).reveal_caller(reason=self.reason)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class RevealObjection(Checked):
    """Record, with a reason, that the text of an objection is shown to this officer.

    To those who settle objections and to auditors. The village that wrote it down is not asked:
    an objection may be against the village itself.
    """

    about: ClassVar[About] = VILLAGE_LIST
    roles: ClassVar[frozenset[Role]] = frozenset(
        {Role.TOWNSHIP_REVIEWER, Role.COUNTY_APPROVER, Role.AUDITOR}
    )
    village_list: UUID
    objection: UUID
    reason: str

    @classmethod
    def check(cls, world: World, subject: VillageList) -> None:
        subject.check_objected()

    def decide(self, world: World) -> Result | None:
        check_text("reason", self.reason)
        found = world.get(VillageList, self.village_list)
        found.reveal_objection(self.objection, reason=self.reason)
        return None
