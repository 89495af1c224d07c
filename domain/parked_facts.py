"""ParkedFacts: what of a view's parked facts somebody has given up.

A view that cannot fold a fact parks it. Whoever keeps the machine may drop it for that view, with
a reason: that is a fact itself, so that every rebuild leaves the same facts out. The dropped fact
stays in the log, and all other views keep it.
"""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID, uuid5

from eventsourcing.domain import event

from domain.base import NAMESPACE, Aggregate
from domain.refusal import Refusal


@dataclass(eq=False)
class AlreadyDropped(Refusal):
    zh: ClassVar[str] = "看板 {view} 已经放弃过第 {position} 条记录"
    en: ClassVar[str] = "The view {view} has dropped the fact at {position} already."
    view: str
    position: int


class ParkedFacts(Aggregate):
    """What one view leaves out, by position in the log."""

    @event("Opened")
    def __init__(self, id: UUID, area: UUID, view: str) -> None:
        self.area = area
        self.view = view
        self.dropped: set[int] = set()

    @staticmethod
    def id_of(view: str) -> UUID:
        return uuid5(NAMESPACE, f"parked-facts/{view}")

    def derived_id(self) -> UUID:
        return self.id_of(self.view)

    @property
    def home(self) -> UUID:
        return self.area

    def drop(self, position: int, reason: str, operator: str) -> None:
        """Give up one fact for this view. ``operator``: who did it, as the machine knows them."""
        if position in self.dropped:
            raise AlreadyDropped(view=self.view, position=position)
        self._dropped(position=position, reason=reason, operator=operator)

    @event("Dropped")
    def _dropped(self, position: int, reason: str, operator: str) -> None:
        self.dropped.add(position)
