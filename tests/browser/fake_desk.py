"""A small server with the real shell and a board whose stream the test holds in its hand."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Mount, Route

from domain.world import Role
from tests.browser.fake_command import LOT, act
from tests.browser.fake_forms import all_forms
from web.acting import Act
from web.assets import Assets
from web.render import Pages, language_of, render
from web.shell import Mark, Shell

NOON = datetime(2018, 7, 3, 6, 5, 12, tzinfo=UTC)
OFFICER = Shell(
    officer="officer-1",
    user="王小明",
    role=Role.COUNTY_APPROVER,
    post="A",
    area="潜山市",
    csrf_token="token-1",
)
RULES = [
    {
        "id": "moved",
        "level": "error",
        "kind": "sum",
        "left": ["moved"],
        "right": ["central", "scattered"],
        "zh": "紧急转移安置应等于集中安置加分散安置",
        "en": "Moved must equal central plus scattered",
    },
    {
        "id": "central",
        "level": "warning",
        "kind": "le",
        "left": ["central"],
        "right": ["moved"],
        "zh": "集中安置不应多于紧急转移安置",
        "en": "Central should not exceed moved",
    },
]


def forms_for(request: Request) -> list[Act]:
    return all_forms(NOON, language_of(request))


@dataclass(frozen=True)
class Row:
    name: str
    state: str
    affected: int | None
    moved: int | None


@dataclass
class FakeDesk:
    """What the server says, and what it was asked. Fields are set by the test's thread."""

    position: int = 100
    head: int = 100
    rows: list[Row] = field(
        default_factory=lambda: [
            Row("源潭镇", "pending", 1200, 86),
            Row("水吼镇", "accepted", 420, 0),
            Row("官庄镇", "returned", 95, None),
            Row("天柱山镇", "overdue", None, None),
        ]
    )
    behind_seconds: float | None = None
    trouble: bool = False
    beating: bool = True
    stream_status: int = 200
    silent_ms: int = 10_000
    broken_fragments: int = 0
    slow_fragments: float = 0.0
    lot: UUID = LOT
    marks: tuple[Mark, ...] = ()
    dropped: int = 0  # raise it to cut all streams
    resumed_from: list[str | None] = field(default_factory=list)
    asked_after: list[str] = field(default_factory=list)
    searched: list[str] = field(default_factory=list)
    posts: list[tuple[dict[str, str], Any]] = field(default_factory=list)
    answers: list[tuple[int, Any]] = field(default_factory=list)
    streams: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def change(self, index: int, **values: Any) -> int:
        """One row changes: the view moves on by one position."""
        with self.lock:
            self.rows = [
                replace(row, **values) if at == index else row for at, row in enumerate(self.rows)
            ]
            self.head = self.position = self.position + 1
            return self.position

    def app(self) -> Starlette:
        pages = Pages(Path(__file__).parent / "pages")

        def page(request: Request, name: str, **context: Any) -> Response:
            request.state.shell = replace(OFFICER, marks=self.marks, clock=NOON)
            return pages.render(request, name, **context)

        async def login(request: Request) -> Response:
            failure = request.query_params.get("failure", "")
            return render(request, "login.html", failure=failure, minutes=5, name="", next="/board")

        async def entered(request: Request) -> Response:
            form = await request.form()
            self.posts.append((dict(request.headers), dict(form)))
            return RedirectResponse("/login?failure=failed", 303)

        async def home(request: Request) -> Response:
            return page(request, "home.html")

        async def board(request: Request) -> Response:
            return page(
                request,
                "fake_board.html",
                position=self.position,
                rows=self.rows,
                as_of=NOON,
                silent_ms=self.silent_ms,
            )

        async def board_rows(request: Request) -> Response:
            self.asked_after.append(request.query_params["after"])
            if self.broken_fragments > 0:
                self.broken_fragments -= 1
                return Response(status_code=503)
            shown = {"position": self.position, "rows": self.rows}
            await asyncio.sleep(self.slow_fragments)
            return page(request, "fake_rows.html", **shown)

        async def form(request: Request) -> Response:
            return page(request, "fake_form.html", rules=RULES)

        async def ledger(request: Request) -> Response:
            return page(request, "fake_ledger.html", count=90)

        async def ledger_found(request: Request) -> Response:
            self.searched.append(request.query_params["q"])
            return Response(f"{len(self.searched)}", media_type="text/html")

        async def reports(request: Request) -> Response:
            self.posts.append((dict(request.headers), await request.json()))
            status, answer = self.answers.pop(0)
            return JSONResponse(answer, status_code=status)

        return Starlette(
            routes=[
                Route("/login", login),
                Route("/login", entered, methods=["POST"]),
                Route("/", home),
                Route("/board", board),
                Route("/board/rows", board_rows),
                Route("/stream", self.stream),
                Route("/form", form),
                Route("/forms", lambda to: page(to, "fake_forms.html", forms=forms_for(to))),
                Route("/acting", lambda to: page(to, "fake_acting.html", made=act(NOON, self.lot))),
                Route("/ledger", ledger),
                Route("/ledger/found", ledger_found),
                Route("/reports", reports, methods=["POST"]),
                Mount("/static", Assets()),
            ]
        )

    async def stream(self, request: Request) -> Response:
        self.resumed_from.append(request.headers.get("last-event-id"))
        if self.stream_status != 200:
            return Response(status_code=self.stream_status)
        last = int(request.headers.get("last-event-id", "0"))
        return StreamingResponse(self.events(last), media_type="text/event-stream")

    async def events(self, last: int) -> AsyncIterator[str]:
        """A change when the view moved on, else a beat each 100 ms while it beats."""
        born = self.dropped
        self.streams += 1
        try:
            yield ": hello\n\n" if self.beating else ""
            while self.dropped == born:
                if self.beating:
                    kind = "change" if self.position > last else "beat"
                    last = self.position
                    data: dict[str, Any]
                    data = {
                        "position": self.position,
                        "head": self.head,
                        "lag": self.head - self.position,
                        "at": NOON.isoformat(),
                    }
                    if self.behind_seconds is not None:
                        data["behind_seconds"] = self.behind_seconds
                    if self.trouble:
                        data["trouble"] = True
                    if kind == "change":
                        data = {"position": self.position, "tables": ["board"], "rows": {}}
                    yield f"event: {kind}\nid: {last}\ndata: {json.dumps(data)}\n\n"
                await asyncio.sleep(0.1)
        finally:
            self.streams -= 1
