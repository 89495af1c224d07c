"""What commands print: JSON for programs, sentences for persons."""

from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.markup import escape

Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]
err = Console(stderr=True)


def say_json(value: Any) -> None:
    typer.echo(msgspec.json.encode(value, enc_hook=str).decode())


def complain(zh: str, en: str) -> None:
    """What is wrong, on stderr. Each language is one line there, however long."""
    err.print(f"[red]{escape(zh)}[/red]\n{escape(en)}", highlight=False, soft_wrap=True)


def failed(zh: str, en: str, code: int = 1) -> typer.Exit:
    """Say what is wrong; the answer is to be raised."""
    complain(zh, en)
    return typer.Exit(code)
