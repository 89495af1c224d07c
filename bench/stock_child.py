"""Writers at one stockpile: ``python -m bench.stock_child ours|each WRITERS SECONDS``

Addresses come in the settings of an API process; ``each`` needs BENCH_PEER too. Says "ready",
begins at a line on standard input, prints ``{"took": [seconds, …], "saved": n, "retries": n}``.
What was not saved when the time was over counts with the time it had taken so far.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from uuid import uuid4

from bench import county
from bench.peers.each import EachByItself, application
from cli.compose import open_store
from cli.settings import Settings
from domain.commands.stock import WriteOffGoods
from domain.stockpile import Stockpile
from domain.world import Role
from eventstore.outcomes import Envelope

ITEM = "quilt"
LOT = county.id_of("lot")
STOCKPILE = Stockpile.id_of(county.id_of("county"), ITEM, False)

Send = Callable[[Envelope], bool]


def one_unit() -> Envelope:
    command = WriteOffGoods(
        stockpile=STOCKPILE, lot=LOT, quantity=1, reason="破损", document_no="测〔2018〕1号"
    )
    return Envelope(id=uuid4(), officer=county.officer_of(Role.STOREKEEPER), command=command)


class Writers:
    """Threads that each send, await the answer, and send the next."""

    def __init__(self, send: Send, count: int, seconds: float) -> None:
        self.send, self.seconds = send, seconds
        self.took: list[float] = []
        self.saved = 0
        self.threads = [threading.Thread(target=self._write) for _ in range(count)]

    def run(self) -> None:
        self.ends = time.perf_counter() + self.seconds
        for thread in self.threads:
            thread.start()
        for thread in self.threads:
            thread.join()

    def going_on(self) -> bool:
        return time.perf_counter() < self.ends

    def _write(self) -> None:
        while self.going_on():
            began = time.perf_counter()
            saved = self.send(one_unit())
            self.took.append(time.perf_counter() - began)
            self.saved += saved


def main(kind: str, count: int, seconds: float) -> None:
    store = open_store(Settings())
    retries = 0
    if kind == "ours":
        writers = Writers(lambda envelope: store.run(envelope).facts > 0, count, seconds)
    else:
        each = EachByItself(store, application(os.environ["BENCH_PEER"]), (Stockpile,))
        writers = Writers(
            lambda envelope: each.until_saved(envelope, writers.going_on) is not None,
            count,
            seconds,
        )
    print("ready", flush=True)
    sys.stdin.readline()
    writers.run()
    if kind == "each":
        retries = each.retries
        each.app.close()
    print(json.dumps({"took": writers.took, "saved": writers.saved, "retries": retries}))
    store.close()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
