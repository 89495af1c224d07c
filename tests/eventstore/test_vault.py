"""Personal data: sealed under a key a person, findable, erasable, and nowhere in the log."""

import hashlib
import hmac
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import msgspec
import pytest

from domain.world import Sealed
from eventstore.errors import StoreDamaged
from eventstore.outcomes import Refused, body_of
from eventstore.store import Store
from eventstore.vault import SQLiteVault
from projections.catalog import VIEWS
from projections.folding.engine import ViewsDatabase
from streams.embedded import Follower
from tests.eventstore.support import (
    destroy_person,
    elsewhere,
    found_town,
    loaded,
    named,
    new_household,
    open_store,
    people,
    send,
)
from tests.id_numbers import id_number

NAME, PHONE = "欧阳翠花", "13955512345"
NUMBER = id_number(77)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def town(folder: Path) -> Iterator[Store]:
    store = found_town(open_store(folder))
    yield store
    store.close()


def register(store: Store, name: str = NAME, number: str = NUMBER, key: str = "h") -> UUID:
    receipt = send(store, new_household(name, number, key=key, phone=PHONE), by="reporter")
    return UUID(receipt.result["persons"][0])


def boxes(store: Store, key: str = "h") -> dict[str, Sealed]:
    household = loaded(store, named(f"household/{key}"))
    (member,) = household.members.values()
    return {"name": member.name, "id_number": member.id_number}


def raw(folder: Path, *stems: str) -> bytes:
    files = [path for stem in stems for path in sorted(folder.glob(f"{stem}.sqlite*"))]
    assert files
    return b"".join(path.read_bytes() for path in files)


def derivatives(secret: str) -> dict[str, bytes]:
    """A text in every plain guise, and under every hash that needs no key."""
    plain = secret.encode()
    found = {
        "utf-8": plain,
        "utf-16": secret.encode("utf-16-le"),
        "escaped": msgspec.json.encode(secret.encode("unicode_escape").decode())[1:-1],
    }
    for name in ("md5", "sha1", "sha256", "sha512", "blake2b", "sha3_256"):
        digest = hashlib.new(name, plain)
        found[name] = digest.digest()
        found[f"{name} hex"] = digest.hexdigest().encode()
    return found


def test_no_derivative_of_personal_data_is_in_log_or_views(town: Store, folder: Path) -> None:
    register(town)
    send(town, new_household("别人", id_number(5), key="o"), by="reporter")
    with pytest.raises(Refused):  # a stored refusal must not carry them either
        send(town, new_household(NAME, NUMBER[:-1] + "0", key="x", phone=PHONE), by="reporter")
    with pytest.raises(Refused):
        send(
            town,
            new_household(NAME, NUMBER, key="y", phone="139-5551-2345-139555-12345"),
            by="reporter",
        )
    views = ViewsDatabase(folder / "views.sqlite", VIEWS)
    follower = Follower(town, views)
    while follower.step():
        pass
    content = raw(folder, "log", "views")
    views.close()
    secrets = {"name": NAME, "id": NUMBER, "phone": PHONE, "card": "6217001820012345678"}
    secrets |= {
        "address": "源潭居委会金鸡岭组九十九号",
        "pinyin": "ouyangcuihua",
        "birth": NUMBER[6:14],
    }
    for what, secret in secrets.items():
        for guise, needle in derivatives(secret).items():
            assert needle not in content, f"{what} as {guise}"
    token = hmac.digest(town.vault.secret("token-hmac"), NUMBER.encode(), "sha256")
    assert token not in content and token.hex().encode() not in content
    assert token in raw(folder, "vault"), "the search itself can find"


def test_each_person_has_a_key_and_a_lasting_random_id(town: Store, folder: Path) -> None:
    person = register(town)
    other = register(town, "别人", id_number(5), "o")
    assert person != other and person.version == other.version == 4
    assert town.vault.counts() | {"accounts": 0} == town.vault.counts()
    assert town.vault.find_person(NUMBER) == town.vault.person_for(NUMBER) == person
    assert town.vault.find_person(id_number(6)) is None
    town.close()
    again = open_store(folder)
    assert again.vault.find_person(NUMBER) == person
    household = named("household/h")
    assert again.vault.unseal(boxes(again)["name"], household, "name") == NAME
    assert again.vault.unseal(boxes(again)["id_number"], household, "id_number") == NUMBER
    again.close()


def test_a_sealed_text_moved_to_another_stream_or_field_is_detected(town: Store) -> None:
    register(town)
    register(town, "别人", id_number(5), "o")
    household, mine, other = named("household/h"), boxes(town), boxes(town, "o")
    for sealed, stream, field in (
        (mine["name"], named("household/o"), "name"),
        (mine["name"], household, "id_number"),
        (Sealed(mine["name"].person, other["name"].box), household, "name"),
        (Sealed(other["name"].person, mine["name"].box), household, "name"),
        (Sealed(mine["name"].person, mine["name"].box[:-1]), household, "name"),
        (
            Sealed(mine["name"].person, mine["name"].box[:-1] + bytes([mine["name"].box[-1] ^ 1])),
            household,
            "name",
        ),
    ):
        with pytest.raises(StoreDamaged):
            town.vault.unseal(sealed, stream, field)


def test_the_same_text_never_looks_the_same_sealed(town: Store) -> None:
    vault, person, stream = town.vault, uuid4(), uuid4()
    sealed = {vault.seal(person, stream, "name", NAME).box for _ in range(50)}
    assert len(sealed) == 50


@pytest.mark.parametrize(
    "text", [NAME, "翠花", "欧阳", "ouyang", "OuYangCui", "ou yang cui hua", "oych", "oy"]
)
def test_a_name_is_found_by_characters_pinyin_and_initials(town: Store, text: str) -> None:
    person = register(town)
    register(town, "别人", id_number(5), "o")
    assert people(town, text) == [person]


@pytest.mark.parametrize("text", ["", " ", "%", "_", "王", "cuihua", "yang", "'; --", "\\"])
def test_what_is_nobodys_name_finds_nobody(town: Store, text: str) -> None:
    register(town)
    assert people(town, text) == []


def test_a_refused_command_neither_indexes_nor_renames_anybody(town: Store) -> None:
    """It had sealed and indexed before the rule said no; a typing error must not stick."""
    person = register(town)
    before = town.vault.counts()
    for number in (NUMBER, id_number(9)):
        with pytest.raises(Refused) as refused:
            send(town, new_household("错打字", number, key="h"), by="reporter")
        assert refused.value.problem.code == "already-exists"
    assert people(town, "错打") == [] and people(town, NAME) == [person]
    assert town.vault.find_person(id_number(9)) is None
    assert town.vault.counts() == before
    register(town, "后来", id_number(9), "later")
    assert town.vault.counts()["keys"] == before["keys"] + 1


def test_an_erased_person_is_noise_and_cannot_be_found(town: Store, folder: Path) -> None:
    person = register(town)
    register(town, "别人", id_number(5), "o")
    household, sealed = named("household/h"), boxes(town)
    before = town.log.rows(0, 100_000)
    assert people(town, NAME) == [person]
    assert NAME.encode() in raw(folder, "vault")
    destroy_person(town, person)
    assert town.vault.unseal(sealed["name"], household, "name") is None
    assert people(town, NAME) == people(town, "ouyang") == []
    assert town.vault.find_person(NUMBER) is None
    assert town.log.rows(0, 100_000) == before, "not a byte of the proof has changed"
    vault = raw(folder, "vault")
    assert NAME.encode() not in vault and b"ouyangcuihua" not in vault, "not even in free pages"
    assert person.bytes not in vault
    assert town.vault.unseal(boxes(town, "o")["name"], named("household/o"), "name") == "别人"
    assert register(town, key="again") != person


def test_what_another_process_erased_is_erased_here_too(town: Store, folder: Path) -> None:
    """Keys are cached: this process must notice that one is gone."""
    person = register(town)
    household, sealed = named("household/h"), boxes(town)
    assert town.vault.unseal(sealed["name"], household, "name") == NAME
    with elsewhere("erase", folder) as other:
        other.stdin.write(f"{person}\n")
        other.stdin.flush()
        assert other.stdout.readline().strip() == "erased"
        assert town.vault.unseal(sealed["name"], household, "name") is None


def test_a_commands_fingerprint_is_an_hmac_under_a_key_of_the_vault(
    town: Store, tmp_path: Path
) -> None:
    body = body_of(new_household(NAME, NUMBER))
    fingerprint = town.vault.fingerprint(body)
    assert fingerprint == hmac.digest(town.vault.secret("command-fingerprint"), body, "sha256")
    other = SQLiteVault(tmp_path / "other" / "vault.sqlite")
    assert other.fingerprint(body) != fingerprint != hashlib.sha256(body).digest()
    other.close()


def test_keys_and_secrets_lie_wrapped_and_the_key_file_is_private(
    town: Store, folder: Path
) -> None:
    register(town)
    key = folder / "vault.key"
    assert key.stat().st_mode & 0o777 == 0o600 and len(key.read_bytes()) == 32
    content = raw(folder, "vault", "log")
    assert town.vault.secret("token-hmac") not in content
    assert key.read_bytes() not in content
