"""What pages say, in Chinese and English.

``messages/<page>.toml`` holds one table a page; each key carries both sentences side by side, so
that neither language can be forgotten:

    pending = { zh = "未审", en = "Not reviewed" }        # t('chip.pending') in messages/chip.toml

Sentences are format strings: ``t('live.lag', count=3)``. English says a number's noun in two forms,
``{n} {n:report|reports}`` (`domain.plurals`); a test refuses a plural without its singular.
The browser gets the keys below ``js`` as one JSON object. All is read once; a page that names an
unknown key fails (a test reads every template, module and script for keys).
"""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any

from api.language import LANGUAGES as LANGUAGES
from api.language import Language as Language
from domain.plurals import FORMS, fill

LOCALES: dict[Language, str] = {"zh": "zh_CN", "en": "en"}
TAGS: dict[Language, str] = {"zh": "zh-CN", "en": "en"}

MESSAGES = Path(__file__).parent / "messages"
BROWSER_PREFIX = "js."
NAME = re.compile(r"[a-z][a-z0-9_]*")


class UnknownMessage(LookupError):
    """A page asks for a message key that no catalog has."""


class BrokenCatalog(ValueError):
    """A message file says something a catalog cannot say. Names file and key."""


class Catalog:
    """All sentences of one language."""

    def __init__(self, language: Language, sentences: Mapping[str, str]) -> None:
        self.language = language
        self.sentences = sentences

    def t(self, key: str, /, **values: Any) -> str:
        """The sentence of a key with its values filled in. Raises `UnknownMessage`."""
        try:
            sentence = self.sentences[key]
        except KeyError:
            raise UnknownMessage(key) from None
        return fill(sentence, values)

    def for_browser(self) -> dict[str, str]:
        """The sentences scripts may show, by their key without ``js.``."""
        return {
            key.removeprefix(BROWSER_PREFIX): sentence
            for key, sentence in self.sentences.items()
            if key.startswith(BROWSER_PREFIX)
        }


def placeholders(sentence: str) -> frozenset[str]:
    """The names a sentence wants filled in; what only chooses a word's form is not filled in."""
    parts = Formatter().parse(sentence)
    return frozenset(name for _, name, spec, _ in parts if name and FORMS not in (spec or ""))


def read_messages(folder: Path = MESSAGES) -> dict[str, dict[Language, str]]:
    """Key → both sentences. Raises `BrokenCatalog` naming the file and the key."""
    messages: dict[str, dict[Language, str]] = {}
    for file in sorted(folder.glob("*.toml")):
        for name, entry in tomllib.loads(file.read_text(encoding="utf-8")).items():
            messages[f"{file.stem}.{name}"] = _entry(file, name, entry)
    return messages


def _entry(file: Path, name: str, entry: object) -> dict[Language, str]:
    where = f"{file.name}: {name}"
    if not NAME.fullmatch(name):
        raise BrokenCatalog(f"{where}: a key is lower-case letters, digits and _")
    if not isinstance(entry, dict) or set(entry) != set(LANGUAGES):
        raise BrokenCatalog(f"{where}: wants exactly {{ zh = …, en = … }}")
    sentences: dict[Language, str] = {language: entry[language] for language in LANGUAGES}
    for language, sentence in sentences.items():
        if not isinstance(sentence, str) or not sentence.strip():
            raise BrokenCatalog(f"{where}: {language} is empty")
    if placeholders(sentences["zh"]) != placeholders(sentences["en"]):
        raise BrokenCatalog(f"{where}: zh and en want different values filled in")
    return sentences


@cache
def catalog(language: Language) -> Catalog:
    """The catalog of a language, read once."""
    return Catalog(language, {key: entry[language] for key, entry in _messages().items()})


@cache
def _messages() -> dict[str, dict[Language, str]]:
    """Files hold both languages: they are read once for both."""
    return read_messages()
