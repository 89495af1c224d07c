"""`relief status`: processes, partitions, positions and lag, live; one JSON object with --json."""

import os
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from api.disowned import disowned_in, in_words
from api.system import System
from api.watched import watched
from cli.beside import settings_here
from cli.compose import running
from cli.saying import Json, say_json
from cli.up.supervisor import STATES
from streams.apart import keeping
from streams.metrics import waiting_seconds

STALE_SECONDS = 10.0
REFRESH_SECONDS = 1.0
HEALTH_SECONDS = 1.0
out = Console()


def register(app: typer.Typer) -> None:
    app.command("status")(status)


def status(
    as_json: Json = False,
    once: Annotated[bool, typer.Option("--once", help="Do not refresh until Ctrl-C")] = False,
) -> None:
    """Processes, partitions, positions, lag in facts and seconds, parked facts."""
    settings = settings_here()
    with running(settings, follow=False, make=False) as system:
        if as_json:
            say_json(look(system, settings.data))
            return
        if once or not out.is_terminal:
            out.print(shown(look(system, settings.data)))
            return
        try:
            with Live(console=out, auto_refresh=False) as live:
                while True:
                    live.update(shown(look(system, settings.data)), refresh=True)
                    time.sleep(REFRESH_SECONDS)
        except KeyboardInterrupt:
            return


def look(system: System, data: Path) -> dict[str, Any]:
    """``processes``, ``follower`` (the process that keeps the views of a server on one machine:
    ``pid``, ``position``, ``lag`` in facts, ``restarts``; or None), ``head``, ``parked``,
    ``stopped`` (names of views that stand still until somebody has looked), ``changed`` (what the
    watch has found done to the log, else None), ``disowned`` (rows that somebody had put in by
    hand) and ``views``, a row for each view and partition."""
    head = system.store.head()
    positions = system.views.positions()
    known = {at for places in positions.values() for at in places.values()}
    late = waiting_seconds(system.store, known, head)
    alarm = watched(data).alarm
    return {
        "processes": processes(data),
        "follower": _follower(data, min(known, default=0), head),
        "head": head,
        "views": [
            {
                "name": name,
                "partition": partition,
                "position": at,
                "lag_events": max(0, head - at),
                "lag_seconds": late.get(at, 0.0),
            }
            for name, places in positions.items()
            for partition, at in sorted(places.items())
        ],
        "parked": len(system.views.parked()),
        "stopped": system.views.stopped(),
        "changed": alarm and f"{alarm.position}: {alarm.en}",
        "disowned": disowned_in(system.store),
    }


def _follower(data: Path, position: int, head: int) -> dict[str, int] | None:
    if (kept := keeping(data)) is None:
        return None
    lag = max(0, head - position)
    return {"pid": kept.pid, "position": position, "lag": lag, "restarts": kept.restarts}


def processes(data: Path) -> list[dict[str, Any]]:
    """What the supervisor of this data folder keeps, each with its own word on its health."""
    path = data / "run" / STATES
    if not path.exists():
        return []
    kept = msgspec.json.decode(path.read_bytes())
    age = (datetime.now(UTC) - datetime.fromisoformat(kept["at"])).total_seconds()
    gone = age > STALE_SECONDS and not _alive(kept["pid"])
    found = []
    for state in kept["processes"]:
        told = None if gone or state["pid"] is None else _health(state["health"])
        found.append({**state, "state": "gone" if gone else state["state"], "told": told})
    return found


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def _health(port: int | None) -> Mapping[str, Any] | None:
    if port is None:
        return None
    url = f"http://127.0.0.1:{port}/health"
    try:
        with urllib.request.urlopen(url, timeout=HEALTH_SECONDS) as answer:  # nosec B310
            return dict(msgspec.json.decode(answer.read()))
    except urllib.error.HTTPError as answer:  # 503, and it says why
        return dict(msgspec.json.decode(answer.read()))
    except (OSError, msgspec.MsgspecError):
        return None


def shown(status: dict[str, Any]) -> Group:
    """The same as tables for a person."""
    running_ = Table("进程 · process", "状态 · state", "pid", "重启 · restarts", "自述 · says")
    for one in status["processes"]:
        told = one["told"] or {}
        says = told.get("status", "")
        if told.get("leading"):
            says += " · leading"
        if told.get("trouble"):
            says += f" · {escape(told['trouble'])}"
        if held_back := told.get("unsealed"):
            says += f" · 未计入没有封印的第 {', '.join(map(str, held_back))} 条 · without a seal"
        if one["state"] == "resting":
            says = "因故停下 · has stopped itself: relief parked list, relief resume"
        style = None if one["state"] == "running" else "yellow"
        running_.add_row(
            one["name"],
            one["state"],
            str(one["pid"] or ""),
            str(one["restarts"]),
            says,
            style=style,
        )
    places = Table(
        "分区 · partition", "位置 · position", "落后 · lag", "秒 · seconds", "看板 · views"
    )
    by: dict[tuple[int, int], list[dict[str, Any]]] = {}
    for view in status["views"]:
        by.setdefault((view["partition"], view["position"]), []).append(view)
    for (partition, position), views in sorted(by.items()):
        names = (
            "全部 · all" if len(views) == _count(status) else ", ".join(v["name"] for v in views)
        )
        lag, seconds = views[0]["lag_events"], views[0]["lag_seconds"]
        style = None if seconds < STALE_SECONDS else "red"
        places.add_row(str(partition), str(position), str(lag), f"{seconds:g}", names, style=style)
    if (kept := status["follower"]) is not None:
        restarts = str(kept["restarts"])
        running_.add_row("看板 · follower", "running", str(kept["pid"]), restarts, "")
    tables = [running_, places] if running_.row_count else [places]
    parked = status["parked"]
    said = f"日志 · head {status['head']}    搁置 · parked {parked}"
    if status["stopped"]:
        said += f"    停下 · stopped {', '.join(status['stopped'])}: relief parked list"
    if status["changed"]:
        changed = escape(status["changed"])
        said += f"\n账本被改动 · the log was changed by hand, at {changed} relief audit verify"
    for line in in_words(status["disowned"]):
        said += f"\n{escape(line)}"
    return Group(*tables, f"[red]{said}[/red]" if parked or status["changed"] else said)


def _count(status: dict[str, Any]) -> int:
    return len({view["name"] for view in status["views"]})
