"""Files the browser loads. All are served from here; none comes from another host.

Vendored files are pinned by ``static/manifest.json``: package, exact version, license and the
SHA-256 of every file. Pages put that hash into ``integrity=``, so that a browser refuses a
vendored script that was altered on the way or on disk.

Our own files are served below a folder named by the hash of all of them together. They import
each other by relative paths, so that all of a page's files are of one state, and a browser may
keep them for ever: a changed file is at another address.
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
STATE = re.compile(r"v-[0-9a-f]{16}")
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


@cache
def state() -> str:
    """The folder name of our own files as this process serves them: ``v-`` and a hash."""
    hashed = hashlib.sha256()
    for file in sorted(STATIC.rglob("*")):
        path = file.relative_to(STATIC).as_posix()
        if file.is_file() and not path.startswith(f"{VENDOR}/"):
            hashed.update(f"{path}\0{sha256_of(file)}\n".encode())
    return f"v-{hashed.hexdigest()[:16]}"


def asset(path: str) -> str:
    """The address of a file below ``static/``. Raises `UnknownAsset` if there is none."""
    if not (STATIC / path).is_file():
        raise UnknownAsset(path)
    return f"{PREFIX}/{path}" if path.startswith(f"{VENDOR}/") else f"{PREFIX}/{state()}/{path}"


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
    """Static files with the right age, compressed for whoever takes gzip.

    What is named by a version or a hash never changes. A file asked for by its plain name, or by
    the hash of another state (a page from before an upgrade), is the present one, and the browser
    asks each time (ETag, 304).
    """

    def __init__(self) -> None:
        super().__init__(directory=STATIC)

    async def get_response(self, path: str, scope: Scope) -> Response:
        folder, _, below = path.partition("/")
        present = path.startswith(f"{VENDOR}/") or folder == state()
        if STATE.fullmatch(folder):
            path = below
        response = await super().get_response(path, scope)
        lasting = present and response.status_code in (200, 304)
        if response.status_code == 200 and scope["method"] == "GET":
            response = self._whole(path, response)
        response.headers["Cache-Control"] = UNCHANGING if lasting else REVALIDATED
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    def _whole(self, path: str, found: Response) -> Response:
        """The file in one piece, so that it is compressed on its way out (`api.compressing`)."""
        body = (STATIC / path).read_bytes()
        headers = {name: found.headers[name] for name in ("etag", "last-modified")}
        return Response(body, 200, headers, found.media_type)
