"""What is said over and over is logged once, and then every half minute with a count."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import structlog

from cli.seldom import KINDS, SECONDS, Seldom

ROOT = Path(__file__).resolve().parents[2]
OFTEN = """
import logging, structlog
from cli.logging import configure
configure("INFO", "worker")
pool, ours = logging.getLogger("psycopg.pool"), structlog.get_logger("boards")
for n in range(300):
    pool.warning("error connecting in 'log': connection to server failed, attempt %s", n)
    ours.warning("boards.waiting", why=str(n))
    ours.error("unexpected", n=n)
pool.warning("something else")
"""


def record(event: str, level: str = "warning", **more: Any) -> dict[str, Any]:
    return {"event": event, "level": level, "logger": "psycopg.pool", **more}


def test_it_is_said_at_once_and_then_seldom_with_how_often() -> None:
    now = 0.0
    seldom = Seldom(lambda: now)

    def passes(event: dict[str, Any]) -> Any:
        try:
            return seldom(None, "", event)
        except structlog.DropEvent:
            return None

    said = []
    for second in range(100):
        now = float(second)
        if found := passes(record(f"error connecting in 'log': attempt {second}")):
            said.append((second, found.get("repeated")))
    assert said == [(0, None), (int(SECONDS), 29), (int(2 * SECONDS), 29), (int(3 * SECONDS), 29)]
    for _ in range(3):
        assert passes(record("unexpected", "error")) is not None
        assert passes(record("store-unavailable", correlation="c1")) is not None
    for n in range(2 * KINDS):
        passes(record("kind " + "x" * n))
    assert len(seldom._said) == KINDS


def test_while_a_server_starts_a_process_logs_a_line_and_not_hundreds(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", OFTEN],
        cwd=ROOT,
        env={**os.environ, "RELIEF_DATA": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    kinds = [line["logger"] + " " + line["level"] for line in lines]
    if kinds.count("psycopg.pool warning") > 4:
        pytest.fail(done.stderr[:2000])
    assert 2 <= kinds.count("psycopg.pool warning") <= 4, "one of each kind, more on a slow machine"
    assert 1 <= kinds.count("boards warning") <= 3 and kinds.count("boards error") == 300
