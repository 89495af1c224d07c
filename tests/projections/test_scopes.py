"""The lint of the choke point: no query of a view goes round the asker's scope.

A function of `projections/` that builds a SELECT takes a scope and uses it, or stands in `ALLOWED`
with the reason why it need not. Only `api.auth` may hand a scope out.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

ALLOWED = {
    "cases.officers_in": "ids for a decision, which looks at jurisdiction itself",
    "report_sums.reported": "a question about villages that a query around it has found",
    "cases.unlisted_in": "ids for a decision, which looks at jurisdiction itself",
    "cases.cases_of": "ids for a decision, which looks at jurisdiction itself",
    "areas.at_seat": "which area is the seat of the store; the tree of divisions is public",
    "areas.lineage": "the tree of divisions is public",
    "areas.by_code": "the tree of divisions is public",
    "areas.children": "the tree of divisions is public",
    "child_codes.meant": "the tree of divisions is public",
    "follow_ups._answers": "answers to duties that a scoped query has found",
    "accepted_below._lately": "reports by conditions that its caller made with scope.covers",
    "disasters.absorbed_into": "ids of disasters merged into one that a scoped query has found",
    "disasters.running_in": "responses of one disaster that a scoped query has found",
    "report_sums._hosts": "ids of disasters that were merged; reports carry the scope",
    "dispatch._with_units": "units of incidents that a scoped query has found",
    "finding_rows.finding": "columns of one kind of finding; each kind adds scope.covers",
    "findings._named": "names beside findings that are scoped kind by kind",
    "searching.in_places": "names of divisions; the query that asks is limited by scope.covers",
    "loose_reports._inside": "the tree of divisions is public",
    "case_states._parts_left": "rates and grants of cases that a scoped query has found",
    "ledger_sums._goods": "sums over conditions that its caller made with scope.covers",
    "ledger_sums._by_record": "sums over conditions that its caller made with scope.covers",
    "mergers._merging": "what is checked of disasters that a scoped query has found; told by name",
    "officer_lists._certificates": "certificates of officers that a scoped query has found",
    "officer_lists._areas_opened": "posts of officers that a scoped query has found",
    "officer_lists._logins": "log-in names of officers that a scoped query has found",
    "officer_lists._posts": "posts of officers that a scoped query has found",
    "officer_lists._substitutions": "substitutions of one officer that a scoped query has found",
    "report_queries._called": "names of disasters of reports that a scoped query has found",
    "report_queries._reports": "a SELECT that its callers limit by scope.covers",
    "situation_board.held_on": "reports by conditions that its caller made with scope.covers",
    "situation_board.held_by": "reports by conditions that its caller made with scope.covers",
    "situation_board.tree_of": "names and parents of divisions",
    "work_disasters._hosts_of": "ids of disasters merged into ones that a scoped query has found",
    "work._of_persons": "persons of contests that a scoped query has found",
    "void_codes._lines": "the tree of divisions is public",
}


def unscoped(source: str, module: str) -> Iterator[str]:
    """Functions that build a SELECT and never mention a scope."""
    for node in ast.parse(source).body:
        if not isinstance(node, ast.FunctionDef):
            continue
        names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
        if "select" in names and "scope" not in names:
            yield f"{module}.{node.name}"


def found() -> set[str]:
    rooms = (ROOT / "projections", ROOT / "projections" / "asking")
    files = [path for room in rooms for path in room.glob("*.py")]
    return {name for path in files for name in unscoped(path.read_text(), path.stem)}


def test_every_query_of_a_view_goes_through_the_scope() -> None:
    assert found() - ALLOWED.keys() == set()


def test_nothing_is_excused_that_need_not_be() -> None:
    assert ALLOWED.keys() - found() == set()


def test_the_lint_sees_a_query_that_goes_round() -> None:
    by_pass = "def everything(db, scope_less):\n    return db.execute(select(LEDGER)).all()\n"
    assert list(unscoped(by_pass, "ledger")) == ["ledger.everything"]


def test_only_the_edge_hands_out_scopes() -> None:
    makers = set()
    for room in ("streams", "intake", "api", "web", "demo", "cli"):
        for path in (ROOT / room).rglob("*.py"):
            calls = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Call)]
            if any(isinstance(c.func, ast.Name) and c.func.id == "Scope" for c in calls):
                makers.add(str(path.relative_to(ROOT)))
    # The import looks for villages below the area that the officer named, before it decides.
    assert makers == {"api/auth.py", "cli/asof_command.py", "cli/import_command.py"}
