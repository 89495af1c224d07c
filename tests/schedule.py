"""In which order pytest-xdist takes the files of tests, so that two cores are busy to the end.

By itself it begins with the files of many tests. Those are quick; the last ones are then long files
of few tests, two of the cluster side by side and at the end one alone.

Tests of the cluster and the browser wait much: for brokers, processes, pages. All others compute.
Here one worker takes the files that wait and the others those that compute, each the longest first,
and they meet among the short ones. A core is seldom idle, no two files that start many processes
run at once, and the servers that only such files need are started once.
"""

from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

WAITING = ("tests/cluster/", "tests/browser/")
LONG = (
    "tests/cluster/test_up.py",
    "tests/cluster/test_worker.py",
    "tests/cluster/test_equality.py",
    "tests/cluster/test_relay_processes.py",
    "tests/cluster/test_postgres_faults.py",
    "tests/cluster/test_security.py",
    "tests/cluster/test_api_kills.py",
    "tests/cluster/test_broker_outages.py",
    "tests/cluster/test_publishing.py",
    "tests/cluster/test_field_device.py",
    "tests/cluster/test_servers.py",
    "tests/cluster/test_restored.py",
    "tests/cluster/test_promoted.py",
    "tests/cluster/test_power_cuts.py",
    "tests/browser/test_every_page.py",
    "tests/browser/test_sessions_that_end.py",
    "tests/browser/test_story.py",
    "tests/browser/test_lost_answers.py",
    "tests/browser/test_relief_pages.py",
    "tests/browser/test_drafts.py",
    "tests/api/test_matrix.py",
    "tests/simulation/test_simulation.py",
    "tests/mutants/test_mutants.py",
    "tests/api/test_fuzz.py",
    "tests/bench/test_bench_runs.py",
    "tests/test_old_stores.py",
    "tests/projections/test_both_databases.py",
    "tests/web/test_crawl.py",
    "tests/cli/test_drill.py",
    "tests/demo/test_demo_store.py",
    "tests/eventstore/test_copying.py",
    "tests/eventstore/test_rotating.py",
    "tests/cli/test_crude_terminals.py",
    "tests/cli/test_db_command.py",
    "tests/intake/test_doubles.py",
    "tests/projections/test_replaying.py",
    "tests/projections/test_accepted_below.py",
    "tests/streams/test_lineage.py",
    "tests/test_metrics.py",
    "tests/api/test_limits.py",
)
"""Files that take long, of each kind the longest first, as far as it was measured."""


def in_order(counts: dict[str, int]) -> list[str]:
    """Files by their number of tests → the longest that wait, the shortest, the longest others.

    Those of one folder that wait stay together: they share a browser or a broker.
    """

    def length(file: str) -> tuple[int, int]:
        return len(LONG) - LONG.index(file) if file in LONG else 0, counts[file]

    longest_first = sorted(counts, key=length, reverse=True)
    waiting = [one for folder in WAITING for one in longest_first if one.startswith(folder)]
    return [*waiting, *(one for one in reversed(longest_first) if one not in waiting)]


class FromBothEnds(LoadFileScheduling):
    """The first worker takes files from the front, all others from the end."""

    def _assign_work_unit(self, node: WorkerController) -> None:
        order = in_order({file: len(tests) for file, tests in self.workqueue.items()})
        end = min(self.nodes.index(node), 1)
        self.workqueue.move_to_end(order[-end], last=False)  # where the next one is taken from
        super()._assign_work_unit(node)
