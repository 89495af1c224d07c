"""`relief views`: how far the read models have come, and their rebuild."""

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from cli.beside import settings_here
from cli.compose import running
from cli.saying import Json, say_json
from projections.folding import rebuild as rebuilding
from projections.folding.lineage import belong
from projections.folding.parking import left_out

app = typer.Typer(no_args_is_help=True, help="The read models.")
out = Console()
err = Console(stderr=True)


@app.command("status")
def views_status(as_json: Json = False) -> None:
    """How far each view has come."""
    with running(settings_here(), follow=False, make=False) as system:
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


@app.command("rebuild")
def views_rebuild(
    check: Annotated[bool, typer.Option("--check", help="Only compare with the live ones")] = False,
    as_json: Json = False,
    workers: Annotated[int | None, typer.Option(help="Processes (default: all cores)")] = None,
    batch: Annotated[int, typer.Option(help="Facts a batch")] = rebuilding.BATCH,
) -> None:
    """Rebuild all views beside the live ones and switch; --check compares SHA-256 instead."""
    with running(settings_here(), follow=False, make=False) as system:
        log, views = system.store.log.source, system.views
        belong(views, system.store.log)
        views.dropped |= left_out(system.store.trust.forged, views.views)
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
