"""What a list of divisions comes to against those there are: the differences, told before anything
is done.

Divisions are found by their codes. A code that is not there is a new division, unless the row
names a former code: then that division is given the new one. What the list leaves out below a
parent that it speaks of is missing: told, and never abolished by that (decision 0060).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from sqlalchemy import Connection, select

from domain.area import RANK, AreaLevel
from intake.columns import Column
from intake.divisions import (
    FIRST_OWN,
    LAST_NATIONAL,
    LAST_OWN,
    DivisionLine,
    above_of,
    level_of,
    tell_twice,
)
from intake.register import Register
from projections.areas import AREAS
from projections.asking.child_codes import COUNTY_DIGITS, OldCounties
from projections.asking.scope import Scope


@dataclass(frozen=True, slots=True)
class Known:
    """A division of the store. ``former``: codes it had; ``inside`` the jurisdiction or not."""

    id: str
    code: str
    name: str
    level: str
    parent: str | None
    since: str
    living: bool
    former: tuple[str, ...]
    inside: bool
    merged_into: str | None = None


class DivisionTree:
    """The divisions of a store, by id and by code."""

    def __init__(self, db: Connection, scope: Scope) -> None:
        inside = set(db.execute(select(AREAS.c.id).where(scope.covers(AREAS.c.id))).scalars())
        self.by_id: dict[str, Known] = {}
        self.living: dict[str, Known] = {}
        self.gone: dict[str, Known] = {}
        rows = db.execute(select(AREAS).order_by(AREAS.c.code, AREAS.c.id)).all()
        self.old_counties = OldCounties(rows)
        for row in rows:
            one = Known(
                row.id,
                row.code,
                row.name,
                row.level,
                row.parent,
                row.established_on,
                row.abolished_on is None,
                tuple(row.former_codes.split()),
                row.id in inside,
                row.merged_into,
            )
            self.by_id[one.id] = one
            (self.living if one.living else self.gone)[one.code] = one
            for code in one.former:
                self.gone.setdefault(code, one)

    def parent_of(self, one: Known) -> Known | None:
        return self.by_id.get(one.parent) if one.parent is not None else None

    def children(self, id: str) -> list[Known]:
        """The living ones right below."""
        return self._below.get(id, [])

    @cached_property
    def _below(self) -> dict[str, list[Known]]:
        found: dict[str, list[Known]] = {}
        for one in self.living.values():
            if one.parent is not None:
                found.setdefault(one.parent, []).append(one)
        return found

    def merged(self) -> list[Known]:
        """Those of the jurisdiction that were merged into another one."""
        return [one for one in self.by_id.values() if one.inside and one.merged_into is not None]

    def as_rows(self) -> list[tuple[str, str, str, str]]:
        """The living ones of the jurisdiction as the template has them."""
        inside = (one for one in self.living.values() if one.inside)
        rows = []
        for one in inside:
            above = self.parent_of(one)
            rows.append((one.code, one.name, above.code if above else "", one.since))
        return rows


@dataclass(slots=True)
class Change:
    """What a row comes to. ``known`` None: it is new. ``parent``: the code of what it lies under;
    ``renumbered``, ``renamed`` and ``moved`` may go together."""

    line: DivisionLine
    since: date
    known: Known | None = None
    parent: str | None = None
    renumbered: bool = False
    renamed: bool = False
    moved: bool = False

    @property
    def changes(self) -> bool:
        return self.known is None or self.renumbered or self.renamed or self.moved


@dataclass(slots=True)
class Differences:
    """``changed``, in the order of the rows; ``refused`` the rows with problems."""

    tree: DivisionTree
    changed: list[Change] = field(default_factory=list)
    same: int = 0
    listed: set[str] = field(default_factory=set)
    """Ids of the divisions there are that some row is about."""
    missing: list[Known] = field(default_factory=list)
    refused: list[DivisionLine] = field(default_factory=list)

    @property
    def new(self) -> list[Change]:
        return [one for one in self.changed if one.known is None]

    @property
    def renamed(self) -> list[Change]:
        return [one for one in self.changed if one.renamed]

    @property
    def renumbered(self) -> list[Change]:
        return [one for one in self.changed if one.renumbered and not one.moved]

    @property
    def moved(self) -> list[Change]:
        return [one for one in self.changed if one.moved]


def compared(
    lines: Iterable[DivisionLine], tree: DivisionTree, register: Register, today: date
) -> Differences:
    """The differences between a list and the divisions there are; changes nothing of either but
    the problems and notes of the rows."""
    return _Comparing(list(lines), tree, register, today).found


class _Comparing:
    def __init__(
        self, lines: list[DivisionLine], tree: DivisionTree, register: Register, today: date
    ) -> None:
        self._tree, self._register, self._today = tree, register, today
        codes = {line.code for line in lines}
        for line in lines:
            if not line.problems:
                self._read_old_counties(line, codes)
        tell_twice([line for line in lines if not line.problems])
        self._lines = {line.code: line for line in lines if not line.problems}
        self._former = {line.former for line in self._lines.values()}
        self._changes: dict[str, Change] = {}
        self._named: dict[tuple[str, str], DivisionLine] = {}
        ranked = sorted(self._lines.values(), key=lambda line: RANK[line.level])
        for line in ranked:
            change = self._of(line)
            if change is not None and not line.problems:
                self._changes[line.code] = change
        self.found = Differences(tree)
        for line in lines:
            if line.problems:
                self.found.refused.append(line)
                continue
            change = self._changes[line.code]
            if change.changes:
                self.found.changed.append(change)
            else:
                self.found.same += 1
            if change.known is not None:
                self.found.listed.add(change.known.id)
        self.found.missing = self._missing()

    def _read_old_counties(self, line: DivisionLine, codes: set[str]) -> None:
        """Take codes that a row refers to by former codes of their counties for those of today.

        The row's own code says what is in force: one with an old county's code is refused.
        """
        if line.code[:COUNTY_DIGITS] not in codes and not line.former:
            derived = self._tree.old_counties.meant(line.code)
            if derived is not None:
                said = {"zh": derived.zh, "en": derived.en}
                line.fail(Column.VILLAGE_CODE, "division-code-old-county", **said)
        for column, code in ((Column.PARENT_CODE, line.parent), (Column.FORMER_CODE, line.former)):
            derived = self._tree.old_counties.meant(code) if code and code not in codes else None
            if derived is None:
                continue
            one, said = derived.one, {"zh": derived.zh, "en": derived.en}
            if one is None or one.had_id != one.id:  # a merged village is not what another was
                line.fail(column, "division-old-county", **said)
            elif column is Column.PARENT_CODE:
                line.parent = one.code
                line.note(column, "division-old-county", **said)
            else:
                line.former = one.code if one.code != line.code else None
                line.note(column, "division-old-county", **said)

    def _of(self, line: DivisionLine) -> Change | None:
        known = self._known(line)
        if line.problems:
            return None
        change = Change(line, line.valid_from or self._today, known)
        if known is None:
            return self._new(change)
        change.renumbered = known.code != line.code
        change.renamed = known.name != line.name
        self._place(change, known)
        if change.renumbered:
            self._look_at_code(line)
        return change

    def _known(self, line: DivisionLine) -> Known | None:
        """The living division that the row is about; None: a new one, or the row is wrong."""
        tree = self._tree
        here = tree.living.get(line.code)
        before = tree.living.get(line.former) if line.former else None
        if here is not None and not here.inside:
            line.fail(Column.VILLAGE_CODE, "division-outside", name=here.name, code=here.code)
            return None
        if here is not None and before is not None:
            names = {"name": here.name, "former": before.name}
            line.fail(Column.FORMER_CODE, "division-both-living", **names)
            return None
        if here is not None:  # the former code is out of use already: this list came before
            return here
        if before is not None and not before.inside:
            line.fail(Column.FORMER_CODE, "division-outside", name=before.name, code=before.code)
            return None
        if line.former and before is None:
            line.fail(Column.FORMER_CODE, "division-former-unknown", code=line.former)
            return None
        if line.former in self._lines:  # one row says that it stays, this one that it goes
            line.fail(Column.FORMER_CODE, "division-twice", row=self._lines[line.former].row)
            return None
        gone = tree.gone.get(line.code)
        if gone is not None:
            names = {"name": gone.name, "code": line.code}
            line.fail(Column.VILLAGE_CODE, "division-code-former", **names)
        return before

    def _new(self, change: Change) -> Change | None:
        line = change.line
        self._look_at_code(line)
        above = self._parent(line)
        if line.problems or above is None:
            return None
        change.parent = above
        self._look_at_day(change)
        over = self._tree.living.get(self._now(above))
        namesakes = self._tree.children(over.id) if over is not None else []
        for one in namesakes:
            if one.name == line.name and not self._speaks_of(one):
                said = {"parent": over.name if over else "", "code": one.code}
                line.fail(Column.VILLAGE, "division-name-living", **said)
        first = self._named.setdefault((self._now(above), line.name), line)
        if first is not line:
            line.fail(Column.VILLAGE, "division-name-twice", row=first.row)
        return change

    def _place(self, change: Change, known: Known) -> None:
        """Whether the row puts a known division under another one."""
        line, above = change.line, self._tree.parent_of(known)
        change.parent = above.code if above is not None else None
        if line.parent is None and not change.renumbered:
            return
        if above is not None and not above.inside and line.parent in (None, above.code):
            return  # the highest of the jurisdiction: what is over it is not the list's to say
        wanted = self._parent(line)
        if wanted is None or line.problems:
            return
        if above is not None and self._now(wanted) == above.code:
            change.parent = wanted
            return
        if known.level != AreaLevel.VILLAGE:
            over = above.name if above is not None else ""
            line.fail(Column.PARENT_CODE, "division-moves", name=known.name, parent=over)
            return
        change.parent, change.moved = wanted, True
        self._look_at_day(change)

    def _parent(self, line: DivisionLine) -> str | None:
        """The code of what a row lies under, as it will be; told if there is none."""
        column = Column.PARENT_CODE if line.parent else Column.VILLAGE_CODE
        code = line.parent or above_of(line.code)
        over = self._tree.living.get(code)
        if code in self._lines:
            if code not in self._changes or RANK[level_of(code)] >= RANK[line.level]:
                line.fail(column, "division-parent-wrong")
                return None
        elif over is None:
            line.fail(column, "division-parent-unknown", code=code)
            return None
        elif not over.inside:
            line.fail(column, "division-outside", name=over.name, code=over.code)
            return None
        elif RANK[over.level] >= RANK[line.level]:
            line.fail(column, "division-parent-wrong")
            return None
        if line.parent and not line.code.startswith(code.removesuffix("000")[: len(line.code)]):
            line.note(Column.PARENT_CODE, "division-parent-prefix")
        return code

    def _look_at_day(self, change: Change) -> None:
        """What begins now begins no earlier than what it lies under."""
        above = self._changes.get(change.parent or "")
        over = self._tree.living.get(self._now(change.parent or ""))
        if above is not None and above.known is None:
            name, begun = above.line.name, above.since
        elif over is not None:
            name, begun = over.name, date.fromisoformat(over.since)
        else:
            return
        if change.since < begun:
            said = {"name": name, "day": begun.isoformat()}
            change.line.fail(Column.VALID_FROM, "division-before-parent", **said)

    def _now(self, code: str) -> str:
        """The present code of a division that a row gives another one."""
        change = self._changes.get(code)
        return change.known.code if change is not None and change.known is not None else code

    def _speaks_of(self, one: Known) -> bool:
        """Whether some row is about this division."""
        return one.code in self._lines or one.code in self._former

    def _look_at_code(self, line: DivisionLine) -> None:
        """Notes on a code that is new here, and a refusal of one that nobody gives."""
        if len(line.code) == 12:
            part = line.code[6:9] if level_of(line.code) is AreaLevel.TOWNSHIP else line.code[9:]
            if FIRST_OWN <= int(part) <= LAST_OWN:
                line.note(Column.VILLAGE_CODE, "division-own-code")
                return
            if int(part) > LAST_NATIONAL:
                line.fail(Column.VILLAGE_CODE, "division-code-part", part=part)
                return
        listed = self._register.find(line.code)
        if listed is None:
            line.note(Column.VILLAGE_CODE, "division-not-in-register")
        elif listed.name != line.name:
            line.note(Column.VILLAGE, "division-named-otherwise", name=listed.name)

    def _missing(self) -> list[Known]:
        """Below parents that some row speaks of by its place, what no row is about."""
        spoken: set[str] = set()
        for line in self._lines.values():
            change = self._changes.get(line.code)
            over = self._tree.living.get(self._now(change.parent or "")) if change else None
            if over is not None:
                spoken.add(over.id)
        return [
            one
            for one in self._tree.living.values()
            if one.inside and one.parent in spoken and not self._speaks_of(one)
        ]
