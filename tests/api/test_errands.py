"""Work that one process does once at a time: how far it is, what came of it, when it may again."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from api.checkup import Finding, Looks, checkup
from api.errands import FAILED, Advance, Errand
from eventstore.errors import StoreUnreachable


@contextmanager
def closing(errand: Errand[int]) -> Iterator[Errand[int]]:
    yield errand
    errand.close()


def test_it_runs_once_at_a_time_and_tells_how_far_it_is() -> None:
    go, begun = threading.Event(), threading.Event()

    def work(advance: Advance) -> int:
        advance(1, 3)
        begun.set()
        assert go.wait(10)
        return 7

    with closing(Errand("slow", work)) as errand:
        assert errand.begin() and not errand.begin()
        assert begun.wait(10)
        standing = errand.standing
        assert (standing.running, standing.done, standing.of) == (True, 1, 3)
        assert standing.result is None and not errand.wait(0)
        go.set()
        assert errand.wait(10) and errand.standing.result == 7
        assert errand.standing.at is not None and not errand.standing.running


def test_what_got_no_thread_does_not_run_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with closing(Errand("starved", lambda _: 7)) as errand:
        with monkeypatch.context() as none_left:
            none_left.setattr(threading.Thread, "start", refused)
            with pytest.raises(RuntimeError):
                errand.begin()
        assert not errand.standing.running
        assert errand.begin() and errand.wait(10) and errand.standing.result == 7


def test_it_waits_before_it_runs_again_and_keeps_what_came_of_it() -> None:
    now = 100.0
    with closing(Errand("often", lambda _: 1, least=30, seconds=lambda: now)) as errand:
        assert errand.begin() and errand.wait(10)
        now += 29
        assert not errand.begin() and errand.wait_seconds() == 1
        now += 1
        assert errand.begin() and errand.wait(10)


@pytest.mark.parametrize(
    ("problem", "said"),
    [(StoreUnreachable("away"), StoreUnreachable.zh), (KeyError("secret"), FAILED[0])],
)
def test_why_it_failed_is_told_and_what_was_found_before_is_kept(
    problem: Exception, said: str
) -> None:
    problems: list[Exception | None] = [None, problem]

    def work(_: Advance) -> int:
        if (wrong := problems.pop(0)) is not None:
            raise wrong
        return 1

    with closing(Errand("fails", work)) as errand:
        assert errand.begin() and errand.wait(10)
        first = errand.standing
        assert errand.begin() and errand.wait(10)
        standing = errand.standing
        assert (standing.result, standing.at) == (1, first.at)
        assert standing.failure is not None and standing.failure[0] == said
        assert "secret" not in str(standing.failure)


def test_one_that_is_closed_begins_no_more() -> None:
    errand = Errand("closed", lambda _: 1)
    errand.close()
    assert not errand.begin()


def test_the_worst_is_told_first_and_a_store_that_is_away_is_a_finding() -> None:
    def away() -> Iterator[Finding]:
        yield Finding("views", True, "好", "fine")
        raise StoreUnreachable("away")

    noted = Finding("limits", True, "留意", "note", warn=True)
    looks = Looks((("log", away), ("limits", lambda: [noted])), ("counts",))
    errand = checkup(lambda: looks, least=0)
    assert errand.begin() and errand.wait(10)
    found = errand.standing.result
    assert found is not None and found.pressing == 1 and found.left_out == ("counts",)
    assert [one.name for one in found.findings] == ["log", "limits", "views"]
    errand.close()
