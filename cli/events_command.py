"""`relief events`: what consumers of ``relief.events`` need besides the topic itself."""

import gzip
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cli.beside import settings_here
from cli.bus_settings import kafka_of
from cli.compose import open_store
from cli.saying import Json, complain, failed, say_json
from eventstore.log import Log, Row
from eventstore.postgres import PostgresLog
from eventstore.sieve import Sieve
from streams.events import EventsTopic, cloud_event, encode, source_of
from streams.frames import partitions_of
from streams.kafka import BusTrouble, quiet

AT_ONCE = 2_000
SNAPSHOT = "relief.Snapshot.v1"

app = typer.Typer(no_args_is_help=True, help="The topic relief.events, for other systems.")
out = Console()


@app.command("resend")
def events_resend(
    first: Annotated[int, typer.Option("--from", min=1, help="Position of the first fact")],
    last: Annotated[
        int | None, typer.Option("--to", min=1, help="Of the last one; else the newest of now")
    ] = None,
    as_json: Json = False,
) -> None:
    """Send facts to relief.events again, for consumers that have lost some. May be broken off and
    repeated, also while the relay runs: `id` tells repeats apart, `sequence` the order."""
    settings = settings_here()
    if settings.database_url is None:
        raise failed(
            "relief.events 只在集群中才有，请设置 RELIEF_DATABASE_URL",
            "Only a cluster has relief.events. Set RELIEF_DATABASE_URL.",
            code=2,
        )
    kafka = kafka_of(settings)
    quiet()
    power = settings.i_know_the_role_can_rewrite_the_log
    with closing(PostgresLog(settings.database_url, allow_power=power)) as log:
        upto = min(last or log.head(), log.head())
        if first > upto:
            raise failed(
                f"没有第 {first} 到第 {upto} 条记录可重发",
                f"There are no facts from {first} to {upto} to be sent.",
            )
        try:
            with closing(EventsTopic(kafka, partitions_of(log))) as topic:
                topic.open()
                source, sieve, count = source_of(log), Sieve(log, settings.data), 0
                for rows in _rows(log, first - 1, upto):
                    sealed = sieve.sealed(rows)
                    topic.send(source, sealed)
                    count += len(sealed)
        except BusTrouble as problem:
            complain(problem.zh, str(problem))
            raise typer.Exit(1) from problem
    if as_json:
        say_json({"from": first, "to": upto, "sent": count, "source": source})
        return
    out.print(
        f"已重发第 {first} 到第 {upto} 条，共 {count} 条 · sent {count} facts again,"
        f" {first} to {upto}",
        highlight=False,
    )


@app.command("snapshot")
def events_snapshot(
    file: Annotated[Path, typer.Argument(help="A new file; gzip if its name ends in .gz")],
    as_json: Json = False,
) -> None:
    """Write all facts up to now into a file, for a new consumer: one CloudEvent a line, as on
    relief.events. The first line says up to which position; from there it reads the topic."""
    part = file.with_name(file.name + ".part")
    if file.exists():
        raise failed(f"{file} 已存在，未作改动", f"{file} is there already; nothing was changed.")
    with closing(open_store(settings_here())) as store:
        log = store.log
        source, head = source_of(log), log.head()
        part.unlink(missing_ok=True)
        part.touch(mode=0o600)
        with gzip.open(part, "wb") if file.suffix == ".gz" else part.open("wb") as target:
            target.write(_header(source, head) + b"\n")
            for rows in _rows(log, 0, head):
                facts = [row for row in rows if store.trust.counts(row[0])]
                target.writelines(encode(cloud_event(source, row)) + b"\n" for row in facts)
        with part.open("rb") as written:
            os.fsync(written.fileno())
    part.rename(file)
    if as_json:
        say_json({"file": str(file), "source": source, "sequence": head})
        return
    out.print(
        f"{file}：{head} 条记录；新使用者读完后，从 relief.events 中第 {head + 1} 条接着读"
        f" · {head} facts; a new consumer goes on with {head + 1} on relief.events",
        highlight=False,
    )


def _rows(log: Log, after: int, upto: int) -> Iterator[Sequence[Row]]:
    """Rows after one position up to another, some at a time."""
    while after < upto:
        rows = log.rows(after, AT_ONCE, upto)
        if not rows:
            return
        yield rows
        after = rows[-1][0]


def _header(source: str, head: int) -> bytes:
    """The first line of a snapshot: itself a CloudEvent."""
    event = {
        "specversion": "1.0",
        "id": f"snapshot/{head}",
        "source": source,
        "type": SNAPSHOT,
        "sequence": f"{head:019d}",
        "time": datetime.now(UTC).isoformat(),
        "datacontenttype": "application/json",
        "data": {"facts": head},
    }
    return json.dumps(event, ensure_ascii=False).encode()
