"""What everybody must be told of the ledger itself just now: on every page, in `/ready`, in doctor.

A notice passes by itself when its cause does. It stops nobody from working.
"""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from api.system import System
from api.watched import ALARM, WATCH, Alarm, read
from domain.plurals import counted
from domain.rules.base import CHINA
from domain.store import Hold, HoldCause
from eventstore.clock import ahead_by, clock_state
from eventstore.store import Store

Name = Literal["log-changed", "clock-held", "clock-gap", "views-remade"]


class Notice(BaseModel):
    """One thing that people must know, with its sentence in both languages."""

    name: Name
    zh: str
    en: str


def notices_of(system: System) -> list[Notice]:
    """All of them, the gravest first. Raises a `StoreError` when the log cannot be read."""
    return [*_changed(system.house.data), *_remade(system), *clock_notices(system.store)]


def _changed(data: Path) -> list[Notice]:
    """The log was written to by somebody else than the program."""
    alarm = read(data / WATCH / ALARM, Alarm)
    if alarm is None:  # as a rule
        return []
    return [
        Notice(
            name="log-changed",
            zh=f"账本被程序以外的人改动：第 {alarm.position} 条，{alarm.zh}。"
            "请立即报告管理员，运行 relief audit verify，不要据此拨款发物",
            en=f"The ledger was changed by somebody else than the program: at {alarm.position}. "
            f"{alarm.en} Tell an administrator at once and run relief audit verify; "
            "pay out nothing on its word.",
        )
    ]


def _remade(system: System) -> list[Notice]:
    """Until the views have come to where the log's epoch began: they began anew with it."""
    begun = int(system.store.log.mark("epoch-head") or 0)
    if system.boards.position >= begun:
        return []
    return [
        Notice(
            name="views-remade",
            zh="账本恢复或接管过，看板正在由账本重建，数字暂不完整",
            en="The log was restored or taken over. The boards are being remade from it, and their "
            "figures are not whole yet.",
        )
    ]


def clock_notices(store: Store) -> list[Notice]:
    """Of the clocks of this machine and of all others that write to this log."""
    holds = dict(clock_state(store.log).holds)
    clock = store.clock
    mine = clock.held
    if mine is not None:
        holds.setdefault(store.real.machine.host(), mine)
    told = [why_held(host, hold) for host, hold in holds.items()]
    found = [Notice(name="clock-held", zh=zh, en=en) for zh, en in told]
    if clock.gap is not None:
        found.append(_gap(clock.gap.days))
    return found


def why_held(host: str, hold: Hold) -> tuple[str, str]:
    """What happened to a machine's clock, and by what time the ledger goes meanwhile: in Chinese
    and English."""
    good = _minute(hold.good)
    hours, minutes = divmod(abs(ahead_by(hold)) // timedelta(minutes=1), 60)
    match hold.cause:
        case HoldCause.AHEAD:
            return (
                f"机器“{host}”启动时比数据库服务器快 {hours} 小时 {minutes} 分，"
                "现按数据库服务器的时间计时，等待管理员核定",
                f"At the start {host} was {hours} h {minutes} min ahead of the database server. "
                "Time goes on from the server's until an operator decides.",
            )
        case HoldCause.BEHIND:
            return (
                f"机器“{host}”启动时的时间比最后一条记录早 {hours} 小时 {minutes} 分，"
                "现从最后一条记录的时间起计时，等待管理员核定",
                f"At the start the time of {host} was {hours} h {minutes} min before the newest "
                "fact. Time goes on from that fact's until an operator decides.",
            )
        case HoldCause.LEAPT:
            return (
                f"机器“{host}”的时钟于 {good} 跳变，现按跳变前的时间继续计时，等待管理员核定",
                f"The clock of {host} leapt at {good} (China time). Time goes on from before the "
                "leap until an operator decides.",
            )
        case HoldCause.UNTOLD:
            return (
                f"机器“{host}”的时钟自 {good} 起停用，现从那时起继续计时，等待管理员核定",
                f"The clock of {host} has not been used since {good} (China time). Time goes on "
                "from then until an operator decides.",
            )


def _gap(days: int) -> Notice:
    return Notice(
        name="clock-gap",
        zh=f"启动时距上一条记录已有 {days} 天，请核对机器时间",
        en=(
            f"At the start the newest fact was {counted(days, 'day|days')} old. Check the "
            f"machine's time."
        ),
    )


def _minute(moment: datetime) -> str:
    return moment.astimezone(CHINA).strftime("%Y-%m-%d %H:%M")
