"""`relief resume`: let processes of `relief up` go on that have stopped themselves."""

import os
import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import typer
from rich.console import Console

from cli.saying import failed
from cli.settings import Settings
from cli.up.supervisor import RESUME, STATES, State

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
    path = Settings().data / "run" / STATES
    kept = _kept(path)
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


def _kept(path: Path) -> _Kept | None:
    return msgspec.json.decode(path.read_bytes(), type=_Kept) if path.exists() else None


def _still(path: Path, names: list[str]) -> bool:
    kept = _kept(path)
    return kept is not None and any(
        one.name in names and one.state == "resting" for one in kept.processes
    )
