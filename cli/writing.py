"""Files that commands write: never over another one."""

from pathlib import Path
from typing import Annotated

import typer

from cli.saying import failed

To = Annotated[
    Path | None, typer.Option("--to", help="A new file for it; without, it is written to stdout")
]


def write_new(to: Path | None, text: str) -> None:
    """To a new file, or to stdout. Exits when there is a file already, or none can be written."""
    if to is None:
        typer.echo(text, nl=False)
        return
    try:
        with to.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise failed(f"{to} 已经存在，请换一个名字", f"{to} is there already.") from None
    except OSError as problem:
        raise failed(f"{to} 写不进去", f"{to} cannot be written: {problem.strerror}") from None
