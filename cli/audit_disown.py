"""`relief audit disown`: a row that somebody has put into the log by hand is none of the ledger's.

The row stays where it is, for the tree over the log stands on it; it is a fact no more, its stream
goes on behind it, and boards are made without it. What it was, who says so and why is a fact of the
ledger's own.
"""

import getpass
from datetime import datetime
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from api.system import System
from cli.beside import settings_here
from cli.compose import running
from cli.parked_command import replayed
from cli.saying import complain, failed
from domain.rules.base import CHINA
from domain.store import ForgedRow
from domain.telling import KINDS
from eventstore.errors import StoreError
from eventstore.lineage import disown_row
from eventstore.log import recorded_at
from eventstore.outcomes import Refused
from eventstore.store import Store

out = Console()

Position = Annotated[int, typer.Argument(min=1, help="As relief audit verify names it")]
Reason = Annotated[str, typer.Option(help="How it was found, and why it is none of ours")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask")]


def register(app: typer.Typer) -> None:
    """The command beside the other ones about proofs."""
    app.command("disown")(disown)


def disown(position: Position, reason: Reason, yes: Yes = False) -> None:
    """Say of a row that was put into the log by hand that it is no fact: its stream goes on."""
    with running(settings_here(), follow=False, make=False) as system:
        row = _disownable(system.store, position)
        _show(system.store, row)
        if not yes and not typer.confirm("登记为非本程序写入，永不计入？ · disown it for good?"):
            raise typer.Exit(1)
        try:
            disown_row(system.store, row, reason, getpass.getuser())
        except Refused as refused:
            raise failed(refused.problem.zh, refused.problem.en) from None
        out.print(
            f"第 {position} 条已登记为不计入，这件事可以继续办理 · disowned: its stream goes on",
            highlight=False,
        )
        _boards_without(system, row)


def _disownable(store: Store, position: int) -> ForgedRow:
    """The row, if it is one that may be disowned. Exits with why not."""
    trust = store.trust
    trust.look(store.head())
    if position in trust.disowned:
        raise failed(
            f"第 {position} 条已经登记为非本程序写入", f"Record {position} is disowned already."
        )
    if position not in trust.forged:
        there = bool(store.log.rows(position - 1, 1, position))
        raise failed(
            f"第 {position} 条是程序写入的记录，不能登记为非本程序写入"
            if there
            else f"账本没有第 {position} 条",
            f"The program has written record {position}: it cannot be disowned."
            if there
            else f"The log has no record {position}.",
        )
    row = trust.disownable(position)
    if row is None:
        raise failed(
            f"第 {position} 条原有封印：是程序写入的记录被改过，不是多出来的一条。"
            "请从改动以前的备份恢复（relief restore）",
            f"Record {position} was sealed once: it is a fact that was changed, and not a row too"
            " many. Restore a backup from before that (relief restore).",
        )
    return row


def _show(store: Store, row: ForgedRow) -> None:
    """What is going to be disowned, as far as it can be read."""
    kind = row.topic.partition(".")[0]
    zh, en = KINDS.get(kind, (kind, kind))
    state = bytes(store.log.rows(row.position - 1, 1, row.position)[0][4])
    for name, told in (
        ("位置 · position", str(row.position)),
        ("事项 · about", f"{zh} · {en}"),
        ("记录 · record", f"{row.topic} ({row.version})"),
        ("所写时间 · says it was recorded", _when(state)),
        ("SHA-256", row.sha256),
    ):
        out.print(f"{name}: {told}", highlight=False, markup=False)


def _when(state: bytes) -> str:
    try:
        at: datetime = recorded_at(state)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return "—"
    return at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")


def _boards_without(system: System, row: ForgedRow) -> None:
    """Views that have parked the row, or facts behind it, are made again without it."""
    waiting = {one.view for one in system.views.parked() if one.stream == row.stream}
    for view in system.views.views:
        if view.name not in waiting:
            continue
        try:
            replayed(system, view)
        except StoreError as problem:
            complain(
                f"已登记，但看板 {view.name} 没有重放完成，请运行 relief parked replay",
                f"It is disowned, but {view.name} was not replayed: relief parked replay.",
            )
            raise problem from None
    if waiting:
        out.print(f"{len(waiting)} 个看板已重放 · views replayed", highlight=False)
