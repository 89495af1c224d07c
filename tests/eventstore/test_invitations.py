"""Codes of invitations: once, for some days, and the fact stands before the password."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from argon2 import PasswordHasher

from domain.catalog import AGGREGATES
from domain.commands.officers import OpenAccount, ReinstateOfficer, SuspendOfficer
from domain.login_name import LoginName
from eventstore.accounts import Accounts
from eventstore.clock import SimulatedClock
from eventstore.codes import ALPHABET, plain
from eventstore.invitations import InvitationOver, Invitations, InvitationUnknown
from eventstore.outcomes import Refused
from eventstore.passwords import PasswordRefused, check_password
from eventstore.patience import LoginRefused
from eventstore.store import Store
from tests.eventstore.support import found_town, officer, send

GOOD = "青山不改 2026"
FAST = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)


class Desk:
    """A store with one officer, and a machine clock that a test moves."""

    def __init__(self, folder: Path) -> None:
        self.now = 1_000_000.0
        self.store = found_town(Store.at(folder, AGGREGATES))
        self.accounts = Accounts(self.store.vault, FAST, lambda: self.now)
        self.invitations = Invitations(self.store, lambda: self.now)
        self.officer: UUID = officer("reporter")
        send(self.store, OpenAccount(officer=self.officer, login="wang"), "admin")

    def accept(self, code: str, password: str = GOOD) -> None:
        self.invitations.accept(self.accounts, code, password)

    def passwords(self) -> int:
        facts = self.store.history(LoginName.id_of("wang"))
        return sum(isinstance(one.event, LoginName.PasswordSet) for one in facts)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.store.close()


def test_a_code_opens_one_log_in_once(desk: Desk) -> None:
    made = desk.invitations.begin("wang", desk.officer)
    desk.accept(made.code)
    assert desk.accounts.log_in("wang", GOOD)[1].officer == desk.officer
    assert desk.passwords() == 1
    with pytest.raises(InvitationOver):
        desk.accept(made.code, "another password")
    assert desk.accounts.log_in("wang", GOOD)


def test_a_code_is_typed_as_people_type(desk: Desk) -> None:
    made = desk.invitations.begin("wang", desk.officer)
    assert len(plain(made.code)) == 16 and set(plain(made.code)) <= set(ALPHABET)
    typed = f" {made.code.lower().replace('-', ' ')} "
    assert desk.invitations.find(typed).login == "wang"


def test_a_code_typed_in_full_width_is_the_same_code(desk: Desk) -> None:
    """As a keyboard for Chinese types it, with a dash of its own."""
    made = desk.invitations.begin("wang", desk.officer)
    wide = "".join(chr(ord(sign) + 0xFEE0) for sign in made.code.lower())
    assert desk.invitations.find(wide).login == "wang"


def test_a_refusal_of_the_time_of_a_suspension_does_not_outlast_it(desk: Desk) -> None:
    made = desk.invitations.begin("wang", desk.officer)
    send(desk.store, SuspendOfficer(officer=desk.officer, reason="停职检查"), "admin")
    for _ in range(2):
        with pytest.raises(Refused):
            desk.accept(made.code)
    send(desk.store, ReinstateOfficer(officer=desk.officer, reason="查清恢复"), "admin")
    desk.accept(made.code)
    assert desk.passwords() == 1


def test_a_code_ends_with_its_time_with_a_newer_one_and_with_a_password(desk: Desk) -> None:
    first = desk.invitations.begin("wang", desk.officer)
    second = desk.invitations.begin("wang", desk.officer)
    with pytest.raises(InvitationUnknown):
        desk.accept(first.code)
    desk.now += 72 * 3600 + 1
    with pytest.raises(InvitationOver):
        desk.accept(second.code)
    third = desk.invitations.begin("wang", desk.officer)
    desk.accounts.set_password("wang", desk.officer, GOOD)
    with pytest.raises(InvitationOver):
        desk.accept(third.code)
    assert desk.passwords() == 0


def test_an_unknown_code_is_unknown_and_the_vault_keeps_no_code(desk: Desk) -> None:
    made = desk.invitations.begin("wang", desk.officer)
    for code in ("", "AAAA-AAAA-AAAA-AAAA", made.code[:-1]):
        with pytest.raises(InvitationUnknown):
            desk.accept(code)
    kept = desk.store.vault.db.execute("SELECT * FROM invitations").fetchall()
    assert plain(made.code) not in repr(kept) and made.code not in repr(kept)


def test_killed_between_fact_and_password_the_code_still_opens_and_adds_no_second_fact(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = desk.invitations.begin("wang", desk.officer)

    def killed(*_: object, **__: object) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(desk.accounts, "set_password", killed)
        with pytest.raises(KeyboardInterrupt):
            desk.accept(made.code)
    assert desk.passwords() == 1
    with pytest.raises(LoginRefused):
        desk.accounts.log_in("wang", GOOD)
    desk.accept(made.code)
    assert desk.passwords() == 1 and desk.accounts.log_in("wang", GOOD)


def test_two_devices_with_one_code_set_one_password(desk: Desk) -> None:
    made = desk.invitations.begin("wang", desk.officer)
    begin, done = threading.Barrier(2), []

    def device(password: str) -> None:
        begin.wait()
        try:
            desk.accept(made.code, password)
        except InvitationOver:
            return
        done.append(password)

    threads = [threading.Thread(target=device, args=(f"{GOOD}-{n}",)) for n in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(done) == 1 and desk.accounts.log_in("wang", done[0])


def test_a_suspended_officer_s_code_sets_nothing(desk: Desk) -> None:
    made = desk.invitations.begin("wang", desk.officer)
    send(desk.store, SuspendOfficer(officer=desk.officer, reason="停职检查"), "admin")
    with pytest.raises(Refused) as refused:
        desk.accept(made.code)
    assert "停职检查" in refused.value.problem.zh
    with pytest.raises(LoginRefused):
        desk.accounts.log_in("wang", GOOD)


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("short-7", "至少 8 位"),
        ("x" * 201, "不能超过"),
        ("12345678", "太常见"),
        ("Password1", "太常见"),
        ("88888888", "太常见"),
        ("wang-2026-x", "不能含有登录名"),
        ("MyWANGword", "不能含有登录名"),
    ],
)
def test_passwords_that_anybody_would_try_are_refused(password: str, words: str) -> None:
    with pytest.raises(PasswordRefused) as refused:
        check_password("wang", password)
    assert words in refused.value.zh


@pytest.mark.parametrize(
    "password", ["eightch8", "青山不改绿水长流", "x" * 100 + "yz", "a b c d e f"]
)
def test_nothing_else_is_asked_of_a_password(password: str) -> None:
    check_password("wang", password)


def test_a_code_is_over_when_the_clock_of_its_fact_says_so(tmp_path: Path) -> None:
    """In a training store whose clock was advanced, the pages and the code say the same."""
    store = Store.at(tmp_path, AGGREGATES)
    store.begin_simulated(datetime(2018, 7, 1, tzinfo=UTC))
    found_town(store)
    wang = officer("reporter")
    send(store, OpenAccount(officer=wang, login="wang"), "admin")
    invitations = Invitations(store)
    code = invitations.invite("wang", wang).code
    name = store.load(LoginName.id_of("wang"))
    assert isinstance(name, LoginName) and name.invited_until is not None
    assert isinstance(store.clock, SimulatedClock)
    store.clock.move_to(name.invited_until - timedelta(hours=1))
    found = invitations.find(code)
    assert datetime.fromtimestamp(found.expires, UTC) == name.invited_until, "one moment"
    store.clock.move_to(name.invited_until + timedelta(hours=1))
    assert not name.is_invited(store.clock.now())
    with pytest.raises(InvitationOver):
        invitations.find(code)
    store.close()


def test_a_short_login_name_may_be_in_a_password(desk: Desk) -> None:
    check_password("li", "little mountain")


def test_sessions_are_listed_and_ended(desk: Desk) -> None:
    desk.accounts.set_password("wang", desk.officer, GOOD)
    phone, _ = desk.accounts.log_in("wang", GOOD, agent="Android · Chrome")
    desk.now += 60
    desk_token, _ = desk.accounts.log_in("wang", GOOD, agent="Windows · Edge")
    desk.accounts.set_password("other", uuid4(), GOOD)
    desk.accounts.log_in("other", GOOD)
    found = desk.accounts.sessions_of(desk.officer, desk_token)
    assert [(one.device, one.current) for one in found] == [
        ("Windows · Edge", True),
        ("Android · Chrome", False),
    ]
    assert desk.accounts.end_sessions(uuid4(), [found[1].id]) == 0, "only one's own"
    assert desk.accounts.session(phone, "session")
    assert desk.accounts.end_sessions(desk.officer, [found[1].id]) == 1
    assert desk.accounts.session(phone, "session") is None
    assert desk.accounts.session(desk_token, "session")
