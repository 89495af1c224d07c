"""`relief areas merge`: a village goes into another, with all that hangs on it, in one run.

It tells first what would move. The merger is one commit, what follows is many small ones, each of
things that are still there: a run that was killed is given again and goes on where it stopped.

``--json`` answers one object: what hung on the village before, what was moved, what is left.
"""

from collections import Counter
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.console import Console
from sqlalchemy import select

from api.following import belongings_now, caught_up, following
from api.system import System
from cli.beside import settings_here
from cli.compose import running
from cli.officer_command import run
from cli.saying import Json, failed, say_json
from domain.commands.areas import Merge, RearrangeVillages
from domain.rules.base import china_day
from eventstore.outcomes import Refused
from projections.areas import AREAS
from projections.asking.child_codes import meant

app = typer.Typer(no_args_is_help=True, help="Divisions 区划.")
out = Console()
NAMES = {
    "groups": ("个村民小组", "villagers' groups"),
    "households": ("户", "households"),
    "persons": ("人", "persons"),
    "cases": ("件未结救助", "open cases"),
    "village_lists": ("份未结名册", "open lists"),
    "free_units": ("件库存物资", "units in stock"),
    "reserved_units": (
        "件已预留物资（仍为原名册或调拨预留）",
        "reserved units, for whom they are now",
    ),
    "consignments": ("件未结调拨（在途物资到并入村入库）", "open consignments, which arrive there"),
    "reports": ("份灾情报告尚未办结（续报、核报）", "reports of which more is to come"),
    "posts": ("个岗位", "posts"),
    "duties": ("项续报任务", "duties to report daily"),
}


@app.callback()
def areas() -> None:
    """Divisions 区划."""


@app.command()
def merge(
    village: Annotated[str, typer.Option("--from", help="12-digit code of the village that goes")],
    into: Annotated[str, typer.Option(help="12-digit code of the village it goes into")],
    document_no: Annotated[str, typer.Option(help="Document 文号 of the merger")],
    effective_on: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day; today if not given")
    ] = None,
    preview: Annotated[bool, typer.Option(help="Tell what would move, and stop")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask")] = False,
    at_once: Annotated[int, typer.Option(min=1, max=100, help="Things of a kind a commit")] = 50,
    as_json: Json = False,
) -> None:
    """Merge a village into another and move households, cases, lists, duties, goods and posts."""
    with running(settings_here(), make=False) as system:
        origin, target = _village(system, village), _village(system, into)
        before = belongings_now(system, origin)
        if not as_json:
            _tell(before)
        if preview:
            if as_json:
                say_json({"before": before})
            return
        if not yes and not typer.confirm("并入并迁移？ · merge and move?"):
            raise typer.Exit(1)
        day = effective_on.date() if effective_on else china_day(system.store.clock.now())
        _merge(system, origin, target, before, day, document_no)
        moved = _follow(system, origin, document_no, at_once)
        left = belongings_now(system, origin)
    if as_json:
        say_json({"before": before, "moved": dict(moved), "left": left})
    else:
        figures = "，".join(f"{n} {NAMES.get(k, (k, k))[0]}" for k, n in moved.items() if n)
        out.print(f"已迁移 · moved: {figures or '—'}")


def _village(system: System, code: str) -> UUID:
    """The village of that code, also one that was merged before: a run may go on."""
    caught_up(system)
    with system.reader() as db:
        query = select(AREAS.c.id).where(AREAS.c.code == code).order_by(AREAS.c.abolished_on)
        found = db.execute(query).first()
        old = meant(db, code) if found is None else None
    if old is not None:  # a merger cannot be taken back: no code is concluded for it
        raise failed(f"{old.zh}；并入须填现用代码", f"{old.en} A merger takes today's codes.")
    if found is None:
        raise failed(f"没有代码为 {code} 的村（社区）", f"No village has the code {code}.")
    return UUID(found[0])


def _tell(before: dict[str, Any]) -> None:
    out.print(f"{before['name']}（{before['code']}）")
    for key, (zh, en) in NAMES.items():
        out.print(f"  {before[key]} {zh} · {en}", highlight=False)


def _merge(
    system: System,
    origin: UUID,
    target: UUID,
    before: dict[str, Any],
    day: date,
    document_no: str,
) -> None:
    """The merger itself, unless an earlier run has decided it."""
    if before["merged_into"] is None:
        merges = (Merge(area=origin, into=target),)
        run(system, RearrangeVillages(merges=merges, effective_on=day, document_no=document_no))
    elif UUID(before["merged_into"]) != target:
        raise failed(
            f"{before['name']}已并入另一个村（社区）",
            f"{before['name']} was merged into another village.",
        )


def _follow(system: System, origin: UUID, document_no: str, at_once: int) -> Counter[str]:
    """Move what is still there, a few things at a time, until nothing moves any more."""
    moved: Counter[str] = Counter()
    try:
        for some in following(system, None, origin, document_no, at_once):
            moved.update(some)
    except Refused as refused:
        raise failed(refused.problem.zh, refused.problem.en) from None
    return moved
