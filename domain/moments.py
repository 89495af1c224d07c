"""Moments of the field that a command may say: not yet to come, not over, not before the step
that they follow."""

from datetime import date, datetime, timedelta

from domain.refusal import Malformed
from domain.rules.base import china_day

CLOCK_SLACK = timedelta(minutes=5)
"""How far a phone's clock may run ahead of the server's."""


def with_zone(field: str, at: datetime) -> None:
    """Refuse with `Malformed` a time without its zone: nobody could say when it was."""
    if at.utcoffset() is None:
        raise Malformed(
            field=field, value=at.isoformat(), rule_zh="须带时区", rule_en="it needs a time zone"
        )


def not_in_future(field: str, at: datetime, now: datetime) -> None:
    """Refuse with `Malformed` a time of the field that the server's clock has not reached."""
    with_zone(field, at)
    if at > now + CLOCK_SLACK:
        raise Malformed(
            field=field,
            value=at.isoformat(),
            rule_zh="不能晚于当前时间",
            rule_en="it lies in the future",
        )


def not_over(field: str, at: datetime, now: datetime) -> None:
    """Refuse with `Malformed` a time to come that is over: pages say times to the minute."""
    with_zone(field, at)
    if at <= now - timedelta(minutes=1):
        raise _over(field, at.isoformat())


def day_not_over(field: str, day: date, now: datetime) -> None:
    """Refuse with `Malformed` a day to come that is over in China."""
    if day < china_day(now):
        raise _over(field, day.isoformat())


def not_before(
    field: str,
    at: datetime,
    then: datetime,
    order: tuple[str, str],
    slack: timedelta = timedelta(0),
) -> None:
    """Refuse with `Malformed` a step that is dated before the one it follows, to the minute.

    ``order``: a sentence in Chinese and English that names both steps. ``slack``: `CLOCK_SLACK`
    where ``then`` was read from the server's clock, behind which a phone's may run.
    """
    with_zone(field, at)
    if at < then.replace(second=0, microsecond=0) - slack:
        raise _too_early(field, at.isoformat(), then.isoformat(), order)


def day_not_before(field: str, day: date, then: date, order: tuple[str, str]) -> None:
    """The same for days."""
    if day < then:
        raise _too_early(field, day.isoformat(), then.isoformat(), order)


def _too_early(field: str, value: str, then: str, order: tuple[str, str]) -> Malformed:
    zh, en = order
    return Malformed(field=field, value=value, rule_zh=f"{zh}（{then}）", rule_en=f"{en} ({then})")


def _over(field: str, value: str) -> Malformed:
    return Malformed(
        field=field, value=value, rule_zh="这个时间已经过去", rule_en="that time is over"
    )
