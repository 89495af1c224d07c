"""`relief import` in a process of its own, for the tests that kill it.

``python -m tests.intake.importing FILE`` imports FILE into ``RELIEF_DATA`` as the county, twenty
households a commit.
"""

import sys

from cli.import_command import app
from intake import batches
from tests.intake.town import COUNTY


def main() -> None:
    batches.BATCH = 20
    app(["households", sys.argv[1], "--as", "county", "--area", COUNTY, "--json"])


if __name__ == "__main__":
    main()
