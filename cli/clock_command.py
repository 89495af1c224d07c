"""`relief clock …`: what time the ledger goes by, and what to do when a machine's clock is held."""

import getpass
import re
from datetime import datetime, timedelta
from typing import Annotated

import typer
from rich.console import Console

from api.noticing import why_held
from cli.beside import settings_here
from cli.compose import open_store
from cli.saying import Json, failed, say_json
from domain.rules.base import CHINA
from domain.store import FASTEST, FURTHEST
from eventstore.clock import clock_state
from eventstore.outcomes import Refused
from eventstore.store import Store
from streams.keeping import accept_clock, advance_clock, host_of

app = typer.Typer(
    no_args_is_help=True, help="The ledger's time, and a machine's clock that is held."
)
out = Console()
SPAN = re.compile(r"(\d{1,6}(?:\.\d{1,4})?)([dh])")
UNITS = {"d": "days", "h": "hours"}


@app.command("show")
def show(as_json: Json = False) -> None:
    """What time the ledger goes by, and which machines' clocks are held."""
    store = open_store(settings_here())
    try:
        clock, holds = store.clock, clock_state(store.log).holds
        now, wall = clock.now(), store.real.machine.wall()
        told = {
            "now": now,
            "machine": wall,
            "simulated": store.simulated,
            "ahead_seconds": round(clock.ahead_of_real.total_seconds()),
            "host": host_of(store),
            "held": clock.held is not None,
            "holds": {
                host: {"good": h.good, "machine": h.machine, "cause": h.cause}
                for host, h in holds.items()
            },
        }
    finally:
        store.close()
    if as_json:
        say_json(told)
        return
    out.print(f"账本时间 · the ledger's time  {_second(now)}", highlight=False)
    out.print(f"机器时间 · the machine's time {_second(wall)}", highlight=False)
    for host, hold in holds.items():
        zh, en = why_held(host, hold)
        out.print(
            f"[red]{zh} · {en}[/red]\n"
            "机器时间正确：relief clock accept --reason …；不正确：请把机器时间调准，会自动恢复\n"
            "Is the machine's time right: relief clock accept --reason …. Is it wrong: set it"
            " right, then it is used again by itself.",
            highlight=False,
        )


@app.command("accept")
def accept(
    reason: Annotated[str, typer.Option(help="Why it is right; it stands in the log")],
    host: Annotated[str | None, typer.Option(help="The machine; this one by default")] = None,
) -> None:
    """The machine's time is right: the ledger goes on from it, also a server that runs."""
    store = open_store(settings_here())
    try:
        accept_clock(store, reason=reason, operator=getpass.getuser(), host=host)
        now = _second(store.clock.now())
    except Refused as refused:
        raise failed(refused.problem.zh, refused.problem.en) from None
    finally:
        store.close()
    out.print(f"已采用机器时间 {now} · the machine's time is used again", highlight=False)


@app.command("advance")
def advance(
    by: Annotated[str, typer.Argument(help="How far forward: 7d, 12h")] = "",
    rate: Annotated[int, typer.Option(min=1, max=FASTEST, help="× real time from now on")] = 1,
) -> None:
    """Move the clock of a demo or exercise forward (7d, 12h), or let it run faster.

    Everybody follows, also a server that runs, and what has become due meanwhile happens. A ledger
    that works in earnest goes by real time and cannot be advanced.
    """
    store = open_store(settings_here())
    try:
        now = _advanced(store, _span(by) if by else timedelta(0), rate)
    finally:
        store.close()
    out.print(f"模拟时间 {now}，{rate} 倍速 · simulated time, at {rate} ×", highlight=False)


def _span(text: str) -> timedelta:
    """A length of time as people type it: 7d, 12h, 0.5d."""
    found = SPAN.fullmatch(text.strip().lower())
    span = timedelta(**{UNITS[found[2]]: float(found[1])}) if found else timedelta(0)
    if not timedelta(0) < span <= FURTHEST:
        raise failed(
            f"“{text}”不是可以拨快的时长：写天数或小时数，如 7d、12h，最多 {FURTHEST.days}d",
            f"{text} is no time to move forward by: write days or hours, as 7d or 12h, and at"
            f" most {FURTHEST.days}d.",
            2,
        )
    return span


def _advanced(store: Store, by: timedelta, rate: int) -> str:
    try:
        advance_clock(store, by=by, rate=rate, operator=getpass.getuser())
    except Refused as refused:
        raise failed(refused.problem.zh, refused.problem.en) from None
    return _second(store.clock.now())


def _second(moment: datetime) -> str:
    return moment.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")
