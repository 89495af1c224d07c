"""Why a whole file is not read: one stable code a reason, a sentence in Chinese and English."""

from typing import Any

from domain.plurals import fill

REASONS: dict[str, tuple[str, str]] = {
    "file-missing": ("找不到文件，或没有权限读取", "There is no such file, or it may not be read."),
    "file-empty": ("文件是空的", "The file is empty."),
    "file-too-big": (
        "文件有 {size} 字节，超过上限 {limit} 字节，请分成几个文件",
        "The file has {size} bytes, more than {limit}. Split it.",
    ),
    "file-type-unknown": (
        "不支持“{suffix}”文件，请另存为 .xlsx 或 .csv",
        "Files named {suffix} are not supported. Save it as .xlsx or .csv.",
    ),
    "file-old-or-encrypted": (
        "这是旧格式（.xls）或加了密码的文件，请去掉密码并另存为 .xlsx",
        "This is an old .xls or a file with a password. Remove it and save as .xlsx.",
    ),
    "file-wrong-magic": (
        "文件内容与扩展名“{suffix}”不符，请用表格软件重新另存",
        "The content is not what the name {suffix} says. Save it again.",
    ),
    "file-broken": (
        "文件已损坏或不完整，无法读取，请重新导出或下载",
        "The file is damaged or incomplete. Export or download it again.",
    ),
    "workbook-parts-missing": (
        "不是有效的 .xlsx 工作簿（缺少 {member}）",
        "This is not an .xlsx workbook: {member} is missing.",
    ),
    "too-many-members": (
        "压缩包内有 {count} 个部件，超过上限 {limit}",
        "The package holds {count} {count:part|parts}, more than {limit}.",
    ),
    "unpacked-too-big": (
        "解压后有 {size} 字节，超过上限 {limit} 字节",
        "Unpacked it would take {size} bytes, more than {limit}.",
    ),
    "packed-too-tightly": (
        "部件 {member} 的压缩比超过 {limit}，疑似压缩炸弹",
        "Part {member} is packed more than {limit} to 1: it looks like a bomb.",
    ),
    "macro": (
        "文件含有宏（{member}），请另存为不带宏的 .xlsx",
        "The file holds macros ({member}). Save it as .xlsx without macros.",
    ),
    "nested-archive": (
        "文件内嵌了其他压缩包（{member}）",
        "The file holds another archive ({member}).",
    ),
    "embedded-object": (
        "文件内嵌了对象或控件（{member}），请删除后再导入",
        "The file holds an embedded object or control ({member}). Delete it.",
    ),
    "external-link": (
        "文件引用了外部工作簿（{member}），请将公式粘贴为数值后再导入",
        "The file refers to another workbook ({member}). Paste formulas as values.",
    ),
    "unsafe-name": (
        "压缩包内有不安全的部件名（{member}）",
        "The package holds a part with an unsafe name ({member}).",
    ),
    "symlink": (
        "压缩包内有符号链接（{member}）",
        "The package holds a symbolic link ({member}).",
    ),
    "packing-unknown": (
        "部件 {member} 已加密或使用了不支持的压缩方式",
        "Part {member} is encrypted or packed in an unsupported way.",
    ),
    "xml-declaration": (
        "部件 {member} 含有 DOCTYPE 或 ENTITY 声明",
        "Part {member} declares a DOCTYPE or an ENTITY.",
    ),
    "xml-encoding": (
        "部件 {member} 不是 UTF-8 编码",
        "Part {member} is not in UTF-8.",
    ),
    "text-has-nul": (
        "文本文件中有空字节，不是有效的 CSV",
        "There are NUL bytes in the text: this is not a CSV file.",
    ),
    "text-is-utf16": (
        "文件是 UTF-16（Unicode 文本），请另存为“CSV UTF-8”或 .xlsx",
        "The file is UTF-16 text. Save it as CSV UTF-8 or .xlsx.",
    ),
    "text-encoding-unknown": (
        "文件既不是 UTF-8 也不是 GB18030（GBK）编码，请另存为“CSV UTF-8”或 .xlsx",
        "The file is neither UTF-8 nor GB18030 (GBK). Save it as CSV UTF-8 or .xlsx.",
    ),
    "csv-broken": (
        "第 {row} 行附近的 CSV 格式有误（例如引号没有成对）",
        "The CSV is broken near row {row}, for example by an unpaired quote.",
    ),
    "too-many-rows": (
        "工作表“{sheet}”超过 {limit} 行，请分成几个文件",
        "Sheet {sheet} has more than {limit} rows. Split it.",
    ),
    "too-many-columns": (
        "工作表“{sheet}”有 {count} 列，超过上限 {limit} 列，请删除右侧无关内容",
        "Sheet {sheet} has {count} {count:column|columns}, more than {limit}. Delete what is "
        "far right.",
    ),
    "merged-overlap": (
        "工作表“{sheet}”的合并单元格互相重叠，文件可能已损坏：请用表格软件打开，取消合并后另存",
        "Merged cells of sheet {sheet} overlap: the file may be damaged. Open it with a "
        "spreadsheet program, unmerge them and save it again.",
    ),
    "cell-too-long": (
        "工作表“{sheet}”第 {row} 行有单元格超过 {limit} 个字，请删去多余内容",
        "Row {row} of sheet {sheet} has a cell of more than {limit} characters. Shorten it.",
    ),
    "too-much-memory": (
        "读取工作簿所需内存超过上限，请删除数据区以外（最右、最下）的内容，或分成几个文件",
        "The workbook needs too much memory. Delete what lies far right or far below, or split it.",
    ),
    "too-much-time": (
        "读取工作簿超过时限，请分成几个文件",
        "Reading the workbook takes too long. Split it.",
    ),
    "sheet-unknown": (
        "没有名为“{sheet}”的可见工作表，现有：{known}",
        "There is no visible sheet named {sheet}. There are: {known}",
    ),
    "list-missing": (
        "没有找到名单：工作表中没有能识别的表头（例如“户主姓名”“户主身份证号”）",
        "No list found: no sheet has a header that is known, like 户主姓名 and 户主身份证号.",
    ),
    "column-missing": (
        "工作表“{sheet}”的表头（第 {row} 行）缺少必需的列：{missing}",
        "The header of sheet {sheet} (row {row}) lacks: {missing}",
    ),
    "columns-unsure": (
        "工作表“{sheet}”的列 {columns} 看似代码、证件号或人数，但不会导入：请核对，"
        "确认不需要后勾选“不导入这些列”（命令行加 --ignore-columns）再导入",
        "Columns {columns} of sheet {sheet} look like codes, ID numbers or figures of people and "
        "would not be imported. If they are not needed, say that they may be left out (in a "
        "terminal: --ignore-columns) and import again.",
    ),
    "column-twice": (
        "工作表“{sheet}”的表头中，{first} 与 {second} 都像是“{column}”，请只保留一列",
        "In the header of sheet {sheet}, {first} and {second} both look like {column}. Keep one.",
    ),
}


class FileRefused(Exception):
    """A whole file is not read. ``code`` is a key of ``REASONS`` and stays the same for ever."""

    def __init__(self, code: str, **facts: Any) -> None:
        self.code = code
        self.facts = facts
        zh, en = REASONS[code]
        self.reason_zh = fill(zh, facts)
        self.reason_en = fill(en, facts)
        super().__init__(f"{code}: {self.reason_en}")

    def sentence(self, language: str) -> str:
        return self.reason_zh if language == "zh" else self.reason_en
