"""Work lists of a made county, its facts folded as they come, asked for by whoever is in post."""

from pathlib import Path
from typing import Any

from domain.area import AreaLevel
from domain.world import Role
from projections.asking.scope import Scope
from projections.asking.work import Asked, Post, work_counts, work_page
from projections.asking.work_awaited import work_awaited
from projections.catalog import VIEWS
from projections.folding.fold import STRICT
from tests.domain.scenario import Scenario
from tests.projections.folding import Folded, stored

MOST = 1000
POSTED = {
    "village": (Role.VILLAGE_REPORTER, "yuantan_1", AreaLevel.VILLAGE),
    "village2": (Role.VILLAGE_REPORTER, "yuantan_2", AreaLevel.VILLAGE),
    "township": (Role.TOWNSHIP_REVIEWER, "yuantan", AreaLevel.TOWNSHIP),
    "county": (Role.COUNTY_APPROVER, "county", AreaLevel.COUNTY),
    "payer": (Role.COUNTY_PAYER, "county", AreaLevel.COUNTY),
    "storekeeper": (Role.STOREKEEPER, "county", AreaLevel.COUNTY),
    "city": (Role.CITY_REVIEWER, "city", AreaLevel.CITY),
    "city_storekeeper": (Role.STOREKEEPER, "city", AreaLevel.CITY),
}

BESIDE = {"township_b": POSTED["township"]}
"""Who holds the same post beside one of these."""


def scope_of(asked: Asked) -> Scope:
    return Scope(tuple(post.area for post in asked.posts))


class Desks:
    """Who is asked is named as in `tests.domain.county`."""

    def __init__(self, folder: Path, scenario: Scenario) -> None:
        self.scenario = scenario
        self.folded = Folded(folder / "views.sqlite", VIEWS, scenario.facts)
        self.known = len(scenario.facts)

    def catch_up(self) -> None:
        facts = self.scenario.facts
        rows = [stored(n, facts[n - 1]) for n in range(self.known + 1, len(facts) + 1)]
        if rows:
            self.folded.views.apply_frame(0, self.known, rows[-1][0], rows, STRICT)
        self.known = len(facts)

    def asked(self, name: str, **more: Any) -> Asked:
        role, area, level = (POSTED | BESIDE)[name]
        s = self.scenario
        post = Post(role, s.id(area), level)
        return Asked(
            officer=s.officers[name],
            posts=(post,),
            at=s.now,
            scopes=(Scope((post.area,)),),
            **more,
        )

    def work(self, name: str, **more: Any) -> dict[str, dict[str, Any]]:
        asked = self.asked(name, **more)
        with self.folded.reading() as db:
            return work_counts(db, scope_of(asked), asked=asked)

    def items(self, name: str, matter: str, **more: Any) -> list[dict[str, Any]]:
        asked = self.asked(name, **more)
        with self.folded.reading() as db:
            found = work_page(
                db, scope_of(asked), asked=asked, matter=matter, cursor=None, limit=MOST
            )
            return found.items

    def awaited(self, name: str) -> list[dict[str, Any]]:
        asked = self.asked(name)
        with self.folded.reading() as db:
            return work_awaited(db, scope_of(asked), asked=asked)[1]
