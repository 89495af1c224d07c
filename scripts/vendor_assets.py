"""Fetch the pinned browser libraries into web/static/vendor and write their SHA-256 manifest.

    python scripts/vendor_assets.py           fetch with ``npm pack`` (from npm's own configuration)
    python scripts/vendor_assets.py --check   only compare the files with the manifest; no network

A file of an already vendored version that arrives with another hash is refused: a published
version does not change.
"""

import argparse
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

import msgspec

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from web.assets import (
    MANIFEST,
    STATIC,
    VENDOR,
    Manifest,
    VendoredPackage,
    problems,
    read_manifest,
    sha256_of,
)


@dataclass(frozen=True)
class Pin:
    """An exact version, and the files we take from it (path in the package → name here)."""

    name: str
    version: str
    license: str
    files: dict[str, str]

    @property
    def folder(self) -> str:
        return f"{VENDOR}/{self.name}-{self.version}"


# htmx 4 is weeks old (4.0.0 in September 2026); 2.x is maintained and does all we need.
PINS = (
    Pin("htmx.org", "2.0.11", "0BSD", {"dist/htmx.min.js": "htmx.min.js", "LICENSE": "LICENSE"}),
    Pin(
        "swagger-ui-dist",
        "5.35.0",
        "Apache-2.0",
        {
            "swagger-ui-bundle.js": "swagger-ui-bundle.js",
            "swagger-ui-bundle.js.LICENSE.txt": "LICENSE-OF-PARTS.txt",
            "swagger-ui.css": "swagger-ui.css",
            "LICENSE": "LICENSE",
            "NOTICE": "NOTICE",
        },
    ),
)


def fetch(pin: Pin, scratch: Path) -> dict[str, Path]:
    """Download one package; answers path below static/ → the file, still in ``scratch``."""
    npm = shutil.which("npm")
    if npm is None:
        sys.exit("npm is needed to fetch packages; --check works without it")
    subprocess.run([npm, "pack", "--silent", f"{pin.name}@{pin.version}"], cwd=scratch, check=True)
    [tarball] = scratch.glob("*.tgz")
    fetched: dict[str, Path] = {}
    with tarfile.open(tarball) as archive:
        for inside, name in pin.files.items():
            content = archive.extractfile(f"package/{inside}")
            if content is None:
                sys.exit(f"{pin.name} {pin.version} has no {inside}")
            target = scratch / name
            target.write_bytes(content.read())
            fetched[f"{pin.folder}/{name}"] = target
    tarball.unlink()
    return fetched


def vendor(pins: tuple[Pin, ...]) -> Manifest:
    """Fetch all, refuse what changed under its version, then replace the vendor folder."""
    known = read_manifest().files() if MANIFEST.exists() else {}
    packages: list[VendoredPackage] = []
    with tempfile.TemporaryDirectory() as folder:
        fetched: dict[str, Path] = {}
        for pin in pins:
            scratch = Path(folder) / pin.name
            scratch.mkdir(parents=True)
            files = fetch(pin, scratch)
            hashes = {path: sha256_of(file) for path, file in files.items()}
            for path, sha in hashes.items():
                if known.get(path, sha) != sha:
                    sys.exit(f"{path}: the same version has other content than before; refused")
            packages.append(VendoredPackage(pin.name, pin.version, pin.license, hashes))
            fetched |= files
        shutil.rmtree(STATIC / VENDOR, ignore_errors=True)
        for path, file in fetched.items():
            (STATIC / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, STATIC / path)
    return Manifest(packages)


def main() -> None:
    parser = argparse.ArgumentParser(description="Vendor the pinned browser libraries.")
    parser.add_argument("--check", action="store_true", help="only check; no network")
    if not parser.parse_args().check:
        text = msgspec.json.format(msgspec.json.encode(vendor(PINS)), indent=2)
        MANIFEST.write_bytes(text + b"\n")
    found = problems()
    for line in found:
        print(line, file=sys.stderr)
    if found:
        sys.exit(1)
    print(f"{len(read_manifest().files())} vendored files agree with the manifest")


if __name__ == "__main__":
    main()
