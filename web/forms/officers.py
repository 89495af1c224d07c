"""Forms about officers that are drawn from commands; most of theirs are written in a template."""

from collections.abc import Mapping

from domain.commands import officers as o
from domain.world import Command
from web.forms.form import Form
from web.picking import dispensations as pick

FORMS: Mapping[type[Command], Form] = {
    o.GrantDispensation: Form(
        fields=("matter", "step", "document_no", "reason"),
        told={"officer": "officer"},
        picks={"matter": pick.open_matters, "step": pick.steps},
        none={"matter": "officers.no_open_matter"},
        labels={"matter": "officers.which_matter", "step": "officers.which_step"},
        hint="officers.dispensation_hint",
        done="officers.dispensation_done",
        next="/officers/{officer}",
    ),
}
