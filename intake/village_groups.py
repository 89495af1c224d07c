"""What a list says of villagers' groups, beside the groups that the villages have.

A cell says 3组, 第三组, 三组, 03 or 柳树组; the household refers to the group that this means, as
with everything that is typed (`domain.commands.village_groups.group_referred_to`). A cell that
means none of the village's groups is kept as text, and said: no row is lost by it.
"""

from uuid import UUID

from domain.area import Area
from domain.village_group import VillageGroup, group_meant
from eventstore.store import Store
from intake.columns import Column
from intake.rows import ParsedHousehold
from intake.stored import Difference

MOST_NAMED = 8
"""Groups that a note names."""


class GroupsThere:
    """The living groups of the villages of one list; each village is asked for once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[UUID, tuple[VillageGroup, ...]] = {}

    def of(self, village: UUID) -> tuple[VillageGroup, ...]:
        if village not in self._known:
            area: Area | None = self._store.load(village)
            groups = area.groups.values() if area is not None else ()
            self._known[village] = tuple(one for one in groups if one.living)
        return self._known[village]

    def unknown(self, village: UUID, parsed: ParsedHousehold) -> Difference | None:
        """The note on a group that the village has not, or of which the text may mean several."""
        there = self.of(village)
        if not parsed.group or not there or group_meant(there, parsed.group) is not None:
            return None
        known = "、".join(f"{one.code} {one.name}" for one in there[:MOST_NAMED])
        facts = {"known": known + ("…" if len(there) > MOST_NAMED else "")}
        return Difference("group-unknown", Column.GROUP, parsed.row, parsed.group, facts)
