"""`GET /v1/work`: what waits for the officer who asks, and what the officer waits for."""

from dataclasses import dataclass, replace
from time import monotonic
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool

from api.auth import Asking, Caller, check_parameters
from api.duties import DONE_BY, duties_below, own_duties
from api.known_at import PARAMETER, position_asked
from api.reads import KnownAt, Position, of_moment, wait_for
from api.routes_reports import EVERYBODY
from api.rulebook_reads import waiting_in
from api.thresholds import graver_than_run
from api.writes import RESPONSES
from domain.access import posts_at
from domain.area import Area
from domain.commands.rulebooks import ConfirmRulebook
from domain.posts import StandIn, post_of
from projections.asking.paging import Page
from projections.asking.scope import Scope
from projections.asking.work import MATTERS, Asked, Post, work_counts, work_items, work_page
from projections.asking.work_awaited import done_lately, work_awaited

router = APIRouter(tags=["work"])

EACH: Final = 5
"""Rows of each matter that are shown; how many there are in all is counted."""
KEPT_SECONDS: Final = 15.0
"""How long a count for the navigation is used again while the views stand still."""
MOST_KEPT: Final = 10_000
"""Officers whose count is kept."""
RULES: Final = "rulebook_confirm"
"""The matter of rules that wait to be confirmed: counted only, they have no items here."""
Whose = Literal["mine", "area"]


@dataclass(frozen=True)
class Work:
    """``items`` in the order in which they are to be done; ``counts``: by matter ``count``,
    ``overdue``, ``grave``, ``since``; ``overdue`` and ``upward``: duties of the caller's own areas;
    ``below``: of those below; ``awaited`` with ``awaited_counts``: what waits for others;
    ``lately``: the caller's last facts. ``page``: of one matter, where its items stand in all of
    them."""

    items: list[dict[str, Any]]
    counts: dict[str, dict[str, Any]]
    overdue: list[dict[str, Any]]
    upward: list[dict[str, Any]]
    below: list[dict[str, Any]]
    awaited: list[dict[str, Any]]
    awaited_counts: dict[str, int]
    lately: list[dict[str, Any]]
    page: Page

    @property
    def total(self) -> int:
        """All that waits, counted."""
        return sum(int(one["count"]) for one in self.counts.values())


def _asked(caller: Caller, whole: bool, exercise: bool | None) -> tuple[Scope, Asked]:
    """The question for the caller's present posts, own ones first. 403 to who is in no post."""
    store = caller.system.store
    scope = caller.scope(EVERYBODY, None)
    posts, scopes = [], []
    for held in posts_at(caller.officer, store.clock.now()):
        post = post_of(held)
        area = store.load(post.area)
        assert isinstance(area, Area)
        absent = held.absent if isinstance(held, StandIn) else None
        posts.append(Post(post.role, post.area, area.level, absent))
        scopes.append(caller.scope(frozenset({post.role}), post.area))
    asked = Asked(
        officer=caller.id,
        posts=tuple(posts),
        at=caller.system.moment(),
        held=store.clock.held_time,
        whole=whole,
        exercise=store.training if exercise is None else exercise,
        scopes=tuple(scopes),
    )
    return scope, asked


def work_of(
    caller: Caller,
    *,
    whose: Whose = "mine",
    exercise: bool | None = None,
    each: int = EACH,
    matter: str | None = None,
    cursor: str | None = None,
) -> Work:
    """The caller's work. ``matter``: of this one a page of ``each`` rows, and none of the others;
    the first page where nothing is left behind the ``cursor``."""
    scope, asked = _asked(caller, whose == "area", exercise)
    with caller.system.reader() as db:
        asked = replace(asked, graver=graver_than_run(caller, db, scope, asked))
        counts = work_counts(db, scope, asked=asked)
        if matter is None:
            page = Page(work_items(db, scope, asked=asked, each=each))
        else:
            page = work_page(db, scope, asked=asked, matter=matter, cursor=cursor, limit=each)
            if cursor is not None and not page.items:
                page = work_page(db, scope, asked=asked, matter=matter, cursor=None, limit=each)
        awaited_counts, awaited = work_awaited(db, scope, asked=asked)
        lately = done_lately(db, scope, asked=asked)
    caller.system.store.texts.opened([*page.items, *awaited, *lately])
    overdue, upward = own_duties(caller, asked.exercise)
    below = duties_below(caller, asked.exercise) if asked.whole else []
    _count_duties(counts, overdue, upward)
    rules = rules_waiting(caller)
    if rules:
        counts[RULES] = {"count": rules, "overdue": 0, "grave": 0, "since": None, "due_at": None}
    items = [_item(one, asked) for one in page.items]
    return Work(items, counts, overdue, upward, below, awaited, awaited_counts, lately, page)


def waiting_count(caller: Caller) -> int:
    """How much waits for the caller's own posts: what the navigation says on every page.

    Counted again when the views have moved, and when time may have made something late or ready.
    """
    kept, now = caller.system.waiting_counts, monotonic()
    known = kept.get(caller.id)
    position = caller.system.boards.position
    if known is not None and known[0] == position and now - known[1] < KEPT_SECONDS:
        return known[2]
    if len(kept) >= MOST_KEPT:
        kept.clear()
    found = _counted(caller)
    kept[caller.id] = (position, now, found)
    return found


def _counted(caller: Caller) -> int:
    scope, asked = _asked(caller, whole=False, exercise=None)
    with caller.system.reader() as db:
        asked = replace(asked, graver=graver_than_run(caller, db, scope, asked))
        counts = work_counts(db, scope, asked=asked)
    _count_duties(counts, *own_duties(caller, asked.exercise))
    return sum(int(one["count"]) for one in counts.values()) + rules_waiting(caller)


def rules_waiting(caller: Caller) -> int:
    """How many versions of rules wait for this officer to confirm them."""
    return waiting_in(caller.system.store, caller.areas(ConfirmRulebook.roles))


def _count_duties(
    counts: dict[str, dict[str, Any]], overdue: list[dict[str, Any]], upward: list[dict[str, Any]]
) -> None:
    for late, lines in ((1, overdue), (0, upward)):
        for line in lines:
            one = counts.setdefault(
                f"duty_{line['kind']}",
                {
                    "count": 0,
                    "overdue": 0,
                    "grave": 0,
                    "since": line["since"],
                    "due_at": line["due_at"],
                },
            )
            one["count"] += 1
            one["overdue"] += late
            one["grave"] += line["grave"]


def _item(row: dict[str, Any], asked: Asked) -> dict[str, Any]:
    """A row with its next step, and for whom it is done."""
    matter = MATTERS[row["matter"]]
    post = asked.posts[row["post"]]
    row["kind"] = matter.kind
    row["overdue"] = bool(row["overdue"])
    row["grave"] = row["rank"] == 0
    row["as_role"] = str(post.role)
    row["standing_for"] = str(post.standing_for) if post.standing_for else None
    row["command"] = matter.command.__name__
    row["href"] = matter.href.format(row["subject"])
    return row


def _told(row: dict[str, Any]) -> dict[str, Any]:
    """An item as programs read it."""
    names = ("kind", "matter", "subject", "area", "area_name", "since", "due_at", "overdue")
    told = {name: row[name] for name in names}
    told |= {"grave": row["grave"], "number": row["number"], "standing_for": row["standing_for"]}
    return told | {"action": {"command": row["command"], "href": row["href"]}}


def _told_duty(line: dict[str, Any]) -> dict[str, Any]:
    command, href = DONE_BY[line["kind"]]
    return {
        "kind": "situation-reports",
        "matter": f"duty_{line['kind']}",
        "subject": line["subject"],
        "area": line["area"],
        "area_name": line["area_name"],
        "since": line["since"],
        "due_at": line["due_at"],
        "overdue": line["state"] == "overdue",
        "grave": line["grave"],
        "number": line["times"],
        "standing_for": None,
        "action": {"command": command.__name__, "href": href.format(line["subject"])},
    }


@router.get(
    "/v1/work",
    summary="What waits for me, with the next step of each, and what I wait for",
    description=(
        "`items`: the first rows of each matter (`each`), with `kind`, `subject`, `area`, `since`, "
        "`due_at`, `overdue`, `grave` (dead, missing, lives at stake), `standing_for` (for whom a "
        "substitute does it) and `action`: the `command` and the page (`href`) where it is done. "
        "What is grave comes first, then what is overdue longest. `counts`: by matter, all of "
        "them. `waiting_for`: what I sent or decided that now waits for `who_role` in `who_area`. "
        "`whose=area`: all that my posts may do in their areas and below, not only what is mine "
        "first of all."
    ),
    responses={code: RESPONSES[code] for code in (401, 403, 422, 503)},
)
async def work(
    request: Request,
    caller: Asking,
    whose: Whose = "mine",
    exercise: bool | None = None,
    each: Annotated[int, Query(ge=1, le=1000)] = EACH,
    after: Position = None,
    known_at: KnownAt = None,
) -> Any:
    del known_at
    check_parameters(request, ("whose", "exercise", "each", "after", PARAMETER))
    await wait_for(caller, after)
    then = position_asked()
    position = caller.system.boards.position if then is None else then
    found = await run_in_threadpool(work_of, caller, whose=whose, exercise=exercise, each=each)
    duties = [_told_duty(line) for line in (*found.overdue, *found.upward)]
    items = sorted(
        [*duties, *map(_told, found.items)],
        key=lambda one: (not one["grave"], not one["overdue"], one["due_at"] or "~", one["since"]),
    )
    names = ("matter", "subject", "area", "area_name", "who_role", "who_area", "since", "ready_at")
    told = {
        "items": items,
        "counts": found.counts,
        "total": found.total,
        "waiting_for": [{name: one[name] for name in names} for one in found.awaited],
        "waiting_for_counts": found.awaited_counts,
        "position": position,
    }
    return of_moment(told)
