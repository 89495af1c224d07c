"""Lists of divisions: what is read, what it comes to against the divisions there are."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from api.division_lists import brought_about, differences, told_of
from intake.division_changes import Differences, DivisionTree
from intake.divisions import HEADINGS, read_divisions, template
from intake.refused import FileRefused
from projections.areas import by_code
from projections.asking.scope import EVERYTHING, Scope
from tests.intake.make import workbook
from tests.web.desk import LivingCounty, living_county

HEADER = list(HEADINGS.values())
TODAY = date(2026, 11, 29)
DOCUMENT = "潜政〔2026〕9号"


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivingCounty]:
    with living_county(tmp_path_factory.mktemp("divisions")) as made:
        yield made


def row(code: Any, name: Any, parent: Any = None, since: Any = None, former: Any = None) -> Any:
    return [code, name, parent, since, former]


def compare(county: LivingCounty, path: Path, *rows: Any) -> Differences:
    workbook(path / "list.xlsx", [HEADER, *rows])
    lines = read_divisions(path / "list.xlsx", TODAY)
    with county.system.reader() as db:
        scope = DivisionTree(db, EVERYTHING).living["340882"]
    admin = county.officers["admin"]
    return differences(county.system, admin, Scope((UUID(scope.id),)), lines, DOCUMENT)


def rules(found: Differences) -> list[tuple[str, str]]:
    return [(one.cell, one.rule) for line in found.refused for one in line.problems]


def test_every_kind_of_difference_is_told_and_nothing_is_done(
    county: LivingCounty, tmp_path: Path
) -> None:
    head = county.system.store.head()
    found = compare(
        county,
        tmp_path,
        row("340882101", "源潭新镇", None, "2026/5/1"),
        row("340882101001", "源潭居委会"),
        row("340882101003", "新立居委会", None, "2026年6月1日"),
        row("340882106901", "开发区一村", "340882106000"),
        row("340882106203", "水吼村", None, 20260701, "340882106200"),
        row("340882106201", "横中村", "340882101"),
    )
    told = told_of(found)
    assert [one["code"] for one in told["new"]] == ["340882101003", "340882106901"]
    assert [one["name"] for one in told["renamed"]] == ["源潭新镇"]
    assert [(one["former_code"], one["code"]) for one in told["renumbered"]] == [
        ("340882106200", "340882106203")
    ]
    assert [(one["code"], one["parent"]) for one in told["moved"]] == [
        ("340882106201", "340882101000")
    ]
    assert told["same"] == 1 and not told["refused"]
    assert [one["code"] for one in told["missing"]] == ["340882101002", "340882106000"]
    notes = {(one["code"], one["rule"]) for one in told["notes"]}
    assert ("340882106901", "division-own-code") in notes
    assert ("340882101003", "division-named-otherwise") in notes, "the register calls it 棋盘居委会"
    assert county.system.store.head() == head


@pytest.mark.parametrize(
    ("listed", "cell", "rule"),
    [
        (row(None, "某村"), "A2", "division-code-missing"),
        (row("34088210100", "某村"), "A2", "division-code-form"),
        (row("340882101009", None), "B2", "division-name-missing"),
        (row("340882101009", "某村", None, "五月"), "D2", "division-date-form"),
        (row("340882101009", "某村", None, "2026-13-01"), "D2", "division-date-form"),
        (row("340882101009", "某村", None, "2027-01-01"), "D2", "division-date-future"),
        (row("340882101009", "某村", None, "1990-01-01"), "D2", "division-before-parent"),
        (row("340882101777", "某村"), "A2", "division-code-part"),
        (row("340882999001", "某村"), "A2", "division-parent-unknown"),
        (row("340882101009", "某村", "340882101001"), "C2", "division-parent-wrong"),
        (row("340825100001", "东关居委会"), "A2", "division-outside"),
        (row("340825100009", "某村"), "A2", "division-outside"),
        (row("340882101009", "双峰居委会"), "B2", "division-name-living"),
        (row("340882101009", "某村", None, None, "340882101008"), "E2", "division-former-unknown"),
        (
            row("340882101001", "源潭居委会", None, None, "340882101002"),
            "E2",
            "division-both-living",
        ),
        (row("340882106000", "水吼镇", "340825"), "C2", "division-outside"),
        (row("340882101001", "改名", None, "2010-01-01"), "2", "changes-out-of-order"),
    ],
)
def test_what_is_wrong_is_told_with_its_cell(
    county: LivingCounty, tmp_path: Path, listed: Any, cell: str, rule: str
) -> None:
    found = compare(county, tmp_path, listed)
    assert rules(found) == [(cell, rule)] and not found.changed
    assert all(one.zh and one.en for line in found.refused for one in line.problems)


def test_a_code_twice_is_told_and_a_file_that_is_no_such_list_refused(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("代码,名称\n340882101009,甲\n340882101009,乙\n", encoding="gb18030")
    first, second = read_divisions(path, TODAY)
    assert not first.problems and [one.rule for one in second.problems] == ["division-twice"]
    path.write_text("代码,手机\n1,2\n", encoding="utf-8")
    with pytest.raises(FileRefused) as refused:
        read_divisions(path, TODAY)
    assert refused.value.code == "column-missing" and "名称" in refused.value.reason_zh


def test_two_rows_do_not_say_two_things_of_one_division(
    county: LivingCounty, tmp_path: Path
) -> None:
    """A code that stays in one row is not given up in another; a new division is not listed twice
    under two codes, as it is not a second time by a second list."""
    found = compare(
        county,
        tmp_path,
        row("340882101001", "源潭居委会"),
        row("340882101913", "源潭居委会", None, None, "340882101001"),
        row("340882101914", "双生村"),
        row("340882101915", "双生村"),
        row("340882106914", "双生村"),
    )
    assert rules(found) == [("E3", "division-twice"), ("B5", "division-name-twice")]
    assert [one.line.code for one in found.new] == ["340882101914", "340882106914"]
    assert found.same == 1 and not found.renumbered


def test_the_template_has_the_divisions_there_are_and_changes_nothing(
    county: LivingCounty, tmp_path: Path
) -> None:
    with county.system.reader() as db:
        known = DivisionTree(db, EVERYTHING).as_rows()
    path = tmp_path / "template.xlsx"
    path.write_bytes(template([one for one in known if one[0].startswith("340882")]))
    lines = read_divisions(path, TODAY)
    assert len(lines) == 7 and not any(line.problems for line in lines)
    with county.system.reader() as db:
        scope_of = by_code(db, "340882")
    assert scope_of is not None
    found = compare(county, tmp_path, *[list(one) for one in known if one[0][:6] == "340882"])
    assert not found.changed and not found.refused and not found.missing and found.same == 7


def test_a_run_does_it_once_and_a_second_finds_nothing_to_do(tmp_path: Path) -> None:
    """Everything at once: a township renumbered with its villages, a village under another
    township with all that hangs on it, a new township with a new village."""
    with living_county(tmp_path / "data") as county:
        admin = county.officers["admin"]
        rows = [
            row("340882110", "水吼镇", None, "2026-07-01", "340882106"),
            row("340882110200", "水吼新村", None, "2026-07-01", "340882106200"),
            row("340882101201", "横中村", None, "2026-08-01", "340882106201"),
            row("340882901", "开发区", "340882", "2026-08-02"),
            row("340882901001", "一社区"),
        ]
        found = compare(county, tmp_path, *rows)
        assert not found.refused
        done = brought_about(county.system, admin, found, DOCUMENT)
        assert (done["new"], done["renumbered"], done["moved"], done["renamed"]) == (2, 2, 1, 1)
        assert done["moved_posts"] == 1
        with county.system.reader() as db:
            tree = DivisionTree(db, EVERYTHING)
        moved = tree.living["340882101201"]
        assert tree.by_id[str(moved.parent)].name == "源潭镇"
        assert tree.living["340882110200"].name == "水吼新村"
        assert tree.living["340882110200"].former == ("340882106200",)
        assert tree.by_id[str(tree.living["340882901001"].parent)].name == "开发区"
        head = county.system.store.head()
        again = compare(county, tmp_path, *rows)
        assert not again.changed and again.same == 5 and not again.refused
        assert brought_about(county.system, admin, again, DOCUMENT)["new"] == 0
        assert county.system.store.head() == head


def test_a_run_that_was_broken_off_anywhere_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Broken off before each of its commits in turn, also between a village's move and what
    follows it; a child whose first day is before its new parent's begins after it all the same."""
    with living_county(tmp_path / "data") as county:
        admin, store = county.officers["admin"], county.system.store
        rows = [
            row("340882101201", "横中新村", None, "2026-08-01", "340882106201"),
            row("340882901001", "一社区", None, "2026-08-03"),
            row("340882901", "开发区", "340882", "2026-08-02"),
            row("340882101002", "双峰社区"),
        ]
        run, left = store.run, 0

        def broken(envelope: Any) -> Any:
            nonlocal left
            if left == 0:
                raise ConnectionError("broken off")
            left -= 1
            return run(envelope)

        monkeypatch.setattr(store, "run", broken)
        for _ in range(9):
            found = compare(county, tmp_path, *rows)
            assert not found.refused
            left = 1
            try:
                brought_about(county.system, admin, found, DOCUMENT)
            except ConnectionError:
                continue
            break
        monkeypatch.undo()
        found = compare(county, tmp_path, *rows)
        assert not found.changed and found.same == 4
        posts = county.system.officer(county.officers["village4"])
        assert posts is not None
        with county.system.reader() as db:
            moved = UUID(DivisionTree(db, EVERYTHING).living["340882101201"].id)
        assert moved in {one.area for one in posts.appointments.values()}
