"""Both languages are complete: no key without both sentences, none unknown, none unused."""

import re
from pathlib import Path

import pytest

from domain.world import ROLE_NAMES, Role
from tests.domain.test_plurals import found, in_code
from web.i18n import (
    LANGUAGES,
    BrokenCatalog,
    UnknownMessage,
    catalog,
    placeholders,
    read_messages,
)
from web.shell import NAV, Mark

ROOT = Path(__file__).parents[2]
ROOMS = ("domain", "eventstore", "streams", "intake", "api", "web")
WEB = ROOT / "web"
ASKED = re.compile(
    r"""(?<![\w.])t\(\s*['"]([a-z_.0-9]+)['"]\s*([~+]?)|\b_t\(\s*['"]([a-z_.0-9]+)"""
)
ASKED_IN_BROWSER = re.compile(r"""\btext\(\s*["']([a-z_]+)["']""")
IN_FORMS = re.compile(r'"([a-z_]+\.[a-z_]+)"')
"""Keys, and prefixes of keys, that forms of commands hand on to be said."""
BROWSER_NAMES = re.compile(r'"([a-z_]+)"')
NAMED = re.compile(r"""["']((?:nav|error|mark|chip|role)\.(?!html)[a-z_]+)["']""")

IN_A_FORM = re.compile(r'"([a-z_]+)\.([a-z_0-9]+)"')
FILES = {file.stem for file in (WEB / "messages").glob("*.toml")}
"""Of a dotted text in a form the first part tells a message from a field of a table."""


def templates() -> list[Path]:
    return sorted((WEB / "templates").rglob("*.html"))


def modules() -> list[Path]:
    return sorted(WEB.rglob("*.py"))


def scripts() -> list[Path]:
    return sorted((WEB / "static" / "js").rglob("*.js"))


def asked() -> tuple[set[str], set[str]]:
    """The keys that templates and modules name, and the prefixes they complete at run time."""
    keys: set[str] = set()
    prefixes: set[str] = set()
    for file in [*templates(), *modules()]:
        text = file.read_text(encoding="utf-8")
        for key, joined, private in ASKED.findall(text):
            (prefixes if joined else keys).add(key or private)
        keys |= set(NAMED.findall(text))
        if file.parent.name == "forms":
            said = {f"{room}.{name}" for room, name in IN_A_FORM.findall(text) if room in FILES}
            prefixes |= {key for key in said if key.endswith("_")}
            keys |= {key for key in said if not key.endswith("_")}
    for file in scripts():
        keys |= {f"js.{key}" for key in ASKED_IN_BROWSER.findall(file.read_text(encoding="utf-8"))}
    return keys, prefixes


def test_every_key_has_a_chinese_and_an_english_sentence() -> None:
    messages = read_messages()
    assert messages
    for key, entry in messages.items():
        assert set(entry) == set(LANGUAGES), key
        assert placeholders(entry["zh"]) == placeholders(entry["en"]), key


def test_every_key_a_page_or_a_script_asks_for_exists() -> None:
    keys, prefixes = asked()
    known = set(read_messages())
    assert keys - known == set()
    for prefix in prefixes:
        assert any(key.startswith(prefix) for key in known), prefix


def test_no_key_is_unused() -> None:
    keys, prefixes = asked()
    # Scripts also choose between keys: text(names[state] ?? …) and text(error ? "a" : "b").
    browser = {
        f"js.{name}"
        for file in scripts()
        for name in BROWSER_NAMES.findall(file.read_text(encoding="utf-8"))
    }
    hints = {f"{item.key}_hint" for items in NAV.values() for item in items}
    forms = {
        name
        for file in sorted((WEB / "forms").glob("*.py"))
        for name in IN_FORMS.findall(file.read_text(encoding="utf-8"))
    }
    prefixes |= {name for name in forms if name.endswith("_")}
    unused = {
        key
        for key in set(read_messages()) - keys - browser - hints - forms
        if not any(key.startswith(prefix) for prefix in prefixes)
    }
    assert unused == set()


def test_every_value_that_completes_a_key_has_its_sentence() -> None:
    known = set(read_messages())
    assert {f"role.{role}" for role in Role} <= known
    assert {f"mark.{mark}" for mark in Mark} <= known
    assert {f"chip.{state}" for state in ("pending", "accepted", "returned", "overdue")} <= known
    for items in NAV.values():
        for item in items:
            assert {item.key, f"{item.key}_hint"} <= known


def test_a_sentence_is_filled_in_in_both_languages() -> None:
    locked = catalog("zh").t("login.locked", minutes=5)
    assert locked.startswith("失败次数过多")
    assert "账号" not in locked  # it may be the address: nobody's account is suspended
    assert "5 min" in catalog("en").t("login.locked", minutes=5)


@pytest.mark.parametrize("role", Role)
def test_pages_and_refusals_call_a_post_the_same(role: Role) -> None:
    named = (catalog("zh").t(f"role.{role}"), catalog("en").t(f"role.{role}"))
    assert named == ROLE_NAMES[role]


def test_an_unknown_key_fails() -> None:
    with pytest.raises(UnknownMessage, match=r"login\.nothing"):
        catalog("zh").t("login.nothing")


def test_the_browser_gets_only_its_own_sentences() -> None:
    sentences = catalog("en").for_browser()
    assert sentences["live"] == "Live"
    assert not any(key.startswith("login") for key in sentences)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ('a = { zh = "甲" }', "page.toml: a: wants exactly"),
        ('a = { zh = "甲", en = " " }', "page.toml: a: en is empty"),
        ('a = { zh = "甲{n}", en = "A" }', "page.toml: a: zh and en want different values"),
        ('Aa = { zh = "甲", en = "A" }', "page.toml: Aa: a key is lower-case"),
        ('a = "甲"', "page.toml: a: wants exactly"),
    ],
)
def test_a_broken_catalog_is_named_by_file_and_key(
    tmp_path: Path, line: str, complaint: str
) -> None:
    (tmp_path / "page.toml").write_text(line, encoding="utf-8")
    with pytest.raises(BrokenCatalog, match=re.escape(complaint)):
        read_messages(tmp_path)


def test_no_sentence_of_a_page_has_a_number_before_a_plural_without_its_singular() -> None:
    wrong = {
        key: bad for key, entry in read_messages().items() if (bad := list(found(entry["en"])))
    }
    assert wrong == {}


def test_no_refusal_has_a_number_before_a_plural_without_its_singular() -> None:
    wrong = {
        f"{file.relative_to(ROOT)}: {sentence[:80]}": bad
        for room in ROOMS
        for file in sorted((ROOT / room).rglob("*.py"))
        for sentence in in_code(file)
        if (bad := list(found(sentence)))
    }
    assert wrong == {}
