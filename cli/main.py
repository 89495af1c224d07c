"""The `relief` command. Each of its commands is a module, imported only when it is asked for:
a process of a cluster that starts again is back sooner.
"""

import gc
import io
import sys
from importlib import import_module
from types import ModuleType

import typer

from cli.logging import configure
from cli.saying import complain, failed
from cli.settings import SettingsWrong, read_settings
from cli.up.programs import RESTING
from eventstore.errors import StoreError
from projections.folding.errors import ViewsOfAnotherVersion
from streams.collecting import collect_seldom

COMMANDS = {
    "serve": "serve_command",
    "init": "init_command",
    "demo": "demo_command",
    "officer": "officer_command",
    "areas": "areas_command",
    "import": "import_command",
    "ledger": "ledger_command",
    "log": "log_command",
    "audit": "audit_command",
    "asof": "asof_command",
    "witness": "witness_command",
    "clock": "clock_command",
    "views": "views_command",
    "parked": "parked_command",
    "resume": "resume_command",
    "backup": "store_commands",
    "restore": "store_commands",
    "doctor": "store_commands",
    "vault": "vault_command",
    "db": "db_command",
    "up": "up_command",
    "status": "status_command",
    "actions": "actions_command",
    "relay": "relay_command",
    "events": "events_command",
    "worker": "worker_command",
}


def program(command: str | None = None) -> typer.Typer:
    """The program with all its commands, or with what is needed for this one."""
    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_show_locals=False,
        help="救灾一本账 Relief Ledger",
    )
    app.callback()(relief)
    modules = [COMMANDS[command]] if command in COMMANDS else dict.fromkeys(COMMANDS.values())
    for module in modules:
        found = _imported(f"cli.{module}")
        if hasattr(found, "register"):
            found.register(app)
        else:
            app.add_typer(found.app, name=_name_of(module))
    return app


def _imported(name: str) -> ModuleType:
    """A module makes thousands of classes and nothing to be collected: looking for that while it
    is imported takes a sixth of the time that a process needs to start."""
    gc.disable()
    try:
        return import_module(name)
    finally:
        collect_seldom()
        gc.enable()


def relief() -> None:
    """救灾一本账 Relief Ledger"""
    try:
        settings = read_settings()
    except SettingsWrong as problem:
        raise failed(problem.zh, problem.en, code=2) from None
    configure(settings.log_level, settings.process)  # else logs would go to stdout, into the JSON


def _name_of(module: str) -> str:
    return next(name for name, of in COMMANDS.items() if of == module)


def main() -> None:
    """Entry point: an operator's error is a sentence, not a traceback."""
    for out in (sys.stdout, sys.stderr):  # a GBK terminal has no ✓: a command must not end at it
        if isinstance(out, io.TextIOWrapper):
            out.reconfigure(errors="replace")
    app = program(sys.argv[1] if len(sys.argv) > 1 else None)
    try:
        app()
    except StoreError as problem:
        complain(problem.zh, str(problem))
        raise SystemExit(RESTING if isinstance(problem, ViewsOfAnotherVersion) else 1) from problem


if __name__ == "__main__":
    main()
