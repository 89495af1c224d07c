"""The pages of a whole county, the demo in full, as its officers open them.

It (``BENCH_DEMO``, or built: 16,513 households) is served as `relief serve` does. Each officer
opens home and what its menu leads to, and of those pages the first matter of each kind that they
link; every page is asked for ``TIMES`` times after once, one after the other, in one language.
``p95_ms`` is from the request to the last byte, at the machine of the server. ``processor_ms`` is
what the server's process took of the processors for a page, on average, whoever else was busy: on a
machine with other work only that can be compared.
"""

import os
import re
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import create_engine, text

from bench.base import Reach, Result, machine
from bench.demo_store import existing_or_built
from bench.serving import server
from cli.demo_command import PASSWORD

LOGINS = ("county-approver", "county-payer", "yuantan-reviewer-new", "city-reviewer", "auditor")
TIMES, LIMIT_MS = 20, 300
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
LINK = re.compile(r'href="(/[^"#]*)')
NO_PAGE = ("/static/", "/v1/", "/logout", "/docs")
SHEET = re.compile(r"\.(csv|xlsx)|format=")


def run(*, tiny: bool = False) -> Result:
    """``tiny``: the small county, one officer, each page twice."""
    times = 2 if tiny else TIMES
    p95: dict[str, float] = {}
    processor: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = existing_or_built(Path(scratch), small=tiny)
        households = _households(folder)
        with server(str(folder)) as served:
            for login in LOGINS[:1] if tiny else LOGINS:
                with closing(_logged_in(f"http://127.0.0.1:{served.port}", login)) as client:
                    for page in list(_pages(client)):
                        name, before = f"{login} {_kind(page)}", served.cpu_seconds()
                        p95[name] = _p95(client, page, times)
                        took = served.cpu_seconds() - before
                        processor[name] = 1000 * took / (times + 1)
    return Result(
        name="pages",
        figures={
            "households": households,
            "pages": len(p95),
            "median_of_p95_ms": round(statistics.median(p95.values()), 1),
            "slowest_ms": _most(p95),
            "median_of_processor_ms": round(statistics.median(processor.values()), 1),
            "most_processor_ms": _most(processor),
            "load": round(os.getloadavg()[0], 1),
        },
        ratios={"slowest_over_limit": max(p95.values()) / LIMIT_MS},
        machine=machine(),
        reaches={"slowest_over_limit": Reach(at_most=1)},
    )


def _most(ms: dict[str, float]) -> dict[str, float]:
    """The ten pages that took most."""
    return {page: round(ms[page], 1) for page in sorted(ms, key=lambda page: -ms[page])[:10]}


def _households(folder: Path) -> int:
    engine = create_engine(f"sqlite:///{folder / 'views.sqlite'}")
    try:
        with engine.connect() as db:
            return int(db.execute(text("SELECT count(*) FROM households")).scalar_one())
    finally:
        engine.dispose()


def _logged_in(address: str, login: str) -> httpx.Client:
    client = httpx.Client(base_url=address, timeout=60, follow_redirects=True)
    answer = client.post("/v1/sessions", json={"login": login, "password": PASSWORD})
    assert answer.is_success, answer.text
    return client


def _pages(client: httpx.Client) -> Iterator[str]:
    """Home, what it links, and what that links: of each kind of page the first."""
    met: set[str] = set()
    waiting = ["/"]
    for depth in range(3):
        found: list[str] = []
        for page in waiting:
            if (kind := _kind(page)) in met:
                continue
            met.add(kind)
            answer = client.get(page)
            if not answer.is_success or "text/html" not in answer.headers["content-type"]:
                continue
            yield page
            if depth < 2:
                found += [link.replace("&amp;", "&") for link in LINK.findall(answer.text)]
        waiting = [
            link for link in found if not link.startswith(NO_PAGE) and not SHEET.search(link)
        ]


def _kind(page: str) -> str:
    return re.sub(r"=[^&]*", "", ID.sub("…", page))


def _p95(client: httpx.Client, page: str, times: int) -> float:
    took = []
    for _ in range(times + 1):
        began = time.perf_counter()
        client.get(page)
        took.append(1000 * (time.perf_counter() - began))
    warm: list[Any] = sorted(took[1:])
    return float(warm[min(len(warm) - 1, round(0.95 * len(warm)))])
