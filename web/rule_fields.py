"""Rules that are one number or a few, as fields of a form: read from a content and put back.

A field is a place in the content of a rulebook. Nothing is checked here: what comes out goes
through the checks of every file of rules (`domain.rules.loading`).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, Literal, get_type_hints

import msgspec

from domain.half_width import half_width
from domain.rules.deadlines import Deadlines, FollowUpRule, InitialLimit, VerifiedLimit
from domain.rules.dispatch import AcknowledgeLimit, Dispatch
from domain.rules.household_kinds import HouseholdKinds
from domain.rules.notices import Notices
from domain.rules.standards import BY_DAYS, Programme, Rate, Standards
from domain.rules.thresholds import Thresholds
from web.rule_tables import RuleReader

Content = dict[str, Any]
Step = str | tuple[tuple[str, Any], ...]
"""A key, or what tells an entry of a list apart."""
Struct = type[msgspec.Struct]

LEVELS: Final = ("township", "county", "city", "province")
"""Levels with limits of their own; a village's is that of the level above it."""
PRIORITIES: Final = (1, 2, 3, 4)
RESPONSES: Final = (1, 2, 3, 4)
FEN: Final = "_fen"
NUMBER: Final = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,6})?")
"""A number as people type it. `Decimal` takes 1e99999999 too, over which `int` sits for hours."""

SINGLE: Final[dict[str, tuple[Struct, tuple[str, ...]]]] = {
    Deadlines.KIND: (Deadlines, ("drought_every_days",)),
    Notices.KIND: (Notices, ("minimum_days", "withdraw_after_days")),
    Dispatch.KIND: (Dispatch, ("untriaged_minutes",)),
    HouseholdKinds.KIND: (HouseholdKinds, ("contest_days", "move_offer_days")),
}
"""Numbers that stand by themselves, by kind."""

ROWS: Final[dict[str, tuple[tuple[str, str, Sequence[Any], str, Struct, Content], ...]]] = {
    Deadlines.KIND: (
        ("initial", "level", LEVELS, "minutes", InitialLimit, {"start": "occurrence"}),
        ("follow_up", "level", LEVELS, "due", FollowUpRule, {}),
        ("verified", "level", LEVELS, "working_days", VerifiedLimit, {}),
    ),
    Dispatch.KIND: (("acknowledge", "priority", PRIORITIES, "minutes", AcknowledgeLimit, {}),),
}
"""Lists with one number an entry: list, what an entry is of, all of these, the number, its class,
and what else a new entry says."""


@dataclass(frozen=True)
class RuleField:
    """One number. ``low`` and ``high`` are the bounds that loading holds it to, as people type it.

    ``seed``: what a new entry of a list says; an entry whose number is taken away goes.
    """

    path: tuple[Step, ...]
    label: str
    type: Literal["number", "time", "money"]
    value: str
    low: str = ""
    high: str = ""
    required: bool = True
    seed: Content | None = None

    @property
    def name(self) -> str:
        """Of the form's field."""
        return "field." + ".".join(
            step if isinstance(step, str) else "+".join(str(value) for _, value in step)
            for step in self.path
        )


@dataclass(frozen=True)
class FieldGroup:
    """Fields under one heading. ``key``: of what they mean, `rulebooks.mean_…`."""

    key: str
    title: str
    fields: list[RuleField] = field(default_factory=list)


def groups_of(kind: str, content: Content, reader: RuleReader) -> list[FieldGroup]:
    """All fields of a kind with what the content says now; none for kinds that are catalogs."""
    if kind == Standards.KIND:
        return list(_programmes(content, reader))
    if kind == Thresholds.KIND:
        return list(_metrics(content, reader))
    return list(_plain(kind, content, reader))


def _plain(kind: str, content: Content, reader: RuleReader) -> Iterator[FieldGroup]:
    for name, of, entries, number, struct, more in ROWS.get(kind, ()):
        group = FieldGroup(name, reader.label(name))
        for entry in entries:
            label = f"{reader.value(of, entry)} · {reader.label(number)}"
            path = (name, ((of, entry),), number)
            seed = {of: entry, **more}
            group.fields.append(_field(content, path, label, struct, seed=seed))
        yield group
    if kind in SINGLE:
        struct, names = SINGLE[kind]
        group = FieldGroup(kind, reader.label("further"))
        for one in names:
            needed = _default_of(struct, one) is not None
            group.fields.append(_field(content, (one,), reader.label(one), struct, required=needed))
        yield group


def _programmes(content: Content, reader: RuleReader) -> Iterator[FieldGroup]:
    for programme in content["programmes"]:
        at: tuple[Step, ...] = ("programmes", (("key", programme["key"]),))
        group = FieldGroup("programme", reader.name_of(programme))
        for rate in programme["rates"]:
            inside: tuple[Step, ...] = (*at, "rates", (("key", rate["key"]),))
            called = f"{reader.name_of(rate)} · {reader.value('basis', rate['basis'])}"
            names = ["amount_fen", "ceiling_fen", "minimum_fen"]
            names += ["max_days", "pay_every_days"] if rate["basis"] in BY_DAYS else []
            for one in names:
                label = f"{called} · {reader.label(one)}"
                needed = one != "pay_every_days"
                group.fields.append(_field(content, (*inside, one), label, Rate, required=needed))
        for one in ("first_notice_days", "second_notice_days", "pay_within_working_days"):
            needed = one != "pay_within_working_days"
            group.fields.append(
                _field(content, (*at, one), reader.label(one), Programme, required=needed)
            )
        yield group


def _metrics(content: Content, reader: RuleReader) -> Iterator[FieldGroup]:
    for metric in content["metrics"]:
        unit = reader.value("unit_zh", metric["unit_zh"], metric)
        group = FieldGroup("metric", f"{reader.name_of(metric)} ({unit})")
        for level in RESPONSES:
            seed = {"level": level, "metric": metric["key"]}
            path: tuple[Step, ...] = ("conditions", tuple(seed.items()), "at_least")
            label = f"{reader.value('level', level)} · {reader.label('at_least')}"
            group.fields.append(_field(content, path, label, None, seed=seed))
        yield group


def _field(
    content: Content,
    path: tuple[Step, ...],
    label: str,
    struct: Struct | None,
    *,
    required: bool = True,
    seed: Content | None = None,
) -> RuleField:
    name = str(path[-1])
    now = _read(content, path)
    if name == "due":
        shown = "" if now is None else str(now)[:5]
        return RuleField(path, label, "time", shown, required=False, seed=seed)
    low, high = _bounds(struct, name) if struct is not None else ("0", "")
    if name.endswith(FEN):
        shown = "" if now is None else _yuan(now)
        return RuleField(path, label, "money", shown, _yuan(low), "", required)
    shown = "" if now is None else str(now)
    needed = required and seed is None
    return RuleField(path, label, "number", shown, low, high, needed, seed)


def _bounds(struct: Struct, name: str) -> tuple[str, str]:
    """The least and the most that loading takes."""
    for one in _metas(get_type_hints(struct, include_extras=True)[name]):
        return str(one.ge if one.ge is not None else ""), str(one.le if one.le is not None else "")
    return "", ""


def _metas(wanted: Any) -> Iterator[msgspec.Meta]:
    yield from (one for one in getattr(wanted, "__metadata__", ()) if isinstance(one, msgspec.Meta))
    for inner in getattr(wanted, "__args__", ()):
        yield from _metas(inner)


def _default_of(struct: Struct, name: str) -> Any:
    """None where nothing need be said."""
    for one in msgspec.structs.fields(struct):
        if one.name == name:
            return one.default
    return msgspec.NODEFAULT


def _yuan(fen: Any) -> str:
    if fen in ("", None):
        return ""
    return format((Decimal(str(fen)) / 100).normalize(), "f")


def _row(rows: list[Content], told: tuple[tuple[str, Any], ...]) -> Content | None:
    return next((row for row in rows if all(row.get(k) == v for k, v in told)), None)


def _read(content: Any, path: tuple[Step, ...]) -> Any:
    for step in path:
        if content is None:
            return None
        content = content.get(step) if isinstance(step, str) else _row(content, step)
    return content


def with_fields(
    kind: str, content: Content, given: Mapping[str, str], reader: RuleReader
) -> Content:
    """The content with what was typed; a figure that is none stays as typed, for the checks."""
    found: Content = msgspec.json.decode(msgspec.json.encode(content))
    for group in groups_of(kind, content, reader):
        for one in group.fields:
            if one.name in given:
                _write(found, one, _typed(one, given[one.name].strip()))
    return found


def _typed(one: RuleField, said: str) -> Any:
    if said == "":
        return None
    if one.type == "time":
        return f"{said}:00" if len(said) == 5 else said
    said = half_width(said)
    if str(one.path[-1]) == "at_least" or not NUMBER.fullmatch(said):
        return said
    number = Decimal(said) * (100 if one.type == "money" else 1)
    return int(number) if number == int(number) else said


def _write(content: Content, one: RuleField, value: Any) -> None:
    holder: Any = content
    rows: list[Content] | None = None
    for step in one.path[:-1]:
        if isinstance(step, str):
            holder = holder[step]
        else:
            rows = holder
            entry = _row(holder, step)
            if entry is None:
                if value is None:
                    return
                entry = dict(one.seed or {})
                rows.append(entry)
            holder = entry
    name = str(one.path[-1])
    if value is not None:
        holder[name] = value
    elif one.seed is not None and rows is not None:
        rows.remove(holder)
    else:
        holder.pop(name, None)
