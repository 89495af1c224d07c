"""Apache Kafka with TLS and log-ins: who may in works, who may not is told why."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import pytest
from kafka import KafkaAdminClient
from kafka.admin import ScramMechanism, UserScramCredentialUpsertion

from cli.bus_settings import BusSettingsMissing, kafka_of
from cli.doctor_topics import topics
from cli.settings import Settings
from cli.trial.child import free_port
from streams.bus import FrameBus
from streams.frames import Frame
from streams.kafka import EVENTS, BusRefuses, Kafka
from streams.security import Security
from tests.certificates import Authority
from tests.cluster.relaying import wait_for
from tests.cluster.test_relay_processes import RELAY
from tests.cluster.workers import Cluster, city
from tests.servers import ApacheKafka, Database, need_apache_kafka

USER, PASSWORD = "relief", "from the tests: ä b"
KINDS = ("SSL", "SASL_SSL", "SASL_PLAINTEXT")
CONFIG = """
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SSL:SSL,\
SASL_SSL:SASL_SSL,SASL_PLAINTEXT:SASL_PLAINTEXT
inter.broker.listener.name=PLAINTEXT
ssl.keystore.type=PEM
ssl.keystore.location={server}
ssl.truststore.type=PEM
ssl.truststore.location={ca}
listener.name.ssl.ssl.client.auth=required
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
"""
LOG_INS = """\
listener.name.{kind}.plain.sasl.jaas.config=\
org.apache.kafka.common.security.plain.PlainLoginModule required user_{user}="{password}";
listener.name.{kind}.scram-sha-256.sasl.jaas.config=\
org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.{kind}.scram-sha-512.sasl.jaas.config=\
org.apache.kafka.common.security.scram.ScramLoginModule required;
"""


class SecuredKafka(ApacheKafka):
    """Apache Kafka at three more ports: with TLS (our certificate is asked for), and log-ins."""

    def __init__(self, folder: Path, port: int | None = None) -> None:
        super().__init__(folder, port)
        self.authority = Authority(self.folder / "tls")
        certificate, key = self.authority.certificate("server", "127.0.0.1")
        self._both = self.folder / "tls" / "both.pem"
        self._both.touch(mode=0o600)
        self._both.write_bytes(key.read_bytes() + certificate.read_bytes())
        self.ours = self.authority.certificate("ours")
        self.ports = {kind: free_port() for kind in KINDS}

    def _prepared(self) -> list[str]:
        command = super()._prepared()
        config = self.folder / "server.properties"
        more = "".join(f",{kind}://127.0.0.1:{port}" for kind, port in self.ports.items())
        plain = f"PLAINTEXT://127.0.0.1:{self.port}"
        text = config.read_text().replace(plain, plain + more, 2)
        text += CONFIG.format(server=self._both, ca=self.authority.ca)
        for kind in ("sasl_ssl", "sasl_plaintext"):
            text += LOG_INS.format(kind=kind, user=USER, password="in plain")
        config.write_text(text, encoding="utf-8")
        return command

    def let_in(self) -> None:
        """Make our user, for both ways of SCRAM."""
        with closing(KafkaAdminClient(bootstrap_servers=self.address)) as admin:
            for way in (ScramMechanism.SCRAM_SHA_256, ScramMechanism.SCRAM_SHA_512):
                made = UserScramCredentialUpsertion(USER, way, PASSWORD)
                admin.alter_user_scram_credentials([made])

    def kafka(self, kind: str, mechanism: str = "SCRAM-SHA-512") -> Kafka:
        """How a client of ours gets in at the port of this kind."""
        password = "in plain" if mechanism == "PLAIN" else PASSWORD
        certificate, key = self.ours if kind == "SSL" else (None, None)
        ca = None if kind == "SASL_PLAINTEXT" else self.authority.ca
        security = Security(kind, mechanism, USER, password, ca, certificate, key)
        return Kafka(f"127.0.0.1:{self.ports[kind]}", security=security)


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredKafka]:
    need_apache_kafka()
    with SecuredKafka(tmp_path_factory.mktemp("secured")) as server:
        server.let_in()
        yield server


WAYS = [
    ("SSL", ""),
    ("SASL_SSL", "PLAIN"),
    ("SASL_SSL", "SCRAM-SHA-512"),
    ("SASL_PLAINTEXT", "SCRAM-SHA-256"),
]


@pytest.mark.parametrize(("kind", "mechanism"), WAYS)
def test_frames_go_through_each_way_in(secured: SecuredKafka, kind: str, mechanism: str) -> None:
    kafka = secured.kafka(kind, mechanism)
    bus = FrameBus(kafka, 2, f"by.{kind}.{mechanism}")
    bus.open()
    assert bus.send([Frame(1, 0, 1, 1)], lambda: True) == {1: 0}
    bus.close()
    with closing(kafka.consumer(bus.topic)) as consumer:
        wait_for(lambda: consumer.poll(timeout_ms=100))


def refused(kafka: Kafka) -> str:
    with pytest.raises(BusRefuses) as told:
        FrameBus(kafka, 1, "never").open()
    assert kafka.security.password not in (str(told.value), told.value.zh)
    return told.value.zh


def test_who_is_not_let_in_is_told_why(secured: SecuredKafka) -> None:
    by_password = secured.kafka("SASL_SSL")
    wrong = replace(by_password.security, password="another")
    assert "密码不对或没有该用户" in refused(replace(by_password, security=wrong))
    stranger = replace(by_password.security, username="nobody")
    assert "用户 nobody 的密码不对或没有该用户" in refused(replace(by_password, security=stranger))


def test_a_broker_that_is_not_the_right_one_is_not_believed(
    secured: SecuredKafka, tmp_path: Path
) -> None:
    ours = secured.kafka("SASL_SSL")
    other = replace(ours.security, ca=Authority(tmp_path).ca)
    assert "证书不被信任" in refused(replace(ours, security=other))
    machine = replace(ours.security, ca=None)
    assert "证书不被信任" in refused(replace(ours, security=machine))
    by_name = replace(ours, servers=ours.servers.replace("127.0.0.1", "localhost"))
    assert "主机名" in refused(by_name), "the certificate is for the address, not for this name"


def test_what_cannot_be_used_is_named(secured: SecuredKafka, tmp_path: Path) -> None:
    ours = secured.kafka("SASL_SSL")
    missing = replace(ours.security, ca=tmp_path / "none.pem")
    assert "证书文件" in refused(replace(ours, security=missing))
    plain = replace(ours, servers=f"127.0.0.1:{secured.port}")
    assert "TLS" in refused(plain)


def test_settings_that_are_missing_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELIEF_KAFKA", "127.0.0.1:1")
    monkeypatch.setenv("RELIEF_KAFKA_SECURITY", "SASL_SSL")
    with pytest.raises(BusSettingsMissing, match="RELIEF_KAFKA_USER, RELIEF_KAFKA_PASSWORD"):
        kafka_of(Settings())


@pytest.mark.slow
def test_relay_workers_events_and_doctor_get_in_by_their_settings(
    secured: SecuredKafka,
    postgres_database: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Facts reach views through a broker that takes nobody without TLS and a password."""
    password = tmp_path / "password"
    password.write_text(PASSWORD + "\n", encoding="utf-8")
    ours = secured.kafka("SASL_SSL")
    given = {
        "RELIEF_KAFKA": ours.servers,
        "RELIEF_KAFKA_SECURITY": "SASL_SSL",
        "RELIEF_KAFKA_CA": str(secured.authority.ca),
        "RELIEF_KAFKA_USER": USER,
        "RELIEF_KAFKA_PASSWORD_FILE": str(password),
        "RELIEF_EVENTS_TOPIC": "true",
    }
    rows, tables = city()
    with ExitStack() as stack:
        town = Cluster(tmp_path, postgres_database, secured, stack)
        town.env |= given
        town.append(rows)
        town.process(RELAY, "relay", RELIEF_PROCESS="relay")
        worker = town.worker("worker.1").joined()
        town.reach(rows[-1][0])
        assert town.hashes() == tables
        wait_for(lambda: worker.framed() > 0, 60)
        with closing(ours.consumer(EVENTS)) as consumer:
            wait_for(lambda: consumer.poll(timeout_ms=200), 30)
        given["RELIEF_DATABASE_URL"] = town.log.source
        for name, value in (town.env | given).items():
            monkeypatch.setenv(name, value)
        assert [one.ok for one in topics(Settings())] == [True]
