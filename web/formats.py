"""How figures and times are written: China time (+08:00), yuan with two decimals, null is not zero.

One `Formats` a language; its methods are the globals of the templates.
"""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final

from babel.dates import format_date

from domain.rules.base import CHINA
from domain.telling import yuan
from web.i18n import LOCALES, Catalog

UNKNOWN: Final = "—"
"""Not yet known. Never 0: a verified zero is a figure."""


NO_BREAK: Final = "\u00a0"
"""A space at which no line ends."""


class Formats:
    """Values to text in one language. None is always `UNKNOWN`."""

    def __init__(self, catalog: Catalog) -> None:
        self._t = catalog.t
        self._language = catalog.language
        self._locale = LOCALES[catalog.language]

    def number(self, value: int | Decimal | None) -> str:
        """16366 → 16,366; a decimal keeps its places."""
        if value is None:
            return UNKNOWN
        # Both languages group by thousands with a comma; Babel takes 0.3 ms a figure to say so.
        return f"{value:,}" if isinstance(value, int) else f"{value:,f}"

    def fen(self, amount_fen: int | None) -> str:
        """374000000 → 3,740,000.00 元 (¥3,740,000.00 in English). No line ends before its 元."""
        if amount_fen is None:
            return UNKNOWN
        return yuan(amount_fen, self._language).replace(" ", NO_BREAK)

    def when(self, moment: datetime | None) -> str:
        """2018-07-03 14:05, in China time, the same in both languages. Naive: ValueError."""
        return UNKNOWN if moment is None else china(moment).strftime("%Y-%m-%d %H:%M")

    def clock(self, moment: datetime | None) -> str:
        """14:05:12, in China time."""
        return UNKNOWN if moment is None else china(moment).strftime("%H:%M:%S")

    def day(self, value: date | None) -> str:
        """2018年7月3日 (3 Jul 2018). A moment is taken in China time."""
        if value is None:
            return UNKNOWN
        if isinstance(value, datetime):
            value = china(value).date()
        return format_date(value, self._t("format.day"), locale=self._locale)

    def lasting(self, span: timedelta | None) -> str:
        """A length of time in its two largest units: 2 小时 5 分 (2 h 5 min)."""
        if span is None:
            return UNKNOWN
        seconds = abs(int(span.total_seconds()))
        days, rest = divmod(seconds, 86_400)
        hours, rest = divmod(rest, 3_600)
        minutes, seconds = divmod(rest, 60)
        if days:
            return self._t("format.days_hours", days=days, hours=hours)
        if hours:
            return self._t("format.hours_minutes", hours=hours, minutes=minutes)
        if minutes:
            return self._t("format.minutes", minutes=minutes)
        return self._t("format.seconds", seconds=seconds)


def china(moment: datetime) -> datetime:
    """The moment in China time. Raises ValueError for a time without a zone."""
    if moment.tzinfo is None:
        raise ValueError(f"a time without a zone cannot be shown: {moment}")
    return moment.astimezone(CHINA)


def iso(moment: datetime) -> str:
    """For ``datetime=`` attributes: UTC with Z, to the second."""
    return china(moment).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def mask(name: str) -> str:
    """张小三 → 张*三, 张三 → 张*, 欧阳小三 → 欧**三: the same mask everywhere.

    Views hold masked names already; this is for names a person has just typed or unsealed.
    """
    if len(name) <= 1:
        return "*" * len(name)
    if len(name) == 2:
        return name[0] + "*"
    return name[0] + "*" * (len(name) - 2) + name[-1]
