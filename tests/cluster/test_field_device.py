"""A village's device that was without a network for 48 hours, and then sends what it queued (A21).

Out of order, and all of it twice. Each command takes effect at most once; what others changed
meanwhile is refused with its reason; every command has an answer, and the same one each time.
"""

import json
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from cli.trial.postgres import PostgresServer
from domain.commands.reports import FileInitialReport, PhoneInFollowUp
from domain.commands.units import RegisterUnit
from domain.house_damage import Grade
from domain.situation_report import SituationReport
from domain.unit import UnitKind
from domain.world import Command
from eventstore.outcomes import Envelope
from eventstore.store import Store
from tests.clients import served
from tests.cluster.cities import CityPlace, city_on
from tests.eventstore.support import loaded
from tests.faults import Told
from tests.oracles import check_log

FOLLOW_UPS, RECORDS = 40, 210
QUEUED = 2 * FOLLOW_UPS + 2 * RECORDS
OFFLINE = timedelta(hours=48)
ALONE, SHARED = uuid4(), uuid4()
"""Two reports: nobody else works on the first; of the second the county hears by telephone."""


@pytest.fixture
def city(postgres: PostgresServer, tmp_path: Path) -> Iterator[CityPlace]:
    with city_on(postgres, tmp_path) as found:
        yield found


@dataclass(frozen=True)
class Queued:
    """A command as the device keeps it; ``seen`` is the version on its screen (If-Match)."""

    path: str
    body: dict[str, Any]
    seen: int | None = None
    key: UUID = field(default_factory=uuid4)


def before(store: Store, city: CityPlace, began: datetime) -> None:
    """What the device saw before it went out of reach, and what happened while it was."""
    county = city.city.counties[0]
    village = county.villages[0]

    def do(command: Command, by: str, at: datetime) -> None:
        officer = city.city.officer(by)
        store.run(Envelope(id=uuid4(), officer=officer, command=command, at=at))

    for report in (ALONE, SHARED):
        first = FileInitialReport(
            report=report,
            area=city.city.area(village.key),
            as_of=began,
            hazard="flood",
            figures={"affected": 30},
            occurred_at=began - timedelta(hours=1),
        )
        do(first, village.reporter, began)
    at = began + timedelta(hours=24)
    phoned = PhoneInFollowUp(report=SHARED, as_of=at, figures={"affected": 31}, called_at=at)
    do(phoned, county.dispatcher, at)
    unit = RegisterUnit(
        unit=uuid4(),
        area=city.city.area(county.key),
        name="时钟（演示）队",
        size=3,
        kind=next(iter(UnitKind)),
    )
    do(unit, county.dispatcher, began + OFFLINE)


def queue(city: CityPlace, began: datetime) -> list[Queued]:
    """Follow-ups on what the device last saw, and rows of the rosters."""
    area = str(city.city.area(city.city.counties[0].villages[0].key))
    found = []
    for n in range(FOLLOW_UPS):
        as_of = (began + OFFLINE * (n + 1) / (FOLLOW_UPS + 1)).isoformat()
        body = {"as_of": as_of, "figures": {"affected": 31 + n}, "reason": "逐组核查"}
        for report in (ALONE, SHARED):
            path = f"/v1/situation-reports/{report}/follow-ups"
            found.append(Queued(path, body, seen=1))
    for n in range(RECORDS):
        row = {"record": str(uuid4()), "report": str(ALONE), "area": area}
        found.append(
            Queued("/v1/casualty-records", row | {"fate": "injured", "full_name": f"林{n}"})
        )
        row |= {
            "record": str(uuid4()),
            "owner_name": f"周{n}",
            "grade": Grade.SLIGHT.value,
            "rooms": 1,
        }
        found.append(Queued("/v1/house-damages", row))
    return found


def send(client: httpx.Client, one: Queued) -> tuple[int, dict[str, Any], bool]:
    headers = {"Idempotency-Key": str(one.key)}
    if one.seen is not None:
        headers["If-Match"] = f'"{one.seen}"'
    answer = client.post(one.path, json=one.body, headers=headers)
    return answer.status_code, json.loads(answer.content), "Idempotent-Replay" in answer.headers


def test_what_a_device_queued_for_48_hours_is_done_once_or_refused_with_its_reason(
    city: CityPlace, record_property: Told
) -> None:
    store = city.place.open()
    try:
        began = store.clock.now() + timedelta(hours=1)
        before(store, city, began)
    finally:
        store.close()
    device, chance = queue(city, began), random.Random(21)
    assert len(device) == QUEUED == 500
    answers: list[dict[UUID, tuple[int, dict[str, Any]]]] = []
    token = city.tokens[city.city.counties[0].villages[0].reporter]
    with served(city.env()) as api:
        base, bearer = f"http://127.0.0.1:{api.port}", {"Authorization": f"Bearer {token}"}
        with httpx.Client(base_url=base, headers=bearer, timeout=120) as client:
            for repeated in (False, True):
                chance.shuffle(device)
                heard = {one.key: send(client, one) for one in device}
                answers.append({key: (status, told) for key, (status, told, _) in heard.items()})
                again = {replay for status, _, replay in heard.values() if status == 200}
                assert again == {repeated}
    first, second = answers
    kinds = Counter(status for status, _ in first.values())
    assert set(kinds) == {200, 412}, str([s for s in first.values() if s[0] not in (200, 412)][:1])
    assert {key: status for key, (status, _) in second.items()} == {
        key: status for key, (status, _) in first.items()
    }
    done = {key: told["facts"] for key, (status, told) in first.items() if status == 200}
    assert {key: told["position"] for key, (s, told) in second.items() if s == 200} == {
        key: first[key][1]["position"] for key in done
    }
    _check(city, device, first, done)
    record_property(
        "A21",
        f"{QUEUED} commands of {OFFLINE.total_seconds() / 3600:g} h, sent twice in two orders: "
        f"{kinds[200]} done once, {kinds[412]} stale ones refused with their reason, 0 unanswered",
    )


def _check(
    city: CityPlace, device: list[Queued], heard: dict[UUID, Any], done: dict[UUID, int]
) -> None:
    """Every record is there; of the follow-ups one was not stale; refusals say why and are kept."""
    for one in device:
        status, told = heard[one.key]
        if one.seen is None:
            assert status == 200, told
        if status == 412:
            assert told["type"].endswith("changed-meanwhile") and told["zh"] and told["en"], told
    with city.log() as log:
        stored = check_log(log, done)
    assert {one.key for one in device} <= set(stored.answered), "no command is dropped in silence"
    store = city.place.open()
    try:
        alone: SituationReport = loaded(store, ALONE)
        shared: SituationReport = loaded(store, SHARED)
        assert (alone.current.number, shared.current.number) == (2, 2)
        assert len(done) == 2 * RECORDS + 1
    finally:
        store.close()
