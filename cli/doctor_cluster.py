"""`relief doctor` for a cluster: is everything whole that the ledger stands on in PostgreSQL?"""

from collections.abc import Iterator
from contextlib import closing

from api.checkup import Finding
from cli.budget import connections
from cli.checking import Check, all_of
from cli.doctor import fingerprints, modes, parked_and_stopped, space, stands_open
from cli.doctor_ledger import LEDGER
from cli.doctor_topics import topics
from cli.settings import Settings
from eventstore.errors import StoreNotMade
from eventstore.postgres import PostgresConnection, PostgresLog
from eventstore.postgres_session import PROGRAM
from eventstore.sql import Sql
from eventstore.store import COPY_MARK, COPY_UNFINISHED
from eventstore.wrapping import check_key

OLDEST_SERVER = 150_000
LAGGING = 10_000
MAY_WRITE = (
    "SELECT has_table_privilege('turn', 'UPDATE') OR has_table_privilege('events', 'INSERT')"
)
"""Whether this session's role may take the order lock or add facts."""
WRITERS_THAT_READ = f"""
SELECT DISTINCT substr(application_name, {len(PROGRAM) + 1}), usename FROM pg_stat_activity
 WHERE datname = current_database() AND application_name LIKE '{PROGRAM}%'
   AND (has_table_privilege(usesysid, 'turn', 'UPDATE')
     OR has_table_privilege(usesysid, 'events', 'INSERT'))
 ORDER BY 1, 2
"""  # noqa: S608
"""Relays and workers (their sessions are `called` so) that run with that right: kind and role."""


def _address(url: str | None, name: str) -> str:
    if url is None:
        raise StoreNotMade(f"{name} is not set.")
    return url


def _log(settings: Settings) -> Iterator[Finding]:
    url = _address(settings.database_url, "RELIEF_DATABASE_URL")
    power = settings.i_know_the_role_can_rewrite_the_log
    with closing(PostgresLog(url, allow_power=power)) as log:
        yield from _server(log.session)
        yield from connections(settings, log.session)
        yield Finding(
            "roles",
            not power,
            "程序不能改写账本" if not power else "程序可能改写账本：已按设置放行",
            "The program cannot rewrite the log."
            if not power
            else "The program could rewrite the log; the settings allow it.",
        )
        if log.mark(COPY_MARK) == COPY_UNFINISHED:
            yield Finding("copy", False, "账本复制到一半", "The log is half of a copy.")


def _server(db: Sql) -> Iterator[Finding]:
    sql = (
        "SELECT current_setting('server_version_num')::int, current_setting('server_version'),"
        " current_setting('fsync'), current_setting('synchronous_commit'),"
        " current_setting('full_page_writes')"
    )
    number, version, *durable = db.execute(sql).fetchone()
    said = f"PostgreSQL {version}"
    yield Finding("versions", number >= OLDEST_SERVER, said, said)
    off = "off" in durable
    yield Finding(
        "durable",
        not off,
        "数据库关闭了落盘保证（fsync、synchronous_commit、full_page_writes），断电会丢失已确认的内容"
        if off
        else "提交即落盘",
        "fsync, synchronous_commit or full_page_writes is off: a power cut loses what was accepted."
        if off
        else "What is committed is on disk.",
    )


def _readers(settings: Settings) -> Iterator[Finding]:
    """Whether relay and workers log in as who writes facts: then one that stands still, or that
    somebody else got hold of, can keep every command waiting."""
    with closing(PostgresConnection(settings.database_url or "", "log")) as db:
        running = [f"{kind} ({role})" for kind, role in db.execute(WRITERS_THAT_READ)]
    if settings.read_url is not None:
        with closing(PostgresLog(settings.read_url, allow_power=True)) as log:
            if log.session.execute(MAY_WRITE).fetchone()[0]:
                running.append("RELIEF_READ_URL")
    said = ", ".join(running)
    yield Finding(
        "readers",
        True,
        f"中继和看板进程以可写账本的账号登录：{said}；请执行 relief db init，"
        "并为它们设置 RELIEF_READ_URL（账号 relief_read）"
        if running
        else "没有中继或看板进程以可写账本的账号登录",
        f"Relay or workers log in as a role that may add facts: {said}. Run relief db init and give"
        " them RELIEF_READ_URL (role relief_read)."
        if running
        else "No relay and no worker logs in as a role that may add facts.",
        warn=bool(running),
    )


def _counts(settings: Settings) -> Iterator[Finding]:
    """Positions are dense, and each stream has versions 1, 2, 3 … without a gap."""
    with closing(PostgresConnection(settings.database_url or "", "log")) as db:
        sql = "SELECT count(*), coalesce(max(position), 0) FROM events"
        events, head = db.execute(sql).fetchone()
        (broken,) = db.execute(
            "SELECT count(*) FROM (SELECT 1 FROM events GROUP BY stream"
            " HAVING count(*) <> max(version) OR min(version) <> 1) AS broken"
        ).fetchone()
    whole = events == head and not broken
    yield Finding(
        "counts",
        whole,
        f"{events} 条记录，无缺号"
        if whole
        else f"账本有缺：{events} 条记录，末位 {head}，{broken} 个流不连续",
        f"{events} facts, no gap."
        if whole
        else f"The log has gaps: {events} facts, head {head}, {broken} streams with gaps.",
    )


def _vault(settings: Settings) -> Iterator[Finding]:
    url = _address(settings.vault_url, "RELIEF_VAULT_URL")
    path = settings.data / "vault.key"
    with closing(PostgresConnection(url, "vault")) as db:
        (keys,) = db.execute("SELECT count(*) FROM keys").fetchone()
        yield Finding("vault", True, f"密库中有 {keys} 把密钥", f"The vault holds {keys} keys.")
        (secrets,) = db.execute("SELECT count(*) FROM secrets").fetchone()
        if not secrets:
            yield Finding("key", True, "密库尚未启用", "The vault has not been used yet.")
            return
        check_key(db, path)
    yield stands_open(path) or Finding("key", True, "密钥与密库相符", "The key opens the vault.")


def _views(settings: Settings) -> Iterator[Finding]:
    url = _address(settings.views_url, "RELIEF_VIEWS_URL")
    with closing(PostgresConnection(url, "views")) as db:
        (made,) = db.execute("SELECT to_regclass('positions') IS NOT NULL").fetchone()
        if not made:
            yield Finding("views", True, "看板尚未建立", "The views have not been built yet.")
            return
        (lowest,) = db.execute("SELECT coalesce(min(position), 0) FROM positions").fetchone()
        parked = list(parked_and_stopped(db))
    with closing(PostgresLog(_address(settings.database_url, ""), allow_power=True)) as log:
        lag = log.head() - lowest
    yield Finding(
        "views", lag <= LAGGING, f"看板落后 {max(0, lag)} 条", f"The views lag {max(0, lag)} facts."
    )
    yield from parked


CHECKS: tuple[Check, ...] = (
    ("disk", space),
    ("modes", modes),
    ("log", _log),
    ("counts", _counts),
    ("readers", _readers),
    ("vault", _vault),
    ("views", _views),
    ("topics", topics),
    ("fingerprints", fingerprints),
    *LEDGER,
)


def examine_cluster(settings: Settings) -> Iterator[Finding]:
    """All findings about the databases of the settings. Changes nothing, may run beside a server.

    The database server's own disk is not looked at.
    """
    return all_of(CHECKS, settings)
