"""Two figures that ought to be equal: from which record on they differ, and by whose."""

from decimal import Decimal
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.changes import MOST_ROWS
from api.changes_equal import Compared, compared
from api.problems import ApiProblem
from api.reads import sheet_answer
from api.routes import LIVE
from api.sheets import Sheet, yuan
from api.words import words_of
from projections.asking.paging import Page
from streams.past_equal import PAIRS
from web.i18n import catalog
from web.pages.changes import maker
from web.pages.sheets import Form, saved_as
from web.parts import AtDesk
from web.render import language_of

router = APIRouter(include_in_schema=False)
ROWS: Final = 40


@router.get("/changes/equal")
async def equal(
    request: Request,
    desk: AtDesk,
    pair: str = "",
    since: str = "",
    upto: str = "",
    passing: bool = False,
    cursor: str | None = None,
) -> Response:
    roles = desk.caller.roles()
    pairs = [one for one in PAIRS if not LIVE[PAIRS[one].board][1].isdisjoint(roles)]
    found: Compared | None = None
    errors: list[dict[str, Any]] = []
    if pair and since and upto:
        try:
            found = await run_in_threadpool(
                compared,
                desk.caller,
                pair,
                since,
                upto,
                passing=passing,
                cursor=cursor,
                limit=ROWS,
            )
        except ApiProblem as problem:
            if problem.problem.status != 422:
                raise
            errors = problem.errors or []
    t = catalog(language_of(request)).t
    return await desk.show(
        request,
        "changes_equal.html",
        pairs=pairs,
        asked={"pair": pair, "since": since, "upto": upto, "passing": passing},
        found=found,
        errors=errors,
        say=lambda value: yuan(value) if PAIRS[pair].money else f"{value:,}",
        maker=lambda one: maker(one, t),
    )


@router.get("/sheets/equal/{pair}")
async def sheet_of(
    request: Request,
    desk: AtDesk,
    pair: str,
    since: str = "",
    upto: str = "",
    passing: bool = False,
    form: Form = "csv",
) -> Response:
    """All rows of the page, also those behind its first ones."""
    language = language_of(request)
    t = catalog(language).t

    def row(one: dict[str, Any]) -> dict[str, Any]:
        money = PAIRS[pair].money
        figures = {
            f"equal_{name}": Decimal(one[name]).scaleb(-2) if money else one[name]
            for name in ("left", "right", "difference")
        }
        said = t("equal.meets") if one["equal"] else t("equal.parts")
        who = [{"name": maker(by, t)} for by in one["actors"]]
        at = one["at"] and one["at"].isoformat()
        last = one["position"]
        told = {"equal_state": said, "changed_at": at, "changed_by": who, "changed_last": last}
        return told | figures | {"equal_pair": t(f"equal.pair_{pair}")}

    def told(cursor: str | None) -> Page:
        given: dict[str, Any] = {"passing": passing, "cursor": cursor, "limit": MOST_ROWS}
        found = compared(desk.caller, pair, since, upto, **given)
        return Page([row(one) for one in found.items], found.next)

    async def some(cursor: str | None = None) -> Page:
        return await run_in_threadpool(told, cursor)

    first = await some()
    words = await run_in_threadpool(words_of, desk.caller, desk.now, language)
    sheet = Sheet("equal_page", words, desk.caller.system.store.training, language)
    headers = saved_as("equal", form)
    return await sheet_answer(desk.caller, sheet, first, some, headers, as_book=form == "xlsx")
