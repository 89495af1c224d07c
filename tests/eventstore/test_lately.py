"""What was found out a moment ago is remembered for that moment, and never without bound."""

from eventstore.lately import Lately


def test_a_value_holds_for_its_seconds_and_not_longer() -> None:
    now = [100.0]
    lately = Lately[str, int](1.0, 10, lambda: now[0])
    assert lately.get("a") is None
    assert lately.keep("a", 7) == 7
    now[0] += 0.999
    assert lately.get("a") == 7
    now[0] += 0.001
    assert lately.get("a") is None
    lately.keep("a", 8)
    lately.clear()
    assert lately.get("a") is None


def test_no_more_is_kept_than_may_be() -> None:
    lately = Lately[int, int](1.0, 3, lambda: 0.0)
    for n in range(4):
        lately.keep(n, n)
    assert [lately.get(n) for n in range(4)] == [None, None, None, 3]
