"""A TCP proxy that breaks the wire between a client and PostgreSQL where a test wants it broken."""

import random
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

COMMITTED = b"C\x00\x00\x00\x0bCOMMIT\x00"
"""How PostgreSQL says that a transaction is stored, however the client asked for it."""

ASKED = b"COMMIT"
CHUNK = 65_536


@dataclass(eq=False)
class Wire:
    """One connection: its two ends, and the last bytes of each direction for marks cut in two."""

    client: socket.socket
    server: socket.socket
    tail: dict[socket.socket, bytes] = field(default_factory=dict)

    def sees(self, source: socket.socket, chunk: bytes, mark: bytes) -> bool:
        """Whether the mark ends in this chunk of what the source sends."""
        seen = self.tail.get(source, b"") + chunk
        self.tail[source] = seen[-len(COMMITTED) + 1 :]
        return mark in seen

    def cut(self) -> None:
        for end in (self.client, self.server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


class CutProxy:
    """Listens on 127.0.0.1 and passes everything on to the target's port, until told otherwise.

    - `cut_replies(n)`: the next n answers to COMMIT are swallowed and their connections cut: the
      rows are stored, the client does not know.
    - `cut_requests(n)`: the next n COMMITs never reach the server: nothing is stored, and the
      client does not know. (The statement must pass as text, not as a prepared one.)
    - `cut_randomly(p, seed)`: each piece that passes, in either direction, is with probability p
      the last of its connection, and passes in part.
    - `delay(seconds)`: each piece waits so long.
    - `half_open()`: connections stay, nothing passes; `heal()` lets what was held pass again.
    - `cut_all()`: every connection, now.

    `cuts` counts the connections cut so far. `close()` ends all threads.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self.cuts = 0
        self._replies = 0
        self._requests = 0
        self._chance = 0.0
        self._random = random.Random(0)
        self._delay = 0.0
        self._passing = threading.Event()
        self._passing.set()
        self._closed = False
        self._lock = threading.Lock()
        self._wires: set[Wire] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._threads = [threading.Thread(target=self._accept, name="proxy")]
        self._threads[0].start()

    def __enter__(self) -> "CutProxy":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def through(self, url: str) -> str:
        """The same address, by way of this proxy."""
        parts = urlsplit(url)
        login = parts.netloc.rpartition("@")[0]
        return urlunsplit(parts._replace(netloc=f"{login}@127.0.0.1:{self.port}"))

    def cut_replies(self, count: int = 1) -> None:
        self._replies = count

    def cut_requests(self, count: int = 1) -> None:
        self._requests = count

    def cut_randomly(self, chance: float, seed: int) -> None:
        self._random, self._chance = random.Random(seed), chance

    def delay(self, seconds: float) -> None:
        self._delay = seconds

    def half_open(self) -> None:
        self._passing.clear()

    def heal(self) -> None:
        """Break nothing any more; what was held passes."""
        self._replies = self._requests = 0
        self._chance = self._delay = 0.0
        self._passing.set()

    def cut_all(self) -> None:
        with self._lock:
            wires = list(self._wires)
        for wire in wires:
            self._cut(wire)

    def close(self) -> None:
        self._closed = True
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._threads[0].join(10)
        self.cut_all()
        self.heal()
        for thread in self._threads:
            thread.join(10)
            assert not thread.is_alive(), "a thread of the proxy did not end"

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.target), timeout=5)
            except OSError:  # the target is away: so are we
                client.close()
                continue
            server.settimeout(None)
            wire = Wire(client, server)
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._wires.add(wire)
            for ends in ((client, server), (server, client)):
                thread = threading.Thread(target=self._pass, args=(wire, *ends), name="proxy")
                self._threads.append(thread)
                thread.start()

    def _pass(self, wire: Wire, source: socket.socket, to: socket.socket) -> None:
        with suppress(OSError):
            while chunk := source.recv(CHUNK):
                self._passing.wait()
                if self._delay:
                    time.sleep(self._delay)
                passing = self._allowed(wire, source, chunk)
                to.sendall(chunk[:passing])
                if passing < len(chunk):
                    self._cut(wire)
                    break
        wire.cut()
        self._leave(wire, source)

    def _allowed(self, wire: Wire, source: socket.socket, chunk: bytes) -> int:
        """How much of this piece passes; less than all of it ends the connection."""
        mark = ASKED if source is wire.client else COMMITTED
        marked = wire.sees(source, chunk, mark)
        with self._lock:
            if marked and source is wire.client and self._requests:
                self._requests -= 1
                return 0
            if marked and source is wire.server and self._replies:
                self._replies -= 1
                return 0
            if self._chance and self._random.random() < self._chance:
                return self._random.randrange(len(chunk))
        return len(chunk)

    def _cut(self, wire: Wire) -> None:
        with self._lock:
            self.cuts += 1
        wire.cut()

    def _leave(self, wire: Wire, source: socket.socket) -> None:
        """Close the sockets when both directions have ended."""
        with self._lock:
            wire.tail.pop(source, None)
            if wire in self._wires:
                self._wires.discard(wire)
                return
        wire.client.close()
        wire.server.close()
