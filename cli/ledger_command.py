"""`relief ledger totals`: what a county's season granted, and what arrived.

``--json`` answers one object: county, season, position, and for each of granted and paid_or_signed
households, persons, cash_fen and goods (item → units).
"""

from typing import Annotated, Any
from uuid import UUID

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from api.system import AreaTree
from cli.beside import settings_here
from cli.compose import running
from cli.divisions import division
from domain.rulebook import Rulebook
from domain.rules.items import Items
from eventstore.store import Store
from projections.asking.ledger_sums import ledger_totals
from projections.asking.scope import EVERYTHING

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
    with running(settings_here(), follow=False, make=False) as system:
        while system.boards.step():
            pass
        position = system.boards.position
        with system.reader() as db:
            area = division(system.store, db, county)
            training = system.store.training
            found = (
                ledger_totals(db, EVERYTHING, county=area, year=season, exercise=training)
                if area
                else None
            )
            if area is None or found is None:
                err.print(f"没有代码为 {county} 的区划 · no area has the code {county}")
                raise typer.Exit(2)
        names = _names(system.store, area, system.tree)
    report: dict[str, Any] = {"county": county, "season": season, "position": position}
    report |= {side: {name: found[side][name] for name in FIGURES} for side in SIDES}
    if as_json:
        typer.echo(msgspec.json.encode(report).decode())
    else:
        out.print(_table(report, names))


def _names(store: Store, area: UUID, tree: AreaTree) -> dict[str, str]:
    """Item key → 棉被 · quilt, by the rulebook in force in the county or above it."""
    now = store.clock.now()
    for step in tree.lineage(area):
        book: Rulebook | None = store.load(Rulebook.id_of(step, Items.KIND))
        found = book.in_force(Items, now) if book is not None else None
        if found is not None:
            return {item.key: f"{item.zh} · {item.en}" for item in found.rule.items}
    return {}


def _table(report: dict[str, Any], names: dict[str, str]) -> Table:
    """A line a figure and a column a side: fits 80 columns whatever a county gives out."""
    title = f"{report['county']} · {report['season']}–{report['season'] + 1} 冬春救助"
    table = Table(title=title, caption=f"position {report['position']}")
    table.add_column("", overflow="fold")
    for words in ("核定\ngranted", "已发放签领\npaid or signed"):
        table.add_column(words, justify="right", no_wrap=True)
    sides = [report[side] for side in SIDES]
    table.add_row("户 · households", *[f"{one['households']:,}" for one in sides])
    table.add_row("人 · persons", *[f"{one['persons']:,}" for one in sides])
    table.add_row("元 · yuan", *[_yuan(one["cash_fen"]) for one in sides])
    for item in sorted({item for one in sides for item in one["goods"]}):
        units = [f"{one['goods'].get(item, 0):,}" for one in sides]
        table.add_row(names.get(item, item), *units)
    return table


def _yuan(fen: int) -> str:
    return f"{fen // 100:,}.{fen % 100:02d}"
