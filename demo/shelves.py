"""A toy of the depots: which lots a consignment takes, first in first out, as the domain does.

Acceptance counts lot by lot, so the driver must know what was shipped without asking the store: a
command that is built again for a half-built store must be the same to the letter.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID


@dataclass(slots=True)
class Lot:
    """What a depot has left of a lot."""

    lot: UUID
    received_on: date
    left: int


@dataclass(frozen=True, slots=True)
class Load:
    """What a consignment carries: units by lot, oldest first."""

    item: str
    target: str
    lots: tuple[tuple[UUID, date, int], ...]


@dataclass(slots=True)
class Shelves:
    depots: dict[tuple[str, str], list[Lot]] = field(default_factory=lambda: defaultdict(list))
    loads: dict[str, Load] = field(default_factory=dict)
    wanted: dict[str, tuple[str, str, str, int]] = field(default_factory=dict)

    def receive(self, depot: str, item: str, lot: UUID, received_on: date, units: int) -> None:
        """Units come in; a lot that is known there grows."""
        for known in self.depots[depot, item]:
            if known.lot == lot:
                known.left += units
                return
        self.depots[depot, item].append(Lot(lot, received_on, units))

    def request(self, consignment: str, origin: str, target: str, item: str, units: int) -> None:
        self.wanted[consignment] = (origin, target, item, units)

    def order(self, consignment: str) -> str:
        """Set the oldest units aside. Answers where they come from."""
        origin, target, item, units = self.wanted[consignment]
        taken: list[tuple[UUID, date, int]] = []
        for lot in sorted(self.depots[origin, item], key=lambda one: one.received_on):
            part = min(units, lot.left)
            if part:
                lot.left -= part
                units -= part
                taken.append((lot.lot, lot.received_on, part))
        assert units == 0, f"{consignment}: {units} too few in {origin}"
        self.loads[consignment] = Load(item, target, tuple(taken))
        return origin

    def arrive(
        self, consignment: str, damaged: int, missing: int
    ) -> list[tuple[UUID, int, int, int]]:
        """Put the good units on the shelf. Answers lot, good, damaged, missing of each lot."""
        load = self.loads[consignment]
        counts: list[tuple[UUID, int, int, int]] = []
        for lot, received_on, units in load.lots:
            broken = min(damaged, units)
            gone = min(missing, units - broken)
            damaged, missing = damaged - broken, missing - gone
            good = units - broken - gone
            counts.append((lot, good, broken, gone))
            if good:
                self.receive(load.target, load.item, lot, received_on, good)
        return counts

    def oldest(self, depot: str, item: str, change: int) -> tuple[UUID, int]:
        """Change the oldest lot that has units. Answers it and what is left of it now."""
        lots = sorted(self.depots[depot, item], key=lambda one: one.received_on)
        lot = next(one for one in lots if one.left + min(change, 0) >= 0 and one.left)
        lot.left += change
        return lot.lot, lot.left
