"""`relief backup`, `restore` and `doctor`: keeping the ledger's files safe and whole."""

import getpass
from contextlib import closing
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from api.checkup import Finding, Level
from cli.beside import TRIAL, settings_here
from cli.compose import open_store
from cli.copy_command import cluster_of
from cli.doctor import examine
from cli.doctor_cluster import examine_cluster
from cli.drilling import drill
from cli.repairing import Repair
from cli.repairing import repair as made_again
from cli.saying import Json, failed
from cli.settings import Settings
from domain.store import Cause
from eventstore import backup as files
from eventstore.backups_known import BACKED_UP, TRIED, Made, Tried, note, size_of
from eventstore.clock import machine_now
from eventstore.copying import Place, copy
from eventstore.lineage import begin_epoch
from eventstore.modes import private_folder

out = Console()


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command()(backup)
    app.command()(restore)
    app.command()(doctor)


def backup(
    target: Annotated[Path, typer.Argument(help="A new folder for the backup")],
    as_json: Json = False,
) -> None:
    """Copy log and vault, together; proven by count and hash.

    Of a data folder also while the server runs. Of PostgreSQL when nothing writes: a running
    cluster is backed up by PostgreSQL's own means (docs/operations.md).
    """
    settings = settings_here()
    _refuse_empty(settings)
    try:
        if settings.database_url is None:
            made = files.backup(settings.data, target)
        else:
            made = _from_cluster(settings, target)
    except FileExistsError as problem:
        raise failed(f"{target} 中已有备份，请另选目录", str(problem)) from None
    done = Made(machine_now(), made.head, size_of(target), target.name)
    _note(settings, BACKED_UP, done)
    _tell(made, as_json, f"已备份到 {target}", f"backed up to {target}")


def restore(
    source: Annotated[Path, typer.Argument(help="The folder of a backup")],
    as_json: Json = False,
    only_drill: Annotated[
        bool,
        typer.Option("--drill", help="Restore into a throw-away place, look at all of it, say so"),
    ] = False,
) -> None:
    """Put a backup into the empty data folder (RELIEF_DATA), or into the empty database that
    RELIEF_DATABASE_URL names, after proving it whole.

    --drill touches neither: it restores into a temporary folder (TMPDIR; with RELIEF_ADMIN_URL
    into a database of its own), decodes every fact, opens every key, folds and compares the views,
    compares the facts with the ledger here, throws it all away; exit 1 when something is wrong.
    """
    if only_drill:
        _drill(source, as_json)
        return
    settings = Settings()
    data = settings.data
    if settings.database_url is not None:
        found = files.proven(source)
        copy(Place.folder(source), cluster_of(settings))
        _next_epoch(settings)
        _tell(found, as_json, "已恢复到数据库", "restored into the database")
        return
    if (data / TRIAL).exists():  # beside it this ledger would lie hidden, or hide the trial
        raise failed(
            f"{data} 中有试用集群，请恢复到空目录",
            f"{data} holds a trial cluster; restore into an empty folder",
        )
    try:
        found = files.restore(source, data)
    except FileExistsError as problem:
        raise failed(f"{data} 中已有账本，请恢复到空目录", str(problem)) from None
    _next_epoch(settings)
    _tell(found, as_json, f"已恢复到 {data}，看板将在启动时重建", f"restored into {data}")


BESIDE = {
    "none": ("本机没有账本可比对", "There is no ledger here to compare it with."),
    "same": ("与现有账本的相同部分一致", "It is the beginning of the ledger here."),
    "ahead": ("比现有账本更新", "The ledger here is behind it."),
    "other": ("属于另一本账", "It is of another ledger than the one here."),
    "differs": ("与现有账本不一致", "It differs from the ledger here."),
}


OURS = ("same", "ahead", "differs")
"""Of the ledger here: then it is noted that somebody tried."""


def _drill(source: Path, as_json: bool) -> None:
    settings = settings_here()
    done = drill(source, settings)
    if done.beside in OURS:
        _note(settings, TRIED, Tried(machine_now(), done.ok, done.facts, source.name))
    if as_json:
        told = msgspec.to_builtins(done)
        typer.echo(msgspec.json.encode({"ok": done.ok, **told}).decode())
    else:
        out.print(
            f"{done.facts} 条记录 · facts, {done.keys} 把密钥 · keys, {done.rows} 行看板 · rows of"
            f" views, {done.seconds} s, {done.place}",
            highlight=False,
        )
        out.print(" · ".join(BESIDE[done.beside]), highlight=False)
        if done.unlike:
            names = ", ".join(done.unlike)
            out.print(f"[red]看板不一致 · views differ: {names}[/red]", highlight=False)
        if done.unreadable:
            out.print(
                f"[red]{done.unreadable} 人的信息没有密钥，无法读取 · persons whose key is"
                " missing[/red]",
                highlight=False,
            )
        verdict = "演练通过，可以恢复 · the drill went well"
        out.print(verdict if done.ok else "[red]演练未通过 · the drill failed[/red]")
    if not done.ok:
        raise typer.Exit(1)


def doctor(
    as_json: Json = False,
    repair: Annotated[
        Repair | None, typer.Option(help="Make this again from the log, then check")
    ] = None,
) -> None:
    """Check files or database, schema, key, counts, views, disk and versions; exit 1 on a
    problem."""
    settings = settings_here()
    if repair is not None:
        if not as_json:
            said = "正在按账本重建，账本较长时需要几分钟 · from the log: minutes if it is long"
            out.print(said, highlight=False)
        zh, en = made_again(settings, repair)
        if not as_json:
            out.print(f"{zh} · {en}", highlight=False)
    cluster = settings.database_url is not None
    findings: list[Finding] = []
    for finding in examine_cluster(settings) if cluster else examine(settings):
        findings.append(finding)
        if not as_json:
            mark = MARKS[finding.level]
            out.print(f"{mark} {finding.name:9} {finding.zh} · {finding.en}", highlight=False)
    ok = all(finding.ok for finding in findings)
    if as_json:
        checks = [finding.told() for finding in findings]
        typer.echo(msgspec.json.encode({"ok": ok, "checks": checks}).decode())
    else:
        out.print(_verdict(findings), highlight=False)
    if not ok:
        raise typer.Exit(1)


MARKS: dict[Level, str] = {
    "ok": "[green]✓[/green]",
    "warn": "[yellow]![/yellow]",
    "fail": "[red]✗[/red]",
}


def _verdict(findings: list[Finding]) -> str:
    levels = [finding.level for finding in findings]
    if "fail" in levels:
        return "[red]发现问题 · there are problems[/red]"
    if warned := levels.count("warn"):
        return (
            f"[yellow]没有故障，{warned} 项请留意 · nothing is broken, {warned} to see to[/yellow]"
        )
    return "一切正常 · all is well"


def _note(settings: Settings, name: str, what: Made | Tried) -> None:
    """Beside the store; and in its log if that is PostgreSQL's."""
    if settings.database_url is None:
        note(settings.data, name, what)
        return
    with closing(open_store(settings)) as store:
        note(settings.data, name, what, store.log)


def _refuse_empty(settings: Settings) -> None:
    """A backup of nothing would be found to be one on the day it is needed."""
    with closing(open_store(settings)) as store:
        if store.head() == 0:
            raise failed(
                "账本中没有任何记录，没有备份：请检查 RELIEF_DATA 或数据库地址",
                "The store holds no fact; nothing was backed up. Check RELIEF_DATA or the address.",
            )


def _next_epoch(settings: Settings) -> None:
    """What was derived from the log before is not of the restored one."""
    store = open_store(settings)
    try:
        if store.head():
            begin_epoch(store, Cause.RESTORE, operator=getpass.getuser())
    finally:
        store.close()


def _from_cluster(settings: Settings, target: Path) -> files.Manifest:
    if (target / files.MANIFEST).exists():
        raise FileExistsError(f"{target} holds a backup already")
    private_folder(target)
    copy(cluster_of(settings), Place.folder(target))
    return files.sign(target)


def _tell(manifest: files.Manifest, as_json: bool, zh: str, en: str) -> None:
    if as_json:
        typer.echo(msgspec.json.encode(manifest).decode())
        return
    out.print(f"{zh} · {en}", highlight=False)
    out.print(
        f"{manifest.events} 条记录 · facts, {manifest.keys} 把密钥 · keys,"
        f" SHA-256 {manifest.log_sha256[:16]}…",
        highlight=False,
    )
