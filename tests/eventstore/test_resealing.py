"""A log whose seals cannot be checked with the vault there is, is sealed anew by an operator."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from audit.relief_verify import checkpoint_of
from cli.audit_examining import examine
from cli.main import program
from domain.store import Store as Ledger
from eventstore.clock import machine_now
from eventstore.copying import Place as End
from eventstore.copying import copy
from eventstore.errors import SealsHold, VaultOlder
from eventstore.lineage import record_resealing
from eventstore.proofs import facts_of, proof_of, signed
from eventstore.proving import tree_of
from eventstore.seals import SEALED, SECRET, Seals, sealed_at_once
from eventstore.sqlite import connect
from eventstore.store import Store
from tests.eventstore.conftest import place
from tests.eventstore.support import (
    Place,
    found_town,
    named,
    new_unit,
    off_duty,
    open_store,
    send,
)
from tests.eventstore.test_disowning import disown
from tests.eventstore.test_seals import Do, older, owner, what
from tests.eventstore.test_trust import forge

__all__ = ["owner", "place"]
REASON = "密库损坏，用的是升级以前的备份"


def lose_secret(store: Store) -> None:
    """The vault is one of before the log was sealed."""
    with store.vault.aside() as db:
        db.execute("DELETE FROM secrets WHERE name IN (?,?)", (SECRET, SEALED))


def anew(store: Store) -> Seals:
    return Seals(store.log, store.vault, anew=True)


def test_what_was_sealed_anew_counts_and_what_was_signed_before_holds(
    town: Store, owner: Do, place: Place
) -> None:
    at = forge(town, owner)
    disown(town, at)
    size = town.head()
    before = checkpoint_of(signed(town, tree_of(town.log, size).root(), size))
    old = town.log.newest_seal()
    lose_secret(town)
    with pytest.raises(VaultOlder) as told:
        open_store(place)
    assert "reseal" in told.value.zh
    anew(town).reseal(machine_now())
    with closing(open_store(place)) as again:
        record_resealing(again, REASON, "keeper")
        send(again, off_duty("2队"), "dispatcher")
        read = examine(again, again.head(), [before])
        assert read.examined.bad is None and read.seals.unsealed_batches == 0
        assert (read.seals.disowned, set(again.trust.disowned)) == (1, {at})
        ((outcomes,),) = again.log.fetch("SELECT count(*) FROM outcomes")
        assert read.seals.outcomes == outcomes
        since = sealed_at_once(again.log)
        assert since is not None and (since.n, since.head) == (old, size)
        ledger = again.load(Ledger.id_of(again.log.mark("born") or ""))
        assert isinstance(ledger, Ledger) and ledger.resealed == old
        fact = [one.event for one in again.history(ledger.id)][-1]
        assert isinstance(fact, Ledger.Resealed) and fact.root == before.root.hex()
        with pytest.raises(SealsHold):
            anew(again).reseal(machine_now())


def test_a_proof_says_of_what_was_sealed_anew_when(town: Store) -> None:
    assert "加封" not in proof_of(town, facts_of(town, "1", 1), 1)["says"]["zh"]
    lose_secret(town)
    anew(town).reseal(machine_now())
    size = town.head()
    says = proof_of(town, facts_of(town, str(size), size), size)["says"]
    assert f"第 {size} 条及以前的记录是" in says["zh"] and "sealed on" in says["en"]


TAMPERED: dict[str, tuple[str, str]] = {
    "the mark says more": (
        "UPDATE marks SET value = '9' || value WHERE key = 'resealed'",
        "unsealed",
    ),
    "the mark is gone": ("DELETE FROM marks WHERE key = 'resealed'", "seal"),
    "a fact was changed": ("UPDATE events SET topic = 'Unit.x' WHERE position = 3", "seal"),
    "an outcome was taken away": (
        "DELETE FROM outcomes WHERE command = (SELECT min(command) FROM outcomes)",
        "outcome",
    ),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_what_is_changed_after_it_is_found(town: Store, owner: Do, place: Place, name: str) -> None:
    lose_secret(town)
    anew(town).reseal(machine_now())
    statement, found = TAMPERED[name]
    with closing(open_store(place)) as again:
        assert what(again) is None
        owner(statement)
        assert what(again) == found


# -- as an operator types it -------------------------------------------------------------------


@pytest.fixture
def relief(tmp_path: Path) -> Callable[..., Result]:
    with closing(found_town(open_store(tmp_path / "var"))) as store:
        send(store, new_unit("0队"), "dispatcher")

    def typed(*words: str, answer: str | None = None) -> Result:
        env = {"RELIEF_DATA": str(tmp_path / "var")}
        return CliRunner().invoke(program(), words, env=env, input=answer)

    return typed


def forget(folder: Path) -> None:
    with closing(connect(folder / "vault.sqlite")) as db:
        db.execute("DELETE FROM secrets WHERE name IN (?,?)", (SECRET, SEALED))


def test_it_shows_asks_and_seals_once(relief: Callable[..., Result], tmp_path: Path) -> None:
    held = relief("audit", "reseal", "--reason", REASON, "--yes")
    assert isinstance(held.exception, SealsHold)
    forget(tmp_path / "var")
    asked = relief("audit", "reseal", "--reason", REASON, answer="n\n")
    assert asked.exit_code == 1 and "检查点" in asked.stderr
    assert isinstance(relief("audit", "verify").exception, VaultOlder)
    done = relief("audit", "reseal", "--reason", REASON, answer="y\n")
    assert done.exit_code == 0, done.output
    assert relief("audit", "verify").exit_code == 0
    assert isinstance(relief("audit", "reseal", "--reason", REASON).exception, SealsHold)


def test_what_was_broken_off_is_gone_on_with(
    relief: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sealed, and killed before the log said so."""
    forget(tmp_path / "var")

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("cli.audit_reseal.record_resealing", killed)
        assert relief("audit", "reseal", "--reason", REASON, "--yes").exit_code != 0
    done = relief("audit", "reseal", "--reason", REASON, "--yes")
    assert done.exit_code == 0, done.output
    with closing(open_store(tmp_path / "var")) as store:
        (*_, last) = store.history(Ledger.id_of(store.log.mark("born") or ""))
        assert isinstance(last.event, Ledger.Resealed)


def test_a_log_with_a_gap_is_not_sealed_anew(relief: Callable[..., Result], tmp_path: Path) -> None:
    forget(tmp_path / "var")
    with closing(connect(tmp_path / "var" / "log.sqlite")) as db:
        db.execute("DELETE FROM events WHERE position = 2")
    refused = relief("audit", "reseal", "--reason", REASON, "--yes")
    assert refused.exit_code == 1 and "第 2 条" in refused.stderr


def test_a_log_that_was_sealed_at_an_upgrade_says_when_in_its_proofs(tmp_path: Path) -> None:
    with closing(found_town(open_store(tmp_path / "old"))) as store:
        send(store, new_unit("0队"), "dispatcher")
    older(tmp_path / "old")
    with closing(open_store(tmp_path / "old")) as store:
        size = store.head()
        unit = str(named("unit/0队"))
        send(store, off_duty("0队"), "dispatcher")
        both = proof_of(store, facts_of(store, unit, size + 1), size + 1)["says"]
        newer = proof_of(store, facts_of(store, str(size + 1), size + 1), size + 1)["says"]
        assert f"第 {size} 条及以前" in both["zh"] and "加封" not in newer["zh"]
        assert what(store) is None
    copy(End.folder(tmp_path / "old"), End.folder(tmp_path / "part"), until=size)
    with closing(open_store(tmp_path / "part")) as store:
        assert what(store) is None
