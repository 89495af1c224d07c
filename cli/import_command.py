"""`relief import households FILE`: a real-life list into the log, with a result for every row."""

from pathlib import Path
from typing import Annotated, NoReturn
from uuid import UUID

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from sqlalchemy import Connection, select

from api.system import System
from cli.compose import running
from cli.intake.refused import FileRefused
from cli.intake.runner import Importer, Places, Report, plain_name
from cli.settings import Settings
from domain.refusal import NotFound
from domain.rulebook import Rulebook
from domain.rules.base import china_day
from domain.rules.household_kinds import HouseholdKinds
from projections.areas import AREAS, by_code
from projections.scope import Scope

app = typer.Typer(no_args_is_help=True, help="Lists from outside.")
out = Console()
err = Console(stderr=True)
SHOWN = 50


@app.callback()
def group() -> None:
    """Lists from outside."""


@app.command("households")
def households(
    file: Annotated[Path, typer.Argument(help="An .xlsx or .csv list")],
    login: Annotated[str, typer.Option("--as", help="Log-in of the officer who imports")],
    area: Annotated[str, typer.Option(help="Code of the division the list is about")],
    category: Annotated[str, typer.Option(help="Household kind where none is given")] = "ordinary",
    all_or_nothing: Annotated[
        bool, typer.Option("--all-or-nothing", help="Write nothing if one row is wrong")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The report as one JSON object")] = False,
) -> None:
    """Register the households of a list; rows that are wrong are named with cell and rule."""
    with running(Settings(), follow=False) as system:
        while system.follower.step():
            pass
        officer = system.accounts.officer_of(login)
        if officer is None:
            _end(f"没有登录名 {login}", f"There is no log-in {login}.")
        try:
            with system.reader() as db:
                report = _import(system, db, file, officer, area, category, all_or_nothing)
        except FileRefused as refused:
            _end(refused.reason_zh, refused.reason_en)
        if not as_json:
            with err.status("更新看板 · bringing the boards up to date"):
                while system.follower.step():
                    pass
    _show(report, as_json)
    if report.faults:
        raise typer.Exit(1 if all_or_nothing else 0)


def _end(zh: str, en: str) -> NoReturn:
    err.print(f"[red]{zh}[/red]\n{en}", highlight=False)
    raise typer.Exit(2)


def _import(
    system: System, db: Connection, file: Path, officer: UUID | None, area: str,
    category: str, all_or_nothing: bool,
) -> Report:  # fmt: skip
    root = by_code(db, area)
    if root is None:
        _end(f"没有区划代码 {area}", f"There is no division with code {area}.")
    places = _places(db, root)
    kinds = _kinds(system, root)
    today = china_day(system.store.clock.now())
    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        console=err,
    ) as bar:  # fmt: skip
        task = bar.add_task("读取名单 · reading", total=None)

        def progress(report: Report) -> None:
            bar.update(task, completed=report.rows)

        def importer() -> Importer:
            return Importer(
                system.store, officer, places, kinds, default_category=category, progress=progress
            )

        if all_or_nothing:
            checked = importer().check(file, today)
            if checked.faults:
                checked.registered = 0
                return checked
        return importer().run(file, today)


def _places(db: Connection, root: UUID) -> Places:
    query = select(AREAS.c.id, AREAS.c.code, AREAS.c.name).where(
        AREAS.c.level == "village",
        Scope((root,)).covers(AREAS.c.id),
        AREAS.c.abolished_on.is_(None),
    )
    by_name: dict[str, list[UUID]] = {}
    codes: dict[str, UUID] = {}
    for id, code, name in db.execute(query):
        codes[code] = UUID(id)
        by_name.setdefault(plain_name(name), []).append(UUID(id))
    return Places(codes, by_name, root if root in codes.values() else None)


def _kinds(system: System, root: UUID) -> HouseholdKinds:
    """The household kinds in force there now."""
    now = system.store.clock.now()
    for step in system.tree.lineage(root):
        book = system.store.load(Rulebook.id_of(step, HouseholdKinds.KIND))
        found = book.in_force(HouseholdKinds, now) if book is not None else None
        if found is not None:
            rule: HouseholdKinds = found.rule
            return rule
    raise NotFound(kind="Rulebook household_kinds", id=root)


def _show(report: Report, as_json: bool) -> None:
    if as_json:
        typer.echo(msgspec.json.encode(report).decode())
        return
    table = Table("结果 · result", "数 · count")
    for label, value in (
        ("行 · rows", report.rows),
        ("新登记户 · households registered", report.registered),
        ("已有户，未改动 · known, unchanged", report.known),
        ("登记人员 · members", report.members),
        ("一人多户，待上级裁定 · contested persons", report.contested),
        ("略过的行 · rows skipped", report.skipped),
        ("提示 · notes", report.notes),
        ("有问题 · faults", len(report.faults)),
    ):
        table.add_row(label, str(value))
    out.print(table)
    for fault in report.faults[:SHOWN]:
        out.print(f"{fault.cell}  {fault.value}  {fault.zh} · {fault.en}", highlight=False)
    if len(report.faults) > SHOWN:
        out.print(f"… 另有 {len(report.faults) - SHOWN} 处，用 --json 查看 · more with --json")
