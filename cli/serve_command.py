"""`relief serve`: the boards and the API of one process."""

import socket
from typing import Annotated

import typer
from rich.console import Console

from api.app import create_app
from api.begun import not_set_up
from api.setup import Setup
from cli.api_health import telling
from cli.compose import http_limits, running
from cli.logging import configure
from cli.public import reached_at
from cli.serving import listening
from cli.serving import serve as serve_app
from cli.settings import Settings
from cli.watching import watching
from eventstore.errors import StoreError
from web.app import mount_pages

out = Console()


def register(app: typer.Typer) -> None:
    app.command("serve")(serve)


def serve(
    host: Annotated[str | None, typer.Option(help="Address (RELIEF_HOST)")] = None,
    port: Annotated[int | None, typer.Option(help="Port (RELIEF_PORT); next free if taken")] = None,
    fd: Annotated[int | None, typer.Option(help="A listening socket handed down", hidden=True)] = (
        None
    ),
) -> None:
    """Serve the boards and the API until Ctrl-C."""
    settings = Settings()
    configure(settings.log_level, settings.process or "api")
    address = host or settings.host
    if fd is not None:
        sock, moved = socket.socket(fileno=fd), False
    else:
        wanted = settings.port if port is None else port
        sock, moved = listening(address, wanted, others=settings.database_url is None)
    real = sock.getsockname()[1]
    with (
        running(settings, apart=settings.follower == "process") as system,
        telling(settings, system) as heart,
        watching(settings),
    ):
        web = create_app(system, mount=mount_pages)

        def started() -> None:
            if fd is not None:  # whoever handed it down says where
                _tell_setup(web.state.setup, "")
                return
            if moved:
                out.print(f"端口已被占用，改用 {real} · that port is taken, using {real}")
            shown = reached_at(settings, address, real)
            out.print(f"救灾一本账 Relief Ledger: [bold]{shown}[/bold]", highlight=False)
            _tell_setup(web.state.setup, shown)
            out.print("Ctrl-C 停止 · Ctrl-C stops it")

        serve_app(
            web, sock, http_limits(settings), log_level="warning", started=started, heart=heart
        )
    if fd is None:
        out.print("已停止 · stopped, nothing lost")


def _tell_setup(setup: Setup, address: str) -> None:
    """Where and with which code a store is set up while its administrator has no password yet."""
    try:
        if setup.ended():
            return
        begun = not not_set_up(setup.system.store.log)
    except StoreError:  # it is served all the same: who asks is told what is wrong
        return
    zh, en = (
        (
            "管理员尚未设置密码，邀请码遗失时",
            "the administrator has no password yet: to make another code",
        )
        if begun
        else ("账本尚未建好", "not set up yet")
    )
    out.print(
        f"{zh}：打开 [bold]{address}/setup[/bold]，输入启动码 [bold]{setup.code}[/bold] "
        f"· {en}: open that page and enter this code",
        highlight=False,
        soft_wrap=True,
    )
