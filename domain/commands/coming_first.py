"""Which step comes before one that is closed: who reads why it is closed learns what to wait for.

Where the matter has not come so far, the step that leads there; where it has gone on, only that.
Who takes the step follows from its roles (decision 0070).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from domain.case_checks import Stage as CaseStage
from domain.case_checks import WrongStage
from domain.commands import consignments as c
from domain.commands import disasters as d
from domain.commands import grant_corrections as gc
from domain.commands import handing_out as go
from domain.commands import household_moves as hm
from domain.commands import incidents as i
from domain.commands import issuing as iss
from domain.commands import notices as nt
from domain.commands import officers as ofc
from domain.commands import payments as p
from domain.commands import relief_cases as rc
from domain.commands import reports as rp
from domain.commands import reviews as rv
from domain.commands import village_lists as w
from domain.consignment import ConsignmentNotReady, DamagedGoodsOpen, Phase
from domain.disaster import (
    DisasterNotOpen,
    DisasterStage,
    NoResponseRuns,
    NotMergedInto,
    ReportsNotVerified,
    ResponseRuns,
)
from domain.grants import GrantsOpen, NoGrantThere
from domain.household_move import MoveAlreadyOffered, NoMoveOffered
from domain.incident import Stage
from domain.incident_refusals import IncidentNotThere, NoUnitThere, UnitsStillOut
from domain.login_name import NoLoginYet
from domain.notice import NoObjectionOpen, NothingObjected, NoticeNotPosted
from domain.posts import NobodyStandsIn
from domain.refusal import Refusal
from domain.report_refusals import NotAttached, NotIssuedYet, NotStableYet
from domain.roster import EmptyList, ListStage, WrongListStage
from domain.season import ListsOpen
from domain.unit import UnitBusy
from domain.world import Command

Steps = tuple[type[Command], ...]


@dataclass(frozen=True, slots=True)
class ComingFirst:
    """``steps``: any of them leads there. ``over``: the matter is past the step that is closed.
    Neither: the refusal says all there is to say."""

    steps: Steps = ()
    over: bool = False


@dataclass(frozen=True, slots=True)
class _Life:
    """``order``: of the states. ``into``: what brings a thing into a state; ``back``: what brings
    it back from one."""

    order: tuple[str, ...]
    into: Mapping[str, Steps]
    back: Mapping[str, Steps] = field(default_factory=dict)

    def before(self, command: type[Command], needed: tuple[str, ...], state: str) -> ComingFirst:
        at = self.order.index(state) if state in self.order else len(self.order)
        to_come = [one for one in needed if one in self.order and self.order.index(one) > at]
        steps = self.into[to_come[0]] if to_come else self.back.get(state, ())
        is_done = not to_come and command in self.into.get(state, ())
        return ComingFirst(over=True) if is_done or not steps else ComingFirst(steps)


_UNITS: Mapping[str, Steps] = {
    Stage.TRIAGED: (i.TriageIncident,),
    Stage.ASSIGNED: (i.AssignUnit,),
    Stage.ACKNOWLEDGED: (i.AcknowledgeAssignment,),
    Stage.EN_ROUTE: (i.ReportEnRoute,),
    Stage.ON_SCENE: (i.ReportOnScene,),
}
_NO_DUPLICATE: Mapping[str, Steps] = {Stage.DUPLICATE: (i.UndoDuplicateIncident,)}
_GRANTS: Mapping[str, Steps] = {
    "granted": (p.AllocateList,),
    "failed": (gc.RecordPaymentFailure,),
    "paid": (p.PayList,),
    "signed": (go.SignGoods,),
}
_REOPENED: Steps = (rc.ReopenCase,)

_LIVES: Mapping[type[Refusal], _Life] = {
    ConsignmentNotReady: _Life(
        (Phase.REQUESTED, Phase.ORDERED, Phase.SHIPPED, Phase.ARRIVED, Phase.CLOSED),
        {
            Phase.ORDERED: (c.OrderConsignment,),
            Phase.SHIPPED: (c.ShipConsignment,),
            Phase.ARRIVED: (c.ArriveConsignment, c.TurnBackConsignment),
            Phase.CLOSED: (c.CloseConsignment,),
        },
    ),
    IncidentNotThere: _Life(
        (Stage.OPEN, *_UNITS, Stage.RESOLVED, Stage.CLOSED, Stage.DUPLICATE),
        {
            **_UNITS,
            Stage.RESOLVED: (i.ResolveIncident,),
            Stage.CLOSED: (i.CloseIncident,),
            Stage.DUPLICATE: (i.MarkDuplicateIncident,),
        },
        _NO_DUPLICATE,
    ),
    WrongListStage: _Life(
        (
            ListStage.DRAFT,
            ListStage.REVIEWED,
            ListStage.APPROVED,
            ListStage.ALLOCATED,
            ListStage.CLOSED,
        ),
        {
            ListStage.REVIEWED: (w.ReviewList,),
            ListStage.APPROVED: (w.ApproveList,),
            ListStage.ALLOCATED: (p.AllocateList,),
            ListStage.CLOSED: (w.CloseList,),
        },
        {ListStage.REVIEWED: (w.ReturnList,)},
    ),
    WrongStage: _Life(
        (
            CaseStage.APPLIED,
            CaseStage.APPRAISED,
            CaseStage.ON_LIST,
            CaseStage.REVIEWED,
            CaseStage.APPROVED,
            CaseStage.REFUSED,
            CaseStage.CLOSED,
        ),
        {
            CaseStage.APPRAISED: (w.AppraiseList,),
            CaseStage.ON_LIST: (w.AppraiseList,),
            CaseStage.REVIEWED: (w.ReviewList,),
            CaseStage.APPROVED: (w.ApproveList,),
            CaseStage.REFUSED: (w.AppraiseList, w.ReviewList, w.ApproveList),
            CaseStage.CLOSED: (w.CloseList,),
        },
        {CaseStage.REFUSED: _REOPENED, CaseStage.CLOSED: _REOPENED},
    ),
    DisasterNotOpen: _Life(
        (DisasterStage.OPEN, DisasterStage.STABILIZED, DisasterStage.CLOSED),
        {
            DisasterStage.STABILIZED: (d.StabilizeDisaster,),
            DisasterStage.CLOSED: (d.CloseDisaster,),
        },
        {
            DisasterStage.STABILIZED: (d.ReopenDisaster,),
            DisasterStage.CLOSED: (d.ReopenDisaster,),
            DisasterStage.MERGED: (d.SplitDisaster,),
        },
    ),
}
"""Refusals for the state: each says in a field ``needed`` in which ones the step is taken."""

_LEADS: Mapping[type[Refusal], Steps] = {
    DamagedGoodsOpen: (c.WriteOffDamaged,),
    EmptyList: (w.AppraiseList,),
    ListsOpen: (w.CloseList,),
    MoveAlreadyOffered: (hm.WithdrawHouseholdMove,),
    NoLoginYet: (ofc.OpenAccount,),
    NoMoveOffered: (hm.OfferHouseholdMove,),
    NoObjectionOpen: (w.RaiseObjection,),
    NoResponseRuns: (d.StartResponse,),
    NobodyStandsIn: (ofc.NameSubstitute,),
    NotAttached: (d.AttachReport,),
    NotIssuedYet: (iss.IssueReport,),
    NotMergedInto: (d.MergeDisaster,),
    NotStableYet: (rv.StabilizeReport,),
    NothingObjected: (w.RaiseObjection,),
    ReportsNotVerified: (rp.FileVerifiedReport, rv.AcceptReport),
    ResponseRuns: (d.EndResponse,),
    UnitBusy: (i.RecallUnit, i.ResolveIncident),
    UnitsStillOut: (i.ResolveIncident, i.RecallUnit),
}
"""Refusals for something else that must be there, or be settled."""

_ENDED = frozenset({"closed", "merged", "merged_into", "cancelled", "withdrawn"})
"""States in which nothing of the kind begins any more."""


def coming_first(command: type[Command], why: Refusal, state: str) -> ComingFirst:
    """What comes before a command that is closed for this reason, of a thing in this state."""
    life = _LIVES.get(type(why))
    if life is not None:
        return life.before(command, _needed(why), state)
    if isinstance(why, NoUnitThere):
        return _of_units(why, state)
    if isinstance(why, NoGrantThere):
        return _of_grants(why, state)
    if isinstance(why, NoticeNotPosted):
        post = nt.PostNotice if state == ListStage.DRAFT else nt.PostSecondNotice
        return ComingFirst(over=True) if state in _ENDED else ComingFirst((post,))
    if isinstance(why, GrantsOpen):
        return ComingFirst(over=True) if state in _ENDED else ComingFirst(_giving_out(why))
    if isinstance(why, ReportsNotVerified) and why.unstable:
        return ComingFirst((rv.StabilizeReport,))
    steps = _LEADS.get(type(why), ())
    return ComingFirst(over=True) if steps and state in _ENDED else ComingFirst(steps)


def _needed(why: Refusal) -> tuple[str, ...]:
    return tuple(str(why.facts()["needed"]).split(" / "))


def _giving_out(why: GrantsOpen) -> Steps:
    """What is still to be done with grants that are open."""
    if why.unposted:
        return (nt.PostSecondNotice,)
    pay: Steps = (p.PayList,) if why.cash else ()
    return (*pay, go.SignGoods) if why.count > why.cash else pay


def _of_units(why: NoUnitThere, state: str) -> ComingFirst:
    """Another unit may be sent as long as the incident lives."""
    if state in (Stage.RESOLVED, Stage.CLOSED):
        return ComingFirst(over=True)
    return ComingFirst(_NO_DUPLICATE.get(state) or _UNITS[_needed(why)[0]])


def _of_grants(why: NoGrantThere, state: str) -> ComingFirst:
    """A case that has ended has nothing to be delivered, but for what comes back from the bank."""
    needed = _needed(why)
    if state == CaseStage.CLOSED and "failed" in needed:
        return ComingFirst(_GRANTS["failed"])
    if state in (CaseStage.REFUSED, CaseStage.CLOSED):
        return ComingFirst(_REOPENED)
    return ComingFirst(_GRANTS[needed[0]])
