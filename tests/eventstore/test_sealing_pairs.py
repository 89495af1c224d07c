"""The pair that phones seal with: made with the vault, known by its key id, kept for ever."""

import base64
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ec import ECDH
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from eventstore.backup import backup, restore
from eventstore.sealing_pairs import FIRST_PAIR, sealing_pair, sealing_pairs
from eventstore.sqlite import connect
from tests.eventstore.support import open_store


def agreed(private: ec.EllipticCurvePrivateKey, public: ec.EllipticCurvePublicKey) -> bytes:
    shared = private.exchange(ECDH(), public)
    return HKDF(hashes.SHA256(), 32, salt=None, info=b"test").derive(shared)


def test_what_a_phone_agrees_on_with_the_public_part_the_vault_agrees_on_too(
    tmp_path: Path,
) -> None:
    store = open_store(tmp_path / "store")
    try:
        pair = sealing_pair(store.vault)
    finally:
        store.close()
    told = pair.public
    x, y = (
        int.from_bytes(base64.urlsafe_b64decode(part + "="), "big") for part in (told.x, told.y)
    )
    theirs = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    phone = ec.generate_private_key(ec.SECP256R1())
    assert agreed(phone, theirs) == agreed(pair.private, phone.public_key())
    assert told.kid == pair.id and len(told.kid) == 16


def test_a_vault_of_before_gets_its_pair_and_a_backup_has_it_too(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    open_store(folder).close()
    with connect(folder / "vault.sqlite") as vault:
        vault.execute("DELETE FROM secrets WHERE name = ?", (FIRST_PAIR,))
    store = open_store(folder)
    try:
        (pair,) = sealing_pairs(store.vault)
        assert sealing_pair(store.vault).id == pair.id, "the same one whoever asks"
        backup(folder, tmp_path / "backup")
    finally:
        store.close()
    restore(tmp_path / "backup", tmp_path / "again")
    again = open_store(tmp_path / "again")
    try:
        assert sealing_pair(again.vault).public == pair.public
    finally:
        again.close()
    other = open_store(tmp_path / "other")
    try:
        assert sealing_pair(other.vault).id != pair.id
    finally:
        other.close()
