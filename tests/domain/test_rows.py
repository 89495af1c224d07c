"""A command that must bring a list brings at least one row: one rule for all of them."""

from typing import Any

import msgspec
import pytest

from api.examples import example_of
from domain.commands.stock import RecountStock
from domain.refusal import Malformed
from domain.rows import lists_of
from domain.world import Command
from tests.domain.test_reasons import commands, decided

BRINGING = sorted({one.__name__: one for one in commands() if "roles" in dir(one)}.items())
LISTS = [
    (kind, field) for _, kind in BRINGING for field in lists_of(kind) if kind.empty_list_refused
]


def without_rows(kind: type[Any], field: str) -> Any:
    """The command of the API's example, one of its lists empty."""
    return msgspec.convert(example_of(kind) | {field: []}, kind, strict=False)


@pytest.mark.parametrize(("kind", "field"), LISTS)
def test_a_list_of_nothing_is_refused(
    kind: type[Command], field: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Signatures of nobody were booked as goods handed out: 0 households, 0 units."""
    refusal = decided(without_rows(kind, field), monkeypatch)
    assert isinstance(refusal, Malformed) and refusal.field == field
    assert "不能为空" in refusal.sentence("zh")


def test_what_is_a_list_of_rows() -> None:
    named = {f"{kind.__name__}.{field}" for kind, field in LISTS}
    assert {"SignGoods.signatures", "ApplyVillage.applications", "RecountStock.counts"} <= named
    assert {
        "ReviewList.struck",
        "AppropriateFund.earmark",
        "RegisterHouseholds.households",
    }.isdisjoint(named)
    assert lists_of(RecountStock) == ("counts",)
