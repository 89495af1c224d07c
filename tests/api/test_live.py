"""Live boards: what they are sent, where they stop, how they resume."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from api import live
from api.live import QUEUED, Board, Hub
from api.routes import LIVE
from api.system import AreaTree
from domain.world import Role
from eventstore.outcomes import Envelope
from projections.folding.engine import Applied
from tests.api.cells import ANYWHERE, POSTED
from tests.api.edge import Edge, serving, write_headers
from tests.api.matrix import BOARDS, LETTERS
from tests.api.seed import id_of, officer_of
from tests.api.test_writes import REPORTS, report


class Stream:
    """One open board, read event by event."""

    def __init__(self, answer: httpx.Response) -> None:
        self._lines = answer.iter_lines()

    def next(self, *kinds: str) -> dict[str, Any]:
        """The next event of one of the kinds (any, if none is named)."""
        found: dict[str, Any] = {}
        for line in self._lines:
            name, _, value = line.partition(": ")
            if name == "data":
                found |= json.loads(value)
            elif name:
                found[name] = value
            elif not kinds or found["event"] in kinds:
                return found
            else:
                found = {}
        raise EOFError


@contextmanager
def watching(
    edge: Edge, role: Role, area: str, boards: str = "situation", **headers: str
) -> Iterator[Stream]:
    with (
        edge.client(role, area) as client,
        client.stream("GET", "/v1/live", params={"boards": boards}, headers=headers) as answer,
    ):
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield Stream(answer)


def file_report(edge: Edge, area: str = "yuantan_1") -> dict[str, Any]:
    body = report(area=str(id_of(area)))
    with edge.client(Role.VILLAGE_REPORTER, area) as client:
        answer = client.post(REPORTS, json=body, headers=write_headers())
    assert answer.status_code == 200, answer.text
    return {"id": body["report"], **answer.json()}


def test_a_board_begins_with_a_beat_and_then_hears_of_changes(edge: Edge) -> None:
    with watching(edge, Role.COUNTY_APPROVER, "county") as stream:
        beat = stream.next()
        assert beat["event"] == "beat" and beat["lag"] == beat["head"] - beat["position"]
        filed = file_report(edge)
        change = stream.next("change")
        assert change["position"] >= filed["position"] and change["id"] == str(change["position"])
        assert [row["report"] for row in change["rows"]["situation_reports"]] == [filed["id"]]


def test_two_counties_see_only_their_own_rows(edge: Edge) -> None:
    with (
        watching(edge, Role.COUNTY_APPROVER, "county") as ours,
        watching(edge, Role.COUNTY_APPROVER, "foreign_county") as theirs,
    ):
        ours.next("beat"), theirs.next("beat")
        mine, foreign = file_report(edge), file_report(edge, "foreign_village")
        for stream, wanted in ((ours, mine), (theirs, foreign)):
            seen: list[str] = []
            while wanted["id"] not in seen:
                seen += [
                    row["report"] for row in stream.next("change")["rows"]["situation_reports"]
                ]
            assert seen == [wanted["id"]]


def test_a_board_that_missed_something_is_told_to_start_afresh(edge: Edge) -> None:
    with watching(edge, Role.COUNTY_APPROVER, "county") as stream:
        position = stream.next("beat")["position"]
    with watching(edge, Role.COUNTY_APPROVER, "county", **{"Last-Event-ID": str(position)}) as same:
        assert same.next()["event"] == "beat"
    filed = file_report(edge)
    assert edge.system.boards.wait_for(filed["position"], 5)
    with watching(edge, Role.COUNTY_APPROVER, "county", **{"Last-Event-ID": str(position)}) as old:
        reset = old.next()
        assert reset["event"] == "reset" and reset["position"] >= filed["position"]


@pytest.mark.parametrize("said", ["-1", "x", "9" * 400, "²"])
def test_a_strange_last_event_id_does_no_harm(edge: Edge, said: str) -> None:
    raw: Any = {"Last-Event-ID": said.encode("latin-1")}
    with watching(edge, Role.COUNTY_APPROVER, "county", **raw) as stream:
        assert stream.next()["event"] in ("beat", "reset")


def test_every_board_has_its_roles(edge: Edge) -> None:
    """Own and child: let in or 403. Parent, sibling, none: 404."""
    watchers = dict(line.split() for line in BOARDS.strip().splitlines())
    assert watchers.keys() == LIVE.keys(), "boards and rows of tests/api/matrix.py differ"
    for role in LETTERS.values():
        with edge.client(role, POSTED[role]) as client:
            for board, letters in watchers.items():
                fits = role in {LETTERS[letter] for letter in letters}
                for relation, area in ANYWHERE[POSTED[role]].items():
                    params = {"boards": board, "area": str(id_of(area))}
                    reached = relation in ("own", "child")
                    expected = (200 if fits else 403) if reached else 404
                    with client.stream("GET", "/v1/live", params=params) as answer:
                        assert answer.status_code == expected, (board, role, relation)


def test_no_board_or_an_unknown_one_is_refused(edge: Edge) -> None:
    with edge.client(Role.COUNTY_APPROVER, "county") as client:
        for boards in ("", ",", "situation,secrets"):
            assert client.get("/v1/live", params={"boards": boards}).status_code == 422
    with edge.client() as nobody:
        assert nobody.get("/v1/live", params={"boards": "situation"}).status_code == 401


def test_a_stream_ends_when_the_officer_logs_out(
    own_edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.live.AUTHORITY_SECONDS", 0.1)
    token = own_edge.token(Role.COUNTY_APPROVER, "county")
    with watching(own_edge, Role.COUNTY_APPROVER, "county") as stream:
        stream.next("beat")
        own_edge.system.accounts.log_out(token)
        with pytest.raises(EOFError):
            while True:
                stream.next()


def test_a_stream_ends_when_the_officer_is_suspended(
    own_edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    from domain.commands.officers import SuspendOfficer

    monkeypatch.setattr("api.live.AUTHORITY_SECONDS", 0.1)
    with watching(own_edge, Role.COUNTY_APPROVER, "county") as stream:
        stream.next("beat")
        approver = officer_of(Role.COUNTY_APPROVER, "county")
        command = SuspendOfficer(officer=approver, reason="核查中")
        own_edge.system.store.run(Envelope(id=uuid4(), officer=None, command=command))
        with pytest.raises(EOFError):
            while True:
                stream.next()


@contextmanager
def busy(edge: Edge) -> Iterator[None]:
    """Changes of the county's reports, many a second, for as long as the block lasts."""
    row = {"area": str(id_of("yuantan_1")), "report": "x"}
    done = threading.Event()

    def change() -> None:
        while not done.wait(0.01):
            position = edge.system.boards.position
            edge.app.state.hub.applied(Applied(position, {"situation_reports": [row]}))

    changing = threading.Thread(target=change, name="busy")
    changing.start()
    try:
        yield
    finally:
        done.set()
        changing.join()


def test_a_log_out_ends_a_board_on_which_changes_keep_coming(
    own_edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Authority was once looked at in silence only: on a busy board never."""
    monkeypatch.setattr("api.live.AUTHORITY_SECONDS", 0.2)
    token = own_edge.token(Role.COUNTY_APPROVER, "county")
    with busy(own_edge), watching(own_edge, Role.COUNTY_APPROVER, "county") as stream:
        for _ in range(5):
            stream.next("change")
        own_edge.system.accounts.log_out(token)
        with pytest.raises(EOFError):
            for _ in range(1_000):
                stream.next("change")


def test_a_suspension_ends_a_board_on_which_changes_keep_coming(
    own_edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    from domain.commands.officers import SuspendOfficer

    monkeypatch.setattr("api.live.AUTHORITY_SECONDS", 0.2)
    with busy(own_edge), watching(own_edge, Role.COUNTY_APPROVER, "county") as stream:
        stream.next("change")
        approver = officer_of(Role.COUNTY_APPROVER, "county")
        command = SuspendOfficer(officer=approver, reason="核查中")
        own_edge.system.store.run(Envelope(id=uuid4(), officer=None, command=command))
        with pytest.raises(EOFError):
            for _ in range(1_000):
                stream.next("change")


def test_beats_come_on_a_board_that_is_never_quiet(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.live.BEAT_SECONDS", 0.2)
    with busy(edge), watching(edge, Role.COUNTY_APPROVER, "county") as stream:
        kinds = [stream.next()["event"] for _ in range(100)]
    assert kinds.count("beat") >= 3 and kinds.count("change") > 50


def test_a_board_that_cannot_be_told_does_not_cost_the_others_a_change(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exception over one board once lost the change for all, without a word."""
    hub = Hub(edge.system.tree, edge.system.boards.vector)
    broken = Board((("reviews", (id_of("foreign_county"),)),), lambda: ())
    boards = [Board((("reviews", (id_of("county"),)),), lambda: ()) for _ in range(3)]
    hub._boards = {boards[0], broken, *boards[1:]}
    message = hub._message

    def sometimes(gathered: Any, watched: Any) -> bytes | None:
        if watched == broken.watched:
            raise RuntimeError("a row of an unforeseen shape")
        return message(gathered, watched)

    monkeypatch.setattr(hub, "_message", sometimes)
    hub._gathered = {"reviews": [{"area": str(id_of("yuantan_1")), "step": "review"}]}
    hub._publish()
    assert [board.messages.qsize() for board in boards] == [1, 1, 1]
    assert broken.lost and broken.messages.qsize() == 1, "it wakes up and is told to ask afresh"
    hub.close()


def test_an_officer_opens_so_many_boards_and_a_process_so_many(tmp_path: Path) -> None:
    with (
        serving(tmp_path, boards_an_officer=2, boards=3) as edge,
        watching(edge, Role.COUNTY_APPROVER, "county") as one,
        watching(edge, Role.COUNTY_APPROVER, "county") as two,
    ):
        one.next("beat"), two.next("beat")

        def refused(role: Role) -> bool:
            with edge.client(role, "county") as client:
                params = {"boards": "situation"}
                with client.stream("GET", "/v1/live", params=params) as answer:
                    if answer.status_code == 200:
                        return False
                    assert answer.status_code == 429 and answer.headers["retry-after"]
                    return True

        assert refused(Role.COUNTY_APPROVER), "the third of one officer"
        with watching(edge, Role.DISPATCHER, "county") as third:
            third.next("beat")
            assert refused(Role.STOREKEEPER), "the fourth of the process"


def test_streams_end_when_the_server_stops(tmp_path: Path) -> None:
    ended = threading.Event()
    begun = threading.Event()

    def watch(edge: Edge) -> None:
        with watching(edge, Role.COUNTY_APPROVER, "county") as stream:
            stream.next("beat")
            begun.set()
            with pytest.raises(EOFError):
                while True:
                    stream.next()
            ended.set()

    with serving(tmp_path) as edge:
        watcher = threading.Thread(target=watch, args=(edge,))
        watcher.start()
        assert begun.wait(10)
    watcher.join(10)
    assert ended.is_set()


def test_a_slow_board_is_reset_instead_of_filling_memory(edge: Edge) -> None:
    """Nobody takes from this board: what it keeps is bounded, and it knows that it lost some."""
    hub = Hub(edge.system.tree, edge.system.boards.vector)
    board = Board((("reviews", (id_of("county"),)),), lambda: ())
    hub._boards.add(board)
    row = {"area": str(id_of("yuantan_1")), "text": "x" * 1000}
    for position in range(QUEUED * 4):
        hub._position = position
        hub._gathered = {"reviews": [row]}
        hub._publish()
    assert board.lost and board.messages.qsize() <= QUEUED


def test_rows_beyond_the_limit_are_said_to_be_cut(edge: Edge) -> None:
    hub = Hub(edge.system.tree, edge.system.boards.vector)
    row = {"area": str(id_of("yuantan_1")), "step": "review"}
    watched = (("reviews", (id_of("county"),)),)
    message = hub._message({"reviews": [row] * 1000}, watched)
    assert message is not None and b'"more":true' in message and message.count(b'"area"') == 200
    elsewhere = (("reviews", (id_of("foreign_county"),)),)
    assert hub._message({"reviews": [row]}, elsewhere) is None
    told = hub._message({"reviews": [{"area": row["area"]}]}, watched)
    assert told is not None and b'"rows":{"reviews":[]}' in told, "a worker tells areas alone"


def test_a_batch_is_delivered_from_the_followers_thread(edge: Edge) -> None:
    """`Applied` may come before a loop is attached, and after it has gone: neither raises."""
    hub = Hub(edge.system.tree, edge.system.boards.vector)
    hub._boards.add(Board((), lambda: ()))
    hub.applied(Applied(1, {}))
    assert hub._gathered == {}


def test_beats_are_made_beside_the_event_loop(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a database did not answer, the beat of one board once stopped the whole process."""
    names: set[str] = set()
    real = edge.system.store.log.head

    def head() -> int:
        names.add(threading.current_thread().name)
        return real()

    monkeypatch.setattr(live, "BEAT_SECONDS", 0.05)
    with watching(edge, Role.COUNTY_APPROVER, "county") as stream:
        stream.next("beat")
        monkeypatch.setattr(edge.system.store.log, "head", head)
        stream.next("beat"), stream.next("beat")
    assert names and "server" not in names, names


def test_who_writes_is_looked_up_beside_the_event_loop(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A vault that did not answer one command once stopped the whole process."""
    names: list[str] = []
    real = edge.system.accounts._stored

    def stored(digest: bytes) -> Any:
        names.append(threading.current_thread().name)
        return real(digest)

    monkeypatch.setattr(edge.system.accounts, "_stored", stored)
    file_report(edge)
    assert names and "server" not in names, names


def test_areas_read_while_they_change_are_read_again(edge: Edge) -> None:
    """What was read before a change was once kept after it, and a new township was nowhere."""
    asked: list[Applied] = []

    @contextmanager
    def reading() -> Iterator[Any]:
        with edge.system.reader() as db:
            yield db
        asked.append(Applied(len(asked), {"areas": []}))
        if len(asked) == 1:
            tree.applied(asked[0])

    tree = AreaTree(reading)  # type: ignore[arg-type]
    for _ in range(3):
        tree.look_again()
        assert tree.parents()
    assert len(asked) == 2, "again after the change, and then no more"
