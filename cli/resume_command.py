"""`relief resume`: let go on what has stopped itself: processes of `relief up`, or the views of an
embedded store."""

import os
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import typer
from rich.console import Console

from cli.beside import settings_here
from cli.saying import failed
from cli.up.supervisor import RESUME, STATES, State
from projections.catalog import VIEWS
from projections.folding.engine import ViewsDatabase

PATIENCE_SECONDS = 5.0
STALE_SECONDS = 10.0
out = Console()


class _Kept(msgspec.Struct):
    pid: int
    at: datetime
    processes: list[State]


def register(app: typer.Typer) -> None:
    app.command("resume")(resume)


def resume() -> None:
    """Start again what rests, after somebody has looked (see: relief status, relief parked)."""
    settings = settings_here()
    path, views = settings.data / "run" / STATES, settings.data / "views.sqlite"
    kept = _kept(path)
    if kept is None and settings.database_url is None and views.exists():
        _resume_views(views)
        return
    if kept is None or (datetime.now(UTC) - kept.at).total_seconds() > STALE_SECONDS:
        raise failed(
            f"没有正在运行的 relief up（{path}）", f"No `relief up` is running here ({path})."
        )
    resting = [one.name for one in kept.processes if one.state == "resting"]
    if not resting:
        out.print("没有停下的进程 · nothing rests")
        return
    os.kill(kept.pid, RESUME)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and _still(path, resting):
        time.sleep(0.1)
    names = ", ".join(resting)
    out.print(f"已让 {names} 继续 · {names} may go on", highlight=False)


def _resume_views(path: Path) -> None:
    """A running `relief serve` sees within a second that its views may try again."""
    with closing(ViewsDatabase(path, VIEWS)) as views:
        stopped = views.stopped()
        views.let_go_on()
    if not stopped:
        out.print("没有停下的看板 · nothing rests")
        return
    names = ", ".join(stopped)
    out.print(f"已让看板 {names} 继续 · the views {names} may go on", highlight=False)


def _kept(path: Path) -> _Kept | None:
    return msgspec.json.decode(path.read_bytes(), type=_Kept) if path.exists() else None


def _still(path: Path, names: list[str]) -> bool:
    kept = _kept(path)
    return kept is not None and any(
        one.name in names and one.state == "resting" for one in kept.processes
    )
