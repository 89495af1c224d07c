"""A command's fields as the inputs of a form: what is not said in its `Form` is derived.

text → a line, or several lines for reasons and the like · whole number · ``*_fen`` → yuan ·
datetime → China time, with now filled in · date · enumeration → radio buttons or a list · bool →
checkbox · UUID → something to pick by name · tuple of structs → rows of a table · tuple of values →
ticks · struct → a group of fields · the id of something new → hidden, made by the browser.
"""

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cached_property
from itertools import groupby
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from domain.field_names import FIELDS
from domain.ids import MadeByClient
from domain.rules.base import china_day
from web.formats import china
from web.forms.form import NEVER_ASKED, Form, Matter, Option

LONG = frozenset(
    {"reason", "opinion", "note", "remark", "details", "narrative", "text", "outcome", "minutes"}
)
"""Texts of several lines, by the name of their field."""

UNKEPT = frozenset({"id_number", "owner_id_number", "number"})
"""ID and card numbers, by the name of their field where it is a text: no browser keeps them."""

UNSEEN = frozenset({"hidden", "new", "now"})
"""How fields are drawn that nobody fills in."""

RADIOS = 6
"""So many values stand side by side; more are a list."""


class CannotAsk(TypeError):
    """A field that nobody can fill in: its form must say where its options come from."""


@dataclass(frozen=True)
class Ask:
    """One field as the template draws it. ``name`` is dotted as in the body of the command.

    ``draw``: line text said int decimal money datetime date yesno radio list ticks rows group
    digest head hidden new now. ``value`` is what stands there at first, as it is typed. ``options``
    may be empty: there is nothing to pick then. ``parts``: the fields of a group, or the columns
    of a table (their names hold ``N`` where the row is counted); ``rows``: those that are there
    at first, ``begun`` if they say something already. ``head``: the column that says which row it
    is. ``fresh``: a time that, left alone, is the moment of the press. ``sums``: of a table: its
    figures are added up. ``spread``: of a column that counts one option: the two fields of the row
    that it stands for. ``some``: of a table: rows in which nothing is said are not sent.
    ``unkept``: an ID or card number, which is typed again after a reload. ``narrowed``: the field
    whose choice says which options fit.
    """

    name: str
    label: str
    draw: str
    required: bool
    type: str = "text"
    hint: str = ""
    value: str = ""
    options: tuple[Option, ...] = ()
    parts: tuple["Ask", ...] = ()
    rows: tuple[tuple["Ask", ...], ...] = ()
    head: str = ""
    begun: bool = False
    some: bool = False
    fresh: bool = False
    sums: bool = False
    spread: str = ""
    unkept: bool = False
    narrowed: str = ""

    @property
    def is_bare(self) -> bool:
        """Whether there is nothing to choose, or no row in a table that has all its rows."""
        if self.draw in ("radio", "list"):
            return not self.options
        return self.draw == "rows" and self.head != "" and not self.rows

    @property
    def groups(self) -> list[tuple[str, list[Option]]]:
        """The options by the group they stand in, in their order."""
        return [(name, list(some)) for name, some in groupby(self.options, lambda one: one.group)]


@dataclass(frozen=True)
class Asker:
    """Derives the fields of one command's form. ``options``: what may be picked, by field;
    ``begun``: what stands in the fields at first."""

    form: Form
    matter: Matter
    options: Mapping[str, Sequence[Option]]
    begun: Mapping[str, Any]

    @cached_property
    def left_out(self) -> frozenset[str]:
        """Fields that nobody is asked for, always or as things stand."""
        now = self.form.without(self.matter) if self.form.without else frozenset()
        return self.form.left_out | now

    def asks(self, command: type[Any], in_path: Sequence[str]) -> tuple[Ask, ...]:
        """The fields of a command besides those that its address says."""
        hints = get_type_hints(command, include_extras=True)
        skipped = NEVER_ASKED | self.left_out | set(in_path) | {self.form.press}
        wanted = {one.name: one for one in fields(command) if one.name not in skipped}
        order = [name for name in self.form.fields if name in wanted]
        order += [name for name in wanted if name not in order]
        return tuple(self.ask(name, hints[name], wanted[name], name) for name in order)

    def press(self, command: type[Any]) -> Ask | None:
        """The field whose options are the buttons, if the form has one."""
        name = self.form.press
        if not name:
            return None
        given = next(one for one in fields(command) if one.name == name)
        return self.ask(name, get_type_hints(command, include_extras=True)[name], given, name)

    def ask(self, name: str, hint: Any, given: "Field[Any]", key: str) -> Ask:
        """One field. ``key``: its name without the number of a row."""
        kind, optional = _bare(hint)
        required = not optional and given.default is MISSING and given.default_factory is MISSING
        required = required or key in self.form.needed
        begun = self._begun(name, given)
        if key in self.form.must:
            required = bool(self.matter.known.get(self.form.must[key]))
        base = Ask(name, self._label(key), "line", required, hint=self._said(self.form.hints, key))
        if self.form.told.get(key) in self.matter.known:
            known = self.matter.known[self.form.told[key]]
            return replace(base, draw="hidden", value=_plain(known), type=_type_of(kind, key))
        if _is_new(hint):
            return replace(base, draw="new", type="uuid")
        if key in self.form.now:
            return replace(base, draw="now", type="now")
        if key in self.form.digests:
            return replace(base, draw="digest")
        if key in self.options:
            if not self.options[key] and not required and key in self.form.none:
                base = replace(base, hint=self.matter.t(self.form.none[key]))
            return self._picked(base, kind, key, self.options[key], begun)
        return self._derived(base, kind, key, begun)

    def _derived(self, base: Ask, kind: Any, key: str, begun: Any) -> Ask:
        values = _values(kind)
        if values is not None:
            words = tuple(Option(value, self._word(key, value)) for value in values)
            return self._picked(base, kind, key, words, begun)
        if get_origin(kind) is tuple:
            return self._many(base, get_args(kind)[0], key, begun)
        if isinstance(kind, type) and is_dataclass(kind):
            return replace(base, draw="group", parts=self._parts(kind, base.name, key))
        said = "" if begun is None else _plain(begun)
        if kind is bool:
            return replace(base, draw="yesno", type="bool", value="yes" if begun else "")
        if kind is int:
            type_ = _type_of(kind, key)
            return replace(base, draw=type_, type=type_, value=_money(said, type_))
        if kind in (float, Decimal):
            return replace(base, draw="decimal", type="decimal", value=said)
        if kind is datetime:
            fresh = base.required and begun is None
            moment = self._moment(begun or (self.matter.desk.now if fresh else None))
            hint_ = base.hint or (self.matter.t("act.now_hint") if fresh else "")
            made = replace(base, draw="datetime", type="datetime", value=moment)
            return replace(made, fresh=fresh, hint=hint_)
        if kind is date:
            today = str(china_day(self.matter.desk.now)) if key in self.form.today else ""
            return replace(base, draw="date", type="date", value=said or today)
        if key in self.form.says:
            said_so = (self.matter.t(one) for one in self.form.says[key])
            return replace(base, draw="said", options=tuple(Option(one, one) for one in said_so))
        if kind is str:
            last = key.rsplit(".", 1)[-1]
            long = (last in LONG or key in self.form.long) and key not in self.form.short
            unkept = last in UNKEPT
            return replace(base, draw="text" if long else "line", value=said, unkept=unkept)
        raise CannotAsk(f"{key} ({kind}): say in the form who finds its options, or leave it out")

    def _picked(self, base: Ask, kind: Any, key: str, options: Sequence[Option], begun: Any) -> Ask:
        if get_origin(kind) is tuple:
            chosen = {_plain(one) for one in begun or ()}
            ticked = tuple(one._replace(group="ticked") for one in options if one.value in chosen)
            left = tuple(one for one in options if one.value not in chosen)
            return replace(base, draw="ticks", type="many", options=ticked + left)
        few = len(options) <= RADIOS or key in self.form.radio
        few = few and not any(one.group for one in options)
        value = "" if begun is None else _plain(begun)
        if any(not one.value for one in options):  # "none of them" is an answer too, and is given
            base = replace(base, required=True)
        if not value and base.required and len(options) == 1:
            value = options[0].value
        if key in self.form.narrows:
            return replace(
                base,
                draw="list",
                type="pick",
                options=tuple(options),
                value=value,
                narrowed=self.form.narrows[key],
            )
        draw = "radio" if few and base.required and "N" not in base.name.split(".") else "list"
        type_ = "int" if kind is int else "pick"
        return replace(base, draw=draw, type=type_, options=tuple(options), value=value)

    def _many(self, base: Ask, kind: Any, key: str, begun: Any) -> Ask:
        if not (isinstance(kind, type) and is_dataclass(kind)):
            values = _values(kind)
            if values is None:
                raise CannotAsk(f"{key}: say in the form who finds its options")
            words = tuple(Option(value, self._word(key, value)) for value in values)
            return self._picked(base, tuple[kind, ...], key, words, begun)
        head = self.form.heads.get(key, "")
        columns = _flat(self._parts(kind, f"{base.name}.N", key))
        first: list[dict[str, Any]] = [] if head or not base.required else [{}]
        rows = tuple(
            tuple(self._cell(column, number, row, head) for column in columns)
            for number, row in enumerate(begun or first)
        )
        columns = tuple(replace(one, hint="") for one in columns)
        some = key in self.form.some
        made = replace(base, draw="rows", parts=columns, rows=rows, head=head, some=some)
        begun_here = begun is not None and not some
        return replace(made, begun=begun_here, sums=key in self.form.sums)

    def _cell(self, column: Ask, number: int, row: Mapping[str, Any], head: str) -> Ask:
        """A column's field in one row, with what stands there at first."""
        field_ = column.name.split(".N.", 1)[-1]
        name = column.name.replace(".N.", f".{number}.")
        value = row.get(field_)
        if column.spread:
            outer, _, option = field_.partition(":")
            value = row.get(outer, {}).get(option)
        said = column.value if value is None else _money(_plain(value), column.type)
        if field_ != head:
            return replace(column, name=name, value=said, hint="")
        one = next((one for one in column.options if one.value == said), Option(said, said))
        return replace(column, name=name, draw="head", value=said, hint=one.words, options=(one,))

    def _parts(self, kind: type[Any], name: str, key: str) -> tuple[Ask, ...]:
        hints = get_type_hints(kind, include_extras=True)
        order = {one: at for at, one in enumerate(self.form.fields)}
        asked = [one for one in fields(kind) if f"{key}.{one.name}" not in self.left_out]
        asked.sort(key=lambda one: order.get(f"{key}.{one.name}", len(order)))
        found: list[Ask] = []
        for one in asked:
            inner = f"{key}.{one.name}"
            if inner in self.form.spread:
                found += self._spread(f"{name}.{one.name}", inner)
            else:
                found.append(self.ask(f"{name}.{one.name}", hints[one.name], one, inner))
        return tuple(found)

    def _spread(self, name: str, key: str) -> list[Ask]:
        """A column for each option of a table inside a table: how many of it."""
        what, number = self.form.spread[key]
        made = Ask("", "", "int", required=False, type="spread", spread=f"{what} {number}")
        return [
            replace(made, name=f"{name}:{option.value}", label=option.words, hint=option.note)
            for option in self.options[f"{key}.{what}"]
        ]

    def _begun(self, name: str, given: "Field[Any]") -> Any:
        if name in self.begun:
            return self.begun[name]
        default = given.default
        return default if isinstance(default, Enum | int) and default else None

    @staticmethod
    def _moment(moment: datetime | None) -> str:
        return china(moment).strftime("%Y-%m-%dT%H:%M") if moment else ""

    def _label(self, key: str) -> str:
        labels = self.form.labels
        if self.form.labels_here is not None:
            labels = {**labels, **self.form.labels_here(self.matter)}
        if key in labels:
            return self._said(labels, key)
        zh, en = FIELDS[key.rsplit(".", 1)[-1]]
        return zh if self.matter.language == "zh" else en[0].upper() + en[1:]

    def _word(self, key: str, value: str) -> str:
        t = self.matter.t
        return t(self.form.words[key] + value)

    def _said(self, messages: Mapping[str, str], key: str) -> str:
        return self.matter.t(messages[key]) if key in messages else ""


def _flat(parts: Sequence[Ask]) -> tuple[Ask, ...]:
    """The columns of a table: what a struct of a row holds stands beside the others."""
    found = [_flat(one.parts) if one.draw == "group" else (one,) for one in parts]
    return tuple(one for some in found for one in some)


def _bare(hint: Any) -> tuple[Any, bool]:
    """The type without its marks, and whether None is one of its values."""
    if get_origin(hint) is Annotated:
        hint = get_args(hint)[0]
    if get_origin(hint) in (Union, UnionType):
        parts = [one for one in get_args(hint) if one is not NoneType]
        return parts[0], len(parts) < len(get_args(hint))
    return hint, False


def _is_new(hint: Any) -> bool:
    return get_origin(hint) is Annotated and MadeByClient in get_args(hint)[1:]


def _values(kind: Any) -> list[str] | None:
    """The fixed values of a type, or None if it has none."""
    if isinstance(kind, type) and issubclass(kind, Enum):
        return [str(one.value) for one in kind]
    if get_origin(kind) is Literal:
        return [str(one) for one in get_args(kind)]
    return None


def _type_of(kind: Any, key: str) -> str:
    """The ``data-type`` of a plain value (fields.js)."""
    if kind is int:
        return "money" if key.endswith("_fen") else "int"
    return "pick" if kind is UUID else "text"


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else ""
    return str(value.value) if isinstance(value, Enum) else str(value)


def _money(said: str, type_: str) -> str:
    """Fen as somebody would type them in yuan."""
    if type_ != "money" or not said:
        return said
    return f"{int(said) // 100}.{int(said) % 100:02d}"
