"""Log-ins: who guesses is locked out, what has ended stays ended, and secrets lie hashed."""

import threading
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from argon2 import PasswordHasher

from domain.login_name import LoginTaken
from eventstore.accounts import SESSION_SECONDS, TOKEN_SECONDS, VOUCHED, Accounts
from eventstore.passwords import PasswordRefused
from eventstore.patience import (
    FORGIVEN_SECONDS,
    FREE_TRIES,
    LONGEST_DELAY,
    LoginLocked,
    LoginRefused,
)
from eventstore.vault import SQLiteVault

GOOD, BAD = "correct horse", "wrong horse"
FAST = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)


class Desk:
    """Accounts with a clock that a test moves."""

    def __init__(self, folder: Path) -> None:
        self.now = 1_000_000.0
        self.vault = SQLiteVault(folder / "vault.sqlite")
        self.accounts = Accounts(self.vault, FAST, lambda: self.now)
        self.officer: UUID = uuid4()
        self.accounts.set_password("county", self.officer, GOOD)

    def fail(self, times: int, login: str = "county") -> None:
        for _ in range(times):
            with pytest.raises(LoginRefused):
                self.accounts.log_in(login, BAD)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_session_says_who_and_lasts_its_hours(desk: Desk) -> None:
    token, session = desk.accounts.log_in("county", GOOD)
    assert session.officer == desk.officer and session.csrf
    assert desk.accounts.session(token, "session") == session
    desk.now += SESSION_SECONDS - 1
    assert desk.accounts.session(token, "session") == session
    desk.now += 2
    assert desk.accounts.session(token, "session") is None


def test_a_name_is_known_however_its_letters_are_typed(desk: Desk) -> None:
    """Names are unique without case; a keyboard for Chinese types letters of full width."""
    desk.accounts.set_password("WangFang", officer := uuid4(), GOOD)
    for typed in ("WangFang", "wangfang", " WANGFANG ", "ｗａｎｇｆａｎｇ", "\u3000WangFang"):
        _, session = desk.accounts.log_in(typed, GOOD)
        assert (session.officer, session.login) == (officer, "WangFang")
    assert desk.accounts.officer_of("WANGFANG") == officer
    with pytest.raises(LoginTaken):
        desk.accounts.set_password("wangfang", uuid4(), GOOD)
    desk.fail(FREE_TRIES, "WANGFANG")
    with pytest.raises(LoginLocked):
        desk.accounts.log_in("wangfang", GOOD)
    desk.fail(FREE_TRIES, "NOBODY")
    with pytest.raises(LoginLocked):
        desk.accounts.log_in("nobody", GOOD)


def test_two_names_of_an_older_store_that_differ_in_case_alone_stay_two(desk: Desk) -> None:
    officer, password = uuid4(), "another horse"
    hashed = FAST.hash(password)
    row = ("COUNTY", officer.bytes, hashed)
    desk.vault.db.execute("INSERT INTO accounts (login, officer, password) VALUES (?,?,?)", row)
    assert desk.accounts.log_in("COUNTY", password)[1].officer == officer
    assert desk.accounts.log_in("county", GOOD)[1].officer == desk.officer


def test_a_program_token_is_short_and_no_session(desk: Desk) -> None:
    token, session = desk.accounts.log_in("county", GOOD, "token")
    assert desk.accounts.session(token, "token") == session
    assert desk.accounts.session(token, "session") is None
    desk.now += TOKEN_SECONDS + 1
    assert desk.accounts.session(token, "token") is None
    assert TOKEN_SECONDS < SESSION_SECONDS


def test_a_password_that_is_only_checked_leaves_no_session(desk: Desk) -> None:
    """Another password asks for the one before: that began a session for a program."""
    token, _ = desk.accounts.log_in("county", GOOD)
    assert desk.accounts.verify("county", GOOD) == desk.officer
    with pytest.raises(LoginRefused):
        desk.accounts.verify("county", BAD)
    assert [one.current for one in desk.accounts.sessions_of(desk.officer, token)] == [True]


def test_everybody_who_is_logged_in_is_listed_as_each_of_them_is(desk: Desk) -> None:
    """A state of the provider that was used up, and half a log-in, lie in the same table."""
    desk.accounts.begin(desk.officer, "county", VOUCHED)
    desk.accounts.begin(desk.officer, "county", "token")
    desk.accounts.begin(desk.officer, "county", "half")
    assert desk.accounts.use_once("provider-state/1", 60)
    everybody = desk.accounts.open_sessions()
    assert {officer for officer, _ in everybody} == {desk.officer}
    assert sorted(one.kind for _, one in everybody) == ["session", "token"]
    assert [one for _, one in everybody] == desk.accounts.sessions_of(desk.officer)


def test_guessing_delays_the_account_even_for_the_right_password(desk: Desk) -> None:
    desk.fail(FREE_TRIES)
    with pytest.raises(LoginLocked) as locked:
        desk.accounts.log_in("county", GOOD)
    assert 0 < locked.value.retry_after <= LONGEST_DELAY + 1
    desk.now += LONGEST_DELAY + 1
    assert desk.accounts.log_in("county", GOOD)[1].officer == desk.officer


def test_the_delay_grows_and_is_never_longer_than_a_minute(desk: Desk) -> None:
    desk.fail(FREE_TRIES)
    waits = []
    for _ in range(8):
        with pytest.raises(LoginLocked) as locked:
            desk.accounts.log_in("county", GOOD)
        waits.append(locked.value.retry_after - 1)
        desk.now += locked.value.retry_after
        desk.fail(1)
    assert waits == [2, 4, 8, 16, 32, 60, 60, 60]
    desk.now += FORGIVEN_SECONDS + LONGEST_DELAY + 1
    desk.fail(FREE_TRIES)


def test_strangers_do_not_lock_out_a_device_that_the_owner_has_used(desk: Desk) -> None:
    """A stranger once kept a named account locked for as long as they liked."""
    device = desk.accounts.device_cookie("county")
    for _ in range(20):
        for name in ("county", "nobody"):
            with pytest.raises((LoginRefused, LoginLocked)):
                desk.accounts.log_in(name, BAD, address="10.0.0.9")
    assert desk.accounts.log_in("county", GOOD, device=device, address="10.0.0.9")
    with pytest.raises(LoginLocked):
        desk.accounts.log_in("county", GOOD, address="10.0.0.9")


def test_a_known_device_has_a_delay_of_its_own(desk: Desk) -> None:
    device, other = (desk.accounts.device_cookie("county") for _ in range(2))
    for _ in range(FREE_TRIES):
        with pytest.raises(LoginRefused):
            desk.accounts.log_in("county", BAD, device=device)
    with pytest.raises(LoginLocked):
        desk.accounts.log_in("county", GOOD, device=device)
    assert desk.accounts.log_in("county", GOOD, device=other)
    assert desk.accounts.log_in("county", GOOD), "and strangers are not delayed by it"


def test_a_device_is_known_for_one_name_only_and_cannot_be_made_up(desk: Desk) -> None:
    device = desk.accounts.device_cookie("county")
    assert desk.accounts.knows(device, "county") and not desk.accounts.knows(device, "city")
    for made_up in ("", ".", "x", "x.y", device[:-1], "y" + device, device + "é"):
        assert not desk.accounts.knows(made_up, "county")


def test_failures_of_an_address_are_limited_whatever_names_it_tries(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    accounts = Accounts(desk.vault, FAST, lambda: desk.now, address_failures=3)
    for n in range(3):
        with pytest.raises(LoginRefused):
            accounts.log_in(f"name{n}", BAD, address="10.0.0.9")
    with pytest.raises(LoginLocked) as refused:
        accounts.log_in("county", GOOD, address="10.0.0.9")
    assert refused.value.retry_after == 200 and "200 秒" in refused.value.zh
    assert accounts.log_in("county", GOOD, address="10.0.0.8")


def test_a_good_log_in_forgets_the_failures(desk: Desk) -> None:
    for _ in range(3):
        desk.fail(FREE_TRIES - 1)
        desk.accounts.log_in("county", GOOD)


def test_a_name_that_is_no_account_locks_alike(desk: Desk) -> None:
    """Else the lock would tell which names are accounts."""
    desk.fail(FREE_TRIES, login="nobody")
    with pytest.raises(LoginLocked):
        desk.accounts.log_in("nobody", BAD)
    desk.now += LONGEST_DELAY + 1
    desk.fail(1, login="nobody")


def test_guesses_sent_at_once_meet_the_lock_too(desk: Desk) -> None:
    answers: list[str] = []
    slow = Accounts(desk.vault, PasswordHasher(2, 32768, 1), lambda: desk.now)
    slow.set_password("county", desk.officer, GOOD)

    def guess() -> None:
        try:
            slow.log_in("county", BAD)
        except (LoginRefused, LoginLocked) as problem:
            answers.append(type(problem).__name__)

    threads = [threading.Thread(target=guess) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 40
    assert answers.count("LoginRefused") <= FREE_TRIES + 1, answers


def test_a_new_password_ends_all_sessions_and_the_lock(desk: Desk) -> None:
    tokens = [desk.accounts.log_in("county", GOOD, kind)[0] for kind in ("session", "token")]
    desk.fail(FREE_TRIES)
    desk.accounts.set_password("county", desk.officer, "battery staple")
    assert desk.accounts.session(tokens[0], "session") is None
    assert desk.accounts.session(tokens[1], "token") is None
    desk.fail(1)
    assert desk.accounts.log_in("county", "battery staple")


def test_logging_out_ends_that_session_alone(desk: Desk) -> None:
    one, two = (desk.accounts.log_in("county", GOOD)[0] for _ in range(2))
    desk.accounts.log_out(one)
    assert desk.accounts.session(one, "session") is None
    assert desk.accounts.session(two, "session") is not None


def test_a_forged_or_foreign_token_is_nobody(desk: Desk) -> None:
    token, _ = desk.accounts.log_in("county", GOOD)
    for forged in ("", "x", token[:-1], token + "x", token.swapcase()):
        assert desk.accounts.session(forged, "session") is None


def test_short_passwords_are_refused(desk: Desk) -> None:
    with pytest.raises(PasswordRefused):
        desk.accounts.set_password("new", uuid4(), "short")
    assert desk.accounts.officer_of("new") is None


def test_neither_passwords_nor_tokens_lie_on_disk(desk: Desk, tmp_path: Path) -> None:
    token, session = desk.accounts.log_in("county", GOOD)
    content = b"".join(path.read_bytes() for path in tmp_path.glob("vault.sqlite*"))
    assert session.csrf.encode() in content, "the search itself can find"
    assert token.encode() not in content and GOOD.encode() not in content


def test_sessions_outlive_a_restart(desk: Desk, tmp_path: Path) -> None:
    token, session = desk.accounts.log_in("county", GOOD)
    desk.vault.close()
    again = Accounts(SQLiteVault(tmp_path / "vault.sqlite"), FAST, lambda: desk.now)
    assert again.session(token, "session") == session
    assert again.logins() == {desk.officer: ["county"]}


def test_everybody_who_is_logged_in_is_listed_and_nothing_else(desk: Desk) -> None:
    """What was used once lies in the same table, and is nobody's."""
    desk.accounts.begin(desk.officer, "county", VOUCHED)
    desk.accounts.begin(desk.officer, "county", "half")
    assert desk.accounts.use_once("a state", 600)
    ((officer, one),) = desk.accounts.open_sessions()
    assert (officer, one.login, one.kind) == (desk.officer, "county", "session")
