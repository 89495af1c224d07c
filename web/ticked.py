"""Rows that were ticked on a page, each with the version of it that the page showed."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from api.problems import ApiProblem

BOX: Final = re.compile(
    r"(?P<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}) (?P<version>[0-9]{1,9})"
    r"(?: (?P<as_of>[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{5,15}(?:Z|[+-][0-9]{2}:[0-9]{2})))?"
)


class Ticked(NamedTuple):
    """A thing that was ticked, and the version of it that the page showed."""

    id: UUID
    version: int


def ticked_in(fields: Iterable[tuple[str, str]], name: str) -> list[Ticked]:
    """The boxes of that name in a form, ``<id> <version>``. 422 for anything else."""
    return [Ticked(UUID(found["id"]), int(found["version"])) for found in _read(fields, name)]


def ticked_as_of(fields: Iterable[tuple[str, str]], name: str) -> list[tuple[Ticked, datetime]]:
    """The boxes of that name, ``<id> <version> <as of>``: with the time that the page told for
    each. 422 for anything else."""
    ticked = []
    for found in _read(fields, name):
        try:
            as_of = datetime.fromisoformat(found["as_of"] or "")
        except ValueError:
            raise _stale() from None
        ticked.append((Ticked(UUID(found["id"]), int(found["version"])), as_of))
    return ticked


def _read(fields: Iterable[tuple[str, str]], name: str) -> Iterable[re.Match[str]]:
    for said, value in fields:
        if said == name:
            found = BOX.fullmatch(value)
            if found is None:
                raise _stale()
            yield found


def _stale() -> ApiProblem:
    return ApiProblem(
        422, "malformed", "页面已过期，请刷新后重试", "Reload the page and try again."
    )
