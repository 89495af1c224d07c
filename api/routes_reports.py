"""Queries of the reporting side: situation, deadlines, review queue, timeline, officers."""

from api.reads import Read
from domain.world import Role
from projections.asking.area_lists import areas
from projections.asking.deadlines_at import deadlines
from projections.asking.ending_posts import ending_posts
from projections.asking.report_queries import situation_report, situation_reports
from projections.asking.situation_board import situation_board, situation_disasters
from projections.disasters import disaster, disasters
from projections.officers import officer, officer_counts, officers
from projections.reviews import review_counts, review_queue
from projections.timeline import timeline

IN_POST = frozenset(Role) - {Role.ADMINISTRATOR, Role.SYSTEM}
"""Whoever does business in an area; an administrator has no business right."""

EVERYBODY = IN_POST | {Role.ADMINISTRATOR}
"""Divisions and rules are for whoever is in post, an administrator too."""

KEEPERS = frozenset(
    {
        Role.ADMINISTRATOR,
        Role.AUDITOR,
        Role.COUNTY_APPROVER,
        Role.CITY_REVIEWER,
        Role.PROVINCE_REVIEWER,
    }
)

READS: tuple[Read, ...] = (
    Read("/v1/situation", situation_board, IN_POST, "situation-reports"),
    Read("/v1/situation-disasters", situation_disasters, IN_POST, "situation-reports"),
    Read("/v1/situation-reports", situation_reports, IN_POST, "situation-reports"),
    Read("/v1/situation-reports/{report}", situation_report, IN_POST, "situation-reports"),
    Read("/v1/deadlines", deadlines, IN_POST, "deadlines"),
    Read("/v1/reviews", review_queue, IN_POST, "reviews"),
    Read("/v1/review-counts", review_counts, IN_POST, "reviews"),
    Read("/v1/disasters", disasters, IN_POST, "disasters"),
    Read("/v1/disasters/{disaster}", disaster, IN_POST, "disasters"),
    Read("/v1/timeline/{subject}", timeline, IN_POST, "timeline"),
    Read("/v1/areas", areas, EVERYBODY, "areas"),
    Read("/v1/officers", officers, KEEPERS, "officers"),
    Read("/v1/officers/{officer}", officer, KEEPERS, "officers"),
    Read("/v1/ending-posts", ending_posts, KEEPERS, "officers"),
    Read("/v1/officer-counts", officer_counts, KEEPERS, "officers"),
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
        frozenset({"officers", "officer_appointments", "officer_logins"}),
        KEEPERS,
    ),
}
