"""`relief import officers`: every row checked, then engaged, each with a code."""

from pathlib import Path
from typing import Any

import pytest
import typer

from cli.import_officers import import_officers
from intake.officers import HEADINGS
from tests.id_numbers import id_number
from tests.intake.make import workbook
from tests.web.desk import living_county


def line(name: str, number: int, role: str = "库管员") -> list[Any]:
    return [name, None, role, "340882101001", None, None, id_number(number), None, None]


def test_a_dry_run_does_nothing_and_the_run_engages_the_good_rows(tmp_path: Path) -> None:
    file = workbook(
        tmp_path / "officers.xlsx",
        [list(HEADINGS.values()), line("韩一", 1), line("杨二", 2, role="县级审定员")],
    )
    with living_county(tmp_path / "data") as county:
        admin, head = county.officers["admin"], county.system.store.head()
        dry = import_officers(county.system, admin, file, dry_run=True)
        assert county.system.store.head() == head
        assert dry["valid"] == [{"place": 2, "login": "hanyi"}]
        assert [(one["place"], one["rule"]) for one in dry["refused"]] == [(3, "role-does-not-fit")]
        done = import_officers(county.system, admin, file, dry_run=False)
        assert [one["login"] for one in done["invitations"]] == ["hanyi"]
        assert len(done["refused"]) == 1 and county.system.store.head() > head
        with pytest.raises(typer.Exit):
            import_officers(county.system, county.officers["county"], file, dry_run=True)
