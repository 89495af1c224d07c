"""`relief log`: look at the facts, follow them, copy them to another store."""

import getpass
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli import copy_command
from cli.beside import settings_here
from cli.compose import open_store
from cli.saying import Json, say_json
from domain.store import Cause
from eventstore.lineage import begin_epoch

app = typer.Typer(no_args_is_help=True, help="The log of facts.")
copy_command.register(app)
out = Console()
err = Console(stderr=True)


@app.command("stats")
def log_stats(as_json: Json = False) -> None:
    """How many facts, streams and bytes, by topic."""
    store = open_store(settings_here())
    try:
        stats = store.stats()
    finally:
        store.close()
    if as_json:
        say_json(stats)
        return
    table = Table("topic", "events", title=f"{stats['events']} events, {stats['streams']} streams")
    for topic, count in stats["by_topic"].items():
        table.add_row(topic, str(count))
    out.print(table)
    out.print(f"head {stats['head']}, {stats['bytes']:,} bytes")


@app.command("show")
def log_show(stream: str) -> None:
    """All facts of one stream (a uuid), or the fact at one position (a number), as JSON lines."""
    store = open_store(settings_here())
    try:
        rows = store.find_rows(stream)
    except ValueError:  # neither a number nor a uuid
        rows = []
    finally:
        store.close()
    for row in rows:
        typer.echo(row)
    if not rows:
        err.print(f"[red]日志中没有 {escape(stream)}[/red]\nThere is no such stream or position.")
        raise typer.Exit(1)


@app.command("new-epoch")
def log_new_epoch(
    reason: Annotated[str, typer.Option(help="What was done to the log; it stands in the log")],
) -> None:
    """The log was put back by other means than ours (a disk's snapshot, a base backup): what was
    derived from it before is remade. Not needed after relief restore or relief log copy."""
    store = open_store(settings_here())
    try:
        epoch = begin_epoch(store, Cause.OPERATOR, reason=reason, operator=getpass.getuser())
    finally:
        store.close()
    out.print(
        f"账本新分支 {epoch}，看板将重建 · epoch {epoch}: the views are remade", highlight=False
    )


@app.command("tail")
def log_tail(
    count: Annotated[int, typer.Option("-n", help="How many of the newest facts first")] = 10,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as facts come")] = False,
) -> None:
    """The newest facts as JSON lines; personal data stays sealed."""
    store = open_store(settings_here())
    try:
        head = store.head()
        for batch in store.follow(max(0, head - count), timeout=1.0 if follow else 0.0):
            for recorded in batch:
                if follow or recorded.position <= head:
                    typer.echo(store.line_of(recorded))
            if not follow and (not batch or batch[-1].position >= head):
                break
    except KeyboardInterrupt:
        pass
    finally:
        store.close()
