"""What `relief doctor` warns of, beside what is well and what is broken."""

import io
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.checkup import Finding
from cli import doctor
from cli.settings import Settings
from eventstore.limits_reached import limit_reached, note_limits
from eventstore.store import Store
from tests.eventstore.test_backup import Run, folder, run, town, warned
from tests.provider import CLIENT_ID, city_provider

__all__ = ["folder", "run", "town"]


def test_a_store_without_a_backup_is_no_green_tick(town: Store, run: Run) -> None:
    """Young or simulated, it is not at fault yet: a warning, and the program ends with 0."""
    (said,) = [one for one in run("doctor", "--json")["checks"] if one["name"] == "backup"]
    assert list(said) == ["name", "ok", "level", "zh", "en"]
    assert said["ok"] is True and said["level"] == "warn"
    lines = run("doctor").splitlines()
    assert next(line for line in lines if "backup" in line).startswith("! ")
    assert "1 项请留意" in lines[-1] and "一切正常" not in lines[-1]


def test_limits_that_were_lately_reached_are_told(town: Store, folder: Path, run: Run) -> None:
    stop = note_limits(folder / "run", "api")
    for limit in ("connections", "searches_a_minute", "connections"):
        limit_reached(limit)
    stop()
    report = run("doctor", "--json")
    (said,) = [one for one in report["checks"] if one["name"] == "limits"]
    assert said["ok"] and said["level"] == "warn"
    assert "RELIEF_CONNECTIONS 2 次" in said["zh"]
    assert "RELIEF_SEARCHES_A_MINUTE 1 time (" in said["en"]


def test_a_long_rest_of_the_store_is_told_as_a_warning(
    town: Store, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RELIEF_CLOCK_GAP_DAYS", "0.0000001")
    assert warned(run("doctor", "--json")) >= {"clock"}


def test_each_finding_is_told_before_the_next_is_looked_for(
    town: Store, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asking a broker or a database that is away takes its time, and nothing was told meanwhile."""
    told: list[str] = []

    def slow(_: Settings) -> Iterator[Finding]:
        assert isinstance(sys.stdout, io.TextIOWrapper) and isinstance(
            sys.stdout.buffer, io.BytesIO
        )
        told.extend(sys.stdout.buffer.getvalue().decode().splitlines())
        yield Finding("slow", True, "慢", "slow")

    monkeypatch.setattr(doctor, "INSIDE", (*doctor.INSIDE, ("slow", slow)))
    lines = run("doctor").splitlines()
    assert len(told) > 5 and lines[: len(told)] == told
    assert lines[len(told)].startswith("✓ slow")


def about_the_provider(run: Run, *, ok: bool = True) -> list[tuple[str, str]]:
    """What is said of the identity provider: how well, and in Chinese."""
    checks = run("doctor", "--json", ok=ok)["checks"]
    return [(str(one["level"]), str(one["zh"])) for one in checks if one["name"] == "provider"]


def test_an_identity_provider_is_told_of_only_where_one_is_set(
    town: Store, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert about_the_provider(run) == []
    monkeypatch.setenv("RELIEF_OIDC_CLIENT_ID", CLIENT_ID)
    monkeypatch.setenv("RELIEF_OIDC_ISSUER", "http://id.example")
    ((level, said),) = about_the_provider(run, ok=False)
    assert level == "fail" and "RELIEF_OIDC_ISSUER、RELIEF_PUBLIC_URL" in said
    monkeypatch.setenv("RELIEF_PUBLIC_URL", "https://relief.example")
    with city_provider() as provider:
        monkeypatch.setenv("RELIEF_OIDC_ISSUER", provider.issuer)
        ((level, said),) = about_the_provider(run)
        assert level == "ok" and "应答正常" in said and provider.asked["keys"] == 1
        provider.spoil = "another-issuer"
        ((level, said),) = about_the_provider(run)
        assert level == "warn" and "another issuer" in said
    monkeypatch.setenv("RELIEF_OIDC_ONLY_ROLES", '["auditor"]')
    ((level, said),) = about_the_provider(run, ok=False)
    assert level == "fail" and "不能使用" in said, "nobody of that post can log in now"
