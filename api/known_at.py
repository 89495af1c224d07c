"""``known_at``: the whole product as it was known at a moment of the past.

A question that says ``known_at=<position | time>``, or a browser whose cookie does, is answered
from `streams.past`: from the rows as they stood when the fact at that position had been folded.
A bare number is a position, a time without a zone is China time, a bare date is its 24:00; what
lies in the future is refused. Who may ask, and about which areas, is decided by today's posts.
Nothing is done in the past: whatever writes is refused while a moment is chosen.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final
from urllib.parse import parse_qs

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from api.problems import ApiProblem, malformed
from domain.rules.base import CHINA, china_moment
from eventstore.moments import position_at, recorded
from eventstore.store import Store
from streams.past import Past, PastBehind

PARAMETER: Final = "known_at"
COOKIE: Final = "relief_known_at"
HEADER: Final = "Relief-Known-At"
LONGEST: Final = 40
POSITION = re.compile(r"[0-9]{1,15}")
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
TIME = re.compile(
    DAY.pattern + r"[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})?"
)
"""Nothing else is kept in a cookie: Python takes any sign for the T, also one that no header may
hold."""
RETRY_SECONDS = 2


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment of the past. ``position``: of the last fact that was known; ``recorded_at``: when it
    was recorded; ``at``: the moment that was asked for, which is not before that."""

    position: int
    recorded_at: datetime
    at: datetime

    def told(self) -> dict[str, object]:
        return {"position": self.position, "recorded_at": self.recorded_at}


@dataclass(slots=True)
class Asked:
    """What a request says of the moment, and which one it is once its asker is known."""

    text: str
    kept: bool = False
    """By the browser's cookie, which may be older than the store it stands before."""
    moment: Moment | None = None


ASKED: ContextVar[Asked | None] = ContextVar("known_at_asked", default=None)


class KnownAt:
    """Middleware: notes which moment a request names, in its parameter or in its cookie."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        ASKED.set(_asked_by(scope) if scope["type"] == "http" else None)
        await self._app(scope, receive, send)


def _asked_by(scope: Scope) -> Asked | None:
    if scope["query_string"]:  # read as it is read later: an address may say "known%5Fat"
        given = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        if PARAMETER in given:  # said twice, it is refused with the other parameters
            return Asked(given[PARAMETER][0]) if len(given[PARAMETER]) == 1 else None
    if any(COOKIE.encode() in value for name, value in scope["headers"] if name == b"cookie"):
        text = Request(scope).cookies.get(COOKIE)
        return Asked(text, kept=True) if text is not None else None
    return None


def is_asked() -> bool:
    """Whether the present request names a moment, whatever it may turn out to be."""
    return ASKED.get() is not None


def moment_asked() -> Moment | None:
    """The moment that the present request is about, if it is about the past."""
    asked = ASKED.get()
    return asked.moment if asked is not None else None


def position_asked() -> int | None:
    """Up to which position the log is read for the present request; None: all of it."""
    moment = moment_asked()
    return moment.position if moment is not None else None


def settle(store: Store) -> None:
    """Find the moment that the request names. Raises 422; what a cookie says wrongly is as if it
    had not been said, for nobody could take it back."""
    asked = ASKED.get()
    if asked is None or asked.moment is not None:
        return
    try:
        asked.moment = moment_of(store, asked.text)
    except ApiProblem:
        if not asked.kept:
            raise


def refuse_writing(store: Store) -> None:
    """Raises 409 while a moment of the past is chosen."""
    settle(store)
    refuse_in_the_past()


def refuse_in_the_past() -> None:
    """`refuse_writing` where the moment has been settled already, as for each `Caller`."""
    if moment_asked() is not None:
        raise ApiProblem(
            409,
            "past-is-read-only",
            "正在查看过去的时点，不能办理：请先回到现在",
            "You are looking at the past, where nothing can be done: go back to now first.",
        )


def moment_of(store: Store, text: str) -> Moment:
    """The moment that somebody named. Raises 422: unreadable, in the future, before all facts."""
    text, now = text.strip(), store.clock.now()
    if POSITION.fullmatch(text):
        position = int(text)
        if position > store.head():
            raise _wrong("future", "账本还没有这个位置", "The log has no such position yet.")
        at = None
    else:
        at = _time_of(text)
        if at > now:
            raise _wrong("future", "这个时间还没有到", "That time has not come yet.")
        position = position_at(store.log, at)
    found = recorded(store.log, position) if position else None
    if found is None:
        raise _wrong("before", "那时账本还没有任何记录", "Nothing was recorded by then.")
    return Moment(position, found, at or found)


def _time_of(text: str) -> datetime:
    """A time or a day as people write it. Raises 422."""
    try:
        if DAY.fullmatch(text):
            return china_moment(date.fromisoformat(text) + timedelta(days=1))
        if not TIME.fullmatch(text):
            raise ValueError
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo is not None else at.replace(tzinfo=CHINA)).astimezone(UTC)
    except (ValueError, OverflowError) as problem:
        raise _wrong(
            "moment",
            "应为日期、时间（如 2018-01-05 09:00）或账本位置",
            "This should be a day, a time (such as 2018-01-05 09:00) or a position of the log.",
        ) from problem


def _wrong(rule: str, zh: str, en: str) -> ApiProblem:
    return malformed([{"field": PARAMETER, "rule": rule, "zh": zh, "en": en}])


class Reading:
    """How queries read the views: as they are, or as they were at the moment that was chosen."""

    def __init__(self, now: Callable[[], AbstractContextManager[Connection]], past: Past) -> None:
        self.now, self.past = now, past

    @contextmanager
    def __call__(self) -> Iterator[Connection]:
        moment = moment_asked()
        if moment is None:
            with self.now() as db:
                yield db
            return
        try:
            with self.past.at(moment.position) as db:
                yield db
        except PastBehind as behind:
            raise preparing(behind) from behind


def preparing(behind: PastBehind) -> ApiProblem:
    """The past is not kept up to there yet: how far it has come."""
    done = f"{behind.position:,} / {behind.wanted:,}"
    return ApiProblem(
        503,
        "past-being-prepared",
        f"正在整理历史记录（{done} 条），请稍候，页面会自动刷新",
        f"The past is being prepared: {done}. Wait a little and ask again.",
        headers={"Retry-After": str(RETRY_SECONDS), "Refresh": str(RETRY_SECONDS)},
    )
