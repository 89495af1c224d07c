"""The second step of a log-in: a code once, few tries, sealed, and what ends it ends it."""

import sqlite3
from contextlib import closing
from pathlib import Path
from uuid import UUID, uuid4

import pyotp
import pytest

from eventstore.accounts import Accounts
from eventstore.backup import backup, restore
from eventstore.patience import FREE_TRIES, LONGEST_DELAY, LoginLocked
from eventstore.rotating import rotate_folder
from eventstore.second_factor import (
    RECOVERY_CODES,
    NoFactorBegun,
    SecondFactorNeeded,
    SecondFactorRefused,
    SecondFactorThere,
    drop_factor,
)
from eventstore.store import Store
from eventstore.vault import SQLiteVault
from eventstore.vault_tables import carried_at
from tests.eventstore.support import found_town, open_store
from tests.eventstore.test_accounts import FAST, GOOD, Desk

WRONG = "000000"


class WithFactor(Desk):
    """An officer whose log-in asks for codes; ``secret`` is in their app."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.factors = self.accounts.factors
        self.secret = self.factors.begin("county")
        self.factor: UUID = self.factors.prove_new("county", self.code())
        self.recovery = self.factors.confirm("county", self.factor)
        self.now += 30

    def code(self, steps: int = 0) -> str:
        return pyotp.TOTP(self.secret).at(int(self.now) + steps * 30)

    def log_in(self, code: str) -> None:
        self.accounts.log_in("county", GOOD, code=code)

    def refuse(self, code: str) -> None:
        with pytest.raises(SecondFactorRefused):
            self.log_in(code)


@pytest.fixture
def desk(tmp_path: Path) -> WithFactor:
    return WithFactor(tmp_path)


def test_the_password_alone_opens_nothing(desk: WithFactor) -> None:
    with pytest.raises(SecondFactorNeeded):
        desk.log_in("")
    assert not desk.accounts.sessions_of(desk.officer)
    desk.log_in(desk.code())
    assert len(desk.accounts.sessions_of(desk.officer)) == 1


def test_it_is_asked_however_the_name_is_typed(desk: WithFactor) -> None:
    for typed in ("COUNTY", " County ", "ｃｏｕｎｔｙ"):
        with pytest.raises(SecondFactorNeeded):
            desk.accounts.log_in(typed, GOOD)
    assert not desk.accounts.sessions_of(desk.officer)


def test_a_code_works_once_and_half_a_minute_to_either_side(desk: WithFactor) -> None:
    for steps in (-2, 2):
        desk.refuse(desk.code(steps))
    desk.log_in(desk.code(1))
    for steps in (1, 0, -1):  # used, and such as are older than the one that was used
        desk.refuse(desk.code(steps))
    desk.now += 60
    desk.log_in(desk.code(0))
    desk.refuse(desk.code(0))
    desk.now += 30
    full_width = "".join(chr(ord(one) + 0xFEE0) for one in desk.code())
    desk.log_in(f" {full_width[:3]} {full_width[3:]} ")


def test_guessing_codes_waits_as_guessing_passwords_does(desk: WithFactor) -> None:
    for _ in range(FREE_TRIES):
        desk.refuse(WRONG)
    with pytest.raises(LoginLocked) as locked:
        desk.log_in(desk.code())
    assert 0 < locked.value.retry_after <= LONGEST_DELAY + 1
    desk.now += LONGEST_DELAY + 1
    desk.log_in(desk.code())
    desk.now += 30
    for _ in range(FREE_TRIES - 1):
        desk.refuse(WRONG)
    desk.log_in(desk.code())  # the right one has forgiven the others


def test_each_recovery_code_opens_one_log_in(desk: WithFactor) -> None:
    assert len(set(desk.recovery)) == RECOVERY_CODES
    desk.log_in(desk.recovery[0].lower())
    desk.refuse(desk.recovery[0])
    desk.log_in(desk.recovery[1])
    assert desk.factors.recovery_left("county") == RECOVERY_CODES - 2


def test_neither_secret_nor_recovery_code_lies_open_in_the_vault(
    desk: WithFactor, tmp_path: Path
) -> None:
    desk.vault.close()
    held = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    for secret in (desk.secret, *desk.recovery):
        assert secret.encode() not in held and secret.replace("-", "").encode() not in held


def test_it_counts_only_once_a_code_has_confirmed_it(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    factors = desk.accounts.factors
    with pytest.raises(NoFactorBegun):
        factors.prove_new("county", WRONG)
    first = factors.begin("county")
    with pytest.raises(SecondFactorRefused):
        factors.prove_new("county", WRONG)
    desk.accounts.log_in("county", GOOD)
    secret = factors.begin("county")
    assert first != secret == factors.begun("county")
    factor = factors.prove_new("county", pyotp.TOTP(secret).at(int(desk.now)))
    with pytest.raises(NoFactorBegun):
        factors.confirm("county", uuid4())  # begun anew on another device meanwhile
    factors.confirm("county", factor)
    with pytest.raises(SecondFactorThere):
        factors.begin("county")
    with pytest.raises(SecondFactorNeeded):
        desk.accounts.log_in("county", GOOD)


def test_recovery_codes_that_were_shown_are_not_made_anew(desk: WithFactor) -> None:
    """Two devices confirm at the same moment: one of them shows codes, and those count."""
    with pytest.raises(NoFactorBegun):
        desk.factors.confirm("county", desk.factor)
    desk.log_in(desk.recovery[0])


def test_what_ended_one_factor_does_not_end_the_next(desk: WithFactor) -> None:
    """Facts are followed again after a power cut: an old one must not open a log-in of today."""
    with desk.vault.aside() as db:
        drop_factor(db, "county", uuid4())
    assert desk.factors.has("county") and desk.factors.recovery_left("county")
    with desk.vault.aside() as db:
        drop_factor(db, "county", desk.factor)
    assert not desk.factors.has("county") and not desk.factors.recovery_left("county")
    desk.accounts.log_in("county", GOOD)


def with_factor(store: Store, folder: Path) -> str:
    """A store with one log-in that asks for codes; the secret of it."""
    accounts = Accounts(store.vault, FAST)
    accounts.set_password("county", uuid4(), GOOD)
    secret = accounts.factors.begin("county")
    code = pyotp.TOTP(secret).now()
    accounts.factors.confirm("county", accounts.factors.prove_new("county", code))
    return secret


def asks_for(folder: Path, secret: str) -> bool:
    """Whether the log-in of this store takes the codes of that secret, and none besides."""
    with closing(open_store(folder)) as store:
        accounts = Accounts(store.vault, FAST, lambda: 2_000_000_000.0)
        with pytest.raises(SecondFactorNeeded):
            accounts.log_in("county", GOOD)
        accounts.log_in("county", GOOD, code=pyotp.TOTP(secret).at(2_000_000_000))
        return accounts.factors.recovery_left("county") == RECOVERY_CODES


def test_backup_and_new_master_key_take_it_along(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    with closing(open_store(folder)) as store:
        found_town(store)
        secret = with_factor(store, folder)
    backup(folder, tmp_path / "backup")
    rotate_folder(folder)
    assert asks_for(folder, secret)
    restore(tmp_path / "backup", tmp_path / "restored")
    assert asks_for(tmp_path / "restored", secret)


def test_a_vault_of_before_gets_the_tables_and_its_backups_are_still_proven(
    tmp_path: Path,
) -> None:
    path = tmp_path / "vault.sqlite"
    SQLiteVault(path).close()
    with closing(sqlite3.connect(path)) as old:
        old.executescript(
            "DROP TABLE second_factors; DROP TABLE recovery_codes; PRAGMA user_version=3"
        )
    vault = SQLiteVault(path)
    assert not Accounts(vault, FAST).factors.has("county")
    vault.close()
    assert "second_factors" in carried_at(4) and "second_factors" not in carried_at(3)
