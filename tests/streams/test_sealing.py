"""What is sealed cannot be changed, and the key is where it must be, and nowhere else."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from domain.catalog import AGGREGATES
from domain.store import Cause
from eventstore.copying import Place, copy
from eventstore.lineage import begin_epoch
from eventstore.store import FRAMES_KEY_MARK, Store
from streams.frames import Frame, encode, headers
from streams.keeping import Keeper
from streams.sealing import Seal, keep_seal, seal_frames, seal_of
from tests.eventstore.support import found_town

SEAL = Seal.made("born/1", b"secret")
FRAME = Frame(3, 5, 7, 9, ((7, bytes(16), 1, "Unit.WentOnDuty", b"{}"),))


def test_a_sealed_frame_is_known_by_its_seal() -> None:
    value = encode(FRAME)
    given = dict(SEAL.on(value, headers(FRAME)))
    assert SEAL.holds(value, given)
    assert given["lineage"] == b"born/1" and given["last"] == b"9"
    assert not Seal.made("born/1", b"another").holds(value, given)
    assert not Seal.made("born/2-ab", b"secret").holds(value, given)


@pytest.mark.parametrize("changed", ["schema", "previous", "first", "last", "lineage", "mac"])
def test_no_header_can_be_changed_or_left_out(changed: str) -> None:
    value = encode(FRAME)
    given = dict(SEAL.on(value, headers(FRAME)))
    assert not SEAL.holds(value, given | {changed: given[changed] + b"1"})
    del given[changed]
    assert not SEAL.holds(value, given)
    assert not SEAL.holds(value, {})


def test_no_byte_of_the_value_can_be_changed() -> None:
    value = encode(FRAME)
    given = dict(SEAL.on(value, headers(FRAME)))
    for n in range(len(value)):
        assert not SEAL.holds(value[:n] + bytes([value[n] ^ 1]) + value[n + 1 :], given)
    assert not SEAL.holds(value + b"0", given)


def test_bytes_cannot_wander_from_one_part_to_another() -> None:
    one = dict(SEAL.on(b"v", [("a", b"bc"), ("d", b"e")]))
    assert not SEAL.holds(b"v", one | {"a": b"b", "d": b"ce"})
    assert not SEAL.holds(b"5:v", one)


def test_who_has_the_vault_keeps_the_key_of_each_epoch_at_hand(tmp_path: Path) -> None:
    with closing(found_town(Store.at(tmp_path, AGGREGATES))) as store:
        Keeper(store).step()
        assert seal_of(store.log) is None, "frames of an embedded store do not travel"
        keeper = Keeper(store, frames=True)
        keeper.step()
        first = seal_of(store.log)
        keeper.step()
        assert first is not None and seal_of(store.log) == first
        begin_epoch(store, Cause.OPERATOR, reason="快照恢复", operator="li")
        assert seal_of(store.log) is None, "the old key is of no use any more"
        keeper.step()
        second = seal_of(store.log)
        assert second is not None and second.lineage == store.log.lineage()
        assert second.key != first.key
        keep_seal(store.log, b"another secret")
        assert seal_of(store.log) == second


def test_a_copy_does_not_take_the_key_along(tmp_path: Path) -> None:
    with closing(found_town(Store.at(tmp_path / "here", AGGREGATES))) as store:
        seal_frames(store)
        assert seal_of(store.log) is not None
    copy(Place.folder(tmp_path / "here"), Place.folder(tmp_path / "there"))
    with closing(sqlite3.connect(tmp_path / "there" / "log.sqlite")) as db:
        marks = dict(db.execute("SELECT key, value FROM marks").fetchall())
    assert "born" in marks and FRAMES_KEY_MARK not in marks
