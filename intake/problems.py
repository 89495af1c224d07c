"""What can be wrong with a row, in one table of rules, with personal data masked."""

import re
from dataclasses import dataclass
from typing import Any

from domain.masking import mask_card, mask_id, mask_name, mask_phone
from domain.phone_number import RULE_EN, RULE_ZH
from domain.plurals import fill
from intake.columns import Column
from intake.division_rules import OF_DIVISIONS

RULES: dict[str, tuple[str, str]] = {
    "name-missing": ("姓名不能为空", "The name is missing."),
    "name-form": (
        "姓名应为 1 至 50 个字，不含数字和括号",
        "A name has 1 to 50 characters, no digits and no brackets.",
    ),
    "invisible": (
        "含有看不见的字符（如零宽空格），请删去该格内容后重新录入",
        "The cell has characters that nobody sees, like a zero-width space: type it again.",
    ),
    "id-missing": ("户主的身份证号不能为空", "The head's ID number is missing."),
    "id-stored-as-number": (
        "18位身份证号被存成了数值，末几位已丢失，无法还原：请把该列设为“文本”后重新录入",
        "An 18-digit ID number stored as a number has lost its last digits and cannot be "
        "restored. Set the column to text and enter it again.",
    ),
    "id-number": ("身份证号有误：{why_zh}", "The ID number is wrong: {why_en}."),
    "id-twice": (
        "身份证号在本文件中重复：{first} 与 {second}",
        "The ID number stands twice in this file: {first} and {second}.",
    ),
    "card-stored-as-number": (
        "超过15位的账号被存成了数值，末几位已丢失，无法还原：请把该列设为“文本”后重新录入",
        "An account number of more than 15 digits stored as a number has lost its last digits "
        "and cannot be restored. Set the column to text and enter it again.",
    ),
    "card-form": ("账号应为8至25位数字", "An account number has 8 to 25 digits."),
    "phone-form": (f"联系电话{RULE_ZH}", f"A phone number is {RULE_EN}."),
    "size-missing": ("家庭人口不能为空", "The number of people in the household is missing."),
    "size-form": (
        "家庭人口应为1至99的一个整数",
        "The number of people is one whole number from 1 to 99.",
    ),
    "need-form": (
        "需救助人口应为0至99的一个整数",
        "The number of people in need is one whole number from 0 to 99.",
    ),
    "need-over-size": (
        "需救助人口 {need} 人，多于家庭人口 {size} 人",
        "{need} {need:person in need is|people in need are} more than the {size} of the household.",
    ),
    "village-code-form": (
        "行政村区划代码应为12位数字",
        "A village's division code has 12 digits.",
    ),
    "relation-not-head": (
        "一户一行的名单里只能是户主本人，此行写的是其他关系",
        "In a list of one row a household the row is the head's; this one says otherwise.",
    ),
    # Lists of officers (`intake.officers`).
    "login-form": ("登录名{why_zh}", "The log-in name is wrong: {why_en}."),
    "login-twice": (
        "登录名与第 {row} 行相同，请改一个",
        "The log-in name is that of row {row} too: change one.",
    ),
    "role-unknown": (
        "没有这个岗位；可用：{known}",
        "There is no such post. There are: {known_en}.",
    ),
    "pair-unknown": ("应为 A、B 或空白", "It is A, B or empty."),
    "place-missing": (
        "应填写区划代码或区划名称",
        "Give the code of the area, or its name.",
    ),
    "place-unknown": (
        "辖区内没有这个区划，请核对代码或名称",
        "Your jurisdiction has no such area: compare code and name.",
    ),
    "place-renumbered": (
        "区划代码 {old} 已停用，现为 {now} {named}",
        "Code {old} is out of use: it is {now} {named} now.",
    ),
    # What a code means by a former code of its county: `projections.asking.child_codes.Meant`.
    "place-old-county": ("旧代码：{zh}", "Former code: {en}"),
    "place-several": (
        "辖区内有几个同名区划，请填写区划代码",
        "Several areas have this name: give the code.",
    ),
    "place-differs": (
        "该区划代码是{named}，与区划名称不一致",
        "The code is that of {named}, not of the area named.",
    ),
    "officer-hidden": (
        "此行在表格中被隐藏（或被筛选掉），请取消隐藏后再导入",
        "This row is hidden in the sheet, or filtered out: show it and import again.",
    ),
    **OF_DIVISIONS,
    "text-too-long": ("文字超过200个字", "The text is longer than 200 characters."),
    "no-head": (
        "第 {rows} 行这一户没有户主",
        "The household in rows {rows} has no head.",
    ),
    "two-heads": (
        "第 {rows} 行这一户有不止一个户主",
        "The household in rows {rows} has more than one head.",
    ),
    "head-differs": (
        "户主姓名或户主身份证号与本户户主一行不一致",
        "The head's name or ID number is not that of the head's own row.",
    ),
    "household-refused": (
        "同一户的第 {rows} 行有错误，整户未导入",
        "Row {rows} of the same household is wrong: the household is not taken.",
    ),
    "row-hidden-asked": (
        "此行在表格中被隐藏（或被筛选掉），未导入：请取消隐藏后再导入，"
        "或说明隐藏的行一并导入还是略过（命令行用 --hidden-rows import 或 leave）",
        "This row is hidden in the sheet, or filtered out, and was not taken: show it and import "
        "again, or say whether such rows are imported or left out (in a terminal: --hidden-rows).",
    ),
    "cell-error": (
        "单元格显示错误值（如 #REF!），无法得知原来的内容：请改为实际内容",
        "The cell shows an error like #REF!: what it should hold cannot be known. Enter it.",
    ),
    # Questions about a head who may be in the log already, or on the list twice.
    "head-maybe-same": (
        "本村已登记同名的户主 {stored}，{agrees_zh}，可能是同一户，未导入：如系身份证号更正，"
        "请先在该户更正户主的身份证号，再导入；如确是另一户，请在系统中单独登记",
        "The village has a head of the same name, {stored}, with {agrees_en}: perhaps the same "
        "household, not taken. If the ID number was corrected, correct it in that household and "
        "import again; if it is another household, register it by hand.",
    ),
    "head-maybe-twice": (
        "与 {stored} 同村同名，{agrees_zh}，可能是同一户，未导入：请删去其中一行；"
        "如确是两户，请在系统中单独登记",
        "Of the same village and name as {stored}, with {agrees_en}: perhaps the same household, "
        "not taken. Delete one of the rows; if there are two households, register this by hand.",
    ),
    "head-maybe-same-elsewhere": (
        "{village}已登记同名的户主 {stored}，{agrees_zh}，可能是同一户，未导入：如已迁居，"
        "请先办理该户迁移，并更正户主的身份证号，再导入；如村名有误，请改正；如确是另一户，请在系统中单独登记",
        "{village} has a head of the same name, {stored}, with {agrees_en}: perhaps the same "
        "household, not taken. If it has moved, move that household and correct the ID number "
        "first; if the village is wrong, correct it; then import again. If it is another "
        "household, register it by hand.",
    ),
    "head-maybe-twice-elsewhere": (
        "与 {stored}（{village}）同名，{agrees_zh}，可能是同一户，未导入：请删去其中一行；"
        "如确是两户，请在系统中单独登记",
        "Of the same name as {stored} ({village}), with {agrees_en}: perhaps the same household, "
        "not taken. Delete one of the rows; if there are two households, register this by hand.",
    ),
    "head-is-member": (
        "此人已登记在{village} {stored} 户中，不是户主，未导入：如户主已变更，请先在该户变更户主；"
        "如已分户，请先在该户办理离户，再导入",
        "Registered in {village}, in the household of {stored}, and not its head: not taken. If "
        "the head has changed, change it there; if this person has left, record that there; then "
        "import again.",
    ),
    "head-elsewhere": (
        "此人已在{village}登记为户主，未导入：如村名有误，请改正；如已迁居，请先办理该户迁移，再导入",
        "Registered in {village} as head of a household: not taken. Correct the village, or move "
        "that household first, and import again.",
    ),
    "person-maybe-same": (
        "{village}已登记同名的 {stored}，身份证号只差一两位，可能是同一人，未导入：请核对证件，"
        "改正名单或已登记的身份证号；已离户的先办理离户，再导入；如确是另一人，请在系统中单独登记",
        "{village} has {stored}, of the same name and with an ID number that differs in a digit or "
        "two: perhaps the same person, not taken. Compare the card; correct the list or the number "
        "that is registered, or record that this person has left, and import again. If it is "
        "another person, register them by hand.",
    ),
    # Notes: worth a look, no reason to refuse.
    "cell-error-empty": (
        "单元格显示错误值（如 #N/A），按空白读取，请核对",
        "The cell shows an error like #N/A and was read as empty.",
    ),
    "member-without-id": (
        "家庭成员没有身份证号，将作为未登记身份证号的成员",
        "A member without an ID number: taken as one whose number is not known yet.",
    ),
    "size-differs": (
        "家庭人口为 {size}，名单中本户有 {listed} 人",
        "The household has {size} {size:person|people} by its own column, {listed} by the rows.",
    ),
    "gender-differs": (
        "性别与身份证号不一致，以身份证号为准",
        "The sex is not that of the ID number, which counts.",
    ),
    "birth-differs": (
        "出生日期与身份证号不一致，以身份证号为准",
        "The date of birth is not that of the ID number, which counts.",
    ),
    "cards-differ": (
        "本户有几个不同的账号，且都不在户主一行，未导入账号",
        "There are several accounts, none in the head's row: no account is taken.",
    ),
    "row-hidden": (
        "此行在表格中被隐藏（或被筛选掉），已按要求读取",
        "This row is hidden in the sheet, or filtered out, and was read as you asked.",
    ),
    "row-hidden-left": (
        "此行在表格中被隐藏（或被筛选掉），已按要求略过",
        "This row is hidden in the sheet, or filtered out, and was left out as you asked.",
    ),
    "village-renumbered": (
        "行政村代码 {old} 自 {since} 起已停用，按现用代码 {stored} 登记",
        "Code {old} went out of use on {since}: taken as the village that is {stored} now.",
    ),
    "village-old-county": ("旧代码：{zh}", "Former code: {en}"),
    "village-merged": (
        "此村已于 {since} 并入{stored}，按{stored}登记",
        "This village was merged into {stored} on {since}: taken as that one.",
    ),
    "group-unknown": (
        "本村的村民小组中没有这一个，或者不止一个：按所写文字登记，未编入小组，请核对。现有：{known}",
        "The village has no such group, or several: taken as it is written, in none of its groups. "
        "There are: {known}.",
    ),
    "cell-formula": (
        "内容由公式算出，取的是文件中保存的结果，请核对",
        "The cell is worked out by a formula: the result saved in the file was taken.",
    ),
    "formula-empty": (
        "内容由公式算出，文件中没有保存结果，按空白读取：请用表格软件打开并保存后再导入",
        "The cell is a formula whose result is not saved in the file: read as empty. Open and "
        "save the file with a spreadsheet program, then import it again.",
    ),
    # Notes on a household that is stored already: a person decides, nothing was overwritten.
    "member-added": (
        "本户已登记，此人尚未登记：已补登为本户成员",
        "The household was known, this person was not: added to it.",
    ),
    "member-missing": (
        "本户已登记，此人尚未登记：导入时将补登为本户成员",
        "The household is known, this person is not: the import will add them.",
    ),
    "member-gone": (
        "{stored} 曾是本户成员，现已不在本户（离户、死亡或归属另户），未重新登记，请核对",
        "{stored} was a member once and has left, died or belongs elsewhere: not added again.",
    ),
    "member-maybe-same": (
        "本户已登记的成员 {stored} 没有身份证号，可能是同一人：未补登，请核对后补录身份证号",
        "The stored member {stored} has no ID number and may be the same person: not added.",
    ),
    "member-other-id": (
        "本户已登记同名成员 {stored}，身份证号与名单不同，可能是同一人：未补登，请核对",
        "A stored member {stored} of that name has another ID number and may be the same: "
        "not added.",
    ),
    "member-not-listed": (
        "本户已登记的成员 {stored} 不在名单中，未改动，请核对",
        "The stored member {stored} is not on the list: left as it is.",
    ),
    "stored-head": (
        "本户登记的户主是 {stored}，与名单不同，未改动，请核对",
        "The stored head is {stored}, not the one of the list: left as it is.",
    ),
    "stored-name": (
        "姓名与登记的 {stored} 不同，未改动，请核对",
        "The stored name is another, {stored}: left as it is.",
    ),
    "stored-size": (
        "本户登记为 {stored} 人，与名单不同，未改动，请核对",
        "The household is stored with {stored} {stored:person|people}: left as it is.",
    ),
    "stored-category": (
        "本户登记的家庭类型是 {stored}，与名单不同，未改动，请核对",
        "The stored household kind is {stored_en}: left as it is.",
    ),
    "stored-card": (
        "本户登记的账号是 {stored}，与名单不同，未改动，请核对",
        "The stored account is {stored}: left as it is.",
    ),
    "stored-phone": (
        "本户登记的电话是 {stored}，与名单不同，未改动，请核对",
        "The stored phone number is {stored}: left as it is.",
    ),
    "stored-address": (
        "本户登记的住址与名单不同，未改动，请核对",
        "The stored address is another: left as it is.",
    ),
    "stored-relation": (
        "登记的与户主关系是“{stored}”，与名单不同，未改动，请核对",
        "The stored relation to the head is another, {stored_en}: left as it is.",
    ),
    "stored-group": (
        "本户登记的村民小组是 {stored}，与名单不同，未改动，请核对",
        "The stored group is {stored}: left as it is.",
    ),
    "stored-card-holder": (
        "本户登记的持卡人是 {stored}，与名单不同，未改动，请核对",
        "The stored account is held by {stored}: left as it is.",
    ),
    "stored-bank": (
        "本户登记的开户银行是 {stored}，与名单不同，未改动，请核对",
        "The stored bank is {stored}: left as it is.",
    ),
    "stored-elsewhere": (
        "本户已登记，现在不在您的辖区，未比对",
        "The household is known and lives outside your jurisdiction now: not compared.",
    ),
    "maybe-rounded": (
        "末三位是000，请核对是否曾被表格软件取整",
        "The last three digits are 000: check that no spreadsheet has rounded them.",
    ),
}

_LONG_NUMBER = re.compile(r"\d{8,}[Xx]?")  # an ID number or an account in the wrong column


@dataclass(frozen=True, slots=True)
class CellProblem:
    """One rule broken in one cell. ``value`` is masked; ``column`` is the header's own text."""

    cell: str
    column: str
    value: str
    rule: str
    zh: str
    en: str

    def sentence(self, language: str) -> str:
        return self.zh if language == "zh" else self.en


def problem(rule: str, cell: str, column: str, value: str = "", **facts: Any) -> CellProblem:
    zh, en = RULES[rule]
    return CellProblem(cell, column, value, rule, fill(zh, facts), fill(en, facts))


def mask(column: Column, value: Any) -> str:
    """A value fit for a screen or a log: who it is about is not to be read from it.

    >>> mask(Column.ID_NUMBER, "340824199001019015"), mask(Column.NAME, "张小三")
    ('340824********9015', '张*三')
    """
    if value is None:
        return ""
    shown = f"{value:.0f}" if isinstance(value, float) else str(value)
    shown = re.sub(r"[\x00-\x1f\x7f]", " ", shown).strip()[:60]
    if column in (Column.ID_NUMBER, Column.HEAD_ID):
        return mask_id(shown)
    if column in (Column.NAME, Column.HEAD_NAME):
        return mask_name(shown)
    if column is Column.CARD:
        return mask_card(shown)
    if column is Column.PHONE:
        return mask_phone(shown)
    if column in (Column.ADDRESS, Column.BIRTH):
        return shown[:3] + "*" * (len(shown) - 3)
    if column in (Column.VILLAGE_CODE, Column.PARENT_CODE, Column.FORMER_CODE):
        return shown
    return _LONG_NUMBER.sub(lambda found: found[0][:3] + "*" * (len(found[0]) - 3), shown)
