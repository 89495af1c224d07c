"""Forms of the households' desk: members, card, contact, moves, doubles, contested persons."""

from collections.abc import Mapping
from typing import Final

from domain.commands import contests as k
from domain.commands import erasure as e
from domain.commands import household_moves as m
from domain.commands import households as h
from domain.world import Command
from web.forms.form import Form
from web.picking import households as pick
from web.picking.places import villages_below

WORDS: Final = {"member.relation": "story.word_relation_", "member.sex": "household.sex_"}
LABELS: Final = {"member": "household.member", "member.name": "household.name"}
HINTS: Final = {"member.id_number": "household.id_hint", "member.birth_date": "household.id_hint"}
GONE: Final = Form(
    fields=("person", "on", "new_head", "reason"),
    picks={"person": pick.members_here, "new_head": pick.members_here},
    begins=pick.the_member("person"),
    today=frozenset({"on"}),
    labels={"person": "household.who", "new_head": "household.new_head", "on": "household.on"},
    hints={"new_head": "household.new_head_hint"},
    short=frozenset({"reason"}),
)
SHORT: Final = frozenset({"reason"})
OF_MEMBER: Final[Mapping[type[Command], str]] = {
    h.RecordDeath: "person",
    h.RemoveMember: "person",
    h.IdentifyMember: "person",
    h.ChangeHead: "head",
    h.RecordCard: "holder",
}
"""Steps of a household that are about one member → the field that names the member."""

FORMS: Mapping[type[Command], Form] = {
    h.RegisterHousehold: Form(
        fields=("village", "members", "category", "group", "unnamed", "phone", "address"),
        left_out=frozenset({"card", "group_code"}),
        picks={"village": villages_below, "category": pick.kinds_of_posts},
        words={"members.relation": "story.word_relation_", "members.sex": "household.sex_"},
        begins=pick.head_first,
        hint="household.new_hint",
        labels={
            "village": "household.village",
            "members.name": "household.name",
            "category": "household.category",
            "group": "household.group",
            "unnamed": "household.unnamed",
            "phone": "in_full.phone",
            "address": "in_full.address",
        },
        hints={"unnamed": "household.unnamed_hint", "group": "household.group_hint"},
        next="/households/{household}",
        booked="/households/{id}",
    ),
    h.AddMember: Form(
        fields=("member", "counted", "reason"),
        words=WORDS,
        labels={**LABELS, "counted": "household.counted"},
        hints={**HINTS, "counted": "household.counted_hint"},
        short=SHORT,
    ),
    h.RemoveMember: GONE,
    h.RecordDeath: GONE,
    h.IdentifyMember: Form(
        fields=("person", "member", "reason"),
        picks={"person": pick.members_here},
        begins=pick.the_member("person"),
        words=WORDS,
        labels={**LABELS, "person": "household.who"},
        hint="household.identify_hint",
        short=SHORT,
    ),
    h.ChangeHead: Form(
        picks={"head": pick.not_head},
        begins=pick.the_member("head"),
        fields=("head", "reason"),
        labels={"head": "household.new_head"},
        short=SHORT,
    ),
    h.CategorizeHousehold: Form(
        picks={"category": pick.kinds_here},
        begins=pick.as_it_is,
        fields=("category", "reason"),
        labels={"category": "household.category"},
        short=SHORT,
    ),
    h.RecordCard: Form(
        picks={"holder": pick.members_here},
        begins=pick.the_member("holder"),
        fields=("holder", "number", "bank", "reason"),
        labels={"holder": "household.holder", "number": "household.card_number"},
        hints={"holder": "household.holder_hint"},
        short=SHORT,
    ),
    h.ChangeContact: Form(
        fields=("phone", "address", "reason"),
        labels={"phone": "in_full.phone", "address": "in_full.address"},
        hint="household.contact_hint",
        short=SHORT,
    ),
    h.MoveHousehold: Form(
        picks={"village": villages_below},
        fields=("village", "on", "group", "address", "reason"),
        left_out=frozenset({"group_code"}),
        today=frozenset({"on"}),
        labels={
            "village": "household.to_village",
            "group": "household.group",
            "address": "in_full.address",
            "on": "household.on",
        },
        hints={"village": "household.to_village_hint", "group": "household.group_hint"},
        short=SHORT,
    ),
    m.OfferHouseholdMove: Form(
        picks={"village": pick.villages_elsewhere, "cases": pick.open_cases},
        none={"village": "household.find_village_first"},
        begins=pick.all_cases,
        fields=("village", "group", "address", "cases", "reason"),
        left_out=frozenset({"group_code"}),
        labels={
            "village": "household.to_village",
            "group": "household.group",
            "address": "in_full.address",
            "cases": "household.open_cases",
        },
        hints={"cases": "household.open_cases_hint"},
        short=SHORT,
    ),
    m.AcceptHouseholdMove: Form(
        next_in=("offered",),
        fields=("on", "reason"),
        today=frozenset({"on"}),
        labels={"on": "household.on"},
        short=SHORT,
    ),
    m.DeclineHouseholdMove: Form(short=SHORT),
    m.WithdrawHouseholdMove: Form(short=SHORT),
    k.MergeHouseholds: Form(
        picks={"into": pick.doubles},
        none={"into": "household.find_double_first"},
        fields=("into", "reason"),
        hint="household.merge_hint",
        labels={"into": "household.into"},
        short=SHORT,
    ),
    k.ResolveContest: Form(
        picks={"keep": pick.claiming},
        radio=frozenset({"keep"}),
        fields=("keep", "document_no", "reason"),
        labels={"keep": "household.keep"},
        hint="household.resolve_hint",
        next="/persons/{person}",
    ),
    e.ErasePerson: Form(
        fields=("document_no", "reason"),
        hint="household.erase_hint",
        next="/persons/{person}",
    ),
}
