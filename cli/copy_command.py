"""`relief log copy`: a store from a folder to PostgreSQL, or back; whole, or as it was."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from cli.saying import Json, failed
from cli.settings import Settings
from eventstore.copying import NoSuchPosition, Place
from eventstore.copying import copy as copy_store
from eventstore.source import URLS

CLUSTER = "cluster"
out = Console()
err = Console(stderr=True)


def register(log_app: typer.Typer) -> None:
    """Add the command to the log's."""
    log_app.command("copy")(copy)


def copy(
    source: Annotated[
        str, typer.Option("--from", help="A folder, an address of the log, or: cluster")
    ],
    target: Annotated[
        str, typer.Option("--to", help="A folder, an address of the log, or: cluster")
    ],
    from_vault: Annotated[str | None, typer.Option(help="With an address: the vault's")] = None,
    to_vault: Annotated[str | None, typer.Option(help="With an address: the vault's")] = None,
    key: Annotated[
        Path | None,
        typer.Option(help="With addresses: the vault's key file (default: RELIEF_DATA/vault.key)"),
    ] = None,
    until: Annotated[
        int | None,
        typer.Option(help="A position: the store as it was then, a copy that goes its own way"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Copy log, outcomes, marks and vault; stop what writes to the source first.

    With --until: the facts up to that position, and what became of commands that ended by then. The
    copy begins an epoch of its own. Whoever was erased since stays erased in it.

    May be broken off and run again. Ends with a proof by count and SHA-256; until then no program
    starts on the copy. `cluster` stands for RELIEF_DATABASE_URL and RELIEF_VAULT_URL, so that no
    password is in a command line.
    """
    settings = Settings()
    ends = [
        _place(source, from_vault, key, settings, "--from-vault"),
        _place(target, to_vault, key, settings, "--to-vault"),
    ]
    if ends[0].log == ends[1].log:
        raise failed("来源与目标相同", "Source and target are the same.")
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, console=err, transient=True) as bar:
        tasks: dict[str, TaskID] = {}

        def progress(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total)
            bar.update(tasks[what], completed=done, total=total)

        try:
            copied = copy_store(ends[0], ends[1], progress, until=until)
        except NoSuchPosition as wrong:
            raise failed(
                f"--until 应为 1 至 {wrong.head}：来源共 {wrong.head} 条记录",
                f"--until is between 1 and {wrong.head}: so many facts the source has.",
            ) from None
    if as_json:
        typer.echo(msgspec.json.encode(asdict(copied)).decode())
        return
    if until is not None:
        out.print(f"截至第 {until} 条记录 · up to record {until}", highlight=False)
    out.print("已复制并核对 · copied and proven equal", highlight=False)
    out.print(
        f"{copied.events} 条记录 · facts, {copied.outcomes} 条回执 · outcomes,"
        f" {copied.keys} 把密钥 · keys",
        highlight=False,
    )
    out.print(f"SHA-256 log {copied.log_sha256}\n        vault {copied.vault_sha256}")


def cluster_of(settings: Settings, key: Path | None = None) -> Place:
    """The store that the settings name; ends the program when they name none."""
    if settings.database_url is None or settings.vault_url is None:
        raise failed(
            "请设置 RELIEF_DATABASE_URL 和 RELIEF_VAULT_URL",
            "Set RELIEF_DATABASE_URL and RELIEF_VAULT_URL first.",
        )
    return Place(settings.database_url, settings.vault_url, key or settings.data / "vault.key")


def _place(
    where: str, vault: str | None, key: Path | None, settings: Settings, option: str
) -> Place:
    if where == CLUSTER:
        return cluster_of(settings, key)
    if not where.startswith(URLS):
        return Place.folder(Path(where))
    vault = vault or settings.vault_url
    if vault is None:
        raise failed(f"请给出 {option} 或 RELIEF_VAULT_URL", f"Give {option} or RELIEF_VAULT_URL.")
    return Place(where, vault, key or settings.data / "vault.key")
