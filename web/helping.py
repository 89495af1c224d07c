"""Help along real tasks: whose they are, and from which pages they are asked about.

The words of a task stand in ``messages/help.toml`` (`web.help_steps`). A page says no word about
its help: the frame of every page leads to the task of its route (`help_at`). A new page needs a
line in `PAGES`, or a reason in `WITHOUT`.
"""

from collections.abc import Collection, Mapping
from typing import Final

from domain.world import Role

V, T, A, P, S, D, C, R, U, M = (
    Role.VILLAGE_REPORTER,
    Role.TOWNSHIP_REVIEWER,
    Role.COUNTY_APPROVER,
    Role.COUNTY_PAYER,
    Role.STOREKEEPER,
    Role.DISPATCHER,
    Role.CITY_REVIEWER,
    Role.PROVINCE_REVIEWER,
    Role.AUDITOR,
    Role.ADMINISTRATOR,
)
POSTS: Final = (V, T, A, P, S, D, C, R, U, M)
"""Every post that a person holds, in the order of the page."""

TASKS: Final[Mapping[str, tuple[Role, ...]]] = {
    "work": POSTS,
    "search": POSTS,
    "past": POSTS,
    "own_login": POSTS,
    "initial": (V, T, A, C, R),
    "follow_up": (V, T, A, C, R),
    "resubmit": (V, T, A, C, R),
    "verified": (V, T, A),
    "review": (T, A, C, R),
    "sum_up": (T,),
    "upward": (A, C, R),
    "phone_in": (T, A, D, C, R),
    "open_incident": (V, T, D),
    "dispatch": (D,),
    "units": (D,),
    "board": (V, T, A, D, C, R, U),
    "declare": (A, D, C, R),
    "response": (A, C, R),
    "merge_disasters": (A, C, R),
    "register": (V, T, A),
    "import_households": (V, T, A),
    "move_household": (V, T, A),
    "season": (A, C, R),
    "apply": (V, T),
    "appraise": (V, T),
    "review_list": (T,),
    "approve": (A,),
    "held": (A,),
    "pay": (P,),
    "bounced": (P,),
    "hand_out": (P, S),
    "receive_goods": (S,),
    "ship": (S,),
    "arrive": (V, T, S),
    "request_goods": (V, T, A, S, C, R),
    "order_goods": (A, C, R),
    "look_stock": (P, D, U),
    "fund_record": (A, C, R),
    "fund_look": (P, U),
    "watch_dispatch": (A, S),
    "contest": (A, C, R),
    "history": (V, T, A, P, C, R, U),
    "in_full": (V, T, A, P, D, U),
    "timeline": (T, A, P, C, R, U),
    "prove": (A, P, C, R, U),
    "findings": (T, A, P, C, R, U),
    "propose": (T, A, C, R),
    "dispensation": (A, C, R),
    "confirm_rules": (A, C, R),
    "read_rules": (A, C, R, U),
    "engage": (M,),
    "officer_leaves": (M,),
    "lost_access": (M,),
    "year_end": (M,),
    "decide_proposals": (M,),
    "divisions": (M,),
    "groups": (T, M),
    "adopt_rules": (M,),
    "house": (M,),
    "parked": (U, M),
}
"""Task → the posts that do it, in the order of the page."""

PAGES: Final[Mapping[str, tuple[str, ...]]] = {
    "/": ("work",),
    "/waiting/{matter}": ("work",),
    "/zero-reports": ("follow_up",),
    "/search": ("search",),
    "/known-at": ("past",),
    "/changes": ("past",),
    "/me": ("own_login",),
    "/me/second-factor": ("own_login",),
    "/me/provider": ("own_login",),
    "/report/new": ("sum_up", "upward", "initial", "phone_in"),
    "/report/{report}/file": ("follow_up", "resubmit", "verified", "phone_in"),
    "/report/{report}": ("review", "resubmit"),
    "/report/{report}/casualties": ("verified",),
    "/report/{report}/houses": ("verified",),
    "/review": ("review",),
    "/situation": ("board",),
    "/disasters": ("response", "declare"),
    "/disasters/new": ("declare",),
    "/disasters/{id}": ("response", "declare"),
    "/disasters/{id}/merger": ("merge_disasters",),
    "/disasters/{id}/split": ("merge_disasters",),
    "/dispatch": ("dispatch", "watch_dispatch"),
    "/dispatch/new": ("open_incident",),
    "/dispatch/past": ("dispatch", "watch_dispatch"),
    "/dispatch/units": ("units", "watch_dispatch"),
    "/dispatch/incidents/{id}": ("dispatch", "open_incident", "watch_dispatch"),
    "/dispatch/incidents/{id}/in-full": ("in_full",),
    "/stock": ("receive_goods", "order_goods", "request_goods", "look_stock"),
    "/stock/receive": ("receive_goods",),
    "/stock/stockpiles/{id}": ("receive_goods", "look_stock", "request_goods"),
    "/stock/consignments": ("ship", "order_goods", "request_goods", "look_stock"),
    "/stock/consignments/new": ("request_goods",),
    "/stock/consignments/{id}": ("ship", "order_goods", "arrive", "look_stock"),
    "/stock/consignments/{id}/waybill": ("ship", "look_stock"),
    "/stock/consignments/{id}/receipt": ("arrive", "look_stock"),
    "/funds": ("fund_record", "fund_look"),
    "/funds/new": ("fund_record",),
    "/funds/lineage": ("fund_record", "fund_look"),
    "/funds/{id}": ("fund_record", "fund_look"),
    "/ledger": ("history",),
    "/ledger/paper": ("history",),
    "/households": ("register", "history"),
    "/households/new": ("register",),
    "/households/{id}": ("register", "history", "move_household"),
    "/households/{id}/in-full": ("in_full",),
    "/households/import": ("import_households",),
    "/households/imports/{id}": ("import_households",),
    "/persons/{id}": ("contest", "register"),
    "/seasons": ("season", "apply", "history"),
    "/seasons/new": ("season",),
    "/seasons/{id}": ("season", "appraise", "history"),
    "/cases/new": ("apply",),
    "/cases/apply": ("apply",),
    "/lists/{id}/apply": ("apply",),
    "/cases/{id}": ("approve", "bounced", "apply", "history"),
    "/lists": ("review_list", "approve", "pay", "appraise", "history"),
    "/lists/{id}": ("review_list", "approve", "pay", "appraise", "history"),
    "/lists/{id}/notice/{kind}": ("appraise", "review_list"),
    "/notices": ("appraise", "review_list"),
    "/lists/{id}/bounced": ("bounced",),
    "/lists/{id}/held": ("held",),
    "/lists/{id}/goods": ("hand_out",),
    "/lists/{id}/objections/{objection}/in-full": ("in_full",),
    "/findings": ("findings",),
    "/timeline": ("timeline",),
    "/timeline/{subject}": ("timeline",),
    "/receipts": ("prove",),
    "/officers": ("engage", "propose", "timeline"),
    "/officers/new": ("engage",),
    "/officers/list": ("engage",),
    "/officers/{id}": ("officer_leaves", "propose", "timeline"),
    "/officers/{id}/dispensation": ("dispensation",),
    "/officers/year-end": ("year_end",),
    "/officers/proposals": ("decide_proposals", "propose"),
    "/officers/proposals/new": ("propose",),
    "/divisions": ("divisions", "groups"),
    "/divisions/list": ("divisions",),
    "/divisions/{id}": ("divisions", "groups"),
    "/divisions/{id}/code": ("divisions",),
    "/divisions/{id}/new": ("divisions",),
    "/divisions/{id}/merger": ("divisions",),
    "/rulebooks": ("adopt_rules", "confirm_rules", "read_rules"),
    "/rulebooks/change": ("adopt_rules", "confirm_rules"),
    "/rulebooks/{kind}": ("adopt_rules", "confirm_rules", "read_rules"),
    "/system": ("house",),
    "/system/checkup": ("house",),
    "/system/backups": ("house",),
    "/system/process": ("house",),
    "/system/limits": ("house",),
    "/system/sessions": ("lost_access",),
    "/system/seasons": ("house",),
    "/parked": ("parked",),
}
"""Page → what its reader may be about; the first of these that is theirs is shown."""

BEFORE, PART, FILE = "before any log-in", "a part of another page", "a file, no page"
WITHOUT: Final[Mapping[str, str]] = {
    "/login": BEFORE,
    "/login/code": BEFORE,
    "/invitations": BEFORE,
    "/invitations/{code}": BEFORE,
    "/login/provider": BEFORE,
    "/login/provider/return": BEFORE,
    "/me/provider/begin": "leads on to the provider",
    "/setup": BEFORE,
    "/setup/divisions/{code}": BEFORE,
    "/report": "leads on to /report/new",
    "/known-at/now": "leads back to the page that was looked at",
    "/help": "is the help",
    "/docs": "is a description itself, and open without a log-in",
    "/design": "shows what pages are made of: nobody's work is done there",
    "/dispatch/board": PART,
    "/dispatch/incidents/{id}/facts": PART,
    "/ledger/rows": PART,
    "/review/rows": PART,
    "/situation/board": PART,
    "/stock/board": PART,
    "/ledger/csv": FILE,
    "/ledger/xlsx": FILE,
    "/receipts/proof": FILE,
    "/sheets/{name}": FILE,
    "/sheets/timeline/{subject}": FILE,
    "/sheets/rosters/{report}/{which}": FILE,
    "/sheets/waiting/{village_list_id}/{key}": FILE,
    "/officers/template": FILE,
    "/divisions/template": FILE,
    "/rulebooks/{kind}/{version}.toml": FILE,
}
"""Page without help of its own → why."""


def tasks_by_post(roles: Collection[Role]) -> list[tuple[Role, list[str]]]:
    """Each task once: under the first of these posts that does it, but for those of everybody."""
    told: set[str] = {task for task, who in TASKS.items() if who == POSTS}
    found = []
    for role in [*roles, *(one for one in POSTS if one not in roles)]:
        tasks = [task for task, who in TASKS.items() if role in who and task not in told]
        told.update(tasks)
        found.append((role, tasks))
    return found


def help_at(page: str, roles: Collection[Role]) -> str:
    """The address of the help for a page (its route's path), for who holds these posts."""
    tasks = PAGES.get(page, ())
    own = [task for task in tasks if not set(TASKS[task]).isdisjoint(roles)]
    return f"/help#{(own or tasks)[0]}" if tasks else "/help"
