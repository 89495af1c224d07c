"""The test store: every event type occurs in it, and every table of every view has rows."""

from domain.catalog import AGGREGATES
from eventstore.store import Store
from projections.catalog import VIEWS
from projections.folding.base import TableWriter
from projections.folding.engine import ViewsDatabase
from tests.everything import everything, opened


def rows_of(views: ViewsDatabase) -> dict[str, int]:
    generations = {live.view: live.generation for live in views.live()}
    found = {}
    for view in VIEWS:
        for table in view.tables:
            name = TableWriter(table, generations[view.name]).name
            found[table.name] = views.db.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
    return found


def test_every_event_type_occurs() -> None:
    store = Store.at(everything(), AGGREGATES)
    try:
        counted = store.stats()["by_topic"]
        assert store.simulated
    finally:
        store.close()
    types = {found.topic() for aggregate in AGGREGATES for found in aggregate.event_classes()}
    happened = {topic.partition("/")[0] for topic in counted}
    assert types == happened, "let it happen in tests/afterwards.py or tests/winter.py"


def test_every_table_of_every_view_has_rows() -> None:
    with opened(everything()) as (store, views):
        assert views.position() == store.head()
        rows = rows_of(views)
    empty = [name for name, count in rows.items() if count == 0]
    assert not empty, "let it happen in tests/afterwards.py or tests/winter.py"


def test_every_stored_fact_is_encoded_to_the_same_bytes_again() -> None:
    store = Store.at(everything(), AGGREGATES)
    try:
        for row in store.log.rows(0, store.head()):
            topic, state = row[3], row[4]
            assert store.mapper.encode(store.mapper.decode(topic, state)) == state, topic
    finally:
        store.close()
