"""Everything a browser loads is served from here, pinned, licensed and unaltered."""

import re
import shutil
import sys
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from web.assets import (
    STATIC,
    UNCHANGING,
    Assets,
    UnknownAsset,
    asset,
    integrity,
    problems,
    read_manifest,
    vendored,
)

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "web" / "templates"


def copy_static(tmp_path: Path) -> Path:
    return Path(shutil.copytree(STATIC, tmp_path / "static"))


def test_every_vendored_file_agrees_with_the_manifest() -> None:
    assert problems() == []


def test_an_altered_vendored_file_is_named(tmp_path: Path) -> None:
    static = copy_static(tmp_path)
    path = vendored("htmx.org", "htmx.min.js")
    with (static / path).open("ab") as file:
        file.write(b"\n")
    assert problems(static) == [f"{path}: differs from the manifest"]


def test_a_missing_and_an_unlisted_vendored_file_are_named(tmp_path: Path) -> None:
    static = copy_static(tmp_path)
    path = vendored("htmx.org", "htmx.min.js")
    (static / path).rename((static / path).with_name("other.js"))
    assert problems(static) == [
        f"{path}: missing",
        f"{path.replace('htmx.min.js', 'other.js')}: not in the manifest",
    ]


def test_versions_are_exact_and_agree_with_what_the_script_fetches() -> None:
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        from vendor_assets import PINS
    finally:
        sys.path.pop(0)
    manifest = read_manifest()
    assert [(p.name, p.version, p.license) for p in manifest.packages] == [
        (pin.name, pin.version, pin.license) for pin in PINS
    ]
    for package in manifest.packages:
        assert re.fullmatch(r"\d+\.\d+\.\d+", package.version)
        assert all(
            path.startswith(f"vendor/{package.name}-{package.version}/") for path in package.files
        )


def test_integrity_is_the_manifest_hash_as_sri() -> None:
    assert re.fullmatch(
        r"sha256-[A-Za-z0-9+/]{43}=", integrity(vendored("htmx.org", "htmx.min.js"))
    )
    with pytest.raises(UnknownAsset):
        integrity("js/live.js")


def test_a_page_cannot_name_a_file_that_is_not_there() -> None:
    assert re.fullmatch(r"/static/v-[0-9a-f]{16}/css/relief\.css", asset("css/relief.css"))
    with pytest.raises(UnknownAsset):
        asset("css/missing.css")
    with pytest.raises(UnknownAsset):
        vendored("htmx.org", "htmx.js")


def test_vendored_files_are_kept_for_ever_and_ours_are_asked_for_again() -> None:
    app = FastAPI()
    app.mount("/static", Assets())
    client = TestClient(app)
    lasting = client.get(asset(vendored("htmx.org", "htmx.min.js")))
    ours = client.get("/static/js/live.js")
    assert lasting.headers["cache-control"] == UNCHANGING
    assert ours.headers["cache-control"] == "no-cache"
    assert ours.headers["content-type"].startswith("text/javascript")
    again = client.get("/static/js/live.js", headers={"If-None-Match": ours.headers["etag"]})
    assert again.status_code == 304
    assert client.get("/static/vendor/none.js").status_code == 404


def own_text_files() -> list[Path]:
    files = [*TEMPLATES.rglob("*.html"), *STATIC.rglob("*.css"), *STATIC.rglob("*.js")]
    return [file for file in files if "vendor" not in file.parts]


@pytest.mark.parametrize("file", own_text_files(), ids=lambda file: file.name)
def test_nothing_is_loaded_from_another_host(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert not re.search(r"""(?:https?:)?//[a-z0-9-]+\.[a-z]""", text)


INLINE = re.compile(
    r"\sstyle\s*=|\son[a-z]+\s*=\s*[\"']|\bhx-on\b|\bhx-vals\s*=\s*[\"']js:|<style\b|javascript:"
    r"|<script(?![^>]*(?:\ssrc=|type=\"application/json\"))",
    re.IGNORECASE,
)


@pytest.mark.parametrize("file", sorted(TEMPLATES.rglob("*.html")), ids=lambda file: file.name)
def test_no_template_needs_an_inline_script_or_style(file: Path) -> None:
    assert INLINE.search(file.read_text(encoding="utf-8")) is None


@pytest.mark.parametrize(
    "bad",
    [
        '<p style="color:red">',
        '<a onclick="go()">',
        "<script>go()</script>",
        "<style>p{}</style>",
        '<a href="javascript:go()">',
        '<b hx-on:click="go()">',
    ],
)
def test_the_lint_for_inline_code_sees_it(bad: str) -> None:
    assert INLINE.search(bad)
