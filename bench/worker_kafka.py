"""One Faust worker that folds one view, and Kafka Streams summing the same facts by county.

Apache Kafka, all facts on it before anybody reads. Ours: the real worker on `relief.frames`, every
fact decoded and folded into a table of PostgreSQL, position and rows in one transaction. Kafka
Streams: its defaults, one thread, RocksDB and its changelog, the JVM's warming-up included; it
counts one fact a message by the message's key, or unpacks our frames and looks for the county in
each fact. Neither decodes more of a fact than that.
"""

import tempfile
from contextlib import ExitStack
from pathlib import Path

from bench import feeding
from bench.base import REPETITIONS, Reach, Result, machine, median, pairs, ratio
from bench.cluster import kafka, place, postgres
from bench.copies import Template
from bench.workers import kafka_streams, our_worker
from eventstore.postgres import PostgresLog
from streams.frames import PARTITIONS
from streams.kafka import FRAMES

FACTS = 200_000


def run(*, tiny: bool = False) -> Result:
    about = machine()
    facts, repetitions = (2_000, 1) if tiny else (FACTS, REPETITIONS)
    rows = Template(1 if tiny else 4).first(facts)
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        server = stack.enter_context(postgres(scratch))
        address = stack.enter_context(kafka(scratch))
        log = PostgresLog(place(server, scratch / "first", "first").urls.database)
        frames = feeding.frames(address, log, rows)
        log.close()
        feeding.plain(address, rows, PARTITIONS)
        reading: list[float] = []
        cpu_us: list[float] = []

        def ours(n: int) -> float:
            here = place(server, scratch / f"run{n}", f"run{n}")
            said = our_worker(here, address, "one", facts)
            cpu_us.append(said["cpu_seconds"] / facts * 1e6)
            return float(facts / said["seconds"])

        def streams(n: int) -> float:
            said = kafka_streams(scratch / f"frames{n}", address, FRAMES, facts)
            reading.append(facts / said["seconds"])
            said = kafka_streams(scratch / f"events{n}", address, feeding.PLAIN, facts)
            return float(facts / said["seconds"])

        mine, theirs = pairs(ours, streams, repetitions)
    return Result(
        "worker-kafka",
        {
            "facts": facts,
            "frames": frames,
            "ours_per_second": round(median(mine)),
            "ours_cpu_us_per_fact": round(median(cpu_us), 1),
            "kafka_streams_one_fact_a_message_per_second": round(median(theirs)),
            "kafka_streams_reading_our_frames_per_second": round(median(reading)),
        },
        {
            "ours_over_kafka_streams": ratio(mine, theirs),
            "ours_over_kafka_streams_on_frames": ratio(mine, reading),
        },
        about,
        {
            "ours_over_kafka_streams": Reach(at_least=0.5),
            "ours_over_kafka_streams_on_frames": Reach(at_least=0),
        },
    )
