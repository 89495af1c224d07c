"""`relief import households FILE`: a real-life list into the log, with a result for every row."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated
from uuid import UUID

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from sqlalchemy import Connection

from api.system import System
from cli.beside import settings_here
from cli.compose import running
from cli.divisions import required
from cli.import_divisions import import_divisions, show_divisions
from cli.import_officers import import_officers, show_officers
from cli.saying import failed
from domain.rules.base import china_day
from intake.known_places import kinds_in_force, places_below
from intake.refused import FileRefused
from intake.results import CsvReport, Report, RowReport, Spool
from intake.rows import HiddenRows
from intake.runner import Importer
from projections.asking.scope import Scope

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
    area: Annotated[
        str, typer.Option(help="Code of the division the list is about: 6, 9 or 12 digits")
    ],
    category: Annotated[str, typer.Option(help="Household kind where none is given")] = "ordinary",
    all_or_nothing: Annotated[
        bool, typer.Option("--all-or-nothing", help="Write nothing if one row is wrong")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Figures and a result a row")] = False,
    ignore_columns: Annotated[
        bool,
        typer.Option(
            "--ignore-columns",
            help="Import although columns that look like codes, ID numbers or figures of people "
            "are not imported",
        ),
    ] = False,
    hidden_rows: Annotated[
        HiddenRows,
        typer.Option(help="Rows that a sheet hides: refuse them (ask), import or leave them"),
    ] = HiddenRows.ASK,
    report: Annotated[Path | None, typer.Option(help="A CSV with a result for every row")] = None,
) -> None:
    """Register the households of a list; rows that are wrong are named with cell and rule.

    Stopped half-way, it goes on when it is repeated: what is registered already is left alone,
    but for members who are missing there: they are added. Other differences are told.
    """
    with ExitStack() as stack:
        system = stack.enter_context(running(settings_here(), follow=False, make=False))
        _fold(system)
        officer = system.accounts.officer_of(login)
        if officer is None:
            raise failed(f"没有登录名 {login}", f"There is no log-in {login}.", code=2)
        sinks: list[Spool | CsvReport] = []
        if as_json:
            sinks.append(stack.enter_context(Spool()))
        if report is not None:
            sinks.append(_csv(stack, report))
        with system.reader() as db:
            task = _Task(system, db, officer, area, category, sinks)
        task.ignore_columns = ignore_columns
        task.hidden_rows = hidden_rows
        done = _carry_out(task, file, all_or_nothing)
        with err.status("更新看板 · bringing the boards up to date"):
            _fold(system)
        if as_json:
            assert isinstance(sinks[0], Spool)
            _print_json(done, sinks[0])
        else:
            _show(done)
    if done.fault_count and all_or_nothing:
        raise typer.Exit(1)


@app.command("officers")
def officers(
    file: Annotated[Path, typer.Argument(help="An .xlsx or .csv list, as the template has it")],
    login: Annotated[str, typer.Option("--as", help="Log-in of the administrator who engages")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check every row, do nothing")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One object")] = False,
) -> None:
    """Engage the officers of a list; each is told with the code of an invitation, this once.

    Rows that are wrong are named with cell and rule, and left out: exit 1.
    """
    with running(settings_here(), follow=False, make=False) as system:
        _fold(system)
        officer = system.accounts.officer_of(login)
        if officer is None:
            raise failed(f"没有登录名 {login}", f"There is no log-in {login}.", code=2)
        told = import_officers(system, officer, file, dry_run=dry_run)
        _fold(system)
    if as_json:
        out.file.write(msgspec.json.encode(told, enc_hook=str).decode() + "\n")
    else:
        show_officers(out, told)
    if told["refused"]:
        raise typer.Exit(1)


@app.command("divisions")
def divisions(
    file: Annotated[Path, typer.Argument(help="An .xlsx or .csv list, as the template has it")],
    login: Annotated[str, typer.Option("--as", help="Log-in of the administrator who keeps them")],
    document_no: Annotated[
        str, typer.Option(help="Document 文号 of the changes; not needed to look at them")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell the differences only")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One object")] = False,
) -> None:
    """Bring divisions about as a list has them; what it leaves out stays as it is.

    Stopped half-way, it goes on when it is repeated. Rows that are wrong are named with cell and
    rule, and left out: exit 1.
    """
    if not dry_run and not document_no.strip():
        zh, en = "请用 --document-no 写明文号", "Name the document with --document-no."
        raise failed(zh, en, code=2)
    with running(settings_here(), make=False) as system:
        officer = system.accounts.officer_of(login)
        if officer is None:
            raise failed(f"没有登录名 {login}", f"There is no log-in {login}.", code=2)
        told = import_divisions(system, officer, file, document_no or "—", dry_run=dry_run)
    if as_json:
        out.file.write(msgspec.json.encode(told, enc_hook=str).decode() + "\n")
    else:
        show_divisions(out, told)
    if told["refused"]:
        raise typer.Exit(1)


def _fold(system: System) -> None:
    while system.boards.step():
        pass


def _csv(stack: ExitStack, path: Path) -> CsvReport:
    try:
        return stack.enter_context(CsvReport(path))
    except OSError as problem:
        raise failed(
            f"无法写入 {path}", f"{path} cannot be written: {problem.strerror}", code=2
        ) from None


class _Task:
    """What an import needs beside its file: who, where, which rules, where results go."""

    def __init__(
        self,
        system: System,
        db: Connection,
        officer: UUID,
        area: str,
        category: str,
        sinks: Sequence[Spool | CsvReport],
    ) -> None:
        root = required(system.store, db, area)
        self.system = system
        self.officer = officer
        self.places = places_below(system.store, db, Scope((root,)), root)
        self.kinds = kinds_in_force(system.store, system.tree.lineage(root))
        self.sinks = sinks
        self.ignore_columns = False
        self.hidden_rows = HiddenRows.ASK
        kind = self.kinds.by_name(category)
        if kind is None:
            known = "、".join(f"{one.key} {one.zh}" for one in self.kinds.kinds)
            raise failed(
                f"没有家庭类型 {category}：{known}",
                f"There is no household kind {category}.",
                code=2,
            )
        self.category = kind.key

    def importer(self, bar: Progress) -> Importer:
        """A run over the file; results of an earlier one are forgotten."""
        for sink in self.sinks:
            sink.clear()
        task = bar.add_task("读取名单 · reading", total=None)

        def progress(report: Report) -> None:
            bar.update(task, completed=report.rows)

        def tell(row: RowReport) -> None:
            for sink in self.sinks:
                sink(row)

        return Importer(
            self.system.store,
            self.officer,
            self.places,
            self.kinds,
            default_category=self.category,
            progress=progress,
            sink=tell,
            ignore_columns=self.ignore_columns,
            hidden_rows=self.hidden_rows,
        )


def _carry_out(task: _Task, file: Path, all_or_nothing: bool) -> Report:
    today = china_day(task.system.store.clock.now())
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=err) as bar:
        importer = task.importer(bar)
        try:
            if all_or_nothing:
                checked = importer.check(file, today)
                if checked.fault_count:
                    return checked
                importer = task.importer(bar)
            return importer.run(file, today)
        except FileRefused as refused:
            bar.stop()
            kept = importer.report.registered
            if kept:
                err.print(f"此前已登记 {kept} 户 · {kept} households were registered before this")
            raise failed(refused.reason_zh, refused.reason_en, code=2) from None


def _print_json(report: Report, results: Spool) -> None:
    """One object: the figures, then ``results`` with one object a row; never all in memory."""
    figures = msgspec.json.encode(report).decode()
    out.file.write(figures[:-1] + ',"results":[')
    for number, line in enumerate(results.lines()):
        out.file.write(",\n" + line if number else "\n" + line)
    out.file.write("\n]}\n")


def _show(report: Report) -> None:
    table = Table("结果 · result", "数 · count")
    for label, value in (
        ("行 · rows", report.rows),
        ("新登记户 · households registered", report.registered),
        ("已有户，未改动 · known, unchanged", report.known),
        ("已有户，补登成员 · known, members added", report.completed),
        ("可登记，未写入 · valid, not written", report.valid),
        ("登记人员 · members", report.members),
        ("一人多户，待上级裁定 · contested persons", report.contested),
        ("略过的行 · rows skipped", report.skipped),
        ("未导入的行 · rows refused", report.refused),
        ("隐藏的行 · hidden rows", report.hidden_rows),
        ("提示 · notes", report.notes),
        ("有问题 · faults", report.fault_count),
    ):
        table.add_row(label, str(value))
    out.print(table)
    for said, names in (
        ("未导入的列 · columns not imported", report.unused_columns),
        ("未读取的工作表 · sheets not read", report.skipped_sheets),
        ("隐藏的列，已读取 · hidden columns, read", report.hidden_columns),
        ("按工作表名或标题定的村 · village by sheet or title", report.sheet_villages),
        (
            "未能查全隐藏行、公式和错误值的工作表 · "
            "sheets not searched to the end for hidden rows, formulas and errors",
            report.unmarked_sheets,
        ),
    ):
        if names:
            out.print(f"{said}: {'、'.join(names)}", highlight=False, markup=False)
    for fault in (*report.faults[:SHOWN], *report.differences[:SHOWN]):
        place = f"{fault.sheet}!{fault.cell}"
        out.print(place, fault.value, fault.zh, fault.en, highlight=False, markup=False)
    if report.fault_count > SHOWN:
        rest = report.fault_count - SHOWN
        out.print(f"… 另有 {rest} 处，用 --report 查看 · {rest} more, see --report")
