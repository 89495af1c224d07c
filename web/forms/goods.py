"""Forms of the goods desk: lots and counts of a stockpile, consignments."""

from collections.abc import Mapping

from domain.commands import consignments as c
from domain.commands import stock as g
from domain.consignment import Phase
from domain.world import Command
from web.forms.form import Form
from web.picking import goods as pick

ARRIVAL = Form(
    next_in=(Phase.SHIPPED,),
    fields=("counts", "arrived_at", "remark"),
    picks={"counts.lot": pick.lots_sent},
    heads={"counts": "lot"},
    begins=pick.all_good,
    hint="stock.count_hint",
    labels={
        "counts.good": "stock.good",
        "counts.damaged": "stock.damaged",
        "counts.missing": "stock.missing",
    },
    hints={"remark": "stock.remark_hint", "write_off_document_no": "stock.write_off_hint"},
)

FORMS: Mapping[type[Command], Form] = {
    c.RequestConsignment: Form(
        fields=("destination", "lines", "reason", "needed_by"),
        picks={"destination": pick.own_places, "lines.item": pick.items},
        begins=pick.own_place("destination"),
        labels={
            "destination": "stock.for_whom",
            "lines": "stock.what_is_asked",
            "lines.item": "stock.item",
            "needed_by": "stock.needed_by",
        },
        next="/stock/consignments/{consignment}",
        booked="/stock/consignments/{consignment}",
    ),
    c.OrderConsignment: Form(
        next_in=(Phase.REQUESTED,),
        fields=("source", "lines", "document_no"),
        picks={"source": pick.depots, "lines.item": pick.items},
        radio=frozenset({"source"}),
        none={"source": "stock.there_none"},
        begins=pick.lines_asked,
        labels={
            "source": "stock.source",
            "lines": "stock.what_is_sent",
            "lines.item": "stock.item",
            "document_no": "stock.order_no",
        },
    ),
    c.ShipConsignment: Form(
        next_in=(Phase.ORDERED,),
        fields=("vehicle", "driver_name", "driver_phone", "shipped_at", "eta"),
        hints={
            "vehicle": "stock.vehicle_hint",
            "driver_name": "stock.driver_hint",
            "shipped_at": "act.earlier_hint",
        },
    ),
    c.ArriveConsignment: ARRIVAL,
    c.TurnBackConsignment: Form(
        fields=ARRIVAL.fields,
        picks=ARRIVAL.picks,
        heads=ARRIVAL.heads,
        begins=ARRIVAL.begins,
        hint="stock.back_hint",
        labels={**ARRIVAL.labels, "arrived_at": "stock.back_at", "remark": "stock.back_why"},
    ),
    c.WriteOffDamaged: Form(next_in=(Phase.ARRIVED,), fields=("document_no", "reason")),
    c.CloseConsignment: Form(next_in=(Phase.ARRIVED,)),
    c.CancelConsignment: Form(),
    g.ReceiveGoods: Form(
        fields=(
            "warehouse",
            "item",
            "quantity",
            "document_no",
            "owner",
            "received_on",
            "unit_value_fen",
        ),
        picks={"warehouse": pick.own_places, "item": pick.items},
        begins=pick.own_place("warehouse"),
        today=frozenset({"received_on"}),
        hints={"unit_value_fen": "stock.value_hint", "owner": "stock.owner_hint"},
        next="/stock/stockpiles/{stockpile}",
    ),
    g.RecountStock: Form(
        fields=("counts", "reason"),
        picks={"counts.lot": pick.lots_here},
        heads={"counts": "lot"},
        begins=pick.all_there,
        hint="stock.recount_hint",
    ),
    g.WriteOffGoods: Form(
        fields=("lot", "quantity", "document_no", "reason"), picks={"lot": pick.free_lots}
    ),
}
