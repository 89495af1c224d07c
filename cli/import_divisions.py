"""What `relief import divisions` does with a list, and how it is told in a terminal."""

from pathlib import Path
from typing import Any
from uuid import UUID

from rich.console import Console

from api.auth import Caller
from api.division_lists import brought_about, differences, told_of
from api.system import System
from cli.saying import failed
from domain.commands.areas import KEEPERS
from domain.refusal import Refusal
from domain.rules.base import china_day
from eventstore.accounts import Session
from eventstore.outcomes import Refused
from intake.divisions import read_divisions
from intake.refused import FileRefused

KINDS = {
    "new": ("新设", "new"),
    "renamed": ("改名", "renamed"),
    "renumbered": ("改码", "new code"),
    "moved": ("改变隶属", "moved"),
}


def import_divisions(
    system: System, officer: UUID, file: Path, document_no: str, *, dry_run: bool
) -> dict[str, Any]:
    """The differences by kind (`api.division_lists.told_of`); ``done`` unless it is a dry run."""
    known = system.officer(officer)
    assert known is not None
    asking = Caller(
        system, Session(officer=officer, login="", kind="token", csrf="", expires=0.0), known
    )
    try:
        scope = asking.scope(KEEPERS, None)
        lines = read_divisions(file, china_day(system.store.clock.now()))
    except Refusal as refused:
        raise failed(refused.sentence("zh"), refused.sentence("en"), code=2) from None
    except FileRefused as refused:
        raise failed(refused.reason_zh, refused.reason_en, code=2) from None
    found = differences(system, officer, scope, lines, document_no)
    told = {"rows": len(lines), **told_of(found)}
    if not dry_run:
        try:
            told["done"] = brought_about(system, officer, found, document_no)
        except Refused as refused:
            raise failed(refused.problem.zh, refused.problem.en) from None
    return told


def show_divisions(out: Console, told: dict[str, Any]) -> None:
    """A line a difference, a line a problem, and what is missing."""

    def say(*words: object) -> None:
        out.print(*words, highlight=False, markup=False)

    for kind, (zh, en) in KINDS.items():
        for one in told[kind]:
            before = (one.get("former_code"), one.get("former_name"))
            was = " ← " + " ".join(map(str, before)) if before[0] else ""
            say(f"{one['place']}  {zh} · {en}  {one['code']} {one['name']}{was}")
    for one in told["missing"]:
        said = "名单中没有，保持不变 · not in the list, stays as it is"
        say(f"    {one['code']} {one['name']}  {said}")
    for one in (*told["notes"], *told["refused"]):
        say(f"{one['sheet']}!{one['cell']}", one["column"], one["zh"], one["en"])
    if "done" in told:
        say("已办理 · done:", "，".join(f"{k} {n}" for k, n in told["done"].items() if n) or "—")
