"""`relief parked`: list, show, replay and drop, as an operator types them, on PostgreSQL."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from domain.parked_facts import ParkedFacts
from projections.catalog import VIEWS
from projections.folding.engine import ViewsDatabase
from streams.frames import PARTITIONS, Router, partitions_of
from tests.clusters import Founded, cluster
from tests.projections.test_engine_postgres import log_rows
from tests.projections.test_replaying import cards, failing_at
from tests.typed import type_command

__all__ = ["cluster"]
ROOT = Path(__file__).parents[2]
FRAME = 50


class Operator:
    """Types commands at a cluster whose broken workers have parked a card and a strange fact."""

    def __init__(self, made: Founded) -> None:
        self.made = made
        self.env = {
            **os.environ,
            "RELIEF_DATABASE_URL": made.urls.database,
            "RELIEF_VAULT_URL": made.urls.vault,
            "RELIEF_VIEWS_URL": made.urls.views,
            "RELIEF_DATA": str(made.place.folder),
        }

    def types(self, *words: str) -> subprocess.CompletedProcess[str]:
        return type_command("parked", *words, cwd=ROOT, env=self.env)

    def listed(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.types("list", "--json").stdout)["parked"]
        return found


@pytest.fixture
def operator(cluster: Founded) -> Iterator[Operator]:
    rows = list(log_rows())
    card = next(row for row in rows if row[0] == cards()[1])
    head = rows[-1][0]
    rows += [(head + 1, card[1], card[2] + 99, "Household.Beamed", b"\xff{")]
    rows += [(head + 2, ParkedFacts.id_of("nobody").bytes, *rows[head - 2][2:])]
    with closing(cluster.place.open()) as store:
        with store.log.transaction() as db:
            store.seals.put(db, rows)
        partitions = partitions_of(store.log)
        router = Router(store.log, partitions)
        assert partitions == PARTITIONS
        with closing(ViewsDatabase(cluster.urls.views, failing_at(cards()[0]), partitions)) as v:
            for partition in range(partitions):
                mine = [row for row in rows if router.partition_of(row) == partition]
                previous = 0
                for begin in range(0, len(mine), FRAME):
                    some = mine[begin : begin + FRAME]
                    v.apply_frame(partition, previous, some[-1][0], some)
                    previous = some[-1][0]
                v.apply_frame(partition, previous, head + 2, [])
            assert {one.view for one in v.parked()} == {view.name for view in VIEWS}
    yield Operator(cluster)


def test_an_operator_looks_replays_and_gives_up(operator: Operator) -> None:
    bad, strange = cards()[0], log_rows()[-1][0] + 1
    found = {(one["view"], one["position"]): one for one in operator.listed()}
    assert found["households", bad]["reason"] == "ZeroDivisionError: a bug"
    assert {p for v, p in found if v == "funds"} == {strange}
    assert "relief parked replay" in operator.types("list").stdout

    shown = json.loads(operator.types("show", "households", str(bad)).stdout)
    assert shown["topic"] == "Household.CardRecorded"
    assert set(shown["fact"]["card"]["number"]) == {"person", "box"}, "it stays sealed"
    assert json.loads(operator.types("show", "funds", str(strange)).stdout)["bytes"] == "ff7b"
    assert operator.types("show", "funds", str(bad)).returncode == 1

    replayed = json.loads(operator.types("replay", "households", "--json").stdout)["views"]
    assert [(one["view"], one["parked"]) for one in replayed] == [("households", 1)]
    left = {(one["view"], one["position"]) for one in operator.listed()}
    assert left == {(view.name, strange) for view in VIEWS}, "the repaired card is folded"

    not_parked = operator.types("drop", "funds", str(bad), "--reason", "a slip")
    assert not_parked.returncode == 1 and "only what could not be folded" in not_parked.stderr
    assert operator.types("drop", "funds", str(strange), "--reason", " ").returncode == 1
    dropped = operator.types("drop", "funds", str(strange), "--reason", "写入程序的错误")
    assert dropped.returncode == 0, dropped.stderr
    assert ("funds", strange) not in {(one["view"], one["position"]) for one in operator.listed()}
    assert operator.types("drop", "nothing", "1", "--reason", "记错了").returncode == 1
