"""An import as a job: broken off between or within batches, it comes to the same as one run."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from domain.household import Household
from eventstore.batch import Answer
from eventstore.limiter import Limit, LimitReached
from eventstore.outcomes import Envelope
from intake import batches
from intake.guard import IntakeLimits
from intake.job import Job, State, TooManyImports
from intake.job_work import Ground, Work
from intake.jobs import LYING, JobLost, Jobs
from intake.known_places import kinds_in_force, places_below
from projections.areas import by_code
from projections.asking.scope import Scope
from projections.households import HOUSEHOLDS
from tests.intake.make import HEADER, household, workbook
from tests.intake.reading import TODAY
from tests.intake.town import COUNTY, County, county, make_county, officer


class Broken(Exception):
    """The process ended here."""


def ground(town: County) -> tuple[Ground, UUID]:
    with town.system.reader() as db:
        root = by_code(db, COUNTY)
        assert root is not None
        places = places_below(town.store, db, Scope((root,)), root)
    kinds = kinds_in_force(town.store, town.system.tree.lineage(root))
    return Ground(places, kinds, TODAY, IntakeLimits()), root


def jobs_of(town: County, **limits: int) -> Jobs:
    def inside(area: UUID, root: UUID) -> bool:
        return town.system.tree.inside(area, (root,))

    return Jobs(town.store.vault, inside, **{"an_officer": 3, "waiting": 5, **limits})


def a_job(area: UUID, by: str = "county", **more: Any) -> Job:
    made = {"id": uuid4(), "officer": officer(by), "area": area, "file": "名单.xlsx", **more}
    return Job(**made, category="ordinary", begun=0.0, digest="")


def the_list(folder: Path) -> bytes:
    """Good rows, one that is wrong, two who may be one, twenty households a commit."""
    rows = [household(n) for n in range(1, 61)]
    for n, row in enumerate(rows, 1):
        row[1] = "源潭居委会"
        row[5], row[6] = f"154{n:08}", f"99990012345{n:05}"
    rows[24][3] = "340824199001019010"
    rows[50][2], rows[50][5] = rows[3][2], rows[3][5]  # as row 4, of the first batch
    rows[55][2], rows[55][5] = rows[24][2], rows[24][5]  # as the row that was refused
    return workbook(folder / "list.xlsx", [HEADER, *rows]).read_bytes()


def carry_out(town: County, jobs: Jobs, run_many: Any = None) -> Job | None:
    job = jobs.claim()
    if job is not None:
        Work(town.store, jobs, job, ground(town)[0], run_many or town.store.run_many).go()
    return job


@pytest.fixture(autouse=True, scope="module")
def small_batches() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batches, "BATCH", 20)
        yield


def table_of(town: County) -> list[tuple[Any, ...]]:
    """What the households are, but for ids that are made at random."""
    while town.system.boards.step():
        pass
    columns = [c for c in HOUSEHOLDS.c if c.name in ("area", "head_masked", "size", "category")]
    with town.system.reader() as db:
        rows = sorted(str(tuple(row)) for row in db.execute(select(*columns)))
    facts = [type(one.event).__qualname__ for one in town.store.read(0, 100_000)]
    return [tuple(rows), tuple(sorted(facts))]


def confirmed(town: County, jobs: Jobs, file: bytes) -> Job:
    job = jobs.offer(a_job(ground(town)[1]), file)
    carry_out(town, jobs)
    return jobs.confirm(job.id, officer("county"))


@contextmanager
def breaking(town: County, after: int, *, within: bool) -> Iterator[Any]:
    """The store, but the process ends at that batch: before its facts, or after them."""
    seen = 0

    def run_many(envelopes: list[Envelope]) -> Sequence[Answer]:
        nonlocal seen
        seen += 1
        if seen > after and not within:
            raise Broken
        answers = town.store.run_many(envelopes)
        if seen > after:
            raise Broken
        return answers

    yield run_many


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Job, list[tuple[Any, ...]]]:
    """The job and the store of an import that was not broken off."""
    folder = tmp_path_factory.mktemp("whole")
    with county(make_county(folder / "data")) as town:
        jobs = jobs_of(town)
        job = confirmed(town, jobs, the_list(folder))
        carry_out(town, jobs)
        return jobs.get(job.id), table_of(town)


@pytest.mark.parametrize(("after", "within"), [(0, True), (1, False)])
def test_broken_off_and_taken_up_it_comes_to_the_same_store(
    tmp_path: Path, whole: tuple[Job, list[tuple[Any, ...]]], after: int, within: bool
) -> None:
    wanted, table = whole
    assert wanted.state is State.DONE and wanted.ran is not None
    assert (wanted.ran.registered, wanted.ran.refused, wanted.batches) == (58, 2, 3)
    file = the_list(tmp_path)
    with county(make_county(tmp_path / "broken")) as town:
        jobs = jobs_of(town)
        job = confirmed(town, jobs, file)
        with breaking(town, after, within=within) as run_many, pytest.raises(Broken):
            carry_out(town, jobs, run_many)
        assert jobs.get(job.id).state is State.RUNNING
        other = jobs_of(town)
        assert other.claim() is None, "whoever holds it may be alive"
        now = jobs.now()
        other._clock = lambda: now + 3600
        assert carry_out(town, other) is not None
        found = other.get(job.id)
        assert table_of(town) == table
        assert found.ran is not None and found.ran.by_rule.keys() & {"id-number"}
        for figure in ("rows", "registered", "known", "refused", "members", "fault_count"):
            assert getattr(found.ran, figure) == getattr(wanted.ran, figure), figure
        assert other.whole(job.id, "refused-rows") is not None
        assert jobs.whole(job.id, "file") is None
        with pytest.raises(JobLost):
            jobs.keep(found)


def test_the_job_of_a_process_that_was_killed_is_taken_up_at_once(tmp_path: Path) -> None:
    with county(make_county(tmp_path / "data")) as town:
        gone = subprocess.Popen(["true"])
        gone.wait()
        jobs, other = jobs_of(town), jobs_of(town)
        job = jobs.offer(a_job(ground(town)[1]), the_list(tmp_path))
        assert other.claim() is not None and jobs.claim() is None
        with pytest.raises(JobLost):
            jobs.keep(job)
        other.me = f"{jobs.me.split('/')[0]}/{gone.pid}/x"
        town.store.vault.db.execute("UPDATE imports SET holder=?", (other.me,))
        taken = jobs.claim()
        assert taken is not None and taken.id == job.id


def test_an_officer_beyond_the_quota_waits_and_goes_on(tmp_path: Path) -> None:
    with county(make_county(tmp_path / "data")) as town:
        jobs = jobs_of(town)
        job = confirmed(town, jobs, the_list(tmp_path))

        def run_many(envelopes: list[Envelope]) -> Sequence[Answer]:
            town.store.run_many(envelopes)
            raise LimitReached(Limit("streams_an_hour", 1, 3600.0, "登记", "registering"), 600)

        carry_out(town, jobs, run_many)
        waiting = jobs.get(job.id)
        assert waiting.state is State.RUNNING and waiting.waits_until > jobs.now()
        assert jobs.claim() is None
        now = jobs.now()
        jobs._clock = lambda: now + 25 * 3600  # a quota may take a long list some days
        jobs.sweep()
        carry_out(town, jobs)
        found = jobs.get(job.id)
        assert found.state is State.DONE and found.ran is not None and found.ran.registered == 58


def test_cancelled_while_it_runs_it_stops_and_what_is_registered_stays(tmp_path: Path) -> None:
    with county(make_county(tmp_path / "data")) as town:
        jobs = jobs_of(town)
        job = confirmed(town, jobs, the_list(tmp_path))

        def run_many(envelopes: list[Envelope]) -> Sequence[Answer]:
            answers = town.store.run_many(envelopes)
            jobs.cancel(job.id)
            return answers

        with pytest.raises(JobLost):
            carry_out(town, jobs, run_many)
        assert len(town.facts(Household.Registered.topic())) == 20
        assert jobs.get(job.id).state is State.CANCELLED and jobs.claim() is None
        assert jobs.pieces(job.id, "file") is None


def the_villages(town: County) -> list[UUID]:
    with town.system.reader() as db:
        found = [by_code(db, f"34088210{n}") for n in ("1001", "1002", "6200", "6201")]
    return [one for one in found if one is not None]


def test_so_many_lists_an_officer_and_so_many_in_hand_of_a_store(tmp_path: Path) -> None:
    with county(make_county(tmp_path / "data")) as town:
        first, second, third, fourth = the_villages(town)
        jobs = jobs_of(town, an_officer=2, waiting=3)
        jobs.offer(a_job(first), b"x")
        jobs.offer(a_job(second), b"x")
        with pytest.raises(TooManyImports) as refused:
            jobs.offer(a_job(third), b"x")
        assert refused.value.most == 2
        jobs.offer(a_job(third, "township"), b"x")
        with pytest.raises(TooManyImports) as refused:
            jobs.offer(a_job(fourth, "village"), b"x")
        assert refused.value.most == 3 and len(jobs.all()) == 3


def test_a_list_that_nobody_confirmed_bars_nobody(tmp_path: Path) -> None:
    """A county's list that was sent and left kept its villages from importing for a day."""
    file = the_list(tmp_path)
    with county(make_county(tmp_path / "data")) as town:
        root, village = ground(town)[1], the_villages(town)[0]
        jobs = jobs_of(town, an_officer=1, waiting=1)
        left = jobs.offer(a_job(root), file)
        carry_out(town, jobs)
        assert jobs.get(left.id).state is State.CHECKED
        sent = jobs.offer(a_job(village, "village"), file)
        carry_out(town, jobs)
        jobs.confirm(sent.id, officer("village"))
        carry_out(town, jobs)
        assert jobs.get(sent.id).state is State.DONE
        assert jobs.get(left.id).state is State.CHECKED, "it can still be confirmed"


def test_confirmed_lists_of_an_area_are_registered_one_after_the_other(tmp_path: Path) -> None:
    file = the_list(tmp_path)
    with county(make_county(tmp_path / "data")) as town:
        root, (village, *_, other) = ground(town)[1], the_villages(town)
        jobs = jobs_of(town)
        lists = [jobs.offer(a_job(area), file) for area in (root, village)]
        while carry_out(town, jobs):
            pass
        apart = jobs.offer(a_job(other, "township"), file)
        for job in reversed(lists):
            jobs.confirm(job.id, officer("county"))
        county_list, village_list = (jobs.get(job.id) for job in lists)
        assert jobs.behind(county_list) and not jobs.behind(village_list)
        held = jobs.claim()
        assert held is not None and held.id == village_list.id
        checked = jobs_of(town).claim()
        assert checked is not None and checked.id == apart.id
        assert jobs_of(town).claim() is None, "the county's waits for its village's"
        jobs.keep(held, release=True)
        carry_out(town, jobs)
        assert jobs.get(village_list.id).state is State.DONE
        assert not jobs.behind(county_list)
        carry_out(town, jobs)
        assert jobs.get(county_list.id).state is State.DONE
        assert len(town.facts(Household.Registered.topic())) == 58, "each household once"


def test_of_lists_that_wait_for_a_word_the_oldest_makes_room(tmp_path: Path) -> None:
    file = the_list(tmp_path)
    with county(make_county(tmp_path / "data")) as town:
        root = ground(town)[1]
        jobs = jobs_of(town, an_officer=100, waiting=1)
        sent = []
        for _ in range(LYING + 1):
            sent.append(jobs.offer(a_job(root), file).id)
            carry_out(town, jobs)
        states = [jobs.get(id).state for id in sent]
        assert states == [State.FAILED] + [State.CHECKED] * LYING
        assert jobs.pieces(sent[0], "file") is None
        why = jobs.get(sent[0]).why
        assert why is not None and "没有确认" in why.zh
