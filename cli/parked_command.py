"""`relief parked …`: facts that a view could not fold, and what to do about them."""

import getpass
from typing import Annotated, Any
from uuid import UUID, uuid4

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from api.system import System
from cli.beside import settings_here
from cli.compose import running
from cli.saying import Json, failed, say_json
from domain.area import Area
from domain.commands.parked_facts import DropParkedFact
from eventstore.errors import StoreError
from eventstore.outcomes import Envelope, Refused
from projections.folding.base import View
from projections.folding.facts import PartitionOf
from projections.folding.parking import BEHIND, Parked, left_out
from projections.folding.replaying import Replayed, replay
from streams.frames import Router

app = typer.Typer(no_args_is_help=True, help="Facts that a view could not fold.")
out = Console()
err = Console(stderr=True)
ViewName = Annotated[str, typer.Argument(help="Name of the view")]
Position = Annotated[int, typer.Argument(min=1, help="Position in the log")]
BEHIND_SHOWN = "排在前面搁置的记录之后 · waits for an earlier fact of its stream"
FIRST_ROWS = 500


def told(parked: Parked) -> dict[str, Any]:
    return {
        "view": parked.view,
        "partition": parked.partition,
        "position": parked.position,
        "stream": parked.stream,
        "topic": parked.topic,
        "reason": parked.reason,
        "behind": parked.reason == BEHIND,
        "since": parked.at,
    }


@app.command("list")
def list_them(as_json: Json = False) -> None:
    """What is parked, by view, with the reason and since when."""
    with running(settings_here(), follow=False, make=False) as system:
        found = [told(one) for one in system.views.parked()]
    if as_json:
        say_json({"parked": found})
        return
    if not found:
        out.print("没有搁置的记录 · nothing is parked")
        return
    table = Table("看板 · view", "位置 · position", "记录 · fact", "起 · since", "原因 · reason")
    for one in found:
        since = one["since"].astimezone().strftime("%m-%d %H:%M:%S")
        reason = BEHIND_SHOWN if one["behind"] else escape(one["reason"])
        table.add_row(one["view"], str(one["position"]), escape(one["topic"]), since, reason)
    out.print(table)
    out.print(
        "修复程序后运行 relief parked replay；无法修复的，用 relief parked drop 登记放弃\n"
        "Repair the program, then: relief parked replay. What cannot be repaired: relief parked"
        " drop VIEW POSITION --reason …"
    )


@app.command("show")
def show(view: ViewName, position: Position) -> None:
    """One parked fact as a JSON object: its fields if they can be read, else its bytes as hex.

    Personal data stays sealed.
    """
    with running(settings_here(), follow=False, make=False) as system:
        found = _parked(system, view, position)
    say_json({**told(found), **content(found.state)})


def content(state: bytes) -> dict[str, Any]:
    """``fact``, or ``bytes`` where they are no JSON."""
    try:
        return {"fact": msgspec.json.decode(state, type=dict[str, Any])}
    except ValueError:  # msgspec's, and that of bytes which are no text
        return {"bytes": state.hex()}


def _parked(system: System, view: str, position: int) -> Parked:
    for one in system.views.parked():
        if (one.view, one.position) == (view, position):
            return one
    raise failed(f"看板 {view} 没有搁置第 {position} 条记录", f"{view} has not parked {position}.")


@app.command("replay")
def replay_them(
    views: Annotated[
        list[str] | None, typer.Argument(help="Views; without any, all that have parked facts")
    ] = None,
    as_json: Json = False,
) -> None:
    """Rebuild views beside the live ones and switch: what can be folded now is not parked any
    more, what still cannot stays parked."""
    with running(settings_here(), follow=False, make=False) as system:
        names = views or sorted({one.view for one in system.views.parked()})
        chosen = [_view(system, name) for name in names]
        done = [replayed(system, view) for view in chosen]
    if as_json:
        say_json({"views": done})
    elif not done:
        out.print("没有搁置的记录 · nothing is parked")
    else:
        _tell(done)


def _tell(done: list[Replayed]) -> None:
    for one in done:
        out.print(
            f"{one.view}：搁置 {one.parked_before} → {one.parked}，位置 {one.position}，"
            f"{one.seconds:.1f} 秒 · parked {one.parked_before} → {one.parked}"
            f" at {one.position}, {one.seconds:.1f} s",
            highlight=False,
        )


def replayed(system: System, view: View) -> Replayed:
    system.views.dropped |= left_out(system.store.trust.forged, [view])
    with err.status(f"重放 {view.name} · replaying {view.name}"):
        return replay(system.store.log.source, system.views, view, _partitions(system))


def _partitions(system: System) -> PartitionOf:
    return Router(system.store.log, system.views.partitions).partition_of


def _view(system: System, name: str) -> View:
    for view in system.views.views:
        if view.name == name:
            return view
    known = ", ".join(view.name for view in system.views.views)
    raise failed(f"没有看板 {name}；有：{known}", f"There is no view {name}. There are: {known}.")


@app.command("drop")
def drop(
    view: ViewName,
    position: Position,
    reason: Annotated[str, typer.Option(help="Why; it stands in the log for auditors")],
) -> None:
    """Give one fact up for one view, for good: it is written to the log, and the view replayed.

    Other views keep the fact. It can be one that is parked, or one that stops the view.
    """
    with running(settings_here(), follow=False, make=False) as system:
        chosen = _view(system, view)
        if not _waits(system, chosen, position):
            raise failed(
                f"看板 {view} 没有搁置第 {position} 条记录，不能放弃",
                f"{view} has not parked {position}: only what could not be folded can be dropped.",
            )
        command = DropParkedFact(
            area=_top(system),
            view=view,
            position=position,
            reason=reason,
            operator=getpass.getuser(),
        )
        try:
            system.store.run(Envelope(id=uuid4(), officer=None, command=command))
        except Refused as refused:
            raise failed(refused.problem.zh, refused.problem.en) from None
        try:
            done = replayed(system, chosen)
        except StoreError as problem:
            err.print("放弃已记入账本，但重放没有完成 · the drop is written, the replay failed")
            raise problem from None
    _tell([done])


def _waits(system: System, view: View, position: int) -> bool:
    """Whether the view has this fact still before it, or parked."""
    if any((one.view, one.position) == (view.name, position) for one in system.views.parked()):
        return True
    rows = system.store.log.rows(position - 1, 1, position)
    if not rows:
        return False
    partition = _partitions(system)(rows[0])
    return position > system.views.positions()[view.name][partition]


def _top(system: System) -> UUID:
    """The area that this store's tree begins with, from the log: the views may be broken."""
    after = 0
    while rows := system.store.log.rows(after, FIRST_ROWS):
        for row in rows:
            if row[3].partition("/")[0] == Area.Established.topic():
                return UUID(bytes=bytes(row[1]))
        after = rows[-1][0]
    raise failed("账本中还没有区划", "The log has no area yet.")
