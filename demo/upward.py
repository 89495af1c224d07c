"""What city and province make of the county's reports: reports of their own, to the level above.

The demo has one county that is hit, so a report of the city is the county's. They stay apart from
the disaster, which is the county's own; and the nation has no desk here: nobody reviews the
province. Nothing above the county can be held against the rosters 台账 of the flood, so its 核报
is not passed on: the one thing that is overdue when the demo ends.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from demo.disasters import DisasterPlan, report_key
from demo.divisions import CITY, COUNTY, PROVINCE
from demo.figures import FLOOD, Figure
from demo.posts import CITY_REVIEWER, PROVINCE_REVIEWER
from demo.report_steps import (
    AcceptReport,
    AdjudicateReport,
    Filed,
    FileReport,
    StabilizeReports,
)
from demo.steps import Step

WITH_ROSTERS = frozenset({FLOOD})
"""The disasters whose 核报 the city does not pass on."""


def passed_on(plan: DisasterPlan, course: Sequence[Step]) -> Iterator[Step]:
    """The reports of city and province that follow from a county's ``course``."""
    key = report_key(plan.key, COUNTY)
    filings = [one for one in course if isinstance(one, FileReport) and one.report == key]
    accepted = {
        one.version: one.at for one in course if isinstance(one, AcceptReport) and one.report == key
    }
    decided: Mapping[str, Figure] = {}
    for one in course:
        if isinstance(one, AdjudicateReport) and one.report == key:
            decided = one.figures
    for version, filing in enumerate(filings, 1):
        verified = filing.filed is Filed.VERIFIED
        if verified and plan.key in WITH_ROSTERS:
            continue
        figures = {**filing.figures, **decided} if verified else filing.figures
        # a 核报 goes up only after the city's own decision 核定 on it
        when = accepted[version] + timedelta(minutes=90 if verified else 15)
        yield _report(filing, CITY, CITY_REVIEWER, when, figures, {COUNTY: figures}, version)
        yield AcceptReport(
            key=f"accept/{report_key(plan.key, CITY)}/{version}",
            at=when + timedelta(minutes=20),
            by=PROVINCE_REVIEWER,
            report=report_key(plan.key, CITY),
            version=version,
        )
        upper = when + timedelta(minutes=50)
        yield _report(filing, PROVINCE, PROVINCE_REVIEWER, upper, figures, {CITY: figures}, version)
    for code, by, minutes in ((CITY, CITY_REVIEWER, 60), (PROVINCE, PROVINCE_REVIEWER, 90)):
        yield StabilizeReports(
            key=f"stable/{report_key(plan.key, code)}",
            at=plan.stable_at + timedelta(minutes=minutes),
            by=by,
            reports=(report_key(plan.key, code),),
            stable_at=plan.stable_at,
        )


def _report(
    below: FileReport,
    code: str,
    by: str,
    when: datetime,
    figures: Mapping[str, Figure],
    split: Mapping[str, Mapping[str, Figure]],
    version: int,
) -> FileReport:
    report = report_key(below.disaster, code)
    return replace(
        below,
        key=f"file/{report}/{version}",
        at=when,
        by=by,
        report=report,
        division=code,
        figures=figures,
        split={} if below.filed is Filed.ZERO else split,
        attach=False,
    )
