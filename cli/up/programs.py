"""Which processes a cluster has, and how each is started: here and in `docker-compose.yml`."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

RELIEF = (sys.executable, "-m", "cli.main")
RESTING = 78
"""Exit code (EX_CONFIG) of a process that must not be started again before somebody has looked."""
LEFT_OUT = 75
"""Exit code (EX_TEMPFAIL) of a worker that the broker's group did not take in."""


@dataclass(frozen=True, slots=True)
class Program:
    """One process: its name, the `relief` command it runs, and what it needs besides.

    ``order``: lower starts earlier and stops later. ``health`` is the port of its ``/health``.
    """

    name: str
    command: tuple[str, ...]
    order: int
    env: Mapping[str, str] = field(default_factory=dict)
    health: int | None = None
    inherits: tuple[int, ...] = ()
    stop_seconds: float = 8.0

    @property
    def arguments(self) -> tuple[str, ...]:
        return (*RELIEF, *self.command)


def programs(
    *,
    workers: int,
    api: int,
    env: Mapping[str, str],
    sock: int | None = None,
    health: Mapping[str, int] | None = None,
) -> list[Program]:
    """The processes of a cluster: one relay, so many workers, so many API processes.

    ``sock`` is the listening socket that all API processes share, so that none is refused while
    one of them starts again.
    """
    ports = health or {}
    served = ("--fd", str(sock)) if sock is not None else ()
    found: list[tuple[str, tuple[str, ...], int, tuple[int, ...]]] = [("relay", ("relay",), 1, ())]
    found += [(f"worker.{n}", ("worker", "--name", f"worker.{n}"), 2, ()) for n in _upto(workers)]
    shared = (sock,) if sock is not None else ()
    found += [(f"api.{n}", ("serve", *served), 3, shared) for n in _upto(api)]
    return [
        Program(
            name=name,
            command=command,
            order=order,
            env={
                **env,
                "RELIEF_PROCESS": name,
                **({"RELIEF_HEALTH_PORT": str(ports[name])} if name in ports else {}),
            },
            health=ports.get(name),
            inherits=inherits,
        )
        for name, command, order, inherits in found
    ]


def _upto(count: int) -> range:
    return range(1, count + 1)
