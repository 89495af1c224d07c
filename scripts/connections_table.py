"""Write the table of connections in docs/operations.md from the pools in the code."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from cli.budget import table  # noqa: E402

TARGET = ROOT / "docs" / "operations.md"
PLACE = re.compile(
    r"(?<=<!-- written by make docs from cli/budget\.py -->\n).*?(?=<!-- end -->\n)", re.DOTALL
)


def page(text: str) -> str:
    """The document with the table as the code has it now."""
    made, found = PLACE.subn(lambda _: f"{table()}\n", text)
    assert found == 1, f"{TARGET.name} has no place for the table"
    return made


if __name__ == "__main__":
    TARGET.write_text(page(TARGET.read_text(encoding="utf-8")), encoding="utf-8")
