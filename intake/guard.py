"""Is it safe to open this file? Answered before anything parses it.

A workbook is a zip of XML parts, and a list may come from anybody: bombs, macros, links to
elsewhere and names that climb out of the package are refused here, from the package's directory
and one streaming pass over its bytes (memory stays at a few hundred KiB). What gets past this, a
part that lies about its size for example, meets the limits of the process that parses it.
"""

import codecs
import re
import stat
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import BinaryIO, Literal

from intake.refused import FileRefused

MIB = 1024 * 1024
_CHUNK = 256 * 1024
_OVERLAP = 16  # longest mark looked for, so that a mark on a chunk's border is seen

_TEXT_SUFFIXES = (".csv", ".tsv", ".txt")
_ZIP_MAGIC = b"PK\x03\x04"
_OLE_MAGIC = b"\xd0\xcf\x11\xe0"
_ARCHIVE_MAGICS = (
    _ZIP_MAGIC,
    b"PK\x05\x06",
    b"Rar!",
    b"7z\xbc\xaf",
    b"\x1f\x8b",
    b"BZh",
    b"\xfd7zXZ",
)
_ARCHIVE_SUFFIXES = (
    ".zip",
    ".rar",
    ".7z",
    ".gz",
    ".tgz",
    ".bz2",
    ".xz",
    ".tar",
    ".jar",
    ".xlsx",
    ".xlsm",
    ".xlsb",
    ".docx",
    ".docm",
    ".pptx",
    ".pptm",
    ".ods",
)
_REQUIRED_PARTS = ("[Content_Types].xml", "xl/workbook.xml")
_WIDEST_ROW = 16_384
_WORST_DIRECTORY_ENTRY = 1024  # bytes of one member in the zip's directory, generously


@dataclass(frozen=True, slots=True)
class IntakeLimits:
    """What a list may cost us (reliability.md S7). Part of the settings."""

    packed_bytes: int = 32 * MIB
    unpacked_bytes: int = 512 * MIB
    members: int = 200
    ratio: int = 100
    rows: int = 200_000
    columns: int = 256
    cell: int = 32_767  # characters of one cell: more than that no spreadsheet holds
    memory_bytes: int = 448 * MIB
    cpu_seconds: int = 30
    stall_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Passed:
    """The file may be opened: as a workbook, or as text in this encoding."""

    kind: Literal["xlsx", "csv"]
    encoding: str = ""


def check_file(file: BinaryIO, name: str, limits: IntakeLimits) -> Passed:
    """Say what the file is, or raise ``FileRefused``. The file is left at its start."""
    suffix = PurePosixPath(name).suffix.lower()
    size = file.seek(0, 2)
    file.seek(0)
    magic = file.read(4)
    file.seek(0)
    if suffix == ".xlsm":
        raise FileRefused("macro", member=suffix)
    if suffix == ".xls" or (magic == _OLE_MAGIC and suffix in (".xlsx", *_TEXT_SUFFIXES)):
        raise FileRefused("file-old-or-encrypted")
    if suffix not in (".xlsx", *_TEXT_SUFFIXES):
        raise FileRefused("file-type-unknown", suffix=suffix or "?")
    if size == 0:
        raise FileRefused("file-empty")
    if size > limits.packed_bytes:
        raise FileRefused("file-too-big", size=size, limit=limits.packed_bytes)
    if (suffix == ".xlsx") != (magic == _ZIP_MAGIC):
        raise FileRefused("file-wrong-magic", suffix=suffix)
    if suffix == ".xlsx":
        _check_workbook(file, size, limits)
        passed = Passed("xlsx")
    else:
        passed = Passed("csv", _check_text(file))
    file.seek(0)
    return passed


def _check_workbook(file: BinaryIO, size: int, limits: IntakeLimits) -> None:
    _check_directory_size(file, size, limits)
    try:
        with zipfile.ZipFile(file) as package:
            members = package.infolist()
            _check_members(members, limits)
            for member in members:
                if not member.is_dir():
                    _check_content(package, member)
    except FileRefused:
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, struct.error) as broken:
        raise FileRefused("file-broken") from broken
    except (NotImplementedError, RuntimeError) as unknown:
        raise FileRefused("packing-unknown", member="?") from unknown


def _check_directory_size(file: BinaryIO, size: int, limits: IntakeLimits) -> None:
    """Count the members before ``zipfile`` makes an object of each: 32 MiB hold half a million."""
    tail_at = max(0, size - 65_557 - 76)
    file.seek(tail_at)
    tail = file.read()
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 or len(tail) - end < 22:
        raise FileRefused("file-broken")
    count, directory_bytes = struct.unpack_from("<HI", tail, end + 10)
    wide = tail.rfind(b"PK\x06\x06", 0, end)
    if end >= 20 and tail[end - 20 : end - 16] == b"PK\x06\x07" and 0 <= wide <= end - 20 - 56:
        # Zip64, as Java programs write it even for small files: the wide record counts.
        count, directory_bytes = struct.unpack_from("<QQ", tail, wide + 32)
    if count > limits.members or directory_bytes > limits.members * _WORST_DIRECTORY_ENTRY:
        count = max(count, directory_bytes // _WORST_DIRECTORY_ENTRY)
        raise FileRefused("too-many-members", count=count, limit=limits.members)
    file.seek(0)


def _check_members(members: list[zipfile.ZipInfo], limits: IntakeLimits) -> None:
    if len(members) > limits.members:
        raise FileRefused("too-many-members", count=len(members), limit=limits.members)
    seen: set[str] = set()
    for member in members:
        _check_name(member, seen)
        if member.flag_bits & 0x1 or member.compress_type not in (
            zipfile.ZIP_STORED,
            zipfile.ZIP_DEFLATED,
        ):
            raise FileRefused("packing-unknown", member=_shown(member.filename))
        if member.file_size > MIB and member.file_size > limits.ratio * member.compress_size:
            raise FileRefused(
                "packed-too-tightly", member=_shown(member.filename), limit=limits.ratio
            )
    unpacked = sum(member.file_size for member in members)
    if unpacked > limits.unpacked_bytes:
        raise FileRefused("unpacked-too-big", size=unpacked, limit=limits.unpacked_bytes)
    for part in _REQUIRED_PARTS:
        if part not in seen:
            raise FileRefused("workbook-parts-missing", member=part)


def _check_name(member: zipfile.ZipInfo, seen: set[str]) -> None:
    name = member.orig_filename
    shown = _shown(name)
    unsafe = (
        name.startswith("/")
        or re.search(r"[\\:\x00-\x1f]", name) is not None
        or ".." in name.split("/")
        or name in seen
    )
    if unsafe:
        raise FileRefused("unsafe-name", member=shown)
    seen.add(name)
    if stat.S_ISLNK(member.external_attr >> 16):
        raise FileRefused("symlink", member=shown)
    lower = name.lower()
    if "vbaproject" in lower or lower.startswith(("xl/macrosheets/", "xl/dialogsheets/")):
        raise FileRefused("macro", member=shown)
    if lower.startswith("xl/externallinks/"):
        raise FileRefused("external-link", member=shown)
    if lower.endswith(_ARCHIVE_SUFFIXES):
        raise FileRefused("nested-archive", member=shown)
    if lower.startswith(("xl/embeddings/", "xl/activex/", "xl/ctrlprops/")):
        raise FileRefused("embedded-object", member=shown)


def _check_content(package: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    """Read the part through once: no archive in it, no declarations, and its CRC is right."""
    shown = _shown(member.filename)
    lower = member.filename.lower()
    is_xml = lower.endswith((".xml", ".rels", ".vml"))
    is_index = lower == "[content_types].xml" or lower.endswith(".rels")
    with package.open(member) as part:
        chunk = part.read(_CHUNK)
        if chunk.startswith(_ARCHIVE_MAGICS):
            raise FileRefused("nested-archive", member=shown)
        if chunk.startswith(_OLE_MAGIC):
            raise FileRefused("embedded-object", member=shown)
        if is_xml and not _is_utf8_xml(chunk):
            raise FileRefused("xml-encoding", member=shown)
        is_sheet = lower.startswith("xl/worksheets/")
        before = b""
        in_row = 0
        while chunk:
            if is_sheet:
                in_row = _cells_in_row(chunk, in_row, shown)
            if is_xml:
                window = before + chunk
                if b"<!DOCTYPE" in window or b"<!ENTITY" in window:
                    raise FileRefused("xml-declaration", member=shown)
                before = chunk[-_OVERLAP:]
            if is_index:
                _check_index(chunk.lower(), shown)
            chunk = part.read(_CHUNK)


def _cells_in_row(chunk: bytes, before: int, shown: str) -> int:
    """Count the cells of a row that goes on from chunk to chunk; a row too wide is refused.

    A sheet has 16,384 columns at most. A wider row costs the parser memory, so it is stopped
    here; narrower ones meet the limit on columns when they are parsed, without empty cells.
    """
    next_row = chunk.find(b"<row")
    head = chunk if next_row < 0 else chunk[:next_row]
    cells = before + head.count(b"<c ") + head.count(b"<c>")
    if cells > _WIDEST_ROW:
        raise FileRefused("too-many-columns", sheet=shown, count=cells, limit=_WIDEST_ROW)
    if next_row < 0:
        return cells
    tail = chunk.rfind(b"<row")
    return chunk.count(b"<c ", tail) + chunk.count(b"<c>", tail)


def _check_index(text: bytes, shown: str) -> None:
    if b"macroenabled" in text or b"vbaproject" in text:
        raise FileRefused("macro", member=shown)
    if b"/externallink" in text or b"/attachedtemplate" in text:
        raise FileRefused("external-link", member=shown)


def _is_utf8_xml(head: bytes) -> bool:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\x00" in head[:8]:
        return False
    declared = re.match(rb"(?:\xef\xbb\xbf)?\s*<\?xml[^>]*encoding\s*=\s*[\"']([^\"']+)", head)
    return declared is None or declared[1].lower() in (b"utf-8", b"utf8", b"us-ascii", b"ascii")


def _shown(name: str) -> str:
    """A member's name fit to be printed: short and without control characters."""
    return re.sub(r"[^\x20-\x7e\u4e00-\u9fff]", "?", name)[:80]


def _check_text(file: BinaryIO) -> str:
    """The encoding of a CSV: UTF-8 if it is, else GB18030, which contains GBK and GB2312."""
    head = file.read(2)
    file.seek(0)
    if head in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        raise FileRefused("text-is-utf16")
    possible = [codecs.getincrementaldecoder(name)("strict") for name in ("utf-8-sig", "gb18030")]
    names = ["utf-8-sig", "gb18030"]
    while True:
        chunk = file.read(_CHUNK)
        if b"\x00" in chunk:
            raise FileRefused("text-has-nul")
        for at in reversed(range(len(possible))):
            try:
                possible[at].decode(chunk, final=not chunk)
            except UnicodeDecodeError:
                del possible[at], names[at]
        if not names:
            raise FileRefused("text-encoding-unknown")
        if not chunk:
            return names[0]
