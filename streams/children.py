"""Processes that a server starts beside itself, each with a job on its standard input."""

import subprocess
import sys
from pathlib import Path

import msgspec

ROOT = Path(__file__).parents[1]


def child(module: str, job: msgspec.Struct, *, told: bool = False) -> subprocess.Popen[bytes]:
    """A process that runs the ``main`` of a module. Its job is the first line of its standard
    input, not of its command line, which others can read: an address may hold a password.

    That input stays open; whoever has no more to say closes it. ``told``: what it prints is read.
    It is in a session of its own: who ends the server by a key ends it by its parent.
    """
    begin = (  # what is imported are thousands of classes, and nothing to be collected
        f"import gc, sys; gc.disable(); sys.path.insert(0, {str(ROOT)!r}); "
        f"from {module} import main; from streams.collecting import collect_seldom; "
        "collect_seldom(); gc.enable(); main()"
    )
    started = subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", begin],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE if told else subprocess.DEVNULL,
        start_new_session=True,
        bufsize=0,
    )
    assert started.stdin is not None
    started.stdin.write(msgspec.json.encode(job) + b"\n")
    return started
