"""``python -m tests.mutants [name …]``: let mutants loose and say what killed them."""

import sys

from tests.mutants.killing import killed_by
from tests.mutants.registry import ELSEWHERE, MUTANTS, table


def main(names: list[str]) -> int:
    if names == ["--table"]:
        print(table())
        return 0
    survived = 0
    for name in names or MUTANTS:
        found = killed_by(MUTANTS[name])
        survived += not found
        print(f"{name:<22}{found[:140] or 'SURVIVED'}", flush=True)
    for name, test in ELSEWHERE.items() if not names else ():
        print(f"{name:<22}{test}")
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
