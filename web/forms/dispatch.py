"""Forms of the dispatcher's desk: incidents and units."""

from collections.abc import Mapping

from domain.commands import incidents as i
from domain.commands import units as u
from domain.incident import Stage
from domain.world import Command
from web.forms.form import Form
from web.picking import dispatch as pick
from web.picking.places import areas_above, areas_below

FORMS: Mapping[type[Command], Form] = {
    i.TriageIncident: Form(
        next_in=(Stage.OPEN,),
        press="priority",
        picks={"priority": pick.priorities},
        told={"seen_priority": "seen_priority"},
        short=frozenset({"note"}),
    ),
    i.AssignUnit: Form(
        next_in=(Stage.TRIAGED,),
        press="unit",
        picks={"unit": pick.free_units},
        none={"unit": "dispatch.none_free"},
        hints={"assigned_at": "act.earlier_hint"},
    ),
    i.AcknowledgeAssignment: Form(
        next_in=(Stage.ASSIGNED,),
        press="unit",
        picks={"unit": pick.units_at(Stage.ASSIGNED)},
    ),
    i.ReportEnRoute: Form(
        next_in=(Stage.ACKNOWLEDGED,),
        press="unit",
        fields=("eta_minutes",),
        picks={"unit": pick.units_at(Stage.ACKNOWLEDGED)},
    ),
    i.ReportOnScene: Form(
        next_in=(Stage.EN_ROUTE,), press="unit", picks={"unit": pick.units_at(Stage.EN_ROUTE)}
    ),
    i.ResolveIncident: Form(next_in=(Stage.ON_SCENE,), hints={"outcome": "dispatch.outcome_hint"}),
    i.CloseIncident: Form(
        next_in=(Stage.RESOLVED,),
        labels={"reason": "dispatch.close_reason"},
        hints={"reason": "dispatch.close_hint"},
    ),
    i.RecallUnit: Form(picks={"unit": pick.units_out}),
    i.ReassignIncident: Form(
        picks={"from_unit": pick.units_out, "to_unit": pick.free_units},
        none={"to_unit": "dispatch.none_free"},
        hints={"assigned_at": "act.earlier_hint"},
    ),
    i.EscalateIncident: Form(picks={"to": areas_above}, hint="dispatch.escalate_hint"),
    i.MarkDuplicateIncident: Form(
        picks={"original": pick.other_incidents}, labels={"original": "dispatch.original"}
    ),
    i.UndoDuplicateIncident: Form(),
    i.OpenIncident: Form(
        fields=("kind", "area", "place", "severity", "occurred_at", "details", "reporter_phone"),
        picks={"area": areas_below},
        words={"kind": "dispatch.kind_", "severity": "dispatch.severity_"},
        radio=frozenset({"kind"}),
        begins=pick.usual_call,
        labels={
            "kind": "dispatch.kind",
            "area": "dispatch.area",
            "place": "dispatch.place",
            "reporter_phone": "dispatch.phone",
        },
        hints={"place": "dispatch.place_hint", "reporter_phone": "dispatch.phone_hint"},
        next="/dispatch",
        booked="/dispatch/incidents/{incident}",
    ),
    u.RegisterUnit: Form(
        picks={"area": areas_below},
        words={"kind": "dispatch.unit_"},
        fields=("name", "kind", "size", "area"),
        labels={
            "name": "dispatch.unit_name",
            "kind": "dispatch.unit_kind",
            "area": "dispatch.unit_home",
        },
        next="/dispatch/units",
    ),
    u.PutUnitOffDuty: Form(short=frozenset({"reason"})),
    u.PutUnitOnDuty: Form(next_in=("off_duty",)),
}
