"""A receipt's page: its proof is checked by a stranger, and nothing is proven that was changed."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import msgspec
import pytest
from fastapi.testclient import TestClient

from api import proofs_kept
from api.known_at import COOKIE
from api.proofs_kept import Proofs
from api.watched import ALARM, WATCH, Alarm, put
from audit import relief_verify
from audit.relief_verify import checkpoint_of, key_of, signers
from domain.relief_case import ReliefCase
from eventstore.checkpoints import SigningKey, origin_of
from projections.timeline import BETWEEN_HOUSEHOLDS
from tests.web.relief_desk import RunningDemo
from tests.web.test_relief_pages import enter
from web.pages import receipts


@pytest.fixture
def paid(demo: RunningDemo) -> tuple[str, int]:
    """A household that was given goods or money, and the position of that fact."""
    for fact in demo.system.store.read(0, demo.system.store.head()):
        if isinstance(fact.event, ReliefCase.Paid):
            case = demo.system.store.load(fact.event.originator_id)
            assert isinstance(case, ReliefCase)
            return str(case.household), fact.position
    raise AssertionError("the demo pays")


@pytest.fixture
def key(demo: RunningDemo, tmp_path: Path) -> Path:
    store, file = demo.system.store, tmp_path / "key"
    file.write_text(SigningKey(store.vault, origin_of(store)).published, encoding="utf-8")
    return file


@pytest.fixture(autouse=True)
def auditor(server: TestClient) -> Iterator[None]:
    enter(server, "auditor")
    yield
    server.cookies.clear()


def test_money_paid_is_proven_to_a_stranger_from_its_households_page(
    server: TestClient, paid: tuple[str, int], key: Path, tmp_path: Path
) -> None:
    household, at = paid
    page = server.get(f"/households/{household}").text
    assert f"/receipts?at={at}" in page
    receipt = server.get("/receipts", params={"at": at})
    assert receipt.status_code == 200 and f"/receipts/proof?at={at}" in receipt.text
    answer = server.get("/receipts/proof", params={"at": at})
    assert answer.headers["Content-Disposition"] == f'attachment; filename="proof-{at}.json"'
    proven = json.loads(answer.text)
    assert at - 1 in [entry["index"] for entry in proven["entries"]]
    assert proven["says"]["zh"] in receipt.text
    file = tmp_path / "proof.json"
    file.write_text(answer.text, encoding="utf-8")
    assert "/receipts/relief_verify.py" in receipt.text
    program = tmp_path / "relief_verify.py"
    program.write_bytes(server.get("/receipts/relief_verify.py").content)
    alone = [sys.executable, "-I", "-S", str(program), str(file), "--key", str(key)]
    done = subprocess.run(alone, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == relief_verify.UNWITNESSED, done.stderr


def test_the_code_on_a_receipt_is_a_checkpoint_of_the_whole_log(
    server: TestClient,
    demo: RunningDemo,
    paid: tuple[str, int],
    key: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn: list[str] = []
    real = receipts.drawing

    def drawing(text: str) -> str:
        drawn.append(text)
        return real(text)

    monkeypatch.setattr(receipts, "drawing", drawing)
    page = server.get("/receipts", params={"at": paid[1]}).text
    (text,) = drawn
    one = checkpoint_of(text)
    assert signers(one, [key_of(key.read_text("utf-8"))])
    assert one.size == demo.system.store.head()
    assert real(text)[:200] in page


def test_a_receipt_says_all_facts_of_its_step_and_no_id(
    server: TestClient, demo: RunningDemo, paid: tuple[str, int]
) -> None:
    store = demo.system.store
    fact = store.read(paid[1] - 1, 1)[0]
    same = [
        one
        for one in store.read(0, store.head())
        if one.event.meta.command == fact.event.meta.command
    ]
    command = fact.event.meta.command
    told = server.get(f"/v1/receipts/{command}/proof").json()
    assert [entry["index"] + 1 for entry in told["entries"]] == [one.position for one in same]
    alone = server.get("/receipts/proof", params={"at": paid[1]}).json()
    assert [entry["index"] + 1 for entry in alone["entries"]] == [paid[1]], "of one household"
    whole = server.get("/receipts/proof", params={"at": paid[1], "whole": True}).json()
    assert whole["entries"] and len(whole["entries"]) == len(same) > 1
    page = server.get("/receipts", params={"at": paid[1]}).text
    assert f"/receipts?at={paid[1]}&amp;whole=true" in page
    page += server.get("/receipts", params={"at": paid[1], "whole": True}).text
    assert str(command) not in re.sub(r'href="[^"]*"', "", page)


def test_no_proof_of_what_is_not_there_or_not_ones_own(
    server: TestClient, demo: RunningDemo, paid: tuple[str, int]
) -> None:
    head = demo.system.store.head()
    for at in (head + 1, 2**53):
        for path in ("/receipts", "/receipts/proof"):
            assert server.get(path, params={"at": at}).status_code == 404
    for at in ("0", "-1", "x", str(2**53 + 1)):
        assert server.get("/receipts", params={"at": at}).status_code == 422
    enter(server, "taihu-approver")
    assert server.get("/receipts", params={"at": paid[1]}).status_code == 404
    enter(server, "yuantan-shuangfeng-a")
    assert server.get("/receipts", params={"at": paid[1]}).status_code == 403
    assert "/receipts?at=" not in server.get(f"/households/{paid[0]}").text


def test_what_another_household_did_with_the_same_person_is_not_in_a_proof(
    server: TestClient, demo: RunningDemo
) -> None:
    between = [
        fact
        for fact in demo.system.store.read(0, demo.system.store.head())
        if fact.event.topic().partition("/")[0] in BETWEEN_HOUSEHOLDS
    ]
    assert between, "the store of everything contests a member"
    for login in ("taihu-approver", "county-approver"):
        enter(server, login)
        for fact in between:
            at, subject = fact.position, fact.event.originator_id
            told = server.get(f"/v1/timeline/{subject}", params={"limit": 1000})
            items = told.json()["items"] if told.status_code == 200 else []
            known = any(row["position"] == at and row["actor"] for row in items)
            answer = server.get("/receipts/proof", params={"at": at, "whole": True})
            entries = answer.json()["entries"] if answer.status_code == 200 else []
            assert known == (at - 1 in [entry["index"] for entry in entries]), (login, at)


def test_nothing_is_proven_while_the_log_is_known_to_have_been_changed(
    server: TestClient, demo: RunningDemo, paid: tuple[str, int]
) -> None:
    file = demo.system.house.data / WATCH / ALARM
    put(file, msgspec.json.encode(Alarm(position="7", zh="内容被改", en="Changed.")))
    try:
        answer = server.get("/receipts/proof", params={"at": paid[1]})
        page = server.get("/receipts", params={"at": paid[1]})
    finally:
        file.unlink()
    assert answer.status_code == 409 and "第 7 条被程序以外的人改动" in answer.text
    assert page.status_code == 200 and "不出证明" in page.text
    assert "/receipts/proof" not in page.text
    assert server.get("/receipts/proof", params={"at": paid[1]}).status_code == 200


def test_a_long_log_is_read_beside_the_questions_and_the_page_asks_again(
    server: TestClient,
    demo: RunningDemo,
    paid: tuple[str, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(proofs_kept, "MOST_PROMPT", 0)
    monkeypatch.setattr(demo.system, "proofs", Proofs(demo.system.store))

    def asked(path: str) -> httpx.Response:
        return server.get(path, params={"at": paid[1]})

    page, answer = asked("/receipts"), asked("/receipts/proof")
    assert page.status_code == 200 and page.headers["Refresh"] and "正在准备证明" in page.text
    deadline = time.monotonic() + 60
    while answer.status_code == 503:
        assert answer.headers["Retry-After"] and time.monotonic() < deadline
        answer = asked("/receipts/proof")
    assert answer.status_code == 200


def test_in_the_past_nothing_is_signed(server: TestClient, paid: tuple[str, int]) -> None:
    server.cookies.set(COOKIE, str(paid[1]))
    for path in (f"/v1/receipts/{uuid4()}/proof", f"/receipts/proof?at={paid[1]}"):
        answer = server.get(path)
        assert answer.status_code == 409 and "过去的时点" in answer.text, path
