"""`relief db init`: the PostgreSQL database of a cluster, its roles, rights and tables."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from sqlalchemy import URL

from cli.saying import failed
from cli.settings import Settings
from eventstore.addresses import split, url_of
from eventstore.errors import StoreAddressWrong
from eventstore.founding import APP, READ, VAULT, VIEWS, Urls, found, without_password
from eventstore.modes import private_folder
from eventstore.source import URLS

app = typer.Typer(no_args_is_help=True, help="The PostgreSQL database of a cluster.")
out = Console()
FILES = {APP: "database_url", VAULT: "vault_url", VIEWS: "views_url", READ: "read_url"}


@app.callback()
def database() -> None:
    """The PostgreSQL database of a cluster."""


@app.command()
def init(
    admin_url: Annotated[
        str | None,
        typer.Option(help="Administrator's address, better by RELIEF_ADMIN_URL or …_FILE"),
    ] = None,
    name: Annotated[str, typer.Option("--database", help="The database; made if missing")] = (
        "relief"
    ),
    secrets: Annotated[
        Path | None,
        typer.Option(help="Folder for the addresses (default: RELIEF_DATA/secrets)"),
    ] = None,
    new_passwords: Annotated[
        bool,
        typer.Option("--new-passwords", help="Replace passwords, though programs may use them"),
    ] = False,
) -> None:
    """Make database, roles, rights and tables, or bring them up to date. May be run again.

    The roles' passwords are those of RELIEF_APP_PASSWORD, RELIEF_VAULT_PASSWORD,
    RELIEF_VIEWS_PASSWORD and RELIEF_READ_PASSWORD (or …_FILE), else those written down before,
    else new ones. A password that a role has already and that differs is only replaced with
    --new-passwords.
    """
    settings = Settings()
    admin = admin_url or settings.admin_url
    if admin is None:
        raise failed("请设置 RELIEF_ADMIN_URL（数据库管理员地址）", "Set RELIEF_ADMIN_URL first.")
    if not _is_address(admin):
        raise failed(
            "RELIEF_ADMIN_URL 不是数据库地址，应为 postgresql://用户:密码@主机/数据库",
            "RELIEF_ADMIN_URL is no address: postgresql://user:password@host/database is one.",
        )
    folder = secrets or settings.data / "secrets"
    given = {
        APP: settings.app_password,
        VAULT: settings.vault_password,
        VIEWS: settings.views_password,
        READ: settings.read_password,
    }
    _refuse_other(folder, name)
    passwords = {role: word or written(folder, role) for role, word in given.items()}
    known = {role: word for role, word in passwords.items() if word}
    urls = found(admin, name, known, new_passwords=new_passwords)
    write_down(folder, urls)
    _tell(folder, urls, [role for role, word in passwords.items() if not word])


def _is_address(url: str) -> bool:
    with suppress(StoreAddressWrong):
        split(url)
        return url.startswith(URLS)
    return False


def _refuse_other(folder: Path, name: str) -> None:
    """A folder of secrets leads to one database: whoever starts from it must find that."""
    for file in FILES.values():
        path = folder / file
        other = _written(path).database if path.exists() else name
        if other != name:
            raise failed(
                f"{folder} 中是数据库 {other} 的地址；请用 --secrets 为 {name} 指定另一文件夹",
                f"{folder} leads to database {other}. Name another folder for {name}: --secrets.",
            )


def write_down(folder: Path, urls: Urls) -> None:
    """The addresses as files that only this user can read."""
    private_folder(folder)
    for name, url in zip(FILES.values(), urls, strict=True):
        new = folder / f".{name}.new"
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(url + "\n")
        new.replace(folder / name)


def written(folder: Path, role: str) -> str | None:
    """The password of a role in the addresses written down there, if any."""
    path = folder / FILES[role]
    return _written(path).password if path.exists() else None


def _written(path: Path) -> URL:
    try:
        return url_of(path.read_text(encoding="utf-8").strip())
    except (StoreAddressWrong, UnicodeDecodeError):
        raise failed(
            f"{path} 中的数据库地址写得不对，请改正，或移走该文件后再执行",
            f"The address in {path} cannot be read. Mend it, or move the file away.",
        ) from None


def _tell(folder: Path, urls: Urls, made: list[str]) -> None:
    out.print("数据库已就绪 · the database is ready", highlight=False)
    if made:
        out.print(f"已生成新密码 · new passwords were made: {', '.join(made)}", highlight=False)
    for name, url in zip(FILES.values(), urls, strict=True):
        out.print(f"  {without_password(url)}", highlight=False, soft_wrap=True)
        out.print(f"  RELIEF_{name.upper()}_FILE={folder / name}", highlight=False, soft_wrap=True)
