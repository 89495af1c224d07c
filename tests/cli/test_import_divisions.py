"""`relief import divisions`: the differences, then the run; a second one has nothing to do."""

import io
from pathlib import Path

import pytest
import typer
from rich.console import Console

from cli.import_divisions import import_divisions, show_divisions
from tests.web.desk import living_county


def test_a_dry_run_does_nothing_and_the_run_does_it_once(tmp_path: Path) -> None:
    file = tmp_path / "区划.csv"
    rows = "340882101201,新立村\n340882101001,源潭社区\n34088,短\n"
    file.write_text("代码,名称\n" + rows, encoding="utf-8")
    with living_county(tmp_path / "data") as county:
        admin, store = county.officers["admin"], county.system.store
        head = store.head()
        dry = import_divisions(county.system, admin, file, "—", dry_run=True)
        assert store.head() == head and "done" not in dry
        assert [one["name"] for one in dry["new"]] == ["新立村"]
        assert [(one["sheet"], one["cell"], one["rule"]) for one in dry["refused"]] == [
            ("区划.csv", "A4", "division-code-form")
        ]
        done = import_divisions(county.system, admin, file, "民1号", dry_run=False)
        assert (done["done"]["new"], done["done"]["renamed"]) == (1, 1)
        head = store.head()
        again = import_divisions(county.system, admin, file, "民1号", dry_run=False)
        assert store.head() == head and again["same"] == 2
        shown = io.StringIO()
        show_divisions(Console(file=shown, width=200), done)
        for said in ("新设", "源潭社区", "名单中没有", "A4"):
            assert said in shown.getvalue()
        with pytest.raises(typer.Exit):
            import_divisions(county.system, county.officers["county"], file, "—", dry_run=True)
