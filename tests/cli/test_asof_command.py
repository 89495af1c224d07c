"""`relief asof`: the same answers as the boards gave then, and words for what cannot be asked."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import program
from domain.catalog import AGGREGATES
from domain.household import Household
from eventstore.store import Store
from tests.everything import copy_of_everything


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_of_everything(tmp_path_factory.mktemp("asof"))


def run(folder: Path, *words: str) -> Any:
    return CliRunner().invoke(program("asof"), ["asof", *words], env={"RELIEF_DATA": str(folder)})


def asked(folder: Path, *words: str) -> Any:
    done = run(folder, *words, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def facts(folder: Path) -> list[Any]:
    store = Store.at(folder, AGGREGATES)
    try:
        return store.read(0, store.head())
    finally:
        store.close()


def test_totals_grow_from_nothing_to_what_the_ledger_says_now(folder: Path) -> None:
    head = len(facts(folder))
    county = ("ledger", "totals", "--area", "340882", "--season", "2017")
    now = asked(folder, str(head), *county)
    assert now["known_at"]["position"] == head and now["question"] == "ledger totals"
    granted = [asked(folder, str(at), *county)["found"] for at in range(head // 6, head, head // 6)]
    households = [one["granted"]["households"] if one else 0 for one in granted]
    assert households == sorted(households) and households[0] < households[-1]
    assert now["found"]["granted"]["households"] >= households[-1] > 0


def test_what_was_known_is_told_about_a_day(folder: Path) -> None:
    head = str(len(facts(folder)))
    totals = ("ledger", "totals", "--area", "340882", "--season", "2017")
    before = asked(folder, head, *totals, "--as-of", "2016-01-01")["found"]
    assert before["as_of"] == "2016-01-01" and before["granted"]["households"] == 0
    assert asked(folder, head, "situation", "--as-of", "2016-01-01")["items"] == []
    now = asked(folder, head, *totals)["found"]
    last = asked(folder, head, *totals, "--as-of", "2019-12-31")["found"]
    assert {name: last[name] for name in now} == now


@pytest.mark.parametrize("question", ["situation", "stock", "funds", "dispatch", "findings"])
def test_each_board_is_told_whole(folder: Path, question: str) -> None:
    answer = asked(folder, "2018-07-02", question)
    assert answer["question"] == question and answer["known_at"]["position"] > 0
    assert answer.get("items", answer.get("found"))


def test_a_household_is_as_it_was_known_and_nobody_before(folder: Path) -> None:
    begun = next(f for f in facts(folder) if isinstance(f.event, Household.Registered))
    id = str(begun.event.originator_id)
    assert asked(folder, str(begun.position), "household", id)["found"]["id"] == id
    assert asked(folder, str(begun.position - 1), "household", id)["found"] is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("2090-01-01", "stock"), "has not come yet"),
        (("soon", "stock"), "such as"),
        (("5", "weather"), "One of"),
        (("5", "stock", "7"), "is no id"),
        (("5", "household"), "takes an id"),
        (("5", "stock", "0b0c0d0e-0000-4000-8000-000000000001"), "takes no id"),
        (("2018-07-02", "stock", "--area", "999999"), "999999"),
        (("5", "stock", "--as-of", "2018-01-03"), "takes no day"),
        (("5", "situation", "--as-of", "yesterday"), "is no day"),
    ],
)
def test_what_cannot_be_asked_is_said_in_words(
    folder: Path, words: tuple[str, ...], said: str
) -> None:
    done = run(folder, *words)
    assert done.exit_code == 1 and said in done.output + done.stderr, done.output
    assert "Traceback" not in done.output
