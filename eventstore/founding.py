"""Making the database: five roles, three schemas, the durable tables, and who may do what.

`relief_owner` owns log and vault and cannot log in; migrations run in its role. The program logs
in as `relief_app` (may add facts and outcomes, never change them), `relief_vault` (the vault and
nothing else), `relief_views` (a schema of its own for read models, which can be rebuilt) and
`relief_read` (relay and workers: they read facts, and write down how far they have come).
Roles belong to a whole server: a second database on it gets roles of its own, named after it.
Doing it again changes nothing, migrates to the newest tables, and repairs rights that differ. A
password with which somebody may be working is never replaced unasked.
"""

import hashlib
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import quote, urlunsplit

import psycopg
from psycopg import sql
from sqlalchemy import NullPool, create_engine

from eventstore.addresses import split, url_of
from eventstore.errors import PasswordKept, StoreTooNew
from eventstore.postgres import REVISION
from eventstore.sql import explain

OWNER = "relief_owner"
APP, VAULT, VIEWS, READ = "relief_app", "relief_vault", "relief_views", "relief_read"
LOGINS = (APP, VAULT, VIEWS, READ)
"""In the order of `Urls`."""
SCHEMAS = {"log": OWNER, "vault": OWNER, "views": VIEWS}
LONGEST_NAME = 63
"""Bytes of a name on PostgreSQL; it cuts longer ones short."""
USED_BY = """
SELECT datname FROM pg_database, aclexplode(datacl) AS given, pg_roles
 WHERE rolname = %s AND rolcanlogin AND given.grantee = pg_roles.oid
   AND given.privilege_type = 'CONNECT'
 ORDER BY datname
"""
"""Databases that this role may connect to, once it has a password."""
FOUNDING_LOCK = 4_210_000
PASSWORD_BYTES = 24

ADDED_ONLY = "SELECT, INSERT"
LOCKED = "UPDATE"
"""What ``LOCK TABLE … IN EXCLUSIVE MODE`` asks for."""
KEPT = "SELECT, INSERT, UPDATE"
CHANGED = "SELECT, INSERT, UPDATE, DELETE"
RIGHTS: dict[str, dict[str, str]] = {
    APP: {
        "log.events": ADDED_ONLY,
        "log.outcomes": ADDED_ONLY,
        "log.seals": ADDED_ONLY,
        "log.marks": KEPT,
        "log.turn": LOCKED,
        "log.relay": KEPT,
        "log.leaders": KEPT,
        "log.snapshots": CHANGED,
        "log.alembic_version": "SELECT",
    },
    VAULT: {
        "vault.keys": CHANGED,
        "vault.tokens": CHANGED,
        "vault.effects": CHANGED,
        "vault.name_homes": CHANGED,
        "vault.name_entries": CHANGED,
        "vault.name_terms": CHANGED,
        "vault.secrets": CHANGED,
        "vault.accounts": CHANGED,
        "vault.sessions": CHANGED,
        "vault.invitations": CHANGED,
        "vault.second_factors": CHANGED,
        "vault.recovery_codes": CHANGED,
        "vault.erasures": "SELECT, UPDATE",
        "vault.access_log": ADDED_ONLY,
        "vault.access_shown": ADDED_ONLY,
    },
    VIEWS: {},
    READ: {
        "log.events": "SELECT",
        "log.seals": "SELECT",
        "log.marks": "SELECT",
        "log.relay": KEPT,
        "log.leaders": KEPT,
        "log.alembic_version": "SELECT",
    },
}


class Urls(NamedTuple):
    """Where the program finds the log, the vault and the views; and the log again, for who only
    reads it. They hold passwords."""

    database: str
    vault: str
    views: str
    read: str


@dataclass(frozen=True, slots=True)
class Names:
    """What the roles of one database are called: as in this file, and a suffix."""

    suffix: str = ""

    def of(self, role: str) -> str:
        return f"{role}{self.suffix}"


def found(
    admin_url: str,
    database: str,
    passwords: Mapping[str, str] | None = None,
    *,
    new_passwords: bool = False,
    names: Names | None = None,
) -> Urls:
    """Make what is missing, as an administrator; the addresses for the program.

    The administrator is a superuser, or a role that may create roles and databases. ``passwords``
    are those of the log-in roles, by their names in `LOGINS`; one that is not given is made.
    ``names`` are those of the roles, if they are not to be found or chosen here.
    Raises `PasswordKept`, before anything is changed, when that would replace one in use and not
    ``new_passwords``; another `StoreError`.
    """
    given = {role: (passwords or {}).get(role) or new_password() for role in LOGINS}
    there = _address(admin_url, database)
    try:
        with _session(admin_url) as admin:
            admin.execute("SELECT pg_advisory_lock(%s)", (FOUNDING_LOCK,))
            names = names or _names(admin, there, database)
            log_ins = {names.of(role): password for role, password in given.items()}
            if not new_passwords:
                _keep_passwords(admin, admin_url, log_ins)
            _roles(admin, names)
            _database(admin, database)
            _log_ins(admin, admin_url, database, log_ins)
        with _session(there) as admin:
            _refuse_newer(admin)
            _schemas(admin, database, names)
            migrate(there, names)
            _rights(admin, names)
    except psycopg.Error as problem:
        raise explain(problem) from problem
    return Urls(*(_address(there, database, *log_in) for log_in in log_ins.items()))


def drop(admin_url: str, database: str, names: Names) -> None:
    """Undo `found`: the database, with whoever is connected to it, and its roles are gone."""
    try:
        with _session(admin_url) as admin:
            statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
            admin.execute(statement.format(sql.Identifier(database)))
            for role in map(names.of, (*LOGINS, OWNER)):
                admin.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(role)))
    except psycopg.Error as problem:
        raise explain(problem) from problem


def _names(admin: psycopg.Connection[Any], there: str, database: str) -> Names:
    """A founded database keeps its roles; a new one gets the plain names if they are free."""
    if _one(admin, "SELECT 1 FROM pg_database WHERE datname = %s", database):
        with _session(there) as inside:
            asked = "SELECT nspowner::regrole::text FROM pg_namespace WHERE nspname = 'log'"
            owner = _one(inside, asked)
        if owner is not None:
            return Names(owner.strip('"').replace('""', '"').removeprefix(OWNER))
    if not any(_one(admin, USED_BY, role) for role in LOGINS):
        return Names()
    suffix = f"_{database}"
    if len(f"{OWNER}{suffix}".encode()) > LONGEST_NAME:
        suffix = f"_{hashlib.sha256(database.encode()).hexdigest()[:16]}"
    return Names(suffix)


def _keep_passwords(admin: psycopg.Connection[Any], url: str, log_ins: Mapping[str, str]) -> None:
    """Refuse to replace a password with which a program may be running."""
    for role, password in log_ins.items():
        used_by = _one(admin, USED_BY, role)
        if used_by is not None and not _logs_in(_address(url, used_by, role, password)):
            raise PasswordKept(f"{role} · {used_by}")


def migrate(admin_url: str, names: Names) -> None:
    """Bring log and vault to the newest revision, in the owner's role."""
    engine = create_engine(
        url_of(admin_url).set(drivername="postgresql+psycopg"), poolclass=NullPool
    )
    from alembic import command  # long to import, and needed by nobody but who migrates
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "eventstore:migrations")
    with engine.connect() as connection:
        owner = names.of(OWNER).replace('"', '""')
        connection.exec_driver_sql(f'SET ROLE "{owner}"')
        connection.commit()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def new_password() -> str:
    """One for a role: nobody has to type it."""
    return secrets.token_urlsafe(PASSWORD_BYTES)


def _session(url: str) -> psycopg.Connection[Any]:
    return psycopg.connect(url, autocommit=True, connect_timeout=10)


def _address(url: str, database: str, role: str | None = None, password: str = "") -> str:
    """The same server's address of another database, for another role if one is given."""
    parts = split(url)
    log_in, _, host = parts.netloc.rpartition("@")
    if role is not None:
        log_in = f"{quote(role, safe='')}:{quote(password, safe='')}"
    netloc = f"{log_in}@{host}" if log_in else host
    there = parts._replace(scheme="postgresql", netloc=netloc, path=f"/{quote(database, safe='')}")
    return urlunsplit(there)


def without_password(url: str) -> str:
    """The address as it may be shown."""
    return url_of(url).render_as_string(hide_password=True)


def _one(session: psycopg.Connection[Any], query: str, *args: Any) -> Any:
    row = session.execute(query.encode(), args).fetchone()
    return None if row is None else row[0]


def _roles(admin: psycopg.Connection[Any], names: Names) -> None:
    """Owner and log-in roles; an administrator who is no superuser becomes a member of them."""
    for role in map(names.of, (OWNER, *LOGINS)):
        with suppress(psycopg.errors.UniqueViolation):  # another database's founding, just now
            if _one(admin, "SELECT 1 FROM pg_roles WHERE rolname = %s", role) is None:
                admin.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(role)))
    if _one(admin, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"):
        return
    for role in map(names.of, (OWNER, VIEWS)):
        if not _one(admin, "SELECT pg_has_role(current_user, %s, 'USAGE')", role):
            admin.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(role)))


def _database(admin: psycopg.Connection[Any], database: str) -> None:
    """UTF-8 in C order, so that it sorts alike on every machine."""
    if _one(admin, "SELECT 1 FROM pg_database WHERE datname = %s", database) is None:
        statement = "CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'"
        admin.execute(sql.SQL(statement).format(sql.Identifier(database)))


def _log_ins(
    admin: psycopg.Connection[Any], url: str, database: str, passwords: Mapping[str, str]
) -> None:
    """Let them log in. The server gets the password as a SCRAM secret, never as it is."""
    name = sql.Identifier(database)
    admin.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name))
    for role, password in passwords.items():
        grant = sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(name, sql.Identifier(role))
        admin.execute(grant)
        if _logs_in(_address(url, database, role, password)):
            continue
        secret = admin.pgconn.encrypt_password(
            password.encode(), role.encode(), b"scram-sha-256"
        ).decode()
        admin.execute(
            sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(
                sql.Identifier(role), sql.Literal(secret)
            )
        )


def _logs_in(url: str) -> bool:
    with suppress(psycopg.OperationalError), psycopg.connect(url, connect_timeout=10):
        return True
    return False


def _schemas(admin: psycopg.Connection[Any], database: str, names: Names) -> None:
    for schema, role in SCHEMAS.items():
        statement = sql.SQL("CREATE SCHEMA IF NOT EXISTS {} AUTHORIZATION {}")
        owner = sql.Identifier(names.of(role))
        admin.execute(statement.format(sql.Identifier(schema), owner))
    admin.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
    statement = sql.SQL("GRANT TEMPORARY ON DATABASE {} TO {}")
    views = sql.Identifier(names.of(VIEWS))
    admin.execute(statement.format(sql.Identifier(database), views))


def _refuse_newer(admin: psycopg.Connection[Any]) -> None:
    """A program that is older than the tables must not take them for its own."""
    if _one(admin, "SELECT to_regclass('log.alembic_version')") is None:
        return
    there = _one(admin, "SELECT max(version_num) FROM log.alembic_version")
    if there is not None and there > REVISION:
        raise StoreTooNew(f"tables of revision {there}, this program knows {REVISION}")


def _rights(admin: psycopg.Connection[Any], names: Names) -> None:
    """Give each role its rights and no others, in one transaction: nobody misses any meanwhile."""
    with admin.transaction():
        admin.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(names.of(OWNER))))
        for role, tables in RIGHTS.items():
            name = sql.Identifier(names.of(role))
            for schema in ("log", "vault"):
                for what in ("ALL TABLES IN SCHEMA", "SCHEMA"):
                    revoke = sql.SQL("REVOKE ALL ON {} {} FROM {}, PUBLIC")
                    where = sql.Identifier(schema)
                    admin.execute(revoke.format(sql.SQL(what), where, name))
            for schema in sorted({table.partition(".")[0] for table in tables}):
                usage = sql.SQL("GRANT USAGE ON SCHEMA {} TO {}")
                admin.execute(usage.format(sql.Identifier(schema), name))
            for table, rights in tables.items():
                grant = sql.SQL("GRANT {} ON {} TO {}").format(
                    sql.SQL(rights), sql.Identifier(*table.split(".")), name
                )
                admin.execute(grant)
