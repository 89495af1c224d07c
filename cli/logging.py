"""Structured logs: one JSON line a record on stderr, of ours and of the libraries, and no personal
data in any.

What an exception says may quote what somebody typed, and so may the variables around it: a
traceback keeps type, file, line and function, and the sentence only of errors that are ours.
"""

import faulthandler
import json
import logging
import re
import sys
import threading
import traceback
import warnings
from contextlib import suppress
from io import UnsupportedOperation
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

import structlog
from structlog.stdlib import ProcessorFormatter, add_logger_name
from structlog.typing import EventDict, Processor, WrappedLogger

from cli.seldom import Seldom
from eventstore.errors import StoreError

TALKATIVE = ("aiokafka", "alembic", "asyncio", "faust", "httpx2", "kafka", "mode", "uvicorn")
BREAKS = re.compile("[\x7f-\x9f\u2028\u2029]")
"""Ends of lines, and the start of a terminal's commands, that JSON may leave as they are."""
FRAMES = 40
ROOT = Path(__file__).resolve().parent.parent


def configure(level: str, process: str = "") -> None:
    """Let this process log at ``level`` under its name."""

    def named(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        return {**event, "process": process} if process else event

    common: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        named,
        traced,
    ]
    seldom = Seldom()
    structlog.configure(
        processors=[*common, seldom, rendered],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=_loggers,
    )
    handler = logging.StreamHandler(_Stderr())
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=[first_line, *common],
            processors=[ProcessorFormatter.remove_processors_meta, rendered],
        )
    )
    handler.addFilter(seldom.of_a_library)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    _take_over_what_python_prints()
    _tell_crashes()


def _tell_crashes() -> None:
    """A crash inside a library made in C says in which function of which file, and no value.

    It is the one thing on stderr that is no JSON: nothing of Python runs any more by then.
    """
    if not faulthandler.is_enabled() and sys.__stderr__ is not None:
        with suppress(UnsupportedOperation):  # a stderr that is no file
            faulthandler.enable(sys.__stderr__)


class _Stderr:
    """Wherever stderr leads at the time."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


def _loggers(*names: Any) -> structlog.WriteLogger:
    stream: Any = _Stderr()
    out: TextIO = stream
    logger = structlog.WriteLogger(out)
    logger.name = names[0] if names else "relief"  # type: ignore[attr-defined]
    return logger


def rendered(_: WrappedLogger, __: str, event: EventDict) -> str:
    """One line, whatever is in it."""
    line = json.dumps(event, ensure_ascii=False, default=str)
    return BREAKS.sub(lambda found: f"\\u{ord(found.group()):04x}", line)


def first_line(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Of a library's message: what follows the first line is a traceback or shows values."""
    event["event"] = next(iter(str(event["event"]).strip().splitlines()), "")
    return event


def traced(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Put what an exception may show in the place of ``exc_info``."""
    given = event.pop("exc_info", None)
    problem = sys.exception() if given is True else given[1] if isinstance(given, tuple) else given
    if isinstance(problem, BaseException):
        event["exception"] = told(problem)
    event.pop("exc_text", None)
    event.pop("stack_info", None)
    return event


def told(problem: BaseException, seen: frozenset[int] = frozenset()) -> dict[str, Any]:
    """An exception without anything of what it happened to."""
    kind = type(problem)
    found: dict[str, Any] = {"type": f"{kind.__module__}.{kind.__qualname__}"}
    if isinstance(problem, StoreError) or kind.__module__.startswith("streams."):
        found["says"] = str(problem)
    frames = traceback.extract_tb(problem.__traceback__)[-FRAMES:]
    found["at"] = [f"{_short(one.filename)}:{one.lineno} {one.name}" for one in frames]
    cause = problem.__cause__ or (None if problem.__suppress_context__ else problem.__context__)
    seen = seen | {id(problem)}
    if cause is not None and id(cause) not in seen:
        found["cause"] = told(cause, seen)
    if isinstance(problem, BaseExceptionGroup):
        found["parts"] = [told(part, seen) for part in problem.exceptions]
    return found


def _short(file: str) -> str:
    path = Path(file)
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else path.name


def _take_over_what_python_prints() -> None:
    """Uncaught exceptions and warnings go the same way."""
    log = structlog.get_logger("python")

    def uncaught(
        kind: type[BaseException], problem: BaseException, trace: TracebackType | None
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, problem, trace)
        else:
            log.critical("uncaught", exc_info=problem)

    def in_thread(given: threading.ExceptHookArgs) -> None:
        if given.exc_value is not None and not isinstance(given.exc_value, SystemExit):
            name = given.thread.name if given.thread is not None else ""
            log.critical("uncaught", thread=name, exc_info=given.exc_value)

    def unraisable(given: Any) -> None:
        log.error("unraisable", exc_info=given.exc_value)

    def warned(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        log.warning("warning", kind=category.__name__, at=f"{_short(filename)}:{lineno}")

    sys.excepthook = uncaught
    sys.unraisablehook = unraisable
    threading.excepthook = in_thread
    warnings.showwarning = warned
