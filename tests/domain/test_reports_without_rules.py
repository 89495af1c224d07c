"""A report is never refused for a missing rulebook, and what looks mistaken is asked about."""

from datetime import UTC, date, datetime, timedelta

import pytest

from domain.area import AreaLevel
from domain.commands.areas import AreaPlan, EstablishAreas, Merge, RearrangeVillages
from domain.commands.incidents import OpenIncident
from domain.commands.reports import FileInitialReport, FileVerifiedReport
from domain.commands.seasons import OpenSeason
from domain.incident import IncidentKind, Severity
from domain.refusal import Malformed
from domain.report_refusals import VerifiedReportHasErrors
from domain.situation_report import SituationReport
from domain.world import Role
from eventstore import national
from tests.domain.county import AREAS, appoint, make_county
from tests.domain.reporting import START, accept, follow_up, initial, loaded, stabilize
from tests.domain.scenario import Scenario


@pytest.fixture
def bare() -> Scenario:
    """The areas and two reporters of a store in which nobody has adopted a rulebook."""
    scenario = Scenario()
    plans = tuple(
        AreaPlan(
            id=scenario.id(key),
            code=code,
            name=name,
            level=level,
            parent=scenario.id(parent) if parent else None,
        )
        for key, (code, name, level, parent) in AREAS.items()
        if level is not AreaLevel.NATION or parent is None
    )
    establish = EstablishAreas(areas=plans, established_on=date(2010, 1, 1), document_no="测试1号")
    scenario.given(establish)
    appoint(scenario, "village", Role.VILLAGE_REPORTER, "yuantan_1")
    appoint(scenario, "township", Role.TOWNSHIP_REVIEWER, "yuantan")
    appoint(scenario, "county", Role.COUNTY_APPROVER, "county")
    appoint(scenario, "dispatcher", Role.DISPATCHER, "county")
    return scenario


def test_a_death_is_reported_where_no_rulebook_was_adopted(bare: Scenario) -> None:
    bare.given(initial(bare, figures={"dead": 1, "missing": 0}), by="village")
    first = loaded(bare).current
    assert {rule.kind for rule in first.rules} == {"indicators", "deadlines", "hazards"}
    assert [flag.rule for flag in first.flags] == []
    bare.given(accept(bare), by="township")
    bare.given(stabilize(bare), by="county")
    bare.given(follow_up(bare, FileVerifiedReport, figures={"dead": 0, "missing": 0}), by="village")


def test_an_incident_is_opened_where_no_rulebook_was_adopted(bare: Scenario) -> None:
    incident = OpenIncident(
        incident=bare.id("incident"),
        area=bare.id("county"),
        place="东关",
        kind=IncidentKind.FLOODING,
        severity=Severity.SEVERE,
        occurred_at=bare.now,
    )
    bare.given(incident, by="dispatcher")


@pytest.mark.parametrize("year", [1908, 2015])
def test_a_date_before_the_first_rulebook_uses_the_nearest_and_is_asked_about(year: int) -> None:
    county = make_county()
    then = datetime(year, 7, 4, 7, tzinfo=UTC)
    mistyped = initial(county, occurred_at=then, figures={"dead": 1})
    county.when(mistyped, by="village")
    rules = [flag["rule"] for flag in county.result["flags"]]
    assert "rules-nearest" in rules and "long-ago" in rules
    assert loaded(county).current.schema_version == "2016"


def test_what_an_area_adopted_goes_before_the_national_rules() -> None:
    county = make_county()
    county.given(initial(county), by="village")
    versions = {rule.kind: rule.version for rule in loaded(county).current.rules}
    assert versions["hazards"] == "example-1"


def test_there_is_a_national_rulebook_of_every_kind_that_a_report_needs() -> None:
    for kind in ("indicators", "deadlines", "hazards", "working-days", "dispatch"):
        assert national.editions(kind.replace("-", "_")), kind


# -- what a 核报 must know ------------------------------------------------------------------


def test_a_verified_report_without_figures_says_the_same_when_filed_and_refused() -> None:
    county = make_county()
    county.given(initial(county), by="village").given(stabilize(county), by="county")
    county.when(follow_up(county, FileVerifiedReport, figures={}), by="village")
    told = [flag["zh"] for flag in county.result["flags"] if flag["severity"] == "error"]
    assert len(told) == 2 and all("核报必须填明" in one for one in told)
    refusal = county.when(accept(county, 2), by="township").then(VerifiedReportHasErrors)
    assert set(refusal.rules) == {"known-dead", "known-missing"}
    assert all(one in refusal.sentence("zh") for one in told)


def test_unknown_dead_are_no_question_of_an_initial_report() -> None:
    county = make_county()
    county.given(initial(county, figures={}), by="village")
    assert loaded(county).current.flags == ()


# -- what looks mistaken --------------------------------------------------------------------


def test_something_of_long_ago_is_asked_about() -> None:
    county = make_county()
    county.given(initial(county, occurred_at=START - timedelta(days=400)), by="village")
    (flag,) = loaded(county).current.flags
    assert (flag.rule, flag.severity) == ("long-ago", "warning")


def test_a_report_for_an_abolished_village_is_kept_and_names_its_successor() -> None:
    county = make_county()
    merge = RearrangeVillages(
        established=(),
        splits=(),
        merges=(Merge(area=county.id("yuantan_1"), into=county.id("yuantan_2")),),
        effective_on=date(2018, 7, 1),
        document_no="测试2号",
    )
    county.given(merge, by="city_admin")
    filed = initial(county, figures={"dead": 1})
    assert isinstance(filed, FileInitialReport)
    county.given(filed, by="village")
    (flag,) = loaded(county).current.flags
    assert flag.rule == "area-abolished" and "双峰居委会" in flag.zh
    assert county.load(SituationReport, filed.report) is not None


@pytest.mark.parametrize("year", [1969, 2099])
def test_a_season_of_another_age_is_refused(year: int) -> None:
    county = make_county()
    season = OpenSeason(area=county.id("county"), programme="winter_spring", year=year)
    refusal = county.when(season, by="county").then(Malformed)
    assert refusal.field == "year"
