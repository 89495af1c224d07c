"""What is compared says truly whether it was a drill, whatever table it is read from."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import pytest

from api.auth import Caller
from api.comparing_sources import SOURCES
from api.rules_compared import Comparison
from domain.rules.items import Items
from projections import households, ledger, seasons
from projections.asking.scope import EVERYTHING
from tests.domain.ledger import Ledger
from tests.projections.relief import fold


class Everywhere(Comparison):
    """The rules compared would be in force in every area."""

    def governs(self, area: UUID) -> bool:
        return True


@pytest.fixture(params=[True, False], ids=["drill", "earnest"])
def granted(request: pytest.FixtureRequest) -> Iterator[Ledger]:
    """A list whose household a was granted a quilt, in a drill or in earnest."""
    yield Ledger(exercise=request.param).until("allocated")


def test_goods_that_were_granted_in_a_drill_are_compared_as_a_drill(
    granted: Ledger, tmp_path: Path
) -> None:
    views = (households.VIEW, seasons.VIEW, ledger.VIEW)
    folded = fold(tmp_path, granted.scenario, views)
    no_caller = cast(Caller, None)  # nothing but areas, rules and tables is asked here
    comparison = Everywhere(no_caller, UUID(int=0), Items(()), granted.scenario.now, EVERYTHING)
    (goods,) = SOURCES[Items.KIND]
    with folded.reading() as db:
        ids: list[Any] = list(db.execute(goods.subjects(comparison)).scalars())
        found = [one for id in ids for one in goods.compare(comparison, db, UUID(id))]
    folded.close()
    assert [one.id for one in found] == [granted.case("a")]
    assert [one.exercise for one in found] == [granted.exercise]
