"""What facts do to the vault happens after them: whole or not at all, whatever ends the process."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from domain.commands.households import AddMember, MoveHousehold
from domain.commands.sealing import MemberInput
from domain.household_members import Relation
from domain.world import Role
from eventstore import effects
from eventstore.errors import IndexBehind, StoreFull
from eventstore.faults import EFFECT_POINTS
from eventstore.store import Store
from tests.eventstore.erasing import (
    DAY,
    GONE,
    HEAD,
    HOME,
    NUMBER,
    erase_person,
    sealed_name,
    town_with_a_leaver,
    with_officer,
)
from tests.eventstore.support import ROOT, Place, named, new_household, open_store, people, send
from tests.id_numbers import id_number

BEFORE_THE_FACT = ("before-load", "between-vault-and-log", "in-transaction")
AFTER_IT = ("after-commit", "before-erasure", "in-erasure", "after-erasure")


@pytest.fixture
def town(place: Place) -> Iterator[Store]:
    store = open_store(place)
    store.gone = town_with_a_leaver(store)  # type: ignore[attr-defined]
    yield store
    store.close()


def who(store: Store) -> UUID:
    found: UUID = store.gone  # type: ignore[attr-defined]
    return found


def plain(store: Store) -> str | None:
    """The name of who left, for people to read."""
    return store.reveal(sealed_name(store), named(f"household/{HOME}"), "name")


def held(store: Store) -> bool:
    """Whether the vault still has the key."""
    return bool(store.vault.keys_of([sealed_name(store).person]))


def follow(store: Store) -> None:
    while store.effects.step():
        pass


def test_a_failed_erasure_erases_nobody(town: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A 503 leaves no fact, and the person."""

    def full(*_: object) -> None:
        raise StoreFull

    with monkeypatch.context() as change:
        change.setattr(town.log, "append", full)
        with pytest.raises(StoreFull):
            erase_person(town, who(town))
    follow(town)
    assert plain(town) == GONE and held(town)
    assert town.vault.find_person(NUMBER) == who(town)
    erase_person(town, who(town))
    follow(town)
    assert plain(town) is None and not held(town)
    assert town.vault.find_person(NUMBER) is None


@pytest.mark.parametrize("point", [*BEFORE_THE_FACT, *AFTER_IT])
def test_an_erasure_killed_anywhere_is_whole_or_not_at_all(place: Place, point: str) -> None:
    store = open_store(place)
    person = town_with_a_leaver(store)
    follow(store)
    store.close()
    env = {**os.environ, "RELIEF_KILL_AT": point}
    command = [sys.executable, "-m", "tests.eventstore.erasing", str(place), str(person)]
    killed = subprocess.run(command, cwd=ROOT, env=env, timeout=120)
    assert killed.returncode == -signal.SIGKILL
    store = open_store(place)
    try:
        done = store.erased(person)
        assert done == (point in AFTER_IT)
        assert (plain(store) is None) == done, "the fact is the authority, whatever the vault holds"
        assert store.vault.reveal(sealed_name(store), named(f"household/{HOME}"), "name") == (
            None if point == "after-erasure" else GONE
        )
        follow(store)
        assert held(store) == (not done)
        assert (store.vault.find_person(NUMBER) is None) == done
        if done and isinstance(place, Path):
            files = b"".join(path.read_bytes() for path in place.glob("vault.sqlite*"))
            assert GONE.encode() not in files and person.bytes not in files
    finally:
        store.close()


def test_every_point_of_the_effects_is_killed_at() -> None:
    assert set(EFFECT_POINTS) == {*AFTER_IT[1:], "in-index"}


def test_who_is_erased_is_erased_before_the_vault_has_followed(town: Store) -> None:
    erase_person(town, who(town))
    assert held(town), "nothing has followed yet"
    assert plain(town) is None
    household = named(f"household/{HOME}")
    again = MemberInput(name=GONE, relation=Relation.OTHER, id_number=NUMBER)
    back = AddMember(household=household, member=again, reason="迁回")
    new = UUID(str(send(town, back, by="reporter").result["person"]))
    assert new != who(town), "whoever comes back is somebody new, and not about to be noise"
    follow(town)
    member = town.load(household).members[new]  # type: ignore[union-attr]
    assert town.reveal(member.name, household, "name") == GONE
    assert plain(town) is None and not held(town)
    assert people(town, GONE) == [new]


def test_the_last_thing_a_store_does_is_to_destroy_keys(place: Place) -> None:
    store = open_store(place)
    person = town_with_a_leaver(store)
    erase_person(store, person)
    store.close()
    again = open_store(place)
    assert not held(again)
    again.close()


def test_an_older_vault_that_was_restored_loses_again_whom_the_log_erased(tmp_path: Path) -> None:
    folder, saved = tmp_path / "store", tmp_path / "saved.sqlite"
    store = open_store(folder)
    person = town_with_a_leaver(store)
    follow(store)
    with (
        closing(sqlite3.connect(folder / "vault.sqlite")) as live,
        closing(sqlite3.connect(saved)) as copy,
    ):
        live.backup(copy)
    erase_person(store, person)
    follow(store)
    assert not held(store)
    store.close()
    for path in folder.glob("vault.sqlite*"):
        path.unlink()
    shutil.copyfile(saved, folder / "vault.sqlite")
    again = open_store(folder)
    assert held(again) and plain(again) is None
    follow(again)
    assert not held(again)
    again.close()


def test_erasures_are_carried_out_again_even_if_the_vault_claims_they_were(town: Store) -> None:
    """A vault put together from two: its mark is of today, its keys are of yesterday."""
    keys = town.vault.fetch("SELECT person, wrapped FROM keys")
    erase_person(town, who(town))
    follow(town)
    with town.vault.aside() as db:
        db.executemany("INSERT INTO keys VALUES (?,?) ON CONFLICT DO NOTHING", keys)
    follow(town)
    assert held(town)
    assert town.effects.erase_again() == 1
    assert not held(town)


# -- the index ---------------------------------------------------------------------------------


def test_a_name_follows_its_household_and_goes_with_its_member(town: Store) -> None:
    assert people(town, GONE) == [], "who left is not found"
    here, there = named("village"), named("village2")
    assert [hit.village for hit in town.find(HEAD)] == [here]
    with_officer(town, "township", Role.TOWNSHIP_REVIEWER, "township")
    move = MoveHousehold(household=named(f"household/{HOME}"), village=there, on=DAY, reason="安置")
    send(town, move, by="township")
    follow(town)
    assert town.find(HEAD, [here]) == [] and len(town.find(HEAD, [there])) == 1


def test_each_claim_keeps_the_name_it_was_given(town: Store) -> None:
    """A stranger's registration of the same ID number changes nothing in another village."""
    with_officer(town, "reporter2", Role.VILLAGE_REPORTER, "village2")
    other = replace(new_household("冒名者", id_number(61), key="other"), village=named("village2"))
    send(town, other, by="reporter2")
    follow(town)
    here, there = named("village"), named("village2")
    assert [hit.village for hit in town.find(HEAD)] == [here]
    assert [hit.village for hit in town.find("冒名者")] == [there]
    assert town.find("冒名者", [here]) == [] == town.find(HEAD, [there])


def test_an_index_killed_midway_goes_on_where_it_was(place: Place) -> None:
    store = open_store(place)
    person = town_with_a_leaver(store)
    send(store, new_household("司马相如", id_number(7), key="s"), by="reporter")
    store.close()
    env = {**os.environ, "RELIEF_KILL_AT": "in-index"}
    command = [sys.executable, "-m", "tests.eventstore.erasing", str(place), str(person)]
    killed = subprocess.run(command, cwd=ROOT, env=env, timeout=120)
    assert killed.returncode == -signal.SIGKILL
    store = open_store(place)
    assert store.effects.position(effects.SEARCH) == 0
    assert len(people(store, "司马")) == 1 == len(people(store, "ouyang"))
    store.close()


def test_a_search_never_says_nobody_before_the_index_has_heard(
    town: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(effects, "FACTS_A_STEP", 1)
    with pytest.raises(IndexBehind):
        town.effects.until(town.head(), 0.0)
    assert people(town, HEAD)


def test_a_rebuilt_index_is_the_same(town: Store) -> None:
    send(town, new_household("单雄信", id_number(8), key="s"), by="reporter")
    follow(town)
    tables = ("name_terms", "name_entries", "name_homes")
    before = {table: sorted(town.vault.fetch(f"SELECT * FROM {table}")) for table in tables}
    assert all(before.values())
    with town.vault.aside() as db:
        db.execute("DELETE FROM name_terms")
    town.effects.rebuild()
    assert {t: sorted(town.vault.fetch(f"SELECT * FROM {t}")) for t in tables} == before


def test_two_processes_index_in_turn(town: Store, place: Place) -> None:
    other = open_store(place)
    for n, store in enumerate((town, other, town, other)):
        send(store, new_household(f"诸葛{'一二三四'[n]}", id_number(n), key=f"z{n}"), by="reporter")
        follow(store)
    assert len(people(town, "诸葛")) == len(people(other, "zhuge")) == 4
    other.effects.rebuild()
    send(town, new_household("诸葛五", id_number(5), key="z5"), by="reporter")
    assert len(people(town, "诸葛")) == len(people(other, "zg")) == 5
    other.close()
