"""The running system as the edge sees it: store, views, boards, accounts, live hub."""

import hmac
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select

from api.backing_up import Backups
from api.beside import AskedTogether, Waiting
from api.bodies import HeldBodies
from api.checkup import Found, Looks, checkup
from api.errands import Errand
from api.known_at import Reading, moment_asked
from api.limits import DEFAULT_LIMITS, EdgeLimits, Quotas
from api.proofs_kept import Proofs
from api.provider_settings import ProviderSettings
from api.unsealing import RunningLooks
from domain.access import posts_at
from domain.login_name import LoginName
from domain.officer import Officer
from domain.posts import post_of
from domain.world import Role
from eventstore.access_log import AccessLog
from eventstore.accounts import Accounts, Session
from eventstore.lately import Lately
from eventstore.store import Store
from projections.areas import ABOVE, AREAS
from projections.folding.engine import Applied, ViewsDatabase
from projections.folding.reader import ViewsReader
from streams.following import Boards
from streams.past import Past

LATELY_SECONDS = 1.0
OFFICERS = 10_000


class AreaTree:
    """Parents of areas, in memory, kept by what the boards tell.

    A change is noted when the boards tell of it, and read by the next `look_again`: whoever asks
    for a lineage is answered out of memory, on the event loop's thread too, and where a connection
    to the views is held already.
    """

    def __init__(self, reader: ViewsReader) -> None:
        self._reader = reader
        self._known: tuple[int, dict[UUID, UUID | None]] | None = None
        """The parents, and how many changes had been told before they were read."""
        self._changes = 0
        self._lock = threading.Lock()

    def applied(self, applied: Applied) -> None:
        if "areas" in applied.changed:
            with self._lock:
                self._changes += 1

    @property
    def behind(self) -> bool:
        """Whether something has changed since they were read."""
        return self._known is None or self._known[0] != self._changes

    def look_again(self) -> None:
        """Read them if something has changed. On a thread that may wait."""
        if not self.behind:
            return
        changes = self._changes
        with self._reader() as db:
            rows = db.execute(select(AREAS.c.id, ABOVE)).all()
        known = {UUID(i): UUID(p) if p else None for i, p in rows}
        with self._lock:
            if self._known is None or self._known[0] <= changes:
                self._known = changes, known

    def parents(self) -> dict[UUID, UUID | None]:
        if self._known is None:
            self.look_again()
        assert self._known is not None
        return self._known[1]

    def lineage(self, area: UUID) -> tuple[UUID, ...]:
        """The area, its parent, … up to the root; empty when there is no such area."""
        parents = self.parents()
        steps: list[UUID] = []
        at: UUID | None = area
        while at is not None and at in parents:
            steps.append(at)
            at = parents[at]
        return tuple(steps)

    def inside(self, area: UUID, roots: Iterable[UUID]) -> bool:
        """Whether the area lies in (or is) one of the roots."""
        lineage = self.lineage(area)
        return any(root in lineage for root in roots)


@dataclass(frozen=True, slots=True)
class House:
    """What the composition root knows of a process: its data folder, and its limits, each by the
    name of its setting."""

    data: Path = field(default_factory=Path)
    limits: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class System:
    """Everything a request may need. Made by the composition root in `cli.compose`."""

    store: Store
    views: ViewsDatabase
    views_reader: ViewsReader
    """The views as they are now, whatever moment somebody looks at."""
    past: Past
    boards: Boards
    accounts: Accounts
    tree: AreaTree
    backups: Backups
    secure_cookies: bool = False
    after_wait_seconds: float = 5.0
    public_url: str = ""
    """Where officers reach the pages, without a slash at its end; "" if it is not set."""
    limits: EdgeLimits = DEFAULT_LIMITS
    factor_roles: frozenset[Role] = frozenset()
    """Whose log-ins must have a second factor."""
    house: House = House()
    provider: ProviderSettings | None = None
    """The identity provider that officers may log in by, if there is one."""
    marks: dict[str, str] = field(default_factory=dict)
    waiting_counts: dict[UUID, tuple[int, float, int]] = field(default_factory=dict)
    """By officer how much waits: at which position of the views and when it was counted."""
    checkup: Errand[Found] = field(default_factory=lambda: checkup(Looks, least=0))
    quotas: Quotas = field(init=False)
    bodies: HeldBodies = field(init=False)
    waiting: Waiting = field(init=False)
    head: AskedTogether[int] = field(init=False)
    looks: RunningLooks = field(init=False)
    proofs: Proofs = field(init=False)
    readings: AccessLog = field(init=False)
    """Who read what of people."""
    reader: Reading = field(init=False)
    """The views as of the moment that a request is about."""

    def __post_init__(self) -> None:
        self.reader = Reading(self.views_reader, self.past)
        self.quotas = Quotas(self.limits)
        self.bodies = HeldBodies(self.limits.held_body_bytes)
        self.waiting = Waiting(self.boards)
        self.head = AskedTogether(self.store.head, "head")
        self.looks = RunningLooks(self.store)
        self.proofs = Proofs(self.store)
        self.readings = AccessLog(self.store.vault)
        self._officers = Lately[UUID, Officer](LATELY_SECONDS, OFFICERS)
        self._names = Lately[str, LoginName](LATELY_SECONDS, OFFICERS)

    @cached_property
    def cursor_key(self) -> bytes:
        """What seals cursors: the same in every process, made of a secret that is there already."""
        return hmac.digest(self.store.vault.secret("token-hmac"), b"cursors of lists", "sha256")

    def look_again(self) -> None:
        """Find out what is kept in memory and may have changed: the parents of areas, and what an
        empty store has become. On a thread that may wait."""
        self.tree.look_again()
        self.store.settle()

    def moment(self) -> datetime:
        """What a request means by now: the store's time, or the moment of the past it is about."""
        asked = moment_asked()
        return self.store.clock.now() if asked is None else asked.at

    def officer(self, id: UUID) -> Officer | None:
        """The officer as the log has them now: a suspension takes effect at once."""
        found: Officer | None = self.store.load(id)
        return found

    def officer_lately(self, id: UUID) -> Officer | None:
        """The officer as of this second: for a first look, before the log decides."""
        found = self._officers.get(id)
        if found is None and (found := self.officer(id)) is not None:
            self._officers.keep(id, found)
        return found

    def knows_lately(self, id: UUID) -> Officer | None:
        """`officer_lately`, if it answers without asking the log."""
        return self._officers.get(id)

    def login_name(self, login: str) -> LoginName | None:
        """The stream of a log-in name; stores of before names had streams may have none."""
        found = self.store.load(LoginName.id_of(login))
        return found if isinstance(found, LoginName) else None

    def needs_factor(self, officer: Officer) -> bool:
        """Whether one of the officer's present posts asks for a second factor."""
        return self.has_post(officer, self.factor_roles)

    def has_post(self, officer: Officer, roles: frozenset[Role]) -> bool:
        """Whether one of the officer's present posts is of these roles."""
        held = posts_at(officer, self.store.clock.now()) if roles else ()
        return any(post_of(one).role in roles for one in held)

    def must_enroll(self, session: Session) -> bool:
        """Whether this session may do nothing before its log-in name has a second factor."""
        if not self.factor_roles or self.accounts.factors.has(session.login):
            return False
        if session.vouched and self.provider is not None and self.provider.second_factors:
            return False
        officer = self.officer_lately(session.officer)
        return officer is not None and self.needs_factor(officer)

    def must_connect(self, session: Session) -> bool:
        """Whether this session may do nothing before its log-in name is connected to the provider,
        which alone is to open it."""
        if self.provider is None or not self.provider.only_roles:
            return False
        officer = self.officer_lately(session.officer)
        if officer is None or not self.has_post(officer, self.provider.only_roles):
            return False
        name = self._names.get(session.login)
        if name is None and (name := self.login_name(session.login)) is not None:
            self._names.keep(session.login, name)
        return name is None or not (name.recovered or self.connected(name))

    def connected(self, name: LoginName) -> bool:
        """Whether an account at the provider of today opens this log-in name."""
        at = self.provider
        return at is not None and name.identity is not None and name.provider == at.issuer

    def forget_names(self) -> None:
        """A connection was made or ended just now: its officer is not to wait for it."""
        self._names.clear()

    def by_provider_alone(self, officer: UUID, login: str) -> bool:
        """Whether a password does not open this log-in name. One that is not connected yet is
        opened, to be connected; so is one that the keeper of the machine has recovered."""
        if self.provider is None or not self.provider.only_roles:
            return False
        held, name = self.officer(officer), self.login_name(login)
        if held is None or name is None or name.recovered or not self.connected(name):
            return False
        return self.has_post(held, self.provider.only_roles)
