"""Where each command is sent from: the page that draws it, or why there is none.

A page that shows what may be done to a kind of thing stands in `KINDS`, one that begins something
in `BEGUN`; steps of other things that a page draws beside these stand in `BESIDE`. Forms that are
written out in a template, or asked for step by step, stand in `BY_HAND`.
`tests/web/test_crawl.py` opens the pages and holds all of it to what they show.
"""

from collections.abc import Mapping
from typing import Any, Final

from api.routes_writes import WRITES
from domain.commands import consignments as c
from domain.commands import disasters as d
from domain.commands import funds as f
from domain.commands import grant_corrections as n
from domain.commands import handing_out as x
from domain.commands import held_grants as h
from domain.commands import households as k
from domain.commands import incidents as i
from domain.commands import officers as q
from domain.commands import relief_cases as r
from domain.commands import revealing as w
from domain.commands import rosters as o
from domain.commands import rulebooks as b
from domain.commands import seasons as e
from domain.commands import stock as g
from domain.commands import units as u
from domain.commands import village_lists as v
from domain.commands.subjects import SUBJECTS
from domain.world import Command, Role
from web.forms import FORMS

KINDS: Final[Mapping[str, str]] = {
    "situation-reports": "/report/{report}",
    "casualty-records": "/report/{report}/casualties",
    "house-damages": "/report/{report}/houses",
    "disasters": "/disasters/{id}",
    "incidents": "/dispatch/incidents/{id}",
    "units": "/dispatch/units",
    "consignments": "/stock/consignments/{id}",
    "stockpiles": "/stock/stockpiles/{id}",
    "funds": "/funds/{id}",
    "households": "/households/{id}",
    "seasons": "/seasons/{id}",
    "village-lists": "/lists/{id}",
    "relief-cases": "/cases/{id}",
}
"""Kind of thing → the page whose ``acts`` draw its commands."""

BEGUN: Final[Mapping[type[Command], str]] = {
    d.DeclareDisaster: "/disasters/new",
    o.RecordCasualty: "/report/{report}/casualties",
    o.RecordHouseDamage: "/report/{report}/houses",
    i.OpenIncident: "/dispatch/new",
    u.RegisterUnit: "/dispatch/units",
    c.RequestConsignment: "/stock/consignments/new",
    g.ReceiveGoods: "/stock/receive",
    f.AppropriateFund: "/funds/new",
    r.ApplyVillage: "/cases/apply",
    k.RegisterHousehold: "/households/new",
    w.RevealObjection: "/lists/{id}/objections/{objection}/in-full",
    e.OpenSeason: "/seasons/new",
    v.OpenVillageList: "/seasons/{id}",
}
"""Command that begins something → the page that draws it."""

BESIDE: Final[Mapping[str, tuple[type[Command], ...]]] = {
    "/disasters/{id}": (d.AttachReport, d.DetachReport),
    "/cases/new": (r.ApplyForRelief,),
    "/cases/apply": (r.ApplyOnBehalf,),
    "/cases/{id}": (x.SignGoods,),
    "/lists/{id}/bounced": (n.RetryPayment,),
    "/lists/{id}/held": (h.DecideHeldGrants, n.RetryPayment),
    "/officers/{id}/dispensation": (q.GrantDispensation,),
}
"""Page → steps of other things that it draws beside them with ``acts_of(…, only=…)``, or where
a walk over links need not come: a household that has not applied, a village with nobody in post."""

BY_HAND: Final[Mapping[str, tuple[str, ...]]] = {
    "/report/new": ("FileInitialReport", "PhoneInReport"),
    "/report/{report}/file": (
        "FileFollowUp",
        "PhoneInFollowUp",
        "FileZeroReport",
        "FileVerifiedReport",
        "FileVerifiedOnBehalf",
        "ResubmitReport",
        "MakeUpReport",
    ),
    "/report/{report}": (
        "AcceptReport",
        "AdjudicateReport",
        "IssueReport",
        "RecordSentUpward",
        "ReturnReport",
        "SetPartsAside",
    ),
    "/review": ("AcceptReport", "IssueReport", "ReturnReport"),
    "/situation": ("FileZeroReport",),
    "/": ("FileZeroReport",),
    "/dispatch": ("AcknowledgeAssignment", "ReportEnRoute", "ReportOnScene"),
    "/households/{id}": ("ChangeHouseholdGroup",),
    "/persons/{id}": ("ErasePerson", "ResolveContest"),
    "/divisions/{id}": (
        "AbolishArea",
        "EndVillageGroup",
        "NameVillageGroups",
        "PutIntoGroup",
        "RenameArea",
        "RenameVillageGroup",
    ),
    "/divisions/{id}/code": ("ChangeAreaCodes",),
    "/divisions/{id}/merger": ("FollowMerger", "RearrangeVillages"),
    "/divisions/{id}/new": ("EstablishArea",),
    "/divisions/list": ("EstablishAreas",),
    "/rulebooks/change": ("AdoptRulebookFile",),
    "/rulebooks/{kind}": ("ConfirmRulebook",),
    "/officers/new": ("EngageOfficer", "RegisterOfficer"),
    "/officers/{id}": (
        "AppointOfficer",
        "EndAppointment",
        "EndOfficerSessions",
        "EndSubstitution",
        "ExcuseIdNumber",
        "GiveIdNumber",
        "HandOver",
        "InviteOfficer",
        "NameSubstitute",
        "OpenAccount",
        "ProposeAppointment",
        "ProposeEnd",
        "ProposeSuspension",
        "RecordCertificate",
        "ReinstateOfficer",
        "ResetSecondFactor",
        "SuspendOfficer",
    ),
    "/officers/year-end": ("RenewPost",),
    "/officers/proposals": ("DeclineProposal", "EngageProposed", "TakeProposal"),
    "/officers/proposals/new": ("ProposeEngagement",),
}
"""Page → commands that it sends without `acts`: by forms of its own, or in one state only."""

NO_PAGE: Final[Mapping[type[Command], str]] = {
    k.RegisterHouseholds: "people bring a list as a file: the pages of imports check and send it",
    b.AdoptRulebook: "programs send it; people bring the text of a rulebook (AdoptRulebookFile)",
}
"""Command that people may send → why no page is needed for it."""


def sendable() -> list[type[Command]]:
    """Every command with an address that somebody's post may send."""
    return [write.command for write in WRITES if write.command.roles - {Role.SYSTEM}]


def pages_of(command: type[Command]) -> tuple[str, ...]:
    """The pages from which a command is sent; empty if there is none."""
    found = [page for page, names in BY_HAND.items() if command.__name__ in names]
    if command in FORMS and FORMS[command].at:
        found.append(FORMS[command].at)
    elif command in FORMS:
        found += [page for kind, page in KINDS.items() if command in SUBJECTS[kind].commands]
    found += [page for page, commands in BESIDE.items() if command in commands]
    if command in BEGUN:
        found.append(BEGUN[command])
    return tuple(dict.fromkeys(found))


def told() -> list[dict[str, Any]]:
    """Every command with its roles, the kind it is about, its pages, or why it has none."""
    kinds = {command: kind for kind, one in SUBJECTS.items() for command in one.commands}
    return [
        {
            "name": command.__name__,
            "roles": sorted(role.value for role in command.roles),
            "kind": kinds.get(command),
            "pages": list(pages_of(command)),
            "no_page": NO_PAGE.get(command),
        }
        for command in sendable()
    ]
