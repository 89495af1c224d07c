"""Which log the views were folded from: a generation carries the log's lineage (`Log.lineage`).

A position means nothing beside another log, or beside the same one after it was restored, copied
or promoted: the facts at these positions may be others. Such views, and those that stand beyond
the head, are not gone on with: they begin anew, empty, and are filled from the log (decision 0020).
Generations made before there were lineages have "" and are adopted if the log reaches so far.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple

import structlog

from eventstore.log import Log
from eventstore.sql import DATABASE_ERRORS, Sql, explain
from projections.folding.base import View
from projections.folding.errors import ViewsOfAnotherLog

if TYPE_CHECKING:
    from projections.folding.engine import ViewsDatabase

said = structlog.get_logger("views")

UNKNOWN = ""
LIVE = (
    "SELECT g.view, g.version, g.generation, {} lineage, coalesce(min(p.position), 0),"
    " coalesce(max(p.position), 0) FROM generations g LEFT JOIN positions p ON p.view = g.view"
    " GROUP BY g.view, g.version, g.generation, lineage ORDER BY g.view"
)


class Live(NamedTuple):
    """A view's live generation: of which log it is, and how far it has come."""

    view: str
    version: int
    generation: int
    lineage: str
    position: int
    """In its slowest partition."""
    farthest: int
    """In its fastest."""

    def foreign(self, lineage: str, head: int) -> bool:
        """Whether it cannot be gone on with beside a log of this lineage and head."""
        return self.lineage not in (UNKNOWN, lineage) or self.farthest > head


def live(db: Sql) -> list[Live]:
    """By name of the view. Also of tables that were made before they had a lineage."""
    try:
        found = db.execute(LIVE.format("g.lineage")).fetchall()
    except DATABASE_ERRORS:
        found = db.execute(LIVE.format("''")).fetchall()
    return [Live(*row) for row in found]


def refuse_foreign(found: Iterable[str], lineage: str) -> None:
    """Raise `ViewsOfAnotherLog` if a generation is of another log than the one that is folded."""
    if lineage != UNKNOWN and any(one != lineage for one in found):
        raise ViewsOfAnotherLog


def foreign(db: Sql, log: Log) -> list[str]:
    """The views that are not of this log, by name."""
    known = live(db)
    lineage, head = log.lineage(), log.head()  # after the positions, which grow with it
    return [view.view for view in known if view.foreign(lineage, head)]


def belong(views: "ViewsDatabase", source: Log) -> list[str]:
    """Let these views be of this log: adopt what may be, begin anew what is of another one.

    From now on ``views`` folds nothing into generations of other logs. Answers the names of the
    views that begin anew, at position 0. Any process may do it, and any number at once. Raises a
    `StoreError`.
    """
    try:
        with views.lock:
            views.lineage = lineage = source.lineage()
            if _to_do(views, lineage, source):
                with views.place.switching():
                    anew = _settle(views, lineage, source.head)
            else:
                anew = []
            views.use()
    except DATABASE_ERRORS as problem:
        raise explain(problem) from problem
    if anew:
        said.warning("views.begin_anew", views=anew, lineage=lineage)
    return anew


def _to_do(views: "ViewsDatabase", lineage: str, source: Log) -> bool:
    known = {view.view: view for view in live(views.db)}
    head = source.head()
    return any(
        known[view.name].lineage != lineage or known[view.name].farthest > head
        for view in views.views
    )


def _settle(views: "ViewsDatabase", lineage: str, head_now: Callable[[], int]) -> list[str]:
    known = {view.view: view for view in live(views.db)}
    head = head_now()
    anew: list[View] = [v for v in views.views if known[v.name].foreign(lineage, head)]
    for view in views.views:
        if view not in anew:
            adopt = "UPDATE generations SET lineage = ? WHERE view = ?"
            views.db.execute(adopt, (lineage, view.name))
    for view in anew:
        generation = known[view.name].generation + 1
        views.make_tables(view, generation, indexes=True)
        start = dict.fromkeys(range(views.partitions), 0)
        views.drop_tables(view, views.switch(view, generation, start))
    return [view.name for view in anew]
