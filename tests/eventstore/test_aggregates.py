"""Aggregates in the writer's memory: put back after a refusal, without reading their history."""

import ast
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from domain.base import CONTAINERS, Aggregate
from domain.catalog import AGGREGATES
from eventstore.outcomes import Refused
from eventstore.store import Store
from tests.eventstore.support import found_town, new_unit, off_duty, on_duty, open_store, send
from tests.everything import everything

DOMAIN = Path(__file__).parents[2] / "domain"


@pytest.fixture(scope="module")
def replayed() -> Iterator[list[Aggregate]]:
    """Every aggregate of a store in which every fact occurs."""
    store = Store.at(everything(), AGGREGATES)
    streams = [fact.event.originator_id for fact in store.read(0, 1_000_000)]
    yield [store.load(stream) for stream in dict.fromkeys(streams)]
    store.close()


def containers(value: Any) -> Iterator[Any]:
    """The containers in a value, however deep."""
    if isinstance(value, CONTAINERS):
        yield value
        for one in value.values() if isinstance(value, dict) else value:
            yield from containers(one)


def test_a_copy_is_equal_and_shares_no_container(replayed: list[Aggregate]) -> None:
    seen: set[type[Aggregate]] = set()
    for aggregate in replayed:
        seen.add(type(aggregate))
        copy = aggregate.copied()
        assert vars(copy) == vars(aggregate)
        own = {id(one) for value in vars(aggregate).values() for one in containers(value)}
        copied = {id(one) for value in vars(copy).values() for one in containers(value)}
        assert not own & copied, aggregate
    assert seen == set(AGGREGATES)


def test_the_members_of_a_container_are_all_containers_or_none_is(
    replayed: list[Aggregate],
) -> None:
    """`Aggregate.copied` looks at the first value of a table, and copies no list in a list."""
    for aggregate in replayed:
        for value in vars(aggregate).values():
            for found in containers(value):
                members = list(found.values()) if isinstance(found, dict) else list(found)
                deep = {isinstance(member, CONTAINERS) for member in members}
                assert len(deep) <= 1 and (isinstance(found, dict) or True not in deep), found


def test_an_aggregate_changes_by_facts_alone() -> None:
    """What a command assigned by itself no refusal would take back, and no replay would find.

    A private helper may assign, if event bodies alone call it.
    """
    wrong, bodies = [], 0
    for owner in _aggregates():
        methods = [one for one in owner.body if isinstance(one, ast.FunctionDef)]
        others = [one for one in methods if not _is_body(one)]
        bodies += len(methods) - len(others)
        helpers = {one.name for one in others if any(map(_changes_self, ast.walk(one)))}
        assert all(name.startswith("_") for name in helpers), helpers
        for method in others:
            called = {_called(node) for node in ast.walk(method)} & helpers
            if called and method.name not in helpers:
                wrong.append(f"{owner.name}.{method.name} calls {called}")
    assert bodies > 100 and not wrong


def _aggregates() -> Iterator[ast.ClassDef]:
    for path in DOMAIN.rglob("*.py"):
        for owner in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(owner, ast.ClassDef) and _is_aggregate(owner):
                yield owner


def _called(node: ast.AST) -> str:
    """The method in ``self.method(…)``."""
    func = node.func if isinstance(node, ast.Call) else None
    return func.attr if isinstance(func, ast.Attribute) and _name(func.value) == "self" else ""


def _is_aggregate(owner: ast.ClassDef) -> bool:
    return owner.name in {kind.__name__ for kind in AGGREGATES}


def _is_body(method: ast.FunctionDef) -> bool:
    return any(
        isinstance(one, ast.Call) and _name(one.func) == "event" for one in method.decorator_list
    )


def _changes_self(node: ast.AST) -> bool:
    """An assignment to ``self.…``, however deep, or a call that changes a container of its own."""
    if isinstance(node, ast.Attribute | ast.Subscript):
        return isinstance(node.ctx, ast.Store | ast.Del) and _root(node) == "self"
    changing = ("append", "add", "update", "pop", "discard", "remove", "clear", "setdefault")
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in changing
        and isinstance(node.func.value, ast.Attribute | ast.Subscript)
        and _root(node.func.value) == "self"
    )


def _root(node: ast.AST) -> str:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return _name(node)


def _name(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else ""


def test_a_unit_put_back_goes_on_as_if_nothing_had_been_asked(tmp_path: Path) -> None:
    store = found_town(open_store(tmp_path / "store"))
    send(store, new_unit("u"), by="dispatcher")
    for _ in range(3):
        send(store, off_duty("u"), by="dispatcher")
        send(store, on_duty("u"), by="dispatcher")
    for kept in store.writer.cache.kept.values():
        assert kept is None or (kept.before is None and not kept.pending_events)
    store.close()


def test_a_log_that_lost_its_end_and_grew_again_is_not_taken_for_the_same(tmp_path: Path) -> None:
    """H1: a process that stood idle while a stand-by without the last facts was promoted, and
    others wrote past its head, decides nothing on the facts that were lost."""
    here, there = tmp_path / "here", tmp_path / "there"
    found_town(open_store(here)).close()
    shutil.copytree(here, there)
    other = open_store(there)
    idle = open_store(here)
    before = idle.head()
    send(idle, new_unit("lost"), by="dispatcher")
    send(other, new_unit("later"), by="dispatcher")
    assert idle.head() == other.head() == before + 1
    other.close()
    with closing(sqlite3.connect(here / "log.sqlite")) as db:
        db.execute("ATTACH ? AS there", (str(there / "log.sqlite"),))
        triggers = "SELECT name FROM main.sqlite_master WHERE type='trigger'"
        for (name,) in db.execute(triggers).fetchall():
            db.execute(f'DROP TRIGGER main."{name}"')
        for change in (
            "DELETE FROM main.events WHERE position > ?",
            "INSERT INTO main.events SELECT * FROM there.events WHERE position > ?",
        ):
            db.execute(change, (before,))
        db.commit()
    with pytest.raises(Refused):
        send(idle, off_duty("lost"), by="dispatcher")
    send(idle, off_duty("later"), by="dispatcher")
    idle.close()
