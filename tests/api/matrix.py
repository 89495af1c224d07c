"""Who may do what where: one row a route. A route without a row fails `test_matrix`.

    method path kind roles [level] [above] [below]

``kind`` is what the route is about: an ``area`` or ``village`` named in the body or by ``?area=``,
else a thing in it (`tests.api.seed.Place.ids`). ``roles`` by letter, in their own area and below:

    V village reporter   T township reviewer   A county approver   P county payer
    S storekeeper        D dispatcher          C city reviewer     R province reviewer
    U auditor            M administrator       * everybody logged in    - nobody need log in

``level``: of these, only the role that belongs to the level of the area (V, T, A, C, R in turn).
``above``: the area above the thing's own decides (a review, a change to the tree itself).
``below``: the thing is set for all below its area, and these roles are let in from there too.

From the rows follow the cells: role × {own, child, parent, sibling, none}, where the relation is
that of the thing's area to the officer's. Own, child: allowed, or 403 without the role. Else 404.
"""

from dataclasses import dataclass

from domain.world import Role

LETTERS = {
    "V": Role.VILLAGE_REPORTER,
    "T": Role.TOWNSHIP_REVIEWER,
    "A": Role.COUNTY_APPROVER,
    "P": Role.COUNTY_PAYER,
    "S": Role.STOREKEEPER,
    "D": Role.DISPATCHER,
    "C": Role.CITY_REVIEWER,
    "R": Role.PROVINCE_REVIEWER,
    "U": Role.AUDITOR,
    "M": Role.ADMINISTRATOR,
}

WRITES = """
POST /v1/situation-reports area VTACR level
POST /v1/phoned-reports area VTADCR
POST /v1/situation-reports/{report}/follow-ups report VTACR level
POST /v1/situation-reports/{report}/phoned-follow-ups report VTADCR
POST /v1/situation-reports/{report}/zero-reports report VTACR level
POST /v1/situation-reports/{report}/verified-reports report VTACR level
POST /v1/situation-reports/{report}/verified-reports-on-behalf report T
POST /v1/situation-reports/{report}/resubmissions report VTACR level
POST /v1/situation-reports/{report}/make-ups report VTACR level
POST /v1/situation-reports/{report}/versions/{version}/jump-reasons report VTACR level
POST /v1/situation-reports/{report}/occurrence-corrections report VTACR level
POST /v1/situation-reports/{report}/versions/{version}/acceptances report TACR level above
POST /v1/situation-reports/{report}/versions/{version}/issues report TACR level
POST /v1/situation-reports/{report}/versions/{version}/sent-upward report TACR level
POST /v1/situation-reports/{report}/versions/{version}/returns report TACR level above
POST /v1/situation-reports/{report}/versions/{version}/adjudications report TACR level above
POST /v1/situation-reports/{report}/versions/{version}/parts-set-aside report TACR level above
POST /v1/situation-reports/{report}/stabilizations report ACR
POST /v1/situation-reports/{report}/resumptions report ACR
POST /v1/situation-reports/{report}/attachments report ADCR
POST /v1/situation-reports/{report}/detachments report ADCR
POST /v1/situation-reports/{report}/versions/{version}/withdrawals report TACR level above
POST /v1/situation-reports/{report}/withdrawals report VTACR level
POST /v1/casualty-records area VTA
POST /v1/casualty-records/{record}/deaths casualty VTA
POST /v1/casualty-records/{record}/findings casualty VTA
POST /v1/casualty-records/{record}/withdrawals casualty VTA
POST /v1/house-damages area VTA
POST /v1/house-damages/{record}/grades damage VTA
POST /v1/house-damages/{record}/withdrawals damage VTA
POST /v1/disasters area ADCR
POST /v1/disasters/{disaster}/responses disaster ACR
POST /v1/disasters/{disaster}/response-changes disaster ACR
POST /v1/disasters/{disaster}/response-ends disaster ACR
POST /v1/disasters/{disaster}/stabilizations disaster ACR
POST /v1/disasters/{disaster}/closures disaster ACR
POST /v1/disasters/{disaster}/reopenings disaster ACR
POST /v1/disasters/{disaster}/mergers disaster ACR
POST /v1/disasters/{disaster}/splits disaster ACR
POST /v1/incidents area VTD
POST /v1/incidents/{incident}/triages incident D
POST /v1/incidents/{incident}/assignments incident D
POST /v1/incidents/{incident}/acknowledgements incident D
POST /v1/incidents/{incident}/departures incident D
POST /v1/incidents/{incident}/arrivals incident D
POST /v1/incidents/{incident}/recalls incident D
POST /v1/incidents/{incident}/reassignments incident D
POST /v1/incidents/{incident}/escalations incident D
POST /v1/incidents/{incident}/resolutions incident D
POST /v1/incidents/{incident}/closures incident D
POST /v1/incidents/{incident}/duplicates incident D
POST /v1/incidents/{incident}/duplicate-undoings incident D
POST /v1/incidents/{incident}/unsealings incident DU
POST /v1/units area D
POST /v1/units/{unit}/absences unit D
POST /v1/units/{unit}/returns unit D
POST /v1/goods-receipts area S
POST /v1/stockpiles/{stockpile}/recounts stockpile S
POST /v1/stockpiles/{stockpile}/write-offs stockpile S
POST /v1/consignments area VTASCR
POST /v1/consignments/{consignment}/orders consignment ACR
POST /v1/consignments/{consignment}/shipments consignment S
POST /v1/consignments/{consignment}/arrivals consignment VTS
POST /v1/consignments/{consignment}/turnbacks consignment S
POST /v1/consignments/{consignment}/write-offs consignment ASCR
POST /v1/consignments/{consignment}/closures consignment VTASCR
POST /v1/consignments/{consignment}/cancellations consignment VTASCR
POST /v1/funds area ACR
POST /v1/funds/{fund}/transfers fund ACR
POST /v1/funds/{fund}/returns fund ACR
POST /v1/households village VTA
POST /v1/household-lists village VTA
POST /v1/households/{household}/members household VTA
POST /v1/households/{household}/departures household VTA
POST /v1/households/{household}/deaths household VTA
POST /v1/households/{household}/identifications household VTA
POST /v1/households/{household}/heads household VTA
POST /v1/households/{household}/categories household VTA
POST /v1/households/{household}/cards household VTA
POST /v1/households/{household}/contacts household VTA
POST /v1/households/{household}/groups household VTA
POST /v1/areas/{village}/groups/{group_code}/households village VTA
POST /v1/households/{household}/moves household VTA
POST /v1/households/{household}/move-offers household A
POST /v1/households/{household}/move-acceptances household TA
POST /v1/households/{household}/move-refusals household TA
POST /v1/households/{household}/move-withdrawals household A
POST /v1/households/{household}/unsealings household VTAPU
POST /v1/households/{household}/mergers household TACR
POST /v1/persons/{person}/contest-decisions person ACR
POST /v1/persons/{person}/erasures person ACR
POST /v1/seasons area ACR
POST /v1/seasons/{season}/standards season ACR
POST /v1/seasons/{season}/closures season ACR
POST /v1/relief-cases village V
POST /v1/relief-applications village V
POST /v1/relief-applications-on-behalf village T
POST /v1/relief-cases/{case}/corrections case VT
POST /v1/relief-cases/{case}/reopenings case TA
POST /v1/relief-cases/{case}/hold-decisions case A
POST /v1/village-lists village VTA
POST /v1/village-lists/{village_list}/appraisals village_list V
POST /v1/village-lists/{village_list}/appraisals-on-behalf village_list T
POST /v1/village-lists/{village_list}/first-notices village_list VT
POST /v1/village-lists/{village_list}/second-notices village_list VT
POST /v1/village-lists/{village_list}/notice-withdrawals village_list VT
POST /v1/village-lists/{village_list}/objections village_list VTAU
POST /v1/village-lists/{village_list}/objections/{objection}/settlements village_list TA
POST /v1/village-lists/{village_list}/objections/{objection}/unsealings village_list TAU
POST /v1/village-lists/{village_list}/reviews village_list T
POST /v1/village-lists/{village_list}/returns village_list TA
POST /v1/village-lists/{village_list}/approvals village_list A
POST /v1/village-lists/{village_list}/allocations village_list A
POST /v1/village-lists/{village_list}/payments village_list P
POST /v1/village-lists/{village_list}/signatures village_list PS
POST /v1/relief-cases/{case}/grants/{number}/failures case P
POST /v1/relief-cases/{case}/grants/{number}/retries case P
POST /v1/relief-cases/{case}/grants/{number}/corrections case A
POST /v1/relief-cases/{case}/grants/{number}/refunds case P
POST /v1/village-lists/{village_list}/closures village_list AP
POST /v1/areas area M
POST /v1/area-lists area M
POST /v1/areas/{area}/names area M above
POST /v1/areas/{area}/groups area TM above
POST /v1/areas/{area}/groups/{code}/names area TM above
POST /v1/areas/{area}/groups/{code}/ends area TM above
POST /v1/area-code-changes area M above
POST /v1/rulebooks area M
POST /v1/rulebook-files area M
POST /v1/rulebooks/{rulebook}/confirmations rulebook ACR
POST /v1/rulebook-comparisons area ACRM
POST /v1/officers area M
POST /v1/engagements area M
POST /v1/officers/{officer}/accounts officer M
POST /v1/officers/{officer}/invitations officer M
POST /v1/officers/{officer}/number-excuses officer M
POST /v1/officers/{officer}/id-numbers officer M
POST /v1/officers/{officer}/session-ends officer M
POST /v1/officers/{officer}/second-factor-resets officer M
POST /v1/officers/{officer}/appointments officer M
POST /v1/officers/{officer}/substitutions officer M
POST /v1/officers/{officer}/substitutions/{substitution}/ends officer M
POST /v1/officers/{officer}/reinstatements officer M
POST /v1/dispensations area ACR
POST /v1/areas/{area}/abolitions area M above
POST /v1/areas/{area}/followings area M above
POST /v1/village-rearrangements area M
POST /v1/officers/{officer}/appointments/{appointment}/ends officer M
POST /v1/officers/{officer}/appointments/{appointment}/renewals officer M
POST /v1/officers/{officer}/certificates officer M
POST /v1/officers/{officer}/handovers officer M
POST /v1/engagement-proposals area TACR
POST /v1/officers/{officer}/appointment-proposals officer TACR
POST /v1/officers/{officer}/appointments/{appointment}/end-proposals officer TACR
POST /v1/officers/{officer}/suspension-proposals officer TACR
POST /v1/post-proposals/{proposal}/takings proposal M
POST /v1/post-proposals/{proposal}/engagements proposal M
POST /v1/post-proposals/{proposal}/declines proposal M
POST /v1/officers/{officer}/suspensions officer M
"""

READS = """
GET /v1/situation area VTAPSDCRU
GET /v1/situation-disasters area VTAPSDCRU
GET /v1/situation-reports area VTAPSDCRU
GET /v1/actions/situation-reports/{id} report VTAPSDCRU
GET /v1/actions/casualty-records/{id} casualty VTAPSDCRU
GET /v1/actions/house-damages/{id} damage VTAPSDCRU
GET /v1/actions/households/{id} household VTAPSDCRU
GET /v1/actions/officers/{id} officer TACRUM
GET /v1/actions/post-proposals/{id} proposal TACRUM
GET /v1/actions/areas/{id} area VTAPSDCRUM
GET /v1/actions/rulebooks/{id} rulebook VTAPSDCRUM
GET /v1/actions/incidents/{id} incident VTAPSDCRU
GET /v1/actions/units/{id} unit VTAPSDCRU
GET /v1/actions/consignments/{id} consignment VTAPSDCRU
GET /v1/actions/stockpiles/{id} stockpile VTAPSDCRU
GET /v1/actions/funds/{id} fund VTAPSDCRU
GET /v1/actions/disasters/{id} disaster VTAPSDCRU below
GET /v1/actions/seasons/{id} season VTAPSDCRU below
GET /v1/actions/village-lists/{id} village_list VTAPSDCRU
GET /v1/actions/relief-cases/{id} case VTAPSDCRU
GET /v1/accepted-below area VTAPSDCRU
GET /v1/situation-reports/{report} report VTAPSDCRU
GET /v1/deadlines area VTAPSDCRU
GET /v1/reviews area VTAPSDCRU
GET /v1/review-counts area VTAPSDCRU
GET /v1/disasters area VTAPSDCRU
GET /v1/loose-reports area VTAPSDCRU
GET /v1/disasters/{disaster} disaster VTAPSDCRU
GET /v1/disasters/{disaster}/merger-preview disaster ACRU
GET /v1/disasters/{disaster}/split-preview disaster ACRU
GET /v1/timeline/{subject} report VTAPSDCRU
GET /v1/areas area VTAPSDCRUM
GET /v1/areas/{area}/groups area VTAPSDCRUM
GET /v1/rulebooks area VTAPSDCRUM
GET /v1/rulebooks/{rulebook} rulebook VTAPSDCRUM
GET /v1/officers area TACRUM
GET /v1/officers/{officer} officer TACRUM
GET /v1/ending-posts area TACRUM
GET /v1/ending-post-counts area TACRUM
GET /v1/officer-counts area TACRUM
GET /v1/post-proposals area TACRUM
GET /v1/proposal-counts area TACRUM
GET /v1/dispatch-board area VTAPSDCRU
GET /v1/incidents area VTAPSDCRU
GET /v1/incidents/{incident} incident VTAPSDCRU
GET /v1/units area VTAPSDCRU
GET /v1/stockpiles area VTAPSDCRU
GET /v1/stockpiles/{stockpile} stockpile VTAPSDCRU
GET /v1/stock-moves area VTAPSDCRU
GET /v1/stock-lots area VTAPSDCRU
GET /v1/stock-lots/{lot} lot VTAPSDCRU
GET /v1/stock-proof area VTAPSDCRU
GET /v1/consignments area VTAPSDCRU
GET /v1/consignments/{consignment} consignment VTAPSDCRU
GET /v1/funds area VTAPSDCRU
GET /v1/funds/{fund} fund VTAPSDCRU
GET /v1/fund-flows area VTAPSDCRU
GET /v1/fund-lineage area VTAPSDCRU
GET /v1/officers/{officer}/sessions officer M
GET /v1/households area VTAPSDCRU
GET /v1/households/{household} household VTAPSDCRU
GET /v1/household-moves area VTAPSDCRU
GET /v1/areas/{village}/belongings area AUM
GET /v1/seasons area VTAPSDCRU
GET /v1/seasons/{season} season VTAPSDCRU below
GET /v1/seasons/{season}/townships season VTAPSDCRU below
GET /v1/seasons/{season}/villages season VTAPSDCRU below
GET /v1/season-openings area AUM
GET /v1/ledger area VTAPSDCRU
GET /v1/ledger-areas area VTAPSDCRU
GET /v1/ledger-totals area VTAPSDCRU
GET /v1/relief-cases/{case} case VTAPSDCRU
GET /v1/village-lists area VTAPSDCRU
GET /v1/village-lists/{village_list} village_list VTAPSDCRU
GET /v1/notices area VTAPSDCRU
GET /v1/village-lists/{village_list}/notice village_list VTAPSDCRU
GET /v1/findings area VTAPSDCRU
GET /v1/finding-counts area VTAPSDCRU
"""

OTHERS = """
POST /v1/sessions - -
POST /v1/tokens - -
DELETE /v1/sessions/current - *
GET /v1/me - *
GET /v1/sealing-keys - *
POST /v1/me/password - *
GET /v1/me/second-factor - *
POST /v1/me/second-factor - *
POST /v1/me/second-factor/confirmations - *
POST /v1/me/second-factor/ends - *
GET /v1/me/sessions - *
DELETE /v1/me/sessions/{session} - *
POST /v1/invitations/{code}/acceptances - -
POST /v1/officer-lists - M
POST /v1/division-lists - M
POST /v1/renewal-lists - M
POST /v1/invitation-lists - M
POST /v1/imports - VTA
GET /v1/imports - VTA
GET /v1/imports/{id} - *
POST /v1/imports/{id}/confirmations - *
POST /v1/imports/{id}/cancellations - *
GET /v1/imports/{id}/refused-rows.xlsx - *
GET /v1/receipts/{command} - *
GET /v1/receipts/{command}/proof - APCRU
GET /v1/changes - *
GET /v1/changes/equal - *
GET /v1/search - *
GET /v1/work - *
GET /v1/system - M
GET /v1/system/limits - M
GET /v1/system/sessions area M
GET /v1/system/checkup - M
POST /v1/system/checkups - M
GET /v1/system/backups - M
POST /v1/system/backups - M
POST /v1/setup/sessions - -
GET /v1/setup - -
GET /v1/setup/divisions - -
POST /v1/setup/beginnings - -
POST /v1/setup/invitations - -
GET /health - -
GET /ready - -
GET /v1/openapi.json - -
GET /v1/live board *
"""

"""Routes about no place. Those of an identity provider are there only where one is set:
`tests/api/test_provider.py`."""

BOARDS = """
situation VTAPSDCRU
disasters VTAPSDCRU
deadlines VTAPSDCRU
reviews VTAPSDCRU
officers TACRUM
dispatch VTAPSDCRU
stock VTAPSDCRU
funds VTAPSDCRU
households VTAPSDCRU
ledger VTAPSDCRU
village-lists VTAPSDCRU
notices VTAPSDCRU
findings VTAPSDCRU
"""
"""Live boards of `GET /v1/live`, and who may watch each."""


@dataclass(frozen=True)
class Row:
    """One route. ``roles`` None: everybody logged in; empty: nobody need log in."""

    method: str
    path: str
    kind: str
    roles: frozenset[Role] | None
    level: bool = False
    above: bool = False
    below: bool = False

    @property
    def route(self) -> str:
        return f"{self.method} {self.path}"


def _row(line: str) -> Row:
    method, path, kind, letters, *notes = line.split()
    assert set(notes) <= {"level", "above", "below"}, line
    roles = None if letters == "*" else frozenset(LETTERS[x] for x in letters.strip("-"))
    flags = [note in notes for note in ("level", "above", "below")]
    return Row(method, path, kind, roles, *flags)


def rows(text: str) -> tuple[Row, ...]:
    return tuple(_row(line) for line in text.strip().splitlines() if line)


MATRIX: tuple[Row, ...] = rows(WRITES) + rows(READS) + rows(OTHERS)
