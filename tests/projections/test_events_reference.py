"""docs/events.md says what the code says."""

import subprocess
import sys
from pathlib import Path

from domain.catalog import AGGREGATES

ROOT = Path(__file__).resolve().parents[2]


def test_the_events_reference_is_current() -> None:
    script = str(ROOT / "scripts" / "events_reference.py")
    done = subprocess.run(
        [sys.executable, script, "--check"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_events_reference_names_every_event_type() -> None:
    page = (ROOT / "docs" / "events.md").read_text(encoding="utf-8")
    sections = {part.split(" ", 1)[0]: part for part in page.split("\n## ")[1:]}
    for aggregate in AGGREGATES:
        for found in aggregate.event_classes():
            version = getattr(found, "class_version", 1)
            title = f"`{found.__name__}`" + (f" /{version}" if version > 1 else "")
            assert f"| {title} |" in sections[aggregate.__name__], found.topic()
