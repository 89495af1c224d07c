"""``relief.events``: CloudEvents 1.0 that fit the document which describes them."""

import base64
import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from jsonschema_rs import validator_for

from domain.catalog import AGGREGATES
from eventstore.mapper import TypedMapper
from scripts.asyncapi_document import TARGET, page
from streams.events import cloud_event, encode, type_of
from tests.golden.files import FOLDER, Stored, read

SOURCE = "urn:relief-ledger:b0"
DOCUMENT: dict[str, Any] = json.loads(TARGET.read_text(encoding="utf-8"))
CURRENT = {fact.topic(): fact for fact in TypedMapper(AGGREGATES).classes.values()}


def sent(topic: str, state: bytes, position: int = 7) -> dict[str, Any]:
    """What a consumer reads of a stored row."""
    row = (position, UUID(int=5).bytes, 3, topic, state)
    found: dict[str, Any] = json.loads(encode(cloud_event(SOURCE, row)))
    return found


def golden() -> list[Stored]:
    return [read(path)[-1] for path in sorted(FOLDER.glob("*.json"))]


def test_the_asyncapi_document_is_current() -> None:
    assert TARGET.read_text(encoding="utf-8") == page(), "run make docs"


def test_every_event_type_has_a_message() -> None:
    assert set(DOCUMENT["components"]["messages"]) == set(CURRENT)
    assert set(DOCUMENT["channels"]["events"]["messages"]) == set(CURRENT)


def test_every_kind_of_stored_fact_is_sent_as_the_document_says() -> None:
    base = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "components": DOCUMENT["components"],
    }
    checked = 0
    for fact in golden():
        message = DOCUMENT["components"]["messages"][fact.topic.partition("/")[0]]
        event = sent(fact.topic, bytes(fact.state))
        assert event["type"] == type_of(fact.topic)
        if event["type"] == message["name"]:
            validator = validator_for(base | message["payload"])
            validator.validate(event)
            assert not validator.is_valid(event | {"type": "relief.Other.v1"})
            assert not validator.is_valid(event | {"data": {}})
            checked += 1
    assert checked == len(CURRENT)


def test_an_event_has_the_attributes_of_cloudevents() -> None:
    fact = golden()[0]
    event = sent(fact.topic, bytes(fact.state), position=42)
    stream = str(UUID(int=5))
    assert event.pop("data") == json.loads(bytes(fact.state))
    assert event == {
        "specversion": "1.0",
        "id": f"{stream}/3",
        "source": SOURCE,
        "type": f"relief.{fact.topic}.v1",
        "subject": stream,
        "partitionkey": stream,
        "sequence": "0000000000000000042",
        "time": json.loads(bytes(fact.state))["meta"]["recorded_at"],
        "datacontenttype": "application/json",
    }


def test_the_stored_bytes_stand_in_the_event_untouched() -> None:
    for fact in golden():
        row = (1, uuid4().bytes, 1, fact.topic, bytes(fact.state))
        assert b'"data":' + bytes(fact.state) in encode(cloud_event(SOURCE, row))


@pytest.mark.parametrize("state", [b"", b"{", b"\xff", b'{"meta":{}}'])
def test_a_fact_that_cannot_be_read_is_sent_as_its_bytes(state: bytes) -> None:
    event = sent("Unit.WentOnDuty", state)
    assert base64.b64decode(event["data_base64"]) == state
    assert not {"data", "time", "datacontenttype"} & set(event)


def test_an_older_class_version_has_its_number_in_the_type() -> None:
    assert type_of("Stockpile.Shipped/2") == "relief.Stockpile.Shipped.v2"
    assert type_of("Stockpile.Shipped") == "relief.Stockpile.Shipped.v1"
