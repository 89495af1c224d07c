"""Files the browser loads. All are served from here; none comes from another host.

Vendored files are pinned by ``static/manifest.json``: package, exact version, license and the
SHA-256 of every file. Pages put that hash into ``integrity=``, so that a browser refuses a
vendored script that was altered on the way or on disk.
"""

import base64
import hashlib
import re
from functools import cache
from pathlib import Path

import msgspec
from fastapi.staticfiles import StaticFiles
from starlette.responses import Response
from starlette.types import Scope

STATIC = Path(__file__).parent / "static"
MANIFEST = STATIC / "manifest.json"
VENDOR = "vendor"
PREFIX = "/static"

UNCHANGING = "public, max-age=31536000, immutable"
REVALIDATED = "no-cache"
SHA256 = re.compile(r"[0-9a-f]{64}")


class VendoredPackage(msgspec.Struct, frozen=True):
    """One pinned package. ``files`` maps a path below ``static/`` to its SHA-256 in hex."""

    name: str
    version: str
    license: str
    files: dict[str, str]


class Manifest(msgspec.Struct, frozen=True):
    """Everything under ``static/vendor``."""

    packages: list[VendoredPackage]

    def files(self) -> dict[str, str]:
        return {path: sha for package in self.packages for path, sha in package.files.items()}


class UnknownAsset(LookupError):
    """A page names a file that is not there."""


def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read_manifest(static: Path = STATIC) -> Manifest:
    return msgspec.json.decode((static / MANIFEST.name).read_bytes(), type=Manifest)


@cache
def _vendored() -> dict[str, str]:
    return read_manifest().files()


def asset(path: str) -> str:
    """The address of a file below ``static/``. Raises `UnknownAsset` if there is none."""
    if not (STATIC / path).is_file():
        raise UnknownAsset(path)
    return f"{PREFIX}/{path}"


def vendored(package: str, file: str) -> str:
    """The path below ``static/`` of a vendored file, whatever version is pinned."""
    for candidate in _vendored():
        folder, _, name = candidate.removeprefix(f"{VENDOR}/").partition("/")
        if folder.rpartition("-")[0] == package and name == file:
            return candidate
    raise UnknownAsset(f"{package}/{file}")


def integrity(path: str) -> str:
    """The ``integrity`` attribute (SRI) of a vendored file, from the manifest."""
    try:
        digest = bytes.fromhex(_vendored()[path])
    except KeyError:
        raise UnknownAsset(path) from None
    return "sha256-" + base64.b64encode(digest).decode()


def problems(static: Path = STATIC) -> list[str]:
    """What is wrong with the vendored files: missing, altered, unlisted, unlicensed. Or nothing."""
    manifest = read_manifest(static)
    listed = manifest.files()
    found: list[str] = []
    for package in manifest.packages:
        if not any(Path(path).name.upper().startswith("LICENSE") for path in package.files):
            found.append(f"{package.name} {package.version}: no license file")
    for path, sha in sorted(listed.items()):
        if not (static / path).is_file():
            found.append(f"{path}: missing")
        elif not SHA256.fullmatch(sha) or sha256_of(static / path) != sha:
            found.append(f"{path}: differs from the manifest")
    for file in sorted((static / VENDOR).rglob("*")):
        path = file.relative_to(static).as_posix()
        if file.is_file() and path not in listed:
            found.append(f"{path}: not in the manifest")
    return found


class Assets(StaticFiles):
    """Static files with the right age: a vendored path names its version and never changes;
    our own files import each other by plain name, so the browser asks each time (ETag, 304)."""

    def __init__(self) -> None:
        super().__init__(directory=STATIC)

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        lasting = path.startswith(f"{VENDOR}/") and response.status_code in (200, 304)
        response.headers["Cache-Control"] = UNCHANGING if lasting else REVALIDATED
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response
