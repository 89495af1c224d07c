"""The description of the API: complete, free of collisions, with examples that are accepted."""

import inspect
import json
import pkgutil
import re
from importlib import import_module
from typing import Any

import httpx
import pytest

import domain.commands
from api.described import PROBLEM_SCHEMA, RECEIPT_SCHEMA, TAGS
from api.examples import example_of
from api.routes import READS, WRITES
from api.writes import Write
from domain.world import Command, Role

METHODS = ("get", "post", "put", "patch", "delete")


@pytest.fixture(scope="module")
def document(edge: Any) -> dict[str, Any]:
    with edge.client() as client:
        answer: httpx.Response = client.get("/v1/openapi.json")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def operations(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{method.upper()} {path}", operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    ]


def test_every_operation_is_described(document: dict[str, Any]) -> None:
    ids = []
    for name, operation in operations(document):
        assert operation.get("summary") and operation.get("tags"), name
        assert all(said.get("description") for said in operation["responses"].values()), name
        ids.append(operation["operationId"])
        if not name.startswith(("GET /health", "GET /ready", "GET /v1/openapi")):
            assert {"401", "422"} & operation["responses"].keys(), name
    assert len(ids) == len(set(ids))
    assert len(ids) >= len(WRITES) + len(READS)


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    """A viewer reads the document from its root: what a part defines for itself is not found."""
    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    named = set(re.findall(r'"\$ref": "([^"]*)"', json.dumps(document)))
    assert named and named <= known


def test_every_part_of_the_document_is_told_in_both_languages(document: dict[str, Any]) -> None:
    used = {tag for _, operation in operations(document) for tag in operation["tags"]}
    assert used == TAGS.keys()
    assert [tag["name"] for tag in document["tags"]] == list(TAGS)
    for tag in document["tags"]:
        zh, _, en = tag["description"].partition(" · ")
        assert re.search(r"[\u4e00-\u9fff]", zh) and re.search(r"[a-z]", en), tag


@pytest.mark.parametrize("write", WRITES, ids=lambda write: write.command.__name__)
def test_every_example_is_accepted(write: Write, document: dict[str, Any]) -> None:
    """By the command's own validation, as a body on the wire."""
    operation = document["paths"][write.path]["post"]
    example = operation["requestBody"]["content"]["application/json"]["schema"]["example"]
    path = {
        name: "1" if name in ("version", "number") else "6f1c7a5e-8d1e-4a53-9f8e-0d7b7f0a1c11"
        for name in write.in_path
    }
    command = write.parse(json.dumps(example).encode(), path)
    assert type(command) is write.command


def test_definitions_of_different_bodies_do_not_collide(edge: Any) -> None:
    seen: dict[str, Any] = {"Problem": PROBLEM_SCHEMA, "Receipt": RECEIPT_SCHEMA}
    bodies = [
        kind["schema"].get("$defs", {})
        for route in edge.app.routes
        for kind in (getattr(route, "openapi_extra", None) or {})
        .get("requestBody", {})
        .get("content", {})
        .values()
    ]
    assert any(bodies)
    for definitions in [*bodies, *(write.definitions() for write in WRITES)]:
        for name, definition in definitions.items():
            assert seen.setdefault(name, definition) == definition, name


@pytest.mark.parametrize("write", WRITES, ids=lambda write: write.command.__name__)
def test_no_field_can_be_slipped_in(write: Write) -> None:
    """Mass assignment: what a command does not name is refused, at every depth."""
    assert write.body_schema()["additionalProperties"] is False
    for name, definition in write.definitions().items():
        if definition.get("type") == "object":
            assert definition.get("additionalProperties") is False, name


def test_every_command_has_an_address_but_what_only_the_system_does() -> None:
    routed = {write.command.__name__ for write in WRITES}
    routed |= {"BindProvider", "UnbindProvider"}  # where a provider is set: api/provider_routes.py
    for module in pkgutil.iter_modules(domain.commands.__path__):
        found = import_module(f"domain.commands.{module.name}")
        for name, kind in inspect.getmembers(found, inspect.isclass):
            if issubclass(kind, Command) and kind is not Command and "decide" in vars(kind):
                by_itself = kind.roles == {Role.SYSTEM}  # the timekeeper's: nobody sends it
                assert (name in routed) != by_itself, f"{name}: see api/routes_writes.py"


@pytest.mark.parametrize("write", WRITES, ids=lambda write: write.command.__name__)
def test_whoever_changes_an_example_changes_no_other(write: Write) -> None:
    def spoil(value: Any) -> None:
        for part in list(value.values()) if isinstance(value, dict) else list(value):
            if isinstance(part, dict | list):
                spoil(part)
        value.clear()

    told = json.dumps(example_of(write.command))
    spoil(example_of(write.command))
    assert json.dumps(example_of(write.command)) == told
