"""`relief doctor` for a data folder: is everything whole that the ledger stands on?

All checks stand in the lists at the foot, in the order in which they are told. A new one is a
function that takes the settings and yields a `Finding` or several: what can be asked of every log
goes into `cli.doctor_ledger`, what is PostgreSQL's into `cli.doctor_cluster`, the rest here.
"""

import shutil
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from api.checkup import Finding
from cli.checking import Check, all_of
from cli.doctor_ledger import LEDGER
from cli.settings import Settings
from domain.plurals import counted
from eventstore import sqlite as log_file
from eventstore import vault_tables
from eventstore.errors import StoreError
from eventstore.modes import standing_open
from eventstore.sql import Sql, explain
from eventstore.sqlite import connect
from eventstore.wrapping import check_key
from projections.catalog import VIEWS
from projections.folding.errors import STOPPED
from projections.folding.fingerprints import kept, prints_of

OLDEST_SQLITE = (3, 37, 0)
OLDEST_PYTHON = (3, 11)
KEY_BYTES = 32
LAGGING = 10_000


def _versions(_: Settings) -> Iterator[Finding]:
    python = ".".join(str(part) for part in sys.version_info[:3])
    fine = sys.version_info[:2] >= OLDEST_PYTHON and sqlite3.sqlite_version_info >= OLDEST_SQLITE
    said = f"Python {python}, SQLite {sqlite3.sqlite_version}"
    yield Finding("versions", fine, said, said)


def fingerprints(_: Settings) -> Iterator[Finding]:
    """Whether the code of each view is what its version stands for."""
    now, before = prints_of(VIEWS), kept()
    other = ", ".join(sorted(name for name in now | before if now.get(name) != before.get(name)))
    yield Finding(
        "fingerprints",
        not other,
        f"看板程序与其版本不符：{other}；请重新安装程序" if other else "看板程序与其版本相符",
        f"The code of these views is not that of their versions: {other}. Install the program anew."
        if other
        else "The code of the views is that of their versions.",
    )


def space(settings: Settings) -> Iterator[Finding]:
    """Where the data folder is; of PostgreSQL's own disk nothing is known here."""
    place = settings.data.absolute()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    size = f"{free / 1024**3:.1f} GiB"
    fine = free >= settings.disk_left_bytes
    yield Finding("disk", fine, f"磁盘剩余 {size}", f"{size} of disk are free.")


def modes(settings: Settings) -> Iterator[Finding]:
    """Whether others can read what lies in a data folder. A store that is opened closes it."""
    data = settings.data
    if not data.exists():
        return
    found = [f"{path.relative_to(data.parent)} ({mode:o})" for path, mode in standing_open(data)]
    said = ", ".join(found)
    yield Finding(
        "modes",
        not found,
        f"他人可读取：{said}" if found else "数据文件夹只有本用户可读",
        f"Others can read {said}." if found else "Nobody else can read the data folder.",
    )


def _files(settings: Settings) -> Iterator[Finding]:
    data = settings.data
    if not (data / "log.sqlite").exists():
        yield Finding("files", False, f"{data} 中没有账本", f"There is no ledger in {data}.")
        return
    lost = [name for name in ("vault.sqlite", "vault.key") if not (data / name).exists()]
    if lost:
        names = ", ".join(lost)
        yield Finding(
            "files",
            False,
            f"缺少 {names}：个人信息无法读取，请从备份恢复",
            f"{names} is missing: personal data cannot be read. Restore it from a backup.",
        )
    else:
        yield Finding("files", True, "文件齐全", "All files are there.")


def _databases(settings: Settings) -> Iterator[Finding]:
    log, vault = settings.data / "log.sqlite", settings.data / "vault.sqlite"
    if log.exists():
        yield from _database("log", log, log_file.SCHEMA)
    if log.exists() and vault.exists():
        yield from _database("vault", vault, vault_tables.SCHEMA)


def _database(name: str, path: Path, schema: int) -> Iterator[Finding]:
    try:
        with closing(connect(path)) as db:
            found = db.execute("PRAGMA user_version").fetchone()[0]
            whole = [row[0] for row in db.execute("PRAGMA quick_check(3)")]
    except (StoreError, sqlite3.Error) as problem:
        told = explain(problem) if isinstance(problem, sqlite3.Error) else problem
        yield Finding(name, False, f"{path.name}：{told.zh}", f"{path.name}: {told}")
        return
    if whole != ["ok"]:
        detail = "; ".join(whole)
        yield Finding(
            name, False, f"{path.name} 已损坏：{detail}", f"{path.name} is damaged: {detail}"
        )
    elif found != schema:
        yield Finding(
            name,
            False,
            f"{path.name} 版本为 {found}，程序需要 {schema}",
            f"{path.name} has schema {found}, this program knows {schema}.",
        )
    else:
        yield Finding(
            name,
            True,
            f"{path.name} 完好（版本 {schema}）",
            f"{path.name} is whole, schema {schema}.",
        )


def _key(settings: Settings) -> Iterator[Finding]:
    data = settings.data
    path = data / "vault.key"
    try:
        with closing(connect(data / "vault.sqlite")) as db:
            check_key(db, path)
    except StoreError as problem:
        yield Finding("key", False, f"{path.name}：{problem.zh}", f"{path.name}: {problem}")
        return
    yield stands_open(path) or Finding("key", True, "密钥与密库相符", "The key opens the vault.")


def stands_open(path: Path) -> Finding | None:
    """What is wrong with who may read the key file."""
    mode = path.stat().st_mode & 0o777
    if not mode & 0o077:
        return None
    return Finding(
        "key",
        False,
        f"{path.name} 可被他人读取（{mode:o}），请执行 chmod 600",
        f"{path.name} can be read by others ({mode:o}): chmod 600 it.",
    )


def _counts(settings: Settings) -> Iterator[Finding]:
    """Positions are dense, and each stream has versions 1, 2, 3 … without a gap."""
    with closing(connect(settings.data / "log.sqlite")) as db:
        events, head = db.execute(
            "SELECT count(*), coalesce(max(position), 0) FROM events"
        ).fetchone()
        broken = db.execute(
            "SELECT count(*) FROM (SELECT 1 FROM events GROUP BY stream"
            " HAVING count(*) <> max(version) OR min(version) <> 1)"
        ).fetchone()[0]
    if events != head or broken:
        yield Finding(
            "counts",
            False,
            f"账本有缺：{events} 条记录，末位 {head}，{broken} 个流不连续",
            f"The log has gaps: {events} facts, head {head}, {broken} streams with gaps.",
        )
    else:
        yield Finding("counts", True, f"{events} 条记录，无缺号", f"{events} facts, no gap.")


def _views(settings: Settings) -> Iterator[Finding]:
    log, views = settings.data / "log.sqlite", settings.data / "views.sqlite"
    if not views.exists():
        yield Finding("views", True, "看板尚未建立", "The views have not been built yet.")
        return
    try:
        with closing(connect(log)) as db:
            head = db.execute("SELECT coalesce(max(position), 0) FROM events").fetchone()[0]
        with closing(connect(views)) as db:
            at = dict(db.execute("SELECT view, min(position) FROM positions GROUP BY view"))
            parked = list(parked_and_stopped(db))
    except (StoreError, sqlite3.Error) as problem:
        told = explain(problem) if isinstance(problem, sqlite3.Error) else problem
        yield Finding("views", False, f"{views.name}：{told.zh}", f"{views.name}: {told}")
        return
    known = [at[view.name] for view in VIEWS if view.name in at]
    lag = head - min(known, default=0)
    if any(position > head for position in known):
        yield Finding(
            "views",
            False,
            "看板超前于账本：不属于这本账，请执行 relief views rebuild",
            "The views are ahead of the log: not of this ledger. Run relief views rebuild.",
        )
        return
    yield Finding(
        "views",
        lag <= LAGGING,
        f"看板落后 {lag} 条",
        f"The views lag {counted(lag, 'fact|facts')} behind the log.",
    )
    yield from parked


def parked_and_stopped(db: Sql) -> Iterator[Finding]:
    """What the views could not fold, and which of them stand still because of it."""
    (parked,) = db.execute("SELECT count(*) FROM parked").fetchone()
    yield Finding(
        "parked", not parked, f"搁置 {parked} 条", f"{counted(parked, 'fact is|facts are')} parked."
    )
    sql = "SELECT DISTINCT view FROM positions WHERE failing >= ? ORDER BY view"
    stopped = [view for (view,) in db.execute(sql, (STOPPED,))]
    names = ", ".join(stopped)
    yield Finding(
        "stopped",
        not stopped,
        f"看板已停下：{names}；处理后运行 relief resume" if stopped else "没有停下的看板",
        f"These views stand still: {names}. When somebody has looked: relief resume."
        if stopped
        else "No view stands still.",
    )


OUTSIDE: tuple[Check, ...] = (
    ("versions", _versions),
    ("fingerprints", fingerprints),
    ("disk", space),
    ("files", _files),
    ("databases", _databases),
)
"""What must be there before a ledger can be read."""
INSIDE: tuple[Check, ...] = (("key", _key), ("counts", _counts), ("views", _views), *LEDGER)
"""What a ledger says whose outside is whole."""


LAST: tuple[Check, ...] = (("modes", modes),)
"""What is asked of every data folder with a log, whole or not."""


def examine(settings: Settings) -> Iterator[Finding]:
    """All findings about a data folder. Changes nothing and may run beside a server."""
    whole = True
    for one in all_of(OUTSIDE, settings):
        whole = whole and one.ok
        yield one
    if whole:
        yield from all_of(INSIDE, settings)
    if (settings.data / "log.sqlite").exists():
        yield from all_of(LAST, settings)
