"""Every event type reaches a view, or is named with the reason why not."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.base import Event
from domain.catalog import AGGREGATES
from projections import catalog
from projections.catalog import IGNORED, VIEWS
from projections.folding.base import View
from projections.folding.fingerprints import module_of

TYPES = [found for aggregate in AGGREGATES for found in aggregate.event_classes()]
TIMELINE = "timeline"


def routed_by_boards() -> set[type[Event]]:
    return {found for view in VIEWS if view.name != TIMELINE for found in view.routes}


def test_every_event_type_is_routed_or_ignored_with_a_reason() -> None:
    routed = routed_by_boards()
    lost = [found.topic() for found in TYPES if found not in routed and found not in IGNORED]
    assert not lost, "route them in a view, or name them in projections/catalog.py IGNORED"


def test_no_event_type_is_both_routed_and_ignored() -> None:
    both = [found.topic() for found in routed_by_boards() & IGNORED.keys()]
    assert not both, "take them out of projections/catalog.py IGNORED"


def test_the_timeline_tells_every_fact() -> None:
    timeline = next(view for view in VIEWS if view.name == TIMELINE)
    assert set(timeline.routes) == set(TYPES)


def test_every_reason_is_a_sentence() -> None:
    reasons = [*IGNORED.values(), *(why for view in VIEWS for why in view.ignored.values())]
    assert all(len(why.split()) >= 3 for why in reasons)


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_a_view_routes_only_types_that_the_domain_has(view: View) -> None:
    assert set(view.routes) <= set(TYPES)
    assert set(view.ignored) <= set(TYPES)
    assert not set(view.routes) & set(view.ignored)


def test_no_two_views_share_a_name_and_no_two_tables() -> None:
    def doubled(names: Iterator[str]) -> list[str]:
        found = list(names)
        return sorted({name for name in found if found.count(name) > 1})

    assert not doubled(view.name for view in VIEWS)
    assert not doubled(table.name for view in VIEWS for table in view.tables)


def test_the_folder_of_the_views_holds_views_and_their_catalog_alone() -> None:
    folder = Path(catalog.__file__).parent
    modules = {file.stem for file in folder.glob("*.py")} - {"__init__", "catalog"}
    assert {f"projections.{name}" for name in modules} == {module_of(view) for view in VIEWS}


def test_every_table_has_a_key_so_that_its_rows_can_be_compared() -> None:
    for view in VIEWS:
        for table in view.tables:
            assert list(table.primary_key.columns), table.name
