"""What other standards would have said of a household's relief: pure, by the standards' sums."""

from typing import NamedTuple

from domain.comparing import Said
from domain.plurals import counted
from domain.rules.standards import Programme, amount_fen, ceiling_fen, minimum_fen
from domain.telling import yuan


class Helped(NamedTuple):
    """A household in a season: what it was helped by, and with what."""

    rate: str
    persons: int
    days: int
    number: int
    cash_fen: int
    goods_fen: int
    reason: str


class Verdict(NamedTuple):
    """What a standard gives a household, and what it says of what it was given.

    ``granted``: "" nothing was given, "within", "over" (a written reason is asked for), "reasoned"
    (it has one) or "under" (refused).
    """

    guide_fen: int
    ceiling_fen: int
    minimum_fen: int
    granted: str


GRANTED: dict[str, Said] = {
    "": ("", ""),
    "within": ("所发在标准之内", "what was given is within it"),
    "over": (
        "所发超过上限，须书面说明理由",
        "what was given is over it: it takes a written reason",
    ),
    "reasoned": ("所发超过上限，已说明理由", "what was given is over it, with a written reason"),
    "under": ("所发低于最低额，不能发放", "what was given is under the minimum: refused"),
}


def verdict(terms: Programme | None, helped: Helped) -> Verdict | None:
    """None: there is no such programme or rate, nothing could be given."""
    rate = terms.rate(helped.rate) if terms is not None else None
    if terms is None or rate is None:
        return None
    need = (rate, helped.persons, helped.days, helped.number)
    guide, ceiling, minimum = amount_fen(*need), ceiling_fen(*need), minimum_fen(*need)
    total = helped.cash_fen + (helped.goods_fen if terms.goods_count else 0)
    granted = "within"
    if not helped.cash_fen and not helped.goods_fen:
        granted = ""
    elif total > ceiling:
        granted = "reasoned" if helped.reason else "over"
    elif total < minimum and helped.cash_fen:
        granted = "under"
    return Verdict(guide, ceiling, minimum, granted)


def verdict_said(found: Verdict | None) -> Said:
    if found is None:
        return "没有这个项目或档次，不能发放", "no such programme or rate: nothing could be given"
    zh = f"标准 {yuan(found.guide_fen, 'zh')}，上限 {yuan(found.ceiling_fen, 'zh')}"
    en = f"guide {yuan(found.guide_fen, 'en')}, ceiling {yuan(found.ceiling_fen, 'en')}"
    if found.minimum_fen:
        zh += f"，最低 {yuan(found.minimum_fen, 'zh')}"
        en += f", minimum {yuan(found.minimum_fen, 'en')}"
    more_zh, more_en = GRANTED[found.granted]
    return (f"{zh}；{more_zh}" if more_zh else zh), (f"{en}; {more_en}" if more_en else en)


def programme_said(terms: Programme | None) -> Said:
    """How a programme is run, beside its rates."""
    if terms is None:
        return "没有这个项目，不能开立", "no such programme: it could not be opened"
    days = (terms.first_notice_days, terms.second_notice_days)
    zh = f"{len(terms.steps)} 个步骤，公示 {days[0]} 天和 {days[1]} 天"
    en = (
        f"{counted(len(terms.steps), 'step|steps')}, notices of {days[0]} and "
        f"{counted(days[1], 'day|days')}"
    )
    within = terms.pay_within_working_days
    if within is not None:
        zh, en = (
            f"{zh}，{within} 个工作日内发放",
            f"{en}, paid within {counted(within, 'working day|working days')}",
        )
    if terms.assess_by is not None:
        day = f"{terms.assess_by.month:02}-{terms.assess_by.day:02}"
        zh, en = f"{zh}，{day} 前评估", f"{en}, assessed by {day}"
    return zh, en


def steps_differ(one: Programme | None, other: Programme | None) -> bool:
    return programme_said(one) != programme_said(other) or (
        one is not None and other is not None and one.steps != other.steps
    )
