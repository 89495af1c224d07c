"""`relief witness`: another office signs what only grows, and never two histories."""

import base64
import json
import shutil
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from api.watched import Cosigned, watched
from audit import relief_verify, witness
from audit.relief_verify import Broken, Unreadable, checkpoint_of
from audit.witness import Refused, Witness, request_of, request_text
from cli.main import program
from tests.eventstore.support import found_town, named, new_unit, open_store, send
from tests.test_relief_verify import Signer

NAME = "安庆市审计局"
NOW = datetime(2018, 1, 5, 1, tzinfo=UTC)

Run = Callable[..., Result]


@pytest.fixture
def relief(tmp_path: Path) -> Run:
    """The program, on a county's ledger and in a witness's folder."""
    with closing(found_town(open_store(tmp_path / "var"))) as store:
        send(store, new_unit("1队"), "dispatcher")

    def run(*words: object, data: str = "var") -> Result:
        here = {"RELIEF_DATA": str(tmp_path / data)}
        folder = ["--folder", str(tmp_path / "witness")] if words[0] == "witness" else []
        return CliRunner().invoke(program(), [*map(str, words), *folder], env=here)

    assert run("witness", "begin", NAME).exit_code == 0
    assert run("witness", "trust", run("audit", "key").stdout.strip()).exit_code == 0
    return run


def more(folder: Path, name: str) -> None:
    with closing(open_store(folder)) as store:
        send(store, new_unit(name), "dispatcher")


def asked(relief: Run, to: Path, *seen: object, data: str = "var") -> Path:
    done = relief("audit", "request", "--to", to, *seen, data=data)
    assert done.exit_code == 0, done.output
    return to


def signed(relief: Run, request: Path) -> Path:
    to = request.with_suffix(".signed")
    done = relief("witness", "sign", request, "--to", to)
    assert done.exit_code == 0, done.output
    return to


def test_a_stranger_sees_that_a_witness_has_signed(relief: Run, tmp_path: Path) -> None:
    first = signed(relief, asked(relief, tmp_path / "1"))
    more(tmp_path / "var", "2队")
    second = signed(relief, asked(relief, tmp_path / "2", "--from-checkpoint", first))
    more(tmp_path / "var", "3队")
    proof = tmp_path / "proof.json"
    unit = named("unit/2队")
    done = relief(
        "audit", "prove", unit, "--to", proof, "--under", second, "--from-checkpoint", first
    )
    assert done.exit_code == 0, done.output
    keys = [
        *("--key", relief("audit", "key").stdout.strip()),
        *("--witness", relief("witness", "key").stdout.strip()),
    ]
    said: list[str] = []
    words = [str(proof), *keys, "--seen", str(first)]
    assert relief_verify.main(words, say=said.append) == relief_verify.HOLDS, said
    assert f"成立，见证：{NAME}" in said[-1]
    later = relief("audit", "prove", named("unit/3队"), "--under", second)
    assert later.exit_code == 1, "it was not there yet"
    forged = second.read_text("utf-8").replace("\nmade 2", "\nmade 3")
    proof.write_text(json.dumps(json.loads(proof.read_text("utf-8")) | {"checkpoint": forged}))
    assert relief_verify.main(words, say=said.append) == relief_verify.BROKEN


def test_a_second_history_is_never_signed(relief: Run, tmp_path: Path) -> None:
    """The same ledger twice, each with a fact of its own at one position."""
    first = signed(relief, asked(relief, tmp_path / "1"))
    shutil.copytree(tmp_path / "var", tmp_path / "other")
    more(tmp_path / "var", "2队")
    more(tmp_path / "other", "3队")
    second = signed(relief, asked(relief, tmp_path / "2", "--from-checkpoint", first))
    seen = ("--from-checkpoint", first)
    stale = relief("witness", "sign", asked(relief, tmp_path / "x", *seen, data="other"))
    assert stale.exit_code == 1 and "请从那份检查点接起" in stale.stderr
    more(tmp_path / "other", "4队")
    joined = asked(relief, tmp_path / "y", "--from-checkpoint", second, data="other")
    done = relief("witness", "sign", joined)
    assert done.exit_code == 1 and "账本被改写过" in done.stderr and not done.stdout


def test_the_same_checkpoint_is_signed_again(relief: Run, tmp_path: Path) -> None:
    """An answer that was lost on its way is asked for again."""
    first = signed(relief, asked(relief, tmp_path / "1"))
    again = signed(relief, asked(relief, tmp_path / "2", "--from-checkpoint", first))
    two = [checkpoint_of(one.read_text("utf-8")) for one in (first, again)]
    assert two[0].root == two[1].root and two[0].size == two[1].size


def test_a_request_whose_answer_was_lost_is_signed_again(relief: Run, tmp_path: Path) -> None:
    """The witness had kept it and written nothing: whatever it was asked then was joined to a
    checkpoint that nobody had."""
    first = signed(relief, asked(relief, tmp_path / "1"))
    more(tmp_path / "var", "2队")
    request = asked(relief, tmp_path / "2", "--from-checkpoint", first)
    taken = relief("witness", "sign", request, "--to", first)
    assert taken.exit_code == 1 and "已经存在" in taken.stderr
    again = checkpoint_of(signed(relief, request).read_text("utf-8"))
    assert again.size > checkpoint_of(first.read_text("utf-8")).size


def test_one_log_does_not_speak_for_another(relief: Run, tmp_path: Path) -> None:
    """Of two logs that are watched one could have put an end to the other's, or begun it."""
    here = Witness(tmp_path / "witness")
    note = request_of(asked(relief, tmp_path / "1").read_text("utf-8")).checkpoint
    other = Signer("relief-ledger/4567/1", relief_verify.ED25519, 7)
    here.trust(other.published)
    forged = request_of(
        request_text(0, [], f"{note.body.decode()}\n{other.line(note.body.decode())}")
    )
    with pytest.raises(Refused, match="不认识这本账"):
        here.sign(forged, NOW)
    signed(relief, tmp_path / "1")


def test_the_key_of_a_witness_is_no_log_s(relief: Run, tmp_path: Path) -> None:
    done = relief("witness", "trust", relief("witness", "key").stdout.strip())
    assert done.exit_code == 1 and "不是账本的" in done.stderr


def test_who_is_not_known_is_not_signed(relief: Run, tmp_path: Path) -> None:
    with closing(found_town(open_store(tmp_path / "stranger"))):
        pass
    done = relief("witness", "sign", asked(relief, tmp_path / "1", data="stranger"))
    assert done.exit_code == 1 and "不认识这本账" in done.stderr
    text = asked(relief, tmp_path / "2").read_text("utf-8")
    (tmp_path / "3").write_text(text.replace("\nmade 2", "\nmade 3"), encoding="utf-8")
    done = relief("witness", "sign", tmp_path / "3")
    assert done.exit_code == 1 and "签名是假的" in done.stderr


@pytest.mark.parametrize("damage", [None, "", "{", "[]", '{"a": 1}', '{"a": [1, "x"]}'])
def test_a_witness_that_forgot_signs_nothing(
    relief: Run, tmp_path: Path, damage: str | None
) -> None:
    """``None``: the file is gone; the witness would have signed any history from its beginning."""
    request = asked(relief, tmp_path / "1")
    signed(relief, request)
    seen = tmp_path / "witness" / witness.SEEN
    if damage is None:
        seen.unlink()
    else:
        seen.write_text(damage)
    done = relief("witness", "sign", request)
    assert done.exit_code == 1 and "不能再签" in done.stderr


def test_what_was_signed_is_kept_before_anybody_has_it(
    relief: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = request_of(asked(relief, tmp_path / "1").read_text("utf-8"))
    here = Witness(tmp_path / "witness")

    def full(name: str, text: str) -> None:
        raise OSError(name, text)

    monkeypatch.setattr(here, "_put", full)
    with pytest.raises(OSError, match="seen"):
        here.sign(request, NOW)
    monkeypatch.setattr(Witness, "_put", lambda *_: full("full", ""))
    done = relief("witness", "sign", tmp_path / "1")
    assert done.exit_code == 1 and "写不进去，没有加签" in done.stderr and not done.stdout


def test_there_is_one_key_a_folder_and_only_its_owner_reads_it(relief: Run, tmp_path: Path) -> None:
    file = tmp_path / "witness" / witness.KEY
    before = file.read_bytes()
    done = relief("witness", "begin", NAME)
    assert done.exit_code == 1 and "已有见证密钥" in done.stderr and file.read_bytes() == before
    assert file.stat().st_mode & 0o077 == 0 and file.parent.stat().st_mode & 0o077 == 0
    file.write_text("{}")
    assert "读不出来" in relief("witness", "key").stderr
    shutil.rmtree(file.parent)
    assert "没有见证密钥" in relief("witness", "key").stderr


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "局" * 101])
def test_a_name_that_signatures_lack_room_for_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(Refused):
        Witness.begin(tmp_path / "w", name)
    assert not (tmp_path / "w").exists()


def test_the_longest_name_signs(tmp_path: Path) -> None:
    made = Witness.begin(tmp_path / "w", "局" * 100)
    assert relief_verify.key_of(made.published).name == "局" * 100


def test_as_many_logs_as_allowed_are_watched(
    relief: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Witness(tmp_path / "witness")
    monkeypatch.setattr(witness, "MOST_LOGS", 2)
    ours = relief("audit", "key").stdout.strip()
    here.trust(Signer("a", relief_verify.ED25519, 1).published)
    here.trust(ours)  # known already
    with pytest.raises(Refused, match="最多见证 2 本账"):
        here.trust(Signer("b", relief_verify.ED25519, 2).published)
    with pytest.raises(Unreadable):
        here.trust("x+y+z")


HASH = base64.b64encode(bytes(32)).decode()
SHORT = base64.b64encode(bytes(31)).decode()
NOTE = f"log\n1\n{HASH}\n\n— log {HASH}\n"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "old 1\n",
        "old x\n\nnote",
        "old ²\n\nnote",
        "new 1\n\nnote",
        "old 1\n?\n\nnote",
        f"old 1\n{SHORT}\n\n{NOTE}",
        "old " + "1" * 30 + "\n\nnote",
        "old 1\n" + f"{HASH}\n" * 64 + "\nnote",
    ],
)
def test_a_request_that_is_none_is_told(text: str) -> None:
    with pytest.raises(Unreadable):
        request_of(text)


def test_a_request_is_read_as_it_was_written(relief: Run, tmp_path: Path) -> None:
    note = request_of(asked(relief, tmp_path / "1").read_text("utf-8")).checkpoint
    assert request_of(f"old 1\n{HASH}\n\n{NOTE}").checkpoint.origin == "log"
    read = request_of(request_text(5, [HASH] * 63, note.text))
    assert (read.old, len(read.path), read.checkpoint) == (5, 63, note)
    with pytest.raises(Refused):
        Witness(tmp_path / "witness").sign(read, NOW)
    signed(relief, tmp_path / "1")
    wrong = request_of(request_text(note.size, [HASH], note.text))
    with pytest.raises(Broken):
        Witness(tmp_path / "witness").sign(wrong, NOW)


def test_what_came_back_from_a_witness_is_kept_and_its_age_known(
    relief: Run, tmp_path: Path
) -> None:
    key = relief("witness", "key").stdout.strip()
    first = signed(relief, asked(relief, tmp_path / "first"))
    more(tmp_path / "var", "2队")
    second = signed(relief, asked(relief, tmp_path / "second", "--from-checkpoint", first))

    def keep(file: Path, by: str = key) -> Result:
        return relief("audit", "keep", file, "--witness", by)

    def known() -> Cosigned | None:
        return watched(tmp_path / "var").cosigned

    own = relief("audit", "key").stdout.strip()
    for other in (own, key[:-8] + "AAAAAAA=", "nobody"):
        assert keep(second, other).exit_code == 1 and known() is None, other
    alone = tmp_path / "alone"
    assert relief("audit", "checkpoint", "--to", alone).exit_code == 0
    assert "没有这个见证单位的签名" in keep(alone).stderr and known() is None
    assert keep(second).exit_code == 0
    kept = known()
    assert kept is not None and kept.witness == NAME
    assert kept.facts == checkpoint_of(second.read_text("utf-8")).size
    assert abs(kept.at - datetime.now(UTC)) < timedelta(hours=1)
    older = keep(first)
    assert older.exit_code == 1 and "更新的一份" in older.stderr and known() == kept
    assert keep(second).exit_code == 0, "the same once more does no harm"
