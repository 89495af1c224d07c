"""The broker as the settings describe it: for every process and command that speaks to Kafka."""

from cli.settings import Settings
from eventstore.errors import StoreError
from streams.kafka import Kafka
from streams.security import Security


class BusSettingsMissing(StoreError):
    zh = "缺少连接消息总线的设置"
    en = "Settings for Kafka are missing."
    retry_after = None


def kafka_of(settings: Settings) -> Kafka:
    """Raises `BusSettingsMissing` when settings are missing; connects to nothing yet."""
    security = Security(
        protocol=settings.kafka_security,
        mechanism=settings.kafka_sasl,
        username=settings.kafka_user,
        password=settings.kafka_password or None,
        ca=settings.kafka_ca,
        certificate=settings.kafka_certificate,
        key=settings.kafka_key,
    )
    needed = ["kafka", *(("kafka_user", "kafka_password") if security.sasl else ())]
    missing = [f"RELIEF_{name.upper()}" for name in needed if not getattr(settings, name)]
    if missing:
        raise BusSettingsMissing(f"Set {', '.join(missing)}.")
    assert settings.kafka
    return Kafka(
        settings.kafka,
        replication=settings.kafka_replication,
        min_insync=settings.kafka_min_insync,
        frames_days=settings.kafka_frames_days,
        events_days=settings.kafka_events_days,
        security=security,
    )
