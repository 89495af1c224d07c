"""A process that has stopped itself rests until `relief resume`; nothing else starts it again."""

import asyncio
import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from cli.up.programs import RESTING, Program
from cli.up.supervisor import RESUME, STATES, State, Supervisor

SECONDS = 30.0
RELIEF = (sys.executable, "-m", "cli.main")
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Script(Program):
    """A program that is no command of ours."""

    script: str = ""

    @property
    def arguments(self) -> tuple[str, ...]:
        return (sys.executable, "-c", self.script)


def supervise(folder: Path, marker: Path) -> None:
    """What `relief up` does, with one program that rests until a file is there."""
    script = f"import os, sys, time; os.path.exists({str(marker)!r}) or sys.exit({RESTING}); "
    script += "time.sleep(600)"
    programs = [Script("worker.1", (), 1, script=script, stop_seconds=2.0)]
    supervisor = Supervisor(programs, folder / "run" / STATES, io.StringIO())

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(RESUME, supervisor.resume)
        loop.add_signal_handler(signal.SIGTERM, supervisor.stop)
        await supervisor.run()

    asyncio.run(main())


@contextmanager
def supervising(folder: Path, marker: Path) -> Iterator[subprocess.Popen[bytes]]:
    program = (
        "import sys; from pathlib import Path; from tests.cli.test_resume import supervise; "
        "supervise(Path(sys.argv[1]), Path(sys.argv[2]))"
    )
    arguments = [sys.executable, "-c", program, str(folder), str(marker)]
    process = subprocess.Popen(arguments, cwd=ROOT)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(SECONDS)


def states(folder: Path) -> list[State]:
    path = folder / "run" / STATES
    if not path.exists():
        return []
    kept = msgspec.json.decode(path.read_bytes())["processes"]
    return [msgspec.convert(one, State) for one in kept]


def until(condition: Callable[[], bool], seconds: float = SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.05)


def resume(folder: Path) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "RELIEF_DATA": str(folder)}
    command = [*RELIEF, "resume"]
    return subprocess.run(
        command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=SECONDS, check=False
    )


def test_what_rests_goes_on_when_somebody_says_so(tmp_path: Path) -> None:
    marker = tmp_path / "repaired"
    with supervising(tmp_path, marker):
        until(lambda: [one.state for one in states(tmp_path)] == ["resting"])
        time.sleep(1.0)  # longer than the first pause before a start
        assert states(tmp_path)[0].restarts == 0
        again = resume(tmp_path)  # nobody has repaired it: it rests again
        assert again.returncode == 0 and "worker.1" in again.stdout
        until(lambda: states(tmp_path)[0].restarts == 1)
        until(lambda: states(tmp_path)[0].state == "resting")
        marker.touch()
        assert resume(tmp_path).returncode == 0
        until(lambda: states(tmp_path)[0].state == "running")
        assert "nothing rests" in resume(tmp_path).stdout
    assert [one.state for one in states(tmp_path)] == ["stopped"]


def test_without_relief_up_it_says_so_and_signals_nobody(tmp_path: Path) -> None:
    done = resume(tmp_path)
    assert done.returncode == 1 and "No `relief up` is running here" in done.stderr
    with supervising(tmp_path, tmp_path / "never"):
        until(lambda: [one.state for one in states(tmp_path)] == ["resting"])
    path = tmp_path / "run" / STATES
    old = path.read_text().replace('"at":"2', '"at":"1')
    path.write_text(old.replace("stopped", "resting"))
    assert resume(tmp_path).returncode == 1


def test_processes_are_kept_though_their_states_cannot_be_written(tmp_path: Path) -> None:
    """On a full disk whoever ended was once not started again, and what lived was read no more."""
    (tmp_path / "run").write_text("no folder")
    starts = tmp_path / "starts"
    script = f"open({str(starts)!r}, 'a').write('.')"
    out = io.StringIO()
    supervisor = Supervisor([Script("api.1", (), 1, script=script)], tmp_path / "run" / STATES, out)

    async def main() -> None:
        async with asyncio.timeout(SECONDS):
            kept = asyncio.create_task(supervisor.run())
            while not starts.exists() or len(starts.read_text()) < 2:
                await asyncio.sleep(0.05)
            supervisor.stop()
            await kept

    asyncio.run(main())
    assert "api.1" in out.getvalue()


def test_a_process_that_starts_during_a_stop_is_stopped(tmp_path: Path) -> None:
    """It was once waited for, for ever: who stops had looked before it was there."""
    script = "import time; time.sleep(600)"
    slow = Script("api.1", (), 1, script=script, stop_seconds=2.0)
    supervisor = Supervisor([slow], tmp_path / "run" / STATES, io.StringIO())

    async def main() -> None:
        async with asyncio.timeout(SECONDS):
            await supervisor.run(lambda: asyncio.get_running_loop().call_soon(supervisor.stop))

    asyncio.run(main())
    assert [one.state for one in states(tmp_path)] == ["stopped"]
