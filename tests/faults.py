"""How many faults a test makes: a reduced count in a quick run, the promised one in `make faults`.

``RELIEF_FAULTS=full`` asks for the promised ones (`scripts/faults.py` sets it). What a test found
goes into the table of `docs/reliability.md` by pytest's ``record_property``, named by its case::

    record_property("A1", f"{kills} kills, {len(acknowledged)} acknowledged, 0 lost")
"""

import os
from collections.abc import Callable
from typing import TypeVar

Count = TypeVar("Count", int, float)
Told = Callable[[str, object], None]
"""The type of the fixture ``record_property``."""

FULL = os.environ.get("RELIEF_FAULTS") == "full"
TIMEOUT = 3_600 if FULL else 290
"""Seconds for one test; by `pytest.mark.timeout`."""


def count(quick: Count, full: Count) -> Count:
    """As many as this run makes."""
    return full if FULL else quick


def slack() -> float:
    """By how much a time that is promised for a machine of one's own is longer now.

    Other programs share the cores: the load a core, at least 1.
    """
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
