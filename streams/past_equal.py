"""Two figures that ought to be equal: every position of the past at which they part or meet.

A figure is a sum over rows of views, and each row of the past says from which position to which it
was valid (`projections.folding.past`). So what each fact changed about a figure is one sum over
versions, and nothing is replayed. The short list of figures is `PAIRS`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sqlalchemy import Column, Connection, Table, func, select, union_all
from sqlalchemy.sql.elements import ColumnElement

from projections.asking.scope import Scope
from projections.folding.past import FROM, TO
from projections.funds import COMMITMENTS, FUNDS
from projections.ledger import LEDGER
from projections.sections.consignments import CARGO
from projections.sections.grants import GRANTS
from projections.stock import STOCK_BALANCES
from streams.past_changes import versions_of


@dataclass(frozen=True)
class Part:
    """A part of a figure: columns of a table's rows that are added or (``less``) taken off.

    ``only``: a column, and the values of the rows that count. ``case``: the column that names the
    row of ``of`` which says whether it is an exercise, where the table does not."""

    table: Table
    plus: tuple[str, ...]
    less: tuple[str, ...] = ()
    only: tuple[str, tuple[str, ...]] | None = None
    case: str = ""
    of: Table | None = None


@dataclass(frozen=True)
class Pair:
    """Two figures by their parts. ``money``: in fen; else units of goods."""

    board: str
    left: tuple[Part, ...]
    right: tuple[Part, ...]
    money: bool = True


FLOWS_IN: Final = ("appropriated_fen", "received_fen", "refunded_fen", "got_back_fen")
HELD: Final = ("available_fen", "committed_fen", "paid_fen", "passed_down_fen", "returned_fen")
DUE: Final = ("granted", "failed")

PAIRS: Final[Mapping[str, Pair]] = {
    "money": Pair("funds", (Part(FUNDS, FLOWS_IN),), (Part(FUNDS, HELD),)),
    "committed": Pair(
        "funds",
        (Part(FUNDS, ("committed_fen",)),),
        (Part(COMMITMENTS, ("open_fen",), case="fund", of=FUNDS),),
    ),
    "granted": Pair(
        "ledger",
        (Part(LEDGER, ("cash_granted_fen",)),),
        (
            Part(LEDGER, ("cash_paid_fen",)),
            Part(GRANTS, ("cash_fen",), only=("status", DUE), case="relief_case", of=LEDGER),
            Part(GRANTS, ("returned_fen",), only=("item", ("",)), case="relief_case", of=LEDGER),
        ),
    ),
    "paid": Pair(
        "ledger",
        (Part(FUNDS, ("paid_fen",), less=("refunded_fen",)),),
        (Part(LEDGER, ("cash_paid_fen",)),),
    ),
    "issued": Pair(
        "stock",
        (Part(STOCK_BALANCES, ("shipped",)),),
        (
            Part(STOCK_BALANCES, ("arrived", "turned_back")),
            Part(CARGO, ("units",), less=("good",)),
        ),
        money=False,
    ),
    "given": Pair(
        "stock",
        (Part(STOCK_BALANCES, ("given_fen",), less=("returned_in_fen",)),),
        (Part(LEDGER, ("goods_signed_fen",)),),
    ),
}


class Turn(NamedTuple):
    """From this position on the two figures are these; ``equal`` is another than before."""

    position: int
    left: int
    right: int

    @property
    def equal(self) -> bool:
        return self.left == self.right


def deltas(
    db: Connection, parts: tuple[Part, ...], known: Mapping[str, int], scope: Scope, exercise: bool
) -> dict[int, int]:
    """By position by how much its fact changed the figure. ``known``: generations by table."""
    found: dict[int, int] = {}
    for part in parts:
        for position, change in db.execute(_changes(part, known[part.table.name], scope, exercise)):
            found[position] = found.get(position, 0) + int(change)
    return found


def _changes(part: Part, generation: int, scope: Scope, exercise: bool) -> Any:
    rows = versions_of(part.table, generation)
    value = _value(rows, part)
    wanted: list[ColumnElement[bool]] = [scope.covers(rows.c.area)]
    if part.only is not None:
        column, values = part.only
        wanted.append(rows.c[column].in_(values))
    if part.of is not None:
        owner = part.of.c
        mine = select(owner.id).where(owner.exercise.is_(exercise))
        wanted.append(rows.c[part.case].in_(mine))
    else:
        wanted.append(rows.c.exercise.is_(exercise))
    begun = select(rows.c[FROM].label("at"), value.label("change")).where(*wanted)
    ended = select(rows.c[TO].label("at"), (-value).label("change")).where(
        rows.c[TO].is_not(None), *wanted
    )
    both = union_all(begun, ended).subquery()
    return select(both.c.at, func.sum(both.c.change)).group_by(both.c.at)


def _value(rows: Table, part: Part) -> ColumnElement[int]:
    plus: list[Column[Any]] = [rows.c[name] for name in part.plus]
    less: list[Column[Any]] = [rows.c[name] for name in part.less]
    total: ColumnElement[int] = sum(plus[1:], start=plus[0])
    for one in less:
        total = total - one
    return total


def turns(
    db: Connection,
    pair: Pair,
    known: Mapping[str, int],
    scope: Scope,
    *,
    exercise: bool,
    since: int,
    upto: int,
) -> Iterator[Turn]:
    """How both figures stand at ``since``, and each later position up to ``upto`` at which they
    begin to differ or to be equal."""
    left = deltas(db, pair.left, known, scope, exercise)
    right = deltas(db, pair.right, known, scope, exercise)
    now = Turn(since, _upto(left, since), _upto(right, since))
    yield now
    for position in sorted(at for at in {*left, *right} if since < at <= upto):
        was = now.equal
        now = Turn(position, now.left + left.get(position, 0), now.right + right.get(position, 0))
        if now.equal != was:
            yield now


def _upto(changes: Mapping[int, int], position: int) -> int:
    return sum(change for at, change in changes.items() if at <= position)
