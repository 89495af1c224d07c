"""Forms of the relief desk: applications, single cases and their grants, goods signed for."""

from collections.abc import Mapping

from domain.case_checks import Stage
from domain.commands import grant_corrections as g
from domain.commands import handing_out as o
from domain.commands import held_grants as h
from domain.commands import relief_cases as r
from domain.world import Command
from web.forms.form import Finder, Form
from web.picking import cases as pick

NEED = {
    "need.kinds": "case.kind_",
    "need.cause": "story.word_cause_",
}
NEED_LABELS = {
    "need": "case.need",
    "need.persons": "case.persons",
    "need.kinds": "case.kinds",
    "need.cause": "case.cause",
    "need.rate": "case.rate",
    "need.days": "case.days",
    "need.count": "case.count",
    "need.dead": "case.dead",
    "need.house": "case.house",
    "need.another": "case.another",
}
NEED_HINTS = {
    "need.days": "case.days_hint",
    "need.dead": "case.dead_hint",
    "need.house": "case.house_hint",
    "need.another": "case.another_hint",
}
NEED_PICKS: Mapping[str, Finder] = {
    "need.rate": pick.rates,
    "need.dead": pick.the_dead,
    "need.house": pick.damaged_homes,
}
NEED_MUST = frozenset({"need.dead", "need.house", "need.days"})
NEED_ORDER = (
    *("need.dead", "need.another", "need.house"),
    *("need.rate", "need.days", "need.count", "need.persons"),
)
ROWS = "applications."

VILLAGE = Form(
    fields=("applications",),
    told={"season": "season", "village": "village"},
    picks={
        "applications.household": pick.households_here,
        **{ROWS + key: finder for key, finder in NEED_PICKS.items()},
    },
    words={ROWS + key: prefix for key, prefix in NEED.items()},
    heads={"applications": "household"},
    some=frozenset({"applications"}),
    needed=frozenset(ROWS + key for key in NEED_MUST),
    begins=pick.nobody_yet,
    without=pick.beside_the_basis(ROWS),
    today=frozenset({"applications.applied_on"}),
    short=frozenset({"applications.note"}),
    hint="case.village_hint",
    labels={
        "applications": "case.households",
        "applications.nominated": "case.nominated",
        **{ROWS + key: label for key, label in NEED_LABELS.items()},
    },
    done="case.done_village",
)
"""Of each household of the village that has not applied, one row; those left empty are not sent."""

FORMS: Mapping[type[Command], Form] = {
    r.ApplyForRelief: Form(
        fields=("need", *NEED_ORDER, "applied_on", "nominated", "note"),
        told={"season": "season", "household": "household"},
        needed=NEED_MUST,
        picks=NEED_PICKS,
        words=NEED,
        begins=pick.all_members,
        without=pick.beside_the_basis(),
        today=frozenset({"applied_on"}),
        labels={"nominated": "case.nominated", **NEED_LABELS},
        hints={"note": "case.note_hint", **NEED_HINTS},
        next="/cases/{case}",
        done="case.done_applied",
    ),
    r.ApplyVillage: VILLAGE,
    r.ApplyOnBehalf: VILLAGE,
    r.CorrectApplication: Form(
        fields=("need", *NEED_ORDER, "reason"),
        needed=NEED_MUST,
        picks=NEED_PICKS,
        words=NEED,
        begins=pick.as_applied,
        without=pick.beside_the_basis(),
        labels=NEED_LABELS,
        hints=NEED_HINTS,
    ),
    h.DecideHeldGrants: Form(
        next_in=(Stage.APPROVED, Stage.CLOSED),
        fields=("decision", "reason", "reduced", "persons"),
        words={"decision": "case.decide_"},
        picks={"reduced.number": pick.grants_to_come},
        without=pick.kinds_to_come("reduced."),
        labels={
            "reduced": "case.reduced",
            "reduced.number": "case.which",
            "reduced.cash_fen": "case.new_amount",
            "reduced.units": "case.new_units",
            "persons": "case.persons_now",
        },
        hints={"reduced": "case.reduced_hint", "persons": "case.persons_now_hint"},
        hint="case.held_hint",
    ),
    g.CorrectGrant: Form(
        fields=("number", "cash_fen", "units", "reason", "over_standard"),
        picks={"number": pick.grants_to_come},
        without=pick.kinds_to_come(),
        labels={
            "number": "case.which",
            "cash_fen": "case.new_amount",
            "units": "case.new_units",
        },
        hints={"over_standard": "case.over_hint"},
        hint="case.correct_hint",
        long=frozenset({"over_standard"}),
    ),
    g.RecordPaymentFailure: Form(
        fields=("number", "reason"),
        picks={"number": pick.cash_paid},
        short=frozenset({"reason"}),
        labels={"number": "case.which", "reason": "case.bank_reason"},
        hints={"reason": "case.bank_hint"},
    ),
    g.RetryPayment: Form(
        next_in=(Stage.APPROVED, Stage.CLOSED),
        fields=("number", "document_no", "value_date"),
        hints={"value_date": "list.value_date_hint"},
        picks={"number": pick.cash_to_come},
        labels={"number": "case.which", "document_no": "household.payment_order"},
        hint="case.retry_hint",
    ),
    g.RefundGrant: Form(
        fields=("number", "amount_fen", "units", "reason", "document_no"),
        picks={"number": pick.grants_there},
        without=pick.kinds_there,
        labels={
            "number": "case.which",
            "amount_fen": "case.amount_back",
            "units": "case.units_back",
            "document_no": "case.back_document",
        },
    ),
    r.ReopenCase: Form(hint="case.reopen_hint"),
    o.SignGoods: Form(
        at="/lists/{id}/goods",
        fields=("signatures", "signed_on"),
        hints={"signed_on": "list.signed_on_hint"},
        left_out=frozenset({"signatures.photo_sha256"}),
        needed=frozenset({"signatures.relation"}),
        picks={"signatures.case": pick.goods_waiting, "signatures.relation": pick.signers},
        heads={"signatures": "case"},
        some=frozenset({"signatures"}),
        begins=pick.unsigned,
        labels={"signatures": "case.goods_waiting", "signatures.signed_by": "case.signed_by"},
        hint="case.sign_hint",
    ),
}
