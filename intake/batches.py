"""How the rows of a list become households, and households the commands of a transaction."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from uuid import UUID

from domain.commands.households import RegisterHouseholds
from intake.entries import Entry
from intake.rows import RowResult

BATCH = 200
"""Households a transaction: what another process's command waits for at most."""
WAITING = 2000
"""Rows waiting for their turn at most, where most of them are no households."""


def groups(results: Iterable[RowResult]) -> Iterator[list[RowResult]]:
    """The rows of a household together; any other row alone."""
    for _, rows in groupby(results, key=lambda row: (row.sheet, row.carrier or row.row)):
        yield list(rows)


def batches(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """The entries of one transaction after the other, in their order."""
    batch: list[Entry] = []
    households = 0
    for entry in entries:
        batch.append(entry)
        households += entry.village is not None
        if households >= BATCH or len(batch) >= WAITING:
            yield batch
            batch, households = [], 0
    if batch:
        yield batch


def heads_of(entries: Sequence[Entry]) -> list[str]:
    return [entry.head for entry in entries]


def registration(village: UUID, entries: Sequence[Entry]) -> RegisterHouseholds:
    given = tuple(entry.given for entry in entries if entry.given is not None)
    return RegisterHouseholds(village=village, households=given)
