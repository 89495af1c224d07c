"""What the pages of dispatch, stock, ledger and lists share: asking a view, and its words.

A page takes a `Desk` and shows what it asked for::

    async def stock(request: Request, desk: AtDesk) -> Response:
        proof = await desk.ask(stock_proof)
        return await desk.show(request, "stock.html", proof=proof)
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from fastapi import Depends, Request
from jinja2 import Undefined
from pydantic import BeforeValidator
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.auth import Caller
from api.known_at import moment_asked, refuse_in_the_past
from api.readings import note_taken
from api.reads import Position, ask, asked, wait_for
from api.routes import read_of
from api.words import words_of
from domain.refusal import Refusal
from domain.rules.base import china_day
from domain.world import Command
from projections.asking.paging import MAX_LIMIT, Page
from projections.asking.within_reach import within_reach
from web.render import language_of, render, stream
from web.session import Visitor

MaybeId = Annotated[UUID | None, BeforeValidator(lambda given: given or None)]
"""A select that says nothing sends an empty value."""
MaybeDay = Annotated[date | None, BeforeValidator(lambda given: given or None)]
"""So does a field for a day."""

MOST_SEASONS = 2_000
MOST_DISASTERS = 1_000
MOST_REPORTS = 2_000
"""Of one area itself."""
MOST_STOCKPILES = 5_000
"""What pages read whole before they sort or leave out rows, or add them up: of the first hundred
alone each of these would hide something. No province has so many."""


@dataclass(frozen=True)
class Desk:
    """Who looks, at which store time, and how far the views had come when the page began."""

    caller: Caller
    now: datetime
    position: int

    async def ask(self, query: Callable[..., Any], area: UUID | None = None, **given: Any) -> Any:
        """Ask a view through its route's jurisdiction. 404 and 403 as the API answers them."""
        return await ask(self.caller, read_of(query), area, **given)

    def asked(self, query: Callable[..., Any], area: UUID | None = None, **given: Any) -> Any:
        """`ask` on a thread that may wait."""
        return asked(self.caller, read_of(query), area, **given)

    async def ask_all(
        self, query: Callable[..., Any], area: UUID | None = None, *, most: int, **given: Any
    ) -> tuple[list[Any], bool]:
        """The rows of a list page by page, ``most`` at most; and whether there are more."""
        rows: list[Any] = []
        cursor: str | None = None
        while True:
            found = await self.ask(query, area, cursor=cursor, limit=min(most, MAX_LIMIT), **given)
            rows += found.items
            cursor = found.next
            if cursor is None or len(rows) >= most:
                return rows[:most], cursor is not None or len(rows) > most

    async def reached(self, query: Callable[..., Any], ids: Iterable[Any]) -> frozenset[str]:
        """Those of the things, asked for one by one by ``query``, that the caller may open: only
        to these a page leads. Their kind is that of the query's address."""
        read = read_of(query)
        kind = read.path.split("/")[2]
        named = [str(id) for id in ids if id]

        def found() -> frozenset[str]:
            scope = self.caller.scope(read.roles, None)
            with self.caller.system.reader() as db:
                return within_reach(db, scope.on(db), kind, named)

        if not self.may_ask(query):
            return frozenset()
        return await run_in_threadpool(found)

    def may_ask(self, query: Callable[..., Any]) -> bool:
        """Whether one of the caller's posts may ask this at all."""
        return not read_of(query).roles.isdisjoint(self.caller.roles())

    def may(self, command: type[Command], area: UUID | str) -> bool:
        """Whether the caller's posts allow this command there; the command itself decides. Nothing
        is done in the past."""
        if moment_asked() is not None:
            return False
        try:
            self.caller.actor(command.roles, UUID(str(area)))
        except Refusal:
            return False
        return True

    async def show(self, request: Request, template: str, **context: Any) -> Response:
        """A page with the time, the position and the words every template here may use. It is made
        on one thread, together with all that its template asks of the store."""

        def made() -> Response:
            return render(request, template, **self._context(request), **context)

        return await run_in_threadpool(made)

    async def send(self, request: Request, template: str, **context: Any) -> Response:
        """A long page that is sent while it is made: its rows may be an iterator."""
        told = await run_in_threadpool(self._context, request)
        return stream(request, template, **told, **context)

    def _context(self, request: Request) -> dict[str, Any]:
        return {
            "now": self.now,
            "position": self.position,
            "words": words_of(self.caller, self.now, language_of(request)),
            "moment_of": moment_of,
            "day_of": day_of,
            "url": url,
            "good_until": self.caller.system.store.clock.good_until,
        }


def taken_whole(
    desk: Desk, what: str, found: Page, more: Callable[[str], Page]
) -> Iterator[dict[str, Any]]:
    """All rows of a list from a page on, as a paper takes them away: each page is noted before its
    rows are sent, the first one by whoever begins (else it could not be refused).

    For the thread that sends the paper, which asks for the pages itself: were it to wait for
    another, as many readers as there are threads would wait for ever.
    """
    yield from found.items
    while found.next is not None:
        found = more(found.next)
        note_taken(desk.caller.system, desk.caller.id, what, found.items)
        yield from found.items


async def desk_of(caller: Visitor, after: Position = None) -> Desk:
    """The desk of a visitor; waits (bounded) for ``?after=``, the visitor's own write."""
    moment = moment_asked()
    await wait_for(caller, after if moment is None else None)
    position = caller.system.boards.position if moment is None else moment.position
    return Desk(caller, caller.system.moment(), position)


AtDesk = Annotated[Desk, Depends(desk_of)]


async def acting_desk(desk: AtDesk) -> Desk:
    """The desk of a page that is nothing but a form. 409 in the past, where nothing is done."""
    refuse_in_the_past()
    return desk


ToAct = Annotated[Desk, Depends(acting_desk)]


def moment_of(text: str | None) -> datetime | None:
    """A moment as views store it."""
    return datetime.fromisoformat(text) if text else None


def day_of(text: str | None) -> date | None:
    """A day as views store it; of a moment, which they keep in UTC, the day in China."""
    if not text:
        return None
    return china_day(datetime.fromisoformat(text)) if "T" in text else date.fromisoformat(text)


def url(path: str, /, **query: Any) -> str:
    """An address with the parameters that say something.

    Nothing is said by None, "" and False, nor by what a template leaves out (``'true' if drill``
    without an else is a Jinja `Undefined`, which prints as an empty text): an address with an
    empty value is refused by every parameter that is not a text, each time it is asked.
    """
    said = {
        name: value
        for name, value in query.items()
        if not isinstance(value, Undefined) and value not in (None, "", False)
    }
    return f"{path}?{urlencode(said)}" if said else path


def parsed(text: str) -> Any:
    """Structured detail of a row."""
    return msgspec.json.decode(text)
