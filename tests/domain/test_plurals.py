"""No English sentence says "1 reports": a number before a noun carries both forms of the noun."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from domain.notice import ObjectionsOpen
from domain.plurals import counted, fill, unit_of
from eventstore.patience import LoginLocked
from web.i18n import catalog

ROOT = Path(__file__).parents[2]
BETWEEN = "more|other|further|damaged|open|recovery|village|working"
"""Words that stand between a number and its noun."""
NUMBER_AND_PLURAL = re.compile(
    rf"\{{([^{{}}|]*)\}} (?:(?:{BETWEEN}) )?([a-z]+s|people|are|were|have)\b"
)
VERBS = {"acts", "as", "asks", "begins", "declares", "does", "gives", "goes", "has", "holds", "is"}
VERBS |= {"its", "lies", "needs", "occurs", "refuses", "runs", "says", "stands", "stays", "stops"}
VERBS |= {"names", "opens", "takes", "waits", "was"}
"""What ends in s behind a name and is no noun."""
NO_NUMBER = {"commitment", "document_no", "head", "item", "lot", "number", "payment", "suffix"}
"""Names before a verb."""
NEVER_ONE = {"limit", "most", "most_bytes", "least", "topic.replication"}
"""Settings and limits, far above one; constants are told by their capitals."""


def found(sentence: str) -> Iterator[str]:
    for match in NUMBER_AND_PLURAL.finditer(sentence):
        name, word = match[1], match[2]
        if (
            word in VERBS
            or name in NO_NUMBER
            or word == "bytes"
            or name.endswith("_fen")
            or name in NEVER_ONE
        ):
            continue
        if not re.fullmatch(r"[A-Z_]+", name):
            yield match[0]


def in_code(file: Path) -> Iterator[str]:
    """Every text of a module, an f-string with its expressions in braces."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.JoinedStr):
            yield "".join(
                str(part.value) if isinstance(part, ast.Constant) else f"{{{_said(part)}}}"
                for part in node.values
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _said(part: ast.expr) -> str:
    assert isinstance(part, ast.FormattedValue)
    return ast.unparse(part.value).replace("{", "").replace("}", "").replace("|", "")


@pytest.mark.parametrize("sentence", ["{n} reports", "Only {n} are left", "{len(rows)} more rows"])
def test_the_walk_sees_a_plural_without_a_form(sentence: str) -> None:
    assert list(found(sentence))


def test_a_sentence_takes_the_form_its_number_asks_for() -> None:
    said = "{n} {n:report waits|reports wait} for review"
    assert fill(said, {"n": 1}) == fill(said, {"n": "1"}) == "1 report waits for review"
    assert fill(said, {"n": 0}) == "0 reports wait for review"
    assert fill(said, {"n": "1,001"}) == "1,001 reports wait for review"
    assert counted(1, "day|days") == "1 day" and counted(2, "day|days") == "2 days"
    assert catalog("en").t("ledger.same_count", n=1) == "1 report"
    one = ObjectionsOpen(village_list=uuid4(), count=1).sentence("en")
    assert one.startswith("1 objection to list") and one.endswith("is not settled.")
    assert "1 second." in LoginLocked(1).en and "2 seconds." in LoginLocked(2).en


def test_a_unit_of_a_rulebook_is_said_as_its_number_asks() -> None:
    ones = {"quilts": "quilt", "factories": "factory", "torches": "torch", "km": "km"}
    ones |= {"head": "head", "summer quilts": "summer quilt", "boxes": "box", "glass": "glass"}
    assert {unit: unit_of(1, unit) for unit in ones} == ones
    assert unit_of(2, "quilts") == unit_of("", "quilts") == "quilts"
