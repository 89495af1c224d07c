"""Every command's address. A path parameter is the field of that name of the command."""

from api.about_reports import likely_same, parts_of
from api.invitations import engagement_shown, invitation_shown
from api.unsealing import unsealed_caller, unsealed_household, unsealed_objection
from api.writes import Write
from domain.commands import areas as a
from domain.commands import consignments as c
from domain.commands import contests as k
from domain.commands import disasters as d
from domain.commands import engaging as j
from domain.commands import erasure as y
from domain.commands import following as x
from domain.commands import funds as f
from domain.commands import grant_corrections as n
from domain.commands import handing_out as go
from domain.commands import held_grants as q
from domain.commands import household_groups as ae
from domain.commands import household_moves as m
from domain.commands import households as h
from domain.commands import id_numbers as ab
from domain.commands import incidents as i
from domain.commands import issuing as z
from domain.commands import logins as l
from domain.commands import notices as nt
from domain.commands import officers as o
from domain.commands import payments as p
from domain.commands import proposing as pp
from domain.commands import relief_cases as r
from domain.commands import renewing
from domain.commands import reports as s
from domain.commands import revealing as rv
from domain.commands import reviews as v
from domain.commands import rosters as t
from domain.commands import rulebooks as b
from domain.commands import seasons as e
from domain.commands import stock as g
from domain.commands import units as u
from domain.commands import village_groups as ad
from domain.commands import village_lists as w

REPORT = "/v1/situation-reports/{report}"
VERSION = f"{REPORT}/versions/{{version}}"
GRANT = "/v1/relief-cases/{case}/grants/{number}"
LIST = "/v1/village-lists/{village_list}"
OFFICER = "/v1/officers/{officer}"
PROPOSAL = "/v1/post-proposals/{proposal}"

REPORTS = (
    Write("/v1/situation-reports", s.FileInitialReport, "situation-reports", asks=likely_same),
    Write("/v1/phoned-reports", s.PhoneInReport, "situation-reports", asks=likely_same),
    Write(f"{REPORT}/follow-ups", s.FileFollowUp, "situation-reports"),
    Write(f"{REPORT}/phoned-follow-ups", s.PhoneInFollowUp, "situation-reports"),
    Write(f"{REPORT}/zero-reports", s.FileZeroReport, "situation-reports"),
    Write(f"{REPORT}/verified-reports", s.FileVerifiedReport, "situation-reports", asks=parts_of),
    Write(
        f"{REPORT}/verified-reports-on-behalf",
        s.FileVerifiedOnBehalf,
        "situation-reports",
        asks=parts_of,
    ),
    Write(f"{REPORT}/resubmissions", s.ResubmitReport, "situation-reports"),
    Write(f"{REPORT}/make-ups", s.MakeUpReport, "situation-reports"),
    Write(f"{VERSION}/jump-reasons", s.ExplainJump, "situation-reports"),
    Write(
        f"{REPORT}/occurrence-corrections",
        s.CorrectOccurrence,
        "situation-reports",
        asks=likely_same,
    ),
    Write(f"{VERSION}/acceptances", v.AcceptReport, "situation-reports", asks=parts_of),
    Write(f"{VERSION}/issues", z.IssueReport, "situation-reports", asks=parts_of),
    Write(f"{VERSION}/sent-upward", z.RecordSentUpward, "situation-reports"),
    Write(f"{VERSION}/returns", v.ReturnReport, "situation-reports"),
    Write(f"{VERSION}/adjudications", v.AdjudicateReport, "situation-reports"),
    Write(f"{VERSION}/parts-set-aside", v.SetPartsAside, "situation-reports"),
    Write(f"{VERSION}/withdrawals", v.StrikeReport, "situation-reports"),
    Write(f"{REPORT}/withdrawals", s.WithdrawReport, "situation-reports"),
    Write(f"{REPORT}/stabilizations", v.StabilizeReport, "situation-reports"),
    Write(f"{REPORT}/resumptions", v.ResumeFollowUps, "situation-reports"),
    Write(f"{REPORT}/attachments", d.AttachReport, "situation-reports"),
    Write(f"{REPORT}/detachments", d.DetachReport, "situation-reports"),
    Write("/v1/casualty-records", t.RecordCasualty, "rosters"),
    Write("/v1/casualty-records/{record}/deaths", t.ConfirmDeath, "rosters"),
    Write("/v1/casualty-records/{record}/findings", t.FindMissing, "rosters"),
    Write("/v1/casualty-records/{record}/withdrawals", t.WithdrawCasualty, "rosters"),
    Write("/v1/house-damages", t.RecordHouseDamage, "rosters"),
    Write("/v1/house-damages/{record}/grades", t.RegradeHouseDamage, "rosters"),
    Write("/v1/house-damages/{record}/withdrawals", t.WithdrawHouseDamage, "rosters"),
)

DISASTERS = (
    Write("/v1/disasters", d.DeclareDisaster, "disasters"),
    Write("/v1/disasters/{disaster}/responses", d.StartResponse, "disasters"),
    Write("/v1/disasters/{disaster}/response-changes", d.ChangeResponse, "disasters"),
    Write("/v1/disasters/{disaster}/response-ends", d.EndResponse, "disasters"),
    Write("/v1/disasters/{disaster}/stabilizations", d.StabilizeDisaster, "disasters"),
    Write("/v1/disasters/{disaster}/closures", d.CloseDisaster, "disasters"),
    Write("/v1/disasters/{disaster}/reopenings", d.ReopenDisaster, "disasters"),
    Write("/v1/disasters/{disaster}/mergers", d.MergeDisaster, "disasters"),
    Write("/v1/disasters/{disaster}/splits", d.SplitDisaster, "disasters"),
)

DISPATCH = (
    Write("/v1/incidents", i.OpenIncident, "dispatch"),
    Write("/v1/incidents/{incident}/triages", i.TriageIncident, "dispatch"),
    Write("/v1/incidents/{incident}/assignments", i.AssignUnit, "dispatch"),
    Write("/v1/incidents/{incident}/acknowledgements", i.AcknowledgeAssignment, "dispatch"),
    Write("/v1/incidents/{incident}/departures", i.ReportEnRoute, "dispatch"),
    Write("/v1/incidents/{incident}/arrivals", i.ReportOnScene, "dispatch"),
    Write("/v1/incidents/{incident}/recalls", i.RecallUnit, "dispatch"),
    Write("/v1/incidents/{incident}/reassignments", i.ReassignIncident, "dispatch"),
    Write("/v1/incidents/{incident}/escalations", i.EscalateIncident, "dispatch"),
    Write("/v1/incidents/{incident}/resolutions", i.ResolveIncident, "dispatch"),
    Write("/v1/incidents/{incident}/closures", i.CloseIncident, "dispatch"),
    Write("/v1/incidents/{incident}/duplicates", i.MarkDuplicateIncident, "dispatch"),
    Write("/v1/incidents/{incident}/duplicate-undoings", i.UndoDuplicateIncident, "dispatch"),
    Write(
        "/v1/incidents/{incident}/unsealings", rv.RevealCaller, "dispatch", shown=unsealed_caller
    ),
    Write("/v1/units", u.RegisterUnit, "dispatch"),
    Write("/v1/units/{unit}/absences", u.PutUnitOffDuty, "dispatch"),
    Write("/v1/units/{unit}/returns", u.PutUnitOnDuty, "dispatch"),
)

GOODS = (
    Write("/v1/goods-receipts", g.ReceiveGoods, "goods"),
    Write("/v1/stockpiles/{stockpile}/recounts", g.RecountStock, "goods"),
    Write("/v1/stockpiles/{stockpile}/write-offs", g.WriteOffGoods, "goods"),
    Write("/v1/consignments", c.RequestConsignment, "goods"),
    Write("/v1/consignments/{consignment}/orders", c.OrderConsignment, "goods"),
    Write("/v1/consignments/{consignment}/shipments", c.ShipConsignment, "goods"),
    Write("/v1/consignments/{consignment}/arrivals", c.ArriveConsignment, "goods"),
    Write("/v1/consignments/{consignment}/turnbacks", c.TurnBackConsignment, "goods"),
    Write("/v1/consignments/{consignment}/write-offs", c.WriteOffDamaged, "goods"),
    Write("/v1/consignments/{consignment}/closures", c.CloseConsignment, "goods"),
    Write("/v1/consignments/{consignment}/cancellations", c.CancelConsignment, "goods"),
)

MONEY = (
    Write("/v1/funds", f.AppropriateFund, "funds"),
    Write("/v1/funds/{fund}/transfers", f.PassDownFund, "funds"),
    Write("/v1/funds/{fund}/returns", f.ReturnFund, "funds"),
)

HOUSEHOLDS = (
    Write("/v1/households", h.RegisterHousehold, "households"),
    Write("/v1/household-lists", h.RegisterHouseholds, "households", bulk=True),
    Write("/v1/households/{household}/members", h.AddMember, "households"),
    Write("/v1/households/{household}/departures", h.RemoveMember, "households"),
    Write("/v1/households/{household}/deaths", h.RecordDeath, "households"),
    Write("/v1/households/{household}/identifications", h.IdentifyMember, "households"),
    Write("/v1/households/{household}/heads", h.ChangeHead, "households"),
    Write("/v1/households/{household}/categories", h.CategorizeHousehold, "households"),
    Write("/v1/households/{household}/cards", h.RecordCard, "households"),
    Write("/v1/households/{household}/contacts", h.ChangeContact, "households"),
    Write("/v1/households/{household}/groups", ae.ChangeHouseholdGroup, "households"),
    Write("/v1/areas/{village}/groups/{group_code}/households", ae.PutIntoGroup, "households"),
    Write("/v1/households/{household}/moves", h.MoveHousehold, "households"),
    Write("/v1/households/{household}/move-offers", m.OfferHouseholdMove, "households"),
    Write("/v1/households/{household}/move-acceptances", m.AcceptHouseholdMove, "households"),
    Write("/v1/households/{household}/move-refusals", m.DeclineHouseholdMove, "households"),
    Write("/v1/households/{household}/move-withdrawals", m.WithdrawHouseholdMove, "households"),
    Write(
        "/v1/households/{household}/unsealings",
        h.RevealHousehold,
        "households",
        shown=unsealed_household,
    ),
    Write("/v1/households/{household}/mergers", k.MergeHouseholds, "households"),
    Write("/v1/persons/{person}/contest-decisions", k.ResolveContest, "households"),
    Write("/v1/persons/{person}/erasures", y.ErasePerson, "households"),
)

RELIEF = (
    Write("/v1/seasons", e.OpenSeason, "seasons"),
    Write("/v1/seasons/{season}/standards", e.ChangeSeasonStandard, "seasons"),
    Write("/v1/seasons/{season}/closures", e.CloseSeason, "seasons"),
    Write("/v1/relief-cases", r.ApplyForRelief, "relief-cases"),
    Write("/v1/relief-applications", r.ApplyVillage, "relief-cases", bulk=True),
    Write("/v1/relief-applications-on-behalf", r.ApplyOnBehalf, "relief-cases", bulk=True),
    Write("/v1/relief-cases/{case}/corrections", r.CorrectApplication, "relief-cases"),
    Write("/v1/relief-cases/{case}/reopenings", r.ReopenCase, "relief-cases"),
    Write("/v1/relief-cases/{case}/hold-decisions", q.DecideHeldGrants, "relief-cases"),
    Write("/v1/village-lists", w.OpenVillageList, "village-lists"),
    Write(f"{LIST}/appraisals", w.AppraiseList, "village-lists", bulk=True),
    Write(f"{LIST}/appraisals-on-behalf", w.AppraiseOnBehalf, "village-lists", bulk=True),
    Write(f"{LIST}/first-notices", nt.PostNotice, "village-lists"),
    Write(f"{LIST}/second-notices", nt.PostSecondNotice, "village-lists"),
    Write(f"{LIST}/notice-withdrawals", nt.WithdrawNotice, "village-lists"),
    Write(f"{LIST}/objections", w.RaiseObjection, "village-lists"),
    Write(f"{LIST}/objections/{{objection}}/settlements", w.SettleObjection, "village-lists"),
    Write(
        f"{LIST}/objections/{{objection}}/unsealings",
        rv.RevealObjection,
        "village-lists",
        shown=unsealed_objection,
    ),
    Write(f"{LIST}/reviews", w.ReviewList, "village-lists"),
    Write(f"{LIST}/returns", w.ReturnList, "village-lists"),
    Write(f"{LIST}/approvals", w.ApproveList, "village-lists"),
    Write(f"{LIST}/allocations", p.AllocateList, "village-lists", bulk=True),
    Write(f"{LIST}/payments", p.PayList, "village-lists"),
    Write(f"{LIST}/signatures", go.SignGoods, "village-lists"),
    Write(f"{GRANT}/failures", n.RecordPaymentFailure, "relief-cases"),
    Write(f"{GRANT}/retries", n.RetryPayment, "relief-cases"),
    Write(f"{GRANT}/corrections", n.CorrectGrant, "relief-cases"),
    Write(f"{GRANT}/refunds", n.RefundGrant, "relief-cases"),
    Write(f"{LIST}/closures", w.CloseList, "village-lists"),
)

KEEPING = (
    Write("/v1/areas", a.EstablishArea, "areas"),
    Write("/v1/area-lists", a.EstablishAreas, "areas", bulk=True),
    Write("/v1/areas/{area}/names", a.RenameArea, "areas"),
    Write("/v1/areas/{area}/groups", ad.NameVillageGroups, "areas"),
    Write("/v1/areas/{area}/groups/{code}/names", ad.RenameVillageGroup, "areas"),
    Write("/v1/areas/{area}/groups/{code}/ends", ad.EndVillageGroup, "areas"),
    Write("/v1/area-code-changes", a.ChangeAreaCodes, "areas"),
    Write("/v1/areas/{area}/abolitions", a.AbolishArea, "areas"),
    Write("/v1/village-rearrangements", a.RearrangeVillages, "areas"),
    Write("/v1/areas/{area}/followings", x.FollowMerger, "areas"),
    Write("/v1/rulebooks", b.AdoptRulebook, "rulebooks"),
    Write("/v1/rulebook-files", b.AdoptRulebookFile, "rulebooks"),
    Write("/v1/rulebooks/{rulebook}/confirmations", b.ConfirmRulebook, "rulebooks"),
    Write("/v1/officers", o.RegisterOfficer, "officers"),
    Write("/v1/engagements", j.EngageOfficer, "officers", shown=engagement_shown),
    Write(f"{OFFICER}/accounts", o.OpenAccount, "officers"),
    Write(f"{OFFICER}/invitations", l.InviteOfficer, "officers", shown=invitation_shown),
    Write(f"{OFFICER}/number-excuses", ab.ExcuseIdNumber, "officers"),
    Write(f"{OFFICER}/id-numbers", ab.GiveIdNumber, "officers"),
    Write(f"{OFFICER}/session-ends", l.EndOfficerSessions, "officers"),
    Write(f"{OFFICER}/second-factor-resets", l.ResetSecondFactor, "officers"),
    Write(f"{OFFICER}/appointments", o.AppointOfficer, "officers"),
    Write(f"{OFFICER}/appointments/{{appointment}}/ends", o.EndAppointment, "officers"),
    Write(f"{OFFICER}/appointments/{{appointment}}/renewals", renewing.RenewPost, "officers"),
    Write(f"{OFFICER}/certificates", renewing.RecordCertificate, "officers"),
    Write(f"{OFFICER}/substitutions", o.NameSubstitute, "officers"),
    Write(f"{OFFICER}/substitutions/{{substitution}}/ends", o.EndSubstitution, "officers"),
    Write(f"{OFFICER}/handovers", o.HandOver, "officers"),
    Write(f"{OFFICER}/suspensions", o.SuspendOfficer, "officers"),
    Write(f"{OFFICER}/reinstatements", o.ReinstateOfficer, "officers"),
    Write("/v1/engagement-proposals", pp.ProposeEngagement, "officers"),
    Write(f"{OFFICER}/appointment-proposals", pp.ProposeAppointment, "officers"),
    Write(f"{OFFICER}/appointments/{{appointment}}/end-proposals", pp.ProposeEnd, "officers"),
    Write(f"{OFFICER}/suspension-proposals", pp.ProposeSuspension, "officers"),
    Write(f"{PROPOSAL}/takings", pp.TakeProposal, "officers"),
    Write(f"{PROPOSAL}/engagements", pp.EngageProposed, "officers", shown=engagement_shown),
    Write(f"{PROPOSAL}/declines", pp.DeclineProposal, "officers"),
    Write("/v1/dispensations", o.GrantDispensation, "officers"),
)

WRITES: tuple[Write, ...] = (
    *REPORTS,
    *DISASTERS,
    *DISPATCH,
    *GOODS,
    *MONEY,
    *HOUSEHOLDS,
    *RELIEF,
    *KEEPING,
)
