"""kill -9 on the real server, at every named point, under clients that never give up.

Each client has one command under way and sends it with the same Idempotency-Key until it is
answered. Whatever was answered must be in the log once, whole, and readable; nothing may be
there twice; and the views must equal a rebuild.
"""

import random
import signal
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from domain.base import NOBODY
from domain.household import Household
from eventstore.accounts import Accounts
from eventstore.faults import POINTS
from eventstore.store import Store
from projections.catalog import VIEWS
from projections.folding import rebuild
from projections.folding.engine import ViewsDatabase
from streams.embedded import Follower
from tests.clients import Client, Clients, members_wishes, served, units_wishes
from tests.eventstore.support import (
    found_town,
    loaded,
    named,
    new_household,
    officer,
    open_store,
    send,
)
from tests.faults import TIMEOUT, Told, count
from tests.id_numbers import id_number
from tests.oracles import check_log

KILLS_A_POINT = count(3, 20)
RESENT = count(15, 30)
CLIENTS = 8
MAX_SECONDS_A_KILL = 30.0


class Made(msgspec.Struct):
    """Of a stored fact, the command that made it and who gave it."""

    class Meta(msgspec.Struct):
        command: UUID
        actor: UUID

    meta: Meta


MADE = msgspec.json.Decoder(Made)


def facts_by_command(folder: Path) -> Counter[UUID]:
    """What officers did; the ledger records its own seat by itself, at an opening."""
    with closing(sqlite3.connect(folder / "log.sqlite")) as db:
        rows = db.execute("SELECT position, state FROM events ORDER BY position").fetchall()
        assert [row[0] for row in rows] == list(range(1, len(rows) + 1))
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    made = [MADE.decode(row[1]).meta for row in rows]
    return Counter(one.command for one in made if one.actor != NOBODY)


@pytest.fixture
def town(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """A store's folder with a household for each odd client; bearer tokens by officer."""
    folder = tmp_path / "store"
    store = found_town(open_store(folder))
    for n in range(1, CLIENTS, 2):
        send(store, new_household("钱多", id_number(n), key=str(n)), by="reporter")
    accounts = Accounts(store.vault)
    tokens = {}
    for name in ("dispatcher", "reporter"):
        accounts.set_password(name, officer(name), "correct horse")
        tokens[name] = accounts.log_in(name, "correct horse", "token")[0]
    store.close()
    return folder, tokens


def clients_of(tokens: dict[str, str]) -> Clients:
    """The even ones keep units, the odd ones households."""
    clients = Clients()
    for n in range(CLIENTS):
        if n % 2:
            clients.add(tokens["reporter"], members_wishes(str(n), named(f"household/{n}")))
        else:
            clients.add(tokens["dispatcher"], units_wishes(str(n), named("county")))
    return clients


@pytest.mark.timeout(TIMEOUT)
def test_nothing_acknowledged_is_lost_or_doubled_by_any_kill(
    town: tuple[Path, dict[str, str]], record_property: Told
) -> None:
    folder, tokens = town
    env = {"RELIEF_DATA": str(folder)}
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    chance = random.Random(seed)
    before = set(facts_by_command(folder))
    clients = clients_of(tokens)
    plan = [point for point in POINTS for _ in range(KILLS_A_POINT)]
    chance.shuffle(plan)
    hit: Counter[str] = Counter()
    clients.start()
    for point in plan:
        with served(env, f"{point}:{chance.randint(2, 25)}") as server:
            clients.serve_at(server.port)
            code = server.process.wait(timeout=MAX_SECONDS_A_KILL)
            clients.serve_at()
            assert code == -signal.SIGKILL, code
        hit[point] += 1
        clients.check()
        stored, acknowledged = facts_by_command(folder), clients.acknowledged
        lost = {key for key, facts in acknowledged.items() if stored[key] != facts}
        assert not lost, f"after {point}: lost or doubled {lost}"
    with served(env) as server:
        clients.serve_at(server.port)
        clients.finish()
    assert hit == dict.fromkeys(POINTS, KILLS_A_POINT)
    assert clients.resent >= RESENT
    _compare(folder, clients, before)
    told = f"{len(plan)} kills, {len(clients.acknowledged)} acknowledged, {clients.resent} resent"
    record_property("A4", f"embedded: {told}; 0 lost, 0 doubled, views equal to a rebuild")


def _compare(folder: Path, clients: Clients, before: set[UUID]) -> None:
    """The log holds what was answered and no more; sealed names can be read; views are equal."""
    stored, acknowledged = facts_by_command(folder), clients.acknowledged
    assert {key: stored[key] for key in acknowledged} == acknowledged
    assert set(stored) - before == set(acknowledged)
    store = open_store(folder)
    try:
        check_log(store.log, acknowledged)
        for client in clients.all:
            if client.number % 2:
                _check_household(store, client)
        views = ViewsDatabase(folder / "views.sqlite", VIEWS)
        follower = Follower(store, views)
        while follower.step():
            pass
        assert views.position() == store.head()
        report = rebuild.check(Path(store.log.source), views, workers=1, batch=97)
        views.close()
        assert report.events == store.head()
        assert not [view.name for view in report.views if not view.equal]
    finally:
        store.close()


def _check_household(store: Store, client: Client) -> None:
    household: Household = loaded(store, named(f"household/{client.number}"))
    names = [
        store.vault.unseal(member.name, household.id, "name")
        for member in household.members.values()
    ]
    assert len(names) == len(set(names)) == 1 + len(client.acknowledged)
    assert None not in names
