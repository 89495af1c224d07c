"""Write projections/fingerprints.toml again: version and fingerprint of each view.

Refuses when a view has changed and its version has not risen. Views whose every row stays as it
was are named as arguments.
"""

import sys

from projections.catalog import VIEWS
from projections.folding.fingerprints import FILE, complaints, kept, prints_of, written


def main() -> None:
    same = sys.argv[1:]
    now = prints_of(VIEWS)
    unknown = sorted(set(same) - now.keys())
    if unknown:
        sys.exit(f"There is no view {', '.join(unknown)}.")
    if wrong := complaints(now, kept(), same):
        sys.exit("\n".join(wrong))
    FILE.write_text(written(now))
    print(f"{FILE.name}: {len(now)} views")


if __name__ == "__main__":
    main()
