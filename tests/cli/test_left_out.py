"""Workers that cannot get into their group: the trial's own broker is started again, once."""

import asyncio
import io
import sys
from dataclasses import dataclass
from pathlib import Path

from cli.up.programs import LEFT_OUT, Program
from cli.up.supervisor import STATES, Supervisor
from cli.up_command import Trial, _look_after

SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Once(Program):
    """Left out at its first start, and then at work."""

    marker: Path = Path()

    @property
    def arguments(self) -> tuple[str, ...]:
        script = (
            "import pathlib, sys, time; at = pathlib.Path(sys.argv[1]); known = at.exists(); "
            f"at.touch(); known or sys.exit({LEFT_OUT}); time.sleep(600)"
        )
        return (sys.executable, "-c", script, str(self.marker))


def test_a_broker_that_takes_no_workers_in_is_started_again(tmp_path: Path) -> None:
    tmp_path.chmod(0o711)
    servers = Trial(tmp_path)
    names = ("worker.1", "worker.2")
    programs = [Once(name, (), 1, stop_seconds=2.0, marker=tmp_path / name) for name in names]
    said = io.StringIO()
    supervisor = Supervisor(programs, tmp_path / "run" / STATES, said)

    async def main() -> tuple[int, int]:
        before = servers.broker.pid
        looking = asyncio.create_task(_look_after(supervisor, servers))
        running = asyncio.create_task(supervisor.run())
        async with asyncio.timeout(SECONDS):
            while not (servers.broker.running and servers.broker.pid != before):
                await asyncio.sleep(0.05)
            after = servers.broker.pid
            while any(state.state != "running" for state in supervisor.states()):
                await asyncio.sleep(0.05)
        await asyncio.sleep(2.0)
        assert servers.broker.pid == after, "started again for each worker"
        supervisor.stop()
        await running
        looking.cancel()
        return before, after

    try:
        servers.broker.start()
        before, after = asyncio.run(main())
    finally:
        servers.stop()
    assert before != after and said.getvalue().count("the broker takes no workers in") == 1
