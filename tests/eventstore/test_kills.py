"""kill -9 on the real server, at every named point, under clients that never give up.

Each client has one command under way and sends it with the same Idempotency-Key until it is
answered. Whatever was answered must be in the log once, whole, and readable; nothing may be
there twice; and the views must equal a rebuild.
"""

import http.client
import itertools
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from domain.household import Household
from eventstore.accounts import Accounts
from eventstore.faults import POINTS
from eventstore.store import Store
from projections import rebuild
from projections.catalog import VIEWS
from projections.engine import ViewsDatabase
from streams.embedded import Follower
from tests.eventstore.support import (
    ROOT,
    found_town,
    id_number,
    loaded,
    named,
    new_household,
    officer,
    open_store,
    send,
)

KILLS_A_POINT = 6
CLIENTS = 8
MAX_SECONDS_A_KILL = 30.0


class Made(msgspec.Struct):
    """Of a stored fact, the command that made it."""

    class Meta(msgspec.Struct):
        command: UUID

    meta: Meta


MADE = msgspec.json.Decoder(Made)


class Client(threading.Thread):
    """Sends commands one after another; each again and again until it is answered."""

    def __init__(self, number: int, token: str, clients: "Clients") -> None:
        super().__init__(name=f"client-{number}", daemon=True)
        self.number, self.token, self.clients = number, token, clients
        self.acknowledged: dict[UUID, int] = {}
        self.under_way: UUID | None = None
        self.added = 0
        self.resent = 0
        self.problem: BaseException | None = None
        self._line: http.client.HTTPConnection | None = None
        self._port = 0

    def run(self) -> None:
        try:
            for n in itertools.count():
                if self.clients.stop.is_set():
                    return
                self._until_answered(*self._wish(n))
        except BaseException as problem:
            self.problem = problem

    def _wish(self, n: int) -> tuple[str, dict[str, Any]]:
        if self.number % 2:
            member = {"name": f"孩子{self.number}-{n}", "relation": "child", "sex": "female"}
            household = named(f"household/{self.number}")
            self.added += 1
            return f"/v1/households/{household}/members", {"reason": "出生", "member": member}
        unit = named(f"unit/{self.number}/{n // 3}")
        if n % 3 == 0:
            body = {"unit": str(unit), "area": str(named("county")), "name": f"{n}队", "size": 4}
            return "/v1/units", body | {"kind": "militia"}
        if n % 3 == 1:
            return f"/v1/units/{unit}/absences", {"reason": "轮休"}
        return f"/v1/units/{unit}/returns", {}

    def _until_answered(self, path: str, body: dict[str, Any]) -> None:
        key = self.under_way = uuid4()
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Idempotency-Key": str(key),
            "Content-Type": "application/json",
        }
        while True:
            try:
                status, answer = self._send(path, body, headers)
            except (OSError, http.client.HTTPException):
                self._line = None
                self.resent += 1
                time.sleep(0.02)
                continue
            if status == 503:
                time.sleep(0.02)
                continue
            assert status == 200, (status, answer)
            self.acknowledged[key] = json.loads(answer)["facts"]
            self.under_way = None
            return

    def _send(self, path: str, body: dict[str, Any], headers: dict[str, str]) -> tuple[int, bytes]:
        self.clients.up.wait(MAX_SECONDS_A_KILL)
        port = self.clients.port
        if self._line is None or self._port != port:
            self._line = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            self._port = port
        self._line.request("POST", path, json.dumps(body), headers)
        answer = self._line.getresponse()
        return answer.status, answer.read()


class Clients:
    """All clients, and where the server is now (port 0: nowhere)."""

    def __init__(self, tokens: dict[str, str]) -> None:
        self.port = 0
        self.up = threading.Event()
        self.stop = threading.Event()
        names = ("dispatcher", "reporter")
        self.all = [Client(n, tokens[names[n % 2]], self) for n in range(CLIENTS)]

    def acknowledged(self) -> dict[UUID, int]:
        return {
            key: facts for client in self.all for key, facts in dict(client.acknowledged).items()
        }

    def serve_at(self, port: int) -> None:
        self.port = port
        if port:
            self.up.set()
        else:
            self.up.clear()

    def check(self) -> None:
        for client in self.all:
            if client.problem is not None:
                raise client.problem


def facts_by_command(folder: Path) -> Counter[UUID]:
    with closing(sqlite3.connect(folder / "log.sqlite")) as db:
        rows = db.execute("SELECT position, state FROM events ORDER BY position").fetchall()
        assert [row[0] for row in rows] == list(range(1, len(rows) + 1))
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    return Counter(MADE.decode(row[1]).meta.command for row in rows)


@contextmanager
def server(folder: Path, kill_at: str | None) -> Iterator[tuple[subprocess.Popen[str], int]]:
    env = {k: v for k, v in os.environ.items() if not k.startswith("RELIEF_")}
    env["RELIEF_DATA"] = str(folder)
    if kill_at is not None:
        env["RELIEF_KILL_AT"] = kill_at
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.eventstore.served"],
        cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        line = process.stdout.readline().strip()
        yield process, int(line or 0)  # no line: killed before it served
    finally:
        process.kill()
        process.communicate()


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


@pytest.mark.timeout(280)
def test_nothing_acknowledged_is_lost_or_doubled_by_any_kill(
    town: tuple[Path, dict[str, str]],
) -> None:
    folder, tokens = town
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    chance = random.Random(seed)
    before = set(facts_by_command(folder))
    clients = Clients(tokens)
    plan = [point for point in POINTS for _ in range(KILLS_A_POINT)]
    chance.shuffle(plan)
    hit: Counter[str] = Counter()
    for client in clients.all:
        client.start()
    for point in plan:
        with server(folder, f"{point}:{chance.randint(2, 25)}") as (process, port):
            clients.serve_at(port)
            process.wait(timeout=MAX_SECONDS_A_KILL)
            clients.serve_at(0)
            assert process.returncode == -signal.SIGKILL, process.returncode
        hit[point] += 1
        clients.check()
        stored, acknowledged = facts_by_command(folder), clients.acknowledged()
        lost = {key for key, facts in acknowledged.items() if stored[key] != facts}
        assert not lost, f"after {point}: lost or doubled {lost}"
    with server(folder, None) as (_, port):
        clients.serve_at(port)
        clients.stop.set()
        for client in clients.all:
            client.join(timeout=30)
            assert not client.is_alive()
        clients.check()
    assert all(hit[point] >= 3 for point in POINTS) and sum(hit.values()) >= 30
    assert sum(client.resent for client in clients.all) >= 30
    _compare(folder, clients, before)


def _compare(folder: Path, clients: Clients, before: set[UUID]) -> None:
    """The log holds what was answered and no more; sealed names can be read; views are equal."""
    stored, acknowledged = facts_by_command(folder), clients.acknowledged()
    print(f"{len(acknowledged)} acknowledged, {sum(c.resent for c in clients.all)} sent again")
    assert {key: stored[key] for key in acknowledged} == acknowledged
    assert set(stored) - before == set(acknowledged)
    store = open_store(folder)
    try:
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
    assert len(names) == len(set(names)) == 1 + client.added
    assert None not in names
