"""The servers that the trial and the tests start are real, durable, and end when they should."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import psycopg
import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic

from cli.trial.broker import Broker
from cli.trial.child import ServerFailed, alive, children
from cli.trial.postgres import PostgresServer
from tests.cluster.relaying import wait_for
from tests.proxy import CutProxy
from tests.servers import ApacheKafka, Database, fresh_database, need_apache_kafka

ROOT = Path(__file__).resolve().parents[2]


def rows(url: str) -> list[int]:
    with psycopg.connect(url) as connection:
        return [row[0] for row in connection.execute("SELECT n FROM t ORDER BY n").fetchall()]


def fill(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE t (n integer)")
        connection.execute("INSERT INTO t SELECT generate_series(1, 3)")


def topic_id(address: str, topic: str, partitions: int) -> str:
    """Make the topic; its id."""
    client = KafkaAdminClient(bootstrap_servers=address)
    client.create_topics([NewTopic(name=topic, num_partitions=partitions, replication_factor=1)])
    found = client.describe_topics([topic])
    client.close()
    assert len(found[0]["partitions"]) == partitions
    return str(found[0]["topic_id"])


def produce(address: str, topic: str, values: list[bytes], partition: int = 0) -> None:
    producer = KafkaProducer(
        bootstrap_servers=address, acks="all", enable_idempotence=True, linger_ms=20
    )
    sent = [
        producer.send(topic, value, partition=partition, headers=[("position", b"7")])
        for value in values
    ]
    for future in sent:
        future.get(timeout=120)
    producer.close()


def consume(address: str, topic: str, count: int, partition: int = 0) -> list[bytes]:
    """The values of one partition from its start: ``count`` of them, or fewer after 10 s."""
    consumer = KafkaConsumer(bootstrap_servers=address, auto_offset_reset="earliest")
    consumer.assign([TopicPartition(topic, partition)])
    found: list[bytes] = []
    deadline = time.monotonic() + 10
    while len(found) < count and time.monotonic() < deadline:
        for messages in consumer.poll(timeout_ms=200).values():
            assert all(message.headers == [("position", b"7")] for message in messages)
            found.extend(message.value for message in messages)
    consumer.close()
    return found


def gone_within(seconds: float, pids: list[int]) -> bool:
    deadline = time.monotonic() + seconds
    while any(alive(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not any(alive(pid) for pid in pids)


def test_what_postgres_committed_is_there_after_kill_9(tmp_path: Path) -> None:
    with PostgresServer(tmp_path) as server:
        fill(server.url())
        family = [server.pid, *children(server.pid)]
        assert len(family) > 3
        server.kill()
        assert not any(alive(pid) for pid in family)
        with pytest.raises(psycopg.OperationalError):
            rows(server.url())
        server.start()
        assert rows(server.url()) == [1, 2, 3]


def test_postgres_keeps_data_port_and_password_over_a_restart(tmp_path: Path) -> None:
    with PostgresServer(tmp_path) as first:
        fill(first.url())
        before = first.url()
        first.restart()
        assert rows(before) == [1, 2, 3]
    with PostgresServer(tmp_path, port=first.port) as second:
        assert second.url() == before
        assert rows(before) == [1, 2, 3]


def test_postgres_asks_for_a_password_and_is_durable_unless_told_otherwise(tmp_path: Path) -> None:
    with PostgresServer(tmp_path) as server:
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(server.url(password="wrong"))
        with psycopg.connect(server.url()) as connection:
            asked = "fsync", "synchronous_commit", "server_encoding"
            said = [connection.execute(f"SHOW {name}").fetchone() for name in asked]
        assert said == [("on",), ("on",), ("UTF8",)]


def test_postgres_ends_when_the_process_that_started_it_is_killed(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from cli.trial.postgres import PostgresServer;"
        "server = PostgresServer(Path(sys.argv[1]), fsync=False); server.start();"
        "print(server.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE
    ) as starter:
        assert starter.stdout
        postmaster = int(starter.stdout.readline())
        family = [postmaster, *children(postmaster)]
        assert alive(postmaster)
        os.kill(starter.pid, signal.SIGKILL)
    assert gone_within(10, family)


def test_a_second_postgres_on_a_folder_is_refused_with_the_reason(tmp_path: Path) -> None:
    with (
        PostgresServer(tmp_path, fsync=False),
        pytest.raises(ServerFailed, match="already exists"),
    ):
        PostgresServer(tmp_path, fsync=False).start()


def test_postgres_15_to_18_are_what_they_say(
    postgres_versions: PostgresServer, request: pytest.FixtureRequest
) -> None:
    with psycopg.connect(postgres_versions.url()) as connection:
        major = connection.info.server_version // 10_000
    assert f"postgres{major}" in request.node.name
    with fresh_database(postgres_versions) as database:
        fill(database.url())
        assert rows(database.url()) == [1, 2, 3]


def test_each_test_has_a_database_of_its_own(postgres_database: Database) -> None:
    fill(postgres_database.url())
    with fresh_database(postgres_database.server) as other:
        with psycopg.connect(other.url()) as connection:
            found = connection.execute("SELECT to_regclass('t')").fetchone()
        assert found == (None,)
    with fresh_database(postgres_database.server, postgres_database.name) as copy:
        assert rows(copy.url()) == [1, 2, 3]


def test_the_broker_carries_messages_and_is_empty_after_kill_9(tmp_path: Path) -> None:
    values = [b"%d" % n for n in range(20)]
    with Broker(tmp_path) as broker:
        before = topic_id(broker.address, "frames", 3)
        produce(broker.address, "frames", values, partition=2)
        assert consume(broker.address, "frames", 20, partition=2) == values
        broker.kill()
        assert not broker.running
        broker.start()
        after = topic_id(broker.address, "frames", 3)
        assert after != before
        ends = KafkaConsumer(bootstrap_servers=broker.address)
        assert ends.end_offsets([TopicPartition("frames", 2)]) == {TopicPartition("frames", 2): 0}
        ends.close()
        produce(broker.address, "frames", [b"new"], partition=2)
        assert consume(broker.address, "frames", 1, partition=2) == [b"new"]


def test_a_paused_broker_answers_nothing_and_loses_nothing(tmp_path: Path) -> None:
    with Broker(tmp_path) as broker:
        topic_id(broker.address, "frames", 1)
        producer = KafkaProducer(bootstrap_servers=broker.address, acks="all")
        producer.send("frames", b"first", headers=[("position", b"7")]).get(timeout=120)
        broker.pause()
        wait_for(lambda: psutil.Process(broker.pid).status() == psutil.STATUS_STOPPED)
        second = producer.send("frames", b"second", headers=[("position", b"7")])
        time.sleep(0.5)
        assert not second.is_done
        broker.resume()
        second.get(timeout=120)
        producer.close()
        assert consume(broker.address, "frames", 2) == [b"first", b"second"]


def test_the_shared_broker_serves(broker: Broker) -> None:
    topic_id(broker.address, "test-servers", 2)
    produce(broker.address, "test-servers", [b"here"])
    assert consume(broker.address, "test-servers", 1) == [b"here"]


def test_apache_kafka_keeps_what_it_stored_over_kill_9(tmp_path: Path) -> None:
    need_apache_kafka()
    values = [b"%d" % n for n in range(20)]
    with ApacheKafka(tmp_path) as kafka:
        topic_id(kafka.address, "frames", 3)
        produce(kafka.address, "frames", values, partition=1)
        kafka.kill()
        assert not kafka.running
        kafka.start()
        assert consume(kafka.address, "frames", 20, partition=1) == values


def test_the_apache_kafka_script_starts_and_stops_a_server(tmp_path: Path) -> None:
    need_apache_kafka()

    def script(*arguments: str) -> str:
        command = [str(ROOT / "scripts" / "apache-kafka"), *arguments, "--folder", str(tmp_path)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    address = script("start")
    try:
        assert script("start") == address
        topic_id(address, "frames", 2)
        produce(address, "frames", [b"here"])
        assert consume(address, "frames", 1) == [b"here"]
        pid = int((tmp_path / "running").read_text().split()[0])
    finally:
        script("stop", "--forget")
    assert not alive(pid)
    assert not tmp_path.exists()


def test_a_lost_commit_reply_leaves_the_row_and_an_unknowing_client(
    postgres_database: Database,
) -> None:
    fill(postgres_database.url())
    with CutProxy(postgres_database.server.port) as proxy:
        url = proxy.through(postgres_database.url())
        for n in (10, 11):
            proxy.cut_replies(1)
            client = psycopg.connect(url)
            client.execute("INSERT INTO t VALUES (%s)", (n,))
            with pytest.raises(psycopg.OperationalError):
                client.commit()
            assert client.closed
        assert proxy.cuts == 2
        assert rows(url) == [1, 2, 3, 10, 11]


def test_a_lost_commit_request_leaves_no_row_and_the_same_client(
    postgres_database: Database,
) -> None:
    fill(postgres_database.url())
    with CutProxy(postgres_database.server.port) as proxy:
        url = proxy.through(postgres_database.url())
        client = psycopg.connect(url)
        client.execute("INSERT INTO t VALUES (10)")
        proxy.cut_requests(1)
        with pytest.raises(psycopg.OperationalError):
            client.commit()
        assert rows(url) == [1, 2, 3]


def test_a_prepared_commit_is_cut_too(postgres_database: Database) -> None:
    with CutProxy(postgres_database.server.port) as proxy:
        url = proxy.through(postgres_database.url())
        client = psycopg.connect(url, autocommit=True, prepare_threshold=0)
        for _ in range(3):
            client.execute("BEGIN")
            client.execute("COMMIT")
        proxy.cut_replies(1)
        client.execute("BEGIN")
        with pytest.raises(psycopg.OperationalError):
            client.execute("COMMIT")


def test_random_cuts_happen_and_stop_when_healed(
    postgres_database: Database,
) -> None:
    with CutProxy(postgres_database.server.port) as proxy:
        url = proxy.through(postgres_database.url())
        proxy.cut_randomly(0.2, seed=1)
        failed = 0
        for _ in range(20):
            try:
                with psycopg.connect(url) as client:
                    client.execute("SELECT 1")
            except psycopg.Error:
                failed += 1
        assert failed > 0
        assert proxy.cuts >= failed
        proxy.heal()
        for _ in range(5):
            with psycopg.connect(url) as client:
                assert client.execute("SELECT 1").fetchone() == (1,)


def test_a_half_open_connection_holds_everything_until_healed(postgres_database: Database) -> None:
    with (
        CutProxy(postgres_database.server.port) as proxy,
        psycopg.connect(proxy.through(postgres_database.url())) as client,
        ThreadPoolExecutor(1) as other,
    ):
        proxy.half_open()
        asked = other.submit(lambda: client.execute("SELECT 7").fetchone())
        with pytest.raises(TimeoutError):
            asked.result(timeout=0.3)
        proxy.heal()
        assert asked.result(timeout=120) == (7,)
        proxy.delay(0.1)
        begun = time.monotonic()
        client.execute("SELECT 1")
        assert time.monotonic() - begun >= 0.2
        proxy.cut_all()
        with pytest.raises(psycopg.OperationalError):
            client.execute("SELECT 1")
