"""docs/rules.md says what rules/ says."""

import subprocess
import sys

from tests.domain.rule_files import ROOT, all_files


def test_the_rules_reference_is_current() -> None:
    script = str(ROOT / "scripts" / "rules_reference.py")
    done = subprocess.run(
        [sys.executable, script, "--check"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_rules_reference_has_a_section_for_every_file() -> None:
    page = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
    assert all(f"`{book.name}`" in page for book in all_files())
