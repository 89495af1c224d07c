"""Apache Kafka, one node without ZooKeeper, for machines without a container engine.

  scripts/apache-kafka start [--port N] [--folder F]   prints the address for RELIEF_KAFKA
  scripts/apache-kafka stop [--folder F] [--forget]    ends it; --forget removes its data
  scripts/apache-kafka jars                            fetches only, prints the folder of the jars

Needs Java 17 and Maven. The first start fetches 55 MB from Maven Central, as Maven is configured
on this machine, into .cache/apache-kafka of the checkout (or $RELIEF_CACHE). Listens on 127.0.0.1
only. What it stored is there again after stop, start and kill -9.
"""

import argparse
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
# the standard library is all they need
from cli.trial.child import free_port  # noqa: E402
from scripts.from_maven import Unavailable, cache, dependencies, keep  # noqa: E402

VERSION = "4.1.0"
ARTIFACTS = (
    ("org.apache.kafka", "kafka_2.13", VERSION),
    ("org.apache.kafka", "kafka-tools", VERSION),
    ("org.apache.logging.log4j", "log4j-slf4j-impl", "2.24.3"),
)
STREAMS = (
    ("org.apache.kafka", "kafka-streams", VERSION),
    ("org.msgpack", "msgpack-core", "0.9.8"),
    ("org.apache.logging.log4j", "log4j-slf4j-impl", "2.24.3"),
)
"""For `bench.worker_kafka` alone: 75 MB more."""
START_SECONDS = 120
STOP_SECONDS = 30
HEAP = "-Xmx1g"
QUICK = "-XX:TieredStopAtLevel=1"
"""For a short life: half the start, without the best compiler."""

# The short session: a killed server waits out its own old registration before it serves again.
CONFIG = """\
process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
controller.quorum.bootstrap.servers=127.0.0.1:{controller}
log.dirs={data}
auto.create.topics.enable=false
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
group.initial.rebalance.delay.ms=0
"""


def jars() -> Path:
    """The folder with Kafka's jars; fetched whole the first time."""
    return fetched("apache-kafka", ARTIFACTS)


def streams_jars() -> Path:
    """The folder with the jars of Kafka Streams, likewise."""
    return fetched("kafka-streams", STREAMS)


def fetched(name: str, artifacts: Sequence[tuple[str, str, str]]) -> Path:
    """The folder with these artifacts and all that they need."""
    folder = cache(name) / VERSION
    if folder.exists():
        return folder
    wanted = "".join(
        f"<dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId>"
        f"<version>{version}</version></dependency>"
        for group, artifact, version in artifacts
    )
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        project = Path(scratch) / "pom.xml"
        project.write_text(
            "<project><modelVersion>4.0.0</modelVersion><groupId>relief</groupId>"
            "<artifactId>kafka</artifactId><version>1</version><packaging>pom</packaging>"
            f"<dependencies>{wanted}</dependencies></project>"
        )
        new = Path(scratch) / "jars"
        dependencies(
            f"{name} {VERSION}",
            "copy-dependencies",
            f"--file={project}",
            f"-DoutputDirectory={new}",
            "-DincludeScope=runtime",
        )
        keep(new, folder)
    return folder


def java(program: str, *arguments: str) -> list[str]:
    """The command of one of Kafka's programs."""
    return [
        *("java", HEAP, "-XX:+UseG1GC", "-Dlog4j2.level=INFO", "-cp", f"{jars()}/*"),
        *(program, *arguments),
    ]


def prepare(folder: Path, port: int) -> list[str]:
    """Write the configuration, format the data folder the first time; the server's command."""
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "server.properties"
    data = folder / "data"
    controller = folder / "controller.port"  # it is written in the data: it must not change
    if not controller.exists():
        controller.write_text(str(free_port()))
    config.write_text(CONFIG.format(port=port, controller=controller.read_text(), data=data))
    if not (data / "meta.properties").exists():
        shutil.rmtree(data, ignore_errors=True)
        command, *tool = java("kafka.tools.StorageTool", "format", "--standalone", "-t")
        done = subprocess.run(
            [command, QUICK, *tool, "relief-ledger-trial-00", "-c", str(config)],
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise Unavailable(f"不能格式化。Cannot format {data}: {done.stdout}{done.stderr}")
    return java("kafka.Kafka", str(config))


def answers(port: int) -> bool:
    """Whether a broker answers an ApiVersions request."""
    request = struct.pack(">hhih", 18, 0, 1, -1)
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as wire:
            wire.sendall(struct.pack(">i", len(request)) + request)
            return wire.recv(8)[4:8] == struct.pack(">i", 1)
    except OSError:
        return False


def running(folder: Path) -> tuple[int, int] | None:
    """Process and port of the server of a folder, if it runs."""
    with suppress(OSError, ValueError):
        pid, port = map(int, (folder / "running").read_text().split())
        ps = shutil.which("ps") or "ps"
        told = subprocess.run(
            [ps, "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, text=True
        )
        if str(folder / "server.properties") in told.stdout:
            return pid, port
    return None


def start(folder: Path, port: int | None) -> int:
    """Start it in the background; the port, once it answers."""
    if found := running(folder):
        if port not in (None, found[1]):
            raise Unavailable(f"已在端口 {found[1]} 运行。It runs already, on port {found[1]}.")
        return found[1]
    port = port or free_port()
    command = prepare(folder, port)
    log = folder / "kafka.log"
    with log.open("ab") as out:
        server = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    (folder / "running").write_text(f"{server.pid} {port}")
    deadline = time.monotonic() + START_SECONDS
    while not answers(port):
        if server.poll() is not None or time.monotonic() > deadline:
            server.kill()
            raise Unavailable(f"没有启动。Not started; {log} ends:\n{log.read_text()[-2000:]}")
        time.sleep(0.1)
    return port


def stop(folder: Path, *, forget: bool) -> None:
    """End the server and wait until it is gone."""
    if found := running(folder):
        os.kill(found[0], signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while running(folder):
            if time.monotonic() > deadline:
                os.kill(found[0], signal.SIGKILL)
                break
            time.sleep(0.1)
    (folder / "running").unlink(missing_ok=True)
    if forget:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="scripts/apache-kafka",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("do", choices=["start", "stop", "jars"])
    parser.add_argument("--port", type=int, help="default: a free one")
    parser.add_argument("--folder", type=Path, help="data, log and configuration of the server")
    parser.add_argument("--forget", action="store_true", help="with stop: remove its folder")
    given = parser.parse_args()
    folder = (given.folder or cache("apache-kafka") / "server").resolve()
    try:
        if given.do == "start":
            print(f"127.0.0.1:{start(folder, given.port)}")
        elif given.do == "stop":
            stop(folder, forget=given.forget)
        else:
            print(jars())
    except Unavailable as why:
        sys.exit(str(why))


if __name__ == "__main__":
    main()
