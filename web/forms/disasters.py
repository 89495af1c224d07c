"""Forms of the desk for disasters: declared, answered, stable, closed, merged."""

from collections.abc import Mapping

from domain.commands import disasters as d
from domain.disaster import DisasterStage
from domain.world import Command
from web.forms.form import Form
from web.picking import disasters as pick

LEVELS = {"level": "disasters.level"}

FORMS: Mapping[type[Command], Form] = {
    d.DeclareDisaster: Form(
        fields=("hazard", "sub_hazard", "occurred_at", "area", "name", "reports"),
        picks={
            "hazard": pick.hazards,
            "sub_hazard": pick.sub_hazards,
            "area": pick.places,
            "reports": pick.loose_ones,
        },
        narrows={"sub_hazard": "hazard"},
        begins=pick.as_proposed,
        none={"reports": "disasters.open_a_group"},
        labels={"name": "disasters.name", "reports": "disasters.reports"},
        hints={"name": "disasters.name_hint", "reports": "disasters.reports_hint"},
        next="/disasters/{disaster}",
        booked="/disasters/{disaster}",
    ),
    d.StartResponse: Form(
        fields=("area", "level", "document_no", "forecast", "farming_population"),
        picks={"area": pick.places_within, "level": pick.levels},
        begins=pick.response_proposed,
        labels={**LEVELS, "forecast": "disasters.forecast"},
        hints={
            "level": "disasters.level_hint",
            "forecast": "disasters.forecast_hint",
            "farming_population": "disasters.farming_hint",
        },
        long=frozenset({"forecast"}),
    ),
    d.ChangeResponse: Form(
        fields=("area", "level", "document_no", "reason", "farming_population"),
        picks={"area": pick.places_running, "level": pick.levels},
        labels=LEVELS,
        hints={
            "reason": "disasters.raise_hint",
            "farming_population": "disasters.farming_hint",
        },
    ),
    d.EndResponse: Form(picks={"area": pick.places_running}),
    d.StabilizeDisaster: Form(hint="disasters.stabilize_hint"),
    d.CloseDisaster: Form(next_in=(DisasterStage.STABILIZED,), hint="disasters.close_hint"),
    d.ReopenDisaster: Form(hint="disasters.reopen_hint"),
    d.MergeDisaster: Form(
        at="/disasters/{id}/merger",
        told={"into": "into"},
        picks={"into": pick.others},
        next="/disasters/{id}",
    ),
    d.SplitDisaster: Form(at="/disasters/{id}/split", next="/disasters/{id}"),
}
