"""Fetch from Maven Central, as Maven is configured here, into the cache of the checkout."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEPENDENCY_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1"


class Unavailable(Exception):
    """Something cannot be had or started on this machine: what and why."""


def cache(name: str) -> Path:
    """The folder for one kind of download, in .cache or $RELIEF_CACHE; it exists."""
    folder = Path(os.environ.get("RELIEF_CACHE") or ROOT / ".cache") / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()


def dependencies(what: str, goal: str, *arguments: str) -> None:
    """Run one goal of the dependency plugin; Unavailable with its last words if it fails."""
    for program in ("java", "mvn"):
        if shutil.which(program) is None:
            raise Unavailable(
                f"没有 {program}。{program} is missing: "
                "apt-get install openjdk-17-jre-headless maven"
            )
    print(f"下载 · fetching {what}", file=sys.stderr, flush=True)
    command = ["mvn", "-q", "-B", f"{DEPENDENCY_PLUGIN}:{goal}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise Unavailable(f"Maven 取不到。Maven cannot fetch it:\n{done.stdout[-2000:]}")


def keep(new: Path, folder: Path) -> None:
    """Give what was fetched its final name, whole; where another process was first, its stays."""
    try:
        new.rename(folder)
    except OSError:
        if not folder.exists():
            raise
