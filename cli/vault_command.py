"""`relief vault`: what the log says of persons whose data are destroyed."""

import msgspec
import typer
from rich.console import Console

from cli.beside import settings_here
from cli.compose import open_store
from cli.saying import Json
from domain.rules.base import china_day

app = typer.Typer(no_args_is_help=True, help="密库 · The vault of personal data")
out = Console()


@app.callback()
def vault() -> None:
    """密库 · The vault of personal data"""


@app.command("erased")
def erased(as_json: Json = False) -> None:
    """List every erased person of the log, by their random id, and whether a key is left.

    For the day when an older vault had to be restored: `relief doctor --repair erasures` destroys
    what came back with it.
    """
    store = open_store(settings_here())
    try:
        facts = store.effects.erased()
        kept = store.vault.keys_of(fact.person for fact in facts) if facts else {}
        rows = [
            {
                "person": str(fact.person),
                "on": china_day(fact.meta.recorded_at).isoformat(),
                "document_no": fact.document_no,
                "key_left": fact.person in kept,
            }
            for fact in facts
        ]
    finally:
        store.close()
    if as_json:
        typer.echo(msgspec.json.encode(rows).decode())
        return
    for row in rows:
        left = "  [red]密钥仍在 · key is left[/red]" if row["key_left"] else ""
        out.print(f"{row['on']}  {row['person']}  {row['document_no']}{left}", highlight=False)
    out.print(f"{len(rows)} 次销毁 · erasures", highlight=False)
