"""From a commit to the boards through Kafka: 100 boards over SSE, 200 commands a second.

The processes of `relief up` (two API processes, a relay, two workers), a durable PostgreSQL and
Apache Kafka, all on one machine with the client. Timed as in `bench.boards`; the stamp is made
under the order lock and before the commit. What a page then asks for, throttled, is not in it. All
incidents are of one county, so that one partition and one worker carry all of them.
"""

import tempfile
from contextlib import ExitStack
from pathlib import Path

import uvloop

from bench import county
from bench.base import Reach, Result, machine
from bench.boards import BOARDS, figures, measured, stamps
from bench.cluster import kafka, relief, tansu
from bench.cluster import postgres as durable_postgres
from bench.http_cluster import prepared
from projections.folding.partitions import partition_of
from streams.frames import PARTITIONS

PER_SECOND = 200
SECONDS = 30
WARM_SECONDS = 3


def run(*, tiny: bool = False) -> Result:
    about = machine()
    boards, per_second, seconds = (5, 20, 1.0) if tiny else (BOARDS, PER_SECOND, SECONDS)
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        server = stack.enter_context(durable_postgres(scratch))
        here, token = prepared(server, scratch)
        address = stack.enter_context((tansu if tiny else kafka)(scratch))
        env = here.env(address)
        port = stack.enter_context(relief(env, api=2, workers=2, relay=True))["api"].port
        partition = partition_of(county.id_of("county"), PARTITIONS)
        uvloop.run(measured(port, token, 1, per_second, 1.0 if tiny else WARM_SECONDS, partition))
        store = here.store()
        before = store.head()
        watching, answers = uvloop.run(
            measured(port, token, boards, per_second, seconds, partition)
        )
        stamped = stamps(store, before, store.head())
        store.close()
    found = figures(watching, answers, stamped)
    p95, p99 = found["commit_to_board_p95_ms"], found["commit_to_board_p99_ms"]
    return Result(
        "latency",
        {"commands_per_second": per_second, **found},
        {"commit_to_board_p95_ms": p95, "commit_to_board_p99_ms": p99},
        about,
        {
            "commit_to_board_p95_ms": Reach(at_most=500, unit="ms"),
            "commit_to_board_p99_ms": Reach(at_most=1000, unit="ms"),
        },
    )
