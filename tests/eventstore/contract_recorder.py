"""The event-sourcing library's own cases for recorders: who says it is one passes them.

They are `unittest` cases that make their recorder themselves; ``make`` is where it is made, and a
back end's fixture sets it.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from importlib.util import find_spec
from typing import Any, ClassVar
from unittest.mock import Mock
from uuid import UUID

import pytest
from eventsourcing.persistence import AggregateRecorder, ApplicationRecorder, StoredEvent

from eventstore.log import Log

if find_spec("Crypto") is None:  # its ciphers are for cases that are none of a recorder's
    sys.modules.setdefault("eventsourcing.cipher", Mock())
from eventsourcing.tests import persistence as library

Make = Callable[[ExitStack], Log]


class AggregatesOnly(AggregateRecorder):
    """A log as a recorder without positions, which the library has answer None."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def insert_events(self, stored_events: Sequence[StoredEvent], **given: Any) -> None:
        said = self._log.insert_events(stored_events, **given)
        assert (said is None) == (not stored_events)

    def select_events(self, originator_id: UUID | str, **given: Any) -> Sequence[StoredEvent]:
        return self._log.select_events(originator_id, **given)


class Recorders:
    """Makes an empty log of the back end for each case."""

    make: ClassVar[Make]
    log: Log

    @pytest.fixture(autouse=True)
    def _own_log(self) -> Iterator[None]:
        with ExitStack() as stack:
            self.log = stack.enter_context(closing(type(self).make(stack)))
            yield


class AggregateRecorderCases(Recorders, library.AggregateRecorderTestCase):
    def create_recorder(self) -> AggregateRecorder:
        return AggregatesOnly(self.log)


class ApplicationRecorderCases(Recorders, library.ApplicationRecorderTestCase[ApplicationRecorder]):
    def create_recorder(self) -> ApplicationRecorder:
        return self.log


class NonInterleavingCases(Recorders, library.NonInterleavingNotificationIDsBaseCase):
    def create_recorder(self) -> ApplicationRecorder:
        return self.log
