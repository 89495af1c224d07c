"""What commands print for programs."""

from typing import Annotated, Any

import msgspec
import typer

Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]


def say_json(value: Any) -> None:
    typer.echo(msgspec.json.encode(value, enc_hook=str).decode())
