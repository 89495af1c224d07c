"""Queries of goods, money and the ledger; and their live boards."""

from api.reads import Read
from domain.world import Role
from projections.asking.belongings import belongings, household_moves
from projections.asking.fund_books import fund, fund_flows, funds
from projections.asking.fund_lineage import fund_lineage
from projections.asking.ledger_books import household, ledger, relief_case
from projections.asking.ledger_sums import ledger_by_area, ledger_totals
from projections.asking.season_openings import season_openings
from projections.asking.season_progress import season_townships, season_villages
from projections.asking.stock_books import (
    stock_lot,
    stock_lots,
    stock_moves,
    stock_proof,
    stockpile,
    stockpiles,
)
from projections.dispatch import dispatch_board, incident, incidents, units
from projections.findings import finding_counts, findings
from projections.households import households
from projections.lists import village_list, village_lists
from projections.notices import notice, notices
from projections.seasons import season, seasons
from projections.sections.consignments import consignment, consignments

IN_POST = frozenset(Role) - {Role.ADMINISTRATOR, Role.SYSTEM}
"""Whoever does business in an area; an administrator has no business right."""

KEEPERS = frozenset({Role.ADMINISTRATOR, Role.COUNTY_APPROVER, Role.AUDITOR})
"""Who may see what a merger of villages would move, and which seasons were opened."""

READS: tuple[Read, ...] = (
    Read("/v1/dispatch-board", dispatch_board, IN_POST, "dispatch"),
    Read("/v1/incidents", incidents, IN_POST, "dispatch"),
    Read("/v1/incidents/{incident}", incident, IN_POST, "dispatch"),
    Read("/v1/units", units, IN_POST, "dispatch"),
    Read("/v1/stockpiles", stockpiles, IN_POST, "goods"),
    Read("/v1/stockpiles/{stockpile}", stockpile, IN_POST, "goods"),
    Read("/v1/stock-moves", stock_moves, IN_POST, "goods"),
    Read("/v1/stock-lots", stock_lots, IN_POST, "goods"),
    Read("/v1/stock-lots/{lot}", stock_lot, IN_POST, "goods"),
    Read("/v1/stock-proof", stock_proof, IN_POST, "goods"),
    Read("/v1/consignments", consignments, IN_POST, "goods"),
    Read("/v1/consignments/{consignment}", consignment, IN_POST, "goods"),
    Read("/v1/funds", funds, IN_POST, "funds"),
    Read("/v1/funds/{fund}", fund, IN_POST, "funds"),
    Read("/v1/fund-flows", fund_flows, IN_POST, "funds"),
    Read("/v1/fund-lineage", fund_lineage, IN_POST, "funds"),
    Read("/v1/households", households, IN_POST, "households"),
    Read("/v1/households/{household}", household, IN_POST, "households"),
    Read("/v1/household-moves", household_moves, IN_POST, "households"),
    Read("/v1/areas/{village}/belongings", belongings, KEEPERS, "areas"),
    Read("/v1/seasons", seasons, IN_POST, "seasons"),
    Read("/v1/seasons/{season}", season, IN_POST, "seasons"),
    Read("/v1/seasons/{season}/townships", season_townships, IN_POST, "seasons"),
    Read("/v1/seasons/{season}/villages", season_villages, IN_POST, "seasons"),
    Read("/v1/season-openings", season_openings, KEEPERS, "seasons"),
    Read("/v1/ledger", ledger, IN_POST, "ledger"),
    Read("/v1/ledger-areas", ledger_by_area, IN_POST, "ledger"),
    Read("/v1/ledger-totals", ledger_totals, IN_POST, "ledger"),
    Read("/v1/relief-cases/{case}", relief_case, IN_POST, "relief-cases"),
    Read("/v1/village-lists", village_lists, IN_POST, "village-lists"),
    Read("/v1/village-lists/{village_list}", village_list, IN_POST, "village-lists"),
    Read("/v1/notices", notices, IN_POST, "notices"),
    Read("/v1/village-lists/{village_list}/notice", notice, IN_POST, "notices"),
    Read("/v1/findings", findings, IN_POST, "findings"),
    Read("/v1/finding-counts", finding_counts, IN_POST, "findings"),
)

LIVE: dict[str, tuple[frozenset[str], frozenset[Role]]] = {
    "dispatch": (frozenset({"incidents", "units", "consignments"}), IN_POST),
    "stock": (
        frozenset({"stock_balances", "stock_lots", "consignments", "consignment_cargo"}),
        IN_POST,
    ),
    "funds": (frozenset({"funds", "fund_commitments", "fund_payments"}), IN_POST),
    "households": (frozenset({"households"}), IN_POST),
    "ledger": (frozenset({"ledger", "ledger_grants"}), IN_POST),
    "village-lists": (frozenset({"village_lists", "objections"}), IN_POST),
    "notices": (frozenset({"notices"}), IN_POST),
    "findings": (frozenset({"ledger", "ledger_grants", "village_lists"}), IN_POST),
}
