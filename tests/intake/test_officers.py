"""Lists of officers: what is read, what is refused and where, and the template that goes out."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter  # type: ignore[import-untyped]

from domain.posts import Post
from domain.world import Role
from intake.officers import HEADINGS, Divisions, OfficerLine, read_officers, template
from intake.refused import FileRefused
from projections.asking.scope import EVERYTHING
from tests.id_numbers import id_number
from tests.intake.make import workbook
from tests.intake.town import county, make_county

HEADER = tuple(HEADINGS.values())
TODAY = date(2026, 11, 29)


@pytest.fixture(scope="module")
def divisions(tmp_path_factory: pytest.TempPathFactory) -> Divisions:
    folder = tmp_path_factory.mktemp("officers") / "county"
    make_county(folder)
    with county(folder) as one:
        while one.system.boards.step():
            pass
        with one.system.reader() as db:
            return Divisions(db, EVERYTHING)


def row(number: int = 1, **changed: Any) -> list[Any]:
    said: dict[str, Any] = {
        "name": "张小三",
        "login": None,
        "role": "村（社区）灾害信息员",
        "code": "340882101001",
        "place": None,
        "pair": "A岗",
        "id": id_number(number),
        "phone": "15400001234",
        "certificate": "灾信-001",
    }
    return list({**said, **changed}.values())


def read(
    path: Path, divisions: Divisions, rows: Sequence[Sequence[Any]], taken: tuple[str, ...] = ()
) -> list[OfficerLine]:
    workbook(path / "list.xlsx", [HEADER, *rows])
    return read_officers(path / "list.xlsx", divisions, lambda login: login in taken, TODAY)


def rules(line: OfficerLine) -> list[tuple[str, str]]:
    return [(one.cell, one.rule) for one in line.problems]


def test_a_good_row_is_read_and_gets_a_log_in_name_of_its_own(
    tmp_path: Path, divisions: Divisions
) -> None:
    rows = [row(1), row(2), row(3, login="wang.wu", role="村灾害信息员", pair=None)]
    lines = read(tmp_path, divisions, rows, taken=("zhangxiaosan",))
    assert [line.problems for line in lines] == [[], [], []]
    [short] = read(tmp_path, divisions, [row(4, role="灾害信息员")])
    assert (short.problems, short.role) == ([], Role.VILLAGE_REPORTER), "as everybody calls them"
    assert [line.login for line in lines] == ["zhangxiaosan2", "zhangxiaosan3", "wang.wu"]
    first = lines[0]
    assert (first.role, first.post, first.row) == (Role.VILLAGE_REPORTER, Post.A, 2)
    assert first.area_name == "源潭居委会" and first.certificate == "灾信-001"
    assert lines[2].post is Post.NONE


@pytest.mark.parametrize(
    ("changed", "cell", "rule"),
    [
        ({"name": None}, "A2", "name-missing"),
        ({"login": "a b"}, "B2", "login-form"),
        ({"role": "书记"}, "C2", "role-unknown"),
        ({"code": "110101001001"}, "D2", "place-unknown"),
        ({"code": None}, "D2", "place-missing"),
        ({"code": None, "place": "没有的村"}, "E2", "place-unknown"),
        ({"place": "双峰村"}, "E2", "place-differs"),
        ({"pair": "C"}, "F2", "pair-unknown"),
        ({"id": 340824198103040019}, "G2", "id-stored-as-number"),
        ({"id": id_number(1)[:-1] + "A"}, "G2", "id-number"),
        ({"phone": "12"}, "H2", "phone-form"),
    ],
)
def test_what_is_wrong_is_told_with_its_cell(
    tmp_path: Path, divisions: Divisions, changed: dict[str, Any], cell: str, rule: str
) -> None:
    (line,) = read(tmp_path, divisions, [row(**changed)])
    assert rules(line) == [(cell, rule)]
    assert id_number(1) not in repr(line.problems)


def test_a_name_that_several_areas_have_asks_for_the_code(
    tmp_path: Path, divisions: Divisions, monkeypatch: pytest.MonkeyPatch
) -> None:
    (line,) = read(tmp_path, divisions, [row(code=None, place="源潭居委会")])
    assert not line.problems
    monkeypatch.setattr(divisions, "by_name", lambda name: divisions.rows[:2])
    (line,) = read(tmp_path, divisions, [row(code=None, place="双峰村")])
    assert rules(line) == [("E2", "place-several")]


def test_one_log_in_name_twice_is_told_at_the_second(tmp_path: Path, divisions: Divisions) -> None:
    first, second = read(tmp_path, divisions, [row(1, login="x1"), row(2, login="X1")])
    assert not first.problems
    assert [one.rule for one in second.problems] == ["login-twice"]


def test_hidden_rows_are_refused_and_formulas_told(tmp_path: Path, divisions: Divisions) -> None:
    path = tmp_path / "list.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        page = book.add_worksheet()
        for number, line in enumerate([HEADER, row(1), row(2)]):
            page.write_row(number, 0, line)
        page.write_formula(2, 8, '="灾信"&"2"', None, "灾信2")
        page.set_row(1, None, None, {"hidden": True})
    hidden, worked_out = read_officers(path, divisions, lambda login: False, TODAY)
    assert rules(hidden) == [("2", "officer-hidden")]
    assert not worked_out.problems and [one.rule for one in worked_out.notes] == ["cell-formula"]


def test_a_csv_is_read_and_a_list_without_its_columns_refused(
    tmp_path: Path, divisions: Divisions
) -> None:
    path = tmp_path / "list.csv"
    cells = ["" if cell is None else str(cell) for cell in row(1)]
    path.write_text(",".join(HEADER) + "\n" + ",".join(cells) + "\n", encoding="gb18030")
    (line,) = read_officers(path, divisions, lambda login: False, TODAY)
    assert not line.problems
    path.write_text("姓名,手机\n张三,15400001234\n", encoding="utf-8")
    with pytest.raises(FileRefused) as refused:
        read_officers(path, divisions, lambda login: False, TODAY)
    assert refused.value.code == "column-missing" and "岗位" in refused.value.reason_zh


def test_the_template_is_an_empty_list_that_names_roles_and_areas(
    tmp_path: Path, divisions: Divisions
) -> None:
    from openpyxl import load_workbook  # type: ignore[import-untyped]

    path = tmp_path / "template.xlsx"
    path.write_bytes(template(divisions))
    assert read_officers(path, divisions, lambda login: False, TODAY) == []
    book = load_workbook(path)
    assert [cell.value for cell in book.worksheets[0][1]] == list(HEADER)
    said = [[cell.value for cell in row] for row in book.worksheets[1].iter_rows()]
    assert ["村（社区）灾害信息员", "乡镇、村"] in [line[:2] for line in said]
    assert ["340882101001", "源潭居委会"] in [line[2:4] for line in said]


def test_a_list_of_namesakes_does_not_cost_the_square_of_its_length(
    divisions: Divisions, tmp_path: Path
) -> None:
    """Each of them tried every log-in name that the one before had tried: a list of one name, as
    large as may be sent, held a core for hours."""
    asked: list[str] = []

    def taken(login: str) -> bool:
        asked.append(login)
        return len(asked) <= 300

    workbook(tmp_path / "list.xlsx", [HEADER, *(row(number) for number in range(200))])
    lines = read_officers(tmp_path / "list.xlsx", divisions, taken, TODAY)
    assert len({line.login for line in lines}) == 200
    assert len(asked) == len(set(asked)) == 300 + 200, "no name is asked for twice"
