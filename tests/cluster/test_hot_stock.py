"""Sixteen writers want the same goods over two API processes (A13): none is promised twice."""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from cli.trial.postgres import PostgresServer
from domain.commands.consignments import GoodsLine, RequestConsignment
from domain.commands.stock import ReceiveGoods
from domain.stockpile import Stockpile
from eventstore.outcomes import Envelope, Receipt
from tests.clients import quantile, served
from tests.cluster.cities import CityPlace, city_on
from tests.eventstore.support import loaded
from tests.faults import TIMEOUT, Told, count, load_a_core
from tests.oracles import check_log

WRITERS, UNITS = 16, 200
REQUESTS = count(400, 2_000)
ITEMS = ("blanket", "quilt")


@pytest.fixture
def city(postgres: PostgresServer, tmp_path: Path) -> Iterator[CityPlace]:
    with city_on(postgres, tmp_path) as found:
        yield found


def shelves(city: CityPlace, depot: str, target: str) -> list[UUID]:
    """Fill a depot with 200 of each item, and request one of each as often as wanted.

    The lines stand in two orders: who locked them one by one would wait for each other.
    """
    store, made = city.place.open(), city.city
    requests = [uuid4() for _ in range(REQUESTS)]
    try:
        now = store.clock.now()
        commands: list[tuple[Any, str]] = [
            (
                ReceiveGoods(
                    warehouse=made.area(depot),
                    item=item,
                    lot=uuid4(),
                    quantity=UNITS,
                    document_no="演示入〔2019〕1号",
                    owner=depot,
                    received_on=date(2019, 1, 7),
                    unit_value_fen=6_000,
                ),
                "city-storekeeper",
            )
            for item in ITEMS
        ]
        for n, request in enumerate(requests):
            lines = [GoodsLine(item=item, quantity=1) for item in ITEMS]
            wanted = RequestConsignment(
                consignment=request,
                destination=made.area(target),
                reason="安置",
                lines=tuple(lines if n % 2 else lines[::-1]),
            )
            commands.append((wanted, f"{target}-storekeeper"))
        answers = store.run_many(
            [
                Envelope(id=uuid4(), officer=made.officer(by), command=command, at=now)
                for command, by in commands
            ]
        )
        assert all(isinstance(answer, Receipt) for answer in answers), answers[:3]
    finally:
        store.close()
    return requests


class Writer(threading.Thread):
    """Orders one consignment after the other."""

    def __init__(self, base: str, token: str, source: UUID, wanted: list[UUID]) -> None:
        super().__init__(daemon=True)
        self.base, self.token, self.source, self.wanted = base, token, source, wanted
        self.answers: list[tuple[int, str]] = []
        self.seconds: list[float] = []
        self.acknowledged: dict[UUID, int] = {}

    def run(self) -> None:
        headers = {"Authorization": f"Bearer {self.token}"}
        with httpx.Client(base_url=self.base, headers=headers, timeout=30) as client:
            for consignment in self.wanted:
                key, began = uuid4(), time.monotonic()
                answer = client.post(
                    f"/v1/consignments/{consignment}/orders",
                    json={"source": str(self.source), "document_no": "演示调〔2019〕1号"},
                    headers={"Idempotency-Key": str(key)},
                )
                self.seconds.append(time.monotonic() - began)
                told = json.loads(answer.content)
                self.answers.append((answer.status_code, told.get("type", "")))
                if answer.status_code == 200:
                    self.acknowledged[key] = told["facts"]


@pytest.mark.timeout(TIMEOUT)
def test_sixteen_writers_are_granted_exactly_what_there_is(
    city: CityPlace, record_property: Told
) -> None:
    depot, made = "city", city.city
    store = city.place.open()
    ids = {item: Stockpile.id_of(made.area(depot), item, False) for item in ITEMS}
    had = {item: _free(store.load(id)) for item, id in ids.items()}
    store.close()
    requests = shelves(city, depot, "c2")
    there = min(had[item] + UNITS for item in ITEMS)
    assert there == UNITS, "of one item there was none before"
    with served(city.env()) as one, served(city.env()) as other:
        bases = [f"http://127.0.0.1:{api.port}" for api in (one, other)]
        token, source = city.tokens["city-reviewer"], made.area(depot)
        writers = [
            Writer(bases[n % 2], token, source, requests[n::WRITERS]) for n in range(WRITERS)
        ]
        began = time.monotonic()
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join(TIMEOUT)
        took = time.monotonic() - began
    answers = Counter(said for writer in writers for said in writer.answers)
    seconds = sorted(second for writer in writers for second in writer.seconds)
    granted = answers[200, ""]
    assert granted == there, answers
    assert {status for status, _ in answers} == {200, 409}, answers
    assert all(kind.endswith("not-enough") for status, kind in answers if status == 409)
    with city.log() as log:
        check_log(log, {k: n for writer in writers for k, n in writer.acknowledged.items()})
    store = city.place.open()
    try:
        free = {item: loaded(store, id).free for item, id in ids.items()}
    finally:
        store.close()
    assert free == {item: had[item] + UNITS - granted for item in ITEMS}
    p99 = quantile(seconds, 0.99)
    record_property(
        "A13",
        f"{WRITERS} writers, {REQUESTS} requests for {there} units in {took:.1f} s: {granted} "
        f"granted, 0 oversold, 0 deadlocks; p50 {quantile(seconds, 0.5) * 1000:.0f} ms, "
        f"p99 {p99 * 1000:.0f} ms, load a core {load_a_core():.1f}",
    )


def _free(found: Any) -> int:
    return 0 if found is None else found.free
