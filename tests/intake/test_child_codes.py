"""Codes of townships and villages by a former code of their county: one rule, wherever typed."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Connection
from typer.testing import CliRunner

from cli.areas_command import app as merging
from cli.divisions import division, err
from cli.ledger_command import app as ledger
from domain.commands.areas import ChangeAreaCodes, CodeChange, Merge, RearrangeVillages
from domain.world import Command
from intake.columns import Column
from intake.division_changes import DivisionTree, compared
from intake.divisions import DivisionLine, fill
from intake.officers import Divisions, OfficerLine
from intake.register import Register
from projections.areas import by_code
from projections.asking.area_lists import areas
from projections.asking.child_codes import Meant, OldCounties, meant
from projections.asking.scope import EVERYTHING
from tests.eventstore.support import named
from tests.intake.make import household, workbook
from tests.intake.test_import_command import answer, relief
from tests.intake.test_officers import read, row, rules
from tests.intake.test_old_codes import CODED, decree
from tests.intake.town import County, county, make_county
from web.places import places

TODAY = date(2026, 11, 29)
NOTE = "潜山市的代码由 340824 改为 340882，340824101001 按 340882101001 源潭居委会 理解"
NOTE_EN = (
    "The code of 潜山市 changed from 340824 to 340882: 340824101001 is taken as "
    "340882101001 源潭居委会."
)


def codes(day: int, **changed: str) -> ChangeAreaCodes:
    changes = tuple(CodeChange(area=named(area), code=code) for area, code in changed.items())
    on = date(2024, 1, day)
    return ChangeAreaCodes(changes=changes, effective_on=on, document_no=f"民函〔2024〕{day}号")


MERGED = RearrangeVillages(
    merges=(Merge(area=named("yuantan_2"), into=named("yuantan_1")),),
    effective_on=date(2024, 1, 5),
    document_no="民函〔2024〕5号",
)
TWO_COUNTIES = (codes(1, foreign_county="340824"), codes(2, foreign_county="340826"))
"""340824 was 潜山市's, as the nation knows it, and 太湖县's for a day, as the store recorded."""
TWO_VILLAGES = (codes(1, yuantan_1="340882101009"), codes(2, yuantan_2="340882101001"))
"""The ending 101001 was 源潭居委会's and is 双峰居委会's."""


@contextmanager
def after(folder: Path, *commands: Command) -> Iterator[Connection]:
    with county(decree(make_county(folder), *commands)) as town:
        while town.system.boards.step():
            pass
        with town.system.reader() as db:
            yield db


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[County]:
    folder = tmp_path_factory.mktemp("codes") / "county"
    make_county(folder)
    with county(folder) as one:
        while one.system.boards.step():
            pass
        yield one


def both(db: Connection, typed: str, on: date | None = None) -> Meant | None:
    """By a question of one code, and by what a list reads once: never two answers."""
    found = meant(db, typed, on)
    assert OldCounties.of(db).meant(typed, on) == found
    return found


def test_a_child_of_a_renumbered_county_is_understood_and_said(town: County) -> None:
    with town.system.reader() as db:
        found = both(db, "340824101001")
        assert found is not None and found.one is not None
        assert (found.one.code, found.zh, found.en) == ("340882101001", NOTE, NOTE_EN)
        for typed in ("340824101", "340824101000", "342824101"):  # 342824: until 1996
            found = both(db, typed)
            assert found is not None and found.one is not None
            assert found.one.told == "340882101000 源潭镇"


def test_what_is_no_such_code_is_not_concluded(town: County) -> None:
    with town.system.reader() as db:
        for typed in (
            "340882101001",  # a division's own
            "340824000000",  # the county itself
            "340824",
            "340824199001",  # nothing has that ending
            "340825101001",  # its county part is in use: it means that county
            "340899101001",  # nobody's
            "34082410100a",
            "",
        ):
            assert both(db, typed) is None, typed


def test_a_merged_village_means_what_it_was_merged_into_and_on_a_day_itself(
    tmp_path: Path,
) -> None:
    with after(tmp_path / "var", MERGED) as db:
        now = both(db, "340824101002")
        assert now is not None and now.one is not None
        assert now.one.code == "340882101001" and "（双峰居委会已并入）" in now.zh
        then = both(db, "340824101002", date(2024, 1, 4))
        assert then is not None and then.one is not None and then.one.code == "340882101002"
        assert both(db, "340824101002", date(2024, 1, 5)) is None
        (row,) = areas(db, EVERYTHING, q="340824101002", on=date(2024, 1, 4)).items
        assert row["name"] == "双峰居委会" and row["understood"]["certain"]


def test_two_counties_that_had_the_code_are_named_and_neither_is_taken(tmp_path: Path) -> None:
    with after(tmp_path / "var", *TWO_COUNTIES) as db:
        found = both(db, "340824101001")
        assert found is not None and found.one is None
        for said in (found.zh, found.en):
            assert all(one in said for one in ("源潭居委会", "340826 太湖县", "340882 潜山市"))


def test_two_villages_of_that_ending_are_named_and_neither_is_taken(tmp_path: Path) -> None:
    with after(tmp_path / "var", *TWO_VILLAGES) as db:
        found = both(db, "340824101001")
        assert found is not None and found.one is None
        assert "340882101001 双峰居委会、340882101009 源潭居委会" in found.zh
        shown = areas(db, EVERYTHING, q="340824101001").items
        assert [(it["name"], it["understood"]["certain"]) for it in shown] == [
            ("双峰居委会", False),
            ("源潭居委会", False),
        ]
        line = officers_line(tmp_path, Divisions(db, EVERYTHING), "340824101001")
        assert rules(line) == [("D2", "place-old-county")] and line.area is None
        assert "可能指几个区划" in line.problems[0].zh


def test_the_terminal_says_how_it_took_a_code(
    town: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(err, "width", 300)
    with town.system.reader() as db, err.capture() as said:
        assert division(town.store, db, "340824101001") == by_code(db, "340882101001")
    assert NOTE in said.get() and NOTE_EN in said.get()


def test_totals_take_such_a_code_and_a_merger_only_names_it(tmp_path: Path) -> None:
    data = make_county(tmp_path / "var")
    run = CliRunner().invoke
    with_data = {"RELIEF_DATA": str(data), "COLUMNS": "300"}
    args = ["totals", "--season", "2023", "--json", "--county"]
    found = run(ledger, [*args, "340824101"], env=with_data)
    assert found.exit_code == 0 and "源潭镇" in found.stderr
    assert json.loads(found.stdout)["granted"]["households"] == 0
    merge = ["merge", "--from", "340882101002", "--into", "340824101001", "--document-no", "民1号"]
    found = run(merging, [*merge, "--preview"], env=with_data)
    assert found.exit_code == 1 and f"{NOTE}；并入须填现用代码" in found.stderr
    decree(data, *TWO_COUNTIES)
    found = run(ledger, [*args, "340824101"], env=with_data)
    assert found.exit_code == 2 and "太湖县" in found.stderr


def test_lists_of_households_note_it_and_ask_where_the_row_names_another_village(
    tmp_path: Path,
) -> None:
    data = make_county(tmp_path / "var")
    rows = [
        household(1, c1="340824101001"),
        household(2, c1="340824101"),
        household(3, c1="340824199001"),
    ]
    said = answer(relief(data, workbook(tmp_path / "a.xlsx", [CODED, *rows]), "--json"))
    first, *others = said["results"]
    assert first["outcome"] == "registered"
    (note,) = first["notes"]
    assert note["rule"] == "village-old-county"
    assert (note["zh"], note["en"]) == (f"旧代码：{NOTE}", f"Former code: {NOTE_EN}")
    assert [one["outcome"] for one in others] == ["refused", "refused"], "a township, and none"

    named_too = (*CODED, "村")
    rows = [
        [*household(4, c1="340824101001"), "源潭居委会"],
        [*household(5, c1="340824101001"), "双峰居委会"],
    ]
    said = answer(relief(data, workbook(tmp_path / "b.xlsx", [named_too, *rows]), "--json"))
    right, wrong = said["results"]
    assert (right["outcome"], wrong["outcome"]) == ("registered", "refused")
    assert "此行的村名是双峰居委会" in wrong["problems"][0]["zh"]


def test_a_list_of_households_names_who_could_be_meant(tmp_path: Path) -> None:
    data = decree(make_county(tmp_path / "var"), *TWO_VILLAGES)
    path = workbook(tmp_path / "a.xlsx", [CODED, household(1, c1="340824101001")])
    (one,) = answer(relief(data, path, "--json"))["results"]
    assert one["outcome"] == "refused"
    assert "双峰居委会、340882101009 源潭居委会" in one["problems"][0]["zh"]


def officers_line(path: Path, divisions: Divisions, code: str, name: str = "") -> OfficerLine:
    (line,) = read(path, divisions, [row(code=code, place=name or None)])
    return line


def test_lists_of_officers_note_it(town: County, tmp_path: Path) -> None:
    with town.system.reader() as db:
        divisions = Divisions(db, EVERYTHING)
        line = officers_line(tmp_path, divisions, "340824101001", "源潭居委会")
        assert not line.problems and line.area == by_code(db, "340882101001")
        assert [(one.rule, one.zh) for one in line.notes] == [
            ("place-old-county", f"旧代码：{NOTE}")
        ]
        line = officers_line(tmp_path, divisions, "340824101001", "双峰居委会")
        assert rules(line) == [("E2", "place-differs")]


def listed(db: Connection, **said: str) -> DivisionLine:
    line = DivisionLine("", 1)
    texts: dict[Column, str | None] = {Column(key): text for key, text in said.items()}
    fill(line, texts, TODAY)
    compared([line], DivisionTree(db, EVERYTHING), Register(), TODAY)
    return line


def test_lists_of_divisions_refer_by_it_and_give_nobody_such_a_code(town: County) -> None:
    code, name, parent, former = (
        one.value
        for one in (Column.VILLAGE_CODE, Column.VILLAGE, Column.PARENT_CODE, Column.FORMER_CODE)
    )
    with town.system.reader() as db:
        own = listed(db, **{code: "340824101001", name: "源潭居委会"})
        assert [one.rule for one in own.problems] == ["division-code-old-county"]
        assert "340882101001 源潭居委会" in own.problems[0].zh
        under = listed(db, **{code: "340882101901", name: "新村", parent: "340824101"})
        assert not under.problems and under.parent == "340882101000"
        assert "division-old-county" in [one.rule for one in under.notes]
        before = {code: "340882101011", name: "源潭居委会", former: "340824101001"}
        instead = listed(db, **before)
        assert not instead.problems and instead.former == "340882101001"
        assert "division-old-county" in [one.rule for one in instead.notes]


def test_searches_find_it_and_say_so(town: County) -> None:
    with town.system.reader() as db:
        (found,) = areas(db, EVERYTHING, q="340824101001").items
        told = {"code": "340824101001", "certain": True, "zh": NOTE, "en": NOTE_EN}
        assert (found["code"], found["understood"]) == ("340882101001", told)
        (place,) = places(db, EVERYTHING, "340824101001")
        assert place.code == "340882101001"
        assert place.understood is not None and place.understood.zh == NOTE
        assert [one["understood"] for one in areas(db, EVERYTHING, q="340882101001").items] == [
            None
        ]
