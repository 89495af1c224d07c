"""A JSON body before any model sees it: one object, and nothing in it that no honest form has."""

import json
import re
from typing import Any

from api.problems import ApiProblem, malformed
from domain.rules.loading import LONGEST
from domain.telling import yuan

MAX_TEXT = 20_000
LONG_TEXTS = {"toml": LONGEST}
"""Fields that hold a whole file."""
ONE_LINE = frozenset(
    {
        *("name", "full_name", "owner", "owner_name", "signed_by"),
        *("driver_name", "login", "document_no", "source_document_no", "write_off_document_no"),
        *("receipt_no", "certificate", "version", "number", "bank"),
        *("vehicle", "item", "category", "kind", "hazard"),
        *("sub_hazard", "programme", "rate", "structure", "ethnic_group"),
        *("group", "group_code", "code", "relation", "phone"),
        *("reporter_phone", "driver_phone", "id_number", "address", "registered_at"),
        *("earmark",),
    }
)
"""Fields that say one thing: they stand in titles, in rows and on papers."""
MAX_LINE = 200
MAX_NUMBER = 2**53
MAX_FEN = 10**13
"""A hundred thousand million yuan: more than any province has for relief."""
MOST = {"quantity": 10**7, "unit_value_fen": 10**10}
"""The value of what lies in a store is their product, summed up: it has to stay a number."""
MAX_DEPTH = 16
LINE_BREAKS = re.compile("[\x0b\x0c\x85\u2028\u2029]")
"""What word processors put where a line ends (Shift+Enter is U+000B): a line break all the same."""
BAD_TEXT = re.compile(r"[\x00-\x08\x0e-\x1f\x7f\ud800-\udfff]")


def too_many(most: int) -> ApiProblem:
    return ApiProblem(
        413,
        "too-many-rows",
        f"一次最多提交 {most} 行，请分批提交",
        f"At most {most} rows at once. Send them in parts.",
    )


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose names are unique: which of two values was meant cannot be known."""
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("an object has a duplicate key")
    return made


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


_decode = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_constant).decode


def object_of(body: bytes) -> dict[str, Any]:
    """The JSON object of a body, or an `ApiProblem`; an empty body is an empty object."""
    try:
        values = _decode(body.decode() or "{}")
    except (ValueError, RecursionError) as problem:
        raise malformed([_bad_json(str(problem))]) from problem
    if not isinstance(values, dict):
        raise malformed([_bad_json("an object is expected")])
    return values


def _bad_json(detail: str) -> dict[str, Any]:
    return error_of(
        "body", "json_invalid", "不是合法的 JSON", f"This is not valid JSON: {detail[:200]}"
    )


def error_of(name: str, rule: str, zh: str, en: str) -> dict[str, Any]:
    return {"field": name, "rule": rule, "zh": zh, "en": en}


def check_plain(
    value: Any, where: str, errors: list[dict[str, Any]], depth: int = MAX_DEPTH
) -> None:
    """Numbers, texts and depth that no honest form has are refused before any model sees them."""
    kind = type(value)
    if kind is str:
        most = _longest(where)
        if len(value) > most:
            zh, en = f"文字过长，最多 {most} 个字", f"At most {most} characters."
            errors.append(error_of(where, "too_long", zh, en))
        elif not value.isprintable() and BAD_TEXT.search(value):
            errors.append(
                error_of(where, "control_character", "含有控制字符", "It has control characters.")
            )
    elif kind is int or kind is float:
        zh, en, most = _most(where)
        if not -most <= value <= most:
            errors.append(error_of(where, "too_large", zh, en))
    elif depth == 0 and (kind is dict or kind is list):
        errors.append(error_of(where, "too_deep", "层次过深", "This is nested too deeply."))
    elif kind is dict:
        for name, item in value.items():
            check_plain(name, where, errors)
            check_plain(item, f"{where}.{name}" if where else name, errors, depth - 1)
    elif kind is list:
        for n, item in enumerate(value):
            check_plain(item, f"{where}.{n}", errors, depth - 1)


def _most(where: str) -> tuple[str, str, int]:
    """What is said of a number of that field that is too large, and the largest one."""
    name = where.rpartition(".")[2]
    if name.endswith("_fen"):
        most = MOST.get(name, MAX_FEN)
        at_most = f"At most {yuan(most, 'en')}."
        return f"金额过大，最多 {yuan(most, 'zh')}，请核对单位是否为元", at_most, most
    if name in MOST:
        return f"数量过大，最多 {MOST[name]:,}", f"At most {MOST[name]:,}.", MOST[name]
    return "数字超出范围", "The number is out of range.", MAX_NUMBER


def _longest(where: str) -> int:
    """How many characters a text of that field may have; a list's fields are those of its rows."""
    named = [step for step in where.split(".") if not step.isdigit()]
    return MAX_LINE if named and named[-1] in ONE_LINE else LONG_TEXTS.get(where, MAX_TEXT)


def in_lines(value: Any) -> Any:
    """The same with ``\\n`` in place of every other character that ends a line."""
    kind = type(value)
    if kind is str:
        return value if value.isprintable() else LINE_BREAKS.sub("\n", value)
    if kind is dict:
        return {name: in_lines(item) for name, item in value.items()}
    if kind is list:
        return [in_lines(item) for item in value]
    return value
