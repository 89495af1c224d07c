"""What protections cost: the seals of frames and of facts, and the limits of the HTTP server.

Frames of a real log are sealed and checked, against HMAC-SHA256 alone over the same bytes at both
ends. Encoding and decoding a frame only copies its rows, a third of what any hash of them costs:
that is told, and no measure for a seal. Facts are folded in bulk, as after a restart, each held
against the writer's seals first, or known from its server, or simply believed. The server is the
bare endpoint of `bench.over_http` behind the limits that `relief serve` has, against the same
endpoint behind uvicorn's own httptools.
"""

import hmac
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import cast
from uuid import uuid4

from bench import county
from bench.base import REPETITIONS, Reach, Result, machine, median, pairs, ratio
from bench.commands import life
from bench.over_http import CONNECTIONS, FEWEST, Side
from bench.serving import server
from domain.catalog import AGGREGATES
from domain.world import Role
from eventstore.log import Row
from eventstore.outcomes import Envelope
from eventstore.store import Store
from eventstore.trust import KeptTrust, Trust
from projections.catalog import VIEWS
from projections.folding.engine import ViewsDatabase
from streams.embedded import Follower
from streams.frames import Frame, Framer, Router, decode, encode, headers, partitions_of
from streams.sealing import Seal

LIVES = 500
REQUESTS = 4000
TIMES = 20
PAIRS = 4
"""Times the repetitions. A run lasts half a second, and a neighbor may take a core for as long."""
TOGETHER = 30
"""Commands of one batch, as in a busy hour."""
RUN = 16
"""Facts that the relay finds at once in a busy hour."""


def frames_of(lives: int) -> list[Frame]:
    """The frames of a log of incidents."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        store = Store.at(Path(name), AGGREGATES)
        county.build(store)
        at, officer = county.an_hour_ago(), county.officer_of(Role.DISPATCHER)
        commands = [one for n in range(lives) for one in life(uuid4(), n, at)]
        county.send(store, [Envelope(id=uuid4(), officer=officer, command=c) for c in commands])
        framer = Framer(Router(store.log, partitions_of(store.log)), {})
        rows = store.log.rows(0, 1_000_000)
        found = [frame for n in range(0, len(rows), RUN) for frame in framer.cut(rows[n : n + RUN])]
        store.close()
    return found


def timed(what: Callable[[], object]) -> float:
    """Seconds of processor, the median of some times."""
    took = []
    for _ in range(TIMES):
        began = time.process_time()
        what()
        took.append(time.process_time() - began)
    return median(took)


class Frames:
    """The two ends of a broker: what is done with a frame there, each by itself."""

    def __init__(self, lives: int) -> None:
        self.frames = frames_of(lives)
        self.values = [(encode(frame), headers(frame)) for frame in self.frames]
        self.seal = Seal.made("born/1", b"s" * 32)

    def copied(self) -> float:
        def send_and_read() -> None:
            for frame in self.frames:
                decode(encode(frame), dict(headers(frame)))

        return timed(send_and_read)

    def sealed(self, _: int) -> float:
        def send_and_read() -> None:
            for value, named in self.values:
                if not self.seal.holds(value, dict(self.seal.on(value, named))):
                    raise RuntimeError("a frame of our own is not believed")

        return timed(send_and_read)

    def hashed(self, _: int) -> float:
        def send_and_read() -> None:
            for value, _ in self.values:
                for _ in ("sent", "read"):
                    hmac.digest(self.seal.key, value, "sha256")

        return timed(send_and_read)


class Believing(Trust):
    """Whatever stands in the log counts."""

    def hold(self, rows: Sequence[Row]) -> None:
        """Nothing is looked at."""


class Boards:
    """A follower that folds a log from its first fact on, with seals looked at and without."""

    def __init__(self, lives: int) -> None:
        self._scratch = tempfile.TemporaryDirectory(prefix="bench-")
        self._folder = Path(self._scratch.name)
        self.store = Store.at(self._folder, AGGREGATES)
        county.build(self.store)
        at, officer = county.an_hour_ago(), county.officer_of(Role.DISPATCHER)
        commands = [one for n in range(lives) for one in life(uuid4(), n, at)]
        for n in range(0, len(commands), TOGETHER):
            sent = commands[n : n + TOGETHER]
            county.send(
                self.store, [Envelope(id=uuid4(), officer=officer, command=c) for c in sent]
            )
        self.facts = self.store.head()
        self._trust = self.store.trust

    def folded(self, trust: Trust) -> float:
        """Seconds of processor for all facts."""
        file = self._folder / f"{uuid4()}.sqlite"
        with closing(ViewsDatabase(file, VIEWS)) as views:
            self.store.trust = cast(KeptTrust, trust)
            follower = Follower(self.store, views)
            began = time.process_time()
            while follower.step():
                pass
            took = time.process_time() - began
        file.unlink()
        return took

    def held(self, _: int) -> float:
        """Of what others wrote: each fact against its seal."""
        return self.folded(Trust(self.store.log, self.store.seals))

    def told(self, _: int) -> float:
        """Of what its own server wrote, which tells how far it has come."""
        trust = Trust(self.store.log, self.store.seals)
        trust.hear(self._trust.seen())
        return self.folded(trust)

    def believed(self, _: int) -> float:
        """As if nobody sealed anything."""
        return self.folded(Believing(self.store.log, self.store.seals))

    def close(self) -> None:
        self.store.trust = self._trust
        self.store.close()
        self._scratch.cleanup()


def run(*, tiny: bool = False) -> Result:
    about = machine()
    count, repetitions = (FEWEST, 1) if tiny else (REQUESTS, REPETITIONS)
    many = 1 if tiny else PAIRS * REPETITIONS
    frames = Frames(10 if tiny else LIVES)
    facts = sum(len(frame.rows) for frame in frames.frames)
    sealed, hashed = pairs(frames.sealed, frames.hashed, repetitions)
    copied = frames.copied()
    boards = Boards(10 if tiny else LIVES)
    told, believed = pairs(boards.told, boards.believed, many)
    held, beside = pairs(boards.held, boards.believed, many)
    boards.close()
    with server("-") as bounded_server, server("plain") as plain_server:
        bounded = Side(bounded_server, "", poll=False)
        unbounded = Side(plain_server, "", poll=False)
        for side in (bounded, unbounded):
            side.measure(CONNECTIONS)
            side.cpu_us.clear()
        with_limits, without = pairs(
            lambda _: bounded.measure(count), lambda _: unbounded.measure(count), many
        )
    return Result(
        "protections",
        {
            "facts": facts,
            "frames": len(frames.frames),
            "bytes_a_frame": sum(len(value) for value, _ in frames.values) // len(frames.values),
            "copied_us_a_frame": round(1e6 * copied / len(frames.frames), 1),
            "hashed_us_a_frame": round(1e6 * median(hashed) / len(frames.frames), 1),
            "sealed_us_a_frame": round(1e6 * median(sealed) / len(frames.frames), 1),
            "seal_us_a_fact": round(1e6 * median(sealed) / facts, 2),
            "folded_us_a_fact": round(1e6 * median(believed) / boards.facts, 1),
            "held_us_a_fact": round(1e6 * (median(held) - median(beside)) / boards.facts, 2),
            "held_over_unsealed": ratio(held, beside),
            "bounded_requests_per_second": round(median(with_limits)),
            "plain_requests_per_second": round(median(without)),
            "bounded_cpu_us_per_request": round(median(bounded.cpu_us)),
            "plain_cpu_us_per_request": round(median(unbounded.cpu_us)),
        },
        {
            "bounded_over_plain_server": ratio(with_limits, without),
            "bounded_over_plain_cpu": ratio(bounded.cpu_us, unbounded.cpu_us),
            "seal_over_bare_hmac": ratio(sealed, hashed),
            "folding_its_servers_facts_over_unsealed": ratio(told, believed),
        },
        about,
        {
            "bounded_over_plain_server": Reach(at_least=0.8),
            "bounded_over_plain_cpu": Reach(at_most=1.25),
            "seal_over_bare_hmac": Reach(at_most=2),
            "folding_its_servers_facts_over_unsealed": Reach(at_most=1.05),
        },
    )
