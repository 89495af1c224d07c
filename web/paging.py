"""Long lists page by page: links to the next and the previous page that keep what was asked for.

One length for every list, because a row is a card of some lines on a phone: fifteen of them are
some five screens. A page takes a `Turned`, asks its view with ``turn.cursor`` and `ROWS`, and gives
the template ``turn.leaf(found, path, book=…)`` for the macro ``pages``. Paper gets the rows that
are shown: a list that has more says which these are, and where all of them stand.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import Depends, Query

from projections.asking.paging import Page
from web.parts import url

ROWS: Final = 15


@dataclass(frozen=True)
class Leaf:
    """Where a page stands in its list: numbers of its rows from 1, and the links to its
    neighbors ("" where there is none). ``total``: rows of the whole list, if that is known.
    ``book``: the address of the workbook that has all of them, told on paper; "" where
    nobody keeps them: who is logged in changes by the minute."""

    first: int
    last: int
    previous: str
    next: str
    total: int | None
    book: str

    @property
    def sheet(self) -> str:
        """The same as CSV."""
        return self.book.replace("&form=xlsx", "").replace("?form=xlsx", "")


@dataclass(frozen=True)
class Turn:
    """What of a long list is asked for. ``before``: how many rows lie before it, to be told."""

    cursor: str | None
    before: int

    def leaf(
        self,
        found: Page,
        path: str,
        *,
        book: str,
        rows: int = ROWS,
        total: int | None = None,
        anchor: str = "",
        **said: Any,
    ) -> Leaf:
        """``said``: the filters that stay; ``book``: the address of the same rows, all of them, as
        a workbook (`book_of`); ``anchor``: the element where the rows begin; ``rows``:
        how many were asked for."""
        count = len(found.items)
        before = self._before(found, total)
        back = {"cursor": found.previous, "before": max(0, before - rows)}
        on = {"cursor": found.next, "before": before + count}
        there = f"#{anchor}" if anchor else ""
        return Leaf(
            before + 1,
            before + count,
            url(path, **said, **back) + there if found.previous else "",
            url(path, **said, **on) + there if found.next else "",
            total,
            book,
        )

    def _before(self, found: Page, total: int | None) -> int:
        """How many rows lie before the page now: some may have gone since its address was made."""
        if found.previous is None and found.items:
            return 0
        if total is None:
            return self.before
        behind = max(0, total - len(found.items))
        return behind if found.next is None else min(self.before, behind)


def book_of(name: str, **said: Any) -> str:
    """The workbook with the rows of a page, by the name of its sheet and the page's filters."""
    return url(f"/sheets/{name}", **said, form="xlsx")


def turn_of(cursor: str | None = None, before: Annotated[int, Query(ge=0, le=10**9)] = 0) -> Turn:
    return Turn(cursor or None, before)


Turned = Annotated[Turn, Depends(turn_of)]
