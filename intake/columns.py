"""What the forms call their columns: header rows found, and each column given its meaning.

The names are those of 应急统表10 (D03001 户主姓名 … D03010 救助资金发放形式), of the older
household file of a province, and the usual variants of both (domain.md §2.3). A name that is not
here is reported as unknown, never guessed at from what stands below it.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

from intake.refused import FileRefused

Merged: TypeAlias = Sequence[Sequence[int]]
Grid: TypeAlias = Sequence[Sequence[Any]]


class Column(StrEnum):
    """What a column means. The value is the form's own name, for messages."""

    NAME = "姓名"
    ID_NUMBER = "身份证号"
    HEAD_NAME = "户主姓名"
    HEAD_ID = "户主身份证号"
    RELATION = "与户主关系"
    HOUSEHOLD_NO = "户编号"
    SIZE = "家庭人口"
    CATEGORY = "家庭类型"
    CARD = "一卡通账号"
    BANK = "开户银行"
    PHONE = "联系电话"
    ADDRESS = "家庭住址"
    TOWNSHIP = "乡镇"
    VILLAGE = "村"
    VILLAGE_CODE = "行政村区划代码"
    GROUP = "村民小组"
    GENDER = "性别"
    BIRTH = "出生日期"
    NEED = "需救助人口"
    IGNORED = "不导入"
    # Of lists of officers alone (`intake.officers`); no household list has them.
    LOGIN = "登录名"
    ROLE = "岗位"
    POST = "A/B岗"
    CERTIFICATE = "证书号"
    # Of lists of divisions alone (`intake.divisions`).
    PARENT_CODE = "上级代码"
    VALID_FROM = "生效日期"
    FORMER_CODE = "原代码"


REASON = "未导入原因"
"""Why a row was refused: in the list of refused rows, which may be sent again as it is."""

_NAMES: dict[Column, str] = {
    Column.NAME: (
        "姓名 成员姓名 家庭成员姓名 家庭成员 人员姓名 救助对象姓名 救助对象 受助人姓名 对象姓名"
    ),
    Column.ID_NUMBER: (
        "身份证号 身份证号码 公民身份号码 公民身份证号码 居民身份证号码 身份证 "
        "身份号码 证件号码 证件号 成员身份证号 成员身份证号码 家庭成员身份证号 "
        "家庭成员身份证号码 居民身份证号 公民身份证号"
    ),
    Column.HEAD_NAME: "户主姓名 户主 户主名 户主名字 户主(姓名)",
    Column.HEAD_ID: (
        "户主身份证号 户主身份证号码 户主身份证 户主公民身份号码 户主证件号码 户主证件号"
    ),
    Column.RELATION: "与户主关系 与户主的关系 户主关系 家庭关系 成员关系 和户主关系 关系",
    Column.HOUSEHOLD_NO: "户编号 户号 家庭编号 户籍编号 档案编号 户编码 家庭编码",
    Column.SIZE: (
        "家庭人口 家庭人口数 人口数 家庭人数 家庭成员数 人口 户人口 家庭总人口 "
        "在册人口 人数 家庭常住人口 家庭人口总数"
    ),
    Column.CATEGORY: (
        "家庭类型 家庭类别 户类型 户类别 人员类别 困难类型 家庭情况类型 农户类型 对象类别"
    ),
    Column.CARD: (
        "一卡通账号 一卡通卡号 一卡通 一卡通号 一卡通号码 一卡通帐号 银行账号 "
        "银行帐号 银行卡号 银行卡账号 账号 帐号 卡号 惠农一卡通账号 惠农一卡通 "
        "惠农卡号 社保卡号 社会保障卡号 一卡通银行账号 社保卡银行账号 银行卡"
    ),
    Column.BANK: "开户银行 开户行 银行名称 开户行名称 银行",
    Column.PHONE: (
        "联系电话 联系方式 手机号 手机号码 电话 电话号码 户主联系方式 户主联系电话 "
        "户主电话 户主手机号 手机 联系号码 本人电话"
    ),
    Column.ADDRESS: (
        "家庭住址 住址 家庭地址 地址 详细地址 居住地址 现住址 现居住地址 家庭详细住址 户籍地址"
    ),
    Column.TOWNSHIP: "乡镇 乡 镇 乡(镇) 乡镇街道 乡镇(街道) 所属乡镇 乡镇名称 街道 乡镇区划",
    Column.VILLAGE: (
        "村 村居 村(居) 行政村 村委会 村名 村名称 村(社区) 村社区 社区 所属村 "
        "村居名称 村(居)委会 行政村名称 村/社区 村/居 所在村 所在行政村"
    ),
    Column.VILLAGE_CODE: (
        "行政村区划 行政村区划代码 村代码 村编码 行政区划代码 区划代码 村区划代码 统计用区划代码 "
        "行政村代码 行政村编码 行政村(社区)代码 村(居)代码 村级代码"
    ),
    Column.GROUP: "村民小组 组 小组 村民组 组别 居民小组 村组 组名 自然村 村(居)民小组 屯",
    Column.GENDER: "性别",
    Column.NEED: "需救助人口 需救助人数 需要救助人口 需要救助人数",
    Column.BIRTH: "出生日期 出生年月 出生年月日 出生时间",
    Column.IGNORED: (
        "序号 编号 行号 NO NO. 备注 说明 年龄 民族 签名 签字 户主签字 领取人签字 "
        "已发放救助款 已发放救助物资折款 救助资金发放形式 发放金额 "
        "救助金额 金额 合计 填报单位代码 户口类型/所在地 户口类型 户口所在地 "
        "房屋间数 房屋结构 省 市 县 县(市、区) 救助原因 受灾情况 致困原因 致贫原因 "
        f"健康状况 文化程度 婚姻状况 是否户主 {REASON}"
    ),
}

_CODES = re.compile(r"身份证|证件|身份号|代码|编码|区划|[账帐卡]号|号码|成员\d|救助人[口数]")
# 成员1姓名, 家庭成员二(身份证号), 成员姓名1: columns of one member in the row of a household.
_NUMBER = r"(?P<number>\d{1,2}|[一二三四五六七八九十]{1,2})"
_WIDE = re.compile(
    rf"(?:家庭|家属)?成员(?:第?{_NUMBER}[位人]?[-_:.的(]*(?P<what>.+?)\)?"
    rf"|(?P<before>\D+?)\(?{_NUMBER.replace('number', 'after')}\)?)"
)
_HAN_NUMBERS = {han: number for number, han in enumerate("一二三四五六七八九十", 1)}
_OF_A_MEMBER = (Column.NAME, Column.ID_NUMBER, Column.RELATION, Column.GENDER, Column.BIRTH)
_LONGEST_TITLE = 300
_CODE = re.compile(r"\d{6}|\d{9}|\d{12}|\d{15,19}|\d{17}[Xx]")
_UNITS = ("人", "元", "户", "间", "口", "床", "件", "岁")
_REMARKS = ("必填", "选填", "18位", "19位", "文本", "文本格式", "数字", "含户主", "含本人")


def plain(text: Any) -> str:
    """A header as it is looked up: no spaces or line breaks, half-width, no unit, no marks.

    >>> plain("家庭人口\\n［人］"), plain(" 户 主 姓 名* "), plain("村（居）")
    ('家庭人口', '户主姓名', '村(居)')
    """
    if not isinstance(text, str):
        return ""
    half = unicodedata.normalize("NFKC", text)
    bare = re.sub(r"[\s\u200b-\u200f\u202a-\u202e\ufeff*★※:“”\"']", "", half)
    bare = re.sub(r"[〔【\[{]", "(", re.sub(r"[〕】\]}]", ")", bare)).upper()
    return re.sub(
        rf"\((?:单位)?(?:{'|'.join((*_UNITS, *_REMARKS))})\)|^\d+[.、]|^D\d{{5}}", "", bare
    )


_BY_NAME: dict[str, Column] = {
    plain(name): column for column, names in _NAMES.items() for name in names.split()
}


def meaning(text: Any) -> Column | None:
    """What a header of this text means, or None if no form calls anything so."""
    return _BY_NAME.get(plain(text))


@dataclass(frozen=True, slots=True)
class Header:
    """The header of one sheet. Rows and columns count from 0 in the sheet's own grid.

    ``ignored`` columns are known and not imported, ``unknown`` ones not understood. ``unsure``:
    those of both that look like codes, ID numbers or figures of people, by name or by content:
    leaving them out silently may put a household into the wrong village or lose its members.
    ``members``: in a list of one row a household, the columns of its first, second, … member.
    ``labels``: every column with a text or content, as messages name it.
    """

    first_row: int
    last_row: int
    columns: dict[Column, int]
    names: dict[Column, str]
    titles: tuple[str, ...]
    unknown: tuple[str, ...]
    ignored: tuple[str, ...]
    unsure: tuple[str, ...] = ()
    members: tuple["Header", ...] = ()
    labels: dict[int, str] = field(default_factory=dict)

    @property
    def of_persons(self) -> bool:
        """One row a person (else one row a household)."""
        return (
            not self.members
            and {Column.NAME, Column.ID_NUMBER} <= self.columns.keys()
            and bool({Column.RELATION, Column.HEAD_ID, Column.HEAD_NAME} & self.columns.keys())
        )


@dataclass(frozen=True, slots=True)
class _Heading:
    """What stands above one column. ``member``: whose it is among the members, 0 the household."""

    text: str
    means: Column | None
    member: int = 0


def letters(column: int) -> str:
    """A column's letters: 0 is A, 26 is AA."""
    text = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text


def column_of(text: str) -> int:
    """The other way round: A is 0, AA is 26."""
    number = 0
    for letter in text:
        number = number * 26 + ord(letter) - 64
    return number - 1


def address(row: int, column: int) -> str:
    """A cell as spreadsheets name it: (16, 2) is C17."""
    return f"{letters(column)}{row + 1}"


def find_header(sheet: str, top: Grid, merged: Merged) -> Header | None:
    """The header among a sheet's first rows, or None if nothing there looks like one.

    Of all rows, alone or together with the next one (merged two-row headers), the one that names
    most different columns is the header. Raises ``FileRefused`` if it lacks what a list needs or
    names a thing twice.
    """
    filled = _filled(sheet, top, merged)
    rows = range(len(filled))
    pairs = [(row, row + 1) for row in rows[:-1]]
    candidates = [
        *((filled, *pair) for pair in pairs if _spans(*pair, merged, down=True)),
        *((filled, row, row) for row in rows),
        *((filled, *pair) for pair in pairs if _spans(*pair, merged, down=False)),
        *((_spread(filled, row), row, row + 1) for row in rows[:-1] if _two_lines(filled, row)),
    ]
    best = 1  # fewer than two known columns are not a header
    chosen = None
    for candidate in candidates:
        found = _meanings(*candidate)
        known = len({(one.means, one.member) for one in found if one.means is not None})
        if known > best:
            best, chosen = known, candidate
    if chosen is None:
        return None
    header = _header(sheet, *chosen)
    _check(sheet, header)
    return header


def _two_lines(filled: list[list[Any]], row: int) -> bool:
    """Two rows that no merged cell joins (a CSV has none) make one header: names of columns
    stand below the blanks beside a group's name, and blanks below what stands alone."""
    both = list(zip(map(plain, filled[row]), map(plain, filled[row + 1]), strict=True))
    under_blanks = [lower for upper, lower in both if lower and not upper]
    return (
        bool(under_blanks)
        and any(upper and not lower for upper, lower in both)
        and all(lower in _BY_NAME for _, lower in both if lower)
    )


def _spread(filled: list[list[Any]], row: int) -> list[list[Any]]:
    """The rows with a group's name in the blanks beside it that have a name below."""
    upper, lower = list(filled[row]), filled[row + 1]
    for at in range(1, len(upper)):
        if not plain(upper[at]) and plain(lower[at]) and plain(lower[at - 1]):
            upper[at] = upper[at - 1]
    return [*filled[:row], upper, *filled[row + 1 :]]


def _filled(sheet: str, top: Grid, merged: Merged) -> list[list[Any]]:
    """The rows with each merged cell's text in all cells it covers. Raises ``FileRefused`` where
    merged cells cover more than all there are: they overlap, which no spreadsheet lets them do,
    and a hundred thousand over the same cells would take hours."""
    width = max((len(row) for row in top), default=0)
    filled = [list(row) + [None] * (width - len(row)) for row in top]
    left = len(filled) * width
    for row1, column1, row2, column2 in merged:
        if row1 >= len(filled) or column1 >= width:
            continue
        left -= (min(row2 + 1, len(filled)) - row1) * (min(column2 + 1, width) - column1)
        if left < 0:
            raise FileRefused("merged-overlap", sheet=sheet)
        text = filled[row1][column1]
        for row in range(row1, min(row2 + 1, len(filled))):
            for column in range(column1, min(column2 + 1, width)):
                filled[row][column] = text
    return filled


def _spans(first: int, last: int, merged: Merged, *, down: bool) -> bool:
    """Two rows may make one header: a cell of the upper is merged into the lower, or across."""
    return any(
        row1 == first and (row2 == last if down else row2 == first and column2 > column1)
        for row1, column1, row2, column2 in merged
    )


def _meanings(filled: list[list[Any]], first: int, last: int) -> list[_Heading]:
    """Meaning and text of each column: the lower header cell's, or both texts joined.

    Under 户主 the lower 姓名 means the head's name, and likewise for the ID number: the joined
    text is looked up first.
    """
    meanings: list[_Heading] = []
    for column in range(len(filled[first]) if filled else 0):
        upper, lower = plain(filled[first][column]), plain(filled[last][column])
        joined = upper if upper == lower or not lower else upper + lower
        wide = _of_member(joined) if joined not in _BY_NAME else None
        if wide is not None:
            meanings.append(wide)
            continue
        means = _BY_NAME.get(joined) or _BY_NAME.get(lower)
        shown = lower if means and joined not in _BY_NAME else joined
        meanings.append(_Heading(shown, means))
    return meanings


def _of_member(text: str) -> _Heading | None:
    """The heading of a member's column in a row of the household, or None if it is none.

    >>> _of_member("成员2身份证号").member, _of_member("家庭成员一(姓名)").means.value
    (2, '姓名')
    """
    found = _WIDE.fullmatch(text)
    if found is None:
        return None
    written = found["number"] or found["after"]
    number = int(written) if written.isdecimal() else sum(_HAN_NUMBERS[one] for one in written)
    means = _BY_NAME.get(found["what"] or found["before"])
    if number == 0 or means not in (*_OF_A_MEMBER, Column.IGNORED):
        return None
    return _Heading(text, means, number)


class _Named:
    """Columns being given their meaning, each once."""

    def __init__(self, sheet: str) -> None:
        self._sheet = sheet
        self.columns: dict[Column, int] = {}
        self.names: dict[Column, str] = {}

    def take(self, heading: _Heading, at: int, where: str) -> None:
        means = heading.means
        assert means is not None
        if means in self.columns:
            raise FileRefused(
                "column-twice",
                sheet=self._sheet,
                column=means.value,
                first=f"{self.names[means]}（{letters(self.columns[means])}）",
                second=where,
            )
        self.columns[means] = at
        self.names[means] = heading.text


def _header(sheet: str, filled: list[list[Any]], first: int, last: int) -> Header:
    headings = _meanings(filled, first, last)
    with_name = {one.member for one in headings if one.member and one.means is Column.NAME}
    named: dict[int, _Named] = {0: _Named(sheet)}
    labels: dict[int, str] = {}
    unknown: list[str] = []
    ignored: list[str] = []
    unsure: list[str] = []
    for at, heading in enumerate(headings):
        below = [row[at] for row in filled[last + 1 :] if _title(row[at])]
        if not heading.text and not below:
            continue
        where = labels[at] = f"{heading.text or '无表头'}（{letters(at)}）"
        if heading.means is Column.IGNORED:
            ignored.append(where)
        elif heading.means is None or (heading.member and heading.member not in with_name):
            unknown.append(where)
            if _CODES.search(heading.text) or _like_codes(below):
                unsure.append(where)
        else:
            named.setdefault(heading.member, _Named(sheet)).take(heading, at, where)
            if heading.means is Column.NEED:  # checked against the size, and not imported
                ignored.append(where)
    titles = tuple(
        text for row in filled[:first] for text in dict.fromkeys(map(_title, row)) if text
    )
    own = named.pop(0)
    members = tuple(
        Header(first, last, one.columns, one.names, (), (), ())
        for _, one in sorted(named.items(), key=lambda item: item[0])
    )
    left_out = (tuple(unknown), tuple(ignored), tuple(unsure))
    return Header(first, last, own.columns, own.names, titles, *left_out, members, labels)


def _like_codes(cells: Sequence[Any]) -> bool:
    """Most of the cells are codes of divisions, ID numbers or accounts."""
    texts = [f"{cell:.0f}" if isinstance(cell, float) else str(cell).strip() for cell in cells]
    return sum(bool(_CODE.fullmatch(text)) for text in texts) * 2 > len(texts)


def _title(value: Any) -> str:
    """What stands above a header, as far as a village may be named in it."""
    return " ".join(str(value).split())[:_LONGEST_TITLE] if value is not None else ""


def _check(sheet: str, header: Header) -> None:
    """Raise ``FileRefused`` naming every column that is needed and not there."""
    known = header.columns.keys()
    missing: list[str] = []
    if not known & {Column.NAME, Column.HEAD_NAME}:
        missing.append("户主姓名（姓名）")
    if not known & {Column.ID_NUMBER, Column.HEAD_ID}:
        missing.append("户主身份证号（身份证号码、公民身份号码）")
    if not header.of_persons and not header.members and Column.SIZE not in known:
        # Rows of persons would need no size: say so when that is what the list may be.
        may_be_persons = known & {Column.HOUSEHOLD_NO, Column.RELATION}
        missing.append(
            "家庭人口（一人一行的名单则需要姓名、身份证号、与户主关系）"
            if may_be_persons
            else "家庭人口"
        )
    if missing:
        raise FileRefused(
            "column-missing", sheet=sheet, row=header.last_row + 1, missing="、".join(missing)
        )
