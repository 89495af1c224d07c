"""`relief ledger totals`: what a county's season granted, and what arrived.

``--json`` answers one object: county, season, position, and for each of granted and paid_or_signed
households, persons, cash_fen and goods (item → units).
"""

from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from cli.compose import running
from cli.settings import Settings
from projections.areas import by_code
from projections.ledger_books import ledger_totals
from projections.scope import EVERYTHING

app = typer.Typer(no_args_is_help=True, help="The ledger of a relief season.")
out = Console()
err = Console(stderr=True)

SIDES = ("granted", "paid_or_signed")
FIGURES = ("households", "persons", "cash_fen", "goods")


@app.callback()
def ledger() -> None:
    """The ledger of a relief season 救助台账."""


@app.command()
def totals(
    county: Annotated[str, typer.Option(help="Code of the county, e.g. 340882")],
    season: Annotated[int, typer.Option(help="Year the need arose in: winter 2017–18 is 2017")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Totals of a county's cold season: granted, and paid or signed for."""
    with running(Settings(), follow=False) as system:
        while system.follower.step():
            pass
        position = system.follower.position
        with system.reader() as db:
            area = by_code(db, county)
            found = ledger_totals(db, EVERYTHING, county=area, year=season) if area else None
            if found is None:
                err.print(f"没有代码为 {county} 的区划 · no area has the code {county}")
                raise typer.Exit(2)
    report: dict[str, Any] = {"county": county, "season": season, "position": position}
    report |= {side: {name: found[side][name] for name in FIGURES} for side in SIDES}
    if as_json:
        typer.echo(msgspec.json.encode(report).decode())
    else:
        out.print(_table(report))


def _table(report: dict[str, Any]) -> Table:
    title = f"{report['county']} · {report['season']}–{report['season'] + 1} 冬春救助"
    table = Table(
        "", "户 households", "人 persons", "元 yuan", "物资 goods", title=title,
        caption=f"position {report['position']}",
    )  # fmt: skip
    for side, words in zip(SIDES, ("核定 granted", "已发放签领 paid or signed"), strict=True):
        one = report[side]
        goods = ", ".join(f"{item} {units:,}" for item, units in one["goods"].items()) or "—"
        yuan = f"{one['cash_fen'] // 100:,}.{one['cash_fen'] % 100:02d}"
        table.add_row(words, f"{one['households']:,}", f"{one['persons']:,}", yuan, goods)
    return table
