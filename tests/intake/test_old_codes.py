"""Codes of divisions: 6, 9 and 12 digits, and the codes that a renumbered county had before."""

import json
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from cli.ledger_command import app as ledger
from domain.commands.areas import ChangeAreaCodes, CodeChange, Merge, RearrangeVillages
from domain.world import Command
from eventstore.outcomes import Envelope
from tests.eventstore.support import named
from tests.intake.make import HEADER, household, workbook
from tests.intake.test_import_command import answer, relief
from tests.intake.town import county, make_county

CODED = (*HEADER[:1], "行政村代码", *HEADER[2:])


def decree(data: Path, *commands: Command) -> Path:
    with county(data) as town:
        for command in commands:
            town.store.run(Envelope(id=uuid4(), officer=None, command=command))
    return data


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The county after it was renumbered with all below it, and two villages were merged."""
    codes = (
        ("county", "340899"),
        ("yuantan", "340899101000"),
        ("yuantan_1", "340899101001"),
        ("yuantan_2", "340899101002"),
    )
    changes = tuple(CodeChange(area=named(area), code=code) for area, code in codes)
    return decree(
        make_county(tmp_path / "var"),
        ChangeAreaCodes(
            changes=changes, effective_on=date(2024, 1, 1), document_no="民函〔2024〕1号"
        ),
        RearrangeVillages(
            merges=(Merge(area=named("yuantan_2"), into=named("yuantan_1")),),
            effective_on=date(2024, 1, 5),
            document_no="民函〔2024〕2号",
        ),
    )


def rows(tmp_path: Path, *codes: str) -> Path:
    found: list[Any] = [household(n, c1=code) for n, code in enumerate(codes, 1)]
    return workbook(tmp_path / "a.xlsx", [CODED, *found])


@pytest.mark.parametrize("area", ["340899", "340899101", "340899101000", "340899000000"])
def test_a6_an_area_is_given_by_6_9_or_12_digits(data: Path, tmp_path: Path, area: str) -> None:
    said = answer(relief(data, rows(tmp_path, "340899101001"), "--json", area=area))
    assert (said["registered"], said["notes"]) == (1, 0)


@pytest.mark.parametrize("area", ["340882", "340882101", "340882101000"])
def test_a6_an_old_code_of_an_area_is_understood_and_said(
    data: Path, tmp_path: Path, area: str
) -> None:
    result = relief(data, rows(tmp_path, "340899101001"), "--json", area=area)
    assert answer(result)["registered"] == 1
    assert f"区划代码 {area} 自 2024-01-01 起已停用" in " ".join(result.stderr.split())


@pytest.mark.parametrize("code", ["340899", "340882"])
def test_a6_totals_of_a_county_by_its_old_code(data: Path, code: str) -> None:
    args = ["totals", "--county", code, "--season", "2023", "--json"]
    result = CliRunner().invoke(ledger, args, env={"RELIEF_DATA": str(data)})
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["granted"]["households"] == 0


def test_a6_old_codes_in_a_list_are_understood_and_noted(data: Path, tmp_path: Path) -> None:
    path = rows(tmp_path, "340882101001", "340882101002", "340882999999")
    said = answer(relief(data, path, "--json", area="340899"))
    first, second, third = said["results"]
    assert (first["outcome"], second["outcome"], third["outcome"]) == (
        "registered",
        "registered",
        "refused",
    )
    for row, since in ((first, "2024-01-01"), (second, "2024-01-01")):
        (note,) = row["notes"]
        assert note["rule"] == "village-renumbered"
        assert since in note["zh"] and "340899101001" in note["zh"]
