"""`relief ledger totals` on the small demo: readable in a terminal of 80 columns."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.ledger_command import app, out
from tests.everything import copy_of_everything


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_of_everything(tmp_path_factory.mktemp("demo"))


def totals(data: Path, *more: str) -> Result:
    arguments = ["totals", "--county", "340882", "--season", "2017", *more]
    return CliRunner().invoke(app, arguments, env={"RELIEF_DATA": str(data)})


def test_the_totals_fit_eighty_columns_and_name_the_goods(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(out, "width", 80)
    with out.capture() as said:
        assert totals(data).exit_code == 0
    table = said.get()
    assert "棉被 · quilt" in table and "paid or signed" in table and "…" not in table


def test_programs_get_keys_and_fen(data: Path) -> None:
    found = json.loads(totals(data, "--json").stdout)
    assert found["granted"]["goods"]["quilt"] > 0 and found["granted"]["cash_fen"] > 0


def test_an_unknown_county_is_told(data: Path) -> None:
    result = CliRunner().invoke(
        app, ["totals", "--county", "999999", "--season", "2017"], env={"RELIEF_DATA": str(data)}
    )
    assert result.exit_code == 2
