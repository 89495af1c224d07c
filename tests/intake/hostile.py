"""Files that mean harm (reliability.md S7), each with the reason for which it must be refused."""

import random
import zipfile
from collections.abc import Callable
from pathlib import Path

TYPES = (
    b'<?xml version="1.0" encoding="UTF-8"?><Types xmlns="http://schemas.openxmlformats.org/'
    b'package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.'
    b'openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType='
    b'"application/xml"/></Types>'
)
ROOT = (
    b'<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/'
    b'relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/'
    b'officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>'
)
BOOK = (
    b'<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/'
    b'main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>'
    b'<sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>'
)
BOOK_RELS = (
    b'<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/'
    b'relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/'
    b'officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/>'
    b"</Relationships>"
)
OPEN = (
    b'<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/'
    b'2006/main"><sheetData>'
)
CLOSE = b"</sheetData></worksheet>"
SHEET = OPEN + b'<row r="1"><c r="A1"><v>1</v></c></row>' + CLOSE

Extra = dict[str, bytes]


def package(
    path: Path, extra: Extra, without: tuple[str, ...] = (), level: int | None = None
) -> zipfile.ZipFile:
    """A least workbook with parts added or replaced. Left open, for what is stranger still."""
    parts = {
        "[Content_Types].xml": TYPES,
        "_rels/.rels": ROOT,
        "xl/workbook.xml": BOOK,
        "xl/_rels/workbook.xml.rels": BOOK_RELS,
        "xl/worksheets/sheet1.xml": SHEET,
    } | extra
    book = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=level)
    for name, content in parts.items():
        if name not in without:
            book.writestr(name, content)
    return book


def part(name: str, content: bytes) -> Callable[[Path], None]:
    return lambda path: package(path, {name: content}).close()


def bomb(path: Path) -> None:
    """256 MiB of zeros in about 1 MiB."""
    with package(path, {}, level=1) as book, book.open("xl/media/image1.png", "w") as out:
        for _ in range(256):
            out.write(bytes(1024 * 1024))


def many_small_bombs(path: Path) -> None:
    """No part is large, or packed too tightly, but together they are 600 MiB."""
    noise = random.Random(1).randbytes(90_000)
    with package(path, {}, level=1) as book:
        for number in range(100):
            book.writestr(f"xl/media/image{number}.png", noise + bytes(6 * 1024 * 1024))


def lying_bomb(path: Path) -> None:
    """The directory says 1,000 bytes; unpacking the part gives 64 MiB."""
    with package(path, {"xl/sharedStrings.xml": b"<sst>" + bytes(64 * 1024 * 1024)}):
        pass
    raw = bytearray(path.read_bytes())
    for mark, size_at in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        at = -1
        while (at := raw.find(mark, at + 1)) >= 0:
            name_at = at + (46 if mark == b"PK\x01\x02" else 30)
            if raw[name_at : name_at + 20] == b"xl/sharedStrings.xml":
                raw[at + size_at : at + size_at + 4] = (1000).to_bytes(4, "little")
    path.write_bytes(raw)


def too_many_members(path: Path) -> None:
    with package(path, {}) as book:
        for number in range(50_000):
            book.writestr(zipfile.ZipInfo(f"xl/media/{number}"), b"")


def symlink(path: Path) -> None:
    link = zipfile.ZipInfo("xl/worksheets/sheet2.xml")
    link.create_system = 3
    link.external_attr = 0o120777 << 16
    with package(path, {}) as book:
        book.writestr(link, "/etc/passwd")


def name_twice(path: Path) -> None:
    import warnings

    with warnings.catch_warnings(), package(path, {}) as book:
        warnings.simplefilter("ignore")
        book.writestr("xl/workbook.xml", BOOK)


def a_million_columns(path: Path) -> None:
    dice = random.Random(2)
    cells = b"".join(b"<c><v>%d</v></c>" % dice.randrange(10**6) for _ in range(1_000_000))
    package(path, {"xl/worksheets/sheet1.xml": OPEN + b"<row>" + cells + b"</row>" + CLOSE}).close()


def far_corner(path: Path) -> None:
    """Two cells, which a dense grid needs 550 GB to hold."""
    rows = (
        b'<row r="1"><c r="A1"><v>1</v></c></row>'
        b'<row r="1048576"><c r="XFD1048576"><v>2</v></c></row>'
    )
    package(path, {"xl/worksheets/sheet1.xml": OPEN + rows + CLOSE}).close()


def overlapping(path: Path) -> None:
    """Each of a hundred thousand merged cells covers all there is."""
    dice = random.Random(5)
    heading = b"".join(b'<c t="inlineStr"><is><t>%d</t></is></c>' % n for n in range(200))
    merged = b"".join(
        b'<mergeCell ref="A1:%c%c%d"/>' % (*dice.choices(b"HIJKLMNOP", k=2), dice.randrange(40, 99))
        for _ in range(100_000)
    )
    sheet = OPEN + b"<row>" + heading + b"</row></sheetData><mergeCells>" + merged
    sheet += b"</mergeCells></worksheet>"
    package(path, {"xl/worksheets/sheet1.xml": sheet}).close()


def long_cell(path: Path) -> None:
    """Half a million spaces and a letter: trimming them took ten minutes of the server's time."""
    noise = bytes(random.Random(6).choices(b" \t", k=500_000))
    cell = b'<row><c t="inlineStr"><is><t xml:space="preserve">x' + noise + b"x</t></is></c></row>"
    package(path, {"xl/worksheets/sheet1.xml": OPEN + cell + CLOSE}).close()


def truncated(path: Path) -> None:
    package(path, {"xl/media/image1.png": random.Random(3).randbytes(200_000)}).close()
    path.write_bytes(path.read_bytes()[:100_000])


def damaged(path: Path) -> None:
    """A byte of packed data changed: the directory is whole, the check sum is not right."""
    package(path, {"xl/media/image1.png": random.Random(4).randbytes(200_000)}).close()
    raw = bytearray(path.read_bytes())
    raw[100_000] ^= 0xFF
    path.write_bytes(raw)


def without_workbook(path: Path) -> None:
    package(path, {}, without=("xl/workbook.xml",)).close()


def wrong_magic(path: Path) -> None:
    path.write_bytes(b"<html><table><tr><td>x</td></tr></table></html>")


def old_xls(path: Path) -> None:
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(4096))


_XXE = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>'
_LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha">'
    + b"".join(b'<!ENTITY a%d "%s">' % (n, b"&a;" * 10) for n in range(9))
    + b"]>"
)
_INNER = b"PK\x03\x04" + bytes(100)
_MACRO_TYPES = TYPES.replace(b"application/xml", b"application/vnd.ms-excel.sheet.macroEnabled+xml")

HOSTILE: dict[str, tuple[Callable[[Path], None], str]] = {
    "bomb": (bomb, "packed-too-tightly"),
    "many small bombs": (many_small_bombs, "unpacked-too-big"),
    "bomb that lies about its size": (lying_bomb, "file-broken"),
    "macro": (part("xl/vbaProject.bin", b"x"), "macro"),
    "macro by content type": (part("[Content_Types].xml", _MACRO_TYPES), "macro"),
    "macro sheet": (part("xl/macrosheets/sheet1.xml", SHEET), "macro"),
    "nested zip by name": (part("xl/media/inner.zip", b"x"), "nested-archive"),
    "nested zip by content": (part("xl/media/image1.png", _INNER), "nested-archive"),
    "embedded object": (part("xl/embeddings/oleObject1.bin", b"x"), "embedded-object"),
    "link to another workbook": (
        part("xl/externalLinks/externalLink1.xml", b"<externalLink/>"),
        "external-link",
    ),
    "zip slip": (part("xl/../../../../tmp/evil.xml", b"x"), "unsafe-name"),
    "absolute name": (part("/etc/cron.d/evil", b"x"), "unsafe-name"),
    "Windows name": (part("C:\\evil.xml", b"x"), "unsafe-name"),
    "name twice": (name_twice, "unsafe-name"),
    "symlink": (symlink, "symlink"),
    "too many members": (too_many_members, "too-many-members"),
    "XXE": (part("xl/worksheets/sheet1.xml", _XXE + SHEET[21:]), "xml-declaration"),
    "billion laughs": (part("xl/sharedStrings.xml", _LAUGHS + b"<sst/>"), "xml-declaration"),
    "declaration in UTF-16": (
        part("xl/sharedStrings.xml", _XXE.decode().encode("utf-16")),
        "xml-encoding",
    ),
    "a million columns": (a_million_columns, "too-many-columns"),
    "two cells far apart": (far_corner, "too-much-memory"),
    "merged cells over each other": (overlapping, "merged-overlap"),
    "a cell longer than any": (long_cell, "cell-too-long"),
    "truncated": (truncated, "file-broken"),
    "damaged": (damaged, "file-broken"),
    "no workbook in it": (without_workbook, "workbook-parts-missing"),
    "wrong magic": (wrong_magic, "file-wrong-magic"),
    "old xls or encrypted": (old_xls, "file-old-or-encrypted"),
}
