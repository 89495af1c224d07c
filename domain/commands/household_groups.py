"""The desk for the villagers' groups 村民小组 that households belong to: of one, or of many.

The groups themselves are kept in `domain.commands.village_groups`.
"""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from domain.area import check_text
from domain.commands.households import REGISTRARS, OfHousehold
from domain.commands.village_groups import group_referred_to
from domain.household import Household
from domain.refusal import Malformed, NotFound
from domain.world import Command, Result, Role, World

MOST_IN_ONE_STEP = 500
"""Households that one command puts into a group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeHouseholdGroup(OfHousehold):
    """Change the villagers' group of a household within its village, by sub-code or as typed."""

    group: str = ""
    group_code: str = ""
    expected_version: int | None = None

    def decide(self, world: World) -> Result | None:
        household = self.of(world)
        found = group_referred_to(world, household.village, self.group, self.group_code)
        household.change_group(*found, self.reason)
        return {"group": household.group, "group_code": household.group_code}


@dataclass(frozen=True, slots=True, kw_only=True)
class PutIntoGroup(Command):
    """Put households of a village into one of its groups: all of them, or none."""

    roles: ClassVar[frozenset[Role]] = REGISTRARS
    village: UUID
    group_code: str
    households: tuple[UUID, ...]
    reason: str

    def scope(self, world: World) -> UUID:
        return self.village

    def decide(self, world: World) -> Result | None:
        check_text("reason", self.reason)
        if not 1 <= len(self.households) <= MOST_IN_ONE_STEP:
            raise Malformed(
                field="households",
                value=str(len(self.households)),
                rule_zh=f"应为 1 至 {MOST_IN_ONE_STEP} 户",
                rule_en=f"1 to {MOST_IN_ONE_STEP}",
            )
        group = group_referred_to(world, self.village, "", self.group_code)
        changed = 0
        for id in self.households:
            household = world.get(Household, id)
            if household.village != self.village:
                raise NotFound(kind="Household", id=id)
            changed += household.change_group(*group, self.reason)
        return {"households": changed}
