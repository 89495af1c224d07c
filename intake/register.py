"""The register of divisions of 2023: what a county of one's own is begun from.

665,276 codes and names, from the provinces to the villages, packed by province (see
`intake/data/SOURCES.md`; `scripts/pack_divisions.py` packs them). Codes here are those of the
register, of 2, 4, 6, 9 or 12 digits, and the parent of a code is what it begins with; ``code`` is
what forms and the ledger write (6 digits down to a county, 12 below).

Some entries of the register are no divisions but places in its numbering, and are skipped: 市辖区
and 县 of the four municipalities, 省直辖县级行政区划 and its like. So 仙桃市 lies right under its
province. A city without counties (东莞, 中山, 儋州, 嘉峪关) stands in it twice, as the city and as
its only county: it is one division here, a county, for a county's work is done there
(decision 0051).
"""

import hashlib
import zipfile
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from domain.area import AreaLevel
from domain.half_width import half_width
from eventstore.spelling import END, asked, normalized, terms
from projections.asking.old_codes import old_code

PACKED = Path(__file__).resolve().parent / "data" / "divisions-2023.zip"
ABOVE_TOWNSHIPS = "provinces-cities-counties"
"""The archive's file of what lies above the townships, with pinyin; else one a province."""
OF_DAY = "2023-06-30"

NATION = "0"
NATION_NAME = "中华人民共和国"
LEVELS = {
    1: AreaLevel.NATION,
    2: AreaLevel.PROVINCE,
    4: AreaLevel.CITY,
    6: AreaLevel.COUNTY,
    9: AreaLevel.TOWNSHIP,
    12: AreaLevel.VILLAGE,
}
SHORTER = {2: 1, 4: 2, 6: 4, 9: 6, 12: 9}
"""Digits of a code → digits of its parent's."""
PLACES_IN_NUMBERING = frozenset({"市辖区", "县", "省直辖县级行政区划", "自治区直辖县级行政区划"})
VIRTUAL = "虚拟"
"""In the names of villages that only statistics know: of development zones without inhabitants."""
PROVINCES_IN_MEMORY = 2
MOST_FOUND = 30


@dataclass(frozen=True, slots=True)
class Division:
    """An entry of the register. ``above``: the names over it, province first."""

    key: str
    name: str
    above: tuple[str, ...]

    @property
    def level(self) -> AreaLevel:
        return LEVELS[len(self.key)]

    @property
    def code(self) -> str:
        """As forms write it: 6 digits down to a county, 12 below."""
        return self.key.ljust(6, "0") if len(self.key) <= 6 else self.key.ljust(12, "0")

    @property
    def virtual(self) -> bool:
        """Whether only statistics know this village."""
        return self.level is AreaLevel.VILLAGE and VIRTUAL in self.name

    @property
    def path(self) -> str:
        """With what is over it: counties of one name are told apart by it."""
        return " ".join((*self.above, self.name))


class Register:
    """The register as it was packed. Nothing is read before it is asked; a province takes some
    megabytes, and the last two that were asked for are kept."""

    def __init__(self, packed: Path = PACKED) -> None:
        self._packed = packed
        self._province = lru_cache(PROVINCES_IN_MEMORY)(self._read)

    # -- asking -------------------------------------------------------------------------------

    def find(self, code: str) -> Division | None:
        """The division of a code: of the register's digits, or filled up with zeros."""
        code = half_width(code).strip()
        if not (code.isascii() and code.isdigit() and len(code) in LEVELS):
            return None
        if not code.strip("0"):
            return self._division(NATION)
        for digits in SHORTER:
            key = code[:digits]
            if not code[digits:].strip("0") and self._name(key) is not None:
                key = self._same_as.get(key, key)
                return None if key in self._skipped else self._division(key)
        return None

    def above(self, key: str) -> list[Division]:
        """What lies over a division: the nation first, its parent last."""
        found = []
        at = key
        while at != NATION:
            at = self._parent(at)
            found.append(self._division(at))
        return found[::-1]

    def parent(self, key: str) -> str:
        """The key of the division right over this one; the nation is ``NATION``."""
        return self._parent(key)

    def children(self, key: str) -> list[Division]:
        """The divisions right below, by code."""
        if len(key) >= 6:
            longer = 9 if len(key) == 6 else 12
            return [self._division(one) for one, _ in self._lines(key) if len(one) == longer]
        return [self._division(one) for one in self._upper if self._is_child(one, key)]

    def below(self, key: str) -> Iterator[Division]:
        """Everything below, each behind its parent. For a county and what lies under it."""
        for one in self.children(key):
            yield one
            yield from self.below(one.key)

    def search(self, text: str, *, within: str = "", most: int = MOST_FOUND) -> list[Division]:
        """Divisions by code, name, pinyin or initials, the closest first; at most ``most``.

        Of cities and counties (and provinces) of the nation, unless ``within`` names a county or
        township: then of what lies below it. Codes of 9 and 12 digits are found either way. Words
        by spaces must all fit, so that ``朝阳 长春`` is one county of two.
        """
        text = half_width(text).strip()
        if text.isascii() and text.replace(" ", "").isdigit():
            return self._of_code(text.replace(" ", ""), within, most)
        words = [word for word in text.split() if normalized(word)]
        if not words:
            return []
        if all(word.isascii() for word in words):  # kang xian is one name; no code has a space
            words = ["".join(words)]
        pool = self.below(within) if within else map(self._division, self._upper)
        ranked = [
            (rank, one.key, one) for one in pool if (rank := self._rank(one, words)) is not None
        ]
        return [one for _, _, one in sorted(ranked, key=lambda found: found[:2])[:most]]

    def count_and_digest(self) -> tuple[int, str]:
        """How many entries there are, and the SHA-256 of their lines ``code,name`` by code."""
        lines = [f"{code},{name}\n" for code, (name, _) in self._all_upper.items()]
        for province in {code[:2] for code in self._all_upper}:
            lines += [f"{line}\n" for line in self._read(province)]
        return len(lines), hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()

    # -- how it is read -----------------------------------------------------------------------

    def _read(self, province: str) -> list[str]:
        with zipfile.ZipFile(self._packed) as archive:
            return archive.read(province).decode().splitlines()

    @cached_property
    def _all_upper(self) -> dict[str, tuple[str, tuple[str, ...]]]:
        """What lies above the townships: code → name and the ways to spell it."""
        rows = (line.split(",") for line in self._read(ABOVE_TOWNSHIPS))
        return {code: (name, tuple(spelled.split())) for code, name, spelled in rows}

    @cached_property
    def _same_as(self) -> dict[str, str]:
        """A city that is its own only county → that county."""
        counties: dict[str, list[str]] = {}
        for code in self._all_upper:
            if len(code) == 6:
                counties.setdefault(code[:4], []).append(code)
        return {
            city: only[0]
            for city, only in counties.items()
            if len(only) == 1 and self._all_upper[only[0]][0] == self._all_upper[city][0]
        }

    @cached_property
    def _skipped(self) -> frozenset[str]:
        places = {
            code
            for code, (name, _) in self._all_upper.items()
            if len(code) == 4 and name in PLACES_IN_NUMBERING
        }
        return frozenset(places | self._same_as.keys())

    @cached_property
    def _upper(self) -> tuple[str, ...]:
        """The keys of provinces, cities and counties, without places in the numbering."""
        return tuple(code for code in self._all_upper if code not in self._skipped)

    def _lines(self, key: str) -> list[tuple[str, str]]:
        """Codes and names of what lies below a county or township, at any depth."""
        lines = self._province(key[:2])
        start, end = bisect_left(lines, key), bisect_left(lines, key + END)
        split = (line.split(",", 1) for line in lines[start:end])
        return [(code, name) for code, name in split if code != key]

    def _name(self, key: str) -> str | None:
        if key == NATION:
            return NATION_NAME
        if len(key) <= 6:
            found = self._all_upper.get(key)
            return found[0] if found is not None else None
        if len(key) not in LEVELS or key[:2] not in self._all_upper:
            return None
        lines = self._province(key[:2])
        at = bisect_left(lines, f"{key},")
        code, _, name = lines[at].partition(",") if at < len(lines) else ("", "", "")
        return name if code == key else None

    def _parent(self, key: str) -> str:
        at = key[: SHORTER[len(key)]] if len(key) > 2 else NATION
        return self._parent(at) if at in self._skipped else at

    def _is_child(self, key: str, parent: str) -> bool:
        return self._parent(key) == parent

    def _division(self, key: str) -> Division:
        above: list[str] = []
        at = key
        while at != NATION and (at := self._parent(at)) != NATION:
            above.append(self._name(at) or "")
        return Division(key, self._name(key) or "", tuple(reversed(above)))

    # -- how it is searched -------------------------------------------------------------------

    def _of_code(self, code: str, within: str, most: int) -> list[Division]:
        exact = self.find(code)
        if exact is None and (old := old_code(code)) is not None:
            exact = self.find(old.now)  # as the code of former decades means it
        if len(code) > 6:
            return [exact] if exact is not None and exact.key.startswith(within) else []
        begins = code.rstrip("0") if exact is not None and len(exact.key) < len(code) else code
        pool: Iterable[str] = self._upper if not within else [one.key for one in self.below(within)]
        found = [self._division(key) for key in pool if key.startswith(begins)]
        if exact is not None and exact not in found and not within:
            found.insert(0, exact)
        return found[:most]

    def _rank(self, one: Division, words: list[str]) -> int | None:
        """How well the words fit, 0 best; None: not at all. One word at least is of the name."""
        ranks = [self._fits(one, word) for word in words]
        if all(rank is None for rank in ranks):
            return None
        path = normalized("".join(one.above))
        for word, rank in zip(words, ranks, strict=True):
            if rank is None and normalized(word) not in path:
                return None
        return min(rank for rank in ranks if rank is not None)

    def _fits(self, one: Division, word: str) -> int | None:
        plain, name = normalized(word), normalized(one.name)
        if plain == name:
            return 0
        if plain.isascii():
            spelled = self._spelled(one)
            if plain in spelled:
                return 1
            return 3 if any(way.startswith(plain) for way in spelled) else None
        if name.startswith(plain):
            return 2
        if plain in name:
            return 4
        rest = iter(normalized("".join((*one.above, one.name))))  # 湖北仙桃: 湖北省仙桃市
        return 5 if plain[-2:] in name and all(letter in rest for letter in plain) else None

    def _spelled(self, one: Division) -> tuple[str, ...]:
        if len(one.key) <= 6:
            return self._all_upper[one.key][1]
        kinds = {found[0] for found in asked("a")}
        return tuple(term[1:] for term in terms(one.name) if term[0] in kinds)
