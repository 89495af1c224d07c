"""Write the software bill of materials of what is installed to run: CycloneDX 1.6, JSON.

Made from requirements.txt alone (names, versions, SHA-256 of every file that pip would take, and
which package asked for which), so that it says what the pins say, on any machine. `make sbom`
writes ``sbom.cdx.json``; with a path as its argument the script writes there.
"""

import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid5

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

ROOT = Path(__file__).resolve().parents[1]
PINS = ROOT / "requirements.txt"
TARGET = ROOT / "sbom.cdx.json"
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)(?:\s*;\s*([^\\]+?))?\s*\\?$")
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
VIA = re.compile(r"^\s+#\s+(?:via\s+)?([A-Za-z0-9._-]+)(?: \(pyproject\.toml\))?$")
OURS = "relief-ledger"
NAMESPACE = UUID("5d0f5d4e-6d3e-4f0c-9a64-2d7b1c0c8e11")


@dataclass
class Pin:
    """One line of the pins: ``marker`` says on which machines it is installed, ``via`` for whom."""

    name: str
    version: str
    marker: str | None
    hashes: list[str] = field(default_factory=list)
    via: list[str] = field(default_factory=list)


def pins(text: str) -> Iterator[Pin]:
    """What a file says that `uv pip compile --generate-hashes` wrote."""
    pin: Pin | None = None
    for line in text.splitlines():
        if found := PIN.match(line):
            if pin is not None:
                yield pin
            pin = Pin(found[1], found[2], found[3])
        elif pin is not None:
            pin.hashes += HASH.findall(line)
            if (asked := VIA.match(line)) and asked[1] != "via":
                pin.via.append(asked[1])
    if pin is not None:
        yield pin


def bill(text: str, version: str) -> Bom:
    """Every package of the pins, and what it was asked for by. The same pins give the same bill,
    but for the time it was made."""
    found = list(pins(text))
    root = Component(name=OURS, version=version, type=ComponentType.APPLICATION, bom_ref=OURS)
    bom = Bom(serial_number=uuid5(NAMESPACE, version + text))
    bom.metadata.component = root
    of = {OURS: root}
    for pin in found:
        component = Component(
            name=pin.name,
            version=pin.version,
            type=ComponentType.LIBRARY,
            bom_ref=pin.name,
            purl=PackageURL("pypi", None, pin.name, pin.version),
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=one) for one in pin.hashes],
            description=None if pin.marker is None else f"only where {pin.marker}",
        )
        of[pin.name] = component
        bom.components.add(component)
    for name, component in of.items():
        asked = [of[pin.name] for pin in found if name in pin.via]
        bom.register_dependency(component, asked)
    return bom


def main() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET
    made = bill(PINS.read_text(encoding="utf-8"), project["version"])
    target.write_text(JsonV1Dot6(made).output_as_string(indent=2) + "\n", encoding="utf-8")
    print(f"{target}: {len(made.components)} packages")


if __name__ == "__main__":
    main()
