"""`relief init`: a store of one's own by flags or by answers, again and again the same one."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from api.rehearsing import rehearsed
from cli import init_command
from cli.compose import open_store
from cli.db_command import FILES
from cli.main import program
from cli.settings import Settings
from eventstore.founding import APP, VAULT, VIEWS
from eventstore.invitations import InvitationOver, Invitations, InvitationUnknown
from eventstore.keyfile import fingerprint
from eventstore.sealing_pairs import sealing_pair
from tests.api.beginnings import own_store
from tests.clusters import Founded

PASSWORD = "correct horse battery"
ADMIN = ("--admin", "admin", "--admin-name", "张三")


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in os.environ:
        if name.startswith("RELIEF_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("RELIEF_DATA", str(tmp_path / "own"))
    return tmp_path / "own"


def relief(*args: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(program(args[0]), list(args), input=typed)


def init(*args: str) -> dict[str, Any]:
    done = relief("init", *args, "--json")
    assert done.exit_code == 0, done.output
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said


def head(data: Path) -> int:
    store = open_store(Settings(data=data))
    try:
        return store.head()
    finally:
        store.close()


def test_the_last_line_is_one_object_with_everything(data: Path) -> None:
    said = init("--county", "621224", *ADMIN)
    assert set(said) == {
        "store", "county", "divisions", "areas", "rulebooks", "admin", "keys", "steps", "ready"
    }  # fmt: skip
    assert set(said["store"]) == {"kind", "data", "id"}
    assert (said["store"]["kind"], said["store"]["data"]) == ("sqlite", str(data))
    assert said["county"] == {"code": "621224", "name": "康县", "level": "county"}
    assert said["divisions"] == 377
    assert said["areas"] == {"townships": 21, "villages": 355, "added": 377, "known": 0}
    assert set(said["admin"]) == {"login", "invitation", "url", "expires_at"}
    assert (
        said["admin"]["url"] == f"http://127.0.0.1:8080/invitations/{said['admin']['invitation']}"
    )
    assert said["admin"]["expires_at"].endswith(("Z", "+00:00"))
    key = data / "vault.key"
    assert said["keys"] == {"file": str(key), "fingerprint": fingerprint(key)}
    assert said["ready"] is True and all(step["done"] for step in said["steps"])
    assert [step["name"] for step in said["steps"]] == [
        "nature", "divisions", "administrator", "keys", "rehearsal", "invitation"
    ]  # fmt: skip
    books = {book["kind"]: book for book in said["rulebooks"]}
    assert set(books["indicators"]) == {"kind", "version", "document_no", "confirmed"}
    assert books["indicators"]["document_no"] == "应急〔2020〕19号"
    assert "standards" not in books, "no county has standards before it adopts them"


def test_it_tells_both_fingerprints_and_the_restore_that_it_rehearsed(data: Path) -> None:
    said = relief("init", "--county", "621224", *ADMIN).stderr
    with init_command.running(Settings(data=data), follow=False) as system:
        told = sealing_pair(system.store.vault).fingerprint
        seen = rehearsed(system.store.log)
    assert fingerprint(data / "vault.key") in said and told in said
    assert seen is not None and f"第 {seen.head} 条记录和两个指纹一致" in said
    assert (seen.key, seen.sealing) == (fingerprint(data / "vault.key"), told)
    assert not (data / "rehearsal").exists(), "what was put back is thrown away"


def test_a_second_run_says_so_and_changes_nothing(data: Path) -> None:
    first = init("--county", "康县", *ADMIN)
    before = head(data)
    second = init("--county", "621224", *ADMIN)
    assert head(data) == before
    assert second["areas"] == first["areas"] | {"added": 0, "known": 377}
    for key in ("store", "county", "divisions", "rulebooks", "keys", "steps", "ready"):
        assert second[key] == first[key], key
    assert second["admin"] == {
        "login": "admin", "invitation": None, "url": None, "expires_at": None
    }  # fmt: skip
    told = relief("init", "--county", "621224", *ADMIN).stderr
    assert "nothing was changed" in told and "relief officer invite admin" in told


def test_the_invitation_opens_the_log_in_of_the_administrator(data: Path) -> None:
    code = init("--county", "621224", *ADMIN)["admin"]["invitation"]
    renewed = relief("officer", "invite", "admin")
    assert renewed.exit_code == 0, renewed.output
    login, second = renewed.stdout.splitlines()[0].split()
    assert login == "admin" and second != code
    assert f"/invitations/{second}" in renewed.stdout
    with init_command.running(Settings(data=data), follow=False) as system:
        invitations = Invitations(system.store)
        with pytest.raises((InvitationUnknown, InvitationOver)):
            invitations.accept(system.accounts, code, PASSWORD)
        invitations.accept(system.accounts, second, PASSWORD)
        system.accounts.log_in("admin", PASSWORD)
    assert relief("officer", "invite", "nobody").exit_code == 1


@pytest.mark.parametrize(
    "args",
    [
        (),
        ("--county", "621224"),
        ("--county", "621224", "--admin", "admin"),
        ("--county", "鼓楼区", *ADMIN),
        ("--county", "6212", *ADMIN),
        ("--county", "999999", *ADMIN),
        ("--county", "621224", "--admin", "a b", "--admin-name", "张三"),
        ("--city", "621200", *ADMIN),
        ("--city", "621200", "--counties", "340882", *ADMIN),
        ("--counties", "621224", *ADMIN),
        ("--county", "621224", "--regional", "atlantis", *ADMIN),
        ("--county", "621224", "--unknown", *ADMIN),
    ],
)
def test_what_is_missing_or_wrong_is_2_and_leaves_no_store(
    data: Path, args: tuple[str, ...]
) -> None:
    done = relief("init", *args)
    assert done.exit_code == 2, done.output
    assert not data.exists()


def test_counties_of_one_name_are_named_with_their_cities(data: Path) -> None:
    said = relief("init", "--county", "鼓楼区", *ADMIN).stderr
    assert "350102 福建省福州市鼓楼区" in said and "320106 江苏省南京市鼓楼区" in said
    assert init("--county", "福建省福州市鼓楼区", *ADMIN)["county"]["code"] == "350102"


def test_a_demo_store_is_3_and_another_county_4(data: Path) -> None:
    init("--county", "621224", *ADMIN)
    before = head(data)
    done = relief("init", "--county", "仙桃市", *ADMIN)
    assert done.exit_code == 4 and "康县" in done.stderr
    assert relief("init", "--city", "621200", "--counties", "621224", *ADMIN).exit_code == 4
    store = open_store(Settings(data=data))
    store.log.set_mark("demo", "small")
    store.close()
    assert relief("init", "--county", "621224", *ADMIN).exit_code == 3
    assert head(data) == before


def test_a_training_store_is_told_and_is_4_for_a_real_one(data: Path) -> None:
    done = relief("init", "--county", "621224", *ADMIN, "--exercise", "--json")
    assert done.exit_code == 0, done.output
    assert "演练账本" in done.stderr and "training store" in done.stderr
    before = head(data)
    done = relief("init", "--county", "621224", *ADMIN)
    assert done.exit_code == 4 and "演练账本" in done.stderr
    assert relief("init", "--county", "621224", *ADMIN, "--exercise").exit_code == 0
    assert head(data) == before
    (told,) = [
        one
        for one in json.loads(relief("doctor", "--json").stdout)["checks"]
        if one["name"] == "set-up"
    ]
    assert "演练账本" in told["zh"] and "training store" in told["en"]
    for wrong in ("7", "1w", "0d", "-1d", "400.1d", "7 d", "1e3d"):
        done = relief("clock", "advance", "--", wrong)
        assert done.exit_code == 2 and wrong in done.stderr, done.output
    assert head(data) == before
    assert relief("clock", "advance", "7d").exit_code == 0
    assert relief("clock", "advance", "12h").exit_code == 0
    ahead = json.loads(relief("clock", "show", "--json").stdout)["ahead_seconds"]
    assert ahead == 7.5 * 86_400
    assert head(data) == before + 2, "each is a fact of the store"


def test_what_is_begun_takes_no_demo(data: Path) -> None:
    init("--county", "621224", *ADMIN)
    before = head(data)
    done = relief("clock", "advance", "7d")
    assert done.exit_code == 1 and "按真实时间运行" in done.stderr, "nor is its clock moved"
    assert "real time" in done.stderr and head(data) == before
    assert relief("demo", "--small").exit_code == 2


def test_a_city_with_two_counties(data: Path) -> None:
    said = init("--city", "621200", "--counties", "621224,成县", *ADMIN)
    assert said["county"] == {"code": "621200", "name": "陇南市", "level": "city"}
    assert said["divisions"] == said["areas"]["added"] > 377 + 1
    with own_store(data) as own:
        own.issued_death("621200", "621224", "621221")


def test_a_district_of_a_municipality_and_a_county_under_its_province(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = init("--county", "重庆市渝中区", *ADMIN)
    assert said["county"] == {"code": "500103", "name": "渝中区", "level": "county"}
    with own_store(data) as own:
        own.issued_death("500103")
    monkeypatch.setenv("RELIEF_DATA", str(data / "other"))
    assert init("--county", "xiantao", *ADMIN)["county"]["code"] == "429004"
    with own_store(data / "other") as own:
        own.issued_death("429004")


def test_rules_of_a_region_are_adopted_and_told_to_be_examples(data: Path) -> None:
    said = init("--county", "340882", "--regional", "qianshan", *ADMIN)
    books = {book["kind"]: book for book in said["rulebooks"]}
    assert books["standards"]["version"] == "example-2016"
    assert books["standards"]["confirmed"] is False and books["deadlines"]["confirmed"] is False
    assert books["hazards"]["version"] == "example-1"


def test_rules_of_another_region_are_refused(data: Path) -> None:
    done = relief("init", "--county", "621224", "--regional", "qianshan", *ADMIN)
    assert done.exit_code == 2
    assert init("--county", "621224", *ADMIN)["ready"] is True


def test_in_a_terminal_it_asks_and_tells_counties_of_one_name_apart(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(init_command, "asks", lambda: True)
    typed = "\n".join(("xyzzy", "gulouqu", "0", "鼓楼区", "3", "admin", "张三")) + "\n"
    done = relief("init", "--json", typed=typed)
    assert done.exit_code == 0, done.output
    assert "福建省 福州市 鼓楼区" in done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["county"]["code"] == "350102"


def test_doctor_says_what_is_not_set_up(data: Path) -> None:
    open_store(Settings(data=data), make=True).close()
    asked = relief("doctor", "--json")
    (found,) = [one for one in json.loads(asked.stdout)["checks"] if one["name"] == "set-up"]
    assert asked.exit_code == 1 and not found["ok"] and "relief init" in found["en"]
    init("--county", "621224", *ADMIN)
    checks = json.loads(relief("doctor", "--json").stdout)["checks"]
    assert [one["ok"] for one in checks if one["name"] == "set-up"] == [True]


def test_it_works_on_postgresql(
    data: Path, cluster: Founded, monkeypatch: pytest.MonkeyPatch
) -> None:
    urls = {APP: cluster.urls.database, VAULT: cluster.urls.vault, VIEWS: cluster.urls.views}
    for role, url in urls.items():
        monkeypatch.setenv(f"RELIEF_{FILES[role].upper()}", url)
    said = init("--county", "621224", *ADMIN)
    assert said["store"]["kind"] == "postgresql" and said["divisions"] == 377 and said["ready"]
    assert said["keys"]["file"] == str(data / "vault.key")
    again = init("--county", "621224", *ADMIN)
    assert again["areas"]["known"] == 377 and again["store"] == said["store"]
    assert relief("init", "--county", "340882", *ADMIN).exit_code == 4
    with own_store(data, **{FILES[role]: url for role, url in urls.items()}) as own:
        own.issued_death("621224")
