"""How the program shows the broker who it is, and knows the broker: TLS and SASL.

A client of kafka-python that is refused tries again until its time is over, and then says that
nobody answered. Why it was refused stands in its log alone, so that is listened to: a wrong
password must not be told as a broker that is away.
"""

import logging
import ssl
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from kafka.errors import (
    AuthorizationError,
    IllegalSaslStateError,
    KafkaConnectionError,
    SaslAuthenticationFailedError,
    UnsupportedSaslMechanismError,
)

PLAINTEXT, TLS = "PLAINTEXT", ("SSL", "SASL_SSL")
SASL = ("SASL_PLAINTEXT", "SASL_SSL")

Sentence = tuple[str, str]
"""In Chinese and English."""


class NotPem(OSError):
    """Files that can be read, and are not what TLS needs."""

    def __init__(self, *files: Path | None) -> None:
        super().__init__()
        self.files = " + ".join(str(one) for one in files if one is not None)


@dataclass(frozen=True)
class Security:
    """``protocol`` as Kafka calls it. ``ca``: the authorities that sign brokers' certificates,
    without it those of the machine. ``certificate`` and ``key``: ours, where the broker asks."""

    protocol: str = PLAINTEXT
    mechanism: str = "SCRAM-SHA-512"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    @property
    def sasl(self) -> bool:
        return self.protocol in SASL

    def context(self) -> ssl.SSLContext | None:
        """For TLS, else None. Raises `OSError` when a file cannot be used."""
        if self.protocol not in TLS:
            return None
        for path in (self.ca, self.certificate, self.key):
            if path is not None:
                path.open("rb").close()  # what ssl raises does not tell which file is missing
        try:
            made = ssl.create_default_context(cafile=self.ca)
        except ssl.SSLError as problem:
            raise NotPem(self.ca) from problem
        if self.certificate is not None:
            try:
                # without a password of ours OpenSSL asks the terminal for that of a key
                made.load_cert_chain(self.certificate, self.key, password="")
            except (ssl.SSLError, ValueError) as problem:
                raise NotPem(self.certificate, self.key) from problem
        return made

    def options(self) -> dict[str, Any]:
        """For clients of kafka-python. Raises `OSError` when a file cannot be used."""
        found: dict[str, Any] = {"security_protocol": self.protocol, "ssl_context": self.context()}
        if self.sasl:
            found |= {
                "sasl_mechanism": self.mechanism,
                "sasl_plain_username": self.username,
                "sasl_plain_password": self.password,
            }
        return found


class _Refusals(logging.Handler):
    """Keeps the newest exceptions that the library has only logged, with when they came."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.heard: deque[tuple[float, BaseException]] = deque(maxlen=32)

    def emit(self, record: logging.LogRecord) -> None:
        if isinstance(record.args, tuple):
            now = time.monotonic()
            self.heard += [(now, one) for one in record.args if isinstance(one, BaseException)]


_refusals = _Refusals()


def listen_for_refusals() -> None:
    """Hear why connections fail; nothing is printed of it."""
    for name in ("kafka.net.manager", "kafka.net.connection"):
        logger = logging.getLogger(name)
        if _refusals not in logger.handlers:
            logger.addHandler(_refusals)
            logger.setLevel(logging.ERROR)
            logger.propagate = False


class Address(Protocol):
    """A broker, and how it is spoken to."""

    @property
    def servers(self) -> str: ...
    @property
    def security(self) -> Security: ...


def heard_refusals(problem: BaseException, since: float, to: Address) -> Sentence | None:
    """Why we were refused since then (`time.monotonic`), told; None when nobody refused."""
    heard = [one for at, one in list(_refusals.heard) if at >= since]
    for one in (problem, *reversed(heard)):
        for cause in _causes(one):
            told = _told(cause, to.security, to.servers)
            if told is not None:
                return told
    if to.security.sasl and any(_dropped(one) for one in heard):
        return _log_in_refused(to.security, to.servers, "多半是", "most likely ")
    return None


def _dropped(problem: BaseException) -> bool:
    """Whether the broker closed a connection that stood. The library loses the broker's last
    words when they come together with the end of the connection: a log-in that is refused may
    look like nothing else. So, too, does a broker that ends at that moment."""
    return isinstance(problem, KafkaConnectionError) and "disconnected" in str(problem)


def _log_in_refused(ours: Security, servers: str, zh: str = "", en: str = "") -> Sentence:
    return (
        f"消息总线 {servers} 拒绝登录：{zh}用户 {ours.username} 的密码不对或没有该用户",
        f"The Kafka broker {servers} refuses the log-in: {en}wrong password, or no such user as"
        f" {ours.username}.",
    )


def _causes(problem: BaseException | None) -> Iterator[BaseException]:
    while problem is not None:
        yield problem
        problem = problem.__cause__ or problem.__context__


def _told(problem: BaseException, ours: Security, servers: str) -> Sentence | None:
    if isinstance(problem, ssl.SSLCertVerificationError):
        why = problem.verify_message
        return (
            f"消息总线 {servers} 的证书不被信任（{why}）：请检查 RELIEF_KAFKA_CA 与地址中的主机名",
            f"The certificate of the Kafka broker {servers} is not trusted ({why}): check"
            " RELIEF_KAFKA_CA, and the host's name in the address.",
        )
    if isinstance(problem, ssl.SSLError):
        return (
            f"不能与消息总线 {servers} 建立 TLS 连接：请检查 RELIEF_KAFKA_SECURITY、端口与证书",
            f"No TLS with the Kafka broker {servers} ({problem.reason}): check"
            " RELIEF_KAFKA_SECURITY, the port, and our certificate if it asks for one.",
        )
    if isinstance(problem, SaslAuthenticationFailedError):
        return _log_in_refused(ours, servers)
    if isinstance(problem, UnsupportedSaslMechanismError | IllegalSaslStateError):
        return (
            f"消息总线 {servers} 不支持登录方式 {ours.mechanism}，请检查 RELIEF_KAFKA_SASL",
            f"The Kafka broker {servers} does not take the log-in by {ours.mechanism}: check"
            " RELIEF_KAFKA_SASL.",
        )
    if isinstance(problem, AuthorizationError):
        return (
            f"消息总线 {servers} 不允许用户 {ours.username} 这样做：请检查其权限（ACL）",
            f"The Kafka broker {servers} does not allow this to the user {ours.username}: check"
            " its rights (ACL).",
        )
    if isinstance(problem, NotPem):
        return (
            f"消息总线的证书文件 {problem.files} 不可用："
            "应为 PEM 格式，证书与私钥应相配，私钥不设密码",
            f"The certificates for Kafka in {problem.files} cannot be used: they must be PEM, the"
            " key that of the certificate and without a password.",
        )
    if isinstance(problem, OSError) and problem.filename:
        return (
            f"不能读取消息总线的证书文件 {problem.filename}",
            f"A file with certificates for Kafka cannot be read: {problem.filename}.",
        )
    return None
