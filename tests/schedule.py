"""In which order pytest-xdist takes the files of tests, so that two cores are busy to the end.

By itself it begins with the files of many tests. Those are quick; the last ones are then long files
of few tests, two of the cluster side by side and at the end one alone.

Tests of the cluster and of the browser wait much: for brokers, processes, pages. All others
compute. So each worker begins with a kind of its own, the longest file first: one with the cluster,
one with the browser, the others with what computes. A core is seldom idle, no two files that start
many processes run at once, and the servers that only such files need are started once. Who has
finished its kind helps with the next one; what is left at the end are short files.
"""

from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

CLUSTER, BROWSER, COMPUTING = "tests/cluster/", "tests/browser/", ""
"""The kinds, by how the path begins. What begins like no other computes."""
TURNS = (
    (COMPUTING, BROWSER, CLUSTER),
    (CLUSTER, BROWSER, COMPUTING),
    (BROWSER, COMPUTING, CLUSTER),
)
"""Which kinds the first, second and third worker take, one after the other. All further ones do as
the first. Of two, one waits and one computes."""
LONG = (
    "tests/cluster/test_worker.py",
    "tests/cluster/test_up.py",
    "tests/cluster/test_restored.py",
    "tests/cluster/test_promoted.py",
    "tests/cluster/test_api_kills.py",
    "tests/cluster/test_broker_outages.py",
    "tests/cluster/test_equality.py",
    "tests/cluster/test_relay_processes.py",
    "tests/cluster/test_postgres_faults.py",
    "tests/cluster/test_security.py",
    "tests/cluster/test_publishing.py",
    "tests/cluster/test_field_device.py",
    "tests/cluster/test_servers.py",
    "tests/cluster/test_power_cuts.py",
    "tests/browser/test_every_page.py",
    "tests/browser/test_live_pages.py",
    "tests/browser/test_find_anything.py",
    "tests/browser/test_empty_forms.py",
    "tests/browser/test_sessions_that_end.py",
    "tests/browser/test_docs_page.py",
    "tests/browser/test_looks.py",
    "tests/browser/test_story.py",
    "tests/browser/test_lost_answers.py",
    "tests/browser/test_relief_pages.py",
    "tests/browser/test_drafts.py",
    "tests/web/test_crawl.py",
    "tests/projections/test_both_databases.py",
    "tests/bench/test_bench_runs.py",
    "tests/eventstore/test_kills.py",
    "tests/api/test_fuzz.py",
    "tests/demo/test_demo_store.py",
    "tests/api/test_matrix.py",
    "tests/eventstore/test_postgres.py",
    "tests/eventstore/test_rotating.py",
    "tests/api/test_beginning.py",
    "tests/simulation/test_simulation.py",
    "tests/eventstore/test_copying.py",
    "tests/projections/test_rebuild_postgres.py",
    "tests/web/test_rulebooks_page.py",
    "tests/eventstore/test_backup.py",
    "tests/streams/test_past.py",
    "tests/mutants/test_mutants.py",
    "tests/web/test_sheets_of_pages.py",
    "tests/cli/test_serve_command.py",
    "tests/eventstore/test_bad_states.py",
    "tests/test_old_stores.py",
    "tests/web/test_known_at.py",
    "tests/web/test_called_apart.py",
    "tests/web/test_finding_documents.py",
    "tests/cli/test_crude_terminals.py",
    "tests/cli/test_drill.py",
    "tests/intake/test_doubles.py",
    "tests/projections/test_replaying.py",
    "tests/streams/test_lineage.py",
)
"""Files that take long, of each kind the longest first, as far as it was measured."""


def kind_of(file: str) -> str:
    return next((kind for kind in (CLUSTER, BROWSER) if file.startswith(kind)), COMPUTING)


def next_of(counts: dict[str, int], worker: int) -> str:
    """Which of the files left, by their number of tests, the worker of that number takes next."""
    turns = TURNS[worker] if worker < len(TURNS) else TURNS[0]

    def order(file: str) -> tuple[int, int, int]:
        long = LONG.index(file) if file in LONG else len(LONG)
        return turns.index(kind_of(file)), long, -counts[file]

    return min(counts, key=order)


class KindByKind(LoadFileScheduling):
    """Each worker takes files of one kind after the other, of each the longest first."""

    def _assign_work_unit(self, node: WorkerController) -> None:
        left = {file: len(tests) for file, tests in self.workqueue.items()}
        file = next_of(left, self.nodes.index(node))
        self.workqueue.move_to_end(file, last=False)  # where the next one is taken from
        super()._assign_work_unit(node)
