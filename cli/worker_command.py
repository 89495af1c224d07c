"""``relief worker``: one Faust worker, from the frames on Kafka into the views on PostgreSQL.

``python -m cli.worker_command`` is the same without loading the rest of the program, which takes
longer than everything else that a worker does at its start.
"""

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    app.command("worker")(worker)


def worker(
    name: Annotated[str, typer.Option(help="Its name in logs and of its files")] = "worker",
) -> None:
    """Fold facts from Kafka into the views, until Ctrl-C or SIGTERM.

    Exit code 78: too many facts could not be folded, or a newer program keeps the views; it is
    not started again by itself.
    """
    from cli.logging import configure
    from cli.settings import Settings
    from cli.working import run

    settings = Settings()
    configure(settings.log_level, name)
    raise typer.Exit(run(settings, name))


if __name__ == "__main__":
    typer.run(worker)
