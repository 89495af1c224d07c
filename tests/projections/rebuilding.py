"""What the rebuild tests share: hashes of live tables, altered views, other processes."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from domain.base import Event
from projections.catalog import VIEWS
from projections.folding.base import Rows, View
from projections.folding.engine import ViewsDatabase
from projections.folding.rebuild import Rebuilt

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 120


def rebuilt_hashes(found: Rebuilt) -> dict[str, str]:
    """SHA-256 of every table as it was rebuilt."""
    return {view.name: view.sha256 for view in found.views}


def altered(name: str, **changes: Any) -> tuple[View, ...]:
    """The catalog's views, one of them changed."""
    return tuple(replace(view, **changes) if view.name == name else view for view in VIEWS)


def forgetting(view: View, kind: type[Event]) -> dict[type[Event], Any]:
    """The view's routes with one handler that forgets every second fact."""
    handler = view.routes[kind]
    seen: list[int] = []

    def forgetful(rows: Rows, at: int, fact: Event) -> None:
        seen.append(at)
        if len(seen) % 2:
            handler(rows, at, fact)

    return {**view.routes, kind: forgetful}


def physical_tables(views: ViewsDatabase) -> set[str]:
    sql = "SELECT name FROM sqlite_master WHERE type='table' AND name LIKE '%\\_\\_g%' ESCAPE '\\'"
    return {name for (name,) in views.db.execute(sql)}


def run_python(
    program: str, *args: object, env: Mapping[str, str] | None = None, given: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run a program in a process of its own, from the root of the checkout."""
    return subprocess.run(
        [sys.executable, "-c", program, *map(str, args)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **(env or {})},
        input=given,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
