"""The software bill of materials says what the pins say, in the form that CycloneDX asks for."""

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from cyclonedx.output.json import JsonV1Dot6

from scripts.sbom import OURS, PINS, bill, main

TEXT = PINS.read_text(encoding="utf-8")
BASE = "http://cyclonedx.org/schema"
REFERRED = ("spdx", "jsf-0.82")
EXAMPLE = """\
here==1.0 \\
    --hash=sha256:{a} \\
    --hash=sha256:{b}
    # via relief-ledger (pyproject.toml)
there==2.0 ; sys_platform == 'win32' \\
    --hash=sha256:{b}
    # via
    #   relief-ledger (pyproject.toml)
    #   here
""".format(a="a" * 64, b="b" * 64)


def written(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(JsonV1Dot6(bill(text, "1.2.3")).output_as_string())
    return found


def validator() -> Any:
    """Of the schemas that come with the library: CycloneDX's, and the two it refers to."""
    folder = files("cyclonedx.schema") / "_res"

    def schema(name: str) -> Any:
        return json.loads((folder / f"{name}.SNAPSHOT.schema.json").read_text(encoding="utf-8"))

    beside = [(f"{BASE}/{name}.SNAPSHOT.schema.json", schema(name)) for name in REFERRED]
    registry = jsonschema_rs.Registry(beside)
    return jsonschema_rs.validator_for(schema("bom-1.6"), registry=registry)


def test_it_is_a_cyclonedx_bill() -> None:
    found = written(TEXT)
    assert [f"{p.instance_path}: {p.message}" for p in validator().iter_errors(found)] == []
    found["components"][0]["type"] = "something"
    assert list(validator().iter_errors(found)), "the schema lets everything pass"


def test_it_names_every_pin_and_every_hash() -> None:
    found = written(TEXT)
    pinned = set(re.findall(r"^([\w.-]+)==([^\s;\\]+)", TEXT, re.M))
    assert {(one["name"], one["version"]) for one in found["components"]} == pinned
    hashes = sorted(h["content"] for one in found["components"] for h in one["hashes"])
    assert hashes == sorted(re.findall(r"sha256:([0-9a-f]{64})", TEXT)) and len(hashes) > 1000
    asked = {one["ref"]: set(one.get("dependsOn", ())) for one in found["dependencies"]}
    assert {"eventsourcing", "fastapi", "psycopg"} <= asked[OURS]
    assert "starlette" in asked["fastapi"] and set().union(*asked.values()) == {
        name for name, _ in pinned
    }


def test_markers_and_who_asked_are_read() -> None:
    found = written(EXAMPLE)
    here, there = found["components"]
    assert [one["content"][0] for one in here["hashes"]] == ["a", "b"]
    assert there["description"] == "only where sys_platform == 'win32'"
    asked = {one["ref"]: one.get("dependsOn", []) for one in found["dependencies"]}
    assert asked == {OURS: ["here", "there"], "here": ["there"], "there": []}


def test_the_script_writes_where_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "bill.json"
    monkeypatch.setattr("sys.argv", ["sbom.py", str(target)])
    main()
    assert json.loads(target.read_text())["bomFormat"] == "CycloneDX"
