"""A new master key for the vault, on SQLite and PostgreSQL, broken off at every point."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

import psycopg
import pytest

from eventstore import rotating
from eventstore.accounts import Accounts
from eventstore.errors import KeyForeign, KeyMissing, RotationBrokenOff, StoreDamaged, VaultInUse
from eventstore.keyfile import read_key
from eventstore.rotating import Rotated, rotate_database, rotate_folder
from eventstore.sealing_pairs import PublicKey, sealing_pairs
from eventstore.store import Store
from tests.clusters import Founded
from tests.eventstore.support import (
    Cluster,
    Place,
    found_town,
    loaded,
    named,
    new_household,
    officer,
    open_store,
    send,
)
from tests.id_numbers import id_number

ROOT = Path(__file__).resolve().parents[2]
HOUSEHOLDS = 5
ONE_PAGE = 2
Spoil = Callable[[Path, Place], None]
serial = count(100)
CODE = f"""
import sys
from pathlib import Path
from eventstore import rotating
rotating.AT_ONCE = {ONE_PAGE}
vault, folder = sys.argv[1:]
if vault:
    rotating.rotate_database(vault, Path(folder) / "vault.key")
else:
    rotating.rotate_folder(Path(folder))
"""


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """A filled store that nobody has open."""
    if request.param == "SQLite":
        where: Place = tmp_path / "store"
    else:
        founded: Founded = request.getfixturevalue("cluster")
        where = Cluster(founded.urls.database, founded.urls.vault, tmp_path / "store")
    store = found_town(open_store(where))
    for n in range(HOUSEHOLDS):
        household = new_household(f"孙{n}", id_number(n), key=str(n))
        send(store, household, by="reporter")
    Accounts(store.vault).set_password("dispatcher", officer("dispatcher"), "correct horse")
    store.close()
    yield where


def folder_of(place: Place) -> Path:
    return place.folder if isinstance(place, Cluster) else place


def rotate(place: Place) -> Rotated:
    if isinstance(place, Cluster):
        return rotate_database(place.vault, place.folder / "vault.key")
    return rotate_folder(place)


def rotated_until(place: Place, point: int) -> int:
    vault = place.vault if isinstance(place, Cluster) else ""
    done = subprocess.run(
        [sys.executable, "-c", CODE, vault, str(folder_of(place))],
        cwd=ROOT,
        env={**os.environ, "RELIEF_KILL_AT": f"rotating:{point}"},
        timeout=120,
    )
    return done.returncode


def names(store: Store) -> list[str | None]:
    found = []
    for n in range(HOUSEHOLDS):
        household = loaded(store, named(f"household/{n}"))
        (member,) = household.members.values()
        found.append(store.vault.unseal(member.name, household.id, "name"))
    return found


def pairs(place: Place) -> list[PublicKey]:
    store = open_store(place)
    try:
        return [one.public for one in sealing_pairs(store.vault)]
    finally:
        store.close()


def check(place: Place) -> None:
    """Everything opens by the key that is there now, and new persons are kept under it."""
    store = open_store(place)
    try:
        assert names(store) == [f"孙{n}" for n in range(HOUSEHOLDS)]
        assert store.vault.find_person(id_number(1)) is not None, "the secret of ID numbers stays"
        assert Accounts(store.vault).log_in("dispatcher", "correct horse")
        n = next(serial)
        send(store, new_household("新人", id_number(n), key=f"new/{n}"), by="reporter")
    finally:
        store.close()


def test_everything_opens_by_the_new_key_and_nothing_by_the_old_one(place: Place) -> None:
    key = folder_of(place) / "vault.key"
    before = read_key(key)
    (pair,) = pairs(place)
    done = rotate(place)
    kept, following = pairs(place)
    assert kept == pair, "what phones sealed before is still opened"
    assert following.kid != pair.kid and following.fingerprint.replace(" ", "") == following.kid
    assert done.keys >= HOUSEHOLDS and read_key(key) != before
    assert read_key(done.old) == before and done.old.stat().st_mode & 0o777 == 0o600
    assert not key.with_name("vault.key.new").exists()
    check(place)
    key.write_bytes(before)
    with pytest.raises(StoreDamaged):
        open_store(place)


def test_it_goes_on_wherever_it_was_killed(place: Place) -> None:
    """Until it is done one of the two key files opens everything; then the right one is there."""
    points = 0
    while (code := rotated_until(place, points + 1)) == -signal.SIGKILL:
        points += 1
        new = folder_of(place) / "vault.key.new"
        assert new.exists(), "it was killed before the files changed places"
        following = read_key(new)
        rotate(place)
        assert read_key(folder_of(place) / "vault.key") == following, "it was begun anew"
        check(place)
    assert code == 0 and points >= 5 + HOUSEHOLDS // ONE_PAGE
    check(place)


def test_half_an_exchange_is_told_as_one(place: Place) -> None:
    """The rows are under the new key, the files have not changed places: nothing is damaged."""
    key = folder_of(place) / "vault.key"
    old = rotate(place).old
    key.rename(key.with_name("vault.key.new"))
    old.rename(key)
    with pytest.raises(RotationBrokenOff, match="does not belong"):
        open_store(place)


def test_while_somebody_has_the_vault_open_nothing_is_changed(place: Place) -> None:
    key = folder_of(place) / "vault.key"
    before = read_key(key)
    store = open_store(place)
    try:
        with pytest.raises(VaultInUse):
            rotate(place)
        assert read_key(key) == before and names(store)[0] == "孙0"
        assert not list(key.parent.glob("vault.key.*")), "nor is a key left lying about"
        send(store, new_household("其间", id_number(88), key="meanwhile"), by="reporter")
    finally:
        store.close()
    check(place)
    assert rotate(place).keys > HOUSEHOLDS
    check(place)


def lost(key: Path, _: Place) -> None:
    key.unlink()


def foreign(key: Path, _: Place) -> None:
    key.write_bytes(bytes(32))


def cut_short(key: Path, _: Place) -> None:
    key.write_bytes(key.read_bytes()[:31])


def one_row_damaged(_: Path, place: Place) -> None:
    """The last key in order, so that others have been wrapped anew by then."""
    if isinstance(place, Cluster):
        with psycopg.connect(place.vault, options="-c search_path=vault") as there:
            (last,) = there.execute("SELECT person FROM keys ORDER BY person DESC").fetchone() or ()
            there.execute("UPDATE keys SET wrapped = %s WHERE person = %s", (bytes(60), last))
        return
    with closing(sqlite3.connect(place / "vault.sqlite")) as db, db:
        db.execute(
            "UPDATE keys SET wrapped = ? WHERE person = (SELECT max(person) FROM keys)",
            (bytes(60),),
        )


SPOILT: dict[Spoil, type[StoreDamaged]] = {
    lost: KeyMissing,
    foreign: KeyForeign,
    cut_short: StoreDamaged,
    one_row_damaged: StoreDamaged,
}


@pytest.mark.parametrize("spoil", SPOILT, ids=lambda spoil: spoil.__name__)
def test_h11_a_refused_exchange_says_why_and_leaves_nothing_behind(
    place: Place, spoil: Spoil
) -> None:
    """Without a key file it ended in a traceback; with a wrong one `vault.key.new` stayed, and
    the next start told of an exchange that was broken off."""
    key = folder_of(place) / "vault.key"
    right = read_key(key)
    spoil(key, place)
    there = key.read_bytes() if key.exists() else None
    with pytest.raises(StoreDamaged) as refused:
        rotate(place)
    assert type(refused.value) is SPOILT[spoil]
    assert (key.read_bytes() if key.exists() else None) == there
    assert not list(key.parent.glob("vault.key.*")), "a key was left lying about"
    if spoil is not one_row_damaged:
        key.write_bytes(right)
        check(place)


def test_a_store_says_that_its_key_is_lost_or_foreign(place: Place) -> None:
    key = folder_of(place) / "vault.key"
    right = read_key(key)
    for spoil in (lost, foreign):
        spoil(key, place)
        with pytest.raises(SPOILT[spoil]):
            open_store(place)
        key.write_bytes(right)
    check(place)


def test_h11_the_command_tells_a_lost_key_in_words(tmp_path: Path) -> None:
    found_town(open_store(tmp_path / "store")).close()
    (tmp_path / "store" / "vault.key").unlink()
    done = vault_rotate(tmp_path / "store")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert KeyMissing.zh in done.stderr and KeyMissing.en in done.stderr


def vault_rotate(data: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cli.main", "vault", "rotate", "--json"],
        cwd=ROOT,
        env={**os.environ, "RELIEF_DATA": str(data), "COLUMNS": "400"},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_the_command_says_where_the_old_key_is(tmp_path: Path) -> None:
    store = found_town(open_store(tmp_path / "store"))
    send(store, new_household("孙一", id_number(1)), by="reporter")
    store.close()
    done = vault_rotate(tmp_path / "store")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["keys"] >= 1 and Path(said["old"]).stat().st_size == 32
    assert rotating.AT_ONCE > ONE_PAGE
