"""Households of a list on their way into the log, and what is said of each at its cells."""

from dataclasses import dataclass, field
from uuid import UUID

import msgspec

from domain.commands.households import HouseholdInput
from domain.plurals import fill
from eventstore.outcomes import Problem
from intake.columns import Column, Header, address
from intake.placing import Renumbered
from intake.problems import RULES, CellProblem, mask, problem
from intake.results import Fault
from intake.rows import ParsedHousehold, RowResult
from intake.stored import Difference, Missing

FIELDS = {
    "phone": Column.PHONE,
    "card.number": Column.CARD,
    "category": Column.CATEGORY,
    "unnamed": Column.SIZE,
    "village": Column.VILLAGE,
}
"""The column in which stands what the domain refuses."""


_OF_HEADS = {Column.NAME: Column.HEAD_NAME, Column.ID_NUMBER: Column.HEAD_ID}
"""Where a list of heads has what a list of persons has for everybody."""


@dataclass(slots=True)
class Entry:
    """The rows of one household, or one row that is none, on their way into the log."""

    rows: list[RowResult]
    parsed: ParsedHousehold | None = None
    given: HouseholdInput | None = None
    village: UUID | None = None
    outcome: str = "refused"
    contested: bool = False
    faults: list[Fault] = field(default_factory=list)
    notes: list[Fault] = field(default_factory=list)

    @property
    def head(self) -> str:
        assert self.parsed is not None and self.parsed.head.id_number is not None
        return self.parsed.head.id_number


class Told:
    """Faults and notes of one file, each at the cell it is about. ``headers``: by sheet."""

    def __init__(self, headers: dict[str, Header]) -> None:
        self._headers = headers

    def refusal(self, parsed: ParsedHousehold, why: Problem) -> Fault:
        """The domain's refusal, at the cell that it is about."""
        about = str(why.facts.get("field", "village"))
        value = str(why.facts.get("value", parsed.village_name or parsed.village_code or ""))
        column, row, slot = FIELDS.get(about, Column.VILLAGE), parsed.row, 0
        if about.startswith("members["):
            place = int(about[len("members[") : about.index("]")])
            member = (parsed.head, *parsed.members)[place]
            row, slot = member.row, member.slot
            column = Column.NAME if about.endswith(".name") else Column.ID_NUMBER
        shown = mask(column, value)
        return self.fault(parsed, column, why.code, shown, why.zh, why.en, row=row, slot=slot)

    def fault(
        self,
        parsed: ParsedHousehold,
        column: Column,
        rule: str,
        value: str,
        zh: str,
        en: str,
        *,
        row: int | None = None,
        slot: int = 0,
    ) -> Fault:
        header = self._headers[parsed.sheet]
        if slot:
            header = header.members[slot - 1]
        elif column not in header.columns:
            column = _OF_HEADS.get(column, column)
        number = row or parsed.row
        at = header.columns.get(column)
        cell = str(number) if at is None else address(number - 1, at)
        name = header.names.get(column, column.value)
        return Fault(parsed.sheet, number, cell, name, value, rule, zh, en)

    def with_household(self, row: RowResult, wrong: int) -> Fault:
        """A member's row, refused with the household."""
        header = self._headers[row.sheet]
        column = Column.NAME if Column.NAME in header.columns else Column.HEAD_NAME
        cell = address(row.row - 1, header.columns[column])
        name = header.names[column]
        return from_cell(row, problem("household-refused", cell, name, rows=wrong))

    def refused(self, entry: Entry, why: Problem) -> None:
        assert entry.parsed is not None
        entry.faults.append(self.refusal(entry.parsed, why))

    def asked(self, entry: Entry, one: Difference) -> None:
        """The household is not taken before a person has answered."""
        assert entry.parsed is not None
        zh, en = (fill(text, one.facts) for text in RULES[one.rule])
        at = (entry.parsed, one.column, one.rule, one.value, zh, en)
        entry.faults.append(self.fault(*at, row=one.row, slot=one.slot))

    def cell_of(self, parsed: ParsedHousehold) -> str:
        """Where the head's ID number stands, as messages about other rows name it."""
        cell = self.fault(parsed, Column.ID_NUMBER, "", "", "", "", row=parsed.head.row).cell
        return f"{parsed.sheet}!{cell}"

    def not_added(self, entry: Entry, person: Missing, why: Problem) -> None:
        assert entry.parsed is not None
        shown = mask(Column.NAME, person.member.name)
        at = (entry.parsed, Column.NAME, why.code, shown, why.zh, why.en)
        entry.faults.append(self.fault(*at, row=person.row, slot=person.slot))

    def note(self, entry: Entry, one: Difference) -> None:
        assert entry.parsed is not None
        zh, en = (fill(text, one.facts) for text in RULES[one.rule])
        at = (entry.parsed, one.column, one.rule, one.value, zh, en)
        found = self.fault(*at, row=one.row, slot=one.slot)
        stored = one.facts.get("stored", "")
        both = (stored, one.facts.get("stored_en", stored))
        entry.notes.append(msgspec.structs.replace(found, stored=both[0], stored_en=both[1]))


def missing(person: Missing, rule: str = "member-missing") -> Difference:
    shown = mask(Column.NAME, person.member.name)
    return Difference(rule, Column.NAME, person.row, shown, {}, person.slot)


def out_of_use(parsed: ParsedHousehold, old: Renumbered) -> Difference:
    """The note on a code or a name of a village that is none any more."""
    code, derived = parsed.village_code, old.by_county
    if derived is not None:
        said = {"zh": derived.zh, "en": derived.en}
        return Difference("village-old-county", Column.VILLAGE_CODE, parsed.row, code or "", said)
    if code:
        facts = {"old": code, "since": old.since, "stored": old.code}
        return Difference("village-renumbered", Column.VILLAGE_CODE, parsed.row, code, facts)
    shown = parsed.village_name or ""
    facts = {"since": old.since, "stored": old.name}
    return Difference("village-merged", Column.VILLAGE, parsed.row, shown, facts)


def from_cell(row: RowResult, found: CellProblem) -> Fault:
    return Fault(
        row.sheet, row.row, found.cell, found.column, found.value, found.rule, found.zh, found.en
    )
