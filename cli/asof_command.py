"""`relief asof WHEN QUESTION`: what was known at a moment of the past, from the command line.

``--json`` answers one object: ``known_at`` (position and recorded_at), ``question``, and ``items``
(all rows of a list) or ``found`` (of one thing; null if there was none). Sealed texts stay sealed.
"""

import inspect
from collections.abc import Callable
from datetime import date
from typing import Annotated, Any
from uuid import UUID

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from sqlalchemy import Connection

from api.known_at import Moment, moment_of
from api.problems import ApiProblem
from cli.beside import settings_here
from cli.compose import open_store
from cli.divisions import division
from cli.saying import Json, failed
from projections.asking.fund_books import funds
from projections.asking.ledger_books import household, relief_case
from projections.asking.ledger_sums import ledger_totals
from projections.asking.paging import MAX_LIMIT, Page
from projections.asking.scope import EVERYTHING, Scope
from projections.asking.situation_board import situation_board
from projections.asking.stock_books import stockpiles
from projections.dispatch import dispatch_board
from projections.findings import findings
from streams.past import Past, PastBehind

err = Console(stderr=True)

Question = Callable[..., Any]
QUESTIONS: dict[str, Question] = {
    "situation": situation_board,
    "stock": stockpiles,
    "funds": funds,
    "ledger totals": ledger_totals,
    "dispatch": dispatch_board,
    "findings": findings,
    "case": relief_case,
    "household": household,
}
OF_ONE = {"case": "case", "household": "household"}
"""Questions about one thing, and the parameter that its id goes to."""


def register(app: typer.Typer) -> None:
    app.command("asof")(asof)


def asof(
    when: Annotated[
        str,
        typer.Argument(help="2018-01-05 (its end), 2018-01-05T09:00 (China), or a position"),
    ],
    question: Annotated[
        list[str], typer.Argument(help=f"{' | '.join(QUESTIONS)}; of one thing with its id")
    ],
    area: Annotated[
        str | None, typer.Option(help="Code of an area: it and what lies below")
    ] = None,
    season: Annotated[
        int | None, typer.Option(help="Year, for ledger totals and situation")
    ] = None,
    as_of: Annotated[
        str | None, typer.Option(help="Situation and ledger totals as of the end of this day")
    ] = None,
    as_json: Json = False,
) -> None:
    """What was known at a moment of the past: boards, sums, one case or household."""
    name, id = _named(question)
    day = _day(name, as_of)
    settings = settings_here()
    store = open_store(settings)
    past = Past(store.log, settings.data, store.trust)
    try:
        try:
            moment = moment_of(store, when)
        except ApiProblem as problem:
            wrong = (problem.errors or [{"zh": "", "en": ""}])[0]
            raise failed(f"{when}：{wrong['zh']}", f"{when}: {wrong['en']}") from None
        _prepared(past, store.head() if area is not None else moment.position)
        inside = None
        if area is not None:  # by the codes of today, and former ones
            with past.at(store.head()) as db:
                inside = division(store, db, area)
            if inside is None:
                raise failed(f"没有代码为 {area} 的区划", f"No area has the code {area}.")
        with past.at(moment.position) as db:
            given = {"at": moment.at, "exercise": store.training, "year": season}
            given |= {"held": store.clock.held_time, "county": inside, "as_of": day}
            found = _answer(db, QUESTIONS[name], inside, given | _of_one(name, id))
    finally:
        past.close()
        store.close()
    _say(moment, name, found, as_json)


def _named(question: list[str]) -> tuple[str, UUID | None]:
    """Which question is meant, and the id of what it is about."""
    words = " ".join(question)
    name = next((one for one in QUESTIONS if words == one or words.startswith(f"{one} ")), None)
    if name is None:
        raise failed(f"可以问的：{'、'.join(QUESTIONS)}", f"One of: {', '.join(QUESTIONS)}.")
    rest = words[len(name) :].strip()
    try:
        id = UUID(rest) if rest else None
    except ValueError:
        raise failed(f"“{rest}”不是编号", f"{rest} is no id.") from None
    if (id is not None) != (name in OF_ONE):
        raise failed(
            f"{name} 须写明编号" if name in OF_ONE else f"{name} 不带编号",
            f"{name} takes an id." if name in OF_ONE else f"{name} takes no id.",
        )
    return name, id


def _day(name: str, text: str | None) -> date | None:
    """The day that a question is about."""
    if text is None:
        return None
    if "as_of" not in inspect.signature(QUESTIONS[name]).parameters:
        raise failed(f"{name} 不分截至日期", f"{name} takes no day.")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise failed(f"“{text}”不是日期，如 2018-01-03", f"{text} is no day.") from None


def _of_one(name: str, id: UUID | None) -> dict[str, UUID | None]:
    return {OF_ONE[name]: id} if name in OF_ONE else {}


def _prepared(past: Past, position: int) -> None:
    """Wait until the past is kept up to there, and say how far it has come."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, console=err, transient=True) as shown:
        task = shown.add_task("整理历史记录 · preparing the past", total=position)
        while True:
            try:
                with past.at(position):
                    return
            except PastBehind as behind:
                shown.update(task, completed=behind.position)


def _answer(db: Connection, query: Question, area: UUID | None, given: dict[str, Any]) -> Any:
    """All that a query answers; of a list every row."""
    taken = inspect.signature(query).parameters
    asked = {name: value for name, value in given.items() if name in taken and value is not None}
    scope = EVERYTHING if area is None or "county" in asked else Scope((area,))
    if "cursor" not in taken:
        return query(db, scope, **asked)
    rows: list[Any] = []
    cursor: str | None = None
    while True:
        page: Page = query(db, scope, **asked, cursor=cursor, limit=MAX_LIMIT)
        rows += page.items
        cursor = page.next
        if cursor is None:
            return rows


def _say(moment: Moment, name: str, found: Any, as_json: bool) -> None:
    kind = "items" if isinstance(found, list) else "found"
    said = {"known_at": moment.told(), "question": name, kind: found}
    text = msgspec.json.encode(said, enc_hook=str)
    typer.echo((text if as_json else msgspec.json.format(text, indent=2)).decode())
