"""Cursors as they are given out: each belongs to its list and to what the list was asked.

A view's cursor holds the values of a row's order and would fit many a list. What leaves the house
bears a seal over the list, its area, its filters and that cursor: under another list or another
filter it is refused, and nobody can make one up. Not sealed are how many rows a page has, as of
when it is asked and by which clock, and who asks: a colleague may open the same page.
"""

import hmac
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

import msgspec

from eventstore.url_text import text_of
from projections.asking.paging import BadCursor, Page

SEAL_BYTES = 9
NOT_OF_THE_LIST = frozenset({"cursor", "limit", "at", "held", "names", "meant", "among"})


class Cursors:
    """Seals of one list as it is asked. ``key`` is the store's."""

    def __init__(
        self, key: bytes, query: str, area: UUID | None, filters: Mapping[str, Any]
    ) -> None:
        said = {name: value for name, value in filters.items() if name not in NOT_OF_THE_LIST}
        self._list = msgspec.json.encode([query, area, sorted(said.items())], enc_hook=str)
        self._key = key

    def opened(self, cursor: str) -> str:
        """The view's own cursor. Raises `BadCursor` for one of another list, or of nobody."""
        seal, _, inner = cursor.partition(".")
        if not inner or not hmac.compare_digest(seal.encode(), self._seal(inner).encode()):
            raise BadCursor(cursor=cursor[:40])
        return inner

    def sealed(self, page: Page) -> Page:
        """The page with its cursors as they are given out."""
        return replace(page, next=self._given(page.next), previous=self._given(page.previous))

    def _given(self, inner: str | None) -> str | None:
        return None if inner is None else f"{self._seal(inner)}.{inner}"

    def _seal(self, inner: str) -> str:
        text = self._list + b"\0" + inner.encode()
        return text_of(hmac.digest(self._key, text, "sha256")[:SEAL_BYTES])
