"""The second pair of eyes finds the rules that were in force, also where some wait."""

from datetime import UTC, datetime
from typing import Any

from audit.books import Fact, Rules

AT = datetime(2018, 7, 4, tzinfo=UTC)


def fact(position: int, topic: str, stream: str, **body: Any) -> Fact:
    return Fact(position, stream, topic, body, {})


def adopted(position: int, stream: str, version: str, **more: Any) -> Fact:
    values = {"valid_from": "2016-01-01", "valid_to": None, "content": {"is": version}}
    return fact(position, "Rulebook.Adopted", stream, version=version, **(values | more))


def test_what_waits_counts_only_where_nothing_confirmed_does() -> None:
    rules = Rules()
    for one in (
        fact(1, "Area.Established", "county", parent=None, level="county", code="340882"),
        fact(2, "Rulebook.Opened", "book", area="county", kind="notices"),
        adopted(3, "book", "first", waits=True),
    ):
        rules.take(one)
    assert rules.in_force("notices", "county", AT) == {"is": "first"}
    rules.take(adopted(4, "book", "old"))
    assert rules.in_force("notices", "county", AT) == {"is": "old"}, "it says nothing: confirmed"
    rules.take(adopted(5, "book", "new", waits=True))
    assert rules.in_force("notices", "county", AT) == {"is": "old"}
    rules.take(fact(6, "Rulebook.Confirmed", "book", version="new"))
    assert rules.in_force("notices", "county", AT) == {"is": "new"}
