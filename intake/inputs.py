"""A household as a list has it, turned into the one that the domain registers."""

from domain.commands.households import HouseholdInput
from domain.commands.sealing import CardInput, MemberInput
from domain.household_members import Relation
from eventstore.randomness import random_uuid
from intake.rows import ParsedHousehold, ParsedMember

RELATIONS: dict[str, Relation] = {
    "户主": Relation.HEAD,
    "本人": Relation.HEAD,
    "户主本人": Relation.HEAD,
    "配偶": Relation.SPOUSE,
    "妻": Relation.SPOUSE,
    "妻子": Relation.SPOUSE,
    "夫": Relation.SPOUSE,
    "丈夫": Relation.SPOUSE,
    "子": Relation.CHILD,
    "女": Relation.CHILD,
    "长子": Relation.CHILD,
    "次子": Relation.CHILD,
    "长女": Relation.CHILD,
    "次女": Relation.CHILD,
    "儿子": Relation.CHILD,
    "女儿": Relation.CHILD,
    "独生子": Relation.CHILD,
    "独生女": Relation.CHILD,
    "养子": Relation.CHILD,
    "儿媳": Relation.CHILD_IN_LAW,
    "女婿": Relation.CHILD_IN_LAW,
    "媳": Relation.CHILD_IN_LAW,
    "孙": Relation.GRANDCHILD,
    "孙子": Relation.GRANDCHILD,
    "孙女": Relation.GRANDCHILD,
    "外孙": Relation.GRANDCHILD,
    "外孙子": Relation.GRANDCHILD,
    "外孙女": Relation.GRANDCHILD,
    "父": Relation.PARENT,
    "母": Relation.PARENT,
    "父亲": Relation.PARENT,
    "母亲": Relation.PARENT,
    "祖父": Relation.GRANDPARENT,
    "祖母": Relation.GRANDPARENT,
    "爷爷": Relation.GRANDPARENT,
    "奶奶": Relation.GRANDPARENT,
    "兄": Relation.SIBLING,
    "弟": Relation.SIBLING,
    "姐": Relation.SIBLING,
    "妹": Relation.SIBLING,
    "兄弟": Relation.SIBLING,
    "姐妹": Relation.SIBLING,
}
"""Words of the lists; a word that is not here is OTHER, never a reason to refuse."""

RELATION_WORDS: dict[Relation, tuple[str, str]] = {
    Relation.HEAD: ("户主", "head"),
    Relation.SPOUSE: ("配偶", "spouse"),
    Relation.CHILD: ("子女", "child"),
    Relation.CHILD_IN_LAW: ("儿媳女婿", "child-in-law"),
    Relation.GRANDCHILD: ("孙辈", "grandchild"),
    Relation.PARENT: ("父母", "parent"),
    Relation.GRANDPARENT: ("祖辈", "grandparent"),
    Relation.SIBLING: ("兄弟姐妹", "sibling"),
    Relation.OTHER: ("其他", "other"),
}
"""What a stored relation is called where a list says another: as on the household's page, which a
test holds (pages have their words in a catalogue of their own)."""


def household_input(parsed: ParsedHousehold, category: str) -> HouseholdInput:
    """The household as the domain takes it. Its id is for the check only."""
    people = (parsed.head, *parsed.members)
    card = None
    if parsed.card:
        holder = parsed.card_holder
        place = next((n for n, one in enumerate(people) if one is holder), 0)
        card = CardInput(number=parsed.card, bank=parsed.bank or "", holder=place)
    return HouseholdInput(
        id=random_uuid(),
        members=tuple(_member(one, head=one is parsed.head) for one in people),
        category=category,
        group=parsed.group or "",
        card=card,
        phone=parsed.phone,
        address=parsed.address,
        unnamed=max(0, parsed.size - len(people)),
    )


def _member(parsed: ParsedMember, *, head: bool) -> MemberInput:
    relation = RELATIONS.get(parsed.relation or "", Relation.OTHER)
    if not head and relation is Relation.HEAD:
        relation = Relation.OTHER
    return MemberInput(
        name=parsed.name,
        relation=Relation.HEAD if head else relation,
        id_number=parsed.id_number,
    )
