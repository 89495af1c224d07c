"""The writer's lock is had in the order in which it was asked for."""

import threading
import time

import eventstore.writer

PATIENCE_SECONDS = 0.05


def test_who_lets_the_lock_go_comes_after_those_who_wait() -> None:
    """A plain lock is taken again by the thread that let it go, before another one has woken."""
    lock = vars(eventstore.writer)["InTurn"]()
    came: list[str] = []

    def wait() -> None:
        with lock:
            came.append("waited")

    for _ in range(10):
        thread = threading.Thread(target=wait)
        with lock:
            thread.start()
            time.sleep(PATIENCE_SECONDS)  # nobody tells that a thread has begun to wait
        with lock:
            came.append("came back")
        thread.join()
    assert came == ["waited", "came back"] * 10
