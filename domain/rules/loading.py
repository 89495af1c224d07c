"""From the text of a rulebook file to typed content, or all its problems at once. Reads no file.

A file says ``kind``, ``version``, ``document_no`` (文号), ``area`` (a division code or "nation"),
``valid_from``, when its successor is known ``valid_to`` (the last day), and in ``status`` whether
somebody compared it with its document; the rest is content.
"""

import json
import re
import tomllib
import types
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any, ClassVar, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from domain.refusal import Refusal
from domain.rules.base import Problem, Text
from domain.rules.deadlines import Deadlines
from domain.rules.dispatch import Dispatch
from domain.rules.faults import line_of, line_said, said
from domain.rules.hazards import Hazards
from domain.rules.household_kinds import HouseholdKinds
from domain.rules.indicators import Indicators
from domain.rules.items import Items
from domain.rules.notices import Notices
from domain.rules.standards import Standards
from domain.rules.thresholds import Thresholds
from domain.rules.working_days import WorkingDays

RuleContent = (
    Deadlines
    | Dispatch
    | Hazards
    | HouseholdKinds
    | Indicators
    | Items
    | Notices
    | Standards
    | Thresholds
    | WorkingDays
)

TYPES: dict[str, type[RuleContent]] = {rule.KIND: rule for rule in get_args(RuleContent)}
"""Which class a kind's content is. ``msgspec.convert(content, TYPES[kind])`` brings it back."""

NATION = "nation"

Status = Literal["confirmed", "verify", "example"]
"""Of a file: compared with its document; some of it is still to be compared; values made up or
seen elsewhere, to be replaced by a document of one's own."""


class Header(msgspec.Struct, frozen=True):
    """What every rulebook file says about itself. ``note`` is for people."""

    kind: Text
    version: Text
    document_no: Text
    area: Text
    valid_from: date
    valid_to: date | None = None
    status: Status = "verify"
    note: str = ""


class RulebookFile(msgspec.Struct, frozen=True):
    """A file that holds together. ``content`` is JSON-able and equals ``typed``."""

    name: str
    kind: str
    version: str
    document_no: str
    area_code: str
    valid_from: date
    valid_to: date | None
    status: Status
    note: str
    content: dict[str, Any]
    typed: RuleContent


@dataclass(eq=False)
class RulebookInvalid(Refusal):
    """The rules of a file do not hold together: every problem with its key."""

    status: ClassVar[int] = 422
    zh: ClassVar[str] = "规则文件 {file} 有误：{problem_zh}"
    en: ClassVar[str] = "Rulebook {file} is not valid: {problem_en}"
    file: str
    key: str
    problem_zh: str
    problem_en: str
    problems: tuple[Problem, ...]

    def facts(self) -> dict[str, Any]:
        return super().facts() | {"problems": msgspec.to_builtins(self.problems)}


DEEP_KEY = re.compile(r"""(?<![\w-])(?:(?:[\w-]+|"[^"\n]*"|'[^'\n]*')[ \t]*\.[ \t]*){40}""")
"""A key of more than 40 parts. No rulebook has one, and the reader of TOML takes time by the square
of them: 60,000 held up whoever waited for two minutes."""
LONGEST = 200_000
"""Characters of a rulebook: one of all figures is longer than any letter. The reader of TOML takes
a second for half a million."""
TOO_LONG = (f"文件过长，最多 {LONGEST:,} 个字", f"it is longer than {LONGEST:,} characters")
TOO_DEEP = ("嵌套过深，或有数字过长", "it is nested too deeply, or a number is too long")


def parse_rulebook(name: str, text: str) -> RulebookFile:
    """The rulebook in this TOML text. Raises `RulebookInvalid` with all problems and their keys."""
    if len(text) > LONGEST:
        raise _invalid(name, [Problem("", *TOO_LONG)])
    if DEEP_KEY.search(text):
        raise _invalid(name, [Problem("", *TOO_DEEP)])
    try:
        raw = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        zh, en = said(str(error))
        wrong = Problem("", zh, en, line_said(str(error), text))
        raise _invalid(name, [wrong]) from error
    except (RecursionError, ValueError) as error:  # what the reader of TOML leaves to Python
        raise _invalid(name, [Problem("", *TOO_DEEP)]) from error
    fields = Header.__struct_fields__
    header = {key: value for key, value in raw.items() if key in fields}
    body = {key: value for key, value in raw.items() if key not in fields}
    found = list(_problems(header, Header, ""))
    rule_type = TYPES.get(str(header.get("kind")))
    if rule_type is None:
        known = ", ".join(sorted(TYPES))
        found.append(Problem("kind", f"应为以下之一：{known}", f"must be one of {known}"))
        raise _invalid(name, found)
    found += _problems(body, rule_type, "")
    if found:
        raise _invalid(name, found)
    head = msgspec.convert(header, Header)
    if head.valid_to is not None and head.valid_to < head.valid_from:
        found.append(Problem("valid_to", "早于 valid_from", "it lies before valid_from"))
    typed, inner = _typed(body, rule_type)
    found += inner
    if found:
        raise _invalid(name, found)
    return RulebookFile(
        name=name,
        kind=head.kind,
        version=head.version,
        document_no=head.document_no,
        area_code=head.area,
        valid_from=head.valid_from,
        valid_to=head.valid_to,
        status=head.status,
        note=head.note,
        content=msgspec.to_builtins(typed, str_keys=True),
        typed=typed,
    )


def located(wrong: RulebookInvalid, text: str) -> RulebookInvalid:
    """The same refusal with the line of the text at which each key stands, where it is known."""
    found = [
        msgspec.structs.replace(one, line=one.line or line_of(text, one.key))
        for one in wrong.problems
    ]
    return _invalid(wrong.file, found)


def as_toml(
    kind: str,
    version: str,
    document_no: str,
    area_code: str,
    valid_from: date,
    valid_to: date | None,
    content: dict[str, Any],
    status: str = "",
) -> str:
    """A rulebook as the text of a file: `parse_rulebook` reads it back as it was."""
    head: dict[str, Any] = {
        "kind": kind,
        "version": version,
        "document_no": document_no,
        "area": area_code,
        "valid_from": valid_from.isoformat(),
        "valid_to": valid_to and valid_to.isoformat(),
        "status": status or None,
    }
    rows = [f"{key} = {_toml(value)}" for key, value in head.items() if value is not None]
    rows.append("")
    for key, value in content.items():
        if isinstance(value, list) and any(isinstance(one, dict) for one in value):
            rows += [f"{_toml_key(key)} = [", *(f"  {_toml(one)}," for one in value), "]", ""]
        elif value is not None:
            rows.append(f"{_toml_key(key)} = {_toml(value)}")
    return "\n".join(rows) + "\n"


def _toml_key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else json.dumps(key, ensure_ascii=False)


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        inner = ", ".join(f"{_toml_key(k)} = {_toml(v)}" for k, v in value.items() if v is not None)
        return f"{{ {inner} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_toml(one) for one in value)}]"
    return json.dumps(value, ensure_ascii=False)


def check_content(name: str, kind: str, content: dict[str, Any]) -> RuleContent:
    """Typed content of a rulebook that arrives as a command. Raises `RulebookInvalid`."""
    rule_type = TYPES.get(kind)
    if rule_type is None:
        known = ", ".join(sorted(TYPES))
        problem = Problem("kind", f"应为以下之一：{known}", f"must be one of {known}")
        raise _invalid(name, [problem])
    found = list(_problems(content, rule_type, ""))
    if found:
        raise _invalid(name, found)
    typed, found = _typed(content, rule_type)
    if found:
        raise _invalid(name, found)
    return typed


def check_together(books: list[RulebookFile]) -> list[Problem]:
    """Problems between files: versions of one kind and area that overlap in time."""
    found: list[Problem] = []
    ordered = sorted(books, key=lambda book: (book.kind, book.area_code, book.valid_from))
    for earlier, later in pairwise(ordered):
        same = (earlier.kind, earlier.area_code) == (later.kind, later.area_code)
        if same and (earlier.valid_to is None or earlier.valid_to >= later.valid_from):
            zh = f"与 {later.name} 的有效期重叠"
            en = f"its validity overlaps that of {later.name}"
            found.append(Problem(f"{earlier.name}: valid_to", zh, en))
    return found


def _typed(
    content: dict[str, Any], rule_type: type[RuleContent]
) -> tuple[RuleContent, list[Problem]]:
    typed: RuleContent = msgspec.convert(content, rule_type)
    return typed, typed.problems()


def _invalid(name: str, problems: list[Problem]) -> RulebookInvalid:
    return RulebookInvalid(
        file=name,
        key=problems[0].key,
        problem_zh="；".join(f"{_place(p, '第 {} 行 ')}：{p.zh}" for p in problems),
        problem_en="; ".join(f"{_place(p, 'line {} ')}: {p.en}" for p in problems),
        problems=tuple(problems),
    )


def _place(problem: Problem, line: str) -> str:
    return f"{line.format(problem.line) if problem.line else ''}{problem.key}".strip()


def _problems(value: Any, wanted: Any, where: str) -> Iterator[Problem]:
    """Walk a value beside its type, so that one bad key does not hide the next."""
    if isinstance(wanted, type) and issubclass(wanted, msgspec.Struct):
        yield from _struct_problems(value, wanted, where)
        return
    inner = _inner(wanted)
    if inner is not None and isinstance(value, list):
        found = [p for n, one in enumerate(value) for p in _problems(one, inner, f"{where}[{n}]")]
        yield from found or _conversion(value, wanted, where)  # its length
    elif get_origin(wanted) is dict and isinstance(value, dict):
        for key, one in value.items():
            yield from _problems(one, get_args(wanted)[1], f"{where}.{key}")
    elif (options := _structs(wanted)) and isinstance(value, dict):
        yield from _struct_problems(value, options[0], where)
    else:
        yield from _conversion(value, wanted, where)


def _struct_problems(value: Any, wanted: type[msgspec.Struct], where: str) -> Iterator[Problem]:
    prefix = f"{where}." if where else ""
    if not isinstance(value, dict):
        yield Problem(where, "应为表（table）", "it must be a table")
        return
    hints = get_type_hints(wanted, include_extras=True)
    known = wanted.__struct_fields__
    for key in value:
        if key not in known:
            yield Problem(f"{prefix}{key}", "未知的键", "there is no such key")
    for field in msgspec.structs.fields(wanted):
        if field.name in value:
            yield from _problems(value[field.name], hints[field.name], f"{prefix}{field.name}")
        elif field.required:
            yield Problem(f"{prefix}{field.name}", "缺少此键", "it is missing")


def _conversion(value: Any, wanted: Any, where: str) -> Iterator[Problem]:
    try:
        msgspec.convert(value, wanted)
    except msgspec.ValidationError as error:
        zh, en = said(str(error))
        shown = str(value)[:60]
        yield Problem(where, f"“{shown}”{zh}", f"{shown!r}: {en}")


def _inner(wanted: Any) -> Any:
    """The element type of ``tuple[X, ...]``, also inside Annotated; None for other types."""
    if hasattr(wanted, "__metadata__"):
        wanted = wanted.__origin__
    return get_args(wanted)[0] if get_origin(wanted) is tuple else None


def _structs(wanted: Any) -> list[type[msgspec.Struct]]:
    """The Struct classes of a union such as ``MonthDay | None``."""
    if get_origin(wanted) not in (types.UnionType, Union):
        return []
    options = get_args(wanted)
    return [one for one in options if isinstance(one, type) and issubclass(one, msgspec.Struct)]
