"""What README and docs name exists: links, files, tests, commands, pictures."""

import itertools
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from bench.__main__ import NAMES
from cli.main import program
from web.i18n import read_messages

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
IMAGES = ROOT / "docs" / "images"
FOLDERS = {
    "domain",
    "rules",
    "eventstore",
    "projections",
    "streams",
    "intake",
    "api",
    "web",
    "demo",
    "cli",
    "audit",
    "tests",
    "bench",
    "docs",
    "scripts",
}
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")
BLOCK = re.compile(r"^```\n(.*?)^```", re.M | re.S)
TARGET = re.compile(r"^([a-z]+):", re.M)
LIMIT = 300 * 1024
WIDTHS = {375, 1440}


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(page: Path) -> Iterator[str]:
    """The lines of a page's unmarked code blocks."""
    for block in BLOCK.findall(page.read_text(encoding="utf-8")):
        yield from block.splitlines()


def quoted(page: Path) -> list[str]:
    """What a page puts between single backticks."""
    return CODE.findall(BLOCK.sub("", page.read_text(encoding="utf-8")))


def commands(page: Path) -> Iterator[list[str]]:
    """Every ``relief …`` a page names, word by word, alternatives (``a|b``) one after another."""
    for line in (*blocks(page), *quoted(page)):
        for said in line.split(" · "):
            words = re.split(r"\s{2,}", said.strip())[0].split()
            if words[:1] == ["relief"] and len(words) > 1:
                ways = [word.strip("[]").split("|") for word in words[1:]]
                yield from map(list, itertools.product(*ways))


def missing_part(words: list[str]) -> str | None:
    """The first word that the ``relief`` command does not know."""
    here: Any = typer.main.get_command(program())
    for word in words:
        if word.startswith("-"):
            if word not in {name for one in here.params for name in one.opts}:
                return word
        elif hasattr(here, "commands"):
            if word not in here.commands:
                return word
            here = here.commands[word]
    return None


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    targets = [one.partition("#")[0] for one in LINK.findall(page.read_text(encoding="utf-8"))]
    own = [one for one in targets if one and "://" not in one]
    assert [one for one in own if not (page.parent / one).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_file_that_is_named_exists(page: Path) -> None:
    lost = []
    folder = ROOT
    for said in quoted(page):
        path = said.partition(":")[0].partition(" ")[0]
        if path.partition("/")[0] in FOLDERS and "/" in path and "<" not in path:
            folder = (ROOT / path).parent
            if not any(ROOT.glob(path.rstrip("/"))):
                lost.append(path)
        elif re.fullmatch(r"test_\w+\.py", path) and not (folder / path).exists():
            lost.append(path)  # beside the file named before it
    assert lost == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_that_is_named_is_one(page: Path) -> None:
    assert [words for words in commands(page) if missing_part(words)] == []


def test_the_readme_names_every_command() -> None:
    named = {tuple(words[:1]) for words in commands(ROOT / "README.md")}
    known: Any = typer.main.get_command(program())
    assert {name for (name,) in named} == set(known.commands)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_make_target_and_benchmark_exists(page: Path) -> None:
    targets = set(TARGET.findall((ROOT / "Makefile").read_text(encoding="utf-8")))
    lines = [line.strip() for line in (*blocks(page), *quoted(page))]
    words = [line.split() for line in lines]
    made = {each[1] for each in words if each[:1] == ["make"] and len(each) > 1}
    measured = {each[3] for each in words if each[1:3] == ["-m", "bench"] and len(each) > 3}
    assert made <= targets
    assert measured <= {*NAMES, "all", "NAME"}


def test_every_picture_is_shown_is_small_and_of_a_known_width() -> None:
    shown = {
        (page.parent / link).resolve()
        for page in PAGES
        for link in LINK.findall(page.read_text(encoding="utf-8"))
        if link.endswith(".png")
    }
    assert shown == set(IMAGES.glob("*.png"))
    for path in shown:
        content = path.read_bytes()
        assert len(content) < LIMIT, path.name
        assert struct.unpack(">I", content[16:20])[0] in WIDTHS, path.name


@pytest.mark.parametrize(
    ("said", "lost"),
    [
        ("relief nothing", "nothing"),
        ("relief views rebuild --chek", "--chek"),
        ("relief log stats|shout", "shout"),
    ],
)
def test_a_command_that_is_none_is_noticed(tmp_path: Path, said: str, lost: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"Type `{said}`.\n")
    assert lost in [missing_part(words) for words in commands(page)]


GUIDES = sorted((ROOT / "docs").glob("walk-*.md"))
QUOTED = re.compile(r"“([^”]+)”")
FILLED = re.compile(r"\{[^}]*\}")


def test_every_kind_of_user_has_a_guide_that_the_readme_lists() -> None:
    listed = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(GUIDES) >= 9
    for guide in GUIDES:
        assert f"(docs/{guide.name})" in listed, guide.name


@pytest.mark.parametrize("guide", GUIDES, ids=name_of)
def test_what_a_guide_quotes_is_what_a_page_says(guide: Path) -> None:
    """Help is left out: it takes its words from the pages, and would prove itself."""
    said = [
        FILLED.sub("…", one["zh"])
        for key, one in read_messages().items()
        if not key.startswith("help.") or key == "help.title"
    ]
    quoted = QUOTED.findall(guide.read_text(encoding="utf-8"))
    assert quoted
    for words in quoted:
        pieces = [piece.strip() for piece in re.split("…| N ", words) if piece.strip()]
        assert any(all(piece in one for piece in pieces) for one in said), words
