"""A server of ours in a folder of its own: how it lives, whatever it serves."""

import signal
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Self

from cli.trial.child import Child, ServerFailed, free_port


class Server(ABC):
    """`start`, `stop` and `kill`; also a context manager.

    The folder keeps the log. The port stays the same for the life of the object.
    """

    name: ClassVar[str]
    log_name: ClassVar[str]
    start_seconds: ClassVar[float] = 30
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    stop_seconds: ClassVar[float] = 30

    def __init__(self, folder: Path, port: int | None = None) -> None:
        self.folder = folder.resolve()
        self.port = port or free_port()
        self.log = self.folder / self.log_name
        self._child: Child | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The main process's."""
        if self._child is None:
            raise ServerFailed(f"{self.name} 没有运行。{self.name} is not running.")
        return self._child.pid

    @property
    def running(self) -> bool:
        return self._child is not None and self._child.running

    def start(self, seconds: float | None = None) -> None:
        """Returns when it answers. ServerFailed names the log's end."""
        if self.running:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        self._child = Child(self.name, self._prepared(), self.log, self.folder)
        self._child.wait_until(self._answers, seconds or self.start_seconds)

    def stop(self) -> None:
        if self._child is not None and self._child.running:
            self._child.stop(self.stop_signal, self.stop_seconds)

    def kill(self) -> None:
        """SIGKILL it and all its processes, and wait until they are gone."""
        if self._child is not None:
            self._child.kill()

    @abstractmethod
    def _prepared(self) -> Sequence[str]:
        """Make ready what it needs in its folder; its command."""

    @abstractmethod
    def _answers(self) -> bool: ...


class KafkaServer(Server):
    """A broker; ``address`` is for `bootstrap_servers`."""

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def pause(self) -> None:
        """SIGSTOP: connections stay open, nothing answers, nothing is lost."""
        if self._child is not None:
            self._child.send(signal.SIGSTOP)

    def resume(self) -> None:
        if self._child is not None:
            self._child.send(signal.SIGCONT)
