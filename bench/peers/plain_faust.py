"""What the documents of Faust suggest: an agent, one fact a message, one upsert a fact.

``python -m bench.peers.plain_faust KAFKA POSTGRES TOPIC WANTED on|off``: the newest fact of each
stream, into one table, each upsert a statement that commits; ``off`` lets PostgreSQL answer before
it is on the disk. Writes ``{"seconds": …}`` to the file BENCH_ANSWER, timed from the first fact.
"""

import asyncio
import json
import os
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import faust
import psycopg

from domain.catalog import AGGREGATES
from eventstore.mapper import TypedMapper

TABLE = (
    "CREATE TABLE IF NOT EXISTS newest (stream TEXT PRIMARY KEY, version BIGINT NOT NULL,"
    " topic TEXT NOT NULL, area TEXT NOT NULL, recorded_at TEXT NOT NULL)"
)
UPSERT = (
    "INSERT INTO newest VALUES (%s, %s, %s, %s, %s) ON CONFLICT (stream) DO UPDATE SET"
    " version = excluded.version, topic = excluded.topic, area = excluded.area,"
    " recorded_at = excluded.recorded_at"
)


async def folded(kafka: str, url: str, topic: str, wanted: int, durable: str, folder: str) -> float:
    """The seconds that so many facts took."""
    mapper = TypedMapper(AGGREGATES, text_ids=True)
    db = await psycopg.AsyncConnection.connect(url, autocommit=True)
    await db.execute(TABLE.encode())
    await db.execute(f"SET synchronous_commit = {durable}".encode())
    app = faust.App(
        f"plain-{uuid4().hex}",
        broker=f"kafka://{kafka}",
        value_serializer="raw",
        key_serializer="raw",
        web_enabled=False,
        topic_disable_leader=True,
        datadir=folder,
        loop=asyncio.get_running_loop(),
        consumer_auto_offset_reset="earliest",
        topic_allow_declare=False,
    )
    done = asyncio.Event()
    began = ended = 0.0
    count = 0

    @app.agent(app.topic(topic, key_type=bytes, value_type=bytes))
    async def newest(stream: Any) -> None:
        nonlocal began, ended, count
        async for message in stream.events():
            began = began or time.perf_counter()
            named = dict(message.message.headers)["topic"].decode()
            fact = mapper.decode(named, message.value)
            row = (
                fact.originator_id,
                fact.originator_version,
                named,
                fact.meta.division,
                fact.meta.recorded_at.isoformat(),
            )
            await db.execute(UPSERT.encode(), row)
            count += 1
            if count == wanted:
                ended = time.perf_counter()
                done.set()

    await app.start()
    await done.wait()
    with suppress(TimeoutError):
        async with asyncio.timeout(5):
            await app.stop()
    await db.close()
    return ended - began


def main(kafka: str, url: str, topic: str, wanted: str, durable: str) -> None:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        seconds = asyncio.run(folded(kafka, url, topic, int(wanted), durable, folder))
    Path(os.environ["BENCH_ANSWER"]).write_text(json.dumps({"seconds": seconds}))


if __name__ == "__main__":
    main(*sys.argv[1:])
