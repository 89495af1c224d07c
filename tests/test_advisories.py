"""No pinned version is one that `scripts/advisories.toml` names as faulty."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.specifiers import SpecifierSet
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
ADVISORIES: list[dict[str, Any]] = tomllib.loads(
    (ROOT / "scripts" / "advisories.toml").read_text(encoding="utf-8")
)["advisory"]
PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)==([^ ;\\]+)", re.M)


def pins(name: str) -> dict[str, Version]:
    """The pinned versions of a requirements file, by package."""
    return {p: Version(v) for p, v in PIN.findall((ROOT / name).read_text(encoding="utf-8"))}


def faulty(pinned: dict[str, Version]) -> list[str]:
    """Which advisories a set of versions meets."""
    return [
        f"{one['package']} {pinned[one['package']]}: {one['id']}"
        for one in ADVISORIES
        if one["package"] in pinned and pinned[one["package"]] in SpecifierSet(one["range"])
    ]


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_no_pin_has_a_published_fault(name: str) -> None:
    assert len(pins(name)) > 40
    assert not faulty(pins(name))


def test_a_faulty_pin_is_seen() -> None:
    assert faulty({"starlette": Version("1.3.0")}) == ["starlette 1.3.0: CVE-2026-54283"]


def test_every_advisory_is_of_a_package_we_use_and_says_since_when() -> None:
    used = pins("requirements-dev.txt")
    for one in ADVISORIES:
        assert set(one) == {"id", "package", "range", "date"}, one
        assert one["package"] in used, f"{one['package']}: not used any more"
        assert SpecifierSet(one["range"])
