"""Limits of the HTTP server really in use, over real sockets: what it reads, whom it waits for."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from domain.world import Role
from tests.api.edge import Edge, serving, write_headers
from tests.api.test_limits import told
from tests.api.test_live import watching

MOST = 4096


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """A server with small limits."""
    with serving(
        tmp_path_factory.mktemp("small"),
        header_bytes=MOST,
        headers=20,
        header_seconds=0.5,
        body_seconds=0.5,
        body_bytes_a_second=1_000_000,
        unread_seconds=0.5,
    ) as edge:
        yield edge


@contextmanager
def connected(edge: Edge) -> Iterator[socket.socket]:
    host, _, port = edge.base.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=20) as found:
        yield found


def answer(found: socket.socket) -> bytes:
    """All that comes until the server closes."""
    parts = []
    try:
        while part := found.recv(65536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


def status(said: bytes) -> int:
    return int(said.split(b" ", 2)[1]) if said else 0


def request(extra: bytes = b"", path: bytes = b"/health") -> bytes:
    return b"GET " + path + b" HTTP/1.1\r\nhost: x\r\nconnection: close\r\n" + extra + b"\r\n"


def padded(total: int) -> bytes:
    """A request whose first line and headers have so many bytes as the server counts them."""
    rest = len(b"/health") + len(b"hostx") + len(b"connectionclose") + len(b"padding")
    return request(b"padding: " + b"x" * (total - rest) + b"\r\n")


def test_bytes_of_headers(small: Edge) -> None:
    for total, expected in ((MOST, 200), (MOST + 1, 431)):
        with connected(small) as found:
            found.sendall(padded(total))
            said = answer(found)
        assert status(said) == expected, said[:200]
    assert b"application/problem+json" in said and b'"zh":"' in said and b'"en":"' in said


def test_number_of_headers(small: Edge) -> None:
    for number, expected in ((18, 200), (19, 431)):  # beside Host and Connection
        with connected(small) as found:
            found.sendall(request(b"".join(b"h%d: x\r\n" % n for n in range(number))))
            assert status(answer(found)) == expected


def test_a_long_address(small: Edge) -> None:
    with connected(small) as found:
        found.sendall(request(path=b"/" + b"a" * MOST))
        assert status(answer(found)) == 431


@pytest.mark.parametrize(
    "begin", [b"GET /health HTTP/1.1\r\nhost: ", b"GET /", b"GET /x HTTP/1.1\r\n"]
)
def test_an_endless_header_costs_neither_memory_nor_time(small: Edge, begin: bytes) -> None:
    """180 MB and nine seconds of `/health` it once cost."""
    before = psutil.Process().memory_info().rss
    with connected(small) as found, httpx.Client(base_url=small.base) as other:
        sent = found.send(begin)
        try:
            while sent < 64 * 2**20:
                part = b"h: x\r\n" * 10_000 if begin.endswith(b"\n") else b"x" * 60_000
                sent += found.send(part)
        except (BrokenPipeError, ConnectionResetError):
            pass
        assert sent < 16 * 2**20, "it was cut"
        assert other.get("/health", timeout=5).status_code == 200
    assert psutil.Process().memory_info().rss - before < 30 * 2**20


def test_endless_trailers_and_chunk_extensions_are_cut(small: Edge) -> None:
    token = small.headers(Role.VILLAGE_REPORTER, "yuantan_1")
    headers = {**token, **write_headers(), "Transfer-Encoding": "chunked", "Host": "x"}
    head = "POST /v1/situation-reports HTTP/1.1\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in headers.items()) + "\r\n"
    for begin in (b"1;", b"1\r\n{\r\n0\r\nh: "):
        with connected(small) as found:
            sent = found.send(head.encode() + begin)
            try:
                while sent < 64 * 2**20:
                    sent += found.send(b"x" * 60_000)
            except (BrokenPipeError, ConnectionResetError):
                pass
        assert sent < 16 * 2**20, begin


def test_slow_headers_are_cut(small: Edge) -> None:
    with connected(small) as silent:
        assert answer(silent) == b""
    with connected(small) as slow:
        slow.sendall(b"GET /health HTTP/1.1\r\n")
        said = b""
        with ExitStack() as stack:
            stack.callback(slow.settimeout, 20)
            slow.settimeout(0.1)
            for _ in range(100):
                try:
                    slow.sendall(b"a: b\r\n")
                    said += slow.recv(65536)
                    break
                except TimeoutError:
                    continue
        assert status(said) == 408


def test_slow_bodies_are_cut(small: Edge) -> None:
    token = small.headers(Role.VILLAGE_REPORTER, "yuantan_1")
    headers = {**token, **write_headers(), "Content-Length": "1000", "Host": "x"}
    head = "POST /v1/situation-reports HTTP/1.1\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in headers.items()) + "\r\n"
    with connected(small) as slow:
        slow.sendall(head.encode() + b"{")
        said = answer(slow)
    assert status(said) == 408 and b"too-slow" in said


def test_a_body_may_come_in_parts(small: Edge) -> None:
    """Slow is not cut: only slower than the limit."""
    with connected(small) as found:
        for part in padded(300), b"":
            half = len(part) // 2
            found.sendall(part[:half])
            time.sleep(0.05)
            found.sendall(part[half:])
            break
        assert status(answer(found)) == 200


def test_seconds_of_a_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.live.BEAT_SECONDS", 0.2)
    with serving(tmp_path, request_seconds=1.0, after_wait_seconds=5, after_ahead=10) as edge:
        with edge.client(Role.COUNTY_APPROVER, "county") as us:
            late = us.get("/v1/disasters", params={"after": edge.system.store.head() + 1})
            assert (late.status_code, late.json()["type"]) == (503, "/problems/busy")
            assert late.headers["retry-after"]
            assert us.get("/v1/disasters").status_code == 200
        began = time.monotonic()
        with watching(edge, Role.COUNTY_APPROVER, "county") as stream:
            while time.monotonic() - began < 2.5:
                assert stream.next("beat")


def test_connections_at_a_time(tmp_path: Path) -> None:
    with serving(tmp_path, connections=3, header_seconds=20) as edge, ExitStack() as stack:
        open_ = [stack.enter_context(connected(edge)) for _ in range(3)]
        with connected(edge) as fourth:
            said = answer(fourth)
        assert status(said) == 503 and b"retry-after" in said
        open_[0].sendall(request())
        assert status(answer(open_[0])) == 200
    assert told(tmp_path) == {"connections": 1}


def test_connections_of_an_address(tmp_path: Path) -> None:
    with serving(tmp_path, connections_an_address=2, header_seconds=20) as edge:
        for _ in range(3):  # what is closed is counted no more
            with ExitStack() as stack:
                open_ = [stack.enter_context(connected(edge)) for _ in range(2)]
                with connected(edge) as third:
                    assert status(answer(third)) == 503
                for one in open_:
                    one.sendall(request())
                    assert status(answer(one)) == 200
            deadline = time.monotonic() + 10
            while edge_connections(edge) and time.monotonic() < deadline:
                time.sleep(0.01)


@pytest.mark.parametrize("proxies", ["10.1.2.3, 127.0.0.1", "127.0.0.0/8"])
def test_a_trusted_proxy_may_hold_more_connections(tmp_path: Path, proxies: str) -> None:
    """By network too, or with a blank: one who is believed was once counted as one client."""
    limits = {"connections_an_address": 2, "header_seconds": 20, "trusted_proxies": proxies}
    with serving(tmp_path, **limits) as edge, ExitStack() as stack:
        for one in [stack.enter_context(connected(edge)) for _ in range(4)]:
            one.sendall(request())
            assert status(answer(one)) == 200


def edge_connections(edge: Edge) -> int:
    port = int(edge.base.rpartition(":")[2])
    held = psutil.Process().net_connections("tcp")
    return sum(
        1 for one in held if one.laddr and one.laddr.port == port and one.status == "ESTABLISHED"
    )


def test_who_leaves_an_answer_unread_is_cut(small: Edge) -> None:
    with connected(small) as found:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one = b"GET /v1/openapi.json HTTP/1.1\r\nhost: x\r\n\r\n"
        found.settimeout(0.2)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                found.sendall(one * 20)
            except TimeoutError:
                continue
            except (BrokenPipeError, ConnectionResetError):
                return
        raise AssertionError("the server kept an answer that nobody reads")


def test_empty_lines_keep_no_connection_open(small: Edge) -> None:
    with connected(small) as found:
        found.settimeout(0.1)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                found.sendall(b"\r\n")
                if found.recv(100) == b"":
                    return
            except TimeoutError:
                continue
            except (BrokenPipeError, ConnectionResetError):
                return
        raise AssertionError("still open")
