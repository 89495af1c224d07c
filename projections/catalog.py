"""All views, in the order in which a batch is folded."""

from domain.area import Area
from domain.base import Event
from domain.casualty_record import CasualtyRecord
from domain.disaster import Disaster
from domain.dispensation import Dispensation
from domain.house_damage import HouseDamage
from domain.household import Household
from domain.late_number import LateNumber
from domain.login_name import LoginName
from domain.officer import Officer
from domain.parked_facts import ParkedFacts
from domain.person import Person
from domain.provider_identity import ProviderIdentity
from domain.rulebook import Rulebook
from domain.season import Season
from domain.store import Store
from projections import (
    areas,
    deadlines,
    disasters,
    dispatch,
    findings,
    funds,
    households,
    ledger,
    lists,
    notices,
    officers,
    proposals,
    reviews,
    seasons,
    situation,
    stock,
    timeline,
)
from projections.folding.base import View

VIEWS: tuple[View, ...] = (
    areas.VIEW,
    officers.VIEW,
    proposals.VIEW,
    disasters.VIEW,
    situation.VIEW,
    deadlines.VIEW,
    reviews.VIEW,
    timeline.VIEW,
    stock.VIEW,
    dispatch.VIEW,
    funds.VIEW,
    households.VIEW,
    seasons.VIEW,
    ledger.VIEW,
    lists.VIEW,
    notices.VIEW,
    findings.VIEW,
)

_IDENTITY = "the log-in name's own ProviderBound and ProviderUnbound tell it"
_STORE = "what the ledger knows of itself is the timeline's, and the log's marks"
_ROSTER = "rows of a roster are counted on the report: SituationReport.RosterCounted"
_NAMED = "the application that names the row tells it: ReliefCase.Applied, Corrected"
_CLAIM = "a claim that nobody contests is shown by the Household's own facts"

IGNORED: dict[type[Event], str] = {
    Area.SplitFrom: "the new village has its own Established",
    Rulebook.Opened: "a rulebook is asked for in the log: a decision names the version it used",
    Rulebook.Confirmed: "a rulebook is asked for in the log: a decision says if it was confirmed",
    Rulebook.Adopted: "a rulebook is asked for in the log: a decision names the version it used",
    Officer.BecameSubstitute: "the absent officer's SubstituteNamed tells it",
    Officer.StoppedSubstituting: "the absent officer's SubstitutionEnded tells it",
    LoginName.SessionsEnded: "it is on the auditor's list, which is the timeline",
    LoginName.LoggedOut: "it is on the auditor's list, which is the timeline",
    LoginName.SecondFactorSet: "the vault is asked, which knows the log-ins of now",
    LoginName.SecondFactorRemoved: "the vault is asked, which knows the log-ins of now",
    LateNumber.Given: "the officer's own NumberGiven tells it",
    Dispensation.Granted: "it is on the auditor's list, which is the timeline",
    Disaster.Absorbed: "the absorbed disaster's MergedInto tells it",
    Disaster.Released: "the disaster's own SplitBack tells it",
    CasualtyRecord.Recorded: _ROSTER,
    CasualtyRecord.ConfirmedDead: _ROSTER,
    CasualtyRecord.Found: _ROSTER,
    CasualtyRecord.Withdrawn: _ROSTER,
    HouseDamage.Recorded: _ROSTER,
    HouseDamage.Regraded: _ROSTER,
    HouseDamage.Withdrawn: _ROSTER,
    CasualtyRecord.AppliedFor: _NAMED,
    HouseDamage.AppliedFor: _NAMED,
    Household.ContactChanged: "sealed phone and address: nothing of them is shown",
    Season.ListOpened: "the list's own Opened tells it",
    Season.ListClosed: "the list's own Closed tells it",
    ParkedFacts.Opened: "what is left out is asked for in the log, before a view is folded",
    ParkedFacts.Dropped: "what is left out is asked for in the log, before a view is folded",
    **dict.fromkeys(ProviderIdentity.event_classes(), _IDENTITY),
    **dict.fromkeys(
        (one for one in Store.event_classes() if one not in (Store.Opened, Store.SeatMoved)), _STORE
    ),
    Person.Claimed: _CLAIM,
    Person.ClaimedAgain: _CLAIM,
}
"""Event types that no view but the timeline routes, and why not."""
