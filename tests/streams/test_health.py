"""A process that hangs is seen from outside, and ends itself."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest

from streams.health import STUCK_EXIT, HealthServer, Heart, Watchdog

ROOT = Path(__file__).resolve().parents[2]


def test_the_file_is_touched_while_the_loop_turns_and_gone_after_an_orderly_end(
    tmp_path: Path,
) -> None:
    file = tmp_path / "run" / "worker.1.alive"
    heart = Heart(file)
    os.utime(file, (1, 1))
    heart.beat()
    assert file.stat().st_mtime == 1  # at most once a second
    heart._touched -= 1
    heart.beat()
    assert file.stat().st_mtime > 1
    heart.stop()
    assert not file.exists()


def test_processes_of_one_name_have_files_of_their_own(tmp_path: Path) -> None:
    """Two that were given no name once touched one file: if one hung, nobody saw it."""
    wanted = tmp_path / "run" / "relay.alive"
    code = "import sys; from pathlib import Path; from streams.health import Heart; "
    code += "heart = Heart(Path(sys.argv[1])); print(heart.name, flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(wanted)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None and other.stdout.readline() == "relay\n"
        second, third = Heart(wanted), Heart(wanted)
        assert [one.name for one in (second, third)] == ["relay.2", "relay.3"]
        second.stop()
        assert wanted.exists() and third.file is not None and third.file.exists()
        other.kill()  # it leaves its file, and the name is free
        other.wait()
    again = Heart(wanted)
    assert again.name == "relay"
    for one in (again, third):
        one.stop()
    assert list(wanted.parent.iterdir()) == []


def test_a_heart_tells_by_its_clock_how_long_it_was_silent(tmp_path: Path) -> None:
    now = 100.0
    heart = Heart(tmp_path / "alive", clock=lambda: now)
    now += 7.5
    assert heart.silent_seconds() == 7.5
    heart.beat()
    assert heart.silent_seconds() == 0.0


def test_health_is_a_report_and_503_when_it_is_not_ok() -> None:
    state = {"name": "worker.1", "status": "ok"}
    server = HealthServer(lambda: state, pages={"/metrics": lambda: (200, "text/plain", b"m 1\n")})
    server.start()
    base = f"http://127.0.0.1:{server.port}"
    try:
        assert httpx.get(f"{base}/health").json() == state
        state["status"] = "stuck"
        assert httpx.get(f"{base}/health?now").status_code == 503
        assert httpx.get(f"{base}/metrics").text == "m 1\n"
        assert httpx.get(f"{base}/").status_code == 404
    finally:
        server.stop()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{base}/health")


def test_the_watchdog_ends_only_what_hangs_for_too_long() -> None:
    ended: list[str] = []
    at = {"seconds": 0.9}
    done = threading.Event()

    def end(why: str) -> None:
        ended.append(why)
        done.set()

    dog = Watchdog([lambda: ("frames", at["seconds"])], 1.0, end=end)
    dog.start()
    assert not done.wait(1.2)
    at["seconds"] = 1.1
    assert done.wait(2)
    dog.stop()
    assert "frames" in ended[0]


def test_a_process_whose_loop_hangs_ends_with_its_code_and_says_where_it_hung() -> None:
    code = (
        "import time; from streams.health import Heart, Watchdog; heart = Heart(None);"
        "Watchdog([lambda: ('event loop', heart.silent_seconds())], 1.0).start(); time.sleep(60)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=30
    )
    assert done.returncode == STUCK_EXIT
    assert "s: event loop" in done.stdout + done.stderr
    assert "Thread" in done.stderr  # the traceback of every thread
