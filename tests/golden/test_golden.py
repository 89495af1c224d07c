"""Facts stored once are read for ever: every event type and class version has its golden file."""

from pathlib import Path
from typing import Any

import pytest

from domain.base import EPOCH, OWNERS
from domain.catalog import AGGREGATES
from eventstore.mapper import TypedMapper
from tests.golden.files import FOLDER, current_topics, file_of, read

MAPPER = TypedMapper(AGGREGATES)
FILES = sorted(FOLDER.glob("*.json"))
CURRENT = set(current_topics())


def test_every_event_type_and_class_version_has_a_golden_file() -> None:
    missing = [topic for topic in MAPPER.topics() if not file_of(topic).exists()]
    assert not missing, "run: python -m tests.golden.files"


def test_every_golden_file_belongs_to_a_type_that_can_be_read() -> None:
    assert {path.name for path in FILES} == {file_of(topic).name for topic in MAPPER.topics()}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_golden_fact_is_decoded_encoded_and_replayed(path: Path) -> None:
    stream = read(path)
    assert file_of(stream[-1].topic) == path
    aggregate: Any = None
    for version, stored in enumerate(stream, start=1):
        state = bytes(stored.state)
        fact = MAPPER.decode(stored.topic, state)
        assert MAPPER.class_of(stored.topic) is type(fact)
        assert fact.originator_version == version
        assert fact.meta.recorded_at > EPOCH
        if stored.topic in CURRENT:
            assert MAPPER.encode(fact) == state, "the same bytes as the day it was stored"
        aggregate = fact.mutate(aggregate)
    assert type(aggregate) is OWNERS[type(fact)]
    assert aggregate.version == len(stream)
    assert aggregate.id == fact.originator_id


def test_a_golden_fact_whose_bytes_were_changed_is_noticed() -> None:
    stored = read(file_of("Disaster.Stabilized"))[-1]
    changed = bytes(stored.state).replace(b'"reason":', b'"raison":')
    with pytest.raises(Exception, match="reason"):
        MAPPER.decode(stored.topic, changed)
