"""Which rows a batch's handlers will ask for, learned from what they asked for before.

On PostgreSQL a row read by itself costs a journey to the server, many rows at once little more
than one. Most keys are ids that the fact itself names, so the fields that made up the key of one
miss are those of the next. A wrong guess reads a row for nothing; a missing one is read alone.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from domain.base import Event
from projections.folding.base import Handlers, Key, Rows
from projections.folding.facts import Fact

MOST_WAYS = 4
"""So many ways from a type of fact to keys of one table are learned. If there seem to be more,
the keys do not come from the fact's fields."""
WORTH_IT = 4
"""From so many keys on, it pays to read them together in one statement."""

Way = tuple[tuple[str | None, Any], ...]
"""For each part of a key: the field it comes from, or None and its own value."""


KeyOf = Callable[[dict[str, Any]], Key]


class Foresight:
    """Belongs to one set of views; keeps what it has learned from batch to batch."""

    def __init__(self) -> None:
        self._ways: dict[type[Event | None], dict[tuple[str, Way], KeyOf]] = {}

    def ahead(self, rows: Rows, handlers: Handlers, facts: Sequence[Fact]) -> Iterator[Fact]:
        """The facts, one by one, while what they will probably ask for is read together."""
        wanted: dict[str, dict[Key, None]] = {}
        for fact in facts:
            for (table, _), key_of in self._ways.get(type(fact.event), {}).items():
                wanted.setdefault(table, {})[key_of(vars(fact.event))] = None
        for table, keys in wanted.items():
            if len(keys) >= WORTH_IT:
                _read(rows, table, keys)
        for n, fact in enumerate(facts):
            if type(fact.event) in handlers:
                rows.missed = partial(self._learn, rows, facts, n)
            yield fact

    def _learn(self, rows: Rows, facts: Sequence[Fact], n: int, table: str, key: Key) -> None:
        """A handler of fact ``n`` asks for a row that has not been read. If this shows a new way
        from facts to keys, read the rows of the facts that follow too."""
        kind = type(facts[n].event)
        ways = self._ways.setdefault(kind, {})
        way = _way(vars(facts[n].event), key)
        if (table, way) in ways or sum(name == table for name, _ in ways) >= MOST_WAYS:
            return
        key_of = ways[table, way] = _key_of(way)
        same = [later.event for later in facts[n:] if type(later.event) is kind]
        if len(same) >= WORTH_IT:
            _read(rows, table, [key, *(key_of(vars(later)) for later in same)])


def _read(rows: Rows, table: str, keys: Iterable[Key]) -> None:
    rows.read(table, list(dict.fromkeys(key for key in keys if None not in key)))


def _way(fields: dict[str, Any], key: Key) -> Way:
    """Values are compared as text: an id may be given as one or as the other."""
    names = {str(value): name for name, value in fields.items() if name != "meta"}
    return tuple((name := names.get(str(part)), part if name is None else None) for part in key)


def _key_of(way: Way) -> KeyOf:
    def key_of(fields: dict[str, Any]) -> Key:
        return tuple([part if name is None else _plain(fields[name]) for name, part in way])

    return key_of


def _plain(value: Any) -> Any:
    return value if value is None or type(value) is int else str(value)
