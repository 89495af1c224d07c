"""One Faust worker that keeps all views in PostgreSQL, and Faust as its documents suggest it.

Apache Kafka, all facts on it before anybody reads. Ours folds every fact into every view that
wants it. The other reads one fact a message, decodes it with our mapper and makes one upsert of it
into one table. PostgreSQL answers that upsert when it is on the disk, which is its default; since
our views do not wait for the disk either, the other was measured without waiting too.
"""

import tempfile
from contextlib import ExitStack
from pathlib import Path

from bench import feeding
from bench.base import REPETITIONS, Reach, Result, machine, median, pairs, ratio
from bench.cluster import kafka, place, postgres, tansu
from bench.copies import Template
from bench.workers import our_worker, plain_faust
from eventstore.postgres import PostgresLog
from projections.catalog import VIEWS
from streams.frames import PARTITIONS

FACTS = 60_000
PLAIN_FACTS = 4_000


def run(*, tiny: bool = False) -> Result:
    about = machine()
    facts, few, repetitions = (1_500, 300, 1) if tiny else (FACTS, PLAIN_FACTS, REPETITIONS)
    rows = Template(1 if tiny else 4).first(facts)
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        server = stack.enter_context(postgres(scratch))
        address = stack.enter_context((tansu if tiny else kafka)(scratch))
        first = place(server, scratch / "first", "first")
        log = PostgresLog(first.urls.database)
        feeding.frames(address, log, rows)
        log.close()
        feeding.plain(address, rows[:few], PARTITIONS)
        hurried: list[float] = []
        cpu_us: list[float] = []
        peak: list[float] = []

        def ours(n: int) -> float:
            here = place(server, scratch / f"run{n}", f"run{n}")
            said = our_worker(here, address, "all", facts)
            cpu_us.append(said["cpu_seconds"] / facts * 1e6)
            peak.append(said["peak_mb"])
            return float(facts / said["seconds"])

        def theirs(n: int) -> float:
            found: list[float] = []
            for durable in (False, True):
                here = place(server, scratch / f"plain{n}{durable}", f"plain{n}{durable}".lower())
                found.append(few / plain_faust(here, address, few, durable=durable)["seconds"])
            hurried.append(found[0])
            return found[1]

        mine, other = pairs(ours, theirs, repetitions)
    return Result(
        "worker-views",
        {
            "facts": facts,
            "views": len(VIEWS),
            "ours_per_second": round(median(mine)),
            "ours_cpu_us_per_fact": round(median(cpu_us), 1),
            "ours_peak_mb": round(max(peak)),
            "one_upsert_a_fact_per_second": round(median(other)),
            "one_upsert_a_fact_not_waiting_per_second": round(median(hurried)),
        },
        {
            "ours_over_one_upsert_a_fact": ratio(mine, other),
            "ours_over_one_upsert_not_waiting": ratio(mine, hurried),
        },
        about,
        {
            "ours_over_one_upsert_a_fact": Reach(at_least=10),
            "ours_over_one_upsert_not_waiting": Reach(at_least=10),
        },
    )
