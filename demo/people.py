"""Made-up people: seeded, valid in form, and recognizable as artificial.

* **ID numbers** carry the county's old region code 340824 (people were born there before it
  became 340882), a birthday that fits, and a sequence from 900 to 999 only: the top tenth,
  which is handed out last. The check character is right (GB 11643-1999, ISO 7064 MOD 11-2).
* **Cards** (一卡通) start with 999900: industry 9 with country 999, which no country has. The
  last digit is a right Luhn digit, so that forms can check it.
* **Phones** start with 1540000: 154 is the one prefix among 150 to 159 that no carrier offers to
  the public.
* **Names** are drawn from short lists of common surnames and given characters.

The same seed gives the same people, whatever the machine or the hash seed.
"""

import random
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

REGION = "340824"
SEQUENCE_FROM = 900
CARD_PREFIX = "999900"
PHONE_PREFIX = "1540000"
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECK = "10X98765432"

SURNAMES = tuple("王李张刘陈汪徐吴程余葛储操黄杨胡朱江方金许叶韩丁查潘彭凌聂何郑孙马蒋芮林")
GIVEN_MALE = tuple("国明建军志强文华德林宏伟海东春生金水长根学平立新正良家旺永福光荣大勇")
GIVEN_FEMALE = tuple("秀英桂兰玉珍红梅春香月娥翠莲小芳素云爱华凤霞巧玲美菊晓燕金枝")
GIVEN_YOUNG = tuple("子轩雨涵浩然欣怡梓宇思佳俊杰诗琪宇航静雯天乐可馨博文")


@dataclass(frozen=True, slots=True)
class Member:
    """A person of a household. ``id_number`` is None for a child not yet registered."""

    name: str
    sex: str  # "male" or "female"
    born_on: date
    relation: str  # 户主, 配偶, 子, 女, 父, 母, 孙子, 孙女
    id_number: str | None


@dataclass(frozen=True, slots=True)
class Family:
    """The people of one household; the first is its head."""

    members: tuple[Member, ...]
    card_no: str
    phone: str


def dice(*parts: object) -> random.Random:
    """A generator that depends on the parts only: never on the hash seed or the machine."""
    return random.Random("/".join(str(part) for part in parts))  # noqa: S311 - made-up people


def check_character(seventeen: str) -> str:
    """The 18th character of an ID number (ISO 7064 MOD 11-2)."""
    total = sum(weight * int(digit) for weight, digit in zip(WEIGHTS, seventeen, strict=True))
    return CHECK[total % 11]


def luhn_digit(digits: str) -> str:
    """The digit that makes a card number pass the Luhn check."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


@dataclass(slots=True)
class Registry:
    """Hands out people, ID numbers, cards and phones, each once."""

    seed: int
    today: date
    _taken: dict[tuple[date, str], int] = field(default_factory=dict)
    _families: int = 0

    def family(self, size: int, *, elderly: bool, key: str) -> Family:
        """A family of ``size`` persons; ``elderly`` heads are 61 to 88, others 27 to 66."""
        roll = dice(self.seed, "family", key)
        surname = roll.choice(SURNAMES)
        sex = "male" if roll.random() < 0.66 else "female"
        age = roll.randint(61, 88) if elderly else roll.randint(27, 66)
        members = [self._member(roll, surname, sex, age, "户主")]
        for relation, kin_sex, kin_age in _kin(roll, size - 1, sex, age):
            kin_surname = surname if relation not in ("配偶", "母") else roll.choice(SURNAMES)
            members.append(self._member(roll, kin_surname, kin_sex, kin_age, relation))
        self._families += 1
        return Family(tuple(members), self.card(), self.phone())

    def infant(self, family: Family, born_on: date) -> Member:
        """A child just born into a family, not yet with an ID number."""
        roll = dice(self.seed, "infant", family.card_no)
        name = family.members[0].name[0] + roll.choice(GIVEN_YOUNG) + roll.choice(GIVEN_YOUNG)
        sex, relation = roll.choice((("male", "孙子"), ("female", "孙女")))
        return Member(name, sex, born_on, relation, None)

    def corrected(self, member: Member) -> Member:
        """The same person under another ID number: the first one was wrong."""
        return replace(member, id_number=self.id_number(member.born_on, member.sex))

    def card(self) -> str:
        """A card number nobody has: see the module's docstring."""
        body = f"{CARD_PREFIX}{self._families:012d}"
        return body + luhn_digit(body)

    def phone(self) -> str:
        """A phone number nobody has (one in 10,000 families shares it with another)."""
        return f"{PHONE_PREFIX}{self._families % 10_000:04d}"

    def id_number(self, born_on: date, sex: str) -> str:
        """The next free number of that birthday and sex: odd sequences are male."""
        day = born_on
        used = self._taken.get((day, sex), 0)
        self._taken[(day, sex)] = used + 1
        sequence = SEQUENCE_FROM + 2 * used + (1 if sex == "male" else 0)
        assert sequence <= 999, f"more than 50 made-up people of one sex were born on {day}"
        body = f"{REGION}{day:%Y%m%d}{sequence}"
        return body + check_character(body)

    def _member(
        self, roll: random.Random, surname: str, sex: str, age: int, relation: str
    ) -> Member:
        born_on = self.today - timedelta(days=age * 365 + age // 4 + roll.randint(1, 364))
        given = GIVEN_MALE if sex == "male" else GIVEN_FEMALE
        if age < 25:
            given = GIVEN_YOUNG
        name = surname + roll.choice(given)
        if roll.random() < 0.8:
            name += roll.choice(given)
        number = None if age < 1 else self.id_number(born_on, sex)
        return Member(name, sex, born_on, relation, number)


def _kin(
    roll: random.Random, count: int, head_sex: str, head_age: int
) -> list[tuple[str, str, int]]:
    """Relation, sex and age of ``count`` further members of a head's household."""
    spouse_sex = "female" if head_sex == "male" else "male"
    order: list[tuple[str, str, int]] = []
    if roll.random() < 0.7:
        order.append(("配偶", spouse_sex, max(23, head_age + roll.randint(-4, 3))))
    child_from, child_to = max(0, head_age - 40), max(1, head_age - 22)
    for _ in range(2):
        age = roll.randint(child_from, child_to)
        if roll.random() < 0.5:
            order.append(("子", "male", age))
        else:
            order.append(("女", "female", age))
    if head_age < 62:
        order.append(("母", "female", head_age + roll.randint(20, 27)))
        order.append(("父", "male", head_age + roll.randint(21, 28)))
    while len(order) < count:
        age = roll.randint(0, max(1, min(17, head_age - 44)))
        order.append(("孙子", "male", age) if roll.random() < 0.5 else ("孙女", "female", age))
    return order[:count]
