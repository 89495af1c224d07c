"""A limit at its edge: one below passes, one above is told when to come again."""

import pytest

from eventstore.limiter import Limit, Limiter, LimitReached


class Hand:
    """A clock that moves by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def limiter(amount: int = 3, seconds: float = 60.0, keys: int = 100) -> tuple[Limiter, Hand]:
    clock = Hand()
    return Limiter(Limit("some_limit", amount, seconds, "尝试", "trying"), clock, keys=keys), clock


def test_as_many_as_the_limit_pass_and_one_more_is_refused() -> None:
    found, _ = limiter()
    for _ in range(3):
        found.take("a")
    with pytest.raises(LimitReached) as refused:
        found.take("a")
    assert refused.value.retry_after == 20
    assert "20 秒" in refused.value.zh and "20 seconds" in refused.value.en
    found.take("b")


def test_what_was_used_comes_back_evenly() -> None:
    found, clock = limiter()
    found.take("a", 3)
    clock.now += 19.9
    assert found.reached("a") == 1
    clock.now += 0.1
    found.take("a")
    assert found.reached("a") == 20
    clock.now += 60
    found.take("a", 3)


def test_a_refusal_uses_nothing_and_what_was_not_needed_is_given_back() -> None:
    found, _ = limiter()
    found.take("a", 2)
    for _ in range(5):
        assert found.try_take("a", 2) is not None
    found.take("a")
    found.give_back("a", 2)
    found.take("a", 2)
    assert found.try_take("a") is not None


def test_more_than_the_limit_at_once_never_passes() -> None:
    found, clock = limiter()
    clock.now += 1_000
    with pytest.raises(LimitReached):
        found.take("a", 4)


def test_a_flood_of_keys_is_forgotten_and_does_not_fill_memory() -> None:
    found, _ = limiter(keys=10)
    for n in range(1_000):
        found.take(n)
    assert len(found._used) == 10
