"""A version of a view stands for its code: what changes rows raises it, what does not may not."""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from projections.catalog import VIEWS
from projections.folding import fingerprints
from projections.folding.fingerprints import Print, complaints, kept, prints_of, reached


def test_what_is_committed_is_what_the_code_says() -> None:
    """Who has changed a view is told here what to do."""
    now, before = prints_of(VIEWS), kept()
    assert complaints(now, before) == []
    assert now == before, "views have come, gone or risen in version: run `make fingerprints`"


def covered(module: str) -> set[str]:
    """What the fingerprint of the view of a module covers, as ``module.name``."""
    return {f"{where}.{name}" for (where, name), found in reached(module).items() if found}


def forget() -> None:
    """Read all sources anew."""
    fingerprints._parsed.cache_clear()
    fingerprints._file_of.cache_clear()


def test_helpers_are_followed_and_the_machine_is_not() -> None:
    deadlines = covered("projections.deadlines")
    assert {
        "projections.deadlines.DUE",
        "projections.deadlines.begun",
        "domain.rules.deadlines.next_occurrence",
        "domain.rules.base.CHINA",
        "projections.folding.base.when",
    } <= deadlines
    assert "projections.sections.review_lists.posted" in covered("projections.reviews")
    everything = set().union(*(covered(fingerprints.module_of(view)) for view in VIEWS))
    machine = {name for name in everything if name.startswith("projections.folding")}
    assert not {name for name in machine if name.rpartition(".")[2] in ("Rows", "View")}
    queries = {"projections.areas.children", "projections.stock.stock"}
    assert not queries & everything, "queries make no rows"


# -- on a room of its own --------------------------------------------------------------------

HELPERS = '''
SIGN = "*"

def masked(name: str) -> str:
    """Hide a name."""
    return name[:1] + SIGN
'''
VIEW = '''
from projections.folding.base import LOGICAL, Rows, View, text_of
from projections.made_helpers import masked
from sqlalchemy import Column, MetaData, String, Table

MADE = Table("made", MetaData(), Column("id", String(36), primary_key=True), Column("name", String))


def opened(rows: Rows, at: int, e: object) -> None:
    """A row."""
    # why it is so
    rows.put(MADE, {"id": text_of(e.originator_id), "name": masked(e.name)})


def asked(db: object) -> object:
    return db


VIEW = View(name="made", version=1, tables=(MADE,), routes={int: opened}, ignored={str: "no"})
'''


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], str]]:
    """The fingerprint of a view whose module and helpers have these sources."""
    (tmp_path / "projections").mkdir()
    import projections

    monkeypatch.setattr(
        projections, "__path__", [*projections.__path__, str(tmp_path / "projections")]
    )

    def fingerprint(view: str, helpers: str) -> str:
        (tmp_path / "projections" / "made.py").write_text(view)
        (tmp_path / "projections" / "made_helpers.py").write_text(helpers)
        forget()
        return fingerprints.fingerprint("projections.made")

    yield fingerprint
    forget()


@pytest.mark.parametrize(
    "old, new",
    [
        ('"name": masked(e.name)', '"name": e.name'),
        ('Column("name", String)', 'Column("name", String, nullable=False)'),
        ("routes={int: opened}", "routes={int: opened, float: opened}"),
        ("name[:1]", "name[:2]"),
        ('SIGN = "*"', 'SIGN = "某"'),
    ],
    ids=["handler", "table", "route", "helper", "constant of a helper"],
)
def test_what_may_change_rows_changes_the_fingerprint(
    made: Callable[[str, str], str], old: str, new: str
) -> None:
    before = made(VIEW, HELPERS)
    assert old in VIEW + HELPERS
    assert made(VIEW.replace(old, new), HELPERS.replace(old, new)) != before


def test_layout_comments_docstrings_annotations_and_queries_change_nothing(
    made: Callable[[str, str], str],
) -> None:
    before = made(VIEW, HELPERS)
    assert made(ast.unparse(ast.parse(VIEW)), ast.unparse(ast.parse(HELPERS))) == before
    for old, new in (
        ("# why it is so", "# it is so because"),
        ('    """A row."""\n', ""),
        ("e: object) -> None", "e: int)"),
        ("return db", "return [db]"),
        ('ignored={str: "no"}', 'ignored={str: "never"}, by_stream=True'),
        ("version=1", "version=2"),
    ):
        assert old in VIEW
        assert made(VIEW.replace(old, new), HELPERS) == before, new
    assert made(VIEW, HELPERS.replace("Hide a name.", "Masks.")) == before


# -- what is said ---------------------------------------------------------------------------------


def test_a_silent_change_is_refused_with_what_to_do() -> None:
    before = {"stock": Print(6, "a"), "areas": Print(1, "x")}
    (said,) = complaints({"stock": Print(6, "b"), "areas": Print(1, "x")}, before)
    assert "view stock" in said and "version 6" in said and "make fingerprints" in said
    assert complaints({"stock": Print(7, "b")}, before) == []
    assert complaints({"stock": Print(6, "b")}, before, ["stock"]) == [], "moved or renamed"
    assert complaints({"stock": Print(5, "a")}, before), "a version never falls"
