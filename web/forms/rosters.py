"""Forms of the rosters 台账 of a report: people dead, missing, injured; damaged homes."""

from collections.abc import Mapping

from domain.casualty_record import Fate
from domain.commands import rosters as o
from domain.world import Command
from web.forms.form import Form
from web.picking import rosters as pick

FORMS: Mapping[type[Command], Form] = {
    o.RecordCasualty: Form(
        fields=(
            "fate",
            "full_name",
            "sex",
            "age",
            "id_number",
            "area",
            "happened_at",
            "place",
            "cause",
            "severe",
            "ethnic_group",
            "registered_at",
            "resident",
            "another",
        ),
        told={"report": "report"},
        picks={"area": pick.places},
        words={"fate": "roster.fate_", "sex": "roster.sex_"},
        begins=pick.here,
        hints={"id_number": "roster.id_hint", "another": "roster.another_hint"},
        labels={"another": "roster.another"},
    ),
    o.ConfirmDeath: Form(next_in=(Fate.MISSING,)),
    o.FindMissing: Form(),
    o.WithdrawCasualty: Form(short=frozenset({"reason"})),
    o.RecordHouseDamage: Form(
        fields=(
            "owner_name",
            "grade",
            "rooms",
            "structure",
            "area",
            "owner_id_number",
            "address",
            "another",
        ),
        told={"report": "report"},
        left_out=frozenset({"household"}),
        picks={"area": pick.places},
        words={"grade": "roster.grade_"},
        begins=pick.here,
        hints={"rooms": "roster.rooms_hint", "another": "roster.another_hint"},
        labels={"another": "roster.another_home"},
    ),
    o.RegradeHouseDamage: Form(
        words={"grade": "roster.grade_"}, begins=pick.as_graded, short=frozenset({"reason"})
    ),
    o.WithdrawHouseDamage: Form(short=frozenset({"reason"})),
}
