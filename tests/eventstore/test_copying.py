"""`relief log copy`: both ways, broken off anywhere, and never onto something else."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from eventstore.accounts import Accounts
from eventstore.backup import describe
from eventstore.copying import Copied, Place, copy
from eventstore.errors import CopyDiffers, CopyRefused, StoreNotMade, StoreUnfinished
from eventstore.outcomes import Receipt
from tests.clusters import Founded
from tests.eventstore import support
from tests.eventstore.support import (
    ROOT,
    Cluster,
    destroy_person,
    envelope,
    found_town,
    loaded,
    named,
    new_household,
    new_unit,
    officer,
    open_store,
    send,
)
from tests.id_numbers import id_number

WISHES = 700
CHUNK = 300
CODE = f"""
import sys
from eventstore import copying
from tests.eventstore.test_copying import place
copying.CHUNK = {CHUNK}
copying.copy(place(sys.argv[1]), place(sys.argv[2]))
"""


def place(text: str) -> Place:
    where = support.place_of(text)
    if isinstance(where, Cluster):
        return Place(where.log, where.vault, where.folder / "vault.key")
    return Place.folder(where)


@dataclass
class Ends:
    """Where a filled store is and where it goes, and one of its commands with its answer."""

    source: support.Place
    target: support.Place
    first: UUID

    def copy(self) -> Copied:
        return copy(place(str(self.source)), place(str(self.target)))

    def copy_killed_at(self, point: int) -> int:
        env = {**os.environ, "RELIEF_KILL_AT": f"copying:{point}"}
        command = [sys.executable, "-c", CODE, str(self.source), str(self.target)]
        return subprocess.run(command, cwd=ROOT, env=env, timeout=60).returncode

    def check(self) -> None:
        """The copy is a working store: same facts, answers, names and log-ins."""
        with_all, copied = open_store(self.source), open_store(self.target)
        assert copied.log.rows(0, 10_000) == with_all.log.rows(0, 10_000)
        head = with_all.head()
        with_all.close()
        again = copied.run(envelope(new_unit("first"), by="dispatcher", id=self.first))
        assert again.repeated and copied.head() == head
        household = loaded(copied, named("household/孙一"))
        (member,) = household.members.values()
        assert copied.vault.unseal(member.name, household.id, "name") == "孙一"
        assert copied.vault.find_person(id_number(1)) == member.name.person
        assert Accounts(copied.vault).log_in("dispatcher", "correct horse")
        assert send(copied, new_unit("new"), by="dispatcher").position == head + 1
        copied.close()


@pytest.fixture(params=["to PostgreSQL", "from PostgreSQL"])
def ends(request: pytest.FixtureRequest, cluster: Founded, tmp_path: Path) -> Iterator[Ends]:
    there = Cluster(cluster.urls.database, cluster.urls.vault, tmp_path / "cluster")
    both: list[support.Place] = [tmp_path / "folder", there]
    if request.param == "from PostgreSQL":
        both.reverse()
    store = found_town(open_store(both[0]))
    first = send(store, new_unit("first"), by="dispatcher").command
    wishes = [envelope(new_unit(f"u{n}"), by="dispatcher") for n in range(WISHES)]
    assert all(isinstance(answer, Receipt) for answer in store.run_many(wishes))
    send(store, new_household("孙一", id_number(1)), by="reporter")
    Accounts(store.vault).set_password("dispatcher", officer("dispatcher"), "correct horse")
    store.close()
    yield Ends(both[0], both[1], first)


def test_a_copy_is_equal_and_works(ends: Ends) -> None:
    told = ends.copy()
    assert told.events > WISHES and told.outcomes > WISHES and told.keys > 1
    assert ends.copy() == told, "again changes nothing"
    if isinstance(ends.source, Path):
        assert (said := describe(ends.source)).vault_sha256 == told.vault_sha256
        assert (said.log_sha256, said.events) == (told.log_sha256, told.events)
    ends.check()


@pytest.mark.parametrize("points", [(1, 2), (3,), (4, 1, 2), (6, 3, 2)])
def test_a_copy_killed_anywhere_goes_on_and_is_no_store_meanwhile(
    ends: Ends, points: tuple[int, ...]
) -> None:
    for point in points:
        assert ends.copy_killed_at(point) == -signal.SIGKILL
        with pytest.raises(StoreUnfinished, match="relief log copy"):
            open_store(ends.target).close()
    ends.copy()
    ends.check()


def test_a_copy_that_is_behind_catches_up(ends: Ends) -> None:
    first = ends.copy()
    store = open_store(ends.source)
    send(store, new_unit("later"), by="dispatcher")
    send(store, new_household("孙二", id_number(2)), by="reporter")
    destroy_person(store, loaded(store, named("household/孙一")).members.popitem()[1].name.person)
    store.close()
    second = ends.copy()
    assert (second.events - first.events, second.keys) == (3, first.keys)
    copied = open_store(ends.target)
    assert copied.vault.find_person(id_number(1)) is None
    assert copied.vault.find_person(id_number(2)) is not None
    copied.close()


def test_another_store_is_never_copied_onto(ends: Ends, tmp_path: Path) -> None:
    other = found_town(open_store(ends.target))
    send(other, new_unit("of another store"), by="dispatcher")
    rows = other.log.rows(0, 10_000)
    with pytest.raises(CopyRefused):
        ends.copy()
    assert other.log.rows(0, 10_000) == rows
    assert send(other, new_unit("still works"), by="dispatcher").facts == 1
    other.close()


def test_a_copy_that_lives_its_own_life_is_never_copied_onto(ends: Ends) -> None:
    ends.copy()
    copied = open_store(ends.target)
    send(copied, new_unit("here"), by="dispatcher")
    copied.close()
    with pytest.raises(CopyRefused, match="facts"):
        ends.copy()
    store = open_store(ends.source)
    send(store, new_unit("there"), by="dispatcher")
    store.close()
    with pytest.raises(CopyRefused, match="position"):
        ends.copy()


def test_what_a_disk_changed_is_found_by_the_proof(cluster: Founded, tmp_path: Path) -> None:
    there = Cluster(cluster.urls.database, cluster.urls.vault, tmp_path / "cluster")
    store = found_town(open_store(tmp_path / "folder"))
    store.close()
    ends = Ends(tmp_path / "folder", there, UUID(int=0))
    ends.copy()
    with psycopg.connect(cluster.admin) as admin:
        admin.execute("UPDATE log.events SET state = state || ' '::bytea WHERE position = 3")
    with pytest.raises(CopyDiffers):
        ends.copy()
    with pytest.raises(StoreUnfinished):
        open_store(there)


def test_a_missing_source_or_database_is_said_to_be_missing(
    cluster: Founded, tmp_path: Path
) -> None:
    there = Place(cluster.urls.database, cluster.urls.vault, tmp_path / "vault.key")
    with pytest.raises(StoreNotMade, match=r"log\.sqlite"):
        copy(Place.folder(tmp_path / "nothing"), there)
    assert not (tmp_path / "nothing").exists()
