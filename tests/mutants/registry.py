"""Which known-bad variants there are, and what kills each."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from tests.mutants import patches

SEEDS = range(1, 151)
"""An oracle must find a mutant within so many worlds."""


@dataclass(frozen=True)
class Mutant:
    """``oracle`` is how the violation begins that a world must end with (one of several);
    ``test`` a test that must fail. One of the two kills it."""

    name: str
    patch: Callable[[], AbstractContextManager[None]]
    oracles: tuple[str, ...] = ()
    test: str = ""

    @property
    def wrong(self) -> str:
        """What is wrong with it."""
        return (self.patch.__doc__ or "").strip()


VIEWS = ("O5", "O6", "parked")
KILLED = (
    Mutant("no-position-check", patches.no_position_check, VIEWS),
    Mutant("position-apart", patches.position_apart, VIEWS),
    Mutant("gap-not-fetched", patches.gap_not_fetched, (*VIEWS, "acknowledged")),
    Mutant("ack-before-effect", patches.ack_before_effect, ("acknowledged",)),
    Mutant("remembered-position", patches.remembered_position, ("O8",)),
    Mutant("stored-before-sent", patches.stored_before_sent, ("relayed",)),
    Mutant("commands-unknown", patches.commands_unknown, ("answers",)),
    Mutant("no-order-lock", patches.no_order_lock, ("answers",)),
    Mutant("vault-after-log", patches.vault_after_log, ("sealed",)),
    Mutant("cache-kept", patches.cache_kept, ("answers", "replay")),
    Mutant("guard-in-evolve", patches.guard_in_evolve, ("answers", "replay")),
    Mutant("clock-in-evolve", patches.clock_in_evolve, ("replay",)),
    Mutant(
        "cache-kept-on-sqlite",
        patches.cache_kept,
        test="tests/eventstore/test_bad_states.py"
        "::test_a_failed_commit_leaves_nothing_behind_in_the_cached_aggregates",
    ),
    Mutant(
        "field-unbound",
        patches.field_unbound,
        test="tests/eventstore/test_vault.py"
        "::test_a_sealed_text_moved_to_another_stream_or_field_is_detected",
    ),
    Mutant(
        "unfair-lock",
        patches.unfair_lock,
        test="tests/eventstore/test_turns.py::test_who_lets_the_lock_go_comes_after_those_who_wait",
    ),
)
MUTANTS = {mutant.name: mutant for mutant in KILLED}

ELSEWHERE = {
    "db-functions-on": "tests/cluster/test_gap.py"
    "::test_the_librarys_functions_do_let_a_reader_miss_facts",
    "sync-commit-off": "tests/cluster/test_power_cuts.py"
    "::test_the_same_rounds_lose_facts_without_synchronous_commit",
}
"""Variants of a real server's settings: a test that runs them and expects the harm."""


def table() -> str:
    """All of them as the README has them."""
    lines = ["| mutant | what is wrong | killed by |", "|---|---|---|"]
    for mutant in KILLED:
        killer = f"`{mutant.test}`" if mutant.test else f"simulation: {', '.join(mutant.oracles)}"
        lines.append(f"| {mutant.name} | {mutant.wrong} | {killer} |")
    return "\n".join(lines)
