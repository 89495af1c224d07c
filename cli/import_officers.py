"""What `relief import officers` does with a list, and how it is told in a terminal."""

from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from rich.console import Console

from api.auth import Caller
from api.officer_files import engage_lines, previewed
from api.system import System
from cli.saying import failed
from domain.commands.engaging import EngageOfficer
from domain.refusal import Refusal
from eventstore.accounts import Session
from intake.refused import FileRefused


def import_officers(system: System, officer: UUID, file: Path, *, dry_run: bool) -> dict[str, Any]:
    """``rows``, then ``valid`` (dry run) or ``invitations`` and ``known``, and ``refused``."""
    known = system.officer(officer)
    assert known is not None
    asking = Caller(
        system, Session(officer=officer, login="", kind="token", csrf="", expires=0.0), known
    )
    try:
        scope = asking.scope(EngageOfficer.roles, None)
    except Refusal as refused:
        raise failed(refused.sentence("zh"), refused.sentence("en"), code=2) from None
    try:
        lines = previewed(system, officer, scope, file, system.limits.rows)
    except FileRefused as refused:
        raise failed(refused.reason_zh, refused.reason_en, code=2) from None
    if not dry_run:
        return {"rows": len(lines), **engage_lines(system, officer, uuid4(), uuid4(), lines)}
    return {
        "rows": len(lines),
        "valid": [{"place": line.row, "login": line.login} for line in lines if not line.problems],
        "refused": [
            {"place": line.row, "cell": one.cell, "rule": one.rule, "zh": one.zh, "en": one.en}
            for line in lines
            for one in line.problems
        ],
    }


def show_officers(out: Console, told: dict[str, Any]) -> None:
    """A line a row: log-in name and code, or why not."""
    for one in told.get("invitations", ()):
        out.print(f"{one['place']}  {one['login']}  {one['code']}", highlight=False, markup=False)
    for one in told.get("valid", ()):
        said = f"{one['place']}  {one['login']}  可办理 · can be engaged"
        out.print(said, highlight=False, markup=False)
    for one in told.get("known", ()):
        said = f"{one['place']}  {one['login']}  已有登录名 · has a log-in already"
        out.print(said, highlight=False, markup=False)
    for one in told["refused"]:
        out.print(one["place"], one["zh"], one["en"], highlight=False, markup=False)
