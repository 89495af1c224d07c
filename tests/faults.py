"""How many faults a test makes: a reduced count in a quick run, the promised one in `make faults`.

``RELIEF_FAULTS=full`` asks for the promised ones (`scripts/faults.py` sets it). What a test found
goes into the table of `docs/reliability.md` by pytest's ``record_property``, named by its case::

    record_property("A1", f"{kills} kills, {len(acknowledged)} acknowledged, 0 lost")
"""

import os
from collections.abc import Callable
from typing import TypeVar

PATIENCE_SECONDS = 180.0
"""How long a test waits for what must come: for ever, as far as a slow machine is concerned."""
Count = TypeVar("Count", int, float)
Told = Callable[[str, object], None]
"""The type of the fixture ``record_property``."""

FULL = os.environ.get("RELIEF_FAULTS") == "full"
TIMEOUT = 3_600 if FULL else 290
"""Seconds for one test; by `pytest.mark.timeout`."""


def count(quick: Count, full: Count) -> Count:
    """As many as this run makes."""
    return full if FULL else quick


def load_a_core() -> float:
    """How many programs want each core now, to be told beside a time. No test asserts a time:
    it waits with a generous deadline and asserts what happened; `bench/` measures."""
    return os.getloadavg()[0] / (os.cpu_count() or 1)
