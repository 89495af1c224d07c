"""Facts to bytes and back, for every event class there is; old versions; unknown topics."""

from dataclasses import FrozenInstanceError, fields
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from eventsourcing.domain import event
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.base import Aggregate, Event, Meta
from domain.catalog import AGGREGATES
from eventstore.errors import StoreDamaged, UnknownTopic
from eventstore.mapper import TypedMapper
from eventstore.outcomes import body_of
from eventstore.sqlite import SQLiteLog
from tests.eventstore.generated import event_of
from tests.eventstore.support import new_unit
from tests.everything import everything

MAPPER = TypedMapper(AGGREGATES)
CLASSES = sorted(MAPPER.classes.items())


@pytest.mark.parametrize("event_class", [c for _, c in CLASSES], ids=[t for t, _ in CLASSES])
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_every_event_comes_back_as_it_went(event_class: type[Event], data: Any) -> None:
    fact = data.draw(event_of(event_class))
    topic, state = MAPPER.topic_of(fact), MAPPER.encode(fact)
    back = MAPPER.decode(topic, state)
    assert type(back) is event_class
    for field in fields(event_class):  # type: ignore[arg-type]
        went, came = getattr(fact, field.name), getattr(back, field.name)
        assert came == went and type(came) is type(went), field.name
    assert MAPPER.encode(back) == state
    stored = MAPPER.to_stored_event(fact)
    assert MAPPER.encode(MAPPER.to_domain_event(stored)) == state


@pytest.mark.parametrize("text_ids", [False, True])
def test_a_decoded_fact_is_a_fact_of_its_class_and_nothing_of_its_twin_remains(
    text_ids: bool,
) -> None:
    """The canary of `shapes.become`: what an upgrade of Python or msgspec might change."""
    mapper = TypedMapper(AGGREGATES, text_ids=text_ids)
    kind = MAPPER.classes["Unit.WentOffDuty"]
    made = kind(**_values(kind, reason="轮休"))
    back = mapper.decode(MAPPER.topic_of(made), MAPPER.encode(made))
    assert type(back) is kind and list(vars(back)) == list(vars(made))
    assert "__slots__" not in vars(kind) and vars(back) is not vars(made)
    if not text_ids:
        assert back == made and repr(back) == repr(made)
    with pytest.raises(FrozenInstanceError):
        back.originator_version = 9
    twin = mapper._shapes.of_fact(kind, meta=msgspec.Raw)
    assert (
        twin is not kind and twin.__mro__[1] is kind and twin.__dictoffset__ == kind.__dictoffset__
    )


def test_every_fact_of_the_demo_decodes_and_encodes_to_the_same_bytes() -> None:
    log = SQLiteLog(everything() / "log.sqlite")
    rows = log.rows(0, 1_000_000)
    log.close()
    assert {row[3].partition("/")[0] for row in rows} == set(MAPPER.classes)
    for position, _, _, topic, state in rows:
        fact = MAPPER.decode(topic, state)
        assert (MAPPER.topic_of(fact), MAPPER.encode(fact)) == (topic, state), position


def test_topics_are_names_and_never_import_paths() -> None:
    assert len(CLASSES) > 100
    for topic, event_class in CLASSES:
        assert topic == event_class.__qualname__ and ":" not in topic
        owner, _, name = topic.partition(".")
        assert owner[0].isupper() and name[0].isupper()


@pytest.mark.parametrize("topic", ["os:system", "Unit", "Unit.Registered/2", "Unit.Registered/1"])
def test_a_topic_that_is_not_registered_is_unknown(topic: str) -> None:
    with pytest.raises(UnknownTopic):
        MAPPER.decode(topic, b"{}")


@pytest.mark.parametrize("state", [b"", b"{}", b"[1]", b"\xff\xfe", b'{"originator_id": 5}'])
def test_bytes_that_do_not_fit_are_damage(state: bytes) -> None:
    with pytest.raises(StoreDamaged):
        MAPPER.decode("Unit.Registered", state)


def test_two_classes_cannot_have_one_topic() -> None:
    with pytest.raises(ValueError):
        TypedMapper([*AGGREGATES, AGGREGATES[0]])


def test_a_type_nobody_thought_of_cannot_slip_into_the_log() -> None:
    fact = MAPPER.classes["Unit.WentOffDuty"]
    wrong = fact(**_values(fact, reason=object()))
    with pytest.raises(TypeError):
        MAPPER.encode(wrong)


def _values(event_class: type[Event], **given: Any) -> dict[str, Any]:
    meta = Meta(uuid4(), "r", uuid4(), uuid4(), uuid4(), datetime(2018, 7, 4, tzinfo=UTC))
    return {"originator_id": uuid4(), "originator_version": 2, "meta": meta} | given


class Grown(Aggregate):
    """A noun whose first fact has grown twice: a field was added, then another renamed."""

    @event("Opened")
    def __init__(self, id: UUID, title: str, size: int) -> None:
        self._id = id
        self.title, self.size = title, size

    @property
    def home(self) -> UUID:
        return self.id


def _upcast_v1_v2(state: dict[str, Any]) -> None:
    state["size"] = 1


def _upcast_v2_v3(state: dict[str, Any]) -> None:
    state["title"] = state.pop("name")


def test_rows_of_older_class_versions_are_raised_to_the_present_one() -> None:
    opened = next(Grown.event_classes())
    opened.class_version = 3  # type: ignore[attr-defined]
    opened.upcast_v1_v2 = staticmethod(_upcast_v1_v2)  # type: ignore[attr-defined]
    opened.upcast_v2_v3 = staticmethod(_upcast_v2_v3)  # type: ignore[attr-defined]
    mapper = TypedMapper([Grown])
    now = opened(**_values(opened, title="今", size=4, originator_version=1))
    assert mapper.topic_of(now) == "Grown.Opened/3"
    plain = msgspec.json.decode(mapper.encode(now))
    old = {**plain, "name": "旧"}
    del old["title"]
    second: Any = mapper.decode("Grown.Opened/2", msgspec.json.encode(old))
    assert (second.title, second.size, second.meta) == ("旧", 4, now.meta)
    del old["size"]
    first: Any = mapper.decode("Grown.Opened", msgspec.json.encode(old))
    assert (type(first), first.title, first.size) == (opened, "旧", 1)
    assert mapper.class_of("Grown.Opened") is mapper.class_of("Grown.Opened/3") is opened
    assert first.mutate(None).size == 1
    with pytest.raises(UnknownTopic):
        mapper.decode("Grown.Opened/4", mapper.encode(now))


def test_a_wish_has_the_same_bytes_however_its_sets_and_tables_are_ordered() -> None:
    from dataclasses import dataclass

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Wish(type(new_unit("x")).__mro__[1]):  # type: ignore[misc]
        tags: frozenset[str]
        table: dict[str, int]

    names = [f"k{n}" for n in range(50)]
    one = Wish(tags=frozenset(names), table=dict.fromkeys(names, 1))
    two = Wish(tags=frozenset(reversed(names)), table=dict.fromkeys(reversed(names), 1))
    assert body_of(one) == body_of(two)
