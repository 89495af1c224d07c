"""What `relief doctor` asks the broker: are the topics as the settings want them?"""

from collections.abc import Iterator
from contextlib import closing

from kafka.errors import KafkaError

from api.checkup import Finding
from cli.bus_settings import kafka_of
from cli.settings import Settings
from eventstore.postgres import PostgresLog
from streams.frames import PARTITIONS, PARTITIONS_MARK
from streams.kafka import EVENTS, FRAMES, BusTrouble, Kafka, quiet
from streams.topics import Topic, differences


def topics(settings: Settings) -> Iterator[Finding]:
    """One finding for each difference; nothing is asked where no broker is set."""
    if not settings.kafka:
        return
    assert settings.database_url
    kafka = kafka_of(settings)
    with closing(PostgresLog(settings.database_url, allow_power=True)) as log:
        partitions = int(log.mark(PARTITIONS_MARK) or PARTITIONS)
    names = [FRAMES, EVENTS] if settings.events_topic else [FRAMES]
    quiet()
    try:
        found = list(_differing(kafka, names, partitions))
    except BusTrouble as problem:
        yield Finding("topics", False, problem.zh, str(problem))
    except (KafkaError, OSError) as problem:
        yield Finding("topics", False, BusTrouble.zh, str(BusTrouble(repr(problem))))
    else:
        yield from found
        if not found:
            said = " ".join(names)
            yield Finding(
                "topics",
                True,
                f"消息总线的主题（{said}）与设置相符",
                f"The topics of the broker are as set: {said}.",
            )


def _differing(kafka: Kafka, names: list[str], partitions: int) -> Iterator[Finding]:
    with closing(kafka.admin()) as admin:
        for name in names:
            for wrong in differences(admin, Topic.of(kafka, name, partitions)):
                yield Finding("topics", False, wrong.zh, wrong.en)
