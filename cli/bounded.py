"""uvicorn's HTTP protocol with limits: how much, how many and how long one client may ask.

uvicorn reads HTTP with httptools, which has no limits of its own: one connection with an endless
header once took 180 MB and held everybody for nine seconds. uvicorn's own `h11` limits belong to
its slower parser and are not asked here. So what comes in is counted as it comes:

* bytes of the request line and headers, and how many headers there are (431),
* seconds until the headers are there, and a least rate at which a body must come (408),
* bytes round a body that are not the body: chunk extensions and trailers (400),
* seconds until the answer is there (503), live boards apart, which last,
* seconds a client may leave an answer unread,
* connections open at a time, in all and of one address (503).
"""

import time
from collections import Counter
from collections.abc import Container
from dataclasses import dataclass
from typing import Any, ClassVar, cast

import httptools
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from eventstore.limits_reached import limit_reached

LINGER_SECONDS = 5.0
LASTING = "lasting"
"""Set in the scope of a request that has no end of its own: a live board."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpLimits:
    """Each is the setting of the same name."""

    header_bytes: int = 32 * 1024
    headers: int = 100
    header_seconds: float = 10.0
    body_seconds: float = 30.0
    body_bytes_a_second: int = 4 * 1024
    request_seconds: float = 60.0
    unread_seconds: float = 30.0
    connections: int = 1_000
    connections_an_address: int = 500
    trusted_proxies: str = ""


DEFAULT_HTTP_LIMITS = HttpLimits()

ANSWERS = {
    400: b"Bad Request",
    408: b"Request Timeout",
    431: b"Request Header Fields Too Large",
    503: b"Service Unavailable",
}
SAID = {
    400: ("bad-request", "请求格式有误", "This is not a well-formed request."),
    408: ("too-slow", "请求发送过慢，请重试", "The request came too slowly. Try again."),
    431: ("headers-too-large", "请求头过大", "The request's headers are too large."),
    503: ("busy", "系统繁忙，请稍后再试", "The system is busy. Try again shortly."),
}


def problem(status: int) -> bytes:
    """A whole answer, problem details in both languages, after which the connection closes."""
    code, zh, en = SAID[status]
    body = (
        f'{{"type":"/problems/{code}","title":"{zh}","status":{status},"zh":"{zh}","en":"{en}"}}'
    ).encode()
    lines = [
        b"HTTP/1.1 %d %s" % (status, ANSWERS[status]),
        b"content-type: application/problem+json",
        b"content-length: %d" % len(body),
        b"cache-control: no-store",
        b"connection: close",
    ]
    if status == 503:
        lines.append(b"retry-after: 5")
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


class Bounded(HttpToolsProtocol):
    """One connection. `bounded` gives a class its limits."""

    limits = DEFAULT_HTTP_LIMITS
    addresses: Counter[str] = Counter()
    """Open connections of each address."""
    proxies: ClassVar[Container[str]] = ()
    """Addresses that may hold more of them: the proxies whose headers uvicorn believes."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._head = 0  # bytes of the request line and headers, as far as they have come
        self._in_head = False
        self._round_body = 0  # bytes since the headers that were not the body
        self._body = 0
        self._deadline: Any = None
        self._unread: Any = None
        self._counted: str | None = None
        self._too_much = False
        self._whole = True  # whether the request has come whole
        self._began = 0.0

    # -- connections --------------------------------------------------------------------------

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        address = self.client[0] if self.client else ""
        over = None
        if len(self.connections) > self.limits.connections:
            over = "connections"
        elif (
            self.addresses[address] >= self.limits.connections_an_address
            and address not in self.proxies
        ):
            over = "connections_an_address"
        if over is not None:
            self._refuse(503, over)
            return
        self.addresses[address] += 1
        self._counted = address
        self._within(self.limits.header_seconds, self._slow_headers)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._counted is not None:
            self.addresses[self._counted] -= 1
            if not self.addresses[self._counted]:
                del self.addresses[self._counted]
            self._counted = None
        self._unset("_deadline")
        self._unset("_unread")
        super().connection_lost(exc)

    # -- what comes in ------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        if self._deadline is None:  # the first bytes of a further request
            self._within(self.limits.header_seconds, self._slow_headers)
        body, was_body = self._body, not self._whole
        super().data_received(data)
        if self._too_much:
            self._refuse(431, "header_bytes")
        elif self._in_head:
            self._head += len(data)
            if self._head > self.limits.header_bytes:
                self._refuse(431, "header_bytes")
        elif was_body:
            self._round_body += len(data) - (self._body - body)
            if self._round_body > self.limits.header_bytes + self._body:
                self._refuse(400, "header_bytes")

    def send_400_response(self, msg: str) -> None:
        if not self._too_much:  # what we raised ourselves is answered by `data_received`
            self.transport.write(problem(400))
            self.transport.close()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head, self._head, self._body, self._round_body = True, 0, 0, 0

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > self.limits.header_bytes:
            self._too_much = True
            raise httptools.HttpParserError("too long an address")

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        self._round_body += len(name) + len(value)
        if (
            len(self.headers) > self.limits.headers
            or self._round_body + len(self.url) > self.limits.header_bytes + self._body
        ):
            self._too_much = True
            raise httptools.HttpParserError("too many or too large headers")

    def on_headers_complete(self) -> None:
        self._in_head, self._round_body, self._whole = False, 0, False
        self._began = time.monotonic()
        self._within(self.limits.body_seconds, self._slow_body)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._body += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._whole = True
        super().on_message_complete()
        if self.cycle is not None and not self.cycle.response_complete:
            self._within(self.limits.request_seconds, self._slow_answer)

    def on_response_complete(self) -> None:
        self._unset("_deadline")
        super().on_response_complete()
        if not self._whole:  # answered before its body came: time to read the answer, no more
            self._within(LINGER_SECONDS, self.transport.close)
        elif self.pipeline or (self.cycle is not None and not self.cycle.response_complete):
            self._within(self.limits.request_seconds, self._slow_answer)

    # -- what goes out ------------------------------------------------------------------------

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unset("_unread")
        self._unread = self.loop.call_later(
            self.limits.unread_seconds, self._abort, "unread_seconds"
        )

    def resume_writing(self) -> None:
        self._unset("_unread")
        super().resume_writing()

    # -- deadlines ----------------------------------------------------------------------------

    def _within(self, seconds: float, otherwise: Any) -> None:
        """The one deadline of this connection: what is due next replaces what was due before."""
        self._unset("_deadline")
        self._deadline = self.loop.call_later(seconds, otherwise)

    def _unset(self, name: str) -> None:
        timer = getattr(self, name)
        if timer is not None:
            timer.cancel()
            setattr(self, name, None)

    def _slow_headers(self) -> None:
        if self._head:
            self._refuse(408, "header_seconds")
        else:  # nothing was asked, so nothing is answered
            self.transport.close()

    def _slow_body(self) -> None:
        """The body is late, unless it came at the least rate or we ourselves did not read it."""
        limits = self.limits
        took = time.monotonic() - self._began
        allowed = limits.body_seconds + self._body / limits.body_bytes_a_second
        if self.flow.read_paused or took < allowed:
            self._within(max(1.0, allowed - took), self._slow_body)
        else:
            self._refuse(408, "body_seconds")

    def _slow_answer(self) -> None:
        if self.cycle is not None and self.cycle.scope.get(LASTING):
            return
        if self.cycle is not None and self.cycle.response_started:
            self._abort("request_seconds")
        else:
            self._refuse(503, "request_seconds")

    def _refuse(self, status: int, limit: str) -> None:
        """Answer for the application and close. It is told that the client has gone."""
        if self.transport.is_closing():
            return
        limit_reached(limit)
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            self.transport.write(problem(status))
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self._unset("_deadline")
        self.transport.close()

    def _abort(self, limit: str) -> None:
        limit_reached(limit)
        self.transport.abort()


def believed(proxies: str) -> Container[str]:
    """The addresses that this setting names, singly or by network, exactly as uvicorn reads it."""
    app: Any = None  # it is only asked whom it would believe
    return cast(Container[str], ProxyHeadersMiddleware(app, proxies).trusted_hosts)


def bounded(limits: HttpLimits) -> type[Bounded]:
    """A protocol class with these limits, and a count of addresses of its own."""
    proxies = believed(limits.trusted_proxies)
    own = {"limits": limits, "addresses": Counter(), "proxies": proxies}
    return type("Bounded", (Bounded,), own)
