"""Lists of officers: the template that goes out, and the rows that come back, each checked.

The file is read as a household list is (`intake.reader`: guard, sandbox, limits); nothing is
repaired that could have been something else. A row says who, which post, where; its log-in name is
made from the pinyin of the name where it has none.
"""

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import count
from typing import Any
from uuid import UUID

import xlsxwriter  # type: ignore[import-untyped]
from sqlalchemy import Connection, select

from domain.identity import id_problem
from domain.login_name import as_typed, check_login
from domain.posts import LEVELS_OF, Post
from domain.refusal import Malformed
from domain.world import ROLE_NAMES, Role
from intake import cells as read
from intake.columns import Column, address
from intake.guard import IntakeLimits
from intake.one_heading import Headings, cells_of, says_nothing
from intake.problems import CellProblem, mask, problem
from intake.reader import RawRow, open_list, within
from intake.sent import ListFile
from projections.areas import AREAS
from projections.asking.child_codes import Meant, OldCounties
from projections.asking.old_codes import old_code
from projections.asking.scope import Scope

HEADINGS: Mapping[Column, str] = {
    Column.NAME: "姓名",
    Column.LOGIN: "登录名",
    Column.ROLE: "岗位",
    Column.VILLAGE_CODE: "区划代码",
    Column.VILLAGE: "区划名称",
    Column.POST: "A/B岗",
    Column.ID_NUMBER: "身份证号",
    Column.PHONE: "手机",
    Column.CERTIFICATE: "证书号",
}
"""The columns of the template, in order."""
_MORE: Mapping[Column, str] = {
    Column.LOGIN: "登录账号 账号 用户名",
    Column.ROLE: "角色 职务",
    Column.VILLAGE_CODE: "行政区划代码 代码",
    Column.VILLAGE: "区划 单位",
    Column.POST: "A/B AB岗",
    Column.ID_NUMBER: "身份证 身份证号码 公民身份号码",
    Column.PHONE: "手机号 手机号码 联系电话 电话",
    Column.CERTIFICATE: "证书 证书编号",
}
_LIST = Headings(
    HEADINGS,
    _MORE,
    first=Column.NAME,
    needed=((Column.ROLE,), (Column.VILLAGE_CODE, Column.VILLAGE)),
    least=2,
)
_ROLES: dict[str, Role] = {
    name.casefold(): role
    for role in LEVELS_OF
    for name in (role.value, *ROLE_NAMES[role], ROLE_NAMES[role][0].replace("（社区）", ""))
} | {"灾害信息员": Role.VILLAGE_REPORTER, "乡镇（街道）审核员": Role.TOWNSHIP_REVIEWER}
_POSTS = {"": Post.NONE, "A": Post.A, "A岗": Post.A, "B": Post.B, "B岗": Post.B}
_READERS: Mapping[Column, Callable[[Any], read.Read]] = {
    Column.NAME: read.name,
    Column.ID_NUMBER: read.id_number,
    Column.PHONE: read.phone,
}
LEVELS = ("province", "city", "county", "township", "village")


@dataclass(slots=True)
class OfficerLine:
    """One row. ``row`` as the spreadsheet counts it, from 1; without problems it can be engaged."""

    sheet: str
    row: int
    name: str = ""
    login: str = ""
    role: Role | None = None
    area: UUID | None = None
    area_name: str = ""
    post: Post = Post.NONE
    id_number: str | None = None
    phone: str | None = None
    certificate: str = ""
    problems: list[CellProblem] = field(default_factory=list)
    notes: list[CellProblem] = field(default_factory=list)
    bare: UUID | None = None
    """The officer of this log-in name, to whom the row's ID number may be given first."""


class Divisions:
    """The living areas of a jurisdiction, by code and by name."""

    def __init__(self, db: Connection, scope: Scope) -> None:
        query = select(
            AREAS.c.id, AREAS.c.code, AREAS.c.name, AREAS.c.level, AREAS.c.former_codes
        ).where(scope.covers(AREAS.c.id), AREAS.c.abolished_on.is_(None))
        self.rows = sorted(db.execute(query).all(), key=lambda row: (row.code, row.id))
        self._codes = {row.code: row for row in self.rows}
        self._old_counties = OldCounties.of(db)
        self._by_id = {row.id: row for row in self.rows}
        self._names: dict[str, list[Any]] = {}
        for row in self.rows:
            self._names.setdefault(row.name, []).append(row)

    def by_code(self, code: str) -> Any:
        """The area of a code of 6, 9 or 12 digits; None if there is none here."""
        return next((self._codes[one] for one in _ways(code) if one in self._codes), None)

    def by_former_code(self, code: str) -> Any:
        """The area that had this code before, here or as the nation knows it; None if none had."""
        had = {old: row for row in self.rows for old in row.former_codes.split()}
        old = old_code(code)
        known = self._codes.get(old.now) if old is not None else None
        return next((had[one] for one in _ways(code) if one in had), known)

    def by_old_county(self, code: str) -> tuple[Meant | None, Any]:
        """What a code may mean by a former code of its county, and the area if it is one here."""
        derived = self._old_counties.meant(code)
        one = derived.one if derived is not None else None
        return derived, self._by_id.get(one.id) if one is not None else None

    def by_name(self, name: str) -> list[Any]:
        return self._names.get(name, [])


def _ways(code: str) -> tuple[str, str, str]:
    """As the ledger may have a code of 6, 9 or 12 digits."""
    return code, code.removesuffix("000000"), code + "000" if len(code) == 9 else code


def read_officers(
    path: ListFile,
    divisions: Divisions,
    taken: Callable[[str], bool],
    today: date,
    limits: IntakeLimits | None = None,
) -> list[OfficerLine]:
    """Every row of a list, checked by itself. ``taken``: whether a log-in name is somebody's.

    Raises ``FileRefused`` for what cannot be read as a list of officers at all.
    """
    with open_list(path, limits=limits, headers=_LIST.find) as opened:
        lines = [_Row(raw, divisions, today).line for raw in opened.rows if not says_nothing(raw)]
    _give_logins(lines, taken)
    return lines


class _Row:
    """One row being read: each broken rule is told with its cell."""

    def __init__(self, raw: RawRow, divisions: Divisions, today: date) -> None:
        self._raw, self._cells = raw, cells_of(raw)
        self.line = OfficerLine(raw.table.sheet, raw.row + 1)
        self._look_behind()
        line = self.line
        line.name = self._text(Column.NAME) or ""
        if not line.name and not line.problems:
            self._fail(Column.NAME, "name-missing")
        line.login = self._text(Column.LOGIN) or ""
        line.phone = self._text(Column.PHONE)
        line.certificate = self._text(Column.CERTIFICATE) or ""
        self._post()
        self._place(divisions)
        self._identity(today)
        if line.login:
            try:
                check_login(as_typed(line.login))
            except Malformed as wrong:
                self._fail(Column.LOGIN, "login-form", why_zh=wrong.rule_zh, why_en=wrong.rule_en)

    def _fail(self, column: Column, rule: str, **facts: Any) -> None:
        self.line.problems.append(self._said(column, rule, facts))

    def _said(self, column: Column, rule: str, facts: Mapping[str, Any]) -> CellProblem:
        at = self._raw.table.header.columns.get(column)
        cell = address(self._raw.row, at) if at is not None else str(self._raw.row + 1)
        shown = mask(column, self._cells.get(column))
        return problem(rule, cell, HEADINGS[column], shown, **facts)

    def _look_behind(self) -> None:
        """What a sheet does not show in its values: a hidden row, a formula, an error."""
        marks, row = self._raw.table.marks, self._raw.row
        if within(marks.hidden, row):
            self.line.problems.append(problem("officer-hidden", str(row + 1), ""))
        for column, at in self._raw.table.header.columns.items():
            value = self._cells[column]
            if value in read.ERRORS or within(marks.errors.get(at, ()), row):
                self._fail(column, "cell-error")
                self._cells[column] = None
            elif within(marks.formulas.get(at, ()), row):
                rule = "formula-empty" if read.is_empty(value) else "cell-formula"
                self.line.notes.append(self._said(column, rule, {}))

    def _text(self, column: Column) -> str | None:
        value, wrong = _READERS.get(column, read.text)(self._cells.get(column))
        if wrong is not None:
            self._fail(column, wrong)
        return value

    def _post(self) -> None:
        role = self._text(Column.ROLE) or ""
        self.line.role = _ROLES.get(role.casefold())
        if self.line.role is None:
            known = "、".join(ROLE_NAMES[one][0] for one in LEVELS_OF)
            known_en = ", ".join(ROLE_NAMES[one][1] for one in LEVELS_OF)
            self._fail(Column.ROLE, "role-unknown", known=known, known_en=known_en)
        pair = (self._text(Column.POST) or "").upper().replace(" ", "")
        if pair in _POSTS:
            self.line.post = _POSTS[pair]
        else:
            self._fail(Column.POST, "pair-unknown")

    def _place(self, divisions: Divisions) -> None:
        code, name = self._text(Column.VILLAGE_CODE), self._text(Column.VILLAGE)
        if code is None and name is None:
            self._fail(Column.VILLAGE_CODE, "place-missing")
            return
        if code is not None:
            found: Any = divisions.by_code(code)
            former = divisions.by_former_code(code) if found is None else None
            if former is not None:
                found = former
                now = {"old": code, "now": found.code, "named": found.name}
                self.line.notes.append(self._said(Column.VILLAGE_CODE, "place-renumbered", now))
            if found is None:
                found = self._by_old_county(divisions, code)
            if found is None:
                return
            if name is not None and name != found.name:
                self._fail(Column.VILLAGE, "place-differs", named=found.name)
                return
        else:
            several = divisions.by_name(str(name))
            if len(several) != 1:
                self._fail(Column.VILLAGE, "place-several" if several else "place-unknown")
                return
            found = several[0]
        self.line.area, self.line.area_name = UUID(found.id), found.name

    def _by_old_county(self, divisions: Divisions, code: str) -> Any:
        """The area that a code means by a former code of its county, noted; else what is wrong."""
        derived, found = divisions.by_old_county(code)
        if found is not None and derived is not None:
            said = {"zh": derived.zh, "en": derived.en}
            self.line.notes.append(self._said(Column.VILLAGE_CODE, "place-old-county", said))
        elif derived is not None and derived.one is None:
            said = {"zh": derived.zh, "en": derived.en}
            self._fail(Column.VILLAGE_CODE, "place-old-county", **said)
        else:
            self._fail(Column.VILLAGE_CODE, "place-unknown")
        return found

    def _identity(self, today: date) -> None:
        number = self._text(Column.ID_NUMBER)
        why = id_problem(number, today) if number else None
        if why is not None:
            self._fail(Column.ID_NUMBER, "id-number", why_zh=why[0], why_en=why[1])
        self.line.id_number = number


def _give_logins(lines: list[OfficerLine], taken: Callable[[str], bool]) -> None:
    """Log-in names from pinyin where a row has none; one that is there twice is told."""
    first: dict[str, OfficerLine] = {}
    for line in lines:
        known = first.setdefault(line.login.casefold(), line) if line.login else line
        if known is not line:
            said = problem(
                "login-twice", str(line.row), HEADINGS[Column.LOGIN], line.login, row=known.row
            )
            line.problems.append(said)
    used = set(first)
    spellings: dict[str, Iterator[str]] = {}
    for line in lines:
        if line.login or not line.name:
            continue
        base = _spelled(line.name)
        further = spellings.setdefault(base, _numbered(base))  # goes on where a namesake stopped
        line.login = next(one for one in further if one not in used and not taken(one))
        used.add(line.login)


def _spelled(name: str) -> str:
    """zhangxiaosan for 张小三."""
    from pypinyin import lazy_pinyin  # its dictionary takes a third of a second to load

    spelled = "".join(one for one in "".join(lazy_pinyin(name)).lower() if one.isalnum())
    return "".join(one for one in spelled if one.isascii())[:40] or "officer"


def _numbered(base: str) -> Iterator[str]:
    """zhangxiaosan, zhangxiaosan2, …"""
    yield base
    yield from (f"{base}{number}" for number in count(2))


def template(divisions: Divisions) -> bytes:
    """The empty list as .xlsx: its headings as text columns, then a sheet of roles and areas."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        page, text = _LIST.sheet(book, "人员名单", 22)
        bold = book.add_format({"bold": True})
        roles = [ROLE_NAMES[role][0] for role in LEVELS_OF]
        page.data_validation(1, 5, 2000, 5, {"validate": "list", "source": ["A", "B"]})
        page.data_validation(
            1, 2, 2000, 2, {"validate": "list", "source": f"=岗位和区划!$A$2:$A${len(roles) + 1}"}
        )
        known = book.add_worksheet("岗位和区划")
        known.set_column(0, 3, 24, text)
        for at, heading in enumerate(("可用岗位", "可设级别", "区划代码", "区划名称")):
            known.write_string(0, at, heading, bold)
        for number, (role, levels) in enumerate(LEVELS_OF.items(), 1):
            known.write_string(number, 0, ROLE_NAMES[role][0])
            said = (_LEVEL_NAMES[one] for one in LEVELS if one in levels)
            known.write_string(number, 1, "、".join(said))
        for number, row in enumerate(divisions.rows, 1):
            known.write_string(number, 2, row.code)
            known.write_string(number, 3, row.name)
    return out.getvalue()


_LEVEL_NAMES = {"province": "省", "city": "市", "county": "县", "township": "乡镇", "village": "村"}
