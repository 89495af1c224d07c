"""Keeps the processes of a cluster running: starts them, prefixes what they print, starts again
with growing pauses those that end, and stops all in order.

honcho's `Printer` prints; its manager stops everything as soon as one process ends, which is the
opposite of what a relief desk wants, so the keeping is ours (ADR 0016).
"""

import asyncio
import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from honcho.printer import Message, Printer

from cli.up.programs import LEFT_OUT, RESTING, Program
from eventstore.modes import private_folder

COLOURS = ("36", "33", "32", "35", "34", "31")
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 15.0
STEADY_SECONDS = 20.0
"""Whoever ran so long begins again with the first pause."""
NOT_STARTED = -1
"""In place of an exit code."""
PR_SET_PDEATHSIG = 1
LINE_BYTES = 1 << 20
STATES = "processes.json"
RESUME = signal.SIGUSR1
"""Tells `relief up` to start again what rests. Not SIGHUP, which a closed terminal sends."""


class State(msgspec.Struct):
    """What the supervisor knows of a process; all of them are in ``processes.json``."""

    name: str
    state: str  # starting, running, waiting (to be started again), resting, stopped
    pid: int | None
    restarts: int
    since: datetime
    exit: int | None
    health: int | None


@dataclass
class _Kept:
    program: Program
    state: State
    process: asyncio.subprocess.Process | None = None
    task: "asyncio.Task[None] | None" = None


class Supervisor:
    """Runs programs until told to stop."""

    def __init__(self, programs: Sequence[Program], states: Path, out: Any = sys.stdout) -> None:
        self.left_out_at = 0.0
        """When a worker last ended because the broker's group did not take it in."""
        self._states = states
        self._stopping = asyncio.Event()
        self._printer = Printer(out, width=max((len(p.name) for p in programs), default=0))
        self._kept = [
            _Kept(p, State(p.name, "starting", None, 0, datetime.now(UTC), None, p.health))
            for p in sorted(programs, key=lambda p: (p.order, p.name))
        ]

    async def run(self, ready: Callable[[], Any] | None = None) -> None:
        """Keep all running until `stop`; then stop them, last started first."""
        states = asyncio.create_task(self._write_states())
        for kept in self._kept:
            kept.task = asyncio.create_task(self._keep(kept))
        if ready is not None:
            ready()
        await self._stopping.wait()
        for order in sorted({k.program.order for k in self._kept}, reverse=True):
            await asyncio.gather(*(self._end(k) for k in self._kept if k.program.order == order))
        states.cancel()
        with suppress(asyncio.CancelledError):
            await states
        self._save()

    def stop(self) -> None:
        """Ask `run` to end. Call on its event loop."""
        self._stopping.set()

    def resume(self) -> None:
        """Start again what rests. Call on its event loop."""
        for kept in self._kept:
            if kept.state.state == "resting" and not self._stopping.is_set():
                kept.state.restarts += 1
                self._now(kept, "starting", None)
                kept.task = asyncio.create_task(self._keep(kept))

    def say(self, text: str, name: str = "relief", colour: str = "1") -> None:
        self._printer.write(Message("line", text, datetime.now().astimezone(), name, colour))

    # -- one process --------------------------------------------------------------------------

    async def _keep(self, kept: _Kept) -> None:
        pause = FIRST_PAUSE
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                code = await self._once(kept)
            except OSError as problem:  # no memory or no process to be had just now
                self.say(f"{kept.program.name}: {problem}")
                code = NOT_STARTED
            if self._stopping.is_set():
                return
            if code == LEFT_OUT:
                self.left_out_at = time.monotonic()
            if code == RESTING:
                self.say(_resting(kept.program.name))
                self._now(kept, "resting", code)
                return
            if time.monotonic() - began > STEADY_SECONDS:
                pause = FIRST_PAUSE
            self.say(
                f"{kept.program.name} 已退出（{code}），{pause:g} 秒后重新启动"
                f" · ended with {code}, starts again in {pause:g} s"
            )
            self._now(kept, "waiting", code)
            kept.state.restarts += 1
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _once(self, kept: _Kept) -> int:
        program = kept.program
        process = kept.process = await asyncio.create_subprocess_exec(
            *program.arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, **program.env},
            pass_fds=program.inherits,
            start_new_session=True,
            preexec_fn=_die_with_parent,
            limit=LINE_BYTES,
        )
        if self._stopping.is_set():  # `_end` has not seen it
            process.terminate()
        self._now(kept, "running", None)
        colour = COLOURS[program.order % len(COLOURS)]
        assert process.stdout is not None
        while True:
            try:
                line = await process.stdout.readline()
            except ValueError:  # a line without an end: what came of it is dropped
                continue
            if not line:
                break
            self.say(line.decode(errors="replace").rstrip("\n"), program.name, colour)
        return await process.wait()

    async def _end(self, kept: _Kept) -> None:
        process = kept.process
        if process is not None and process.returncode is None:
            with suppress(ProcessLookupError):
                process.terminate()
            try:
                await asyncio.wait_for(process.wait(), kept.program.stop_seconds)
            except TimeoutError:
                self.say(f"{kept.program.name} 未能按时停止，强制结束 · did not stop, killed")
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
        if kept.task is not None:
            await kept.task
        self._now(kept, "stopped", process.returncode if process else None)

    # -- what is known ------------------------------------------------------------------------

    def _now(self, kept: _Kept, state: str, code: int | None) -> None:
        kept.state.state = state
        kept.state.exit = code
        kept.state.since = datetime.now(UTC)
        running = state == "running" and kept.process is not None
        kept.state.pid = kept.process.pid if running and kept.process else None
        self._save()

    def _save(self) -> None:
        """A full disk is no reason to keep the processes no longer: then the file grows old."""
        with suppress(OSError):
            self._write()

    def _write(self) -> None:
        private_folder(self._states.parent)
        fresh = self._states.with_suffix(".new")
        body = {"pid": os.getpid(), "at": datetime.now(UTC), "processes": self.states()}
        fresh.write_bytes(msgspec.json.encode(body))
        fresh.replace(self._states)

    def states(self) -> list[State]:
        return [kept.state for kept in self._kept]

    async def _write_states(self) -> None:
        """A file that grows old says that the supervisor has gone."""
        while True:
            self._save()
            await asyncio.sleep(2.0)


def _resting(name: str) -> str:
    return (
        f"{name} 因故停下，处理后运行 relief resume · has stopped itself and rests until somebody"
        " has looked at the lines above; then: relief resume"
    )


def _die_with_parent() -> None:
    """In the child: end with SIGTERM when the supervisor is killed (Linux; elsewhere nothing)."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
