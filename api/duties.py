"""What reports owe: by the caller's own areas, and by those below, a line a report or a place."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, select, union_all

from api.auth import Caller
from domain.area import AreaLevel
from domain.commands.issuing import RecordSentUpward
from domain.commands.reports import (
    ANY_FILER,
    ANY_LISTENER,
    FILERS,
    FileFollowUp,
    FileInitialReport,
    FileVerifiedReport,
)
from domain.rules.base import china_day
from domain.world import Command, Role
from projections.areas import AREAS
from projections.asking.deadlines_at import deadlines
from projections.asking.paging import MAX_LIMIT
from projections.asking.report_findings import casualties_hidden, parts_larger
from projections.asking.report_sums import ReportSums
from projections.asking.scope import Scope
from projections.asking.work_sources import grave
from projections.situation import REPORTS, counted_with

Row = dict[str, Any]

REPORT_KINDS: Final = frozenset(
    {"initial_report", "follow_up", "verified_report", "forward_report", "send_upward"}
)
UPWARD: Final = frozenset({"forward_report", "send_upward"})
"""What goes to the level above within an hour or two: told before it is late."""
AWAITED: Final = frozenset({"verified_report"})
"""What the work list has as a matter of its own, due or not (`report_verify`)."""
MOST: Final = 5000
"""Rows of what one area owes of one kind that are read at most: years of one report's days."""
NO_ROLE: frozenset[Role] = frozenset()

DONE_BY: Final[dict[str, tuple[type[Command], str]]] = {
    "initial_report": (FileInitialReport, "/report/{}"),
    "follow_up": (FileFollowUp, "/report/{}/file?kind=follow_up"),
    "verified_report": (FileVerifiedReport, "/report/{}/file?kind=verified"),
    "forward_report": (FileInitialReport, "/report/{}"),
    "send_upward": (RecordSentUpward, "/report/{}"),
}
"""The command that answers a duty, and the page where it is done."""


def owed_by(caller: Caller, due: Row) -> bool:
    """Whether the caller is among those who must file it: the people of the area itself."""
    roles = FILERS.get(AreaLevel(due["level"]), NO_ROLE)
    return UUID(due["area"]) in caller.areas(roles)


def own_duties(caller: Caller, exercise: bool) -> tuple[list[Row], list[Row]]:
    """What the caller's own areas owe, a line a report: what is overdue, and what must go up and
    is not late yet; but the 核报, which are `AWAITED`. Who need not act does not see it.

    A line has the columns of a deadline, ``times``, ``latest``, ``subjects`` (`grouped_dues`),
    ``grave`` and ``behind`` (`told_where_zero_misleads`).
    """
    found: list[Row] = []
    with caller.system.reader() as db:
        for area in caller.areas(ANY_FILER):
            scope = caller.scope(ANY_FILER, area)
            for kind in sorted(REPORT_KINDS - AWAITED):
                late = kind not in UPWARD
                rows = _all(db, caller, scope, exercise, kind, late, itself=area)
                found += [row for row in rows if owed_by(caller, row)]
        overdue, upward = (
            # What is "missing" has been overtaken by a later report: nobody can still send it.
            grouped_dues(row for row in found if row["state"] == state)
            for state in ("overdue", "open")
        )
    told_where_zero_misleads(caller, (*overdue, *upward))
    overdue.sort(key=lambda line: (not line["grave"], str(line["due_at"])))
    return overdue, upward


def told_where_zero_misleads(caller: Caller, lines: Sequence[Row]) -> None:
    """Says of each line of the caller's why "nothing has changed" is not one press there: ``grave``
    where one of its reports names a dead or missing person, ``behind`` where areas below had
    larger figures accepted since its own."""
    subjects = sorted(set[str]().union(*(line["subjects"] for line in lines)))
    with caller.system.reader() as db:
        with_people = _naming_people(db, caller, subjects)
        behind = _behind(db, caller) if subjects else set()
    for line in lines:
        line["grave"] = not with_people.isdisjoint(line["subjects"])
        line["behind"] = not behind.isdisjoint(line["subjects"])


def duties_below(caller: Caller, exercise: bool) -> list[Row]:
    """What areas below the caller's owe and have not sent, a line a place above them, occurrence
    and kind: ``above_name``, ``above`` ("" where the caller may not look), ``places`` (how many
    areas), ``times`` (how many reports), ``due_at`` the first."""
    found: list[Row] = []
    own = set(caller.areas(ANY_FILER))
    with caller.system.reader() as db:
        for area in caller.areas(ANY_LISTENER):
            scope = caller.scope(ANY_LISTENER, area)
            for kind in sorted(REPORT_KINDS - UPWARD):
                rows = _all(db, caller, scope, exercise, kind, True)
                found += [row for row in rows if UUID(row["area"]) not in own]
        lines = grouped_dues(row for row in found if row["state"] == "overdue")
        parents = _parents(db, {line["area"] for line in lines})
    roots = caller.areas(ANY_LISTENER)
    for line in lines:
        line["above"], line["above_name"] = parents.get(line["area"], ("", ""))
        if line["above"] and not caller.system.tree.inside(UUID(line["above"]), roots):
            line["above"] = ""  # the caller's own area owes it: what is above is not theirs to open
    return gathered_dues(lines, by=("above",))


def _all(
    db: Connection,
    caller: Caller,
    scope: Scope,
    exercise: bool,
    kind: str,
    overdue_only: bool,
    itself: UUID | None = None,
) -> list[Row]:
    clock = caller.system.store.clock
    rows: list[Row] = []
    cursor: str | None = None
    while True:
        found = deadlines(
            db,
            scope,
            at=caller.system.moment(),
            held=clock.held_time,
            kind=kind,
            itself=itself,
            overdue_only=overdue_only,
            exercise=exercise,
            cursor=cursor,
            limit=MAX_LIMIT,
        )
        rows += found.items
        cursor = found.next
        if cursor is None or len(rows) >= MOST:
            return rows[:MOST]


def _naming_people(db: Connection, caller: Caller, reports: list[str]) -> set[str]:
    """Which of these reports name a dead or missing person."""
    if not reports:
        return set()
    scope = caller.scope(ANY_FILER, None)
    query = select(REPORTS.c.report).where(
        REPORTS.c.report.in_(reports), scope.covers(REPORTS.c.area), grave(REPORTS.c.figures)
    )
    return set(db.scalars(query))


def _behind(db: Connection, caller: Caller) -> set[str]:
    """The reports whose accepted version is older and smaller than what was accepted below."""
    sums = ReportSums(caller.scope(ANY_FILER, None))
    found = (ask(sums).subquery() for ask in (parts_larger, casualties_hidden))
    ids = db.scalars(union_all(*(select(rows.c.id) for rows in found)))
    return {str(id).partition(":")[0] for id in ids}


def _parents(db: Connection, areas: set[str]) -> dict[str, tuple[str, str]]:
    """Id and name of the area above each of these."""
    above = AREAS.alias("above")
    query = (
        select(AREAS.c.id, above.c.id.label("above"), above.c.name)
        .join(above, above.c.id == AREAS.c.parent)
        .where(AREAS.c.id.in_(areas))
    )
    return {row.id: (row.above, row.name) for row in db.execute(query)} if areas else {}


def grouped_dues(dues: Iterable[Row]) -> list[Row]:
    """One line a report and kind: the one that has waited longest, ``times`` how many there are.

    ``latest`` is the last of them: a zero report as of its day answers for all; ``subjects`` are
    the reports of all of them. What is to be passed on is one line an occurrence: one report of
    the area above passes all of it on.
    """
    found: dict[tuple[str, ...], Row] = {}
    for row in sorted(dues, key=lambda row: str(row["due_at"])):
        passed_on = row["kind"] == "forward_report"
        about = (row["area"], _occurrence(row)) if passed_on else (row["subject"],)
        line = found.setdefault((row["kind"], *about), row | {"times": 0, "subjects": set()})
        line["times"] += 1
        line["subjects"].add(row["subject"])
        line["latest"] = row
    return sorted(found.values(), key=lambda row: str(row["due_at"]))


def gathered_dues(lines: Iterable[Row], by: tuple[str, ...] = ()) -> list[Row]:
    """What others owe, one group a kind and occurrence (and value of the columns ``by``): its
    ``lines``, ``places``, ``times``."""
    found: dict[tuple[str, ...], Row] = {}
    for line in lines:
        key = (line["kind"], _occurrence(line), *(line[name] for name in by))
        group = found.setdefault(key, line | {"lines": []})
        group["lines"].append(line)
    for group in found.values():
        group["places"] = len({line["area"] for line in group["lines"]})
        group["times"] = sum(line["times"] for line in group["lines"])
    return list(found.values())


def _occurrence(due: Row) -> str:
    """What the report of a due line is about: its disaster, else hazard and year."""
    if due["hazard"] is None:
        return ""
    year = china_day(datetime.fromisoformat(due["occurred_at"])).year
    return counted_with(due["disaster"], due["hazard"], year)
