"""Write docs/rules.md from rules/*.toml: what each rulebook says, in words and tables.

python scripts/rules_reference.py          write docs/rules.md
python scripts/rules_reference.py --check  exit 1 if docs/rules.md is not current
"""

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from domain.rules.deadlines import Deadlines  # noqa: E402
from domain.rules.dispatch import Dispatch  # noqa: E402
from domain.rules.hazards import Hazards  # noqa: E402
from domain.rules.household_kinds import HouseholdKinds  # noqa: E402
from domain.rules.indicators import Indicators  # noqa: E402
from domain.rules.items import Items  # noqa: E402
from domain.rules.loading import RulebookFile, parse_rulebook  # noqa: E402
from domain.rules.notices import Notices  # noqa: E402
from domain.rules.standards import BY_DAYS, Programme, Standards  # noqa: E402
from domain.rules.thresholds import ROMAN, Thresholds  # noqa: E402
from domain.rules.working_days import WorkingDays  # noqa: E402

TARGET = ROOT / "docs" / "rules.md"
Lines = list[str]

INTRODUCTION = """# Rules reference

Generated from `rules/` by `scripts/rules_reference.py`: change the rules, not this page.

A rulebook enters the log as `Rulebook.Adopted`; a decision uses the one in force at its
`occurred_at`, of the nearest area that has one, and records its version. A nearer rulebook
replaces the whole rulebook of that kind. Files under `rules/regional/` are **examples**: values
seen elsewhere, made up, or still to be verified. Replace them by your own documents. Files under
`rules/examples/` are in force nowhere: an administrator begins from them on the page 规则.
Numbers at which a level begins (以上) are included. All wall times are Beijing time.
"""


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> Lines:
    names = list(head)
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return [*lines, ""]


def yuan(fen: int) -> str:
    return f"{fen // 100:,}.{fen % 100:02d}" if fen % 100 else f"{fen // 100:,}"


def deadlines(rule: Deadlines) -> Lines:
    verified = {limit.level: f"{limit.working_days} working days" for limit in rule.verified}
    due = {limit.level: f"{limit.due:%H:%M}" for limit in rule.follow_up}
    rows = [
        (
            limit.level,
            f"{limit.minutes} min from {limit.start}",
            due.get(limit.level, "as the level above"),
            verified.get(limit.level, "not set"),
        )
        for limit in rule.initial
    ]
    lines = table(("level", "initial 初报", "daily follow-up 续报", "verified 核报"), rows)
    lines += [f"A drought is followed up every {rule.drought_every_days} days.", ""]
    for rule_ in rule.bypass:
        told = " and ".join(rule_.also_to)
        figures = " + ".join(rule_.sum_of)
        lines += [f"- {rule_.level}: {figures} ≥ {rule_.at_least} is told to {told} at once."]
    return [*lines, ""]


def dispatch(rule: Dispatch) -> Lines:
    limits = [f"priority {one.priority}: {one.minutes} min" for one in rule.acknowledge]
    if rule.untriaged_minutes is not None:
        limits.append(f"not triaged: {rule.untriaged_minutes} min")
    return [
        f"- a unit acknowledges within: {', '.join(limits) or 'not set, nothing is escalated'}",
        f"- past that the area above is put in charge, up to the {rule.up_to}",
        "",
    ]


def indicators(rule: Indicators) -> Lines:
    rows = [
        (f"`{i.key}`", i.zh, i.en, f"{i.unit_zh} ({i.unit_en})", i.number, i.clock or "", i.group)
        for i in rule.indicators
    ]
    lines = table(("key", "中文", "English", "unit", "number", "clock", "group"), rows)
    checks: list[tuple[str, str, str]] = [
        (
            f"`{s.id}`",
            f"{s.whole} {'≥' if s.other_parts else '='} {' + '.join(s.parts)}",
            s.severity,
        )
        for s in rule.sums
    ]
    checks += [
        (
            f"`{a.id}`",
            f"each of {', '.join(a.smaller)} ≤ {a.larger}",
            a.severity + (" (to be verified)" if a.verify else ""),
        )
        for a in rule.at_most
    ]
    checks += [
        (f"`{r.id}`", f"{r.key} = rows of roster {r.roster} (核报)", r.severity)
        for r in rule.rosters
    ]
    checks += [
        ("`pair-…`", "a current figure ≤ its cumulative pair", "error"),
        ("`falling-…`", "a cumulative figure does not fall in a 续报", rule.falling),
        ("`split-…`", "an area's figure = the sum of its parts'", "error"),
    ]
    lines += table(("rule", "says", "severity"), checks)
    jumps = [(", ".join(j.keys), j.factor, j.absolute) for j in rule.jumps]
    lines += ["A change needs a reason when it reaches the factor and the amount:", ""]
    return lines + table(("figures", "factor", "amount"), jumps)


def thresholds(rule: Thresholds) -> Lines:
    rows = []
    for metric in rule.metrics:
        steps = {c.level: c.at_least for c in rule.conditions if c.metric == metric.key}
        cells = [f"{steps[level]:,}" if level in steps else "-" for level in ROMAN]
        rows.append((metric.zh, metric.en, metric.unit_zh, *cells))
    lines = [f"Measured over one {rule.measured_over}. Any one condition suffices.", ""]
    return lines + table(("指标", "metric", "unit", *ROMAN.values()), rows)


def standards(rule: Standards) -> Lines:
    rows: list[tuple[object, ...]] = []
    for programme in rule.programmes:
        for rate in programme.rates:
            amounts = (rate.amount_fen, rate.minimum_fen, rate.ceiling_fen)
            named = (f"{programme.zh} `{programme.key}`", f"{rate.zh} `{rate.key}`", rate.basis)
            rows.append((*named, *(yuan(fen) for fen in amounts)))
    head = ("programme", "rate", "per", "guide (yuan)", "least", "reason needed above")
    lines = table(head, rows)
    for programme in rule.programmes:
        lines += [f"- **{programme.en}** (`{programme.key}`): {_course(programme)}"]
    return [*lines, ""]


def _course(programme: Programme) -> str:
    parts = ["steps " + " → ".join(programme.steps)]
    if programme.first_notice_days:
        days = f"{programme.first_notice_days} and {programme.second_notice_days}"
        parts.append(f"notices of {days} days")
    if programme.goods:
        goods = ", ".join(f"{g.item} (≤ {g.per_person} a person)" for g in programme.goods)
        parts.append(f"goods {goods}")
    if programme.pay_before_spring_festival:
        parts.append("before 春节")
    for rate in programme.rates:
        if rate.basis in BY_DAYS:
            every = f", paid every {rate.pay_every_days}" if rate.pay_every_days else ""
            parts.append(f"`{rate.key}` for {rate.max_days} days at most{every}")
        if rate.milestones:
            stood = ", ".join(f"{one.en} {one.percent} %" for one in rate.milestones)
            parts.append(f"`{rate.key}` paid as it stands: {stood}")
    if programme.names:
        named = {"dead": "who died", "house": "the home"}[programme.names]
        parts.append(f"an application names {named} on the roster, helped once")
    if programme.hazards:
        parts.append("only for " + ", ".join(programme.hazards))
    if programme.exact:
        parts.append("another amount than the guide takes a reason")
    return "; ".join(parts) + "."


def hazards(rule: Hazards) -> Lines:
    rows = [
        (
            f"`{h.key}`",
            h.zh,
            h.en,
            h.group,
            "yes" if h.drought else "",
            ", ".join(f"{s.zh} `{s.key}`" for s in h.sub_kinds),
        )
        for h in rule.hazards
    ]
    return table(("key", "中文", "English", "group", "drought", "sub-kinds"), rows)


def household_kinds(rule: HouseholdKinds) -> Lines:
    rows = [(f"`{k.key}`", k.zh, k.en, k.tier, "、".join(k.aliases)) for k in rule.kinds]
    waits = (
        "While somebody is claimed by two households, the payments of the one that claimed first"
        f" wait for {rule.contest_days} days at most (verify)."
    )
    return [*table(("key", "中文", "English", "tier", "also read as"), rows), waits, ""]


def items(rule: Items) -> Lines:
    rows = [
        (
            f"`{i.key}`",
            i.zh,
            i.en,
            i.unit_zh,
            yuan(i.unit_value_fen) if i.unit_value_fen else "of the lot",
            "yes" if i.reusable else "",
            f"{i.keeps_months} months" if i.keeps_months else "no term set",
        )
        for i in rule.items
    ]
    return table(
        ("key", "中文", "English", "unit", "unit value (yuan)", "comes back", "may be stored"), rows
    )


def notices(rule: Notices) -> Lines:
    return [
        f"- hangs at least {rule.minimum_days} day(s), leaves the web after "
        f"{rule.withdraw_after_days} more",
        f"- shows only: {', '.join(rule.shown)}",
        f"- never shows: {', '.join(rule.never_shown)}",
        "",
    ]


def working_days(rule: WorkingDays) -> Lines:
    rows = []
    for year in sorted(rule.spring_festivals):
        days = rule.years.get(year)
        counts = (len(days.holidays), len(days.make_up)) if days else ("weekends only", "")
        rows.append((year, *counts, rule.spring_festivals[year]))
    return table(("year", "days off", "make-up days", "春节"), rows)


WRITERS: dict[str, Callable[[Any], Lines]] = {
    "deadlines": deadlines,
    "dispatch": dispatch,
    "hazards": hazards,
    "household_kinds": household_kinds,
    "indicators": indicators,
    "items": items,
    "notices": notices,
    "standards": standards,
    "thresholds": thresholds,
    "working_days": working_days,
}


def section(book: RulebookFile) -> Lines:
    until = f"to {book.valid_to}" if book.valid_to else "on"
    lines = [f"## {book.kind} · {book.version} · {book.area_code}", ""]
    lines += [f"`{book.name}` · {book.document_no} · valid from {book.valid_from} {until}", ""]
    if book.note:
        lines += [f"> {book.note}", ""]
    return lines + WRITERS[book.kind](book.typed)


def render() -> str:
    """The whole page, from the files as they are."""
    lines = [*INTRODUCTION.splitlines(), ""]
    paths = sorted((ROOT / "rules").rglob("*.toml"), key=lambda path: (len(path.parts), path))
    for path in paths:
        name = path.relative_to(ROOT).as_posix()
        lines += section(parse_rulebook(name, path.read_text(encoding="utf-8")))
    return "\n".join(lines).rstrip() + "\n"


def main() -> int:
    page = render()
    if "--check" in sys.argv[1:]:
        if TARGET.read_text(encoding="utf-8") == page:
            return 0
        print("docs/rules.md is not current: run scripts/rules_reference.py")
        return 1
    TARGET.write_text(page, encoding="utf-8")
    print(f"{TARGET.relative_to(ROOT)}: {len(page.splitlines())} lines")
    return 0


if __name__ == "__main__":
    sys.exit(main())
