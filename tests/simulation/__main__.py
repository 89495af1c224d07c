"""``python -m tests.simulation --seed 7`` or ``--seeds 1-500 [--jobs 2]``."""

import argparse
import sys
from functools import partial

from tests.simulation.running import run_seeds, unfired


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--seed", type=int, help="one world")
    which.add_argument("--seeds", help="first-last, both included")
    parser.add_argument("--jobs", type=int, default=1, help="processes side by side")
    given = parser.parse_args()
    first, last = given.seed, given.seed
    if given.seeds:
        first, last = map(int, given.seeds.split("-"))
    found = run_seeds(range(first, last + 1), jobs=given.jobs, told=partial(print, flush=True))
    print(found.summary())
    if given.seeds and last - first >= 99 and unfired(found):
        print(f"never happened: {', '.join(unfired(found))}")
        return 1
    return 1 if found.failed else 0


if __name__ == "__main__":
    sys.exit(main())
