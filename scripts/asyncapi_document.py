"""Write docs/asyncapi.json from the code: what other systems find on the topic relief.events.

python scripts/asyncapi_document.py          write docs/asyncapi.json
python scripts/asyncapi_document.py --check  exit 1 if docs/asyncapi.json is not current
"""

import json
import sys
import tomllib
from inspect import cleandoc
from pathlib import Path
from typing import Any

import msgspec

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from domain.base import Event, Meta  # noqa: E402
from domain.catalog import AGGREGATES  # noqa: E402
from eventstore.mapper import TypedMapper  # noqa: E402
from eventstore.shapes import Shapes  # noqa: E402
from scripts.events_reference import snake, words  # noqa: E402
from streams.events import CONTENT_TYPE, type_of  # noqa: E402
from streams.kafka import EVENTS  # noqa: E402

TARGET = ROOT / "docs" / "asyncapi.json"
SCHEMAS = "#/components/schemas/"
DESCRIPTION = (
    "Each fact of the log as one CloudEvents 1.0 message in structured mode, in the order of the "
    "log within a stream, at least once: `source` and `id` together tell repeats apart, `sequence` "
    "which is newer: facts that are sent again come behind newer ones. Sent only where "
    "RELIEF_EVENTS_TOPIC is on; the topic begins with the last days (RELIEF_KAFKA_EVENTS_DAYS), "
    "and all before is in a file of `relief events snapshot`: the same events, one a line, after "
    "a first line of type relief.Snapshot.v1 whose `sequence` says up to where. `source` names "
    "the log and its epoch; a log that was restored goes on as another source, and what the one "
    "before had beyond the restored facts no longer counts. Personal data is sealed. Money is "
    "integer fen, quantities are whole units, moments are UTC. Facts of an older class version "
    "have its number in `type` and its fields in `data`; facts that cannot be read have "
    "`data_base64` in place of `data`."
)


def text(description: str, **more: Any) -> dict[str, Any]:
    return {"type": "string", "description": description, **more}


def envelope() -> dict[str, Any]:
    """The attributes around a fact, as `streams.events` sends them."""
    return {
        "type": "object",
        "properties": {
            "specversion": {"type": "string", "const": "1.0"},
            "id": text("Stream and version: never given twice within a source."),
            "source": text(
                "urn:relief-ledger:, the birth mark of the log, a colon, its epoch.", format="uri"
            ),
            "type": text("relief.<noun>.<fact>.v<class version>"),
            "subject": text("The stream.", format="uuid"),
            "partitionkey": text("The message's key: the stream.", format="uuid"),
            "sequence": text("Position in the log, 19 digits.", pattern="^[0-9]{19}$"),
            "time": text("When the log took it.", format="date-time"),
            "datacontenttype": {"type": "string", "const": "application/json"},
            "data": {"type": "object"},
            "data_base64": text("The stored bytes of a fact that cannot be read."),
        },
        "required": [
            *("specversion", "id", "source", "type", "subject", "partitionkey", "sequence")
        ],
    }


def facts() -> dict[str, type[Event]]:
    """Every fact by its stored topic."""
    found: dict[str, type[Event]] = {}
    for name, fact in TypedMapper(AGGREGATES).classes.items():
        version = getattr(fact, "class_version", 1)
        found[name if version == 1 else f"{name}/{version}"] = fact
    return found


def schemas(found: dict[str, type[Event]]) -> dict[str, Any]:
    """JSON Schema of each fact under its name, and of the values in it."""
    shapes = Shapes(text_ids=False)
    twins = []
    for fact in found.values():
        twin = shapes.of_fact(fact, meta=Meta)
        twin.__name__ = fact.topic()
        twins.append(twin)
    _, components = msgspec.json.schema_components(twins, ref_template=SCHEMAS + "{name}")
    for fact in found.values():
        if fact.__doc__ and fact.__doc__.startswith(fact.__name__):  # its signature, no words
            del components[fact.topic()]["description"]
    for component in components.values():
        if "description" in component:  # before Python 3.13 a docstring keeps its indentation
            component["description"] = cleandoc(component["description"])
    return components


def title(fact: type[Event]) -> str:
    """Its name as the pages say it."""
    noun, own = (snake(part) for part in fact.topic().split("."))
    return words("event.toml")[f"{noun}_{own}"]["zh"]


def message(topic: str, fact: type[Event]) -> dict[str, Any]:
    own = {
        "type": "object",
        "properties": {
            "type": {"const": type_of(topic)},
            "data": {"$ref": SCHEMAS + fact.topic()},
        },
        "required": ["time", "datacontenttype", "data"],
    }
    return {
        "name": type_of(topic),
        "title": title(fact),
        "payload": {"allOf": [{"$ref": SCHEMAS + "CloudEvent"}, own]},
        "traits": [{"$ref": "#/components/messageTraits/fact"}],
    }


def document() -> dict[str, Any]:
    found = facts()
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    names = {fact.topic(): message(topic, fact) for topic, fact in found.items()}
    channel = "#/channels/events"
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "救灾一本账 Relief Ledger: facts",
            "version": version["project"]["version"],
            "description": DESCRIPTION,
            "license": {"name": version["project"]["license"]},
        },
        "defaultContentType": CONTENT_TYPE.decode().partition(";")[0],
        "channels": {
            "events": {
                "address": EVENTS,
                "description": "Key: the stream. As many partitions as the log is cut into.",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
            }
        },
        "operations": {
            "sendFact": {
                "action": "send",
                "channel": {"$ref": channel},
                "summary": "The relay sends each fact after it is durable in the log.",
            }
        },
        "components": {
            "messageTraits": {
                "fact": {
                    "contentType": "application/cloudevents+json",
                    "bindings": {"kafka": {"key": {"type": "string", "format": "uuid"}}},
                }
            },
            "messages": names,
            "schemas": {"CloudEvent": envelope(), **dict(sorted(schemas(found).items()))},
        },
    }


def page() -> str:
    return json.dumps(document(), ensure_ascii=False, indent=1) + "\n"


def main() -> None:
    wanted = page()
    if "--check" not in sys.argv[1:]:
        TARGET.write_text(wanted, encoding="utf-8")
    elif not TARGET.exists() or TARGET.read_text(encoding="utf-8") != wanted:
        sys.exit("docs/asyncapi.json is not current: run make docs")


if __name__ == "__main__":
    main()
