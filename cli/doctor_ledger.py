"""`relief doctor`: what the log says of itself, wherever it is: epoch, clock and backups."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from api.begun import not_set_up
from api.checkup import Finding
from api.disowned import told
from api.noticing import why_held
from api.watched import watched
from cli.checking import Check
from cli.doctor_provider import provider
from cli.plain_texts import plain_texts_of
from cli.settings import Settings
from domain.plurals import counted
from domain.rules.base import CHINA
from domain.store import Cause
from eventstore.backups_known import last_backup
from eventstore.clock import Clock, clock_state, machine_now
from eventstore.disowned import said_in
from eventstore.errors import LogPromoted
from eventstore.limits_reached import lately_reached
from eventstore.lineage import begun_by, epoch_of
from eventstore.log import Log, OutcomeRow, Row, SealRow, recorded_at
from eventstore.postgres import PostgresConnection, time_of, timeline_of
from eventstore.source import open_source
from eventstore.sql import Sql
from eventstore.sqlite import connect
from eventstore.store import TRAINING_MARK
from projections.folding.lineage import foreign

MINUTE = timedelta(minutes=1)
AT_ONCE = 500
BEGUN = {
    Cause.RESTORE: ("，由备份恢复而来", ", begun by a restore"),
    Cause.COPY: ("，由复制而来", ", begun by a copy"),
    Cause.PROMOTION: ("，由数据库备机接管而来", ", begun when PostgreSQL's stand-by took over"),
    Cause.OPERATOR: ("，由管理员登记", ", begun by an operator"),
}
"""How the log's epoch began, in both languages."""
ERASED = "SELECT state FROM events WHERE topic LIKE 'Person.Erased%' ORDER BY position"


class Reading(Log):
    """A log by its address alone. Opening a store would change its files' modes."""

    def __init__(self, settings: Settings) -> None:
        self._cluster = settings.database_url is not None
        self.writer = open_source(settings.database_url or settings.data / "log.sqlite")

    def fetch(self, sql: str, args: Sequence[Any] = ()) -> list[Any]:
        return self.writer.execute(sql, args).fetchall()

    def transaction(self) -> AbstractContextManager[Sql]:
        raise NotImplementedError("a doctor only looks")

    def append(
        self,
        db: Sql,
        rows: Sequence[Row],
        outcomes: Sequence[OutcomeRow] = (),
        seal: SealRow | None = None,
    ) -> None:
        raise NotImplementedError("a doctor only looks")

    def timeline(self) -> str:
        return timeline_of(self.writer) if self._cluster else ""

    def server_time(self) -> datetime | None:
        return time_of(self.writer) if self._cluster else None

    def close(self) -> None:
        self.writer.close()


def _views(settings: Settings) -> Sql | None:
    path = settings.data / "views.sqlite"
    if settings.database_url is None:
        return connect(path) if path.exists() else None
    if settings.views_url is None:
        return None
    db = PostgresConnection(settings.views_url, "views")
    (made,) = db.execute("SELECT to_regclass('generations') IS NOT NULL").fetchone()
    if made:
        return db
    db.close()
    return None


def _lineage(settings: Settings) -> Iterator[Finding]:
    """Whether the views were folded from this log, in this epoch."""
    views = _views(settings)
    if views is None:
        return
    with closing(Reading(settings)) as log, closing(views):
        if log.promoted():
            yield Finding("lineage", False, LogPromoted.zh, LogPromoted.en)
            return
        names = ", ".join(foreign(views, log))
        epoch, begun = epoch_of(log), begun_by(log)
    if names:
        yield Finding(
            "lineage",
            False,
            f"看板 {names} 不是由这本账（分支 {epoch}）得出：启动服务后会自动重建",
            f"Views of another log or epoch than this one ({epoch}): {names}. They are remade when "
            "the service starts.",
        )
    else:
        zh, en = ("", "") if begun is None else BEGUN[begun.cause]
        yield Finding(
            "lineage",
            True,
            f"看板与账本（分支 {epoch}{zh}）相符",
            f"Views and log agree: epoch {epoch}{en}.",
        )


def _clock(settings: Settings) -> Iterator[Finding]:
    """Whether a machine's clock is held, and whether this one's agrees with the newest fact."""
    with closing(Reading(settings)) as log:
        holds = clock_state(log).holds
        simulated, newest = log.mark("simulated") is not None, log.newest_at()
        server = log.server_time()
    for host, hold in holds.items():
        zh, en = why_held(host, hold)
        yield Finding("clock", False, f"{zh}：relief clock show", f"{en} See: relief clock show")
    here = Clock(
        leap=timedelta(seconds=settings.clock_leap_seconds),
        gap=timedelta(days=settings.clock_gap_days),
    )
    if not simulated:
        here.begin(newest, server=server)
    if here.ahead is not None and not holds:
        hours, minutes = divmod(here.ahead // MINUTE, 60)
        yield Finding(
            "clock",
            False,
            f"机器时间比数据库服务器快 {hours} 小时 {minutes} 分：请核对两者的时间",
            f"This machine's time is {hours} h {minutes} min ahead of the database server's. Check "
            "both.",
        )
    elif here.held is not None and not holds:
        yield Finding(
            "clock",
            False,
            "机器时间早于最后一条记录：请核对机器时间",
            "The machine's time lies before the newest fact. Check the machine's time.",
        )
    elif not holds:
        gap = "" if here.gap is None else f"（距上一条记录 {here.gap.days} 天）"
        told = "" if here.gap is None else f" The newest fact is {here.gap.days} days old."
        en = f"The clock goes as it should.{told}"
        yield Finding("clock", True, f"时钟正常{gap}", en, warn=here.gap is not None)


def _backup(settings: Settings) -> Iterator[Finding]:
    """How old the last backup is that `relief backup` made of this store."""
    now = machine_now()
    with closing(Reading(settings)) as log:
        made = last_backup(settings.data, log)
        made_up = log.mark("simulated") is not None
        first = log.rows(0, 1)
    since = made.at if made is not None else recorded_at(first[0][4]) if first else now
    well = made_up or now - since <= timedelta(days=settings.backup_days)
    if made is None:
        yield Finding(
            "backup",
            well,
            "没有本机备份的记录：请执行 relief backup，或按操作手册备份数据库",
            "No backup is known here. Run relief backup, or back the database up by its own means.",
            warn=True,
        )
        return
    days = (now - made.at).days
    yield Finding(
        "backup",
        well,
        f"最近一次备份在 {days} 天前，到第 {made.head} 条",
        f"The last backup is {days} days old, up to position {made.head}.",
    )


def _limits(settings: Settings) -> Iterator[Finding]:
    """Which limits the processes of this data folder have reached within a day."""
    now = machine_now()
    found = lately_reached(settings.data / "run", now.timestamp())
    if not found:
        yield Finding(
            "limits", True, "24 小时内未触及限额", "No limit was reached in the last 24 hours."
        )
        return
    zh, en = [], []
    for limit, (count, last) in sorted(found.items()):
        at = f"{datetime.fromtimestamp(last, CHINA):%H:%M}"
        setting = f"RELIEF_{limit}".upper()
        zh.append(f"{setting} {count} 次（最近 {at}）")
        en.append(f"{setting} {counted(count, 'time|times')} (last at {at}, China time)")
    yield Finding(
        "limits",
        True,
        f"24 小时内触及限额：{'、'.join(zh)}；是否有人滥用，或限额过窄？见操作手册“Limits”",
        f"Limits reached in the last 24 hours: {', '.join(en)}. A flood, or too narrow for honest"
        " work? See Limits in docs/operations.md.",
        warn=True,
    )


class _Erased(msgspec.Struct):
    person: UUID


def _erasures(settings: Settings) -> Iterator[Finding]:
    """Whether the vault holds keys of persons who are erased by the log: an older vault does."""
    decode = msgspec.json.Decoder(_Erased).decode
    with closing(Reading(settings)) as log:
        persons = sorted({decode(state).person.bytes for (state,) in log.fetch(ERASED)})
    left = 0
    with closing(_vault(settings)) as vault:
        for start in range(0, len(persons), AT_ONCE):
            some = tuple(persons[start : start + AT_ONCE])
            marks = ",".join("?" * len(some))
            sql = f"SELECT count(*) FROM keys WHERE person IN ({marks})"  # noqa: S608
            left += vault.execute(sql, some).fetchone()[0]
    yield Finding(
        "erasures",
        not left,
        f"密库中还有 {left} 名已销毁人员的密钥（密库可能较旧）："
        "请执行 relief doctor --repair erasures"
        if left
        else f"{len(persons)} 名已销毁人员的密钥均已不在",
        f"The vault still holds the keys of {left} erased persons (it may be an older one): "
        "run relief doctor --repair erasures."
        if left
        else f"Of {len(persons)} erased persons no key is left.",
    )


def _vault(settings: Settings) -> Sql:
    if settings.database_url is None:
        return connect(settings.data / "vault.sqlite")
    return PostgresConnection(settings.vault_url or "", "vault")


def _free_texts(settings: Settings) -> Iterator[Finding]:
    """What people wrote before free texts were sealed: it stays in the log, for facts stay."""
    with closing(Reading(settings)) as log:
        plain = plain_texts_of(log, settings.data)
    listed = ", ".join(f"{name}: {number}" for name, number in sorted(plain.items()))
    yield Finding(
        "free-texts",
        True,
        f"升级前的记录中有 {plain.total()} 处文字未加密（{listed}）：记录不能改动，"
        "请像密库一样保管账本文件及其备份，不外传"
        if plain
        else "人员填写的文字均已加密",
        f"{plain.total()} texts in facts from before such texts were sealed are plain ({listed}). "
        "Facts are never changed: keep the log and its backups as you keep the vault."
        if plain
        else "All texts that people wrote are sealed.",
        warn=bool(plain),
    )


def _set_up(settings: Settings) -> Iterator[Finding]:
    """Whether somebody can work here."""
    with closing(Reading(settings)) as log:
        open_ended = not_set_up(log)
        training = log.mark(TRAINING_MARK) is not None
    zh, en = ("演练账本", "training store") if training else ("账本", "store")
    yield Finding(
        "set-up",
        not open_ended,
        "账本尚未建立，无人可以登录：执行 relief init，或启动 relief serve 后打开它给出的建账页面"
        if open_ended
        else f"{zh}已建立",
        "The store is not set up and nobody can log in: run relief init, or start relief serve and "
        "open the page that it prints."
        if open_ended
        else f"The {en} is set up.",
    )


def _watched(settings: Settings) -> Iterator[Finding]:
    """Whether the watch beside the server has found the log changed."""
    alarm = watched(settings.data).alarm
    if alarm is not None:
        yield Finding(
            "watch",
            False,
            f"账本被程序以外的人改动：第 {alarm.position} 条，{alarm.zh}。"
            "请保留现场，运行 relief audit verify，不要据此拨款发物",
            f"Somebody else than the program changed the log: at {alarm.position}. {alarm.en} Keep "
            "everything as it is, run relief audit verify, and pay out nothing on its word.",
        )
    else:
        yield Finding(
            "watch",
            True,
            "监看没有发现账本被改动",
            "The watch has found no change to the log.",
        )


def _disowned(settings: Settings) -> Iterator[Finding]:
    """Rows that somebody had put in by hand, and that an operator has disowned since."""
    with closing(Reading(settings)) as log:
        found = [told(one) for one in said_in(log)]
    for one in found:
        yield Finding("disowned", True, one["zh"], one["en"])


LEDGER: tuple[Check, ...] = (
    ("watch", _watched),
    ("disowned", _disowned),
    ("set-up", _set_up),
    ("erasures", _erasures),
    ("free-texts", _free_texts),
    ("lineage", _lineage),
    ("clock", _clock),
    ("backup", _backup),
    ("limits", _limits),
    ("provider", provider),
)
