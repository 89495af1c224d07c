"""How many sessions on PostgreSQL the processes of a cluster may hold, against what it gives.

A process opens sessions as it needs them: usually it holds a few, in a flood all of these. What a
command of an operator takes besides (`relief doctor`, `relief views rebuild`) is not counted: it
has the fifth that is to be kept free.
"""

import time
from collections import Counter
from collections.abc import Iterator, Mapping

from api.checkup import Finding
from cli.settings import Settings
from cli.working import THREADS
from eventstore.postgres import LOG_SESSIONS, VAULT_SESSIONS
from eventstore.sql import Sql
from projections.folding.reader import POSTGRES_SESSIONS
from streams.health import beating
from streams.watching import WATCH_SESSIONS

MOST_OF_ALL = 0.8
"""The part of PostgreSQL's sessions that processes may come to before it is a warning."""

POOLS: Mapping[str, Mapping[str, int]] = {
    "relay": {
        "log": LOG_SESSIONS,
        "lowest position of the views": 1,
        "what was relayed, to both topics": 2,
        "leadership": 1,
    },
    "worker": {
        "log": LOG_SESSIONS,
        "views, one for each thread": THREADS,
        "word of other workers": 1,
        "word to them": 1,
    },
    "api": {
        "log": LOG_SESSIONS,
        "vault": VAULT_SESSIONS,
        "readings that are noted": 1,
        "queries of the boards": POSTGRES_SESSIONS,
        "positions of the views": WATCH_SESSIONS,
        "views": 1,
        "leadership of the timekeeper": 1,
    },
}
"""Kind of process → what its sessions are for → how many at most."""
SESSIONS: Mapping[str, int] = {kind: sum(pools.values()) for kind, pools in POOLS.items()}
USUAL: Mapping[str, int] = {"relay": 1, "worker": 2, "api": 2}
"""What `relief up` starts, and docker-compose.yml."""

FOR_US = """
SELECT current_setting('max_connections')::int
     - current_setting('superuser_reserved_connections')::int
     - coalesce(current_setting('reserved_connections', true), '0')::int,
       (SELECT count(*) FROM pg_stat_activity WHERE datid IS NOT NULL AND usesysid IS NOT NULL)
"""
"""What is left for those who are no administrators, and how many are open now, by whomever: what
kind of session another role's is, the application's role may not see, but that it is one."""


def sessions_of(kind: str) -> int:
    """How many a process holds at most. A kind that is not known counts as the dearest."""
    return SESSIONS.get(kind, max(SESSIONS.values()))


def most_of(kinds: Mapping[str, int]) -> int:
    """How many sessions so many processes of each kind hold at most."""
    return sum(sessions_of(kind) * count for kind, count in kinds.items())


def connections(settings: Settings, db: Sql) -> Iterator[Finding]:
    """Whether PostgreSQL gives enough for the processes that run on this data folder, and for
    those of other machines as far as they are connected now."""
    given, opened = db.execute(FOR_US).fetchone()
    kinds = Counter(beating(settings.data / "run", time.time()).values())
    most = most_of(kinds)
    much = max(most, opened) > MOST_OF_ALL * given
    listed = ", ".join(
        f"{kind or '?'} {count} × {sessions_of(kind)}" for kind, count in sorted(kinds.items())
    )
    zh = f"本机进程最多占用 {most} 个数据库连接（{listed}）" if kinds else "本机没有运行中的进程"
    en = (
        f"The processes here hold at most {most} sessions ({listed})"
        if kinds
        else "No process runs here"
    )
    zh += f"，现有 {opened} 个，数据库可给 {given} 个"
    en += f"; {opened} are open now, PostgreSQL gives {given}."
    if much:
        zh += "：已超过八成，请调高 max_connections 或减少进程"
        en += " That is more than 80 %: raise max_connections, or run fewer processes."
    yield Finding("connections", True, zh, en, warn=much)


def table() -> str:
    """The same for docs/operations.md: a row for each kind of process, and what is usual."""
    lines = ["| process | sessions at most | for |", "|---|---|---|"]
    for kind, pools in POOLS.items():
        uses = ", ".join(f"{use} {count}" for use, count in pools.items())
        lines.append(f"| {kind} | {SESSIONS[kind]} | {uses} |")
    usual = ", ".join(f"{count} {kind}" for kind, count in USUAL.items())
    lines.append(f"| **{usual}** | **{most_of(USUAL)}** | |")
    return "\n".join(lines)
