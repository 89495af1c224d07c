"""Codes of townships and villages that begin with a code which their county had before.

340824 is 340882 now, and lists of villages write 340824101001 for decades. Nothing records what
became of each such code, so it is understood only where one division can be meant: one county of
the store had the code, and one division below it has, or had, the same last six digits. Whoever
takes it says so (`Meant.zh`, `Meant.en`); where several could be meant they are named instead
(decision 0066). This is the only place that concludes so; all that take codes ask it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, or_, select

from projections.areas import AREAS
from projections.asking.old_codes import old_code

COUNTY_DIGITS = 6
WHOLE_DIGITS = 12
_C = AREAS.c
_NEEDED = (
    _C.id,
    _C.code,
    _C.name,
    _C.level,
    _C.parent,
    _C.established_on,
    _C.abolished_on,
    _C.merged_into,
    _C.former_codes,
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A division that may be meant. ``had``: the one with that ending, where it was merged into
    this one since; else the division itself."""

    id: str
    code: str
    name: str
    level: str
    had_id: str
    had_name: str

    @property
    def told(self) -> str:
        return f"{self.code} {self.name}"


@dataclass(frozen=True, slots=True)
class Meant:
    """What ``typed`` may mean, whose county part ``was`` is the code of a county no more.

    ``counties``: code and name now of those that had it. ``candidates`` are in order of code;
    with one county and one candidate, and only then, ``one`` is what is meant.
    """

    typed: str
    was: str
    counties: tuple[tuple[str, str], ...]
    candidates: tuple[Candidate, ...]

    @property
    def one(self) -> Candidate | None:
        certain = len(self.counties) == len(self.candidates) == 1
        return self.candidates[0] if certain else None

    @property
    def ids(self) -> list[str]:
        return [one.id for one in self.candidates]

    @property
    def zh(self) -> str:
        """The note where one is meant; else why none is."""
        if (one := self.one) is None:
            several = "、".join(self._possible)
            return f"区划代码 {self.typed} 可能指几个区划（{several}），无法确定，请填现用代码"
        ((now, name),) = self.counties
        merged = f"（{one.had_name}已并入）" if one.had_id != one.id else ""
        return f"{name}的代码由 {self.was} 改为 {now}，{self.typed} 按 {one.told}{merged} 理解"

    @property
    def en(self) -> str:
        if (one := self.one) is None:
            several = ", ".join(self._possible)
            return f"Code {self.typed} may mean several divisions ({several}): give today's code."
        ((now, name),) = self.counties
        merged = f", which {one.had_name} was merged into" if one.had_id != one.id else ""
        changed = f"The code of {name} changed from {self.was} to {now}"
        return f"{changed}: {self.typed} is taken as {one.told}{merged}."

    @property
    def _possible(self) -> list[str]:
        """What could be meant: divisions, and counties that had the code."""
        counties = [f"{code} {name}" for code, name in self.counties]
        return [one.told for one in self.candidates] + (counties if len(counties) > 1 else [])


class OldCounties:
    """Reads such codes against rows of `AREAS`: all of them, or those that a code can concern."""

    def __init__(self, rows: Iterable[Any]) -> None:
        self._by_id = {row.id: row for row in rows}
        self._had: dict[str, list[Any]] = {}
        self._living: set[str] = set()
        self._endings: dict[str, list[Any]] = {}
        for row in self._by_id.values():
            for code in (row.code, *row.former_codes.split()):
                self._had.setdefault(code, []).append(row)
            if row.abolished_on is None:
                self._living.add(row.code)
            for ending in {one[COUNTY_DIGITS:] for one in _whole_codes(row)}:
                self._endings.setdefault(ending, []).append(row)

    @classmethod
    def of(cls, db: Connection) -> "OldCounties":
        """With every division of the store, for a list of many codes."""
        return cls(db.execute(select(*_NEEDED)))

    def meant(self, typed: str, on: date | None = None) -> Meant | None:
        """What a code of 9 or 12 digits may mean by its county's former code.

        None where that is no question: the code is, or was, a division's own, its county part is
        a county's today or was nobody's, or nothing has that ending. ``on``: as it stood on that
        day; else as it stands now, and what was merged since means what it was merged into.
        """
        code = whole(typed)
        if code is None or code in self._had:
            return None
        county, ending = code[:COUNTY_DIGITS], code[COUNTY_DIGITS:]
        if county in self._living:
            return None
        counties = self._counties(county)
        found: dict[str, Candidate] = {}
        for row in self._endings.get(ending, ()):
            if any(self._below(row, one.id) for one in counties):
                now = row if on is not None else self._successor(row)
                if now is not None and (on is None or _stood(now, on)):
                    it = Candidate(now.id, now.code, now.name, now.level, row.id, row.name)
                    if now.id not in found or row.id == now.id:
                        found[now.id] = it
        if not found:
            return None
        candidates = sorted(found.values(), key=lambda one: (one.code, one.id))
        named = sorted((one.code, one.name) for one in counties)
        return Meant(typed, county, tuple(named), tuple(candidates))

    def _counties(self, code: str) -> list[Any]:
        """Who had a county's code: by changes recorded here, and by what the nation knows."""
        found = {row.id: row for row in self._had.get(code, ())}
        if (old := old_code(code)) is not None:
            found |= {row.id: row for row in self._had.get(old.now, ())}
        return list(found.values())

    def _below(self, row: Any, county: str) -> bool:
        at = row
        while at is not None and at.id != county:
            at = self._by_id.get(at.parent)
        return at is not None and at.id != row.id

    def _successor(self, row: Any) -> Any:
        """The living division that one has become; None if there is none."""
        at = row
        while at is not None and at.abolished_on is not None:
            at = self._by_id.get(at.merged_into)
        return at


def meant(db: Connection, typed: str, on: date | None = None) -> Meant | None:
    """`OldCounties.meant` of one code: only what it can concern is read."""
    code = whole(typed)
    if code is None:
        return None
    ending = code[COUNTY_DIGITS:]
    concerned: ColumnElement[bool] = or_(
        func.length(_C.code) == COUNTY_DIGITS,
        _C.code.like(f"%{ending}"),
        _C.former_codes.like(f"%{ending} %"),
    )
    rows = {row.id: row for row in db.execute(select(*_NEEDED).where(concerned))}
    while wanted := _beyond(rows):  # what is above them, and what they were merged into
        more = db.execute(select(*_NEEDED).where(_C.id.in_(wanted))).all()
        if not more:
            break
        rows |= {row.id: row for row in more}
    return OldCounties(rows.values()).meant(typed, on)


def whole(typed: str) -> str | None:
    """The 12 digits of a township's or village's code of 9 or 12; None for any other text.

    >>> whole("340824101"), whole("340824101001"), whole("340824000000"), whole("340824")
    ('340824101000', '340824101001', None, None)
    """
    if not (typed.isascii() and typed.isdigit() and len(typed) in (9, WHOLE_DIGITS)):
        return None
    code = typed.ljust(WHOLE_DIGITS, "0")
    return code if code[COUNTY_DIGITS:].strip("0") else None


def _whole_codes(row: Any) -> list[str]:
    """The codes of 12 digits that a division has or had."""
    return [one for one in (row.code, *row.former_codes.split()) if len(one) == WHOLE_DIGITS]


def _beyond(rows: dict[str, Any]) -> set[str]:
    named = {up for row in rows.values() for up in (row.parent, row.merged_into)}
    return {one for one in named if one is not None and one not in rows}


def _stood(row: Any, on: date) -> bool:
    day = on.isoformat()
    began: bool = row.established_on <= day
    return began and (row.abolished_on is None or day < row.abolished_on)
