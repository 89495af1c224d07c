"""Divisions by a list: the differences first, then the run that brings them about.

What a row comes to is compared with the divisions there are each time, so a run that was broken off
is given again and goes on: what is done is no difference any more. The ids of new divisions follow
from a secret, code and first day, those of commands from what they change: two runs at a time do
nothing twice (decision 0060).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from functools import lru_cache, partial
from itertools import groupby
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from api.auth import caller_of, system_of
from api.following import caught_up, following
from api.login import checked_as, documented
from api.officer_lists import listed, listed_in
from api.plain_json import check_plain
from api.problems import malformed
from api.system import System
from api.writes import RESPONSES
from domain.area import RANK, Area
from domain.commands.areas import (
    KEEPERS,
    AreaPlan,
    ChangeAreaCodes,
    CodeChange,
    EstablishAreas,
    Merge,
    RearrangeVillages,
    RenameArea,
)
from domain.ids import seeded_id
from domain.rules.base import china_day
from domain.world import Command
from eventstore.outcomes import Envelope, Receipt
from intake.columns import Column
from intake.division_changes import Change, Differences, DivisionTree, compared
from intake.divisions import DivisionLine, fill, tell_twice
from intake.problems import CellProblem
from intake.register import Register
from intake.trial import Trial
from projections.asking.scope import Scope

router = APIRouter(tags=["areas"])
AT_ONCE = 250
"""Divisions a commit."""
Told = Callable[[int, int], None]


@lru_cache(maxsize=1)
def register() -> Register:
    """The national register of 2023, read where it is asked."""
    return Register()


def differences(
    system: System, officer: UUID, scope: Scope, lines: list[DivisionLine], document_no: str
) -> Differences:
    """What the list comes to now, with what the domain would refuse of it. Changes nothing."""
    caught_up(system)
    with system.reader() as db:
        tree = DivisionTree(db, scope)
    found = compared(lines, tree, register(), china_day(system.store.clock.now()))
    trial = Trial(system.store, officer)
    kept = []
    refused: set[str] = set()
    for change in sorted(found.changed, key=lambda one: RANK[one.line.level]):
        if change.parent in refused:
            change.line.fail(Column.VILLAGE_CODE, "division-parent-wrong")
            found.refused.append(change.line)
            refused.add(change.line.code)
            continue
        commands = _Run(system, officer, found, document_no).alone(change)
        refusals = (trial.refusal(command) for command in commands)
        problem = next((one for one in refusals if one is not None), None)
        if problem is None:
            kept.append(change)
            continue
        line = change.line
        at = str(line.row)
        line.problems.append(CellProblem(at, "", line.code, problem.code, problem.zh, problem.en))
        found.refused.append(line)
        refused.add(line.code)
    found.changed = sorted(kept, key=lambda one: one.line.row)
    return found


def brought_about(
    system: System,
    officer: UUID,
    found: Differences,
    document_no: str,
    told: Told = lambda done, of: None,
) -> dict[str, int]:
    """Bring the differences about; how many of each kind, and what moved with villages.

    ``told``: how many of the changes are done, of how many. Raises `Refused` and `StoreError`.
    """
    run = _Run(system, officer, found, document_no)
    done = 0
    for number in run.steps():
        done += number
        told(done, len(found.changed))
    caught_up(system)
    return {
        "new": len(found.new),
        "renumbered": len(found.renumbered),
        "renamed": len(found.renamed),
        "moved": len(found.moved),
        **{f"moved_{kind}": count for kind, count in sorted(run.followed.items()) if count},
    }


class _Run:
    """One run: new codes first, then what is new (parents before children), names, and villages
    that go under another township."""

    def __init__(self, system: System, officer: UUID, found: Differences, document_no: str) -> None:
        self._system, self._officer, self._document = system, officer, document_no
        self._found = found
        self._secret = system.store.vault.secret("divisions").hex()
        self._codes = {one.line.code: one for one in found.changed}
        self.followed: Counter[str] = Counter()

    def alone(self, change: Change) -> Iterator[Command]:
        """The commands of one change, without those that need another row's first."""
        if change.known is None or change.moved:
            if change.parent in self._codes and self._codes[change.parent].known is None:
                return
            yield self._moving(change) if change.moved else self._establishing([change])
            return
        if change.renumbered:
            yield self._renumbering([change])
        if change.renamed:
            yield self._renaming(change)

    def steps(self) -> Iterator[int]:
        """Goes through the run; after each commit, how many changes are done by it."""
        found = self._found
        for some in _by_day(found.renumbered):
            self._do("codes", some, self._renumbering(some))
            yield sum(not one.renamed for one in some)
        for level in sorted({one.line.level for one in found.new}, key=lambda one: RANK[one]):
            for some in _by_day(one for one in found.new if one.line.level == level):
                self._do("new", some, self._establishing(some))
                yield len(some)
        for one in found.renamed:
            if not one.moved:
                self._do("name", [one], self._renaming(one))
                yield 1
        for one in found.moved:
            self._do("moved", [one], self._moving(one))
            assert one.known is not None
            self._follow(UUID(one.known.id))
            yield 1
        for gone in found.tree.merged():  # a run that was broken off may have left something there
            if gone.merged_into in found.listed:
                self._follow(UUID(gone.id))

    def _follow(self, origin: UUID) -> None:
        for moved in following(self._system, self._officer, origin, self._document):
            self.followed += moved

    def _do(self, kind: str, some: list[Change], command: Command) -> Receipt:
        """A command whose id says what it changes, from what, to what."""
        parts = []
        for one in some:
            area = self._system.store.load(self._area(one))
            before = (len(area.codes), len(area.names)) if isinstance(area, Area) else ()
            parts.append(f"{self._area(one)}{before}{one.line.code}{one.line.name}{one.since}")
        id = self._system.store.system_command_id("divisions", self._officer, kind, *parts)
        return self._system.store.run(Envelope(id=id, officer=self._officer, command=command))

    def _new_id(self, change: Change) -> UUID:
        return seeded_id(self._secret, change.line.code, change.since, change.parent)

    def _area(self, change: Change) -> UUID:
        return UUID(change.known.id) if change.known is not None else self._new_id(change)

    def _parent(self, change: Change) -> UUID:
        assert change.parent is not None
        there = self._codes.get(change.parent)
        if there is not None:
            return self._new_id(there) if there.moved else self._area(there)
        return UUID(self._found.tree.living[change.parent].id)

    def _plan(self, change: Change) -> AreaPlan:
        return AreaPlan(
            id=self._new_id(change),
            code=change.line.code,
            name=change.line.name,
            level=change.line.level,
            parent=self._parent(change),
        )

    def _establishing(self, some: list[Change]) -> EstablishAreas:
        return EstablishAreas(
            areas=tuple(map(self._plan, some)),
            established_on=some[0].since,
            document_no=self._document,
        )

    def _renumbering(self, some: list[Change]) -> ChangeAreaCodes:
        return ChangeAreaCodes(
            changes=tuple(CodeChange(area=self._area(one), code=one.line.code) for one in some),
            effective_on=some[0].since,
            document_no=self._document,
        )

    def _renaming(self, one: Change) -> RenameArea:
        return RenameArea(
            area=self._area(one),
            name=one.line.name,
            effective_on=one.since,
            document_no=self._document,
        )

    def _moving(self, one: Change) -> RearrangeVillages:
        """The village begins anew under its new parent, and what it was goes into it."""
        plan = self._plan(one)
        return RearrangeVillages(
            established=(plan,),
            merges=(Merge(area=self._area(one), into=plan.id),),
            effective_on=one.since,
            document_no=self._document,
        )


def _by_day(changes: Iterable[Change]) -> Iterator[list[Change]]:
    """Changes of one first day, at most so many a commit, in their order within a day."""
    ordered = sorted(changes, key=lambda one: one.since)
    for _, group in groupby(ordered, key=lambda one: one.since):
        some = list(group)
        for start in range(0, len(some), AT_ONCE):
            yield some[start : start + AT_ONCE]


# -- how it is told -------------------------------------------------------------------------------


def told_of(found: Differences) -> dict[str, Any]:
    """The differences as one object: lists of rows by kind, and ``same``, how many stay."""
    return {
        "new": [_told(one) for one in found.new],
        "renamed": [_told(one) for one in found.renamed],
        "renumbered": [_told(one) for one in found.renumbered],
        "moved": [_told(one) for one in found.moved],
        "same": found.same,
        "missing": [
            {"code": one.code, "name": one.name, "level": one.level} for one in found.missing
        ],
        "refused": [
            {"place": line.row, "sheet": line.sheet, "code": line.code, **problem_of_cell(one)}
            for line in found.refused
            for one in line.problems
        ],
        "notes": [
            {"place": one.line.row, "sheet": one.line.sheet, "code": one.line.code}
            | problem_of_cell(note)
            for one in found.changed
            for note in one.line.notes
        ],
    }


def _told(one: Change) -> dict[str, Any]:
    told: dict[str, Any] = {
        "place": one.line.row,
        "code": one.line.code,
        "name": one.line.name,
        "level": one.line.level,
        "parent": one.parent,
        "since": one.since,
    }
    if one.known is not None:
        told |= {"former_code": one.known.code, "former_name": one.known.name}
    return told


def problem_of_cell(one: CellProblem) -> dict[str, str]:
    return {"cell": one.cell, "column": one.column, "rule": one.rule, "zh": one.zh, "en": one.en}


# -- the route ------------------------------------------------------------------------------------


class DivisionRow(BaseModel):
    """``code``: 2, 4, 6, 9 or 12 digits. ``parent``: the code of what it lies under, where its own
    code does not say so. ``former_code``: the one that this code takes the place of."""

    model_config = ConfigDict(extra="forbid")
    code: Annotated[str, Field(min_length=1, max_length=20)]
    name: Annotated[str, Field(min_length=1, max_length=200)]
    parent: Annotated[str | None, Field(max_length=20)] = None
    valid_from: date | None = None
    former_code: Annotated[str | None, Field(max_length=20)] = None


class DivisionList(BaseModel):
    """``dry_run``: tell the differences and change nothing."""

    model_config = ConfigDict(extra="forbid")
    divisions: Annotated[list[DivisionRow], Field(min_length=1)]
    document_no: Annotated[str, Field(min_length=1, max_length=200)]
    dry_run: bool = False


def lines_of(rows: list[DivisionRow], today: date) -> list[DivisionLine]:
    """Rows as a file's would be read; ``place`` counts them from 0."""
    lines = []
    for number, row in enumerate(rows):
        line = DivisionLine("", number)
        texts = {
            Column.VILLAGE_CODE: row.code,
            Column.VILLAGE: " ".join(row.name.split()),
            Column.PARENT_CODE: row.parent,
            Column.VALID_FROM: row.valid_from.isoformat() if row.valid_from else None,
            Column.FORMER_CODE: row.former_code,
        }
        fill(line, texts, today)
        lines.append(line)
    tell_twice(lines)
    return lines


def _run_list(system: System, officer: UUID, scope: Scope, sent: DivisionList) -> dict[str, Any]:
    lines = lines_of(sent.divisions, china_day(system.store.clock.now()))
    found = differences(system, officer, scope, lines, sent.document_no)
    told = told_of(found)
    if not sent.dry_run:
        told["done"] = brought_about(system, officer, found, sent.document_no)
    return {"position": system.store.head(), **told}


@router.post(
    "/v1/division-lists",
    summary="Bring divisions about as a list has them, or tell the differences (dry_run)",
    responses=RESPONSES,
    openapi_extra=documented(DivisionList),
)
async def bring_about(request: Request) -> dict[str, Any]:
    """Rows that are refused are told and stop no other. What the list leaves out is told as
    missing and stays as it is."""
    session, _, sent = await listed(request, KEEPERS, _list_of)
    system = system_of(request)
    caller = await run_in_threadpool(caller_of, request)
    scope = caller.scope(KEEPERS, None)
    return await run_in_threadpool(partial(_run_list, system, session.officer, scope, sent))


def _list_of(body: bytes, most: int) -> DivisionList:
    values = listed_in(body, "divisions", most)
    errors: list[dict[str, Any]] = []
    check_plain(values, "", errors)
    if errors:
        raise malformed(errors)
    return checked_as(DivisionList, values)
