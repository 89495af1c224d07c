"""Which log the views were folded from: a generation carries the log's lineage (`Log.lineage`).

A position says how far a view has come in one log. In another log, or in the same one after it was
restored, copied or promoted, other facts may stand at these positions. So views of another log, and
views that stand beyond the log's head, begin anew, empty, and are filled from it (decision 0020).
Generations from before lineages were kept have "": they count as of this log if it reaches so far.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import structlog

from eventstore.log import Log
from eventstore.sql import DATABASE_ERRORS, Sql, explain
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
        """Whether it cannot have been folded from a log of this lineage and head."""
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
    """See to it that these views are of this log: those of another one begin anew.

    From now on ``views`` folds nothing into generations of other logs. Answers the names of the
    views that begin anew, at position 0. Any process may do it, and any number at once. Raises a
    `StoreError`.
    """
    anew: list[str] = []
    try:
        with views.lock:
            views.lineage = lineage = source.lineage()
            known, head = _own(views), source.head()
            if any(one.lineage != lineage or one.farthest > head for one in known.values()):
                with views.place.switching():
                    anew = _settle(views, source)
            views.use()
    except DATABASE_ERRORS as problem:
        raise explain(problem) from problem
    if anew:
        said.warning("views.begin_anew", views=anew, lineage=lineage)
    return anew


def _own(views: "ViewsDatabase") -> dict[str, Live]:
    """The live generations of these views, and of no others that the place has."""
    known = {entry.view: entry for entry in live(views.db)}
    return {view.name: known[view.name] for view in views.views}


def _settle(views: "ViewsDatabase", source: Log) -> list[str]:
    known, head = _own(views), source.head()
    anew = [view for view in views.views if known[view.name].foreign(views.lineage, head)]
    for view in views.views:
        if view in anew:
            views.begin_anew(view, known[view.name].generation + 1)
        else:
            adopt = "UPDATE generations SET lineage = ? WHERE view = ?"
            views.db.execute(adopt, (views.lineage, view.name))
    return [view.name for view in anew]
