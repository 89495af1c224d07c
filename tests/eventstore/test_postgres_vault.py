"""The vault on PostgreSQL: sealed, findable, erasable, and apart from the log. Log-ins likewise.

What `test_vault` and `test_accounts` say of the files, where it holds for a database. One thing
does not: what was deleted lies in dead rows until a vacuum, wrapped under the key file.
"""

from collections.abc import Iterator
from uuid import UUID

import psycopg
import pytest
from argon2 import PasswordHasher
from eventsourcing.persistence import IntegrityError

from domain.household import Household
from domain.world import Sealed
from eventstore.accounts import Accounts
from eventstore.errors import StoreDamaged
from eventstore.outcomes import Refused
from eventstore.patience import FREE_TRIES, LONGEST_DELAY, LoginLocked, LoginRefused
from eventstore.store import Store
from tests.clusters import Founded
from tests.eventstore.support import (
    elsewhere,
    found_town,
    loaded,
    named,
    new_household,
    officer,
    open_store,
    people,
    send,
)
from tests.eventstore.test_vault import NAME, NUMBER, PHONE, boxes, derivatives, register
from tests.id_numbers import id_number

FAST = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
GOOD, BAD = "correct horse", "wrong horse"


@pytest.fixture
def town(cluster: Founded) -> Iterator[Store]:
    store = found_town(open_store(cluster.place))
    yield store
    store.close()


def content(admin: str, schema: str) -> bytes:
    """Every value of every table of a schema, as the database would give it away."""
    with psycopg.connect(admin) as there:
        sql = "SELECT tablename FROM pg_tables WHERE schemaname = %s"
        found = b""
        for (table,) in there.execute(sql, (schema,)).fetchall():
            cursor = there.cursor(binary=True)
            for row in cursor.execute(f"SELECT * FROM {schema}.{table}".encode()):
                found += b"\0".join(
                    value if isinstance(value, bytes) else str(value).encode() for value in row
                )
        return found


def test_no_derivative_of_personal_data_is_in_the_log(town: Store, cluster: Founded) -> None:
    register(town)
    with pytest.raises(Refused):
        send(town, new_household(NAME, NUMBER[:-1] + "0", key="x", phone=PHONE), by="reporter")
    log = content(cluster.admin, "log")
    assert b"Household.Registered" in log, "the search itself can find"
    for secret in (NAME, NUMBER, PHONE, "6217001820012345678", "ouyangcuihua", NUMBER[6:14]):
        for guise, needle in derivatives(secret).items():
            assert needle not in log, f"{secret} as {guise}"
    assert people(town, NAME)
    vault = content(cluster.admin, "vault")
    assert NAME.encode() in vault and NUMBER.encode() not in vault
    key = (cluster.place.folder / "vault.key").read_bytes()
    assert key not in vault and town.vault.secret("token-hmac") not in vault


@pytest.mark.parametrize("text", [NAME, "翠花", "ouyang", "OuYangCui", "oych"])
def test_a_name_is_found_by_characters_pinyin_and_initials(town: Store, text: str) -> None:
    person = register(town)
    register(town, "别人", id_number(5), "o")
    assert people(town, text) == [person]


@pytest.mark.parametrize("text", ["", "%", "_", "王", "cuihua", "'; --", "\\"])
def test_what_is_nobodys_name_finds_nobody(town: Store, text: str) -> None:
    register(town)
    assert people(town, text) == []


def test_a_sealed_text_moved_to_another_stream_is_detected(town: Store) -> None:
    register(town)
    register(town, "别人", id_number(5), "o")
    mine, other = boxes(town)["name"], boxes(town, "o")["name"]
    for sealed, stream in (
        (mine, named("household/o")),
        (Sealed(mine.person, other.box), named("household/h")),
    ):
        with pytest.raises(StoreDamaged):
            town.vault.unseal(sealed, stream, "name")


def test_an_erased_person_is_erased_in_every_process(town: Store, cluster: Founded) -> None:
    person = register(town)
    household, sealed = named("household/h"), boxes(town)
    before = town.log.rows(0, 100_000)
    assert town.vault.unseal(sealed["name"], household, "name") == NAME
    with elsewhere("erase", cluster.place) as other:
        other.stdin.write(f"{person}\n")
        other.stdin.flush()
        assert other.stdout.readline().strip() == "erased"
        assert town.vault.unseal(sealed["name"], household, "name") is None
        assert town.vault.reveal(sealed["name"], household, "name") is None
    assert people(town, NAME) == [] and town.vault.find_person(NUMBER) is None
    assert town.log.rows(0, 100_000) == before
    vault = content(cluster.admin, "vault")
    assert NAME.encode() not in vault and person.bytes not in vault
    assert register(town, key="again") != person


def test_a_refused_command_indexes_nobody(town: Store) -> None:
    register(town)
    before = town.vault.counts()
    with pytest.raises(Refused):
        send(town, new_household("错打字", id_number(9), key="h"), by="reporter")
    assert people(town, "错打") == [] and town.vault.counts() == before


def test_many_ids_are_reserved_at_once_and_for_all_processes(town: Store, cluster: Founded) -> None:
    numbers = [id_number(n) for n in range(300)]
    made = town.vault.reserve_persons(numbers)
    assert len(set(made.values())) == len(made) == len(set(numbers))
    other = open_store(cluster.place)
    assert other.vault.reserve_persons(numbers[:50]) == {n: made[n] for n in numbers[:50]}
    other.close()


def test_who_is_reserved_while_another_process_decides_is_one_person(
    town: Store, cluster: Founded, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list's import reserves outside the order lock: here between a decision and its commit."""
    other, reserved = open_store(cluster.place), []
    commit = town.vault.commit

    def reserved_first() -> None:
        if not reserved:
            reserved.append(other.vault.reserve_persons([NUMBER])[NUMBER])
            with pytest.raises(IntegrityError):
                commit()
            assert not town.vault.db.in_transaction  # log-ins share the connection
            raise IntegrityError("an ID number was given a person meanwhile")
        commit()

    monkeypatch.setattr(town.vault, "commit", reserved_first)
    person = register(town)
    monkeypatch.undo()
    assert [person] == reserved and person == other.vault.find_person(NUMBER)
    other.close()


def test_a_key_file_of_another_store_or_a_lost_one_is_noticed(
    town: Store, cluster: Founded
) -> None:
    town.close()
    key = cluster.place.folder / "vault.key"
    right = key.read_bytes()
    for wrong in (b"x" * 32, b"short", None):
        if wrong is None:
            key.unlink()
        else:
            key.write_bytes(wrong)
        with pytest.raises(StoreDamaged):
            open_store(cluster.place)
    key.write_bytes(right)
    open_store(cluster.place).close()


@pytest.mark.parametrize("emptied", ["log", "vault"])
def test_a_log_or_vault_that_was_emptied_is_noticed(
    town: Store, cluster: Founded, emptied: str
) -> None:
    town.close()
    tables = {"log": "log.events, log.outcomes, log.marks", "vault": "vault.secrets"}[emptied]
    cluster.database.server.execute(f"TRUNCATE {tables}", cluster.database.name)
    with pytest.raises(StoreDamaged):
        open_store(cluster.place)


def test_log_ins_lock_outlive_a_restart_and_end_everywhere(town: Store, cluster: Founded) -> None:
    now = 1_000_000.0
    accounts = Accounts(town.vault, FAST, lambda: now)
    accounts.set_password("county", officer("dispatcher"), GOOD)
    token, session = accounts.log_in("county", GOOD)
    stored = content(cluster.admin, "vault")
    assert session.csrf.encode() in stored and token.encode() not in stored
    assert GOOD.encode() not in stored
    other = open_store(cluster.place)
    theirs = Accounts(other.vault, FAST, lambda: now)
    assert theirs.session(token, "session") == session
    assert theirs.logins() == {officer("dispatcher"): ["county"]}
    for _ in range(FREE_TRIES):
        with pytest.raises(LoginRefused):
            theirs.log_in("county", BAD)
    with pytest.raises(LoginLocked):
        accounts.log_in("county", GOOD)
    now += LONGEST_DELAY + 1
    assert accounts.log_in("county", GOOD)[1].officer == officer("dispatcher")
    theirs.set_password("county", officer("dispatcher"), "battery staple")
    assert theirs.session(token, "session") is None
    other.close()


def test_a_household_registered_by_one_process_is_read_by_another(
    town: Store, cluster: Founded
) -> None:
    person = register(town)
    other = open_store(cluster.place)
    household: Household = loaded(other, named("household/h"))
    (member,) = household.members.values()
    assert isinstance(person, UUID) and member.name.person == person
    assert other.vault.unseal(member.name, household.id, "name") == NAME
    other.close()
