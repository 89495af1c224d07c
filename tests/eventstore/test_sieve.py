"""A process without a vault lets nothing through that the program has not written."""

import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from eventstore.errors import StoreForbidden
from eventstore.sieve import FILE, Sieve, keep_key, key_in
from eventstore.store import Store
from tests.eventstore.conftest import place
from tests.eventstore.support import Place, found_town, new_unit, open_store, send
from tests.eventstore.test_disowning import disown
from tests.eventstore.test_seals import Do, owner
from tests.eventstore.test_trust import forge

__all__ = ["owner", "place"]


@pytest.fixture
def town(place: Place) -> Iterator[Store]:
    with closing(found_town(open_store(place))) as store:
        for n in range(3):
            send(store, new_unit(f"{n}队"), "dispatcher")
        yield store


def test_what_has_no_seal_is_held_back_as_soon_as_the_secret_is_there(
    town: Store, owner: Do, tmp_path: Path
) -> None:
    folder = tmp_path / "worker"
    at = forge(town, owner)
    later = send(town, new_unit("later"), "dispatcher").position
    rows = town.log.rows(0, 10_000)
    sieve = Sieve(town.log, folder)
    assert sieve.sealed(rows) == rows and sieve.told() == {"seals": False, "unsealed": []}

    keep_key(folder, town.seals.key)
    assert [row[0] for row in sieve.sealed(rows)] == [n for n in range(1, later + 1) if n != at]
    assert sieve.told() == {"seals": True, "unsealed": [at]}
    disown(town, at)
    assert at not in [row[0] for row in sieve.sealed(town.log.rows(at - 2, 10))]
    assert sieve.sealed([]) == []


def test_the_file_is_its_owners_alone_and_is_written_again_for_another_secret(
    town: Store, tmp_path: Path
) -> None:
    folder = tmp_path / "worker"
    keep_key(folder, town.seals.key)
    file = folder / FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600 and key_in(file) == town.seals.key
    before = file.stat().st_ino
    keep_key(folder, town.seals.key)
    assert file.stat().st_ino == before, "it lay there"
    sieve, rows = Sieve(town.log, folder), town.log.rows(0, 10_000)
    assert sieve.sealed(rows) == rows
    keep_key(folder, bytes(32))
    assert sieve.sealed(rows) == [] and len(sieve.told()["unsealed"]) == min(len(rows), 100)  # type: ignore[arg-type]
    keep_key(folder, town.seals.key)
    assert sieve.sealed(rows) == rows and sieve.held_back == set()


@pytest.mark.parametrize("text", ["", "no secret", "00" * 31, "00" * 33, "\xff"])
def test_what_is_no_secret_is_none_and_what_was_known_stays(
    town: Store, owner: Do, tmp_path: Path, text: str
) -> None:
    folder = tmp_path / "worker"
    keep_key(folder, town.seals.key)
    sieve = Sieve(town.log, folder)
    assert sieve.key == town.seals.key
    (folder / FILE).write_text(text, encoding="utf-8")
    assert key_in(folder / FILE) is None
    at = forge(town, owner)
    assert at not in [row[0] for row in sieve.sealed(town.log.rows(0, 10_000))]
    (folder / FILE).unlink()
    assert sieve.key == town.seals.key, "a file that was taken away opens nothing"


def test_seals_that_may_not_be_read_stop_no_board(
    town: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database of before whose reading role was given no right to them yet."""
    keep_key(tmp_path / "worker", town.seals.key)
    sieve, rows = Sieve(town.log, tmp_path / "worker"), town.log.rows(0, 10_000)

    def forbidden(*_: object) -> list[object]:
        raise StoreForbidden("permission denied for table seals")

    with monkeypatch.context() as patched:
        patched.setattr(town.log, "seals_over", forbidden)
        assert sieve.sealed(rows) == rows and sieve.told()["seals"] is False
    monkeypatch.setattr("eventstore.sieve.time.monotonic", lambda: 1e12)
    assert sieve.sealed(rows) == rows and sieve.told()["seals"] is True
