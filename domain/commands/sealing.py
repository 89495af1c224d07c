"""Personal data on its way in: checked, normalized, sealed, masked. Shared by the ledger's desks.

A refusal names the field and the rule; the value in it is masked, since outcomes are stored.
"""

import re
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import msgspec

from domain.half_width import half_width
from domain.household import Card
from domain.household_members import Member, Relation, Sex
from domain.identity import normalize_id, parse_id
from domain.masking import mask_card, mask_name
from domain.person import Person
from domain.phone_number import checked_phone
from domain.refusal import Malformed, missing
from domain.rules.base import china_day
from domain.world import Sealed, World

ACCOUNT = re.compile(r"[0-9]{8,25}")
SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberInput:
    """One person of a household. Without ID number (a child, a lost card) birth and sex help."""

    name: str
    relation: Relation
    id_number: str | None = None
    sex: Sex | None = None
    birth_date: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CardInput:
    """一卡通 account. ``holder`` is a position in the list of members (0 = the first)."""

    number: str
    bank: str = ""
    holder: int = 0


def not_future(world: World, field: str, day: date | None) -> None:
    """Refuse with `Malformed` a day after today (in China), if one was said."""
    if day is not None and day > china_day(world.now):
        raise Malformed(
            field=field, value=str(day), rule_zh="日期不能晚于今天", rule_en="it lies in the future"
        )


def check_sha256(field: str, digest: str | None) -> None:
    """Refuse with `Malformed` what is no SHA-256 in hexadecimal."""
    if digest is not None and not SHA256.fullmatch(digest):
        raise Malformed(
            field=field,
            value=digest[:70],
            rule_zh="应为64位十六进制 SHA-256",
            rule_en="it must be a SHA-256 in 64 hexadecimal digits",
        )


def digits(text: str) -> str:
    """A number as typed, in half-width digits without spaces and dashes."""
    return re.sub(r"[\s'-]", "", half_width(text))


def check_members(world: World, members: tuple[MemberInput, ...]) -> int:
    """Where the head stands in the list; `Malformed` unless there is exactly one."""
    heads = [i for i, member in enumerate(members) if member.relation is Relation.HEAD]
    if len(heads) != 1:
        raise Malformed(
            field="members",
            value=f"{len(heads)} / {len(members)}",
            rule_zh="一户须有且只有一名户主",
            rule_en="a household has exactly one head",
        )
    for index, member in enumerate(members):
        check_member(world, member, f"members[{index}]")
    return heads[0]


def check_member(world: World, member: MemberInput, field: str) -> None:
    """Name, ID number (if there is one) and birth date are possible. `Malformed` if not."""
    if not member.name.strip():
        raise missing(f"{field}.name")
    if member.birth_date is not None:
        not_future(world, f"{field}.birth_date", member.birth_date)
    if member.id_number is not None:
        parse_id(normalize_id(member.id_number), china_day(world.now), f"{field}.id_number")


def check_account(card: CardInput | None, members: int) -> None:
    """An account of digits, held by one of the members of the list. `Malformed` if not."""
    if card is None:
        return
    number = digits(card.number)
    if not ACCOUNT.fullmatch(number):
        raise Malformed(
            field="card.number",
            value=mask_card(number),
            rule_zh="一卡通账号应为8至25位数字",
            rule_en="an account has 8 to 25 digits",
        )
    if not 0 <= card.holder < members:
        raise Malformed(
            field="card.holder",
            value=str(card.holder),
            rule_zh="持卡人须为本户成员（名单中的序号，从0开始）",
            rule_en="the holder must be one of the members, by position from 0",
        )


def person_of(world: World, number: str) -> UUID:
    """The person of an ID number, known or new.

    Whoever is erased is nobody any more, also while the vault has not yet followed the fact: the
    number gets a new person, whose key is not about to be destroyed.
    """
    person = world.vault.person_for(number)
    if world.vault.is_fresh(person):
        return person
    streams = [world.look(Person, Person.id_of(person, drill)) for drill in (False, True)]
    gone = any(stream is not None and stream.erased for stream in streams)
    return world.vault.person_for(number, instead_of=person) if gone else person


def seal_member(world: World, household: UUID, given: MemberInput) -> Member:
    """Find or make the person of a checked input, seal name and ID number, keep what may show."""
    vault = world.vault
    name = given.name.strip()
    sex, born = given.sex, given.birth_date
    number: str | None = None
    if given.id_number is not None:
        identity = parse_id(normalize_id(given.id_number))
        number = identity.number
        sex = sex or Sex(identity.sex)
        born = born or identity.born_on
    person = person_of(world, number) if number else vault.new_person()
    return Member(
        person=person,
        masked=mask_name(name),
        relation=given.relation,
        name=vault.seal(person, household, "name", name),
        id_number=vault.seal(person, household, "id_number", number) if number else None,
        sex=sex,
        birth_year=born.year if born else None,
    )


def sealed_again(world: World, origin: UUID, target: UUID, member: Member) -> Member:
    """The member sealed for another stream. An erased person's texts stay as they are: noise."""
    return msgspec.structs.replace(
        member,
        relation=Relation.OTHER if member.relation is Relation.HEAD else member.relation,
        name=_again(world, origin, target, "name", member.name),
        id_number=(
            None
            if member.id_number is None
            else _again(world, origin, target, "id_number", member.id_number)
        ),
    )


def _again(world: World, origin: UUID, target: UUID, field: str, sealed: Sealed) -> Sealed:
    text = world.vault.unseal(sealed, origin, field)
    return sealed if text is None else world.vault.seal(sealed.person, target, field, text)


def seal_card(world: World, household: UUID, holder: UUID, card: CardInput) -> Card:
    number = digits(card.number)
    sealed = world.vault.seal(holder, household, "card", number)
    return Card(holder=holder, number=sealed, masked=mask_card(number), bank=card.bank)


def seal_phone(world: World, stream: UUID, person: UUID, phone: str | None) -> Sealed | None:
    """A phone number, or several, sealed. Blank counts as not given."""
    number = checked_phone("phone", phone)
    return world.vault.seal(person, stream, "phone", number) if number else None


def seal_text(
    world: World, stream: UUID, person: UUID, field: str, text: str | None
) -> Sealed | None:
    """A free text, sealed under the person. Blank counts as not given."""
    return world.vault.seal(person, stream, field, text) if text and text.strip() else None
