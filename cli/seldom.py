"""A warning that is said over and over is logged once, and then every half minute with a count.

While PostgreSQL starts, each pool of sessions and each loop that waits for it once wrote hundreds
of lines a minute, in which nobody saw anything else. Errors are never held back, nor is a warning
that belongs to a request: somebody may look for its correlation id.
"""

import logging
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

import structlog
from structlog.typing import EventDict, WrappedLogger

SECONDS = 30.0
KINDS = 256
"""Kinds of warnings that are remembered; the one not heard for the longest is forgotten."""
CHANGING = re.compile(r"\d+(\.\d+)?|'[^']*'|\"[^\"]*\"")
"""What differs between two lines of one kind: numbers, and names in quotes."""


class Seldom:
    """A processor of log records. One object a process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._said: OrderedDict[tuple[str, str], tuple[float, int]] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, _: WrappedLogger, __: str, event: EventDict) -> EventDict:
        """The record, with ``repeated`` if others like it were held back; else drops it."""
        if event.get("level") != "warning" or "correlation" in event:
            return event
        kind = str(event.get("logger", "")), CHANGING.sub("…", str(event["event"]))
        now = self._clock()
        with self._lock:
            since, held = self._said.pop(kind, (now - SECONDS, 0))
            due = now - since >= SECONDS
            self._said[kind] = (now, 0) if due else (since, held + 1)
            if len(self._said) > KINDS:
                self._said.popitem(last=False)
        if not due:
            raise structlog.DropEvent
        return {**event, "repeated": held} if held else event

    def of_a_library(self, record: logging.LogRecord) -> bool:
        """The same as a filter of a handler: structlog cannot drop what did not come by it."""
        given = {"level": record.levelname.lower(), "logger": record.name}
        try:
            said = self(None, "", {**given, "event": record.getMessage()})
        except structlog.DropEvent:
            return False
        if "repeated" in said:
            record.msg, record.args = f"{said['event']} (repeated: {said['repeated']})", ()
        return True
