"""Forms of the money desk: appropriate, pass down, give back."""

from collections.abc import Mapping

from domain.commands import funds as f
from domain.world import Command
from web.forms.form import Form
from web.picking import money as pick

FORMS: Mapping[type[Command], Form] = {
    f.AppropriateFund: Form(
        fields=(
            "document_no",
            "holder",
            "amount_fen",
            "matching_fen",
            "source",
            "source_document_no",
            "earmark",
        ),
        picks={"holder": pick.holders, "earmark": pick.programmes},
        words={"source": "funds.source_"},
        labels={
            "holder": "funds.holder",
            "document_no": "funds.document",
            "source": "funds.source",
            "source_document_no": "funds.source_document",
            "earmark": "funds.earmark",
        },
        hints={
            "source_document_no": "funds.source_document_hint",
            "matching_fen": "funds.matching_hint",
        },
        begins=pick.own_holder,
        next="/funds/{fund}",
    ),
    f.PassDownFund: Form(
        next_in=("has_money",),
        fields=("to", "amount_fen", "matching_fen", "document_no", "earmark"),
        picks={"to": pick.below, "earmark": pick.earmark_here},
        begins=pick.same_earmark,
        labels={"to": "funds.to", "document_no": "funds.down_document", "earmark": "funds.earmark"},
        hints={"matching_fen": "funds.matching_hint", "document_no": "funds.down_hint"},
        hint="funds.left_here",
    ),
    f.ReturnFund: Form(
        fields=("to_fund", "amount_fen", "matching_fen", "document_no", "reason"),
        picks={"to_fund": pick.parents},
        labels={"to_fund": "funds.back_to"},
        hints={"matching_fen": "funds.back_matching_hint"},
        hint="funds.left_here",
    ),
}
