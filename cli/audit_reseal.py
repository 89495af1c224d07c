"""`relief audit reseal`: a log whose seals cannot be checked with the vault there is.

The vault was restored from before the log was sealed, or lost its secret. All is sealed anew under
the present one, as it stands; the fact that says so names the head and the root of the tree then,
so that checkpoints of before tell what seals cannot any more.
"""

import getpass
from contextlib import closing
from typing import Annotated

import typer
from rich.console import Console

from cli.beside import settings_here
from cli.compose import open_parts, open_store
from cli.saying import complain, failed
from cli.settings import Settings
from domain.store import Store as Ledger
from eventstore.clock import machine_now
from eventstore.errors import SealsHold
from eventstore.lineage import record_resealing
from eventstore.outcomes import Refused
from eventstore.proving import GapInLog, NotInOrder, tree_of
from eventstore.seals import Seals, sealed_at_once
from eventstore.store import belong_together

out = Console()

Reason = Annotated[str, typer.Option(help="Why the vault's secret is lost; it stands in the log")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask")]


def register(app: typer.Typer) -> None:
    """The command beside the other ones about proofs."""
    app.command("reseal")(reseal)


def reseal(reason: Reason, yes: Yes = False) -> None:
    """Seal the whole log anew, where its seals cannot be checked with this vault."""
    settings = settings_here()
    try:
        _seal_anew(settings, yes=yes)
    except SealsHold:
        if not _unsaid(settings):
            raise
    with closing(open_store(settings)) as store:
        try:
            record_resealing(store, reason, getpass.getuser())
        except Refused as refused:
            raise failed(refused.problem.zh, refused.problem.en) from None
    out.print("已重新加封并记入账本 · sealed anew, and the log says so", highlight=False)


def _seal_anew(settings: Settings, *, yes: bool) -> None:
    """Raises `SealsHold` where it was done, or is not needed."""
    log, vault = open_parts(settings)
    with closing(log), closing(vault):
        belong_together(log, vault)
        seals = Seals(log, vault, anew=True)
        seals.refuse_holding()
        head = log.head()
        try:
            root = tree_of(log, head).root().hex()
        except (GapInLog, NotInOrder) as problem:
            raise failed(
                f"第 {problem.position} 条记录缺失或次序不对，不能重新加封，请恢复备份",
                f"Record {problem.position} is missing or out of order: nothing is sealed anew."
                " Restore a backup.",
            ) from None
        complain(
            f"将按现状给全部 {head} 条记录重新加封。在此以前改过什么，封印从此看不出来："
            f"请先用保存在别处的检查点核对，总指纹 {root}",
            f"All {head} records are sealed anew as they stand. What was changed before, no seal"
            f" will tell: compare a checkpoint kept elsewhere first. The root is {root}",
        )
        if not yes and not typer.confirm("重新加封？ · seal anew?"):
            raise typer.Exit(1)
        seals.reseal(machine_now())


def _unsaid(settings: Settings) -> bool:
    """Whether all was sealed anew, and then it was broken off before the log said so."""
    with closing(open_store(settings)) as store:
        since = sealed_at_once(store.log)
        if since is None or not since.anew:
            return False
        ledger = store.load(Ledger.id_of(store.log.mark("born") or ""))
        return ledger is None or ledger.resealed != since.n
