"""Beginning a store of one's own: from an empty log to an administrator who can log in.

The steps are the same for `relief init` and for the pages of `/setup`: note what is begun,
establish the divisions and the seat, put the first administrator in post, rehearse one restore,
invite them. Each is done once, however often it is asked for: a run that was killed anywhere is
given again and goes on (decision 0050). What was chosen stands in a mark of the log before the
first fact, so that a run that goes on needs no more than the same words, and another county is
refused.

Divisions are found again by their codes: an id is random for everybody who does not hold the vault,
and follows from a secret in it and the code.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, Final
from uuid import UUID

import msgspec

from api.begun import (
    BEGINNING,
    BEGUN,
    DEMO,
    DemoStore,
    IsReal,
    IsTraining,
    OtherAdministrator,
    OtherDivision,
    begun_here,
    not_set_up,
)
from api.choosing import Choice
from api.rehearsing import Rehearsed, rehearse, rehearsed
from api.rules_begun import InForceNow, adoption, region_of, rulebooks_in_force
from api.system import System
from domain.area import Area, AreaLevel
from domain.commands.areas import AreaPlan, EstablishAreas
from domain.commands.officers import AppointOfficer, OpenAccount, RegisterOfficer
from domain.commands.store import RecordStore
from domain.ids import seeded_id
from domain.login_name import as_typed, check_login
from domain.officer import Officer
from domain.one_line import in_one_line
from domain.refusal import AlreadyExists, Malformed, missing
from domain.rules.base import china_day
from domain.store import Store as Ledger
from domain.world import Command, Role
from eventstore.invitations import Invitation, Invitations
from eventstore.keyfile import fingerprint
from eventstore.lineage import seat_recorded_or_found
from eventstore.outcomes import Envelope, Receipt, Refused
from eventstore.sealing_pairs import sealing_pair
from intake.register import NATION, OF_DAY, Division, Register

AREAS_A_COMMAND: Final = 250
AREAS_A_QUESTION: Final = 500
TRIES: Final = 5
"""How often two who begin at the same time may get in each other's way."""
ESTABLISHED_ON: Final = date.fromisoformat(OF_DAY)
DOCUMENT: Final = f"国家统计局统计用区划代码（{OF_DAY}）"

Told = Callable[[int, int], None]
"""Told how many divisions are there, of how many."""


@dataclass(frozen=True, slots=True)
class Administrator:
    """The first one: the log-in name, and the full name, which is sealed."""

    login: str
    name: str


@dataclass(frozen=True, slots=True)
class _Named:
    """A name under the name of its field in `RegisterOfficer`."""

    full_name: str


@dataclass(frozen=True, slots=True)
class Divided:
    """How the divisions from the seat down stand: how many, of which how many are new."""

    divisions: int
    townships: int
    villages: int
    added: int
    known: int


@dataclass(frozen=True, slots=True)
class Begun:
    """What a run came to. ``invitation`` only where this run made one: its code is shown once."""

    divided: Divided
    invitation: Invitation | None


class Beginning:
    """The steps. One object serves one store; several processes may go through them at a time."""

    def __init__(self, system: System, register: Register) -> None:
        self._system = system
        self._store = system.store
        self.register = register

    def require_fit(self, choice: Choice) -> None:
        """Refuse what this store can never become. Changes nothing.

        Raises `DemoStore`, `OtherDivision`, `OtherNature`.
        """
        log = self._store.log
        if log.mark(DEMO) is not None:
            raise DemoStore
        kept = begun_here(log)
        if kept is not None and (kept.seat, kept.counties) != (choice.seat, choice.counties):
            raise OtherDivision(name=self._name(kept))
        if kept is not None and kept.training is not choice.training:
            raise (IsTraining if kept.training else IsReal)(name=self._name(kept))
        if kept is None and log.head():
            seat = self._store.load(seat_recorded_or_found(self._store))
            raise OtherDivision(name=seat.name if isinstance(seat, Area) else "?")

    # -- the steps ----------------------------------------------------------------------------

    def mark(self, choice: Choice) -> Choice:
        """Note what is begun. What was noted first counts: this choice, or the same with others
        of its villages. Raises as `require_fit`."""
        self.require_fit(choice)
        log = self._store.log
        log.set_mark(BEGINNING, msgspec.json.encode(choice).decode(), keep=True)
        self.require_fit(choice)  # another process may have noted another county just now
        if choice.training:  # practice may go on faster than life, see `relief clock advance`
            self._store.begin_simulated(self._store.real.now())
            self._store.run_clock()
        return begun_here(log) or choice

    def establish(self, choice: Choice, told: Told = lambda done, of: None) -> Divided:
        """Establish the seat, what lies over it and what is chosen below, and record the seat."""
        wanted = self._wanted(choice)
        counted = self._counted(choice, wanted)
        there = self._there(wanted)
        known = sum(one.key in there for one in counted)
        for _ in range(TRIES):
            todo = [one for one in wanted if one.key not in there]
            if not todo:
                break
            self._establish(choice, todo, len(wanted), told)
            there = self._there(wanted)
        else:
            raise RuntimeError("the divisions could not be established")
        told(len(wanted), len(wanted))
        return _divided(counted, known)

    def appoint(self, choice: Choice, admin: Administrator) -> UUID:
        """Put the first administrator in post at the seat, with a log-in name.

        A name that is refused (a mark that nobody sees) may be given again, for another one is
        another command.
        """
        admin = checked(admin)
        login = admin.login
        person = self._id("person", "administrator")
        officer, area = Officer.id_of(person), self.area_id(choice.seat)
        known = self.login()
        if known is not None and known != login:
            raise OtherAdministrator(login=known)
        post = AppointOfficer(
            id=self._id("appointment", "administrator"),
            officer=officer,
            role=Role.ADMINISTRATOR,
            area=area,
            starts_on=china_day(self._store.clock.now()),
        )
        named = RegisterOfficer(person=person, full_name=admin.name, area=area)
        self._run(
            (("administrator", login, admin.name), named),
            (("post", login, admin.name), post),
            (("account", login, admin.name), OpenAccount(officer=officer, login=login)),
        )
        return officer

    def adopt(self, choice: Choice, region: str) -> None:
        """Adopt a region's rulebooks for those of its areas that are established here."""
        areas = {one.code: self.area_id(one.key) for one in self._wanted(choice)}
        fit = [book for book in region_of(region) if book.area_code in areas]
        if not fit:
            raise Malformed(
                field="regional",
                value=region,
                rule_zh="其中没有适用于本区划的规则",
                rule_en="none of its rules is of a division that is begun here",
            )
        self._run(
            *(
                (
                    ("rules", book.area_code, book.kind, book.version),
                    adoption(book, areas[book.area_code]),
                )
                for book in fit
            )
        )

    def rehearse(self) -> Rehearsed:
        """Put a backup back once, into a folder that is thrown away, and compare."""
        return rehearse(self._store)

    def invite(self) -> Invitation:
        """A new code for the first administrator; one that was made before is of no use any more.

        It is shown once. Whoever lost it is given another one by `relief officer invite`.
        """
        login = self.login()
        assert login is not None, "appointed first"
        return Invitations(self._store).invite(login, self.officer)

    def finish(self) -> None:
        """Note that all steps are done."""
        self._store.log.set_mark(BEGUN, self._store.clock.now().isoformat(), keep=True)

    def run(
        self,
        choice: Choice,
        admin: Administrator,
        *,
        regional: str = "",
        told: Told = lambda done, of: None,
    ) -> Begun:
        """All steps that are not done yet. On a store that is set up it changes nothing.

        Raises `DemoStore`, `OtherDivision`, `OtherNature`, `OtherAdministrator`, `Malformed`, or a
        `StoreError`.
        """
        checked(admin)
        self.require_fit(choice)
        if not not_set_up(self._store.log):
            return Begun(self.divided(choice), None)
        choice = self.mark(choice)
        divided = self.establish(choice, told)
        if regional:
            self.adopt(choice, regional)
        self.appoint(choice, admin)
        self.rehearse()
        invitation = self.invite()
        self.finish()
        return Begun(divided, invitation)

    # -- how it stands ------------------------------------------------------------------------

    def steps(self) -> list[dict[str, Any]]:
        """The steps by name, in their order, and whether each is done."""
        choice = begun_here(self._store.log)
        whole = choice is not None and self._whole(choice)
        finished = not not_set_up(self._store.log)
        done = {
            "nature": choice is not None or finished,
            "divisions": whole or finished,
            "administrator": self.login() is not None or finished,
            "keys": self._store.vault.key_file.exists(),
            "rehearsal": rehearsed(self._store.log) is not None or finished,
            "invitation": finished,
        }
        return [{"name": name, "done": is_done} for name, is_done in done.items()]

    def divided(self, choice: Choice) -> Divided:
        """The divisions as they were chosen, all of which are there."""
        counted = self._counted(choice, self._wanted(choice))
        return _divided(counted, known=len(counted))

    def seat(self, choice: Choice) -> Division:
        return self._division(choice)

    def above(self, choice: Choice) -> list[Division]:
        """What lies over the seat, the nation first."""
        return self.register.above(choice.seat)

    @property
    def officer(self) -> UUID:
        """The first administrator, whether or not they are there yet."""
        return Officer.id_of(self._id("person", "administrator"))

    def login(self) -> str | None:
        """The first administrator's log-in name, once it is open."""
        found = self._system.officer(self.officer)
        return min(found.logins) if found is not None and found.logins else None

    def accepted(self) -> bool:
        """Whether the administrator has a password: from then on the pages of `/setup` are gone."""
        found = self._system.officer(self.officer)
        logins = found.logins if found is not None else ()
        return any(self._system.accounts.officer_of(one) is not None for one in logins)

    def area_id(self, key: str) -> UUID:
        """The id of a division, whether or not it is established."""
        return self._id("area", key)

    def store_id(self) -> UUID:
        return Ledger.id_of(self._store.log.mark("born") or "")

    def rulebooks(self, choice: Choice) -> list[InForceNow]:
        """What is in force at the seat, by kind."""
        line = [self.area_id(one.key) for one in (self.seat(choice), *reversed(self.above(choice)))]
        return rulebooks_in_force(self._store, line, self._store.clock.now())

    def sealing_fingerprint(self) -> str:
        """What the pair that phones will seal with is known by."""
        return sealing_pair(self._store.vault).fingerprint

    def rehearsed(self) -> Rehearsed | None:
        return rehearsed(self._store.log)

    def key_file(self) -> dict[str, str]:
        """Where the vault's key is, and its fingerprint: a backup is of use with this key alone."""
        path = self._store.vault.key_file
        return {"file": str(path.absolute()), "fingerprint": fingerprint(path)}

    # -- how it is done -----------------------------------------------------------------------

    @cached_property
    def _seed(self) -> str:
        return self._store.vault.secret("beginning").hex()

    def _id(self, *parts: str) -> UUID:
        return seeded_id(self._seed, *parts)

    def _division(self, choice: Choice) -> Division:
        found = self.register.find(choice.seat)
        assert found is not None, choice
        return found

    def _name(self, choice: Choice) -> str:
        return self._division(choice).path.replace(" ", "")

    def _wanted(self, choice: Choice) -> list[Division]:
        """Every division, parents before children: what lies over the seat, the seat, the rest."""
        seat = self._division(choice)
        found = [*self.register.above(seat.key), seat]
        left_out = set(choice.left_out)
        for key in choice.counties:
            county = self.register.find(key)
            assert county is not None, key
            found += [county] if county != seat else []
            found += [one for one in self.register.below(key) if one.key not in left_out]
        return found

    def _counted(self, choice: Choice, wanted: Sequence[Division]) -> list[Division]:
        """Those from the seat down."""
        return [one for one in wanted if len(one.key) >= len(choice.seat)]

    def _whole(self, choice: Choice) -> bool:
        wanted = self._wanted(choice)
        return len(self._there(wanted)) == len(wanted)

    def _there(self, wanted: Sequence[Division]) -> set[str]:
        """Those of these divisions that are established."""
        found: set[str] = set()
        for start in range(0, len(wanted), AREAS_A_QUESTION):
            asked = wanted[start : start + AREAS_A_QUESTION]
            some = {self.area_id(one.key): one.key for one in asked}
            found |= {some[id] for id in self._store.log.begun(list(some))}
        return found

    def _establish(self, choice: Choice, todo: Sequence[Division], whole: int, told: Told) -> None:
        """Some hundred divisions a commit. The first commit holds the seat and says that it is the
        seat: nobody ever finds a store whose seat is the nation."""
        seat = self._division(choice)
        first = {one.key for one in (*self.register.above(seat.key), seat)}
        over = [one for one in todo if one.key in first]
        rest = [one for one in todo if one.key not in first]
        if over:
            self._run((("over", choice.seat), self._plans(over)), (("seat",), self._seat(choice)))
        for start in range(0, len(rest), AREAS_A_COMMAND):
            told(whole - len(rest) + start, whole)
            some = rest[start : start + AREAS_A_COMMAND]
            self._run((("areas", some[0].key, some[-1].key, len(some)), self._plans(some)))

    def _plans(self, divisions: Sequence[Division]) -> EstablishAreas:
        plans = []
        for one in divisions:
            parent = None if one.key == NATION else self.area_id(self.register.parent(one.key))
            plans.append(
                AreaPlan(
                    id=self.area_id(one.key),
                    code=one.code,
                    name=one.name,
                    level=one.level,
                    parent=parent,
                )
            )
        return EstablishAreas(
            areas=tuple(plans), established_on=ESTABLISHED_ON, document_no=DOCUMENT
        )

    def _seat(self, choice: Choice) -> RecordStore:
        log = self._store.log
        return RecordStore(
            born=log.mark("born") or "",
            seat=self.area_id(choice.seat),
            simulated=self._store.simulated,
            training=choice.training,
            timeline=log.timeline(),
        )

    def _run(self, *named: tuple[tuple[object, ...], Command]) -> None:
        """Commands of one commit, each with what it is about, from which its id follows. Those
        that have run are left out."""
        envelopes = []
        for parts, command in named:
            id = self._store.system_command_id("beginning", *parts)
            if not self._store.log.has_run(id):
                envelopes.append(Envelope(id=id, officer=None, command=command))
        for answer in self._store.run_many(envelopes):
            if isinstance(answer, Refused) and answer.problem.code == AlreadyExists.code():
                continue  # another process has just done it; whoever asks looks again
            if not isinstance(answer, Receipt):
                raise answer


def checked(admin: Administrator) -> Administrator:
    """Name and log-in name without spaces at their ends. `Malformed` if they are none, as the
    commands of `Beginning.appoint` would say it once the county is noted for ever."""
    login, name = as_typed(admin.login), in_one_line(_Named(admin.name.strip())).full_name
    check_login(login)
    if not name:
        raise missing("full_name")
    return Administrator(login, name)


def _divided(counted: Sequence[Division], known: int) -> Divided:
    levels = [one.level for one in counted]
    return Divided(
        divisions=len(counted),
        townships=levels.count(AreaLevel.TOWNSHIP),
        villages=levels.count(AreaLevel.VILLAGE),
        added=len(counted) - known,
        known=known,
    )
