"""Queries of the reporting side: situation, deadlines, review queue, timeline, officers."""

from api.reads import Read
from domain.commands.disasters import DECIDERS
from domain.commands.reviews import ANY_REVIEWER
from domain.world import Role
from projections.asking.accepted_below import accepted_below
from projections.asking.area_lists import areas
from projections.asking.deadlines_at import deadlines
from projections.asking.ending_posts import ending_post_counts, ending_posts
from projections.asking.loose_reports import loose_reports
from projections.asking.mergers import merger_preview, split_preview
from projections.asking.officer_lists import officer, officer_counts, officers
from projections.asking.report_queries import situation_report, situation_reports
from projections.asking.situation_board import situation_board, situation_disasters
from projections.asking.village_groups import village_groups
from projections.disasters import disaster, disasters
from projections.proposals import post_proposals, proposal_counts
from projections.reviews import review_counts, review_queue
from projections.timeline import timeline

IN_POST = frozenset(Role) - {Role.ADMINISTRATOR, Role.SYSTEM}
"""Whoever does business in an area; an administrator has no business right."""

EVERYBODY = IN_POST | {Role.ADMINISTRATOR}
"""Divisions and rules are for whoever is in post, an administrator too."""

KEEPERS = ANY_REVIEWER | {Role.ADMINISTRATOR, Role.AUDITOR}
"""Officers are seen by who decides on posts, by their superiors, who propose, and by who audits."""

MERGERS = DECIDERS | {Role.AUDITOR}
"""Who merges disasters sees what that would do, and who audits."""

READS: tuple[Read, ...] = (
    Read("/v1/situation", situation_board, IN_POST, "situation-reports"),
    Read("/v1/situation-disasters", situation_disasters, IN_POST, "situation-reports"),
    Read("/v1/situation-reports", situation_reports, IN_POST, "situation-reports"),
    Read("/v1/accepted-below", accepted_below, IN_POST, "situation-reports"),
    Read("/v1/situation-reports/{report}", situation_report, IN_POST, "situation-reports"),
    Read("/v1/deadlines", deadlines, IN_POST, "deadlines"),
    Read("/v1/reviews", review_queue, IN_POST, "reviews"),
    Read("/v1/review-counts", review_counts, IN_POST, "reviews"),
    Read("/v1/disasters", disasters, IN_POST, "disasters"),
    Read("/v1/loose-reports", loose_reports, IN_POST, "disasters"),
    Read("/v1/disasters/{disaster}", disaster, IN_POST, "disasters"),
    Read("/v1/disasters/{disaster}/merger-preview", merger_preview, MERGERS, "disasters"),
    Read("/v1/disasters/{disaster}/split-preview", split_preview, MERGERS, "disasters"),
    Read("/v1/timeline/{subject}", timeline, IN_POST, "timeline"),
    Read("/v1/areas", areas, EVERYBODY, "areas"),
    Read("/v1/areas/{area}/groups", village_groups, EVERYBODY, "areas"),
    Read("/v1/officers", officers, KEEPERS, "officers"),
    Read("/v1/officers/{officer}", officer, KEEPERS, "officers"),
    Read("/v1/ending-posts", ending_posts, KEEPERS, "officers"),
    Read("/v1/ending-post-counts", ending_post_counts, KEEPERS, "officers"),
    Read("/v1/officer-counts", officer_counts, KEEPERS, "officers"),
    Read("/v1/post-proposals", post_proposals, KEEPERS, "officers"),
    Read("/v1/proposal-counts", proposal_counts, KEEPERS, "officers"),
)

LIVE: dict[str, tuple[frozenset[str], frozenset[Role]]] = {
    "situation": (frozenset({"situation_reports"}), IN_POST),
    "disasters": (
        frozenset({"disasters", "disaster_running_responses", "disaster_reports"}),
        IN_POST,
    ),
    "deadlines": (frozenset({"deadlines", "deadline_duties"}), IN_POST),
    "reviews": (frozenset({"reviews"}), IN_POST),
    "officers": (
        frozenset({"officers", "officer_appointments", "officer_logins", "post_proposals"}),
        KEEPERS,
    ),
}
