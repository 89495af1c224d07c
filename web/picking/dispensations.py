"""Of what a superior may allow one more step by the same hand: open matters of an officer's posts.

What the page hands on: ``held``, the officer's posts.
"""

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from domain.consignment import Phase
from domain.report_filing import Review
from domain.roster import ListStage
from domain.separation import STEP_NAMES
from projections.asking.report_queries import situation_reports
from projections.lists import village_lists
from projections.sections.consignments import consignments
from web.forms.form import Matter, Option
from web.subjects import named

MOST: Final = 2_000
"""Rows of one view that are looked through for one post."""
OVER: Final = frozenset({ListStage.CLOSED, Phase.CLOSED, Phase.CANCELLED})

OF_RULES: Final = frozenset({"adopt", "confirm"})
"""Rules have no matter to choose: another person of the office confirms them."""


async def open_matters(matter: Matter) -> list[Option]:
    """Reports that wait for review, lists and consignments that are not closed, each kind apart."""
    asked: tuple[tuple[Callable[..., Any], dict[str, Any]], ...] = (
        (situation_reports, {"review": Review.PENDING}),
        (village_lists, {}),
        (consignments, {"at": matter.desk.now}),
    )
    areas = dict.fromkeys(UUID(post["area"]) for post in matter.known["held"])
    found: dict[str, Option] = {}
    for query, given in asked:
        for area in areas if matter.desk.may_ask(query) else ():
            rows, _ = await matter.desk.ask_all(query, area, most=MOST, **given)
            for row in rows:
                if row.get("status") not in OVER:
                    thing = named(query, row)
                    group = matter.t("timeline.kind_" + thing["kind_key"])
                    found[thing["id"]] = Option(thing["id"], thing["name"], "", group)
    return list(found.values())


async def steps(matter: Matter) -> list[Option]:
    """The steps that four eyes stand at, by their names."""
    place = 0 if matter.language == "zh" else 1
    return [Option(key, said[place]) for key, said in STEP_NAMES.items() if key not in OF_RULES]
