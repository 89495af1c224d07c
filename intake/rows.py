"""Rows into households: one result for every row, with all that is wrong with it at once.

Two kinds of list are read: one row a household (the head and how many they are), and one row a
person, where a household is the rows under one 户编号, under one 户主身份证号, or from one 户主 row
to the next. A household is taken as a whole or not at all. Memory: one household, and the ID
numbers seen so far.
"""

from collections.abc import Iterator
from datetime import date
from enum import StrEnum

import msgspec

from domain.masking import mask_name
from intake import cells as read
from intake.columns import Column
from intake.gathering import Common, Gathered, HeadingFound, RowSource
from intake.problems import CellProblem
from intake.reader import OpenList, Table

_LARGEST_HOUSEHOLD = 99
_HEAD_COLUMNS = (Column.RELATION, Column.HEAD_ID, Column.HEAD_NAME, Column.NAME)


class Outcome(StrEnum):
    """What became of a row. ``household`` is the row that carries the household."""

    HOUSEHOLD = "household"
    MEMBER = "member"
    SKIPPED = "skipped"
    REFUSED = "refused"


class ParsedMember(msgspec.Struct, frozen=True):
    """A person as the list has it. ``relation`` is the list's own word, 户主 for the head.

    ``slot``: which member of the row, where a household's members stand in its own row (from 1).
    """

    row: int
    name: str
    id_number: str | None
    relation: str | None
    slot: int = 0

    def __repr__(self) -> str:
        return f"ParsedMember(row={self.row}, {mask_name(self.name)})"


class ParsedHousehold(msgspec.Struct, frozen=True):
    """A household in plain, unsealed values: for the next step only. Its ``repr`` is masked.

    ``size`` counts the head. ``village_name`` comes from the village's column, or from a heading
    row between the rows of the list. ``card_holder`` is the member in whose row the card stands.
    """

    sheet: str
    row: int
    township: str | None
    village_name: str | None
    village_code: str | None
    group: str | None
    head: ParsedMember
    members: tuple[ParsedMember, ...]
    size: int
    category: str | None
    card: str | None
    card_holder: ParsedMember | None
    bank: str | None
    phone: str | None
    address: str | None

    def __repr__(self) -> str:
        return f"ParsedHousehold({self.sheet}, row={self.row}, {self.head!r}, size={self.size})"


class RowResult(msgspec.Struct, frozen=True):
    """What became of one row (rows count from 1, as spreadsheets show them).

    ``carrier``: the row that carries this row's household, where it was taken (else 0).
    """

    sheet: str
    row: int
    outcome: Outcome
    household: ParsedHousehold | None = None
    problems: tuple[CellProblem, ...] = ()
    notes: tuple[CellProblem, ...] = ()
    carrier: int = 0

    @property
    def ok(self) -> bool:
        return self.outcome is not Outcome.REFUSED


class HiddenRows(StrEnum):
    """What becomes of rows that a sheet hides or has filtered out: refused, until somebody says
    whether they belong to the list."""

    ASK = "ask"
    IMPORT = "import"
    LEAVE = "leave"


def read_rows(
    opened: OpenList, *, today: date, hidden: HiddenRows = HiddenRows.ASK
) -> Iterator[RowResult]:
    """The results of all rows of all lists of a file, in order. Empty rows have none.

    ``today`` is the server's day: nobody on a list is born after it.
    """
    persons: _Persons | None = None
    table: Table | None = None
    for found in RowSource(opened, today):
        if found.table is not table:
            if persons is not None:
                yield from persons.close()
            table = found.table
            persons = _Persons(table) if table.header.of_persons else None
        if isinstance(found, HeadingFound):
            if persons is not None and found.ends_household:
                yield from persons.close()
            yield RowResult(table.sheet, found.row + 1, Outcome.SKIPPED)
            continue
        if found.is_hidden:
            found.say_hidden(ask=hidden is HiddenRows.ASK, left=hidden is HiddenRows.LEAVE)
            if hidden is HiddenRows.LEAVE:
                notes = tuple(found.notes)
                yield RowResult(table.sheet, found.row + 1, Outcome.SKIPPED, notes=notes)
                continue
        if persons is None:
            yield _household_row(found)
        else:
            yield from persons.take(found)
    if persons is not None:
        yield from persons.close()


def _household_row(row: Gathered) -> RowResult:
    """One row that is one household: the head alone is named."""
    known = row.table.header.columns
    name_in = Column.HEAD_NAME if Column.HEAD_NAME in known else Column.NAME
    id_in = Column.HEAD_ID if Column.HEAD_ID in known else Column.ID_NUMBER
    name = row.name(name_in)
    id_number = row.id_number(id_in, needed=True)
    relation, _ = read.text(row.get(Column.RELATION))
    if relation is not None and relation not in read.HEAD_WORDS:
        row.fail(Column.RELATION, "relation-not-head")
    common = row.common()
    head = ParsedMember(row.row + 1, name or "", id_number, "户主")
    members = tuple(_members_of(row, head))
    size = common.size or (1 + len(members) if row.table.header.members else None)
    if size is None and not row.failed(Column.SIZE):
        row.fail(Column.SIZE, "size-missing")
    row.check_need(common.need, size)
    if row.problems or size is None:
        return _refused(row)
    if members and size != 1 + len(members):
        row.note(Column.SIZE, "size-differs", size=size, listed=1 + len(members))
    household = _household(row, head, members, size, common, head if common.card else None)
    return RowResult(
        row.table.sheet,
        row.row + 1,
        Outcome.HOUSEHOLD,
        household,
        (),
        tuple(row.notes),
        household.row,
    )


def _members_of(row: Gathered, head: ParsedMember) -> Iterator[ParsedMember]:
    """The members who stand in the household's own row. Lists repeat the head among them."""
    for slot, one in zip(row.slots(), row.members, strict=True):
        relation, _ = read.text(one.get(Column.RELATION))
        number, _ = read.id_number(one.get(Column.ID_NUMBER))
        name = one.name(Column.NAME)
        if relation in read.HEAD_WORDS or (number is not None and number == head.id_number):
            if name != head.name or number not in (None, head.id_number):
                one.fail(Column.NAME, "head-differs")
        else:
            number = one.id_number(Column.ID_NUMBER, needed=False)
            if name is not None and number is None and not one.failed(Column.ID_NUMBER):
                one.note(Column.ID_NUMBER, "member-without-id")
            yield ParsedMember(row.row + 1, name or "", number, relation, slot)
        row.problems += one.problems
        row.notes += one.notes


def _refused(row: Gathered) -> RowResult:
    return RowResult(
        row.table.sheet,
        row.row + 1,
        Outcome.REFUSED,
        None,
        tuple(row.problems),
        tuple(row.notes),
    )


def _household(
    row: Gathered,
    head: ParsedMember,
    members: tuple[ParsedMember, ...],
    size: int,
    common: Common,
    card_holder: ParsedMember | None,
) -> ParsedHousehold:
    return ParsedHousehold(
        sheet=row.table.sheet,
        row=row.row + 1,
        township=common.township,
        village_name=common.village or row.heading,
        village_code=common.village_code,
        group=common.group,
        head=head,
        members=members,
        size=size,
        category=common.category,
        card=common.card,
        card_holder=card_holder,
        bank=common.bank,
        phone=common.phone,
        address=common.address,
    )


class _Person:
    """A row of a list of persons, read, while its household is being gathered."""

    __slots__ = ("common", "head_id", "head_name", "member", "number", "row")

    def __init__(self, row: Gathered) -> None:
        self.row = row
        self.head_name = row.head_name()
        self.head_id = row.head_id()
        self.number, _ = read.text(row.get(Column.HOUSEHOLD_NO))
        name = row.name(Column.NAME)
        id_number = row.id_number(Column.ID_NUMBER, needed=False)
        relation, _ = read.text(row.get(Column.RELATION))
        self.member = ParsedMember(row.row + 1, name or "", id_number, relation)
        self.common = row.common()

    @property
    def is_head(self) -> bool:
        if self.member.relation is not None:
            return self.member.relation in read.HEAD_WORDS
        if self.head_id is not None:
            return self.member.id_number == self.head_id
        return self.head_name is not None and self.member.name == self.head_name


class _Persons:
    """The rows of a list of persons, put together into households."""

    def __init__(self, table: Table) -> None:
        known = table.header.columns
        self._table = table
        self._by_number = Column.HOUSEHOLD_NO in known
        self._by_head_id = not self._by_number and Column.HEAD_ID in known
        self._by_relation = not self._by_number and Column.RELATION in known
        self._group: list[_Person] = []

    def take(self, row: Gathered) -> Iterator[RowResult]:
        person = _Person(row)
        if self._group and self._starts_household(person):
            yield from self.close()
        self._group.append(person)

    def _starts_household(self, person: _Person) -> bool:
        first = self._group[0]
        if len(self._group) >= _LARGEST_HOUSEHOLD:
            return True
        if self._by_number or self._by_head_id:
            mine = person.number if self._by_number else person.head_id
            theirs = first.number if self._by_number else first.head_id
            if mine is not None:
                village = person.common.village or first.common.village
                return mine != theirs or village != first.common.village
            return person.is_head
        if self._by_relation:
            return person.is_head
        return person.head_name is not None and person.head_name != first.head_name

    def close(self) -> Iterator[RowResult]:
        """The household gathered so far, as the results of its rows."""
        group, self._group = self._group, []
        if not group:
            return
        head = self._head_of(group)
        if head is not None:
            self._check_against(head, group)
            self._check_need(head, group)
        wrong = [person.row.row + 1 for person in group if person.row.problems]
        if wrong or head is None:
            yield from self._refuse(group, wrong)
            return
        members = tuple(person.member for person in group if person.member is not head)
        common, card_holder = _shared(group, head)
        listed = 1 + len(members)
        size = common.size or listed
        carrier = next((p for p in group if p.member is head), group[0])
        if size != listed:
            carrier.row.note(Column.SIZE, "size-differs", size=size, listed=listed)
        household = _household(carrier.row, head, members, size, common, card_holder)
        for person in group:
            carries = person is carrier
            yield RowResult(
                self._table.sheet,
                person.row.row + 1,
                Outcome.HOUSEHOLD if carries else Outcome.MEMBER,
                household if carries else None,
                (),
                tuple(person.row.notes),
                household.row,
            )

    def _head_of(self, group: list[_Person]) -> ParsedMember | None:
        """The one head among the rows, or the one the head's own columns name beside them."""
        rows = f"{group[0].row.row + 1}–{group[-1].row.row + 1}"
        heads = [person for person in group if person.is_head]
        for extra in heads[1:]:
            extra.row.fail(self._head_column(), "two-heads", rows=rows)
        if heads:
            head = heads[0]
            if head.member.id_number is None and not head.row.failed(Column.ID_NUMBER):
                head.row.fail(Column.ID_NUMBER, "id-missing")
            return head.member
        first = group[0]
        if first.head_name is not None and first.head_id is not None:
            first.row.claim_id(first.head_id, Column.HEAD_ID)
            return ParsedMember(first.row.row + 1, first.head_name, first.head_id, "户主")
        for person in group:
            person.row.fail(self._head_column(), "no-head", rows=rows)
        return None

    def _head_column(self) -> Column:
        known = self._table.header.columns
        return next(column for column in _HEAD_COLUMNS if column in known)

    def _check_against(self, head: ParsedMember, group: list[_Person]) -> None:
        for person in group:
            if person.head_id is not None and person.head_id != head.id_number:
                person.row.fail(Column.HEAD_ID, "head-differs")
            if person.head_name is not None and person.head_name != head.name:
                person.row.fail(Column.HEAD_NAME, "head-differs")
            if (
                person.member.id_number is None
                and person.member is not head
                and not person.row.failed(Column.ID_NUMBER)
            ):
                person.row.note(Column.ID_NUMBER, "member-without-id")

    def _check_need(self, head: ParsedMember, group: list[_Person]) -> None:
        """Against the household's own figure, else against the rows it has."""
        listed = len(group) + all(person.member is not head for person in group)
        size = next((one.common.size for one in group if one.common.size is not None), listed)
        for person in group:
            person.row.check_need(person.common.need, size)

    def _refuse(self, group: list[_Person], wrong: list[int]) -> Iterator[RowResult]:
        named = "、".join(map(str, wrong[:10]))
        for person in group:
            if not person.row.problems:
                person.row.fail(Column.NAME, "household-refused", rows=named)
            yield _refused(person.row)


def _shared(group: list[_Person], head: ParsedMember) -> tuple[Common, ParsedMember | None]:
    """What holds for the household: the head's row says it, else the first row that does.

    A card in the head's row is the head's. Else it is that of the one member who has one; several
    are nobody's to choose from.
    """
    first = next((person for person in group if person.member is head), group[0])
    common = first.common
    for person in group:
        common = common.filled_from(person.common)
    if first.common.card is not None:
        return common, head
    cards = {person.common.card: person for person in group if person.common.card is not None}
    if len(cards) == 1:
        ((card, holder),) = cards.items()
        return common.with_card(card, holder.common.bank), holder.member
    if cards:
        for person in cards.values():
            person.row.note(Column.CARD, "cards-differ")
    return common, None
