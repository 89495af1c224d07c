"""Which area a list's village is: by code, or by name inside the area of the import."""

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from intake.rows import ParsedHousehold

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


class Unplaced(Exception):
    """No one village is meant. ``value`` is what the list says; the rule has a sentence each."""

    def __init__(self, rule: str, value: str, zh: str, en: str) -> None:
        super().__init__(en)
        self.rule, self.value, self.zh, self.en = rule, value, zh, en


@dataclass(frozen=True, slots=True)
class Renumbered:
    """The village that a code out of use means, its code now, and since when (ISO date)."""

    village: UUID
    code: str
    since: str


def _none_renumbered(code: str) -> Renumbered | None:
    return None


@dataclass(frozen=True, slots=True)
class Places:
    """The villages of one import. ``default`` is meant where a row names none.

    ``by_name`` knows each by its whole name and by its `plain_name`; ``townships`` has the name of
    each village's township, which tells two of one name apart where the list says it.
    ``renumbered`` answers what a code out of use means here.
    """

    by_code: dict[str, UUID]
    by_name: dict[str, list[UUID]]
    default: UUID | None
    townships: dict[UUID, str] = field(default_factory=dict)
    renumbered: Callable[[str], Renumbered | None] = _none_renumbered

    def find(self, household: ParsedHousehold) -> UUID:
        """The village of a household. Raises `Unplaced`."""
        code, name = household.village_code, household.village_name
        if code:
            found = self.by_code.get(code)
            if found is None and (old := self.renumbered(code)) is not None:
                return old.village
            if found is None:
                zh, en = "本辖区没有这个行政村代码", "There is no village of that code here."
                raise Unplaced("village-unknown", code, zh, en)
            return found
        if name:
            named = self._named(name, household.township)
            if not named:
                zh, en = "本辖区没有这个村", "There is no village of that name here."
                raise Unplaced("village-unknown", name, zh, en)
            if len(named) > 1:
                zh = "本辖区有多个同名的村，请填行政村区划代码"
                en = "Several villages have that name: give the division code."
                raise Unplaced("village-ambiguous", name, zh, en)
            return named[0]
        if self.default is None:
            zh = "没有村名，--area 也不是一个村"
            en = "No village here, and --area is not a village."
            raise Unplaced("village-missing", "", zh, en)
        return self.default

    def _named(self, name: str, township: str | None) -> list[UUID]:
        named = self.by_name.get(name) or self.by_name.get(plain_name(name), [])
        if township and len(named) > 1:
            wanted = plain_township(township)
            near = [one for one in named if plain_township(self.townships.get(one, "")) == wanted]
            return near or named
        return named


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
