"""What is kept of limits that were reached: little, bounded, of a day, and nobody's name."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path

import pytest

from api.limits import EdgeLimits
from cli.bounded import HttpLimits
from eventstore import limits_reached
from eventstore.limits_reached import HOUR, HOURS, Notes, lately_reached, limit_reached, note_limits
from eventstore.metrics import LIMITS_REACHED

ROOT = Path(__file__).resolve().parents[2]
BEGAN = 1_764_000_000.0
NOT_REFUSED = {
    "after_wait_seconds": "a wait, and then 503 of the views",
    "body_bytes_a_second": "its refusal is told as body_seconds",
    "headers": "told as header_bytes: one answer for too much of a head",
    "trusted_proxies": "no limit",
}


@contextmanager
def noted(run: Path) -> Iterator[None]:
    stop = note_limits(run, "api")
    try:
        yield
    finally:
        stop()


def test_what_several_processes_reached_is_told_together(tmp_path: Path) -> None:
    now = BEGAN
    both = [Notes(tmp_path, name, lambda: now) for name in ("api.1", "api.2")]
    for notes in both:
        for _ in range(3):
            notes.note("connections")
        notes.note("rows")
        now += 60
        notes.close()
    assert lately_reached(tmp_path, now) == {"connections": (6, now - 60), "rows": (2, now - 60)}


def test_the_first_is_seen_at_once_and_a_flood_seldom_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[float] = []
    real = Notes._write

    def write(self: Notes) -> None:
        written.append(now)
        real(self)

    monkeypatch.setattr(Notes, "_write", write)
    now = BEGAN
    notes = Notes(tmp_path, "api", lambda: now)
    notes.note("connections")
    assert lately_reached(tmp_path, now)["connections"][0] == 1
    for _ in range(10_000):
        now += 0.001
        notes.note("connections")
    assert len(written) == 2, "once at first and once in ten seconds of flood"
    notes.close()
    assert lately_reached(tmp_path, now)["connections"][0] == 10_001
    assert notes.file.stat().st_size < 200 and notes.file.stat().st_mode & 0o077 == 0


def test_after_a_day_it_is_forgotten(tmp_path: Path) -> None:
    now = BEGAN
    notes = Notes(tmp_path, "api", lambda: now)
    for _ in range(10 * HOURS):
        notes.note("connections")
        now += HOUR
    notes.close()
    assert lately_reached(tmp_path, now - HOUR)["connections"][0] == HOURS
    assert len(notes._found["connections"].hours) <= HOURS
    assert lately_reached(tmp_path, now + HOURS * HOUR) == {}


def test_what_cannot_be_written_or_read_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with noted(tmp_path / "file"):  # a folder cannot be made there
        before = LIMITS_REACHED.labels("rows")._value.get()
        limit_reached("rows")
        assert LIMITS_REACHED.labels("rows")._value.get() == before + 1
    with noted(tmp_path / "run"):
        limit_reached("rows")
    (tmp_path / "run" / "limits" / "half.json").write_text('{"rows"')
    assert lately_reached(tmp_path / "run", limits_reached.time.time())["rows"][0] == 1


def test_each_limit_of_the_settings_is_told_where_it_is_reached() -> None:
    """Of some nobody ever heard: bytes of a body, facts of a command, `after` beyond the head."""
    code = "".join(
        file.read_text(encoding="utf-8")
        for room in ("api", "cli", "eventstore", "intake")
        for file in (ROOT / room).glob("*.py")
    )
    found = set(re.findall(r'"(\w+)"', code))
    names = {one.name for kind in (EdgeLimits, HttpLimits) for one in fields(kind)}
    names |= {"facts_a_command", "address_failures"}
    assert names - found - NOT_REFUSED.keys() == set()
