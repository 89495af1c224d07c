"""What a command looks at: the store of the settings, or the trial cluster that runs beside it.

`relief up --trial` keeps its cluster below the data folder. Without this a `relief backup` next to
it would look at the data folder itself, where nothing is, and say that all is well.
"""

import fcntl
from pathlib import Path

from cli.db_command import FILES
from cli.saying import complain, failed
from cli.settings import Settings
from eventstore.founding import APP, VAULT, VIEWS

TRIAL = "trial"
LOCK = "up.lock"
"""Held by `relief up` as long as it runs on a data folder."""
BROKER = "kafka"
"""The file in which a trial cluster writes its broker's address down."""


def settings_here() -> Settings:
    """The settings for a command about what is there: those of a trial cluster while one runs.

    Ends the program when the folder holds a trial cluster that does not run, and nothing else.
    """
    settings = Settings()
    trial = settings.data / TRIAL
    if settings.database_url is not None or not (trial / "secrets").is_dir():
        return settings
    if _runs(settings.data / LOCK):
        complain(f"查看的是试用集群 {trial}", f"This is about the trial cluster in {trial}.")
        written, broker = trial / "secrets", trial / BROKER
        return Settings(
            kafka=broker.read_text().strip() if broker.exists() else None,
            data=trial,
            database_url=(written / FILES[APP]).read_text().strip(),
            vault_url=(written / FILES[VAULT]).read_text().strip(),
            views_url=(written / FILES[VIEWS]).read_text().strip(),
        )
    if not (settings.data / "log.sqlite").exists():
        raise failed(
            f"{trial} 中的试用集群没有运行，请先执行 relief up --trial",
            f"The trial cluster in {trial} does not run. Start it: relief up --trial",
        )
    return settings


def _runs(lock: Path) -> bool:
    """Whether somebody holds the lock of `relief up`."""
    if not lock.exists():
        return False
    with lock.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
