"""Replaying one view: as a rebuild of it, but what still cannot be folded stays parked.

A rebuild stops at the first fact that a view cannot fold. When a new program can fold some of the
parked facts, or one of them has been dropped, all others would have to stay parked.
"""

import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from projections.folding.base import View
from projections.folding.engine import ViewsDatabase
from projections.folding.facts import PartitionOf, Takes
from projections.folding.fold import ISOLATE, Folding, Routing
from projections.folding.parking import dropped_in
from projections.folding.takeover import Later, next_generation


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay of a view did: how many of its facts wait now, and how many did before."""

    view: str
    position: int
    seconds: float
    parked_before: int
    parked: int


def replay(
    source: str | Path, views: ViewsDatabase, view: View, partition_of: PartitionOf
) -> Replayed:
    """Rebuild one view beside the live one and switch; readers go on meanwhile, and workers too
    (an embedded store's follower waits).

    What can be folded now is not parked any more, and what is dropped is left out. Raises
    `TooManyParked` when ten streams in a row cannot be folded; then nothing has changed.
    """
    began = time.perf_counter()
    views.dropped |= dropped_in(source, views.views, {at for _, at in views.dropped})
    before = sum(one.view == view.name for one in views.parked())
    folding = Folding(Routing([view]), Takes(without=views.dropped), ISOLATE)
    with closing(ViewsDatabase(views.place.again(), [view], views.partitions)) as own:
        own.dropped = views.dropped
        with next_generation(own, 1, Later(source, folding, partition_of)) as coming:
            coming.take_over({}, 0)
        position = max(own.positions()[view.name].values())
    return Replayed(view.name, position, time.perf_counter() - began, before, len(folding.parked))
