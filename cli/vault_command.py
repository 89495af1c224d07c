"""`relief vault`: whose personal data are destroyed, and how the master key is exchanged."""

import msgspec
import typer
from rich.console import Console

from cli.beside import settings_here
from cli.compose import open_store
from cli.saying import Json
from domain.rules.base import china_day
from eventstore.errors import StoreNotMade
from eventstore.rotating import rotate_database, rotate_folder

app = typer.Typer(no_args_is_help=True, help="密库 · The vault of personal data")
out = Console()


@app.callback()
def vault() -> None:
    """密库 · The vault of personal data"""


@app.command("rotate")
def rotate(as_json: Json = False) -> None:
    """Exchange the master key (vault.key) for a new one. Stop every process first.

    May be broken off and run again. The old key is kept beside the new one, with the time in its
    name: dumps of the vault made before need it. Copy the new key to every machine with an API.
    """
    settings = settings_here()
    if settings.database_url is None:
        done = rotate_folder(settings.data)
    elif settings.vault_url is None:
        raise StoreNotMade("RELIEF_VAULT_URL is not set.")
    else:
        done = rotate_database(settings.vault_url, settings.data / "vault.key")
    if as_json:
        typer.echo(msgspec.json.encode({"keys": done.keys, "old": str(done.old)}).decode())
        return
    out.print(
        f"{done.keys} 把密钥已改由新的 vault.key 保护 · keys are under the new vault.key",
        highlight=False,
    )
    out.print(
        f"旧钥匙在 {done.old}：旧备份还需要它，请移到备份所在之处"
        " · the old key is there: older dumps need it; move it to where they are",
        highlight=False,
    )


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
