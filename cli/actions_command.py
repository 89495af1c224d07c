"""`relief actions`: every command, who may send it, and from which page. No store is opened."""

import typer

from cli.saying import Json, say_json
from web.forms.pages import told


def register(app: typer.Typer) -> None:
    app.command("actions")(actions)


def actions(as_json: Json = False) -> None:
    """What may be done in the program, by whom, and on which page."""
    commands = told()
    if as_json:
        say_json({"commands": commands})
        return
    for one in commands:
        typer.echo(f"{one['name']}: {', '.join(one['pages']) or one['no_page'] or '—'}")
