"""Named points at which a test may kill the process, to prove that nothing is lost.

A point does nothing unless ``RELIEF_KILL_AT=<point>[:<nth>]`` was set when the process started;
the variable belongs to the kill tests alone (settings never read it).
"""

import os
import signal

POINTS = ("before-load", "in-transaction", "after-commit", "between-vault-and-log", "in-view")
EFFECT_POINTS = ("before-erasure", "in-erasure", "after-erasure", "in-index")
"""Of what follows a fact: only an erasure, or a name, comes by them."""
SNAPSHOT_POINTS = ("before-snapshot", "in-snapshot", "after-snapshot")
"""Of keeping a state beside the log."""
SEAL_POINTS = ("between-seal-and-facts", "in-sealing")
"""Of what is sealed: a batch in its transaction, and a log of before, once."""

_armed, _, _nth = os.environ.get("RELIEF_KILL_AT", "").partition(":")
_left = int(_nth or "1")


def reached(point: str) -> None:
    """Kill this process with -9 if a test armed this point and its count has come."""
    global _left
    if point != _armed:
        return
    _left -= 1
    if _left <= 0:
        os.kill(os.getpid(), signal.SIGKILL)
