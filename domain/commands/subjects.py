"""What there is to do with each kind of thing: its commands, in the order of its life.

The one table that pages, the API and tests walk. A command that begins a thing is about the place
where it begins; what belongs to no kind stands in `NO_SUBJECT`, with the reason.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from domain.commands import (
    appointing,
    areas,
    connecting,
    consignments,
    contests,
    disasters,
    engaging,
    erasure,
    filing,
    following,
    funds,
    grant_corrections,
    handing_out,
    held_grants,
    household_groups,
    household_moves,
    households,
    id_numbers,
    incidents,
    issuing,
    logins,
    notices,
    officers,
    parked_facts,
    payments,
    proposing,
    recovering,
    relief_cases,
    renewing,
    reports,
    revealing,
    reviews,
    rosters,
    rulebooks,
    seasons,
    stock,
    store,
    units,
    village_groups,
    village_lists,
)
from domain.world import About, Command


@dataclass(frozen=True, slots=True)
class Subject:
    """A kind of thing. ``state`` answers a key of `domain.telling.STATES`."""

    about: About
    state: Callable[[Any], str]
    commands: tuple[type[Command], ...]
    for_below: bool = False
    """Set for an area and all below it: seen from there too (`domain.reach.seen`)."""


def _area_state(area: Any) -> str:
    if area.merged_into is not None:
        return "merged"
    return "abolished" if area.abolished_on is not None else "in_force"


def _unit_state(unit: Any) -> str:
    if unit.incident is not None:
        return "assigned"
    return "on_duty" if unit.on_duty else "off_duty"


def _household_state(household: Any) -> str:
    if household.merged_into is not None:
        return "merged"
    return "offered" if household.offer is not None else "registered"


_SUBJECTS = (
    Subject(
        filing.REPORT,
        lambda report: str(report.review),
        (
            reports.MakeUpReport,
            reports.ExplainJump,
            reviews.AcceptReport,
            issuing.IssueReport,
            issuing.RecordSentUpward,
            reviews.ReturnReport,
            reports.ResubmitReport,
            reports.FileFollowUp,
            reports.PhoneInFollowUp,
            reports.FileZeroReport,
            reviews.StabilizeReport,
            reports.FileVerifiedReport,
            reports.FileVerifiedOnBehalf,
            reviews.ResumeFollowUps,
            disasters.AttachReport,
            disasters.DetachReport,
            reviews.AdjudicateReport,
            reviews.SetPartsAside,
            reports.CorrectOccurrence,
            reports.WithdrawReport,
            reviews.StrikeReport,
        ),
    ),
    Subject(
        rosters.CASUALTY,
        lambda record: str(record.fate),
        (rosters.ConfirmDeath, rosters.FindMissing, rosters.WithdrawCasualty),
    ),
    Subject(
        rosters.DAMAGE,
        lambda record: "withdrawn" if record.withdrawn else str(record.grade),
        (rosters.RegradeHouseDamage, rosters.WithdrawHouseDamage),
    ),
    Subject(
        households.HOUSEHOLD,
        _household_state,
        (
            households.AddMember,
            households.RemoveMember,
            households.RecordDeath,
            households.IdentifyMember,
            households.ChangeHead,
            households.CategorizeHousehold,
            households.RecordCard,
            households.ChangeContact,
            household_groups.ChangeHouseholdGroup,
            households.MoveHousehold,
            household_moves.OfferHouseholdMove,
            household_moves.AcceptHouseholdMove,
            household_moves.DeclineHouseholdMove,
            household_moves.WithdrawHouseholdMove,
            contests.MergeHouseholds,
            households.RevealHousehold,
        ),
    ),
    Subject(
        appointing.OFFICER,
        lambda officer: "suspended" if officer.suspended is not None else "registered",
        (
            officers.OpenAccount,
            logins.InviteOfficer,
            id_numbers.GiveIdNumber,
            id_numbers.ExcuseIdNumber,
            officers.AppointOfficer,
            renewing.RecordCertificate,
            renewing.RenewPost,
            officers.NameSubstitute,
            officers.EndSubstitution,
            officers.EndAppointment,
            officers.HandOver,
            officers.SuspendOfficer,
            officers.ReinstateOfficer,
            logins.EndOfficerSessions,
            logins.ResetSecondFactor,
            connecting.BindProvider,
            connecting.UnbindProvider,
            proposing.ProposeAppointment,
            proposing.ProposeEnd,
            proposing.ProposeSuspension,
        ),
    ),
    Subject(
        proposing.PROPOSAL,
        lambda proposal: "decided" if proposal.decided else "waiting",
        (proposing.TakeProposal, proposing.EngageProposed, proposing.DeclineProposal),
    ),
    Subject(
        areas.AREA,
        _area_state,
        (
            areas.RenameArea,
            village_groups.NameVillageGroups,
            village_groups.RenameVillageGroup,
            village_groups.EndVillageGroup,
            areas.AbolishArea,
            following.FollowMerger,
        ),
    ),
    Subject(
        rulebooks.RULEBOOK,
        lambda book: "unconfirmed" if book.unconfirmed else "in_force",
        (rulebooks.ConfirmRulebook,),
    ),
    Subject(
        incidents.INCIDENT,
        lambda incident: str(incident.stage),
        (
            incidents.TriageIncident,
            incidents.AssignUnit,
            incidents.AcknowledgeAssignment,
            incidents.ReportEnRoute,
            incidents.ReportOnScene,
            incidents.ResolveIncident,
            incidents.CloseIncident,
            incidents.ReassignIncident,
            incidents.RecallUnit,
            incidents.EscalateIncident,
            incidents.EscalateIncidentWhenDue,
            incidents.MarkDuplicateIncident,
            incidents.UndoDuplicateIncident,
            revealing.RevealCaller,
        ),
    ),
    Subject(
        disasters.DISASTER,
        lambda disaster: str(disaster.stage),
        (
            disasters.StartResponse,
            disasters.ChangeResponse,
            disasters.EndResponse,
            disasters.StabilizeDisaster,
            disasters.CloseDisaster,
            disasters.ReopenDisaster,
            disasters.MergeDisaster,
            disasters.SplitDisaster,
        ),
        for_below=True,
    ),
    Subject(
        seasons.SEASON,
        lambda season: "closed" if season.closed else "open",
        (seasons.ChangeSeasonStandard, seasons.CloseSeason),
        for_below=True,
    ),
    Subject(
        village_lists.VILLAGE_LIST,
        lambda found: str(found.stage),
        (
            village_lists.AppraiseList,
            village_lists.AppraiseOnBehalf,
            notices.PostNotice,
            village_lists.RaiseObjection,
            revealing.RevealObjection,
            village_lists.SettleObjection,
            notices.WithdrawNotice,
            notices.WithdrawNoticeWhenDue,
            village_lists.ReviewList,
            village_lists.ReturnList,
            village_lists.ApproveList,
            payments.AllocateList,
            notices.PostSecondNotice,
            payments.PayList,
            handing_out.SignGoods,
            village_lists.CloseList,
        ),
    ),
    Subject(
        relief_cases.RELIEF_CASE,
        lambda case: str(case.stage),
        (
            relief_cases.CorrectApplication,
            held_grants.DecideHeldGrants,
            grant_corrections.CorrectGrant,
            grant_corrections.RecordPaymentFailure,
            grant_corrections.RetryPayment,
            grant_corrections.RefundGrant,
            relief_cases.ReopenCase,
        ),
    ),
    Subject(units.UNIT, _unit_state, (units.PutUnitOffDuty, units.PutUnitOnDuty)),
    Subject(
        consignments.CONSIGNMENT,
        lambda consignment: str(consignment.phase),
        (
            consignments.OrderConsignment,
            consignments.ShipConsignment,
            consignments.ArriveConsignment,
            consignments.TurnBackConsignment,
            consignments.WriteOffDamaged,
            consignments.CloseConsignment,
            consignments.CancelConsignment,
        ),
    ),
    Subject(
        stock.STOCKPILE,
        lambda stockpile: "in_stock" if stockpile.on_hand else "out_of_stock",
        (stock.RecountStock, stock.WriteOffGoods),
    ),
    Subject(
        funds.FUND,
        lambda fund: "has_money" if fund.available_fen else "spent",
        (funds.PassDownFund, funds.ReturnFund),
    ),
)

SUBJECTS: Mapping[str, Subject] = {subject.about.kind: subject for subject in _SUBJECTS}
"""By the kind, as addresses say it."""

NO_SUBJECT: Mapping[type[Command], str] = {
    reports.FileInitialReport: "begins a report",
    reports.PhoneInReport: "begins a report",
    rosters.RecordCasualty: "begins a row of a roster",
    rosters.RecordHouseDamage: "begins a row of a roster",
    households.RegisterHousehold: "begins a household",
    households.RegisterHouseholds: "begins households",
    household_groups.PutIntoGroup: "of many households at once",
    contests.ResolveContest: "of a person whom several households claim, as no page of one tells",
    officers.RegisterOfficer: "begins an officer",
    engaging.EngageOfficer: "begins an officer, or a post of one who is found by the number",
    officers.GrantDispensation: "of a matter of whatever kind, for an officer",
    proposing.ProposeEngagement: "begins a proposal",
    logins.RecordPassword: "the program's own",
    logins.RecordSessionsEnded: "the program's own",
    logins.RecordSecondFactor: "the program's own",
    logins.RecordFactorEnded: "the program's own",
    connecting.RecordProvider: "the program's own",
    connecting.RecordProviderEnded: "the program's own",
    recovering.RecoverAdministrator: "an operator's, at the machine",
    parked_facts.DropParkedFact: "an operator's, at the machine",
    erasure.ErasePerson: "of a person, in earnest and in drills at once, wherever they count",
    areas.EstablishArea: "begins an area",
    areas.EstablishAreas: "begins areas",
    areas.ChangeAreaCodes: "of many areas at once",
    areas.RearrangeVillages: "of many villages at once",
    rulebooks.AdoptRulebook: "begins a version of a rulebook, or the rulebook with it",
    rulebooks.AdoptRulebookFile: "begins a version of a rulebook, or the rulebook with it",
    disasters.DeclareDisaster: "begins a disaster",
    seasons.OpenSeason: "begins a season",
    relief_cases.ApplyForRelief: "begins a case",
    relief_cases.ApplyVillage: "begins cases",
    relief_cases.ApplyOnBehalf: "begins cases, of a village that has nobody in post",
    village_lists.OpenVillageList: "begins a list",
    incidents.OpenIncident: "begins an incident",
    units.RegisterUnit: "begins a unit",
    consignments.RequestConsignment: "begins a consignment",
    stock.ReceiveGoods: "begins a lot, and the stockpile of its item",
    funds.AppropriateFund: "begins a fund, or adds to it by its document",
    store.RecordStore: "the program's own",
    store.BeginEpoch: "an operator's, at the machine",
    store.DisownRow: "an operator's, at the machine",
    store.RecordResealing: "an operator's, at the machine",
    store.HoldClock: "the program's own",
    store.DecideClock: "an operator's, at the machine",
    store.AdvanceClock: "an operator's, at the machine",
}
"""Commands that are a step of no thing that is there, and why."""
