"""`relief witness`: run by another office, which signs checkpoints of a log that only grows."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from audit.relief_verify import Unreadable
from audit.witness import Refused, Witness, request_of
from cli.saying import failed
from cli.writing import To, write_new

app = typer.Typer(no_args_is_help=True, help="A witness of another office's ledger.")
out = Console()

MOST_BYTES = 100_000
Folder = Annotated[
    Path, typer.Option("--folder", help="Where the witness keeps its key and what it has signed")
]
WITNESS = Path("witness")


@app.callback()
def witness() -> None:
    """A witness 见证: needs neither a ledger nor its database."""


@app.command()
def begin(
    name: Annotated[str, typer.Argument(help="How it is called in its signatures")],
    folder: Folder = WITNESS,
) -> None:
    """Make the witness's key; prints the line to publish."""
    try:
        typer.echo(Witness.begin(folder, name).published)
    except Refused as refused:
        raise failed(refused.zh, refused.en) from None


@app.command()
def key(folder: Folder = WITNESS) -> None:
    """The line by which others know its signatures."""
    typer.echo(_opened(folder).published)


@app.command()
def trust(
    line: Annotated[str, typer.Argument(help="As `relief audit key` prints it on their side")],
    folder: Folder = WITNESS,
) -> None:
    """Watch the ledger of this key from now on."""
    try:
        known = _opened(folder).trust(line)
    except (Refused, Unreadable) as problem:
        raise failed(problem.zh, problem.en) from None
    out.print(f"今后见证 · watched from now on: {known.name}", highlight=False)


@app.command()
def sign(
    request: Annotated[Path, typer.Argument(help="What `relief audit request` wrote")],
    to: To = None,
    folder: Folder = WITNESS,
) -> None:
    """Sign a checkpoint, if it is shown to go on from the one signed before."""
    here = _opened(folder)
    try:
        with request.open("rb") as file:
            asked = request_of(file.read(MOST_BYTES).decode())
    except (OSError, UnicodeDecodeError):
        raise failed(f"{request} 读不出来", f"{request} cannot be read.") from None
    except Unreadable as problem:
        raise failed(problem.zh, problem.en) from None
    try:
        signed = here.sign(asked, datetime.now(UTC))
    except OSError as problem:
        raise failed(
            f"{folder} 写不进去，没有加签",
            f"{folder} cannot be written, and nothing was signed: {problem.strerror}",
        ) from None
    except (Refused, Unreadable) as problem:
        raise failed(problem.zh, problem.en) from None
    write_new(to, signed)
    if to is not None:
        size = asked.checkpoint.size
        out.print(f"已见证 {size} 条 · {size} facts witnessed", highlight=False)


def _opened(folder: Path) -> Witness:
    try:
        return Witness(folder)
    except Refused as refused:
        raise failed(refused.zh, refused.en) from None
