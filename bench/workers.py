"""Running what folds from Kafka, ours and the peers, each a process that answers by a file."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.cluster import ROOT, Place
from bench.feeding import PLAIN
from scripts import apache_kafka

LONGEST_SECONDS = 900
JAVA = ROOT / "bench" / "peers" / "SumByCounty.java"


def answer(command: Sequence[str], folder: Path, **env: str) -> dict[str, Any]:
    """Run it to its end; what it has written to BENCH_ANSWER."""
    said = folder / "answer.json"
    said.unlink(missing_ok=True)
    done = subprocess.run(
        command,
        cwd=ROOT,
        text=True,
        capture_output=True,
        timeout=LONGEST_SECONDS,
        check=False,
        env={**os.environ, "BENCH_ANSWER": str(said), **env},
    )
    if not said.exists():
        raise RuntimeError(f"{command}: {done.returncode} {done.stdout}{done.stderr}"[-4000:])
    found: dict[str, Any] = json.loads(said.read_text())
    return found


def our_worker(here: Place, kafka: str, which: str, head: int) -> dict[str, Any]:
    """Our Faust worker, with ``one`` view or ``all``."""
    env = here.env(kafka) | {"BENCH_GROUP": f"bench-{here.name}"}
    command = [sys.executable, "-m", "bench.worker_child", which, str(head)]
    return answer(command, here.folder, **env)


def plain_faust(here: Place, kafka: str, wanted: int, *, durable: bool) -> dict[str, Any]:
    """One fact a message, one upsert a fact."""
    name = f"plain_{here.name}"
    here.server.execute(f"CREATE DATABASE {name}")
    arguments = [kafka, here.server.url(name), PLAIN, str(wanted), "on" if durable else "off"]
    command = [sys.executable, "-m", "bench.peers.plain_faust", *arguments]
    return answer(command, here.folder)


def kafka_streams(folder: Path, kafka: str, topic: str, wanted: int) -> dict[str, Any]:
    """Kafka Streams 4.x counting facts by county, from one fact a message or from our frames."""
    mode = "events" if topic == PLAIN else "frames"
    jars = f"{apache_kafka.streams_jars()}/*"
    command = ["java", "-cp", jars, str(JAVA), kafka, topic, mode, str(wanted), str(folder)]
    done = subprocess.run(
        command, text=True, capture_output=True, timeout=LONGEST_SECONDS, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{done.stdout}{done.stderr}"[-4000:])
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found
