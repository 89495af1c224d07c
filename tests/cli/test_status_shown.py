"""What `relief status` says to a person."""

from typing import Any

import pytest
from rich.console import Console

from cli.status_command import shown


def said(**told: Any) -> str:
    process = {"name": "worker-1", "state": "running", "pid": 7, "restarts": 0, "told": told}
    status = {
        "processes": [process],
        "follower": None,
        "head": 40,
        "views": [],
        "parked": 0,
        "stopped": [],
        "changed": None,
        "disowned": [],
    }
    console = Console(width=200)
    with console.capture() as out:
        console.print(shown(status))
    return out.get()


@pytest.mark.parametrize("held_back", [[], [12], [12, 31]])
def test_what_a_worker_holds_back_is_told(held_back: list[int]) -> None:
    text = said(status="ok", seals=True, unsealed=held_back)
    assert ("没有封印" in text) is bool(held_back)
    assert all(str(one) in text for one in held_back)
