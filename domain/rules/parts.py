"""Relief that is paid in parts 分期: by the month or the ten days, or as a home is rebuilt.

A part is a number from 1 on. What a part gives is the rate's own sum up to its end without that up
to its beginning, so that all parts together are what the rate gives at once, to the last fen.
"""

from typing import NamedTuple

from domain.rules.standards import BY_DAYS, Rate, units

WHOLE = 100


class Part(NamedTuple):
    """One part. By days ``first_day`` to ``last_day`` of the relief; else by a milestone."""

    number: int
    first_day: int = 0
    last_day: int = 0
    zh: str = ""
    en: str = ""
    percent: int = 0


def parts_of(rate: Rate, days: int) -> tuple[Part, ...]:
    """The parts in which a need of so many days is paid; none: all at once."""
    if rate.milestones:
        return tuple(
            Part(number, zh=one.zh, en=one.en, percent=one.percent)
            for number, one in enumerate(rate.milestones, start=1)
        )
    if rate.basis not in BY_DAYS or rate.pay_every_days is None:
        return ()
    every, all_days = rate.pay_every_days, min(days, rate.max_days)
    starts = range(0, all_days, every)
    return tuple(
        Part(number, start + 1, min(start + every, all_days))
        for number, start in enumerate(starts, start=1)
    )


def part_fen(
    rate: Rate, each_fen: int, part: Part, persons: int, days: int = 1, count: int = 1
) -> int:
    """What ``each_fen`` a unit of the rate's basis comes to in this part."""
    if part.last_day:

        def upto(last: int) -> int:
            return each_fen * units(rate, persons, last, count) if last else 0

        return upto(part.last_day) - upto(part.first_day - 1)
    whole = each_fen * units(rate, persons, days, count)
    before = sum(one.percent for one in rate.milestones[: part.number - 1])
    return whole * (before + part.percent) // WHOLE - whole * before // WHOLE
