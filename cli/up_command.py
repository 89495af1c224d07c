"""`relief up`: the whole cluster on one machine; with ``--trial`` also its database and broker."""

import asyncio
import fcntl
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cli.beside import BROKER, LOCK, TRIAL
from cli.db_command import write_down, written
from cli.saying import failed
from cli.serving import listening
from cli.settings import Settings
from cli.trial.broker import Broker
from cli.trial.child import free_port
from cli.trial.postgres import PostgresServer
from cli.up.programs import RELIEF, programs
from cli.up.supervisor import RESUME, STATES, Supervisor
from eventstore.founding import LOGINS, Urls, found
from eventstore.modes import PASSED_THROUGH, private_folder

DATABASE = "relief"
LOOK_SECONDS = 0.5
EMPTIED_SECONDS = 30.0
"""Several workers that end together have one reason."""
out = Console()
err = Console(stderr=True)


def register(app: typer.Typer) -> None:
    app.command("up")(up)


def up(
    trial: Annotated[
        bool, typer.Option("--trial", help="With a PostgreSQL and a broker of its own")
    ] = False,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Faust workers")] = 2,
    api: Annotated[int, typer.Option(min=1, max=64, help="API processes")] = 2,
    port: Annotated[int | None, typer.Option(help="Port; a trial moves on if taken")] = None,
    demo: Annotated[
        bool, typer.Option(help="In a trial: load the demo county into an empty store")
    ] = True,
    small: Annotated[
        bool, typer.Option("--small", help="Its one-township form, for tests")
    ] = False,
) -> None:
    """Start everything: a relay, workers and API processes; start again what ends."""
    settings = Settings()
    with ExitStack() as stack:
        stack.enter_context(_alone(settings.data))
        servers: Trial | None = None
        if trial:
            servers = stack.enter_context(trial_servers(settings.data.absolute() / TRIAL))
            env = servers.env
        else:
            env = _given(settings)
        if servers is not None and demo:
            load = [*RELIEF, "demo", *(["--small"] if small else [])]
            if subprocess.run(load, env={**os.environ, **env}, check=False).returncode:  # noqa: S603
                raise typer.Exit(1)
        wanted = settings.port if port is None else port
        sock, moved = listening(settings.host, wanted, others=trial)
        stack.callback(sock.close)
        names = ["relay", *(f"worker.{n + 1}" for n in range(workers))]
        names += [f"api.{n + 1}" for n in range(api)]
        found_programs = programs(
            workers=workers,
            api=api,
            env=env,
            sock=sock.fileno(),
            health={name: free_port() for name in names},
        )
        folder = Path(env.get("RELIEF_DATA", settings.data))
        supervisor = Supervisor(found_programs, folder / "run" / STATES)
        address = f"http://{settings.host}:{sock.getsockname()[1]}"
        asyncio.run(_run(supervisor, servers, address, moved=moved))
    out.print("已停止 · stopped, nothing lost")


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two supervisors on one folder would start everything twice."""
    private_folder(folder)
    with (folder / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise failed(
                f"{folder} 已有一个 relief up 在运行", f"Another `relief up` runs on {folder}."
            ) from None
        yield


async def _run(
    supervisor: Supervisor, servers: "Trial | None", address: str, *, moved: bool
) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, supervisor.stop)
    loop.add_signal_handler(RESUME, supervisor.resume)

    def ready() -> None:
        if moved:
            supervisor.say("端口已被占用，改用另一个 · that port is taken, using another")
        supervisor.say(f"救灾一本账 Relief Ledger: {address}")
        supervisor.say("Ctrl-C 停止 · Ctrl-C stops it")

    looking = asyncio.create_task(_look_after(supervisor, servers))
    await supervisor.run(ready)
    looking.cancel()
    with suppress(asyncio.CancelledError):
        await looking


async def _look_after(supervisor: Supervisor, servers: "Trial | None") -> None:
    """Start the trial's own database and broker again when they end.

    The broker also when workers cannot get into their group: under load Tansu forgets, seldom, who
    has asked to join a group that everybody left at once, and from then on answers nobody.
    """
    emptied_at = 0.0
    while servers is not None:
        if supervisor.left_out_at > emptied_at + EMPTIED_SECONDS:
            emptied_at = supervisor.left_out_at
            supervisor.say(
                "消息总线不再接纳处理进程，重启它 · the broker takes no workers in: anew"
            )
            await asyncio.to_thread(servers.broker.stop)
        for server, name in ((servers.postgres, "PostgreSQL"), (servers.broker, "broker")):
            if not server.running:
                supervisor.say(f"{name} 已退出，重新启动 · has ended, starting it again")
                try:
                    await asyncio.to_thread(server.start)
                except RuntimeError as problem:
                    supervisor.say(str(problem))
        await asyncio.sleep(LOOK_SECONDS)


class Trial:
    """A PostgreSQL and a broker in one folder, with the settings that lead to them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.postgres = PostgresServer(folder / "postgres")
        self.broker = Broker(folder / "broker")
        self.env: dict[str, str] = {}

    def start(self) -> None:
        self.postgres.start()
        self.broker.start()
        secrets = self.folder / "secrets"
        known = {role: word for role in LOGINS if (word := written(secrets, role))}
        urls = found(self.postgres.url(), DATABASE, known, new_passwords=True)  # nobody else's
        write_down(secrets, urls)
        (self.folder / BROKER).write_text(f"{self.broker.address}\n", encoding="utf-8")
        self.env = environment(urls, self.broker.address, self.folder)

    def stop(self) -> None:
        self.broker.stop()
        self.postgres.stop()


@contextmanager
def trial_servers(folder: Path) -> Iterator[Trial]:
    """The servers of ``relief up --trial``, running; stopped at the end."""
    servers = Trial(folder)
    private_folder(folder)
    folder.chmod(PASSED_THROUGH)
    try:
        with err.status("启动 PostgreSQL 和消息总线 · starting PostgreSQL and a broker"):
            servers.start()
        yield servers
    finally:
        servers.stop()


def environment(urls: Urls, kafka: str, data: Path) -> dict[str, str]:
    """The settings of all processes of a cluster."""
    return {
        "RELIEF_DATABASE_URL": urls.database,
        "RELIEF_VAULT_URL": urls.vault,
        "RELIEF_VIEWS_URL": urls.views,
        "RELIEF_READ_URL": urls.read,
        "RELIEF_KAFKA": kafka,
        "RELIEF_DATA": str(data),
    }


def _given(settings: Settings) -> dict[str, str]:
    """Nothing to add to the environment: but all that a cluster needs must be there."""
    needed = ("database_url", "vault_url", "views_url", "kafka")
    missing = [f"RELIEF_{name.upper()}" for name in needed if not getattr(settings, name)]
    if missing:
        names = ", ".join(missing)
        raise failed(
            f"缺少设置 {names}；试用请加 --trial",
            f"Settings are missing: {names}. To try it out add --trial.",
            code=2,
        )
    return {}
