"""What a page sorts, adds up or leaves rows out of, it reads whole before.

The units of a call were cut at the first 500 by name and then sorted by what fits: the one that
fits best could be missing. So a list is read page by page as its reader turns it (``cursor``),
whole (`Desk.ask_all`), or it stands here with the reason why its beginning is enough.
"""

import ast
import inspect
from pathlib import Path

from api.routes import READS

WEB = Path(__file__).parents[2] / "web"
LISTS = {
    read.query.__name__ for read in READS if "cursor" in inspect.signature(read.query).parameters
}

BEGINNING_IS_ENOUGH = {
    ("situation.py", "situation_board"): "a board of the areas directly below, and says if more",
    ("situation.py", "situation_disasters"): "turns its own pages",
    ("households.py", "household_moves"): "the newest one of a household",
    ("ledger.py", "ledger_by_area"): "the areas directly below one: a thousand of them",
    ("officers.py", "officers"): "found by what is typed, and says that it may be more",
    ("proposing.py", "post_proposals"): "the newest ones about one officer",
}


def asked_once() -> set[tuple[str, str]]:
    """File and query of each ``desk.ask`` or ``asked`` of a list that names no cursor."""
    found = set()
    for path in sorted(WEB.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            is_ask = isinstance(node, ast.Call) and getattr(node.func, "attr", "") in (
                "ask",
                "asked",
            )
            if not is_ask or not isinstance(node, ast.Call) or not node.args:
                continue
            query = getattr(node.args[0], "id", "")
            given = {one.arg for one in node.keywords}
            if query in LISTS and "cursor" not in given and None not in given:
                found.add((path.name, query))
    return found


def test_no_list_is_cut_before_it_is_sorted_or_looked_through() -> None:
    assert LISTS
    assert asked_once() == BEGINNING_IS_ENOUGH.keys()
