"""Dropping a parked fact for one view: an act of whoever keeps the machine, never of a post.

It changes what the boards of every area show, its effect is a rebuild on that machine, and an
administrator has no business right. So only the system may do it: it has no address in the API,
`relief parked drop` sends it, and the timeline names the operator and the reason to auditors.
"""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from domain.area import Area, check_text
from domain.parked_facts import ParkedFacts
from domain.refusal import Malformed
from domain.world import Command, Result, Role, World


@dataclass(frozen=True, slots=True, kw_only=True)
class DropParkedFact(Command):
    """Leave the fact at a position out of one view, now and in every rebuild."""

    roles: ClassVar[frozenset[Role]] = frozenset({Role.SYSTEM})
    area: UUID
    """The area at the top of this store's tree: the view is of all areas."""
    view: str
    position: int
    reason: str
    operator: str

    def scope(self, world: World) -> UUID:
        return self.area

    def decide(self, world: World) -> Result | None:
        for field in ("view", "reason", "operator"):
            check_text(field, getattr(self, field))
        if self.position < 1:
            raise Malformed(
                field="position",
                value=str(self.position),
                rule_zh="应为 1 或更大的数",
                rule_en="it is 1 or more",
            )
        id = ParkedFacts.id_of(self.view)
        found = world.find(ParkedFacts, id)
        if found is None:
            area = world.get(Area, self.area).id
            found = world.add(ParkedFacts(id=id, area=area, view=self.view))
        found.drop(self.position, self.reason.strip(), self.operator.strip())
        return {"parked_facts": id}
