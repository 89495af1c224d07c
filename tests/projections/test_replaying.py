"""Parked facts: replayed after a repair they make the tables of a rebuild; a drop is a fact."""

import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.area import Area
from domain.base import Event
from domain.commands.parked_facts import DropParkedFact
from domain.household import Household
from eventstore.log import Row
from eventstore.outcomes import Envelope
from eventstore.store import Store
from projections.catalog import VIEWS
from projections.folding.base import Rows, View
from projections.folding.engine import ViewsDatabase
from projections.folding.errors import TooManyParked
from projections.folding.parking import dropped_in
from projections.folding.rebuild import check, rebuild
from projections.folding.replaying import Replayed, replay
from projections.households import HOUSEHOLDS
from streams.embedded import Follower
from streams.frames import Router
from tests.clusters import Founded, cluster
from tests.everything import copy_of_everything, opened
from tests.oracles import tables_of
from tests.projections.rebuilding import altered
from tests.projections.test_engine_postgres import expected, frames, give, log_rows, spread

__all__ = ["cluster"]
PARTITIONS = 4
VIEW = next(view for view in VIEWS if view.name == "households")
CARD = "Household.CardRecorded"


@dataclass
class Place:
    """A store on PostgreSQL with the facts of the store in which everything happens."""

    store: Store
    url: str
    router: Router

    @property
    def source(self) -> str:
        return self.store.log.source

    def views(self, views: tuple[View, ...] = VIEWS) -> ViewsDatabase:
        return ViewsDatabase(self.url, views, PARTITIONS)

    def fold(self, views: ViewsDatabase, rows: list[Row] | None = None) -> None:
        """What workers do with the frames of the log."""
        some = rows if rows is not None else log_rows()
        for partition, dealt in enumerate(spread(some, PARTITIONS)):
            for frame in frames(dealt, partition, some[-1][0]):
                give(views, frame, dealt)

    def replay(self, views: ViewsDatabase, view: str = "households") -> Replayed:
        found = next(one for one in views.views if one.name == view)
        return replay(self.source, views, found, self.router.partition_of)

    def drop(self, position: int, view: str = "households") -> None:
        area = next(row for row in log_rows() if row[3] == Area.Established.topic())
        command = DropParkedFact(
            area=UUID(bytes=area[1]), view=view, position=position, reason="录错了", operator="me"
        )
        self.store.run(Envelope(id=uuid4(), officer=None, command=command))


@pytest.fixture
def place(cluster: Founded) -> Iterator[Place]:
    rows = log_rows()
    with closing(cluster.place.open()) as store:
        with store.log.transaction() as db:
            store.seals.put(db, rows)
        yield Place(store, cluster.urls.views, Router(store.log, PARTITIONS))


def failing_at(*positions: int, halfway: bool = False) -> tuple[View, ...]:
    """The catalog with a view that cannot fold some facts."""
    handler: Any = VIEW.routes[Household.CardRecorded]

    def raising(rows: Rows, at: int, fact: Event) -> None:
        if at in positions:
            if halfway:
                rows.need(HOUSEHOLDS, str(fact.originator_id))["area"] = "half"
                rows.put(HOUSEHOLDS, rows.need(HOUSEHOLDS, str(fact.originator_id)))
            raise ZeroDivisionError("a bug")
        handler(rows, at, fact)

    return altered("households", routes={**VIEW.routes, Household.CardRecorded: raising})


def cards() -> list[int]:
    return [row[0] for row in log_rows() if row[3] == CARD]


def positions_parked(views: ViewsDatabase) -> set[int]:
    return {one.position for one in views.parked()}


def test_after_a_repair_a_replay_folds_what_was_parked_and_equals_a_rebuild(place: Place) -> None:
    with closing(place.views(failing_at(cards()[0], cards()[1]))) as views:
        place.fold(views)
        waiting = positions_parked(views)
        assert {cards()[0], cards()[1]} <= waiting
        assert tables_of(views) != expected()
    with closing(place.views()) as views:
        generations = {one.view: one.generation for one in views.live()}
        done = place.replay(views)
        assert (done.parked_before, done.parked) == (len(waiting), 0)
        assert tables_of(views) == expected()
        assert views.parked() == []
        moved = {one.view for one in views.live() if one.generation != generations[one.view]}
        assert moved == {"households"}, "the other views are left alone"
        assert check(place.source, views, workers=1).equal


def test_every_view_is_the_same_after_a_replay(place: Place) -> None:
    """The timeline, which reads every type of fact, was once left empty."""
    with closing(place.views()) as views:
        place.fold(views)
        for view in VIEWS:
            place.replay(views, view.name)
        assert tables_of(views) == expected()


def test_what_still_fails_stays_parked_and_the_rest_is_folded(place: Place) -> None:
    with closing(place.views(failing_at(cards()[0], cards()[1]))) as views:
        place.fold(views)
        before = {p for p in views.parked() if p.position >= cards()[1]}
    with closing(place.views(failing_at(cards()[1], halfway=True))) as views:
        done = place.replay(views)
        left = views.parked()
        assert left[0].position == cards()[1]
        assert left[0].reason == "ZeroDivisionError: a bug"
        assert len(left) == done.parked < done.parked_before
        assert {(p.position, p.partition, p.stream, p.state) for p in left} <= {
            (p.position, p.partition, p.stream, p.state) for p in before
        }
        assert check(place.source, views, workers=1).equal
        last = log_rows()[-1]
        household = next(row for row in log_rows() if row[0] == cards()[1])
        later = (last[0] + 1, household[1], household[2] + 99, CARD, household[4])
        partition = place.router.partition_of(later)
        views.apply_frame(partition, last[0], later[0], [later])
        assert later[0] in positions_parked(views), "its stream is still held"


def test_a_drop_is_a_fact_that_replay_rebuild_and_check_honor(place: Place) -> None:
    bad = cards()[0]
    with closing(place.views(failing_at(bad))) as views:
        place.fold(views)
        waiting = positions_parked(views)
        assert bad in waiting
        place.drop(bad)
        assert check(place.source, views, workers=1).equal, "it is parked, and dropped"
        place.replay(views)
        assert views.parked() == []
        replayed = tables_of(views)
        assert check(place.source, views, workers=2).equal
        rebuild(place.source, views, workers=1)
        assert tables_of(views)["households"] == replayed["households"]
    assert dropped_in(place.source, VIEWS) == {("households", bad), ("funds", 1)}
    with closing(place.views()) as views:
        views.dropped = dropped_in(place.source, VIEWS)
        assert check(place.source, views, workers=1).equal, "after a repair it stays dropped"


def test_a_worker_that_begins_anew_leaves_out_what_was_dropped(place: Place) -> None:
    bad = cards()[0]
    with closing(place.views(failing_at(bad))) as views:
        place.fold(views)
        place.drop(bad)
        place.replay(views)
        known = tables_of(views)["households"]
    newer = altered("households", version=VIEW.version + 1)
    with closing(place.views(newer)) as views:
        views.dropped = dropped_in(place.source, newer)
        place.fold(views)
        assert tables_of(views)["households"] == known
        assert check(place.source, views, workers=1).equal


def test_a_fact_of_a_type_nobody_knows_stays_parked_until_it_is_dropped(place: Place) -> None:
    head = place.store.head()
    known = next(row for row in log_rows() if row[0] == cards()[0])
    strange = (head + 1, known[1], known[2] + 99, "Household.Beamed", b"{}")
    newer = (head + 2, uuid4().bytes, *log_rows()[-1][2:])
    with place.store.log.transaction() as db:
        place.store.seals.put(db, [strange, newer])
    with closing(place.views()) as views:
        rows = log_rows()
        place.fold(views, rows)
        for partition in range(PARTITIONS):
            mine = [strange] if partition == place.router.partition_of(strange) else []
            views.apply_frame(partition, head, head + 1, mine)
        assert {one.position for one in views.parked()} == {head + 1}
        assert place.replay(views).parked == 1
        parked = next(one for one in views.parked() if one.view == "households")
        assert (parked.topic, parked.state) == ("Household.Beamed", b"{}")
        place.drop(head + 1)
        assert place.replay(views).parked == 0
        assert tables_of(views)["households"] == expected()["households"]


def test_ten_streams_in_a_row_that_cannot_be_folded_change_nothing(place: Place) -> None:
    def raising(*_: object) -> None:
        raise KeyError("a bug")

    with closing(place.views()) as views:
        place.fold(views)
        before = tables_of(views), views.positions()
    broken = altered("households", routes=dict.fromkeys(VIEW.routes, raising))
    with closing(place.views(broken)) as views:
        with pytest.raises(TooManyParked, match="a bug"):
            place.replay(views)
        assert (tables_of(views), views.positions()) == before


def test_facts_that_come_while_a_view_is_replayed_are_not_lost(place: Place) -> None:
    half = len(log_rows()) // 2
    with closing(place.views()) as views, closing(place.views()) as workers:
        place.fold(views, log_rows()[:half])
        folding = threading.Thread(target=place.fold, args=(workers, log_rows()))
        folding.start()
        place.replay(views)
        folding.join()
        assert tables_of(views) == expected()


def test_an_embedded_store_replays_and_drops_as_a_cluster_does(tmp_path: Path) -> None:
    folder = copy_of_everything(tmp_path)
    with opened(folder) as (store, views):
        bad = cards()[0]
        area = next(row for row in log_rows() if row[3] == Area.Established.topic())
        broken = failing_at(bad)
        view = next(one for one in broken if one.name == "households")
        with closing(ViewsDatabase(folder / "views.sqlite", broken)) as own:
            assert replay(store.log.source, own, view, lambda _: 0).parked > 0
            assert own.parked()[0].position == bad
            assert check(store.log.source, own, workers=1).equal
            command = DropParkedFact(
                area=UUID(bytes=area[1]),
                view="households",
                position=bad,
                reason="录错了",
                operator="me",
            )
            store.run(Envelope(id=uuid4(), officer=None, command=command))
            assert replay(store.log.source, own, view, lambda _: 0).parked == 0
        follower = Follower(store, views)
        while follower.step():
            pass
        assert check(store.log.source, views, workers=1).equal
