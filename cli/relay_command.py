"""`relief relay`: copy the log onto Kafka, or stand by until the one that does is gone."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import typer
from rich.console import Console

from cli.bus_settings import kafka_of
from cli.logging import configure
from cli.settings import Settings
from eventstore import metrics
from eventstore.following import HeadWatch
from eventstore.postgres import PostgresConnection, PostgresLog
from eventstore.postgres_session import called
from eventstore.sieve import Sieve
from eventstore.sql import DATABASE_ERRORS, explain
from streams.bus import FrameBus
from streams.events import EventsTopic
from streams.frames import Router, partitions_of
from streams.health import HealthServer, Heart, Watchdog
from streams.kafka import EVENTS, FRAMES, BusRefuses, Kafka, quiet
from streams.leader import Leader
from streams.metrics import tell_of_publisher, tell_of_relay
from streams.publishing import Publisher
from streams.relay import Relay
from streams.relayed import RelayedRow
from streams.topics import TopicWrong

NEEDED = {"read_url": "log_url", "views_url": "views_url", "kafka": "kafka"}
"""The setting to name when this is missing."""
STUCK_SECONDS = 30.0
UNDURABLE = "SET synchronous_commit = off"
"""For what was relayed: what a crash of the database forgets of it is sent again."""

err = Console(stderr=True)


def register(app: typer.Typer) -> None:
    app.command("relay")(relay)


def relay() -> None:
    """Copy the log onto Kafka until Ctrl-C or SIGTERM; of several, one leads."""
    settings = Settings()
    configure(settings.log_level, settings.process or "relay")
    missing = [
        f"RELIEF_{name.upper()}" for name, one in NEEDED.items() if not getattr(settings, one)
    ]
    if missing:
        names = ", ".join(missing)
        err.print(f"[red]请先设置 {names}[/red]\nSet {names} first: the relay is of a cluster.")
        raise typer.Exit(2)
    stop = threading.Event()
    with relaying(settings) as (found, publisher, watch):

        def end(*_: object) -> None:
            stop.set()
            watch.wake()

        signal.signal(signal.SIGTERM, end)
        signal.signal(signal.SIGINT, end)
        beside = Beside(publisher, stop, end)
        beside.start()
        try:
            found.run(stop)
        finally:
            end()
            beside.join()
        if beside.problem is not None:
            raise beside.problem


class Beside(threading.Thread):
    """Runs the publisher, if there is one; what ends it for good ends the relay too."""

    def __init__(
        self, publisher: Publisher | None, stop: threading.Event, end: Callable[[], None]
    ) -> None:
        super().__init__(name="events", daemon=True)
        self._publisher, self._stopped, self._end = publisher, stop, end
        self.problem: Exception | None = None

    def run(self) -> None:
        if self._publisher is None:
            return
        try:
            self._publisher.run(self._stopped)
        except Exception as problem:
            self.problem = problem
            self._end()


@contextmanager
def relaying(settings: Settings) -> Iterator[tuple[Relay, Publisher | None, HeadWatch]]:
    """Everything a relay needs, ready to `run`; let go in order at the end."""
    assert settings.log_url and settings.views_url and settings.kafka
    quiet()
    with ExitStack() as stack:
        power = settings.i_know_the_role_can_rewrite_the_log
        log = PostgresLog(called(settings.log_url, "relay"), allow_power=power)
        stack.callback(log.close)
        views = PostgresConnection(settings.views_url, "views")
        stack.callback(views.close)
        place = RelayedRow(PostgresConnection(log.source, "log", first=UNDURABLE), FRAMES)
        stack.callback(place.close)
        kafka = kafka_of(settings)
        partitions = partitions_of(log)
        watch, sieve = HeadWatch(log), Sieve(log, settings.data)
        name = settings.process or "relay"
        heart = Heart(settings.data / "run" / f"{name}.alive", kind="relay")
        stack.callback(heart.stop)
        leader = Leader(log.source, "relay")
        found = Relay(
            log,
            watch,
            FrameBus(kafka, partitions),
            place,
            leader,
            Router(log, partitions),
            lambda: lowest(views),
            beat=heart.beat,
            sieve=sieve,
        )
        pulse = Heart(None)
        publisher = _publisher(settings, kafka, log, watch, leader, pulse, sieve, stack)
        report = _report(name, found, publisher, leader)
        stack.callback(tell_of_relay(found))
        if publisher is not None:
            stack.callback(tell_of_publisher(publisher))
        server = HealthServer(
            report,
            host=settings.health_host,
            port=settings.health_port,
            pages={"/metrics": metrics.page},
        )
        server.start()
        stack.callback(server.stop)
        looks = [lambda: ("relay", heart.silent_seconds())]
        if publisher is not None:
            looks.append(lambda: ("events", pulse.silent_seconds()))
        watchdog = Watchdog(looks, STUCK_SECONDS)
        watchdog.start()
        stack.callback(watchdog.stop)
        leader.start()
        stack.callback(leader.stop)
        yield found, publisher, watch


def lowest(views: PostgresConnection) -> int:
    """How far the slowest view of the slowest partition has come; 0 before the first."""
    try:
        (made,) = views.execute("SELECT to_regclass('positions') IS NOT NULL").fetchone()
        if not made:
            return 0
        found = views.execute("SELECT coalesce(min(position), 0) FROM positions").fetchone()
    except DATABASE_ERRORS as problem:
        raise explain(problem) from problem
    return int(found[0])


def _publisher(
    settings: Settings,
    kafka: Kafka,
    log: PostgresLog,
    watch: HeadWatch,
    leader: Leader,
    pulse: Heart,
    sieve: Sieve,
    stack: ExitStack,
) -> Publisher | None:
    if not settings.events_topic:
        return None
    place = RelayedRow(PostgresConnection(log.source, "log", first=UNDURABLE), EVENTS)
    stack.callback(place.close)
    topic = EventsTopic(kafka, partitions_of(log))
    days = kafka.events_days
    return Publisher(log, watch, topic, place, leader, days, beat=pulse.beat, sieve=sieve)


def _report(
    name: str, relay: Relay, publisher: Publisher | None, leader: Leader
) -> Callable[[], dict[str, Any]]:
    """What `/health` says. ``waiting`` for broker or database: a restart gains nothing. ``wrong``:
    nothing is sent before somebody has mended a topic, or what lets us into the broker.
    ``differs``: a topic is not as the settings want it, and is used nevertheless."""

    def report() -> dict[str, Any]:
        both: list[Relay | Publisher] = [relay, *([publisher] if publisher is not None else [])]
        problems = [one.trouble for one in both if one.trouble is not None]
        problems.sort(key=lambda one: not isinstance(one, TopicWrong | BusRefuses))
        wrong = [one for led in both for one in led.wrong]
        trouble = str(problems[0]) if problems else leader.trouble
        if problems and isinstance(problems[0], TopicWrong | BusRefuses):
            status = "wrong"
        elif trouble:
            status = "waiting"
        else:
            status = "differs" if wrong else "ok"
        zh = problems[0].zh if problems else "".join(one.zh for one in wrong)
        told = {
            "status": status,
            "process": name,
            "leading": relay.leading,
            "epoch": leader.epoch,
            "position": relay.position,
            "trouble": trouble or " ".join(one.en for one in wrong) or None,
            "trouble_zh": zh or None,
            "events": relay.events,
            "frames": relay.frames,
            "watermarks": relay.watermarks,
            "failures": relay.failures,
            "resent_from_lowest": relay.resent_from_lowest,
            **(relay.sieve.told() if relay.sieve is not None else {}),
        }
        if publisher is not None:
            problem = publisher.trouble
            told |= {
                "published": publisher.position,
                "published_again": publisher.resent,
                "published_trouble": None if problem is None else str(problem),
            }
        return told

    return report
