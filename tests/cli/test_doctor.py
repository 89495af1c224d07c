"""What `relief doctor` warns of, beside what is well and what is broken."""

import io
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli import doctor
from cli.checking import Finding
from cli.settings import Settings
from eventstore.limits_reached import limit_reached, note_limits
from eventstore.store import Store
from tests.eventstore.test_backup import Run, folder, run, town, warned

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
    assert "connections 2 次" in said["zh"] and "searches_a_minute 1 times" in said["en"]


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
