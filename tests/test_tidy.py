"""The house stays tidy: lengths, open ends, and addresses that do not belong in a repository."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from projections.catalog import VIEWS
from projections.folding.fingerprints import complaints, kept, prints_of

ROOT = Path(__file__).resolve().parent.parent
MAX_FILE = 450
ALONE = {"audit/relief_verify.py": 520}
"""What strangers check proofs with is one file, that it can be read and handed on as one."""
MAX_FUNCTION = 70
HOSTS = [
    "pypi" + ".org",
    "pythonhosted" + ".org",
    "npmjs" + ".org",
    "npmjs" + ".com",
    "debian" + ".org/debian",
    "repo1." + "maven",
]
MACHINE_PATHS = re.compile(r"(?<![\w.])/(?:work|root|home/\w+)/")
OPEN_END = re.compile(r"\b(TODO|FIXME|XXX)\b(?!.*#\d+)")
BINARY = {".gz", ".png", ".woff2", ".ico", ".jpg", ".xlsx", ".xz", ".zip"}


def tracked() -> list[Path]:
    """Files under version control (and new ones that are not ignored)."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\n")
    return [ROOT / name for name in listed if name and (ROOT / name).is_file()]


FILES = tracked()
PYTHON = [path for path in FILES if path.suffix == ".py"]
OWN_TEXT = [
    p for p in FILES if p.suffix not in BINARY and "vendor" not in p.parts and "data" not in p.parts
]


def functions(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            yield node.name, node.end_lineno - node.lineno + 1


def test_files_can_be_held_in_the_head() -> None:
    long = {
        str(p.relative_to(ROOT)): n
        for p in PYTHON
        if (n := len(p.read_text().splitlines())) > ALONE.get(str(p.relative_to(ROOT)), MAX_FILE)
    }
    assert not long


def test_functions_fit_on_a_page() -> None:
    long = [
        f"{p.relative_to(ROOT)}:{name} {n}"
        for p in PYTHON
        for name, n in functions(p)
        if n > MAX_FUNCTION
    ]
    assert not long


def test_nothing_is_left_open_without_an_issue() -> None:
    here = Path(__file__)
    left = [
        f"{p.relative_to(ROOT)}:{n}"
        for p in PYTHON
        if p != here
        for n, line in enumerate(p.read_text().splitlines(), 1)
        if OPEN_END.search(line)
    ]
    assert not left


@pytest.mark.parametrize("host", HOSTS)
def test_no_file_names_a_package_registry(host: str) -> None:
    found = [
        str(p.relative_to(ROOT))
        for p in FILES
        if p.suffix not in BINARY and host in p.read_text(errors="ignore")
    ]
    assert not found


def test_no_file_names_a_path_of_somebodys_machine() -> None:
    found = [
        f"{p.relative_to(ROOT)}: {m.group()}"
        for p in OWN_TEXT
        if p != Path(__file__) and (m := MACHINE_PATHS.search(p.read_text(errors="ignore")))
    ]
    assert not found


def test_secrets_and_stores_are_not_tracked() -> None:
    assert not [p for p in FILES if p.suffix in {".sqlite", ".key", ".pem"}]


def test_every_view_has_the_fingerprint_of_its_version() -> None:
    """`tests/projections/test_fingerprints.py` says more of it."""
    wrong = complaints(prints_of(VIEWS), kept())
    assert not wrong, "\n".join(wrong)
    assert prints_of(VIEWS) == kept(), "a version has risen: run `make fingerprints`"
