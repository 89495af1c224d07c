"""What is wrong in the text of a rulebook, as people say it, and at which line it stands."""

import re

from domain.plurals import fill

KINDS = {
    "int": ("整数", "a whole number"),
    "decimal": ("小数", "a decimal"),
    "float": ("小数", "a decimal"),
    "str": ("文字（加引号）", "a text in quotes"),
    "bool": ("true 或 false", "true or false"),
    "array": ("列表 [ … ]", "a list [ … ]"),
    "object": ("表 { … }", "a table { … }"),
    "date": ("日期（如 2026-01-31）", "a date such as 2026-01-31"),
    "time": ("时刻（如 08:00:00）", "a time such as 08:00:00"),
    "null": ("空值", "nothing"),
}

SAID: tuple[tuple[str, str, str], ...] = (
    (
        r"Expected `str` of length >= (\d+)",
        "至少 {0} 个字",
        "at least {0} {0:character|characters}",
    ),
    (r"Expected `str` of length <= (\d+)", "至多 {0} 个字", "at most {0} {0:character|characters}"),
    (r"Expected `array` of length >= (\d+)", "至少 {0} 项", "at least {0} {0:entry|entries}"),
    (r"Expected `array` of length <= (\d+)", "至多 {0} 项", "at most {0} {0:entry|entries}"),
    (r"Expected `\w+` >= ([-\d.]+)", "不能小于 {0}", "it cannot be less than {0}"),
    (r"Expected `\w+` <= ([-\d.]+)", "不能大于 {0}", "it cannot be more than {0}"),
    (
        r"Expected `str` matching regex",
        "只能用小写字母、数字和下划线，以字母开头",
        "lower-case letters, digits and _ only, beginning with a letter",
    ),
    (r"Invalid enum value", "不在可选的值之中", "it is none of the values that may stand here"),
    (r"Invalid RFC3339 encoded date", "应为日期（如 2026-01-31）", "it must be a date: 2026-01-31"),
    (r"Invalid RFC3339 encoded time", "应为时刻（如 08:00:00）", "it must be a time: 08:00:00"),
    (r"Expected '='", "键后面应有等号“=”", "a key is followed by ="),
    (
        r"Expected newline or end of document",
        "一行只能写一项，后面有多余的内容",
        "one statement a line: something follows it",
    ),
    (r"Expected ']'", "缺少“]”", "a ] is missing"),
    (r"Expected ['\"]", "引号没有配对", "a quotation mark is not closed"),
    (r"Cannot overwrite|Cannot declare", "这一项写了两次", "it is said twice"),
    (r"Invalid value", "等号后面的值写得不完整或不合规", "what follows = is no complete value"),
    (
        r"Invalid statement",
        "这一行既不是“键 = 值”，也不是 [表]",
        "it is neither key = value nor [table]",
    ),
)
"""Messages of the libraries that read it, and what they mean. The first that fits counts."""

TYPE = re.compile(r"Expected `([\w |]+)`, got `(\w+)`")
LINE = re.compile(r"\(at line (\d+), column \d+\)")


def said(message: str) -> tuple[str, str]:
    """A message of a library in Chinese and English."""
    found = TYPE.search(message)
    if found is not None:
        wanted = [KINDS.get(one.strip(), (one, one)) for one in found[1].split("|")]
        got = KINDS.get(found[2], (found[2], found[2]))
        zh, en = "或".join(one[0] for one in wanted), " or ".join(one[1] for one in wanted)
        return f"应为{zh}，现为{got[0]}", f"it must be {en}, not {got[1]}"
    for pattern, zh, en in SAID:
        if match := re.search(pattern, message):
            return fill(zh, match.groups()), fill(en, match.groups())
    return "不符合要求", message


def line_said(message: str, text: str) -> int:
    """The line, from 1, that a message of the reader names; "at end of document" is the last."""
    found = LINE.search(message)
    if found is not None:
        return int(found[1])
    return len(text.splitlines()) if "at end of document" in message else 0


def line_of(text: str, where: str) -> int:
    """The line, from 1, at which the last of a problem's keys is first set; 0: nowhere.

    Of ``conditions[2].level`` it is the ``level`` of the third entry of ``conditions``, whether
    entries stand as ``{ … }`` a line or as tables ``[[conditions]]``.
    """
    lines = text.splitlines()
    found = 0
    for step in filter(None, where.split(".")):
        key, _, place = step.partition("[")
        at = _set_at(lines, key, found)
        if not at:
            return found
        found = at[0] if not place else _entry(lines, key, at, int(place.split("]")[0]))
    return found


def _set_at(lines: list[str], key: str, after: int) -> list[int]:
    """The lines from ``after`` on that set a key, begin its table, or name an entry so."""
    named = re.escape(key)
    setting = re.compile(rf"(^|[\s{{,\[.\"]){named}\"?\s*[=\]]|=\s*\"{named}\"")
    numbered = enumerate(lines, start=1)
    return [n for n, line in numbered if n >= after and setting.search(line.split("#")[0])]


def _entry(lines: list[str], key: str, at: list[int], nth: int) -> int:
    """The line of the nth entry of a list."""
    tables = [n for n in at if re.match(rf"\s*\[\[[\w.]*{re.escape(key)}\]\]", lines[n - 1])]
    if tables:
        return tables[min(nth, len(tables) - 1)]
    rows = [n for n in range(at[0] + 1, len(lines) + 1) if lines[n - 1].strip().startswith("{")]
    return rows[nth] if nth < len(rows) and "{" not in lines[at[0] - 1] else at[0]
