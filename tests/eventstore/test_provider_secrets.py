"""What a browser carries to an identity provider and back, and how an account there is named."""

import string
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from eventstore.accounts import Accounts
from eventstore.provider_secrets import ProviderSecrets
from eventstore.vault import SQLiteVault
from tests.api.edge import CHEAP

LETTERS = string.ascii_letters + string.digits + "-_"


class Question(msgspec.Struct, frozen=True):
    state: str


class Answer(msgspec.Struct, frozen=True):
    state: str


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[SQLiteVault]:
    made = SQLiteVault(tmp_path / "vault.sqlite")
    made.seconds = lambda: 1_000.0
    yield made
    made.close()


def test_a_note_is_opened_as_what_it_was_sealed_as_and_in_its_time(vault: SQLiteVault) -> None:
    secrets = ProviderSecrets(vault)
    note = secrets.seal(Question("a"), 60)
    assert ProviderSecrets(vault).opened(Question, note) == Question("a")
    assert secrets.opened(Answer, note) is None, "of another purpose"
    for wrong in ("", "x", "é", note[:-2], note + "=", note + " ", note * 99):
        assert secrets.opened(Question, wrong) is None
    for last in LETTERS.replace(note[-1], ""):
        assert secrets.opened(Question, note[:-1] + last) is None, "changed in its last letter"
    vault.seconds = lambda: 1_061.0
    assert secrets.opened(Question, note) is None


def test_an_account_is_named_by_its_provider_and_the_vault(
    vault: SQLiteVault, tmp_path: Path
) -> None:
    named = ProviderSecrets(vault).subject
    assert named("https://a", "1") == ProviderSecrets(vault).subject("https://a", "1")
    other = SQLiteVault(tmp_path / "other" / "vault.sqlite")
    try:
        elsewhere = ProviderSecrets(other).subject("https://a", "1")
    finally:
        other.close()
    subjects = {
        named("https://a", "1"),
        named("https://b", "1"),
        named("https://a1", ""),
        elsewhere,
    }
    assert len(subjects) == 4


def test_what_is_good_once_is_used_up_in_every_process(vault: SQLiteVault) -> None:
    now = 1_000.0
    first, second = (Accounts(vault, CHEAP, lambda: now) for _ in range(2))
    assert first.use_once("state", 60)
    assert not second.use_once("state", 60) and not first.use_once("state", 60)
    assert second.use_once("another", 60)
    assert first.session("state", "session") is None, "it is no session of anybody"
    now = 1_100.0
    assert first.use_once("yet another", 60)
    rows = vault.fetch("SELECT count(*) FROM sessions")
    assert rows == [(1,)], "what is over is forgotten"
