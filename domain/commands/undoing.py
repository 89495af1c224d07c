"""What takes a step back, said beside its button before it is pressed.

Facts stay: a step is undone by another step, never by deleting it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from domain.commands import areas as ar
from domain.commands import connecting as cn
from domain.commands import consignments as c
from domain.commands import contests as ct
from domain.commands import disasters as d
from domain.commands import following as fo
from domain.commands import funds as f
from domain.commands import grant_corrections as gc
from domain.commands import handing_out as go
from domain.commands import held_grants as he
from domain.commands import household_groups as hg
from domain.commands import household_moves as hm
from domain.commands import households as hh
from domain.commands import id_numbers as idn
from domain.commands import incidents as i
from domain.commands import issuing as iss
from domain.commands import logins as lo
from domain.commands import notices as nt
from domain.commands import officers as ofc
from domain.commands import payments as p
from domain.commands import proposing as pr
from domain.commands import relief_cases as rc
from domain.commands import renewing as rn
from domain.commands import reports as rp
from domain.commands import revealing as r
from domain.commands import reviews as rv
from domain.commands import rosters as ro
from domain.commands import rulebooks as rb
from domain.commands import seasons as e
from domain.commands import stock as g
from domain.commands import units as u
from domain.commands import village_groups as vg
from domain.commands import village_lists as w
from domain.world import Command


@dataclass(frozen=True, slots=True)
class Undo:
    """``by``: the command that takes it back; None where nothing does. Both sentences say how, or
    why not."""

    by: type[Command] | None
    zh: str
    en: str


def by(command: type[Command], zh: str, en: str) -> Undo:
    """Another command takes it back, wholly or as far as the sentences say."""
    return Undo(command, zh, en)


def never(zh: str, en: str) -> Undo:
    """No command takes it back."""
    return Undo(None, zh, en)


UNDO: Mapping[type[Command], Undo] = {
    rp.MakeUpReport: by(
        rp.FileFollowUp, "报错了可以用续报更正", "What is wrong is corrected by a follow-up."
    ),
    rp.ExplainJump: by(rp.ExplainJump, "可以重新说明", "The reason can be given again."),
    rv.AcceptReport: never(
        "采用后不能改为退回：有错的请报送单位续报更正，或说明理由撤销",
        "It cannot be returned afterwards: a follow-up corrects it, or it is struck with a reason.",
    ),
    iss.IssueReport: never(
        "签发后不能收回：有错的用续报更正",
        "It cannot be taken back: what is wrong is corrected by a follow-up.",
    ),
    iss.RecordSentUpward: by(
        iss.RecordSentUpward, "登记错了可以重新登记", "It can be recorded again, corrected."
    ),
    rv.ReturnReport: by(
        rp.ResubmitReport,
        "退回后不能直接采用：由报送单位修改后重新报送",
        "It cannot be accepted as it is: whoever reported files it again, corrected.",
    ),
    rp.ResubmitReport: by(
        rp.FileFollowUp, "报错了可以用续报更正", "What is wrong is corrected by a follow-up."
    ),
    rp.FileFollowUp: by(
        rp.FileFollowUp,
        "报错了可以再用续报更正",
        "What is wrong is corrected by another follow-up.",
    ),
    rp.PhoneInFollowUp: by(
        rp.MakeUpReport, "可以由报送单位补报更正", "Whoever rang makes it up in full."
    ),
    rp.FileZeroReport: by(
        rp.FileFollowUp, "有新情况可以用续报更正", "What is new is told by a follow-up."
    ),
    rv.StabilizeReport: by(rv.ResumeFollowUps, "可以恢复续报", "Follow-ups can be resumed."),
    rp.FileVerifiedReport: by(
        rp.FileVerifiedReport,
        "可以说明理由后再报核报更正",
        "It is corrected by another verified report, with the reason.",
    ),
    rp.FileVerifiedOnBehalf: by(
        rp.FileVerifiedOnBehalf,
        "可以说明理由后再报核报更正",
        "It is corrected by another verified report, with the reason.",
    ),
    rv.ResumeFollowUps: by(
        rv.StabilizeReport, "可以再宣布灾情稳定", "It can be declared stable again."
    ),
    d.AttachReport: by(d.DetachReport, "可以解除挂接", "It can be detached."),
    d.DetachReport: by(d.AttachReport, "可以重新挂接", "It can be attached again."),
    rv.AdjudicateReport: by(
        rv.AdjudicateReport, "可以按新的文件重新核定", "It can be adjudicated anew by a document."
    ),
    rv.SetPartsAside: by(
        rv.SetPartsAside, "可以按新的文件重新认定", "It can be decided anew by a document."
    ),
    rp.CorrectOccurrence: by(rp.CorrectOccurrence, "可以再次更正", "It can be corrected again."),
    rp.WithdrawReport: never(
        "撤回后不能恢复：灾情属实的请另报初报",
        "It does not come back: if the harm is real, file an initial report anew.",
    ),
    rv.StrikeReport: never(
        "撤销后不能恢复：灾情属实的由报送单位另报初报",
        "It does not come back: if the harm is real, an initial report is filed anew.",
    ),
    ro.ConfirmDeath: by(
        ro.WithdrawCasualty,
        "登记错了可以撤销本条，再重新登记",
        "A mistaken row is withdrawn and the person put on the roster anew.",
    ),
    ro.FindMissing: never(
        "找到后不能改回失踪：再失去联系的请另行登记",
        "The person is not missing again: whoever goes missing anew is put on the roster anew.",
    ),
    ro.WithdrawCasualty: never(
        "撤销后不能恢复：确有其人的请重新登记",
        "The row does not come back: put the person on the roster anew.",
    ),
    ro.RegradeHouseDamage: by(
        ro.RegradeHouseDamage, "可以重新评定", "It can be graded again, with the reason."
    ),
    ro.WithdrawHouseDamage: never(
        "撤销后不能恢复：确有损坏的请重新登记",
        "The row does not come back: put the home on the roster anew.",
    ),
    hh.AddMember: by(
        hh.RemoveMember, "加错了可以办理离户", "A member who was added by mistake can leave again."
    ),
    hh.RemoveMember: by(hh.AddMember, "可以重新登记为成员", "The person can be added again."),
    hh.RecordDeath: by(
        hh.AddMember,
        "登记错了可以重新登记为成员，原死亡记录保留",
        "A person recorded dead by mistake can be added again; the record stays.",
    ),
    hh.IdentifyMember: by(
        hh.IdentifyMember, "号码登记错了可以再次更正", "A wrong number can be corrected again."
    ),
    hh.ChangeHead: by(hh.ChangeHead, "可以再次变更户主", "The head can be changed again."),
    hh.CategorizeHousehold: by(
        hh.CategorizeHousehold, "可以再次变更家庭类型", "The kind can be changed again."
    ),
    hh.RecordCard: by(
        hh.RecordCard,
        "可以重新登记账号；已经发放的款项不变",
        "Another account can be recorded; what was paid stays paid.",
    ),
    hh.ChangeContact: by(
        hh.ChangeContact, "可以再次变更", "Phone and address can be changed again."
    ),
    hg.ChangeHouseholdGroup: by(
        hg.ChangeHouseholdGroup, "可以再次变更小组", "The group can be changed again."
    ),
    hh.MoveHousehold: by(hh.MoveHousehold, "可以再迁回原村", "The household can be moved back."),
    hm.OfferHouseholdMove: by(
        hm.WithdrawHouseholdMove,
        "对方接收之前可以撤回",
        "The offer can be withdrawn until it is accepted.",
    ),
    hm.AcceptHouseholdMove: never(
        "接收后不能退回：须迁回的，由本县重新发起迁移",
        "It is not given back: to return, this county offers a move of its own.",
    ),
    hm.DeclineHouseholdMove: by(
        hm.OfferHouseholdMove, "迁出县可以重新发起", "The county it lives in can offer it again."
    ),
    hm.WithdrawHouseholdMove: by(
        hm.OfferHouseholdMove, "可以重新发起迁移", "The move can be offered again."
    ),
    ct.MergeHouseholds: never(
        "合并后不能拆开：请先核对两户确为同一户",
        "It is not undone: make sure that both are the same household.",
    ),
    hh.RevealHousehold: never(
        "查看会留下记录，不能删除", "That you looked is on record and stays there."
    ),
    ofc.OpenAccount: never(
        "登录名开通后一直归该人员，不能删除；要停止使用，请办理停职或免职",
        "The log-in name stays theirs: to stop its use, suspend the officer or end the posts.",
    ),
    lo.InviteOfficer: by(
        lo.InviteOfficer, "重新邀请后，原邀请码作废", "A new invitation makes this code void."
    ),
    idn.GiveIdNumber: never(
        "登记后不能更改：请先核对号码", "It cannot be changed: check the number first."
    ),
    idn.ExcuseIdNumber: by(
        idn.GiveIdNumber, "取得号码后补登即可", "It is over once the number is given."
    ),
    ofc.AppointOfficer: by(ofc.EndAppointment, "可以免去岗位", "The post can be ended."),
    rn.RecordCertificate: by(
        rn.RecordCertificate, "登记错了可以重新登记", "It can be recorded again, corrected."
    ),
    rn.RenewPost: by(ofc.EndAppointment, "可以提前结束岗位", "The post can be ended earlier."),
    ofc.NameSubstitute: by(ofc.EndSubstitution, "可以随时结束代岗", "It can be ended at any time."),
    ofc.EndSubstitution: by(
        ofc.NameSubstitute, "可以重新指定代岗", "A substitute can be named again."
    ),
    ofc.EndAppointment: by(
        ofc.AppointOfficer, "可以重新任命", "The officer can be appointed anew."
    ),
    ofc.HandOver: never(
        "移交后不能收回：接手人从此也代表移交人，原岗位须重新任命",
        "It is not taken back: the successor counts as both from now on.",
    ),
    ofc.SuspendOfficer: by(ofc.ReinstateOfficer, "可以复职", "The officer can be reinstated."),
    ofc.ReinstateOfficer: by(
        ofc.SuspendOfficer, "可以再次停职", "The officer can be suspended again."
    ),
    lo.EndOfficerSessions: never(
        "本人可以随时重新登录", "The officer can log in again at any time."
    ),
    lo.ResetSecondFactor: never(
        "只有本人可以重新设置两步验证", "The officer alone sets a second factor again."
    ),
    cn.BindProvider: by(cn.UnbindProvider, "可以解除绑定", "The connection can be ended."),
    cn.UnbindProvider: by(cn.BindProvider, "可以重新绑定", "It can be connected again."),
    pr.ProposeAppointment: never(
        "提出后不能撤回：管理员可以不采纳，30 天未处理即过期",
        "It is not withdrawn: the administrator can decline it, and it lapses after 30 days.",
    ),
    pr.ProposeEnd: never(
        "提出后不能撤回：管理员可以不采纳，30 天未处理即过期",
        "It is not withdrawn: the administrator can decline it, and it lapses after 30 days.",
    ),
    pr.ProposeSuspension: never(
        "提出后不能撤回：管理员可以不采纳，30 天未处理即过期",
        "It is not withdrawn: the administrator can decline it, and it lapses after 30 days.",
    ),
    pr.TakeProposal: never(
        "采纳后按任免、停职各自的办法更改",
        "What was done is changed as any other post or suspension.",
    ),
    pr.EngageProposed: by(ofc.EndAppointment, "可以免去岗位", "The post can be ended."),
    pr.DeclineProposal: never(
        "不采纳后不能恢复：上级可以重新提出",
        "It does not come back: the superior can propose again.",
    ),
    ar.RenameArea: by(ar.RenameArea, "可以再次更名", "It can be renamed again."),
    ar.AbolishArea: never(
        "撤销后不能恢复：须恢复的请重新设立",
        "It does not come back: establish it anew if it is to be there again.",
    ),
    vg.NameVillageGroups: by(
        vg.EndVillageGroup,
        "可以撤销小组；小组代码不再给别的小组",
        "A group can be ended; its sub-code goes to no other.",
    ),
    vg.RenameVillageGroup: by(vg.RenameVillageGroup, "可以再次更名", "It can be renamed again."),
    vg.EndVillageGroup: never(
        "撤销后不能恢复：请另设小组，使用新的代码",
        "It does not come back: name a new group, with another sub-code.",
    ),
    fo.FollowMerger: never(
        "迁移后不能整体退回：个别的户可以再迁出",
        "It does not go back as a whole: single households can be moved again.",
    ),
    rb.ConfirmRulebook: never(
        "确认后不能取消：须更改的请采用新的版本",
        "It is not taken back: a changed rule is adopted as a new version.",
    ),
    i.TriageIncident: by(i.TriageIncident, "可以重新分级", "The priority can be changed."),
    i.AssignUnit: by(i.RecallUnit, "可以召回队伍", "The unit can be recalled."),
    i.AcknowledgeAssignment: by(i.RecallUnit, "可以召回队伍", "The unit can be recalled."),
    i.ReportEnRoute: by(i.RecallUnit, "可以召回队伍", "The unit can be recalled."),
    i.ReportOnScene: by(i.RecallUnit, "可以召回队伍", "The unit can be recalled."),
    i.RecallUnit: by(i.AssignUnit, "可以重新派出", "The unit can be sent again."),
    i.ReassignIncident: by(i.ReassignIncident, "可以再次改派", "It can be reassigned again."),
    i.EscalateIncident: never(
        "上级负责后不能退回下级", "An area below is not put in charge again afterwards."
    ),
    i.ResolveIncident: never(
        "处置完毕后不能重新打开：再有情况请另行登记险情",
        "It is not opened again: if there is more, open a new incident.",
    ),
    i.CloseIncident: never(
        "归档后不能重新打开：再有情况请另行登记险情",
        "It is not opened again: if there is more, open a new incident.",
    ),
    i.MarkDuplicateIncident: by(
        i.UndoDuplicateIncident,
        "可以撤销重复标记，险情恢复原状态并重新计时",
        "The mark can be taken back: the incident goes on, and its time begins anew.",
    ),
    i.UndoDuplicateIncident: by(
        i.MarkDuplicateIncident, "可以再次标为重复", "It can be marked as a duplicate again."
    ),
    r.RevealCaller: never("查看即记录在案，不能撤销", "That it was seen stays on record."),
    d.StartResponse: by(d.EndResponse, "可以终止响应", "The response can be ended."),
    d.ChangeResponse: by(d.ChangeResponse, "可以再调整", "The level can be changed again."),
    d.EndResponse: by(d.StartResponse, "可以再次启动", "A response can be started again."),
    d.StabilizeDisaster: by(d.ReopenDisaster, "可以重新打开", "It can be opened again."),
    d.CloseDisaster: by(d.ReopenDisaster, "可以重新打开", "It can be opened again."),
    d.ReopenDisaster: by(
        d.StabilizeDisaster, "可以再次宣布灾情稳定", "It can be declared stable again."
    ),
    d.MergeDisaster: by(d.SplitDisaster, "可以拆回", "It can be split back out."),
    d.SplitDisaster: by(d.MergeDisaster, "可以再合并", "It can be merged again."),
    e.ChangeSeasonStandard: never(
        "已分配的仍按当时的标准；以后可以再改",
        "What was granted keeps its terms; the standards can be changed again later.",
    ),
    e.CloseSeason: never(
        "结束后不能重新打开，只能登记退回",
        "It is not opened again; only refunds are recorded then.",
    ),
    w.AppraiseList: by(
        w.AppraiseList,
        "乡审前可以重新评议；已张榜的公示随之作废，须重新张榜",
        "It can be appraised again before review; a notice is then void and posted anew.",
    ),
    w.AppraiseOnBehalf: by(
        w.AppraiseOnBehalf,
        "乡审前可以重新评议；已张榜的公示随之作废，须重新张榜",
        "It can be appraised again before review; a notice is then void and posted anew.",
    ),
    nt.PostNotice: by(nt.WithdrawNotice, "可以撤下", "It can be taken down."),
    w.RaiseObjection: by(w.SettleObjection, "由乡镇或县处理", "The township or county settles it."),
    r.RevealObjection: never("查看即记录在案，不能撤销", "That it was seen stays on record."),
    w.SettleObjection: never(
        "处理后不能撤销；仍有意见的可以再提异议",
        "It stands; whoever still disagrees objects again.",
    ),
    nt.WithdrawNotice: by(
        nt.PostNotice, "须重新公示，天数重新计算", "It is posted anew, for all its days."
    ),
    w.ReviewList: by(w.ReturnList, "可以退回村里", "The list can be returned to the village."),
    w.ReturnList: by(
        w.AppraiseList, "由村里重新评议、公示", "The village appraises and posts it again."
    ),
    w.ApproveList: never(
        "县定后不能退回村里；个别款物可以更正",
        "It is not returned after this; single grants can be corrected.",
    ),
    p.AllocateList: never(
        "款物逐笔可以更正；增加现金须重新公示",
        "Grants can be corrected one by one; more cash needs a new notice.",
    ),
    nt.PostSecondNotice: by(nt.WithdrawNotice, "可以撤下", "It can be taken down."),
    p.PayList: never(
        "发放后不能撤销；银行退票、领款人退回的逐笔登记",
        "It stands; what bounces or is given back is recorded payment by payment.",
    ),
    go.SignGoods: never(
        "签收后不能撤销；退回的物资逐笔登记", "It stands; goods given back are recorded."
    ),
    w.CloseList: never(
        "结束后不能重新打开；漏报的户进入下一批名册",
        "It is not opened again; who was left out goes on the next round's list.",
    ),
    rc.CorrectApplication: by(
        rc.CorrectApplication,
        "可以再次更正；乡审以后只能核减",
        "It can be corrected again; after the township's review downwards only.",
    ),
    he.DecideHeldGrants: by(
        gc.CorrectGrant,
        "未发放的款物可以再更正；撤销的不能恢复",
        "What has not gone out can still be corrected; what was withdrawn does not come back.",
    ),
    gc.CorrectGrant: by(
        gc.CorrectGrant,
        "发放前可以再次更正；改为零的不能恢复",
        "It can be corrected again before it goes out; what became nothing does not come back.",
    ),
    gc.RecordPaymentFailure: by(gc.RetryPayment, "可以重新发放", "It can be paid again."),
    gc.RetryPayment: by(
        gc.RecordPaymentFailure,
        "银行再次退回的，再登记退票",
        "If the bank sends it back again, that is recorded again.",
    ),
    gc.RefundGrant: never(
        "登记后不能撤销：请先核对金额、数量和文号",
        "It stands: make sure of the amount and the document first.",
    ),
    rc.ReopenCase: never(
        "重新审核后按名册办理：不予救助的仍由乡、县决定",
        "It goes on a list again, where the township or the county may refuse it as before.",
    ),
    u.PutUnitOffDuty: by(u.PutUnitOnDuty, "可以恢复在岗", "It can be put on duty again."),
    u.PutUnitOnDuty: by(u.PutUnitOffDuty, "可以再转为不在岗", "It can be put off duty again."),
    c.OrderConsignment: by(
        c.CancelConsignment,
        "发运前可以取消，预留的物资随即放回",
        "It can be called off before it ships; what is set aside is free again then.",
    ),
    c.ShipConsignment: by(
        c.TurnBackConsignment,
        "路上走不通，可以退回出库的仓库，由发货人以外的人清点",
        "If it cannot get through it goes back to its source, where another person counts it.",
    ),
    c.ArriveConsignment: never(
        "验收后不能改数：请先当面清点；以后差错用盘点更正",
        "The count stays: make sure of it first. What is found out later is a recount.",
    ),
    c.TurnBackConsignment: never(
        "退回后不能再发同一单：仍需要的请重新申请",
        "It does not leave again: what is still needed is asked for anew.",
    ),
    c.WriteOffDamaged: never("报废后不能撤销", "What is written off stays so."),
    c.CloseConsignment: never("办结后不能重新打开", "It is not opened again."),
    c.CancelConsignment: never(
        "取消后不能恢复：仍需要的请重新申请",
        "It does not come back: what is still needed is asked for anew.",
    ),
    g.RecountStock: by(g.RecountStock, "可以再盘一次", "It can be counted again."),
    g.WriteOffGoods: by(
        g.RecountStock,
        "数量写错的，用盘点按实有数更正",
        "A wrong number is put right by a recount of what is there.",
    ),
    f.PassDownFund: by(
        f.ReturnFund, "下级可以退回没用的款", "The level below can give back what it does not use."
    ),
    f.ReturnFund: by(f.PassDownFund, "上级可以再次下达", "It can be passed down again."),
}
"""Of every command of `SUBJECTS` that a person may send."""
