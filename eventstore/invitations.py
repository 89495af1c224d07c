"""Invitations: a code by which an officer sets the password of a log-in name, once.

A code has 16 letters and digits (80 random bits), without those that are mistaken for others on a
slip of paper. The vault keeps its hash only. That there is an invitation is a fact
(`LoginName.Invited`); so is the password that came of it, and the fact comes first.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID, uuid4

from domain.commands.logins import INVITATION_HOURS, InviteOfficer, RecordPassword
from domain.login_name import LoginName, PasswordWay, as_typed
from eventstore.accounts import Accounts
from eventstore.codes import grouped, plain
from eventstore.codes import made as new_code
from eventstore.outcomes import Envelope
from eventstore.passwords import check_password
from eventstore.sql import transaction
from eventstore.store import Store

LENGTH = 16


class InvitationUnknown(Exception):
    """No invitation has this code, or a later one has replaced it."""

    zh = "没有这个邀请码，请核对；如曾重新邀请，以最新的一张为准"
    en = "There is no invitation with this code. Compare it; a newer one replaces the one before."


class InvitationOver(Exception):
    """The code was used, or its time is over."""

    zh = "这个邀请码已经用过或已过期，请联系管理员重新邀请"
    en = "This invitation was used or has expired: ask your administrator for a new one."


@dataclass(frozen=True, slots=True)
class Invitation:
    """Whose it is and until when (seconds since 1970). ``code`` only where it was made."""

    login: str
    officer: UUID
    expires: float
    code: str = ""


class Invitations:
    """The invitations of one store, on its clock: that of the facts which tell of them.

    In a real store that is real time, guarded (decision 0057).
    """

    def __init__(self, store: Store, clock: Callable[[], float] | None = None) -> None:
        self._store, self._vault = store, store.vault
        self._clock = clock or (lambda: store.clock.now().timestamp())

    def begin(self, login: str, officer: UUID, hours: float = INVITATION_HOURS) -> Invitation:
        """A new code for a log-in name, however it was typed; the one before is of no use any more.

        The name is kept as it was opened: typed otherwise, its older code would go on opening it.
        """
        name = self._store.load(LoginName.id_of(as_typed(login)))
        login = name.login if isinstance(name, LoginName) else login
        code = new_code(LENGTH)
        made = Invitation(login, officer, self._clock() + hours * 3600, grouped(code))
        with self._vault.lock, transaction(self._vault.db) as db:
            db.execute("DELETE FROM invitations WHERE login=?", (login,))
            db.execute(
                "INSERT INTO invitations (code, login, officer, expires, used) VALUES (?,?,?,?,0)",
                (_digest(code), login, officer.bytes, made.expires),
            )
        return made

    def invite(self, login: str, officer: UUID) -> Invitation:
        """The fact of an invitation and then its code, for who keeps the machine.

        Raises a `Refused` when the officer is suspended, or has no such log-in name.
        """
        command = InviteOfficer(officer=officer, login=login)
        self._store.run(Envelope(id=uuid4(), officer=None, command=command))
        return self.begin(login, officer)

    def find(self, code: str) -> Invitation:
        """The living invitation of a code. Raises `InvitationUnknown` or `InvitationOver`."""
        with self._vault.lock:
            row = self._vault.db.execute(
                "SELECT login, officer, expires, used FROM invitations WHERE code=?",
                (_digest(plain(code)),),
            ).fetchone()
        if row is None:
            raise InvitationUnknown
        if row[3] or row[2] < self._clock():
            raise InvitationOver
        return Invitation(row[0], UUID(bytes=row[1]), row[2])

    def accept(self, accounts: Accounts, code: str, password: str) -> Invitation:
        """Set the first password by a code. Killed at any point and sent again, it is done once.

        Raises also `PasswordRefused`, and a `Refused` when the officer is suspended meanwhile.
        """
        found = self.find(code)
        check_password(found.login, password)
        digest = _digest(plain(code))
        command = RecordPassword(
            officer=found.officer, login=found.login, way=PasswordWay.INVITATION
        )
        officer = self._store.load(found.officer)
        if officer is None:
            raise InvitationUnknown  # of a vault that is newer than its log
        # Of the officer's state too: who was suspended, and is not any more, is not refused again.
        id = self._store.system_command_id("invitation", digest.hex(), officer.version)
        self._store.run(Envelope(id=id, officer=None, command=command))
        if not accounts.set_password(found.login, found.officer, password, by=digest):
            raise InvitationOver  # another device with the same code was faster
        return found


def _digest(code: str) -> bytes:
    return hashlib.sha256(f"invitation/{code}".encode()).digest()
