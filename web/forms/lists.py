"""Forms of the seasons and the village lists: from the season opened to the list closed."""

from collections.abc import Mapping
from dataclasses import replace

from domain.commands import notices as n
from domain.commands import payments as p
from domain.commands import seasons as s
from domain.commands import village_lists as v
from domain.world import Command
from web.forms.form import Form
from web.picking import lists as pick
from web.picking.places import own_areas

POSTED = Form(
    fields=("photo_sha256",),
    digests=frozenset({"photo_sha256"}),
    labels={"photo_sha256": "list.photo"},
    hints={"photo_sha256": "list.file_hint"},
    hint="list.post_hint",
)
STRIKING = Form(
    picks={"struck.case": pick.on_list},
    short=frozenset({"struck.reason"}),
    labels={"struck": "list.struck", "struck.case": "list.household"},
    hints={"struck": "list.struck_hint"},
)

APPRAISAL = Form(
    fields=(
        "minutes",
        "minutes.held_on",
        "minutes.attendees",
        "minutes.document_sha256",
        "verdicts",
        "verdicts.accepted",
        "verdicts.tier",
        "verdicts.reason",
    ),
    must={"minutes": "needs_minutes"},
    without=pick.without_a_meeting,
    picks={"verdicts.case": pick.to_appraise},
    words={"verdicts.tier": "story.word_tier_"},
    heads={"verdicts": "case"},
    none={"verdicts": "list.nobody_applied"},
    begins=pick.all_accepted,
    warns=pick.notice_void,
    digests=frozenset({"minutes.document_sha256"}),
    short=frozenset({"verdicts.reason"}),
    labels={
        "minutes": "list.minutes",
        "minutes.document_sha256": "list.minutes_paper",
        "verdicts": "list.verdicts",
        "verdicts.case": "list.household",
        "verdicts.reason": "list.why_not",
    },
    labels_here=pick.without_a_word_of_it({"verdicts": "list.put_down"}),
    hints={"minutes.document_sha256": "list.file_hint", "verdicts": "list.verdicts_hint"},
    done="list.done_appraise",
)

FORMS: Mapping[type[Command], Form] = {
    s.OpenSeason: Form(
        fields=("area", "programme", "year", "disaster"),
        picks={
            "area": own_areas,
            "programme": pick.programmes_in_force,
            "disaster": pick.disasters_here,
        },
        none={"programme": "season.no_standards"},
        begins=pick.this_year,
        labels={"year": "season.year", "area": "season.area"},
        hints={"year": "season.year_hint", "disaster": "season.disaster_hint"},
        hint="season.open_hint",
        next="/seasons/{season}",
    ),
    s.ChangeSeasonStandard: Form(hint="season.change_hint"),
    s.CloseSeason: Form(
        hint="season.close_hint",
        warns=pick.nobody_decided,
        without=pick.all_listed,
        must={"without_list_reason": "unlisted"},
    ),
    v.OpenVillageList: Form(
        told={"season": "season", "village": "village", "round": "round"},
        next="/lists/{village_list}",
    ),
    v.AppraiseList: APPRAISAL,
    v.AppraiseOnBehalf: replace(APPRAISAL, told={"village": "village"}, hint="list.on_behalf_hint"),
    n.PostNotice: Form(
        fields=POSTED.fields,
        digests=POSTED.digests,
        labels=POSTED.labels,
        hints=POSTED.hints,
        hint=POSTED.hint,
        done="list.done_post",
    ),
    v.RaiseObjection: Form(
        fields=("kind", "household", "text"),
        words={"kind": "story.word_kind_"},
        picks={"household": pick.households_on},
        labels={
            "kind": "list.objection_kind",
            "text": "list.objection_text",
            "household": "list.the_household",
        },
    ),
    v.SettleObjection: Form(
        fields=("upheld", "reason", "add", "strike"),
        picks={"add": pick.not_on_list, "strike": pick.on_list},
        labels={
            "upheld": "list.upheld",
            "reason": "list.settle_reason",
            "add": "list.add_household",
            "strike": "list.strike_household",
        },
        hints={"add": "list.add_hint"},
    ),
    n.WithdrawNotice: Form(hint="list.withdraw_hint", done="list.done_withdraw"),
    v.ReviewList: Form(
        fields=("opinion", "struck", "struck.case"),
        picks=STRIKING.picks,
        short=STRIKING.short,
        labels=STRIKING.labels,
        hints=STRIKING.hints,
        done="list.done_review",
    ),
    v.ReturnList: Form(done="list.done_send_back"),
    v.ApproveList: Form(
        fields=("document_no", "struck", "struck.case"),
        picks=STRIKING.picks,
        short=STRIKING.short,
        labels={**STRIKING.labels, "document_no": "household.document"},
        hints=STRIKING.hints,
        done="list.done_approve",
    ),
    p.AllocateList: Form(
        fields=("document_no", "fund", "warehouse", "grants", "grants.case", "grants.part"),
        picks={
            "fund": pick.funds_for,
            "warehouse": pick.depots_for,
            "grants.case": pick.on_list,
            "grants.part": pick.parts_here,
            "grants.goods.item": pick.goods_for,
        },
        without=pick.paid_at_once,
        none={"fund": "list.no_fund", "warehouse": "list.no_depot"},
        warns=pick.exactly,
        heads={"grants": "case"},
        spread={"grants.goods": ("item", "units")},
        sums=frozenset({"grants"}),
        begins=pick.by_the_rule,
        short=frozenset({"grants.reason"}),
        labels={
            "document_no": "list.allocation_document",
            "fund": "list.from_fund",
            "warehouse": "list.from_depot",
            "grants": "list.who_gets_what",
            "grants.case": "list.household",
            "grants.part": "list.which_part",
            "grants.reason": "list.why_other",
        },
        hints={"grants": "list.by_rule_hint"},
        done="list.done_allocate",
    ),
    n.PostSecondNotice: Form(
        fields=POSTED.fields,
        digests=POSTED.digests,
        labels=POSTED.labels,
        hints=POSTED.hints,
        done="list.done_post_second",
    ),
    p.PayList: Form(
        fields=("document_no", "value_date", "failures", "failures.case"),
        picks={"failures.case": pick.on_list},
        short=frozenset({"failures.reason"}),
        labels={
            "document_no": "household.payment_order",
            "failures": "list.sent_back",
            "failures.case": "list.household",
            "failures.reason": "list.bank_says",
        },
        hints={"failures": "list.sent_back_hint", "value_date": "list.value_date_hint"},
        done="list.done_pay",
    ),
    v.CloseList: Form(
        hint="list.close_hint",
        warns=pick.nothing_granted,
        must={"reason": "leaves_out"},
        done="list.done_close",
    ),
}
