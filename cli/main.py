"""The `relief` command: serve, look at the log, rebuild views, keep officers, load the demo."""

import socket
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from api.app import create_app
from cli import (
    copy_command,
    db_command,
    demo_command,
    import_command,
    ledger_command,
    officer_command,
    parked_command,
    relay_command,
    status_command,
    store_commands,
    up_command,
    worker_command,
)
from cli.api_health import telling
from cli.compose import open_store, running
from cli.logging import configure
from cli.serving import bind
from cli.serving import serve as serve_app
from cli.settings import Settings
from eventstore.errors import StoreError
from projections import rebuild as rebuilding
from web.app import mount_pages

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    help="救灾一本账 Relief Ledger",
)
log_app = typer.Typer(no_args_is_help=True, help="The log of facts.")
views_app = typer.Typer(no_args_is_help=True, help="The read models.")
app.add_typer(log_app, name="log")
app.add_typer(views_app, name="views")
app.add_typer(officer_command.app, name="officer")
app.add_typer(import_command.app, name="import")
app.add_typer(ledger_command.app, name="ledger")
app.add_typer(db_command.app, name="db")
app.add_typer(parked_command.app, name="parked")
copy_command.register(log_app)
demo_command.register(app)
relay_command.register(app)
status_command.register(app)
store_commands.register(app)
up_command.register(app)
worker_command.register(app)

out = Console()
err = Console(stderr=True)
Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]


def say_json(value: Any) -> None:
    typer.echo(msgspec.json.encode(value, enc_hook=str).decode())


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address (RELIEF_HOST)")] = None,
    port: Annotated[int | None, typer.Option(help="Port (RELIEF_PORT); next free if taken")] = None,
    fd: Annotated[int | None, typer.Option(help="A listening socket handed down", hidden=True)] = (
        None
    ),
) -> None:
    """Serve the boards and the API until Ctrl-C."""
    settings = Settings()
    configure(settings.log_level, settings.process or "api")
    address = host or settings.host
    if fd is not None:
        sock, moved = socket.socket(fileno=fd), False
    else:
        sock, moved = bind(address, settings.port if port is None else port)
    real = sock.getsockname()[1]
    with running(settings) as system, telling(settings, system) as heart:
        web = create_app(system, mount=mount_pages)

        def started() -> None:
            if fd is not None:  # whoever handed it down says where
                return
            if moved:
                out.print(f"端口已被占用，改用 {real} · that port is taken, using {real}")
            out.print(
                f"救灾一本账 Relief Ledger: [bold]http://{address}:{real}[/bold]", highlight=False
            )
            out.print("Ctrl-C 停止 · Ctrl-C stops it")

        serve_app(web, sock, log_level="warning", started=started, heart=heart)
    if fd is None:
        out.print("已停止 · stopped, nothing lost")


@log_app.command("stats")
def log_stats(as_json: Json = False) -> None:
    """How many facts, streams and bytes, by topic."""
    store = open_store(Settings())
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


@log_app.command("show")
def log_show(stream: str) -> None:
    """All facts of one stream (a uuid), or the fact at one position (a number), as JSON lines."""
    store = open_store(Settings())
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


@log_app.command("tail")
def log_tail(
    count: Annotated[int, typer.Option("-n", help="How many of the newest facts first")] = 10,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as facts come")] = False,
) -> None:
    """The newest facts as JSON lines; personal data stays sealed."""
    store = open_store(Settings())
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


@views_app.command("status")
def views_status(as_json: Json = False) -> None:
    """How far each view has come."""
    with running(Settings(), follow=False) as system:
        head = system.store.head()
        found = [
            {
                "name": live.view,
                "version": live.version,
                "generation": live.generation,
                "position": live.position,
                "lag_events": head - live.position,
            }
            for live in system.views.live()
        ]
    if as_json:
        say_json({"head": head, "views": found})
        return
    table = Table("view", "version", "generation", "position", "lag", title=f"head {head}")
    for view in found:
        table.add_row(*[str(value) for value in view.values()])
    out.print(table)


@views_app.command("rebuild")
def views_rebuild(
    check: Annotated[bool, typer.Option("--check", help="Only compare with the live ones")] = False,
    as_json: Json = False,
    workers: Annotated[int | None, typer.Option(help="Processes (default: all cores)")] = None,
    batch: Annotated[int, typer.Option(help="Facts a batch")] = rebuilding.BATCH,
) -> None:
    """Rebuild all views beside the live ones and switch; --check compares SHA-256 instead."""
    with running(Settings(), follow=False) as system:
        log, views = system.store.log.source, system.views
        if check:
            while system.boards.step():
                pass
            done = rebuilding.check(log, views, workers=workers, batch=batch)
        else:
            with err.status("重建看板 · rebuilding"):
                done = rebuilding.rebuild(log, views, workers=workers, batch=batch)
    report = {
        "events": done.events,
        "seconds": round(done.seconds, 3),
        "events_per_second": done.events_per_second,
        "views": [_compared(v) for v in done.views],
        "equal": done.equal,
    }
    if as_json:
        say_json(report)
    else:
        for view in done.views:
            mark = "[green]=[/green]" if view.equal else "[red]≠[/red]"
            out.print(f"{mark} {view.name:28} {view.rows:>9} {view.sha256[:16]}")
        out.print(f"{done.events} events in {done.seconds:.2f} s: {done.events_per_second:,} ev/s")
    if not done.equal:
        raise typer.Exit(1)


def _compared(view: rebuilding.Compared) -> dict[str, Any]:
    return {"name": view.name, "rows": view.rows, "sha256": view.sha256, "equal": view.equal}


def main() -> None:
    """Entry point: an operator's error is a sentence, not a traceback."""
    try:
        app()
    except StoreError as problem:
        err.print(f"[red]{problem.zh}[/red]\n{problem}", highlight=False)
        raise SystemExit(1) from problem


if __name__ == "__main__":
    main()
