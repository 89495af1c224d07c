"""Disasters and responses keep a mark of rules that nobody had confirmed."""

from dataclasses import replace
from pathlib import Path

from domain.rules.hazards import Hazards
from domain.rules.thresholds import Thresholds
from projections import disasters as view
from projections import officers
from projections.disasters import disaster, disasters
from tests.domain.county import make_county
from tests.domain.rule_files import rule
from tests.domain.test_confirming_rulebooks import ADMIN, APPROVER, OURS, adopt, confirm
from tests.domain.test_disasters import declare, start
from tests.projections.relief import fold, over


def test_a_drill_of_unconfirmed_rules_says_so_and_a_real_one_does_not(tmp_path: Path) -> None:
    """A drill runs on thresholds that wait; in earnest they start nothing."""
    county = make_county()
    county.given(adopt(county, rule(Hazards, "340882")), by=ADMIN)
    county.given(adopt(county, rule(Thresholds, "340882")), by=ADMIN)
    ours = county.id(OURS)
    drill = declare(county, "drill", area=ours, exercise=True)
    county.given(drill, by=APPROVER)
    response = start(county, 4, disaster=drill.disaster, area=ours, forecast="会商研判")
    county.given(response, by=APPROVER)
    county.given(confirm(county, Hazards), by=APPROVER)
    county.given(confirm(county, Thresholds), by=APPROVER)
    real = declare(county, "real", area=ours)
    county.given(real, by=APPROVER)
    county.given(replace(response, disaster=real.disaster), by=APPROVER)
    with fold(tmp_path, county, (officers.VIEW, view.VIEW)).reading() as db:
        scope = over(county, OURS)
        (of_drill,) = disasters(db, scope, exercise=True).items
        (in_earnest,) = disasters(db, scope).items
        step = disaster(db, scope, disaster=drill.disaster)
    assert of_drill["unconfirmed"] and of_drill["responses"][0]["unconfirmed"]
    assert not in_earnest["unconfirmed"] and not in_earnest["responses"][0]["unconfirmed"]
    assert step is not None and step["response_steps"][0]["unconfirmed"]
