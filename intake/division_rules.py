"""What can be wrong with a row of a list of divisions, or is told of it; see `intake.problems`."""

OF_DIVISIONS: dict[str, tuple[str, str]] = {
    "division-code-missing": ("区划代码不能为空", "The code is missing."),
    "division-code-form": (
        "区划代码应为 2、4、6、9 或 12 位数字",
        "A division's code has 2, 4, 6, 9 or 12 digits.",
    ),
    "division-name-missing": ("名称不能为空", "The name is missing."),
    "division-name-form": (
        "名称不超过 50 个字，且不含看不见的字符",
        "A name has at most 50 characters, none of which is invisible.",
    ),
    "division-date-form": ("日期应如 2024-06-01", "A date is like 2024-06-01."),
    "division-date-future": (
        "生效日期在今天之后：请到生效之日再办理",
        "The day lies in the future: bring the list again on that day.",
    ),
    "division-twice": ("与第 {row} 行的代码相同", "Row {row} has the same code."),
    "division-outside": (
        "不在您的辖区：{name}（{code}）",
        "It is outside your jurisdiction: {name} ({code}).",
    ),
    "division-code-part": (
        "代码末三位 {part} 国家不用：没有国家代码的区划请用 900 至 998",
        "No national code ends in {part}: a division without one takes 900 to 998.",
    ),
    "division-code-taken": ("已有这个代码的区划", "A division has this code already."),
    "division-code-former": (
        "代码 {code} 已停用（原为{name}），不能再用于其他区划",
        "Code {code} is out of use ({name} had it) and is not given to another division.",
    ),
    "division-old-county": ("旧代码：{zh}", "Former code: {en}"),
    "division-code-old-county": (
        "{zh}；区划名单须写现用代码",
        "{en} A list of divisions says the codes of today.",
    ),
    "division-former-unknown": (
        "原代码 {code} 不是现有区划",
        "No living division has the former code {code}.",
    ),
    "division-both-living": (
        "代码和原代码都是现有区划（{name}、{former}）：合并请在区划页办理",
        "Both codes are of living divisions ({name}, {former}): merge them on the division's page.",
    ),
    "division-parent-unknown": (
        "没有上级区划 {code}：请先列出上级，或填写上级代码",
        "There is no division {code} above it: list it too, or give the code of the one above.",
    ),
    "division-parent-wrong": (
        "上级所在的行有误，或上级级别不高于本级",
        "The row of what is above it is wrong, or that is not of a higher level.",
    ),
    "division-before-parent": (
        "生效日期早于上级{name}的设立日期 {day}",
        "The day lies before that of {name} above it, which begins on {day}.",
    ),
    "division-moves": (
        "只有村（社区）可以改变隶属：{name}现属{parent}，乡镇以上请另建后逐村变更",
        "Only a village goes under another township: {name} is under {parent}.",
    ),
    "division-name-living": (
        "{parent}已有同名区划（{code}）：若是改码，请在“原代码”填写 {code}",
        "{parent} has one of this name ({code}): if its code has changed, give {code} as the "
        "former code.",
    ),
    "division-name-twice": (
        "与第 {row} 行的新区划同名，上级也相同",
        "Row {row} has a new division of the same name under the same one.",
    ),
    "division-own-code": (
        "本地自编代码：取得国家代码后请办理改码",
        "A code of your own: change it once there is a national one.",
    ),
    "division-not-in-register": (
        "2023 年全国区划代码中没有，按新设办理",
        "The national register of 2023 does not have it: taken as new.",
    ),
    "division-named-otherwise": (
        "2023 年全国区划代码中此代码为“{name}”，请核对",
        "The national register of 2023 has this code as {name}: compare.",
    ),
    "division-parent-prefix": (
        "代码与上级代码的前几位不同（如开发区托管），请核对",
        "Its code does not begin as that of what is above it: compare.",
    ),
}
