"""Commands as an operator types them, each in a process of its own, without starting Python anew.

A fresh `python -m cli.main` spends more than a second on imports. Here one process imports the
program once and forks for each command (`multiprocessing`'s fork server): own environment, folder,
output and exit code as ever. Tests of the start itself (terminals, signals, kills) type for real.
"""

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

SECONDS = 120
READY = multiprocessing.get_context("forkserver")


def type_command(
    *words: str, cwd: Path, env: Mapping[str, str], seconds: float = SECONDS
) -> subprocess.CompletedProcess[str]:
    """What ``relief`` answers to these words. Raises `subprocess.TimeoutExpired`."""
    READY.set_forkserver_preload([__name__, "tests.typed_program"])
    with TemporaryDirectory() as folder:
        out, err = Path(folder) / "out", Path(folder) / "err"
        one = READY.Process(target=_run, args=(words, cwd, dict(env), out, err), daemon=True)
        one.start()
        one.join(seconds)
        if one.exitcode is None:
            one.kill()
            one.join()
            raise subprocess.TimeoutExpired(words, seconds)
        said = [path.read_text(encoding="utf-8") for path in (out, err)]
        return subprocess.CompletedProcess(words, one.exitcode, *said)


def _run(words: tuple[str, ...], cwd: Path, env: dict[str, str], out: Path, err: Path) -> None:
    """In the new process: as if Python had been started there with these words."""
    for number, path in ((1, out), (2, err)):
        opened = os.open(path, os.O_CREAT | os.O_WRONLY)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    sys.argv = ["relief", *words]
    from cli.main import main

    main()
