"""Rows on their way to becoming households: merged cells filled, headings set apart, cells read.

``RowSource`` gives what is worth reading: data rows (``Gathered``) and the rows between them that
are not data (``HeadingFound``): totals, signatures, a header printed again, a village's name.
"""

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import msgspec

from domain.identity import id_problem
from intake import cells as read
from intake.columns import Column, address, meaning, plain
from intake.problems import CellProblem, mask, problem
from intake.reader import Marks, OpenList, RawRow, Table, within

_FOOT = re.compile(
    r"(合计|总计|小计|本页|累计|单位负责人|统计负责人|负责人|填表人|填报人|填报单位|制表|审核|经办人|"
    r"报出日期|填表日期|说明:|注:|备注:|以下空白)"
)
_VILLAGE = re.compile(
    r"[\u4e00-\u9fff\u3400-\u4dbf]{1,20}(村|社区|居委会|居民委员会|村委会|村民委员会)"
)
_LIKE_AN_ID = re.compile(r"\d[\d\s]{13}|\d[eE]\+")
_DITTO = re.compile(r"同上|〃|″|“|”|\"|''")
_COLUMN_NUMBER = re.compile(r"[甲乙丙丁戊己]|[0-9]{1,2}|D[0-9]{5}")
_PLACE = (Column.TOWNSHIP, Column.VILLAGE, Column.VILLAGE_CODE, Column.GROUP)
_FILLED_FOR_PERSONS = (
    *_PLACE,
    Column.HOUSEHOLD_NO,
    Column.HEAD_NAME,
    Column.HEAD_ID,
    Column.SIZE,
    Column.CATEGORY,
    Column.CARD,
    Column.BANK,
    Column.PHONE,
    Column.ADDRESS,
)
_DITTOED = (*_PLACE, Column.CATEGORY, Column.BANK)
_FILLED_FOR_HOUSEHOLDS = (*_PLACE, Column.CATEGORY)


_MAY_BE_WRONG = frozenset(
    {
        *(Column.PHONE, Column.ADDRESS, Column.BANK, Column.GROUP, Column.TOWNSHIP),
        *(Column.GENDER, Column.BIRTH),
    }
)
"""An error in one of these is read as empty; anywhere else it may hide who or how many."""


def _shown(value: Any) -> str:
    """A cell's text as it stands in a heading: 3 for the number 3.0."""
    if read.is_empty(value):
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value).strip()


class Common(msgspec.Struct, frozen=True):
    """What a row says about its household as a whole."""

    township: str | None
    village: str | None
    village_code: str | None
    group: str | None
    size: int | None
    category: str | None
    card: str | None
    bank: str | None
    phone: str | None
    address: str | None
    need: int | None

    def filled_from(self, other: "Common") -> "Common":
        """What is missing here, taken from there; never the card."""
        if other is self:
            return self
        return Common(
            self.township or other.township,
            self.village or other.village,
            self.village_code or other.village_code,
            self.group or other.group,
            self.size or other.size,
            self.category or other.category,
            self.card,
            self.bank,
            self.phone or other.phone,
            self.address or other.address,
            other.need if self.need is None else self.need,
        )

    def with_card(self, card: str | None, bank: str | None) -> "Common":
        return msgspec.structs.replace(self, card=card, bank=bank)


class HeadingFound(msgspec.Struct, frozen=True):
    """A row that is no data. A village's name or a repeated header ends the household above."""

    table: Table
    row: int
    ends_household: bool


class Gathered:
    """A data row: its cells by column, and the problems and notes found while reading them."""

    __slots__ = ("_ids", "_values", "heading", "members", "notes", "problems", "row", "table")

    def __init__(
        self,
        table: Table,
        row: int,
        values: dict[Column, Any],
        heading: str | None,
        ids: "_Ids",
        members: tuple["Gathered", ...] = (),
    ) -> None:
        self.table = table
        self.row = row
        self.heading = heading
        self.problems: list[CellProblem] = []
        self.notes: list[CellProblem] = []
        self._values = values
        self._ids = ids
        self.members = members
        self._look_at_formulas()

    def get(self, column: Column) -> Any:
        return self._values.get(column)

    def fail(self, column: Column, rule: str, **facts: Any) -> None:
        self.problems.append(self._problem(column, rule, facts))

    def note(self, column: Column, rule: str, **facts: Any) -> None:
        self.notes.append(self._problem(column, rule, facts))

    def failed(self, column: Column) -> bool:
        return bool(self.problems) and self.cell(column) in {p.cell for p in self.problems}

    def cell(self, column: Column) -> str:
        at = self.table.header.columns.get(column)
        return address(self.row, at) if at is not None else str(self.row + 1)

    def _look_at_formulas(self) -> None:
        """Cells that are worked out: an error is nothing to go by, a result may be old."""
        marks = self.table.marks
        for column, at in self.table.header.columns.items():
            if self._values.get(column) in read.ERRORS or within(
                marks.errors.get(at, ()), self.row
            ):
                if column in _MAY_BE_WRONG:
                    self.note(column, "cell-error-empty")
                else:
                    self.fail(column, "cell-error")
            elif at in marks.formulas and within(marks.formulas[at], self.row):
                empty = read.is_empty(self._values.get(column))
                self.note(column, "formula-empty" if empty else "cell-formula")

    @property
    def is_hidden(self) -> bool:
        return within(self.table.marks.hidden, self.row)

    def say_hidden(self, *, ask: bool, left: bool) -> None:
        where = str(self.row + 1)
        if ask:
            self.problems.append(problem("row-hidden-asked", where, ""))
        else:
            self.notes.append(problem("row-hidden-left" if left else "row-hidden", where, ""))

    def slots(self) -> Iterator[int]:
        """Which members of the row's header `members` are, counted from 1."""
        for one in self.members:
            yield self.table.header.members.index(one.table.header) + 1

    def _problem(self, column: Column, rule: str, facts: dict[str, Any]) -> CellProblem:
        shown = mask(column, self._values.get(column))
        name = self.table.header.names.get(column, column.value)
        return problem(rule, self.cell(column), name, shown, **facts)

    def name(self, column: Column) -> str | None:
        value, rule = read.name(self._values.get(column))
        if rule is not None:
            self.fail(column, rule)
        elif value is None and not self.failed(column):
            self.fail(column, "name-missing")
        return value

    def id_number(self, column: Column, *, needed: bool) -> str | None:
        """The ID number, checked, and remembered as this row's: nobody stands twice in a file."""
        value = self._checked_id(column)
        if value is None:
            if needed and not self.failed(column):
                self.fail(column, "id-missing")
            return None
        self.claim_id(value, column)
        self._compare(column, value)
        return value

    def head_id(self) -> str | None:
        """The head's ID number beside a member's, checked; it stands there once a member."""
        return self._checked_id(Column.HEAD_ID)

    def _checked_id(self, column: Column) -> str | None:
        value, rule = read.id_number(self._values.get(column))
        if rule is not None:
            self.fail(column, rule)
            return None
        if value is None:
            return None
        why = id_problem(value, self._ids.today)
        if why is not None:
            self.fail(column, "id-number", why_zh=why[0], why_en=why[1])
            return None
        return value

    def claim_id(self, number: str, column: Column) -> None:
        at = self.table.header.columns[column]
        first = self._ids.claim(number, self.table.sheet, self.row, at)
        if first is not None:
            self.fail(column, "id-twice", first=first, second=self.cell(column))

    def _compare(self, column: Column, number: str) -> None:
        """Sex and birthday beside the ID number are checked against it, and not taken."""
        if number.endswith("000"):
            self.note(column, "maybe-rounded")
        written = self._values.get(Column.GENDER)
        if written is not None:
            gender = read.gender(written)
            if gender is not None and gender != ("女", "男")[int(number[16]) % 2]:
                self.note(Column.GENDER, "gender-differs")
        written = self._values.get(Column.BIRTH)
        if written is not None:
            born = read.birth(written)
            if born is not None and f"{born:%Y%m%d}" != number[6:14]:
                self.note(Column.BIRTH, "birth-differs")

    def head_name(self) -> str | None:
        """The head's name beside a member's, where it can be read."""
        value, rule = read.name(self._values.get(Column.HEAD_NAME))
        if rule is not None:
            self.fail(Column.HEAD_NAME, rule)
        return value

    def common(self) -> Common:
        """All the row says about its household. Each cell that is wrong is a problem."""
        found: dict[Column, Any] = {}
        for column, how in _COMMON:
            value = self._values.get(column)
            if value is None:
                found[column] = None
                continue
            found[column], rule = how(value)
            if rule is not None:
                self.fail(column, rule)
        return Common(*found.values())

    def check_need(self, need: int | None, size: int | None) -> None:
        """需救助人口 is not imported, but a list in which it is over 家庭人口 is wrong in one."""
        if need is not None and size is not None and need > size:
            self.fail(Column.NEED, "need-over-size", need=need, size=size)


_COMMON = (
    (Column.TOWNSHIP, read.text),
    (Column.VILLAGE, read.text),
    (Column.VILLAGE_CODE, read.village_code),
    (Column.GROUP, read.text),
    (Column.SIZE, read.size),
    (Column.CATEGORY, read.text),
    (Column.CARD, read.card),
    (Column.BANK, read.text),
    (Column.PHONE, read.phone),
    (Column.ADDRESS, read.text),
    (Column.NEED, read.need),
)


class _Ids:
    """Which ID number stands where, for a whole file: about 170 bytes a person."""

    def __init__(self, today: date) -> None:
        self.today = today
        self._sheets: list[str] = []
        self._where: dict[int, int] = {}

    def claim(self, number: str, sheet: str, row: int, column: int) -> str | None:
        """None if the number is new, else the cell in which it stood first."""
        if not self._sheets or self._sheets[-1] != sheet:
            self._sheets.append(sheet)
        now = len(self._sheets) - 1
        here = now << 48 | row << 16 | column
        first = self._where.setdefault(int(number[:17]), here)
        if first is here:
            return None
        cell = address(first >> 16 & 0xFFFFFFFF, first & 0xFFFF)
        return cell if first >> 48 == now else f"{self._sheets[first >> 48]}!{cell}"


class RowSource:
    """The rows of a file that are worth reading, in order, with what lies between them."""

    def __init__(self, opened: OpenList, today: date) -> None:
        self._opened = opened
        self._ids = _Ids(today)

    def __iter__(self) -> Iterator[Gathered | HeadingFound]:
        sheet: _Sheet | None = None
        for raw in self._opened.rows:
            if sheet is None or sheet.table is not raw.table:
                sheet = _Sheet(raw.table, self._ids)
            found = sheet.row(raw)
            if found is not None:
                yield found


def _has_error(table: Table, row: int) -> bool:
    """Whether a cell of this row shows an error in a column of the table."""
    errors = table.marks.errors
    return bool(errors) and any(
        within(errors.get(at, ()), row) for at in table.header.columns.values()
    )


class _Sheet:
    """One table being gone through: its columns, its merged cells, its last heading."""

    def __init__(self, table: Table, ids: _Ids) -> None:
        header = table.header
        self.table = table
        self._ids = ids
        self._columns = tuple(header.columns.items())
        parts = (header, *header.members)
        self._width = max(at for part in parts for at in part.columns.values()) + 1
        marks = Marks(formulas=table.marks.formulas, errors=table.marks.errors)
        self._members = [Table(table.sheet, part, (), marks) for part in header.members]
        self._heading: str | None = None
        id_column = Column.ID_NUMBER if header.of_persons else Column.HEAD_ID
        if id_column not in header.columns:
            id_column = Column.ID_NUMBER
        self._id_at = header.columns[id_column]
        filled = _FILLED_FOR_PERSONS if header.of_persons else _FILLED_FOR_HOUSEHOLDS
        at = {header.columns[column]: column for column in filled if column in header.columns}
        self._spans = {
            (row1, column): row2
            for row1, column1, row2, column2 in table.merged
            if row2 > row1 and row2 > header.last_row
            for column in range(column1, min(column2, self._width) + 1)
            if column in at
        }
        self._at = at
        self._across = {
            row1 for row1, column1, row2, column2 in table.merged if column2 - column1 > 1
        }
        self._open: dict[Column, tuple[int, Any]] = {}
        self._above: dict[Column, Any] = {}

    def row(self, raw: RawRow) -> Gathered | HeadingFound | None:
        cells = raw.cells
        if len(cells) < self._width:
            cells = cells + [None] * (self._width - len(cells))
        wrong = _has_error(self.table, raw.row)
        if not wrong and all(map(read.is_empty, cells)):
            return None
        heading = None if wrong else self._as_heading(raw.row, cells)
        if heading is not None:
            return heading
        values = {column: cells[at] for column, at in self._columns}
        if self._spans:
            self._fill(raw.row, values)
        self._ditto(values)
        members = tuple(self._members_in(raw.row, cells))
        return Gathered(self.table, raw.row, values, self._heading, self._ids, members)

    def _members_in(self, row: int, cells: list[Any]) -> Iterator[Gathered]:
        """The members in a household's own row: of those columns that say something there."""
        for table in self._members:
            values = {column: cells[at] for column, at in table.header.columns.items()}
            if _has_error(table, row) or not all(map(read.is_nothing, values.values())):
                yield Gathered(table, row, values, None, self._ids)

    def _as_heading(self, row: int, cells: list[Any]) -> HeadingFound | None:
        id_cell = cells[self._id_at]
        if isinstance(id_cell, str) and len(id_cell) >= 15 and id_cell[:1].isdigit():
            return None
        texts = [text for text in map(_shown, cells) if text]
        known = sum(1 for text in texts if meaning(text))
        if known > 2 and known * 2 >= len(texts):  # the header, printed again
            return HeadingFound(self.table, row, True)
        if len(set(texts)) == 1 and _VILLAGE.fullmatch(plain(texts[0])):
            self._heading = plain(texts[0])
            return HeadingFound(self.table, row, True)
        nothing_known = all(read.is_nothing(cells[at]) for _, at in self._columns)
        across = len(texts) == 1 and row in self._across
        numbering = len(texts) > 2 and all(_COLUMN_NUMBER.fullmatch(text) for text in texts)
        nobody = read.is_empty(id_cell) or not _LIKE_AN_ID.search(str(id_cell))
        foot = nobody and _FOOT.match(plain(texts[0]))
        if nothing_known or across or numbering or foot:
            return HeadingFound(self.table, row, False)
        return None

    def _ditto(self, values: dict[Column, Any]) -> None:
        """Where a place or a kind says 同上 or 〃, it is the one above."""
        for column in _DITTOED:
            value = values.get(column)
            if isinstance(value, str) and _DITTO.fullmatch(value.strip()):
                values[column] = self._above.get(column, value)
            elif not read.is_nothing(value):
                self._above[column] = value

    def _fill(self, row: int, values: dict[Column, Any]) -> None:
        """Give a merged cell's value to the rows it covers."""
        for at, column in self._at.items():
            last = self._spans.get((row, at))
            if last is not None:
                self._open[column] = (last, values[column])
            elif column in self._open:
                last, value = self._open[column]
                if row <= last:
                    values[column] = value
                else:
                    del self._open[column]
