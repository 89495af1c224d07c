"""Which area a list's village is: by code, or by name inside the area of the import."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from intake.rows import ParsedHousehold
from projections.asking.child_codes import Meant

_ENDINGS = (
    "社区居民委员会",
    "村民委员会",
    "居民委员会",
    "社区居委会",
    "村委会",
    "居委会",
    "社区",
    "村",
)
_ENDING = re.compile("|".join(_ENDINGS))
_HAN_BEFORE = re.compile(r"[\u4e00-\u9fff\u3400-\u4dbf]+$")
_PARTS = " 　:：,，、()（）_-—－/"
_DIVISIONS = "镇乡道县市区省盟旗州处"
# 行政村, 各村: a kind of village, or all of them, not one.
_GENERIC = re.compile(
    r"(?:.*(?:行政|自然|所属|贫困|受灾|各|全|本|每|该|农|乡|分|按|名称|所在|填报|单位))?"
    r"(?:村|社区|居委会|村委会|村民委员会|居民委员会|社区居委会|社区居民委员会)"
)


class Unplaced(Exception):
    """No one village is meant. ``value`` is what the list says; the rule has a sentence each."""

    def __init__(self, rule: str, value: str, zh: str, en: str) -> None:
        super().__init__(en)
        self.rule, self.value, self.zh, self.en = rule, value, zh, en


@dataclass(frozen=True, slots=True)
class Renumbered:
    """The village that a code or a name out of use means, its code and name now, and since when
    (ISO date). ``by_county``: it is meant by a former code of its county, since when is unknown."""

    village: UUID
    code: str
    name: str
    since: str
    by_county: Meant | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """The village of a household. ``old``: it was meant by a code or a name out of use."""

    village: UUID
    old: Renumbered | None = None


@dataclass(frozen=True, slots=True)
class SheetVillage:
    """What village a sheet is about by its name and titles, or why that cannot be said."""

    village: Found | None
    said: str
    why: Unplaced | None = None


def _none_renumbered(code: str) -> Renumbered | None:
    return None


def _no_old_county(code: str) -> Meant | None:
    return None


@dataclass(frozen=True, slots=True)
class Places:
    """The villages of one import. ``default`` is meant where a row names none.

    ``by_name`` knows each by its whole name and by its `plain_name`; ``townships`` has the name of
    each village's township, which tells two of one name apart where the list says it.
    ``renumbered`` answers what a code out of use means here, ``merged`` what the names of villages
    mean that were merged into one of these, ``old_county`` what a code may mean by a former code
    of its county.
    """

    by_code: dict[str, UUID]
    by_name: dict[str, list[UUID]]
    default: UUID | None
    townships: dict[UUID, str] = field(default_factory=dict)
    renumbered: Callable[[str], Renumbered | None] = _none_renumbered
    merged: dict[str, list[Renumbered]] = field(default_factory=dict)
    old_county: Callable[[str], Meant | None] = _no_old_county

    def find(self, household: ParsedHousehold, sheet: "SheetVillage | None" = None) -> Found:
        """The village of a household; ``sheet``: what its sheet is about. Raises `Unplaced`."""
        code, name = household.village_code, household.village_name
        if code:
            found = self.by_code.get(code)
            if found is None and (old := self.renumbered(code)) is not None:
                return Found(old.village, old)
            if found is None and (old := self._by_county(household)) is not None:
                return Found(old.village, old)
            if found is None:
                zh, en = "本辖区没有这个行政村代码", "There is no village of that code here."
                raise Unplaced("village-unknown", code, zh, en)
            return Found(found)
        if name:
            named = self._named(name, household.township) or self._merged(name)
            if not named:
                zh, en = "本辖区没有这个村", "There is no village of that name here."
                raise Unplaced("village-unknown", name, zh, en)
            if len(named) > 1:
                zh = "本辖区有多个同名的村，请填行政村区划代码"
                en = "Several villages have that name: give the division code."
                raise Unplaced("village-ambiguous", name, zh, en)
            return named[0]
        if sheet is not None:
            if sheet.why is not None:
                raise sheet.why
            assert sheet.village is not None
            return sheet.village
        if self.default is None:
            zh = "没有村名：行内、工作表名和标题中都没有，--area 也不是一个村"
            en = "No village in the row, the sheet's name or title, and --area is not a village."
            raise Unplaced("village-missing", "", zh, en)
        return Found(self.default)

    def _by_county(self, household: ParsedHousehold) -> Renumbered | None:
        """The village here that a code means by a former code of its county. Raises `Unplaced`
        where several could be meant, and where the row itself names another village."""
        code, name = household.village_code or "", household.village_name
        derived = self.old_county(code)
        if derived is None:
            return None
        one = derived.one
        if one is None:
            raise Unplaced("village-ambiguous", code, derived.zh, derived.en)
        village = UUID(one.id)
        if village not in self.townships:
            return None
        if name and plain_name(name) not in (plain_name(one.name), plain_name(one.had_name)):
            named = self._named(name, household.township) or self._merged(name)
            if village not in [it.village for it in named]:
                zh = f"{derived.zh}，但此行的村名是{name}：请填现用代码"
                en = f"{derived.en} But the row names {name}: give today's code."
                raise Unplaced("village-ambiguous", code, zh, en)
        return Renumbered(village, one.code, one.name, "", derived)

    def of_sheet(self, name: str, titles: Sequence[str]) -> "SheetVillage | None":
        """The village that a sheet's own name and the titles above its header are about.

        None if they name none. Two villages, or one that is not of this area, are asked about.
        """
        texts = (_bare_name(name), *titles)
        everything = " ".join(texts)
        found: dict[Found, str] = {}
        strange: list[str] = []
        for place, text in enumerate(texts):
            known, unknown = self._villages_in(text, everything, whole=place == 0)
            found = known | found
            strange += unknown
        said = "、".join(dict.fromkeys((*found.values(), *strange)))
        if len(found) == 1 and not strange:
            return SheetVillage(next(iter(found)), said)
        if not found and not strange:
            return None
        if not found:
            zh = "工作表名或标题中的村不在本辖区：请加“村”一列，或改正名称"
            en = "The village in the sheet's name or title is not of this area: add a column 村."
            return SheetVillage(None, said, Unplaced("village-unknown", said, zh, en))
        zh = "工作表名和标题指向的村不止一个，无法确定：请加“村”一列"
        en = "The sheet's name and titles mean more than one village: add a column 村."
        return SheetVillage(None, said, Unplaced("village-ambiguous", said, zh, en))

    def _villages_in(
        self, text: str, everything: str, *, whole: bool
    ) -> tuple[dict[Found, str], list[str]]:
        """The villages a text names, and phrases that are a village's name and of none here."""
        found: dict[Found, str] = {}
        strange: list[str] = []
        if whole and plain_township(text) not in map(plain_township, self.townships.values()):
            found.update(dict.fromkeys(self._near(text, everything), text))
        for ending in () if found else _ENDING.finditer(text):
            run = _HAN_BEFORE.search(text[: ending.start()])
            stems = _stems(run[0]) if run is not None else []
            for stem in stems:
                if villages := self._near(stem + ending[0], everything):
                    found.update(dict.fromkeys(villages, stem + ending[0]))
                    break
            else:
                alone = ending.end() == len(text) or text[ending.end()] in _PARTS
                if alone and run is not None and not _GENERIC.fullmatch(stems[-1] + ending[0]):
                    strange.append(stems[-1] + ending[0])
        return found, strange

    def _near(self, name: str, everything: str) -> list[Found]:
        """The villages of that name; of several, those whose township is named beside it."""
        named = self.by_name.get(name) or self.by_name.get(plain_name(name), [])
        near = [one for one in named if self.townships.get(one, "-") in everything]
        return [Found(one) for one in near or named] or self._merged(name)

    def _merged(self, name: str) -> list[Found]:
        """What a name means that no living village has."""
        old = self.merged.get(name) or self.merged.get(plain_name(name), [])
        return [Found(one.village, one) for one in old]

    def _named(self, name: str, township: str | None) -> list[Found]:
        named = self.by_name.get(name) or self.by_name.get(plain_name(name), [])
        if township and len(named) > 1:
            wanted = plain_township(township)
            near = [one for one in named if plain_township(self.townships.get(one, "")) == wanted]
            named = near or named
        return [Found(one) for one in named]


def _bare_name(sheet: str) -> str:
    """A sheet's name without spaces, and a CSV's file name without its kind."""
    return re.sub(r"\s|\.(?:csv|tsv|txt)$", "", sheet, flags=re.IGNORECASE)


def _stems(run: str) -> list[str]:
    """What may be a village's name at the end of a run of characters, longest first: all of it,
    or what comes after a division's kind (黄铺镇黄铺 → 黄铺镇黄铺, 黄铺)."""
    starts = [0, *(at + 1 for at, one in enumerate(run[:-1]) if one in _DIVISIONS)]
    return [run[start:] for start in starts]


def plain_township(name: str) -> str:
    """A township's name without its kind: 源潭镇 → 源潭."""
    for ending in ("街道办事处", "街道", "镇", "乡"):
        if name.endswith(ending) and len(name) > len(ending):
            return name.removesuffix(ending)
    return name


def plain_name(name: str) -> str:
    """A village's name without its kind, as lists vary.

    >>> plain_name("双峰居委会"), plain_name("黄铺村"), plain_name("村")
    ('双峰', '黄铺', '村')
    """
    for ending in _ENDINGS:
        if name.endswith(ending) and len(name) > len(ending):
            return name.removesuffix(ending)
    return name
