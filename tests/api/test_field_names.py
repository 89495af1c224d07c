"""Every field that a person can send has a name in words, in Chinese and English."""

import ast
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from inspect import signature
from pathlib import Path
from typing import Any, get_args, get_type_hints
from uuid import uuid4

import httpx
import pytest

from api.login import Credentials
from api.reads import FILLED_IN
from api.routes import READS, WRITES
from domain.field_names import FIELDS, field_name
from domain.goods import positive
from domain.refusal import Malformed
from tests.api.test_writes import REPORTS, code, post, report

ROOT = Path(__file__).parents[2]
COMMANDS = sorted({write.command for write in WRITES}, key=lambda one: one.__name__)
CJK = re.compile(r"[\u4e00-\u9fff]")


def names_in(hint: Any, seen: set[Any]) -> Iterator[str]:
    """Fields of a type and of what it is made of."""
    for part in get_args(hint):
        yield from names_in(part, seen)
    if not isinstance(hint, type) or not is_dataclass(hint) or hint in seen:
        return
    seen.add(hint)
    hints = get_type_hints(hint)
    for field in fields(hint):
        yield field.name
        yield from names_in(hints[field.name], seen)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda one: one.__name__)
def test_every_field_of_a_command_is_said_in_words(command: type[Any]) -> None:
    names = set(names_in(command, set()))
    assert names - FIELDS.keys() == set()


def test_every_parameter_of_a_reading_and_of_the_log_in_is_said_in_words() -> None:
    asked = {
        one.name
        for read in READS
        for one in signature(read.query).parameters.values()
        if one.kind is one.KEYWORD_ONLY
    }
    asked -= set(FILLED_IN)  # no parameter of the address
    assert (asked | Credentials.model_fields.keys()) - FIELDS.keys() == set()


def test_every_name_is_chinese_in_chinese_and_words_in_english() -> None:
    for key, (zh, en) in FIELDS.items():
        assert CJK.search(zh) and not CJK.search(en) and "_" not in en, key
        assert not re.search(r"fen\b|分）|UUID", zh + en), key


def refused_fields() -> Iterator[tuple[str, str]]:
    """Names that the domain's own refusals give to fields, as literals in the source."""
    first = {"missing", "check_text", "check_reason", "check_moment", "positive", "not_negative"}
    for path in (ROOT / "domain").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            called = getattr(node.func, "id", getattr(node.func, "attr", ""))
            named = [one.value for one in node.keywords if one.arg == "field"]
            if called in first and node.args:
                named.append(node.args[0])
            for one in named:
                if isinstance(one, ast.Constant) and isinstance(one.value, str):
                    yield one.value, f"{path.name}:{node.lineno}"


def test_every_field_that_a_refusal_names_is_said_in_words() -> None:
    found = dict(refused_fields())
    assert len(found) > 40
    unsaid = {name: where for name, where in found.items() if "_" in field_name(name, "zh")}
    unsaid |= {n: w for n, w in found.items() if not CJK.search(field_name(n, "zh"))}
    assert unsaid == {}


def test_a_place_in_a_list_is_counted_from_one() -> None:
    assert field_name("members.1.id_number", "zh") == "成员第2项·身份证号"
    assert field_name("members.1.id_number", "en") == "members 2, ID number"
    assert field_name("members[1].id_number", "zh") == "成员第2项·身份证号", "as rules say it"
    assert field_name("body", "zh") == "提交的内容"
    assert field_name("query.limit", "en") == "rows a page"
    assert field_name("figures.affected", "zh", {"affected": ("受灾人口", "affected")}) == (
        "数字·受灾人口"
    )


def test_money_that_cannot_be_is_said_in_yuan() -> None:
    with pytest.raises(Malformed) as caught:
        positive("amount_fen", -32_000)
    assert caught.value.sentence("zh") == "“金额”的值 -320.00 元不符合要求：须为正整数"
    assert "-¥320.00" in caught.value.sentence("en")


def test_a_thing_that_does_not_fit_is_told_without_its_id() -> None:
    """Who merged a disaster into itself read its UUID."""
    other = uuid4()
    wrong = Malformed(field="into", value=str(other), rule_zh="不能并入自身", rule_en="itself")
    assert wrong.sentence("zh") == "“并入对象”的值不符合要求：不能并入自身"
    assert "潜山雨灾" in wrong.sentence("zh", {other: ("潜山雨灾", "rain")})
    assert wrong.facts()["value"] == str(other)


def test_what_a_form_lacks_is_named_over_http(village: httpx.Client) -> None:
    body = report()
    del body["as_of"]
    answer = post(village, REPORTS, body | {"narrative": 5})
    assert (answer.status_code, code(answer)) == (422, "malformed")
    said = {one["field"]: (one["name_zh"], one["name_en"]) for one in answer.json()["errors"]}
    assert said["as_of"] == ("截至时间", "as of")
    assert said["narrative"] == ("情况说明", "narrative")
